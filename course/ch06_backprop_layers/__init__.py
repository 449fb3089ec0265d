"""Chapter 06, Backpropagation through layers."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["XorTraining"])
