"""Broken layers, losses and networks, each with one mistake that people really make, and its name; and their right twins.

An entry's `make(rng, n, d, k)` builds a wrong model for a batch of n examples with d features and k outputs, and the data
to check it with; `twin` builds the same without the mistake.
"""
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bplib import (
    MSE,
    BatchNorm,
    BinaryCrossEntropy,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
)

SHAPES = ((5, 4, 3), (7, 6, 4), (4, 5, 6), (9, 3, 5))  # (n, d, k): at least three examples, never square
SQUARE = ((5, 4, 4), (7, 3, 3), (4, 6, 6))


@dataclass(frozen=True)
class Broken:
    """One mistake: what it is, the names that a diagnosis may give it, the arrays that it makes wrong at its own place."""

    mistake: str
    names: tuple
    make: Callable
    twin: Callable
    shapes: tuple = SHAPES


class Wrong(Linear):
    """A Linear with something done to its gradients: `spoil(layer, x, dy, grads, dx)` changes grads, and returns dx."""

    def __init__(self, n_in, n_out, spoil=None, **more):
        super().__init__(n_in, n_out, **more)
        self.spoil = spoil
        if "b" in self.params:
            self.params["b"] += np.linspace(-0.4, 0.5, n_out)

    def backward(self, dy):
        old, dx = self.grads, super().backward(dy)
        return self.spoil(self, self._cache, dy, old, dx) if self.spoil else dx


def changed(name, make):
    """A spoiler that replaces one gradient by make(layer, x, dy, right)."""
    def spoil(layer, x, dy, old, dx):
        layer.grads[name] = make(layer, x, dy, layer.grads[name])
        return dx
    return spoil


def added_up(layer, x, dy, old, dx):
    for name in layer.grads:
        layer.grads[name] = layer.grads[name] + old[name]
    return dx


def tallied(layer, x, dy, old, dx):
    layer.total = getattr(layer, "total", 0) + layer.grads["W"]
    layer.grads["W"] = layer.total
    return dx


def left(name):
    """A spoiler that leaves one gradient as it was before."""
    def spoil(layer, x, dy, old, dx):
        layer.grads[name] = old[name]
        return dx
    return spoil


def masked(axis, place, right):
    """The right gradient with one row (axis 0) or column (axis 1) set to zero."""
    grad = right.copy()
    grad[place if axis == 0 else (slice(None), place)] = 0
    return grad


def inside(layer, n, d, k, rng):
    """A layer from d to k in the middle of a network, with data."""
    net = Sequential(Linear(d + 1, d, rng=2), Tanh(), layer, Tanh())
    return net, (MSE(), rng.standard_normal((n, d + 1)), rng.standard_normal((n, k)))


def linear(mistake, names, spoil, shapes=SHAPES):
    """An entry for a wrong Linear, alone and inside a network."""
    def make(rng, n, d, k, spoil=spoil, within=False):
        layer = Wrong(d, k, spoil, rng=7)
        return inside(layer, n, d, k, rng) if within else (layer, (rng.standard_normal((n, d)),))

    def twin(rng, n, d, k, within=False):
        return make(rng, n, d, k, None, within)
    return (
        Broken(mistake, names, make, twin, shapes),
        Broken(f"{mistake}, in a network", names, lambda *a: make(*a, within=True), lambda *a: twin(*a, within=True), shapes),
    )


