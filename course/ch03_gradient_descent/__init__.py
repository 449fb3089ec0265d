"""Chapter 03, Gradient descent."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["BatchNoise", "LearningRate"])
