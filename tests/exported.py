"""Every layer and loss that bplib exports, found by itself, with examples of it to test.

A layer that can be made without arguments needs nothing here. One that needs arguments gets an entry in LAYERS, a loss
gets its targets in TARGETS; a test fails where an entry is missing.
"""

import inspect

import numpy as np

import bplib
from bplib import (
    ELU,
    BatchNorm,
    Dropout,
    Elementwise,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    Loss,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
)

FEATURES = 5
ABSTRACT = {Layer, Elementwise, Loss}



def moved(cls, dtype):
    """A normalisation whose parameters and running statistics are not where they start."""
    layer, rng = cls(FEATURES, dtype=dtype), np.random.default_rng(5)
    for array in (*layer.params.values(), *layer.buffers.values()):
        array += rng.uniform(0.2, 1, FEATURES).astype(dtype)
    return layer


# Each maker takes a dtype and gives a layer for batches of shape (n, FEATURES).
LAYERS = {
    "Linear": {
        "wide": lambda dtype: Linear(FEATURES, 8, rng=1, dtype=dtype),
        "narrow": lambda dtype: Linear(FEATURES, 1, rng=1, dtype=dtype),
        "without bias": lambda dtype: Linear(FEATURES, 3, bias=False, rng=1, dtype=dtype),
    },
    "ELU": {"default": lambda dtype: ELU(), "deep": lambda dtype: ELU(1.7)},
    "BatchNorm": {"fresh": lambda dtype: BatchNorm(FEATURES, dtype=dtype), "moved": lambda dtype: moved(BatchNorm, dtype)},
    "LayerNorm": {"fresh": lambda dtype: LayerNorm(FEATURES, dtype=dtype), "moved": lambda dtype: moved(LayerNorm, dtype)},
    "Dropout": {"default": lambda dtype: Dropout(), "seldom": lambda dtype: Dropout(0.1, rng=3)},
    "Residual": {
        "one": lambda dtype: Residual(Tanh()),
        "block": lambda dtype: Residual(Linear(FEATURES, 7, rng=1, dtype=dtype), ReLU(), Linear(7, FEATURES, rng=2, dtype=dtype)),
        "nested": lambda dtype: Residual(Residual(Linear(FEATURES, FEATURES, rng=1, dtype=dtype)), Tanh()),
    },
    "LeakyReLU": {"default": lambda dtype: LeakyReLU(), "steep": lambda dtype: LeakyReLU(-2.5)},
    "Sequential": {
        "one": lambda dtype: Sequential(Tanh()),
        "net": lambda dtype: Sequential(
            Linear(FEATURES, 7, rng=1, dtype=dtype), Sigmoid(), Linear(7, 3, rng=2, dtype=dtype), Softmax()
        ),
        "deep": lambda dtype: Sequential(
            Linear(FEATURES, 4, rng=1, dtype=dtype), Residual(LayerNorm(4, dtype=dtype), Linear(4, 4, rng=3, dtype=dtype)), Tanh()
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
