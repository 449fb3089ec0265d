"""Layers that keep the signal in a good range: normalisation gives it mean 0 and spread 1, dropout makes it less sure of itself.

Normalising couples numbers: each output depends on the mean and the spread, and so on every number that they were taken
from. That is why the backward of a normalisation has three terms. With x_hat = (x - mean) / s, s = sqrt(var + floor), and
d = dL/dx_hat coming back,

    dx = (d - mean(d) - x_hat * mean(d * x_hat)) / s

The second term is what moving the mean does, the third what changing the spread does. Chapter 11 derives it.
"""
import numpy as np

from bplib import _require
from bplib.layers import Layer


class Normalization(Layer):
    """y = gamma * x_hat + beta: what both kinds of normalisation share. They differ in what the mean is taken over.

    Shapes: x, y, dy and dx (n, features); gamma and beta (features,).

    Raises
    ------
    TypeError, ValueError : features is not a positive whole number, floor not a positive number.
    """

    axis = None

    def __init__(self, features, floor=1e-5, dtype=np.float64):
        super().__init__()
        self.features = _require.whole(features, type(self).__name__, "features")
        self.floor = _require.number(floor, type(self).__name__, "floor", above=0)
        self.params = {"gamma": np.ones(self.features, dtype), "beta": np.zeros(self.features, dtype)}

    def statistics(self, x):
        """The mean of x, and s = sqrt(var + floor), along `axis`."""
        mean = x.mean(axis=self.axis, keepdims=True)
        return mean, np.sqrt(((x - mean)**2).mean(axis=self.axis, keepdims=True) + self.floor)

    def scaled(self, x, mean, s, fixed=False):
        """The layer's output; `fixed` says that mean and s do not depend on x."""
        x_hat = (x - mean) / s
        self._cache = x_hat, s, fixed
        return self.params["gamma"] * x_hat + self.params["beta"]

    def backward(self, dy):
        x_hat, s, fixed = _require.forward_first(self._cache, self)
        dy = _require.upstream(dy, x_hat.shape, self)
        self.grads = {"gamma": (dy * x_hat).sum(axis=0), "beta": dy.sum(axis=0)}
        d = dy * self.params["gamma"]
        if fixed:
            return d / s
        return (d - d.mean(axis=self.axis, keepdims=True) - x_hat * (d * x_hat).mean(axis=self.axis, keepdims=True)) / s

    def __repr__(self):
        return f"{type(self).__name__}({self.features})"


class BatchNorm(Normalization):
    """Each feature gets mean 0 and spread 1 over the batch; then gamma and beta, which are learned, set both anew.

        training    x_hat = (x - mean) / sqrt(var + floor), mean and var of this batch, for each feature
        else        the same with the running mean and variance, so that examples do not depend on each other

    Each training pass moves the running ones: running <- (1 - momentum) * running + momentum * (this batch's), the variance
    with n - 1 in place of n.

    Parameters
    ----------
    features : the width d. momentum : the share of the newest batch, from 0 to 1. floor : keeps the division away from zero.
    dtype : of gamma, beta and the running statistics.

    Shapes: x (n, features), n at least 2 in training.
    Source: Ioffe and Szegedy 2015, "Batch normalization: accelerating deep network training by reducing internal covariate
    shift".

    Raises
    ------
    TypeError, ValueError : an argument is not what it should be; a training batch has a single example.
    """

    axis = 0

    def __init__(self, features, momentum=0.1, floor=1e-5, dtype=np.float64):
        super().__init__(features, floor, dtype)
        self.momentum = _require.number(momentum, "BatchNorm", "momentum")
        if not 0 <= self.momentum <= 1:
            raise ValueError(f"BatchNorm: expected momentum from 0 to 1, got {momentum}.")
        self.buffers = {"mean": np.zeros(self.features, dtype), "var": np.ones(self.features, dtype)}

    def forward(self, x, training=False):
        x = _require.batch(x, self, self.features)
        if not training:
            return self.scaled(x, self.buffers["mean"], np.sqrt(self.buffers["var"] + self.floor), fixed=True)
        if len(x) < 2:
            raise ValueError(f"{self}: expected at least 2 examples in training, got {len(x)}: one has no spread.")
        new = {"mean": x.mean(axis=0), "var": x.var(axis=0, ddof=1)}
        self.buffers = {name: (1 - self.momentum) * old + self.momentum * new[name] for name, old in self.buffers.items()}
        return self.scaled(x, *self.statistics(x))


class LayerNorm(Normalization):
    """Each example gets mean 0 and spread 1 over its features; then gamma and beta, which are learned, set both anew.

        x_hat = (x - mean) / sqrt(var + floor), mean and var of each row

    No example depends on another, so training and evaluation do the same.

    Parameters
    ----------
    features : the width d. floor : keeps the division away from zero. dtype : of gamma and beta.

    Shapes: x (n, features).
    Source: Ba, Kiros and Hinton 2016, "Layer normalization".

    Raises
    ------
    TypeError, ValueError : an argument is not what it should be.
    """

    axis = 1

    def forward(self, x, training=False):
        x = _require.batch(x, self, self.features)
        return self.scaled(x, *self.statistics(x))


class Dropout(Layer):
    """In training each number is set to zero with probability p, and the others are divided by 1 - p, which keeps the mean.

        training    y = x * mask, mask 0 or 1 / (1 - p);  dx = dy * mask, the same mask
        else        y = x

    Parameters
    ----------
    p : the share that is dropped, from 0 to less than 1. rng : a seed or a numpy Generator, for the masks.

    Shapes: any, (n, ...).
    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, "Dropout: a simple way to prevent neural
    networks from overfitting".

    Raises
    ------
    TypeError, ValueError : p is not a number from 0 to less than 1.
    """

    def __init__(self, p=0.5, rng=0):
        super().__init__()
        self.p = _require.number(p, "Dropout", "p")
        if not 0 <= self.p < 1:
            raise ValueError(f"Dropout: expected p from 0 to less than 1, got {p}.")
        self.rng = _require.generator(rng)

    def forward(self, x, training=False):
        x = _require.batch(x, self)
        mask = np.ones(x.shape, x.dtype)
        if training:
            mask = (self.rng.random(x.shape) >= self.p).astype(x.dtype) / x.dtype.type(1 - self.p)
        self._cache = mask
        return x * mask

    def backward(self, dy):
        mask = _require.forward_first(self._cache, self)
        return _require.upstream(dy, mask.shape, self) * mask

    def __repr__(self):
        return f"Dropout({self.p})"
