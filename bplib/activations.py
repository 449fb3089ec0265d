"""An activation bends what a linear layer computed: a = f(z), entry by entry. Without it, layers in a row are one layer.

Each activation is two short functions that stand side by side: f, and its derivative. The derivative is given both
letters, the pre-activation z and the activation a = f(z), so that you can see which one its formula uses.
"""
import numpy as np

from bplib import _require
from bplib.layers import Layer


class Elementwise(Layer):
    """a = f(z), the same function for every entry; going back, delta = da * f'(z).

    To add an activation, write `f(z)` and `derivative(z, a)`. They are pure functions of arrays of any shape.

    Shapes: z, a, da and delta all alike, (n, ...).
    """

    steepest = 1.0  # the largest |f'(z)| there is: the yardstick for saturation

    def f(self, z):
        """The activation a = f(z)."""
        raise NotImplementedError

    def derivative(self, z, a):
        """The slope f'(z), from z and from a = f(z)."""
        raise NotImplementedError

    def forward(self, x, training=False):
        z = _require.batch(x, self, name="z")
        a = self.f(z)
        self._cache = z, a
        return a

    def backward(self, dy):
        z, a = _require.forward_first(self._cache, self)
        return _require.upstream(dy, a.shape, self) * self.derivative(z, a)


class Sigmoid(Elementwise):
    """f(z) = 1 / (1 + e^(-z)), between 0 and 1; f'(z) = a (1 - a), at most 1/4."""

    steepest = 0.25

    def f(self, z):
        e = np.exp(np.minimum(z, -z))  # e^(-|z|) cannot overflow
        return np.where(z > 0, 1, e) / (1 + e)

    def derivative(self, z, a):
        return a * (1 - a)


class Tanh(Elementwise):
    """f(z) = tanh(z), between -1 and 1; f'(z) = 1 - a^2, at most 1."""

    def f(self, z):
        return np.tanh(z)

    def derivative(self, z, a):
        return 1 - a**2


class ReLU(Elementwise):
    """f(z) = max(0, z); f'(z) = 1 where z > 0, else 0. At the corner z = 0 the slope is taken to be 0, everywhere in
    this course. Source: Nair and Hinton 2010, "Rectified linear units improve restricted Boltzmann machines"."""

    def f(self, z):
        return np.maximum(z, 0)

    def derivative(self, z, a):
        return (z > 0).astype(z.dtype)


class LeakyReLU(Elementwise):
    """f(z) = z where z > 0, else slope * z; f'(z) = 1 where z > 0, else slope. No unit is ever quite dead.
    Source: Maas, Hannun and Ng 2013, "Rectifier nonlinearities improve neural network acoustic models".

    Parameters
    ----------
    slope : the slope on the negative side.

    Raises
    ------
    TypeError, ValueError : the slope is not a finite number.
    """

    def __init__(self, slope=0.01):
        super().__init__()
        self.slope = _require.number(slope, "LeakyReLU", "slope")
        self.steepest = max(1.0, abs(self.slope))

    def f(self, z):
        return np.where(z > 0, z, self.slope * z)

    def derivative(self, z, a):
        return np.where(z > 0, 1, self.slope).astype(z.dtype)

    def __repr__(self):
        return f"LeakyReLU({self.slope})"


class ELU(Elementwise):
    """f(z) = z where z > 0, else scale (e^z - 1); f'(z) = 1 where z > 0, else a + scale. Negative outputs bring the mean of a
    layer near zero. Source: Clevert, Unterthiner and Hochreiter 2015, "Fast and accurate deep network learning by exponential
    linear units".

    Parameters
    ----------
    scale : how far below zero it reaches.

    Raises
    ------
    TypeError, ValueError : scale is not a positive number.
    """

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = _require.number(scale, "ELU", "scale", above=0)
        self.steepest = max(1.0, self.scale)

    def f(self, z):
        return np.where(z > 0, z, self.scale * np.expm1(np.minimum(z, 0)))

    def derivative(self, z, a):
        return np.where(z > 0, 1, a + self.scale).astype(z.dtype)

    def __repr__(self):
        return f"ELU({self.scale})"


class GELU(Elementwise):
    """f(z) = z (1 + t) / 2 with t = tanh(c (z + 0.044715 z^3)), c = sqrt(2 / pi): close to z times the probability that a
    standard normal number is below z. With that t,

        f'(z) = (1 + t) / 2 + z (1 - t^2) c (1 + 3 * 0.044715 z^2) / 2

    Source: Hendrycks and Gimpel 2016, "Gaussian error linear units", in its form with tanh, which needs no error function.
    """

    steepest = 1.1289930686587715  # at z = 1.4185; left of z = -0.75 f falls a little
    c, cubic = np.sqrt(2 / np.pi).item(), 0.044715

    def f(self, z):
        return z * (1 + self._t(z)) / 2

    def derivative(self, z, a):
        t = self._t(z)
        near = np.clip(z, -10, 10)  # beyond, 1 - t^2 is zero, and z^2 must not overflow
        return (1 + t) / 2 + near * (1 - t**2) * self.c * (1 + 3 * self.cubic * near**2) / 2

    def _t(self, z):
        near = np.clip(z, -10, 10)
        return np.tanh(self.c * (near + self.cubic * near**3))


class Softmax(Layer):
    """p_i = e^(z_i) / sum_j e^(z_j) along each row: scores become probabilities.

    Every p depends on every z of its row, dp_i/dz_j = p_i (1[i = j] - p_j), so going back

        delta = p * (dp - s)    with s = sum_j dp_j p_j, one number for each row.

    For training, give the logits to `SoftmaxCrossEntropy` instead: it is the stable way.
    Source: Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs".

    Shapes: z, p, dp and delta (n, k).
    """

    def f(self, z):
        """The probabilities of each row of z."""
        e = np.exp(z - z.max(axis=-1, keepdims=True))  # the same number off every score changes nothing, and e^z stays finite
        return e / e.sum(axis=-1, keepdims=True)

    def forward(self, x, training=False):
        p = self.f(_require.batch(x, self, name="z"))
        self._cache = p
        return p

    def backward(self, dy):
        p = _require.forward_first(self._cache, self)
        dp = _require.upstream(dy, p.shape, self)
        return p * (dp - (dp * p).sum(axis=-1, keepdims=True))