LINEAR = [
    entry
    for mistake, names, spoil, shapes in (
        ("weights: sign flipped", ("sign-flipped",), changed("W", lambda own, x, dy, dW: -dW), SHAPES),
        ("weights: divided by n again", ("mean-instead-of-sum",), changed("W", lambda own, x, dy, dW: dW / len(x)), SHAPES),
        ("weights: times the learning rate", ("constant-factor",), changed("W", lambda own, x, dy, dW: 0.01 * dW), SHAPES),
        ("weights: upstream ignored", ("upstream-ignored",), changed("W", lambda own, x, dy, dW: x.T @ np.ones_like(dy)), SHAPES),
        ("weights: transposed", ("transposed",), changed("W", lambda own, x, dy, dW: dW.T), SHAPES + SQUARE),
        ("weights: zero", ("all-zeros",), changed("W", lambda own, x, dy, dW: 0 * dW), SHAPES),
        ("weights: a row missing", ("row-missing",), changed("W", lambda own, x, dy, dW: masked(0, 1, dW)), SHAPES),
        ("weights: a column missing", ("column-missing",), changed("W", lambda own, x, dy, dW: masked(1, 2, dW)), SHAPES),
        ("weights: rows in another order", ("shuffled",), changed("W", lambda own, x, dy, dW: dW[::-1].copy()), SHAPES),
        ("weights: reshaped, not transposed", ("shuffled",), changed("W", lambda own, x, dy, dW: dW.T.reshape(dW.shape)), SHAPES),
        ("weights: one NaN", ("not-finite",), changed("W", lambda own, x, dy, dW: np.where(dW == dW.max(), np.nan, dW)), SHAPES),
        ("weights: add up in grads", ("accumulated",), added_up, SHAPES),
        ("weights: add up elsewhere", ("accumulated",), tallied, SHAPES),
        ("weights: from one example only", ("bias-one-row",), changed("W", lambda own, x, dy, dW: np.outer(x[0], dy[0])), SHAPES),
        ("bias: mean over the batch", ("bias-averaged",), changed("b", lambda own, x, dy, db: dy.mean(axis=0)), SHAPES),
        ("bias: last row only", ("bias-one-row",), changed("b", lambda own, x, dy, db: dy[-1]), SHAPES),
        ("bias: upstream ignored", ("upstream-ignored",), changed("b", lambda own, x, dy, db: np.full_like(db, len(x))), SHAPES),
        ("bias: kept as a row", ("wrong-shape",), changed("b", lambda own, x, dy, db: db[None]), SHAPES),
        ("bias: forgotten", ("missing",), left("b"), SHAPES),
        ("input: no gradient", ("missing",), lambda own, x, dy, old, dx: None, SHAPES),
        ("input: zero, because inputs are constant", ("all-zeros",), lambda own, x, dy, old, dx: np.zeros_like(dx), SHAPES),
        ("input: W where its transpose belongs", ("wrong-weights",), lambda own, x, dy, old, dx: dy @ own.params["W"], SQUARE),
        ("input: upstream ignored", ("upstream-ignored",),
         lambda own, x, dy, old, dx: np.ones_like(dy) @ own.params["W"].T, SHAPES),
    )
    for entry in linear(mistake, names, spoil, shapes)
    # A layer in the middle that gives nothing back stops the pass: that is an error, and not a gradient.
    if not (mistake == "input: no gradient" and entry.mistake.endswith("network"))
]


class BorrowsWeights(Linear):
    """Goes back through the weights of another layer."""

    other = None

    def backward(self, dy):
        super().backward(dy)
        return dy @ self.other.params["W"].T


def borrowing(rng, n, d, k, layer=BorrowsWeights):
    net = Sequential(Linear(d, d, rng=1), Tanh(), layer(d, d, rng=2), Tanh(), Linear(d, k, rng=3))
    net[2].other = net[0]
    return net, (MSE(), rng.standard_normal((n, d)), rng.standard_normal((n, k)))


class KeepsFirstBatch(Linear):
    """Remembers the first batch for ever."""

    first = None

    def forward(self, x, training=False):
        z = super().forward(x, training)
        self.first = self._cache if self.first is None else self.first
        self._cache = self.first
        return z


def alone(layer):
    """A layer from d to k alone."""
    return lambda rng, n, d, k: (layer(d, k, rng=7), (rng.standard_normal((n, d)),))


def activation(layer):
    """An activation between two linear layers."""
    def make(rng, n, d, k):
        net = Sequential(Linear(d, k + 1, rng=1), layer(), Linear(k + 1, k, rng=2))
        net.params["0.b"][:] = rng.standard_normal(k + 1)
        return net, (SoftmaxCrossEntropy(), rng.standard_normal((n, d)), rng.integers(0, k, n))
    return make


class SigmoidOfItsOutput(Sigmoid):
    def derivative(self, z, a):
        return z * (1 - z)


class SigmoidTwice(Sigmoid):
    def derivative(self, z, a):
        again = self.f(a)
        return again * (1 - again)


