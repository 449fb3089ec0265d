"""What kind of wrong is this? Compares a wrong array with the right one and names a relation that explains it whole.

A name is given only when it accounts for the entire difference, to rounding. When nothing fits, the answer is None.

`diagnose` looks at the two arrays alone. `suspects` knows the layer too: from the layer's input, output and upstream
gradient it works out what each well-known mistake would have given, for `diagnose` to compare.
"""
from dataclasses import dataclass

import numpy as np

from bplib.activations import LeakyReLU, ReLU, Sigmoid, Tanh

KNOWN = (Sigmoid(), Tanh(), ReLU(), LeakyReLU())


@dataclass(frozen=True)
class Diagnosis:
    """The kind of mistake: a `name` for programs, a `message` for people, and the `factor` that proves it, where one does."""

    name: str
    message: str
    factor: float | None = None


def diagnose(got, expected, rtol=1e-6, suspects=(), sizes=None):
    """Name the relation between a wrong array and the right one, or return None.

    Parameters
    ----------
    got, expected : arrays of real numbers. rtol : how exactly the relation must hold, relative to the largest entry.
    suspects : tuples (name, message, array): what well-known mistakes would have given. They are asked first.
    sizes : what a factor may stand for, {"n": size of the batch, "outputs": numbers for each example}.

    Returns
    -------
    Diagnosis or None : a suspect's name, not-finite, all-zeros, sign-flipped, constant-factor, sum-instead-of-mean,
        mean-instead-of-sum, transposed, row-missing, column-missing, shuffled, or nothing that fits.
    """
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    if got.size and not np.isfinite(got).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(got))[0])
        return Diagnosis("not-finite", f"It holds {got[where]} at {list(where)}." if where else f"It is {got[()]}.")
    if got.shape != expected.shape:
        if got.ndim == 2 and got.T.shape == expected.shape and _close(got.T, expected, rtol):
            return Diagnosis("transposed", "It is the transpose of the right one.")
        return None
    for name, message, array in suspects:
        if np.shape(array) == got.shape and _close(got, array, rtol) and not _close(array, expected, rtol):
            return Diagnosis(name, message)
    if not expected.any():
        return None
    if not got.any():
        return Diagnosis("all-zeros", "It is zero everywhere.")
    return _factor(got, expected, rtol, sizes or {}) or _rearranged(got, expected, rtol)


def _factor(got, expected, rtol, sizes):
    # Scaled to 1 first: the squares of very large or very small numbers leave the range of floats.
    large, right = float(np.abs(got).max()), float(np.abs(expected).max())
    g, e = got / large, expected / right
    ratio = float(np.vdot(e, g) / np.vdot(e, e))
    if not _close(g, ratio * e, rtol):
        return None
    factor = ratio * (large / right)
    if np.isclose(factor, 1, rtol=10 * rtol):
        return None
    if np.isclose(factor, -1, rtol=rtol):
        return Diagnosis("sign-flipped", "It is the right one with the sign flipped.", -1.0)
    name, words = _meaning(factor, rtol, sizes)
    return Diagnosis(name, f"It is the right one times {factor:.4g}{words}.", factor)


def _meaning(factor, rtol, sizes):
    """What a factor stands for, where it can stand for one thing only."""
    n, k = sizes.get("n", 1), sizes.get("outputs", 1)
    counts = {n: "the number of examples", n * k: "the number of all outputs of the batch"}
    for count, words in counts.items():
        if count > 2 and np.isclose(abs(factor), count, rtol=rtol):
            return "sum-instead-of-mean", f", {words}: it adds up where the mean is wanted"
        if count > 2 and np.isclose(abs(factor), 1 / count, rtol=rtol):
            return "mean-instead-of-sum", f", one over {words}: it takes the mean where a sum is wanted, or takes it twice"
    if k > 2 and np.isclose(abs(factor), [k, 1 / k], rtol=rtol).any():
        return "constant-factor", ", by the number of outputs of one example"
    if np.isclose(abs(factor), 2, rtol=rtol):
        return "constant-factor", ": is a 2 there that should not be?"
    if np.isclose(abs(factor), 0.5, rtol=rtol):
        return "constant-factor", ": is the 2 of a derivative missing?"
    return "constant-factor", ""


