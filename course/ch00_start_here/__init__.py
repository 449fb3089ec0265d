"""Chapter 00, Start here: whether everything works."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["doctor"])
