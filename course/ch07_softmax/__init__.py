"""Chapter 07, Softmax and classification."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["AccuracyAgainstLoss", "SoftmaxJacobian"])