class TanhTwice(Tanh):
    def derivative(self, z, a):
        return 1 - np.tanh(a) ** 2


class TanhOfItsInput(Tanh):
    def derivative(self, z, a):
        return 1 - z**2


class SigmoidWithoutSlope(Sigmoid):
    def derivative(self, z, a):
        return np.ones_like(z)


class TanhWithoutSlope(Tanh):
    def derivative(self, z, a):
        return np.ones_like(z)


class ReLUWithoutMask(ReLU):
    def derivative(self, z, a):
        return np.ones_like(z)


class TanhLikeSigmoid(Tanh):
    def derivative(self, z, a):
        s = Sigmoid().f(z)
        return s * (1 - s)


class SigmoidLikeTanh(Sigmoid):
    def derivative(self, z, a):
        return 1 - np.tanh(z) ** 2


class LeakyLikeReLU(LeakyReLU):
    def derivative(self, z, a):
        return (z > 0).astype(float)


class TanhIgnoresUpstream(Tanh):
    def backward(self, dy):
        return 1 - self._cache[1] ** 2


class ReLUOfUpstream(ReLU):
    def backward(self, dy):
        return dy * (dy > 0)


class ReLUUpsideDown(ReLU):
    def derivative(self, z, a):
        return (z < 0).astype(float)


class TanhHalved(Tanh):
    def derivative(self, z, a):
        return super().derivative(z, a) / 2


class SoftmaxDiagonal(Softmax):
    def backward(self, dy):
        p = self._cache
        return p * (1 - p) * dy


class SoftmaxWithoutMean(Softmax):
    def backward(self, dy):
        return self._cache * dy


class TanhInPlace(Tanh):
    def forward(self, x, training=False):
        x *= 0.5
        return super().forward(x, training)


class Dropout(Layer):
    """Inverted dropout with a generator of its own."""

    def __init__(self, share=0.4, rng=11):
        super().__init__()
        self.share, self.rng = share, np.random.default_rng(rng)

    def draw(self, shape):
        return (self.rng.random(shape) >= self.share) / (1 - self.share)

    def forward(self, x, training=False):
        self.mask = self.draw(x.shape)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class DropoutDrawsAgain(Dropout):
    def backward(self, dy):
        return dy * self.draw(dy.shape)


class DropoutForgets(Dropout):
    def backward(self, dy):
        return dy


class DropoutUnscaled(Dropout):
    def backward(self, dy):
        return dy * self.mask * (1 - self.share)


class Around(Layer):
    """y = x + tanh(x W): a path through, and a path straight on."""

    def __init__(self, width=3):
        super().__init__()
        self.params["W"] = np.random.default_rng(4).standard_normal((width, width))

    def forward(self, x, training=False):
        self.x, self.t = x, np.tanh(x @ self.params["W"])
        return x + self.t

    def through(self, dy):
        dz = dy * (1 - self.t**2)
        self.grads = {"W": self.x.T @ dz}
        return dz @ self.params["W"].T

    def backward(self, dy):
        return self.through(dy) + dy


class AroundOverwritten(Around):
    def backward(self, dy):
        return self.through(dy)


class AroundStraight(Around):
    def backward(self, dy):
        self.through(dy)
        return dy


def residual(layer):
    def make(rng, n, d, k):
        return Sequential(Linear(d, k, rng=1), layer(k)), (MSE(), rng.standard_normal((n, d)), rng.standard_normal((n, k)))
    return make


class Normed:
    """Mixed into a normalisation: always as in training, gamma and beta not as at the start, the slip an option."""

    def __init__(self, features, slip=None):
        super().__init__(features)
        self.slip = slip
        self.params = {"gamma": np.linspace(0.5, 2, features), "beta": np.linspace(-0.4, 0.5, features)}

    def forward(self, x, training=False):
        self.x = x
        return super().forward(x, training=True)

    def backward(self, dy):
        dx = super().backward(dy)
        x_hat, s, _ = self._cache
        return dx if self.slip is None else self.slip(self, dy, x_hat, s, dx)

    def terms(self, d, x_hat, s, second=1, third=1):
        """dx, with its second and third term times a number."""
        means = (array.mean(axis=self.axis, keepdims=True) for array in (d, d * x_hat))
        return (d - second * next(means) - third * x_hat * next(means)) / s


