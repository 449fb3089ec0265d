"""Every layer and loss that bplib exports, found by itself, with examples of it to test.

A layer that can be made without arguments needs nothing here. One that needs arguments gets an entry in LAYERS, a loss
gets its targets in TARGETS; a test fails where an entry is missing.
"""

import inspect

import numpy as np

import bplib
from bplib import Elementwise, Layer, LeakyReLU, Linear, Loss, ReLU, Sequential, Sigmoid, Softmax, Tanh

FEATURES = 5
ABSTRACT = {Layer, Elementwise, Loss}

# Each maker takes a dtype and gives a layer for batches of shape (n, FEATURES).
LAYERS = {
    "Linear": {
        "wide": lambda dtype: Linear(FEATURES, 8, rng=1, dtype=dtype),
        "narrow": lambda dtype: Linear(FEATURES, 1, rng=1, dtype=dtype),
        "without bias": lambda dtype: Linear(FEATURES, 3, bias=False, rng=1, dtype=dtype),
    },
    "LeakyReLU": {"default": lambda dtype: LeakyReLU(), "steep": lambda dtype: LeakyReLU(-2.5)},
    "Sequential": {
        "one": lambda dtype: Sequential(Tanh()),
        "net": lambda dtype: Sequential(
            Linear(FEATURES, 7, rng=1, dtype=dtype), Sigmoid(), Linear(7, 3, rng=2, dtype=dtype), Softmax()
        ),
        "nested": lambda dtype: Sequential(
            Sequential(Linear(FEATURES, 6, rng=1, dtype=dtype), ReLU()),
            Sequential(Tanh(), Sequential(Linear(6, 4, rng=2, dtype=dtype))),
        ),
    },
}

# Each maker takes a Generator, n and k and gives targets for predictions of shape (n, k).
TARGETS = {
    "MSE": lambda rng, n, k: rng.standard_normal((n, k)),
    "BinaryCrossEntropy": lambda rng, n, k: rng.integers(0, 2, (n, k)).astype(float),
    "SoftmaxCrossEntropy": lambda rng, n, k: rng.integers(0, k, n),
}
LOSS_VARIANTS = {"MSE": {"default": {}, "half": {"half": True}}}


def exported(base):
    """The exported classes below `base`, by name."""
    found = {name: thing for name, thing in vars(bplib).items() if inspect.isclass(thing) and issubclass(thing, base)}
    return {name: thing for name, thing in found.items() if thing not in ABSTRACT}


def needs_arguments(cls):
    """Does making one need arguments?"""
    parameters = inspect.signature(cls).parameters.values()
    return any(p.default is p.empty for p in parameters)


def layer_makers():
    """"Linear, wide" -> maker, for every example of every exported layer that can be made."""
    makers = {}
    for name, cls in exported(Layer).items():
        table = LAYERS.get(name) or ({} if needs_arguments(cls) else {"default": lambda dtype, cls=cls: cls()})
        makers |= {f"{name}, {label}": maker for label, maker in table.items()}
    return makers


def loss_makers():
    """"MSE, half" -> (maker, targets), for every example of every exported loss that has targets."""
    makers = {}
    for name, cls in exported(Loss).items():
        for label, options in LOSS_VARIANTS.get(name, {"default": {}}).items():
            if name in TARGETS:
                makers[f"{name}, {label}"] = (lambda cls=cls, options=options: cls(**options), TARGETS[name])
    return makers


def batch(n=4, dtype=np.float64, features=FEATURES, seed=0):
    """A batch of standard normal numbers, none of them near a kink."""
    x = np.random.default_rng([seed, n, features]).standard_normal((n, features))
    return (x + 0.05 * np.sign(x)).astype(dtype)


def like(array, seed=1):
    """Random numbers of the shape and dtype of an array."""
    return np.random.default_rng(seed).standard_normal(array.shape).astype(array.dtype)


def example_of(targets, n=4, k=3, dtype=np.float64, seed=0):
    """Predictions (n, k) and targets for them."""
    y = targets(np.random.default_rng([seed, n, k]), n, k)
    return batch(n, dtype, k, seed), y.astype(dtype) if y.dtype.kind == "f" else y