def _rearranged(got, expected, rtol):
    if got.ndim == 2 and got.shape[0] == got.shape[1] and _close(got.T, expected, rtol):
        return Diagnosis("transposed", "It is the transpose of the right one.")
    scale = np.max(np.abs(expected), initial=0)
    wrong = np.abs(got - expected) > rtol * scale
    if got.ndim == 2 and min(got.shape) > 1:
        for axis, word in ((1, "row"), (0, "column")):
            lines = np.flatnonzero(wrong.any(axis=axis))
            if len(lines) == 1 and not np.take(got, lines[0], axis=1 - axis).any():
                return Diagnosis(f"{word}-missing", f"Its {word} {lines[0]} is zero, everything else is right.")
    if got.size > 2 and np.ptp(expected) > rtol * scale:
        for axis, word in _orders(got):
            if _same_numbers(got, expected, axis, rtol * scale):
                return Diagnosis("shuffled", f"It holds the right {word} in another order.")
    return None


def _orders(array):
    if array.ndim == 2:
        yield 0, "rows"
        yield 1, "columns"
    yield None, "numbers"


def _same_numbers(got, expected, axis, tolerance):
    if axis is None:
        return bool(np.allclose(np.sort(got, axis=None), np.sort(expected, axis=None), rtol=0, atol=tolerance))
    g, e = (array if axis == 0 else array.T for array in (got, expected))
    if len(g) < 2 or g.shape[1] < 2:
        return False
    gaps = np.abs(g[:, None] - e[None]).max(axis=2) if g.size * len(g) < 10**6 else np.ones((len(g), 1))
    twin = gaps.argmin(axis=1)
    return len(set(twin.tolist())) == len(g) and bool((gaps[np.arange(len(g)), twin] <= tolerance).all())


def suspects(layer, name, x, y, dy, expected, got, others=()):
    """What well-known mistakes in one layer would have given for its array `name`.

    Parameters
    ----------
    layer : the layer. name : one of its parameters, or "x" for dL/dx. x, y : its input and output. dy : the true dL/dy.
    expected : the right gradients of all its arrays, by name. got : the wrong one of this array. others : the other layers
        of the network.

    Returns
    -------
    An iterator of tuples (name, message, array).
    """
    W = layer.params.get("W")
    if {"gamma", "beta"} <= layer.params.keys() and x.ndim == 2 and x.shape == y.shape:
        yield from _of_a_normalization(layer, name, x, y, dy)
    if name == "b" or (name != "x" and expected[name].shape == dy.shape[1:]):
        yield from _of_a_bias(dy)
    elif name == "W" and x.ndim == 2 and dy.ndim == 2:
        yield from _of_weights(x, y, dy)
    elif name == "x" and W is not None and dy.shape[1:] == W.shape[1:] and _close(dy @ W.T, expected["x"], 1e-6):
        yield from _of_a_weighted_sum(W, dy, others)
    elif name == "x" and x.shape == y.shape == np.shape(got):
        yield from _of_an_activation(layer, x, y, dy, expected["x"], np.asarray(got, float))


def _of_a_bias(dy):
    words = "It is the mean over the batch; each example uses the bias once, so the rows add up."
    yield "bias-averaged", words, dy.mean(axis=0)
    for row, alone in enumerate(dy):
        yield "bias-one-row", f"It is row {row} of the upstream gradient alone; all rows of the batch add up.", alone
    yield "upstream-ignored", IGNORED, np.ones_like(dy).sum(axis=0)


IGNORED = "It does not depend on the upstream gradient dy: multiply by it."


def _of_weights(x, y, dy):
    yield "upstream-ignored", IGNORED, x.T @ np.ones_like(dy)
    if x.shape == y.shape:
        yield "wrong-input", "It uses the layer's output where its input belongs.", y.T @ dy
    for row in range(len(x)):
        yield "bias-one-row", f"It comes from example {row} alone; the whole batch adds up.", np.outer(x[row], dy[row])


def _of_a_weighted_sum(W, dy, others):
    yield "upstream-ignored", IGNORED, np.ones_like(dy) @ W.T
    if W.shape[0] == W.shape[1]:
        yield "wrong-weights", "It goes back through W where the transpose of W belongs.", dy @ W
    for other in others:
        weights = getattr(other, "params", {}).get("W", np.zeros((0, 0)))
        for name, matrix in (("the transpose of W", weights.T), ("W", weights)):
            if matrix.shape == W.T.shape:
                yield "wrong-weights", f"It goes back through {name} of another layer, {other!r}.", dy @ matrix