class Batched(Normed, BatchNorm):
    pass


class Rowed(Normed, LayerNorm):
    pass


def spoilt(name, make):
    """A slip in one of a normalisation's parameters: make(dy, x, x_hat) is its gradient."""
    def slip(layer, dy, x_hat, s, dx):
        layer.grads[name] = make(dy, layer.x, x_hat)
        return dx
    return slip


NORM_SLIPS = (
    ("mean held fixed", "mean-held-fixed", lambda own, dy, h, s, dx: own.terms(dy * own.params["gamma"], h, s, second=0)),
    ("spread held fixed", "spread-held-fixed", lambda own, dy, h, s, dx: own.terms(dy * own.params["gamma"], h, s, third=0)),
    ("both held fixed", "both-held-fixed", lambda own, dy, h, s, dx: dy * own.params["gamma"] / s),
    ("gamma left out of dx", "gamma-missing", lambda own, dy, h, s, dx: own.terms(dy, h, s)),
    ("sums for means", "sum-instead-of-mean", lambda own, dy, h, s, dx: own.terms(
        dy * own.params["gamma"], h, s, *[h.shape[own.axis]] * 2)),
    ("upstream ignored in beta", "upstream-ignored", spoilt("beta", lambda dy, x, h: np.ones_like(dy).sum(axis=0))),
    ("dgamma made with x", "wrong-input", spoilt("gamma", lambda dy, x, h: (dy * x).sum(axis=0))),
    ("dgamma averaged", "mean-instead-of-sum", spoilt("gamma", lambda dy, x, h: (dy * h).mean(axis=0))),
    ("dbeta averaged", "bias-averaged", spoilt("beta", lambda dy, x, h: dy.mean(axis=0))),
)
FOR_ROWS = ("gamma after the means", "gamma-misplaced", lambda own, dy, h, s, dx: own.params["gamma"] * own.terms(dy, h, s))


def normalised(layer, slip=None):
    """A normalisation between two linear layers."""
    def make(rng, n, d, k):
        net = Sequential(Linear(d, k + 1, rng=1), layer(k + 1, slip), Tanh(), Linear(k + 1, k, rng=2))
        return net, (MSE(), rng.standard_normal((n, d)), rng.standard_normal((n, k)))
    return make


NORMALISED = [Broken(f"{kind}: {mistake}", (name,), normalised(layer, slip), normalised(layer))
              for kind, layer, slips in (("batch norm", Batched, NORM_SLIPS), ("layer norm", Rowed, (*NORM_SLIPS, FOR_ROWS)))
              for mistake, name, slip in slips]


class Blocked(Residual):
    """The course's own residual block, with the parts on their way inside."""

    def __init__(self, width):
        super().__init__(Linear(width, width, rng=4), Tanh())


class BlockWithoutWayAround(Blocked):
    def backward(self, dy):
        return super().backward(dy) - dy


class BlockWithoutWayThrough(Blocked):
    def backward(self, dy):
        super().backward(dy)
        return dy


class Twice(Layer):
    """z = tanh(x W) W for a square W: the weights are used twice, so two gradients add up."""

    def __init__(self, width):
        super().__init__()
        self.params["W"] = np.random.default_rng(6).standard_normal((width, width))

    def forward(self, x, training=False):
        self.x, self.a = x, np.tanh(x @ self.params["W"])
        return self.a @ self.params["W"]

    def backward(self, dy):
        dz = dy @ self.params["W"].T * (1 - self.a**2)
        self.grads = {"W": self.x.T @ dz + self.a.T @ dy}
        return dz @ self.params["W"].T


class Summed(MSE):
    def gradient(self, y_hat, y):
        return 2 * (y_hat - y)


class Halved(MSE):
    def gradient(self, y_hat, y):
        return (y_hat - y) / y_hat.size


class TargetMinusOutput(MSE):
    def gradient(self, y_hat, y):
        return 2 * (y - y_hat) / y_hat.size


class SummedEntropy(SoftmaxCrossEntropy):
    def gradient(self, y_hat, y):
        return super().gradient(y_hat, y) * len(y)


