"""Chapter 02, Losses."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["SlowStart", "SoftmaxLogits"])