def _of_a_normalization(layer, name, x, y, dy):
    if name == "gamma":
        yield "wrong-input", "It is made with x where the normalised x_hat belongs.", (dy * x).sum(axis=0)
    with np.errstate(all="ignore"):
        gamma = layer.params["gamma"]
        x_hat, d = (y - layer.params["beta"]) / gamma, dy * gamma
        for axis in (0, 1):
            centred = x - x.mean(axis=axis, keepdims=True)
            s = centred.std(axis=axis, keepdims=True) / x_hat.std(axis=axis, keepdims=True)
            if name != "x" or not _close(s * x_hat, centred, 1e-6):
                continue

            def dx(d, second=1, third=1, axis=axis, s=s):
                means = (array.mean(axis=axis, keepdims=True) for array in (d, d * x_hat))
                return (d - second * next(means) - third * x_hat * next(means)) / s

            n = x.shape[axis]
            yield "mean-held-fixed", "The mean is treated as a fixed number: every x moves it.", dx(d, second=0)
            yield "spread-held-fixed", "The spread is treated as a fixed number: every x changes it.", dx(d, third=0)
            yield "both-held-fixed", "Mean and spread are treated as fixed numbers, as in evaluation.", dx(d, 0, 0)
            yield "gamma-missing", "gamma is missing: the gradient goes through it before it comes to x_hat.", dx(dy)
            yield "gamma-misplaced", "gamma is multiplied on after the means; it belongs inside them.", gamma * dx(dy)
            yield "sum-instead-of-mean", f"Its means are sums: a division by {n} is missing.", dx(d, n, n)


def _of_an_activation(layer, x, y, dy, right, got):
    if not layer.params:
        yield "derivative-missing", "The upstream gradient is passed on as it is: the derivative is missing.", dy
    if np.allclose(y.sum(axis=-1), 1) and (y >= 0).all():  # a softmax
        yield "softmax-mean", "p * dp alone: the mean s = sum of dp * p, which is taken off every entry, is missing.", y * dy
        yield "softmax-mean", "Only the diagonal p (1 - p) of softmax's Jacobian is used.", y * (1 - y) * dy
    with np.errstate(all="ignore"):
        slope = right / dy
        if not np.isfinite(slope).all():
            return
        yield "upstream-ignored", IGNORED, slope
        yield "overwritten", "The path through the layer is missing: two paths add up.", dy
        yield "overwritten", "The path straight through is missing: two paths add up.", right - dy
        if hasattr(layer, "f"):
            yield "derivative-at-activation", "The derivative is taken at a = f(z), where z belongs.", dy * _slope(layer.f, y)
        for other in KNOWN:
            kind, own = type(other).__name__, np.allclose(other.f(x), y)
            name = "derivative-at-activation" if own else "other-derivative"
            yield name, f"It is the derivative of {kind}, taken at a where z belongs.", dy * other.derivative(y, other.f(y))
            yield name, f"It is {kind}'s formula for a, given z.", dy * other.derivative(x, x)
            if not own:
                yield name, f"It is the derivative of {kind}.", dy * other.derivative(x, other.f(x))
        yield from _of_a_mask(layer, x, y, dy, slope, got)


def _of_a_mask(layer, x, y, dy, slope, got):
    """Slopes of 0 and one other number only, as of a ReLU and of dropout, but in other places."""
    off, on = (float(np.round(edge, 9)) for edge in (slope.min(), slope.max()))
    if off != 0 or not np.isin(np.round(slope, 9), (0.0, on)).all():
        return
    for words, mask in (("dy", dy > 0), ("the output's sign", y < 0), ("minus z", x < 0)):
        yield "relu-mask", f"The mask is taken from {words}; it belongs to the input z.", dy * mask * on
    share = np.round(got / dy, 6)
    if np.isin(share, (0.0, round(on, 6))).all():
        words = "The mask is not the one of forward: keep that one, and use it again."
        yield "relu-mask" if hasattr(layer, "derivative") else "dropout-mask", words, got


def _slope(f, z, h=1e-5):
    return (f(z + h) - f(z - h)) / (2 * h)


def _close(got, expected, rtol):
    return bool(np.max(np.abs(got - expected), initial=0) <= rtol * np.max(np.abs(expected), initial=0))
