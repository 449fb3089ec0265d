"""Chapter 05, The chain rule."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["ChainRule"], drills=["drill"])