class EntropySign(SoftmaxCrossEntropy):
    def gradient(self, y_hat, y):
        return -super().gradient(y_hat, y)


class BinarySummed(BinaryCrossEntropy):
    def gradient(self, y_hat, y):
        return super().gradient(y_hat, y) * len(y_hat)


def with_loss(loss, labels=False):
    """A right network with a loss."""
    def make(rng, n, d, k):
        net = Sequential(Linear(d, k + 2, rng=1), Tanh(), Linear(k + 2, k, rng=2))
        y = rng.integers(0, k, n) if labels else rng.random((n, k))
        return net, (loss(), rng.standard_normal((n, d)), y)
    return make


class TwoLayers(Layer):
    """tanh(x W1 + b1) W2 + b2 in one class, as people write their first network."""

    def __init__(self, d, k):
        super().__init__()
        rng = np.random.default_rng(8)
        self.params = {"W1": rng.standard_normal((d, k + 1)), "b1": rng.standard_normal(k + 1),
                       "W2": rng.standard_normal((k + 1, k)), "b2": rng.standard_normal(k)}

    def forward(self, x, training=False):
        p = self.params
        self.x, self.z = x, x @ p["W1"] + p["b1"]
        self.a = np.tanh(self.z)
        return self.a @ p["W2"] + p["b2"]

    def backward(self, dy):
        delta = self.hidden(dy)
        self.grads = {"W1": self.x.T @ delta, "b1": delta.sum(axis=0), "W2": self.a.T @ dy, "b2": dy.sum(axis=0)}
        return delta @ self.params["W1"].T

    def hidden(self, dy):
        return dy @ self.params["W2"].T * (1 - self.a**2)


class TwoLayersSign(TwoLayers):
    def hidden(self, dy):
        return -super().hidden(dy)


class TwoLayersAveraged(TwoLayers):
    def hidden(self, dy):
        return super().hidden(dy) / len(dy)


class TwoLayersBackwards(TwoLayers):
    def backward(self, dy):
        dx = super().backward(dy)
        self.grads["W2"] = self.grads["W2"][::-1].copy()
        return dx


def monolith(layer):
    return lambda rng, n, d, k: (layer(d, k), (MSE(), rng.standard_normal((n, d)), rng.standard_normal((n, k))))


def of(mistake, names, wrong, right, around, shapes=SHAPES):
    return Broken(mistake, names, around(wrong), around(right), shapes)


