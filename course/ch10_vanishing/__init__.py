"""Chapter 10, Vanishing and exploding gradients."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["GradientMagnitudes"], depth=["SingularValues"])
