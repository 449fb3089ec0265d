"""What exercises hand to answers, so that a message can say what it was, and what they take back."""
import numpy as np


class Seed(int):
    """A seed for a Generator, that says so in a message."""

    def __repr__(self):
        return f"a Generator with seed {int(self)}"

    def __reduce__(self):  # elsewhere, where nothing of this module is known, it is a number
        return int, (int(self),)


class Slope:
    """The slope of an activation, by name."""

    def __init__(self, name):
        self.name = name

    def __call__(self, z):
        a = 1 / (1 + np.exp(-z)) if self.name == "sigmoid" else np.tanh(z)
        return {"tanh": 1 - a**2, "sigmoid": a * (1 - a), "ReLU": (z > 0) * 1.0}[self.name]

    def __repr__(self):
        return f"the slope of {self.name}"


def array_of(value):
    """What an answer returned as an array of numbers, or None where it is something else."""
    try:
        array = np.asarray(value)
    except Exception:  # __array__ of a foreign object may raise anything
        return None
    return array.astype(float) if array.dtype.kind in "biuf" else None
