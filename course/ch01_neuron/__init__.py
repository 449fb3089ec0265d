"""Chapter 01, A neuron."""

from course.labs import lazily

__all__, __getattr__ = lazily(__name__, labs=["Activations", "Clothes", "Neuron"])
