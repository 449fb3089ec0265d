"""Chapter 04, Slopes by finite differences."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["StepSize"])