BANK = [
    *LINEAR,
    *NORMALISED,
    Broken("input: weights of another layer", ("wrong-weights",), borrowing, lambda *a: borrowing(*a, layer=Linear)),
    of("cache: the first batch for ever", ("stale",), KeepsFirstBatch, Linear, alone),
    of("sigmoid: formula for a, given z", ("derivative-at-activation",), SigmoidOfItsOutput, Sigmoid, activation),
    of("sigmoid: slope at a", ("derivative-at-activation",), SigmoidTwice, Sigmoid, activation),
    of("sigmoid: no slope", ("derivative-missing",), SigmoidWithoutSlope, Sigmoid, activation),
    of("sigmoid: slope of tanh", ("other-derivative",), SigmoidLikeTanh, Sigmoid, activation),
    of("tanh: formula for a, given z", ("derivative-at-activation",), TanhOfItsInput, Tanh, activation),
    of("tanh: slope at a", ("derivative-at-activation",), TanhTwice, Tanh, activation),
    of("tanh: no slope", ("derivative-missing",), TanhWithoutSlope, Tanh, activation),
    of("tanh: slope of sigmoid", ("other-derivative",), TanhLikeSigmoid, Tanh, activation),
    of("tanh: upstream ignored", ("upstream-ignored",), TanhIgnoresUpstream, Tanh, activation),
    of("tanh: half the slope", ("constant-factor",), TanhHalved, Tanh, activation),
    of("tanh: input changed in place", ("input-changed",), TanhInPlace, Tanh, activation),
    of("ReLU: no mask", ("derivative-missing",), ReLUWithoutMask, ReLU, activation),
    of("ReLU: mask of the upstream gradient", ("relu-mask",), ReLUOfUpstream, ReLU, activation),
    of("ReLU: mask upside down", ("relu-mask",), ReLUUpsideDown, ReLU, activation),
    of("leaky ReLU: slope of ReLU", ("other-derivative",), LeakyLikeReLU, LeakyReLU, activation),
    of("softmax: diagonal only", ("softmax-mean",), SoftmaxDiagonal, Softmax, activation),
    of("softmax: mean left out", ("softmax-mean",), SoftmaxWithoutMean, Softmax, activation),
    of("dropout: a new mask", ("dropout-mask",), DropoutDrawsAgain, Dropout, activation),
    of("dropout: no mask", ("derivative-missing",), DropoutForgets, Dropout, activation),
    of("dropout: scale left out", ("constant-factor",), DropoutUnscaled, Dropout, activation),
    of("residual: straight path lost", ("overwritten",), AroundOverwritten, Around, residual),
    of("residual: inner path lost", ("overwritten",), AroundStraight, Around, residual),
    of("residual block: way around lost", ("overwritten",), BlockWithoutWayAround, Blocked, residual),
    of("residual block: way through lost", ("overwritten",), BlockWithoutWayThrough, Blocked, residual),
    of("squared error: sum for mean", ("sum-instead-of-mean",), Summed, MSE, with_loss),
    of("squared error: the 2 left out", ("constant-factor",), Halved, MSE, with_loss),
    of("squared error: target minus output", ("sign-flipped",), TargetMinusOutput, MSE, with_loss),
    of("cross-entropy: sum for mean", ("sum-instead-of-mean",), SummedEntropy, SoftmaxCrossEntropy, lambda c: with_loss(c, True)),
    of("cross-entropy: sign", ("sign-flipped",), EntropySign, SoftmaxCrossEntropy, lambda c: with_loss(c, True)),
    of("binary cross-entropy: sum for mean", ("sum-instead-of-mean",), BinarySummed, BinaryCrossEntropy, with_loss),
    of("two layers in one: hidden sign", ("sign-flipped",), TwoLayersSign, TwoLayers, monolith),
    of("two layers in one: mean taken twice", ("mean-instead-of-sum",), TwoLayersAveraged, TwoLayers, monolith),
    of("two layers in one: units in the wrong order", ("shuffled",), TwoLayersBackwards, TwoLayers, monolith),
]


def random_case(rng):
    """A correct random network with random data: widths, depth, activations, scales, loss; integers and kinks among them."""
    widths = rng.integers(1, 8, rng.integers(2, 6)).tolist()
    layers = []
    for n_in, n_out in pairwise(widths):
        rule = rng.choice(["xavier", "he", "normal", "orthogonal"])
        layers.append(Linear(n_in, n_out, init=str(rule), gain=10 ** rng.uniform(-2, 0.7), rng=rng))
        layers.append((Sigmoid, Tanh, ReLU, LeakyReLU, Softmax, Dropout)[rng.integers(6)]())
    net = Sequential(*layers[:-1] if rng.random() < 0.7 else layers)
    for param in net.params.values():
        param += 0.1 * rng.standard_normal(param.shape)
    n = int(rng.integers(1, 9))
    x = rng.standard_normal((n, widths[0])) * 10 ** rng.uniform(-3, 2)
    kind = rng.random()
    if kind < 0.2:
        x = np.rint(x).astype(int)
    elif kind < 0.4:  # one unit of the first layer within a millionth of zero
        net.params["0.b"][0] -= (x @ net.params["0.W"] + net.params["0.b"])[0, 0] + rng.uniform(-1e-6, 1e-6)
    elif kind < 0.5:  # saturated from the start
        net.params["0.W"][...] *= 100
    elif kind < 0.6:
        for layer in net:
            layer.params.update({name: param.astype(np.float32) for name, param in layer.params.items()})
    data = [(x,), (MSE(half=bool(rng.integers(2))), x, rng.standard_normal((n, widths[-1]))),
            (BinaryCrossEntropy(), x, rng.integers(0, 2, (n, widths[-1]))),
            (SoftmaxCrossEntropy(), x, rng.integers(0, widths[-1], n))]
    return net, data[rng.integers(4)]
