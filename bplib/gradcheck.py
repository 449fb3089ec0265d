"""Never trust a gradient: measure it. Move the input a little, see how much the result moves, compare.

`numerical_gradient` measures the slope of any function. `check_gradients` does it for a layer, or for a network with its
loss, and says for each parameter and for the input whether what backward claims is what the measurement finds.
"""
import contextlib
import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bplib import _require
from bplib.diagnosis import Diagnosis, diagnose
from bplib.layers import Sequential, flat

EPS = np.finfo(np.float64).eps
STEPS = {"central": EPS ** (1 / 3), "forward": EPS ** (1 / 2), "complex": 1e-100}
MATCH, MISMATCH, KINK, FLAT = "match", "mismatch", "kink", "flat"
LOCATED = 5000  # a wrong array of more entries is not measured entry by entry: five forward passes each


def numerical_gradient(f, x, method="central", step=None):
    """The gradient of f at x, measured entry by entry.

        central   (f(x + h) - f(x - h)) / 2h    error of order h^2
        forward   (f(x + h) - f(x)) / h         error of order h
        complex   Im f(x + ih) / h              no difference of close numbers, so no rounding error; f must be built from
                                                analytic functions (abs, norm and conj silently give a wrong result)

    The step h is relative to the entry, h = step * max(1, |x|). The default step balances the error of the formula with that
    of rounding: eps^(1/3) for central, eps^(1/2) for forward.
    Sources: Squire and Trapp 1998, "Using complex variables to estimate derivatives of real functions" (complex step);
    Nocedal and Wright 2006, "Numerical optimization", section 8.1 (steps).

    Parameters
    ----------
    f : a function of an array of x's shape, giving one number. x : a number or an array of any shape; it is not changed, and
        integers become float64. method : "central", "forward" or "complex". step : relative step, a positive number.

    Returns
    -------
    An array of x's shape.

    Raises
    ------
    ValueError : the method is unknown, or f does not give one number. TypeError : x does not hold real numbers.
    """
    if method not in STEPS:
        raise ValueError(f"numerical_gradient: expected method to be one of {', '.join(STEPS)}, got {method!r}.")
    step = STEPS[method] if step is None else _require.number(step, "numerical_gradient", "step", above=0)
    x = np.array(_require.real(x, "numerical_gradient"), dtype=complex if method == "complex" else np.float64)
    slopes = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        h = step * max(1.0, abs(x[index]))
        slopes[index] = _slope(f, x, index, h, method)
    return slopes


def _slope(f, x, index, h, method):
    def at(entry):
        moved = x.copy()
        moved[index] = entry
        return _one_number(f(moved))

    here = x[index]
    if method == "complex":
        return at(here + 1j * h).imag / h
    up, down = here + h, here - h  # the distance is taken from what the sums rounded to
    if method == "forward":
        return (at(up) - at(here)) / (up - here)
    return (at(up) - at(down)) / (up - down)


def _one_number(value):
    value = np.asarray(value)
    if value.size != 1:
        raise ValueError(f"numerical_gradient: expected f to give one number, got an array of shape {value.shape}. "
                         "A gradient is of a scalar: sum the result, or weigh it with an upstream gradient first.")
    return value.reshape(()).item()


def taylor_slopes(f, x, gradient, rng=0, steps=6):
    """How fast does f(x + h v) - f(x) - h <gradient, v> shrink when h is halved? 2 = the gradient is right, 1 = it is wrong.

    A right gradient leaves a remainder of order h^2, a wrong one of order h. No tolerance is needed: look at the numbers.
    Source: the Taylor test, standard for adjoint models, for example Farrell, Ham, Funke and Rognes 2013, "Automated
    derivation of the adjoint of high-level transient finite element programs".

    Parameters
    ----------
    f : a function of an array of x's shape, giving one number. gradient : the claimed gradient, of x's shape.
    rng : seed or Generator for the random direction v, of length 1. steps : how many slopes; h goes 1e-2, 5e-3, ...

    Returns
    -------
    (steps,) log2 of the ratios of one remainder to the next. NaN where a remainder is zero: f is straight along v.

    Raises
    ------
    ValueError : the gradient has not x's shape.
    """
    x = np.array(_require.real(x, "taylor_slopes"), dtype=np.float64)
    gradient = _require.real(gradient, "taylor_slopes", "gradient")
    if gradient.shape != x.shape:
        raise ValueError(f"taylor_slopes: expected a gradient of x's shape {x.shape}, got {gradient.shape}.")
    v = _direction(x.shape, _require.generator(rng))
    start, claimed = _one_number(f(x.copy())), float(np.vdot(gradient, v))
    h = 1e-2 * 0.5 ** np.arange(steps + 1)
    remainders = np.array([abs(_one_number(f(x + step * v)) - start - step * claimed) for step in h])
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.log2(remainders[:-1] / remainders[1:])
    return np.where((remainders[:-1] > 0) & (remainders[1:] > 0), slopes, np.nan)


class GradientError(AssertionError):
    """A gradient is wrong; the message is the report."""


@dataclass(frozen=True)
class Finding:
    """What was found for one array.

    Attributes
    ----------
    name : "0.W" for a parameter, "x" for the input.
    shape : its shape.
    verdict : "match"; "mismatch"; "kink" where the slopes to both sides differ here, and the gradient is right nearby;
        "flat" where nothing moves measurably and the gradient says so, so that the check has shown nothing.
    error : the largest relative error found. worst : where, an index, after a mismatch was located.
    analytic, numeric : what backward claims and what was measured, there or along a random direction.
    diagnosis : a Diagnosis, or None. message : what is wrong, in words; empty for a match.
    """

    name: str
    shape: tuple
    verdict: str
    error: float = 0.0
    worst: tuple | None = None
    analytic: float | None = None
    numeric: float | None = None
    diagnosis: Diagnosis | None = None
    message: str = ""


class Report(Mapping):
    """Findings by name, printed as a table. `ok` is True when no verdict is a mismatch."""

    def __init__(self, findings):
        self._findings = {finding.name: finding for finding in findings}

    def __getitem__(self, name):
        return self._findings[name]

    def __iter__(self):
        return iter(self._findings)

    def __len__(self):
        return len(self._findings)

    @property
    def ok(self):
        return all(finding.verdict != MISMATCH for finding in self.values())

    def raise_if_wrong(self):
        """Raise a GradientError with this report as its message, unless it is ok."""
        if not self.ok:
            raise GradientError(f"\n{self}")

    def __str__(self):
        rows = [("name", "shape", "verdict", "relative error")]
        rows += [(f.name, str(f.shape), f.verdict, f"{f.error:.0e}" if f.verdict != FLAT else "-") for f in self.values()]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *(f"{f.name}: {f.message}" for f in self.values() if f.message)])

    __repr__ = __str__


def check_gradients(model, *data, training=False, rtol=1e-6, rng=0):
    """Is what `backward` computes really the gradient? Measures it, for every parameter and for the input.

        check_gradients(net, loss, x, y)    the gradient of loss(net(x), y)
        check_gradients(layer, x)           the gradient of sum(u * layer(x)) for a random upstream gradient u

    How: all gradients are first set to NaN, so that one left over from an earlier pass cannot pass for a new one. Then
    backward is run, twice, and asked in this order: is every gradient there, of its parameter's shape, finite, the same
    the second time; does no upstream gradient give no gradient? Then each array is moved along a random direction v of
    length 1, and the slope of the loss (central difference, steps h and h/2, extrapolated) is compared with <gradient, v>.
    The tolerance is relative, plus the rounding noise that the step predicts; it has no absolute part and does not grow
    with the array. Where the two sides have different slopes (a kink of ReLU), nearby points are judged instead. Only
    when an array fails is it measured entry by entry, to say where and to name the mistake.

    Parameters
    ----------
    model : a layer or Sequential. data : (loss, x, y) or (x,). training : passed to forward.
    rtol : relative tolerance. rng : seed or Generator for directions and upstream gradient.

    Returns
    -------
    Report : a Finding for each parameter, and for the input "x". The model's parameters, buffers and gradients are as they
        were before, whatever happened. Parameters must be float64: with float32 the measurement itself is too coarse.

    Raises
    ------
    TypeError, ValueError : data is neither of the two forms, holds NaN, is complex or text, or a parameter is not float64; and
        what the model raises when x does not fit it.
    """
    rng = _require.generator(rng)
    if len(data) not in (1, 3):
        raise TypeError("check_gradients: expected (layer, x) or (net, loss, x, y), "
                        f"got {len(data)} arguments after the first.")
    x = _require.batch(data[0] if len(data) == 1 else data[1], "check_gradients").astype(np.float64)
    if not np.isfinite(x).all():
        raise ValueError("check_gradients: expected x to be finite, got NaN or infinity in it.")
    for name, param in model.params.items():
        if param.dtype != np.float64:
            raise TypeError(f"check_gradients: expected parameter {name} in float64, got {param.dtype}. "
                            "Build the network with dtype=np.float64 to check it.")
    with _left_as_it_was(model):
        with_loss = len(data) == 3
        subject = _WithLoss(model, data[0], x, data[2], training) if with_loss else _WithUpstream(model, x, rng, training)
        return Report(_findings(subject, rtol, rng))


class _Subject:
    """A scalar function of named arrays, and the gradients that backward claims for it. Its `size` is that of the numbers
    that add up to the value, which may be much larger than the value: rounding acts on them."""

    def __init__(self, model, x, training):
        self.model, self.training = model, training
        self.arrays = dict(model.params) | {"x": x}

    def forward(self):
        return self.model.forward(self.arrays["x"], self.training)

    def claimed(self, scale=1.0):
        """Gradients by name from one forward and one backward, with the upstream gradient multiplied by scale."""
        for layer in _leaves(self.model):
            layer.grads = {name: np.full_like(param, np.nan) for name, param in layer.params.items()}
        dx = self.model.backward(scale * self.upstream())
        grads = {name: np.array(grad) for name, grad in self.model.grads.items()}
        return grads | {"x": None if dx is None else np.array(dx)}


class _WithLoss(_Subject):
    def __init__(self, model, loss, x, y, training):
        super().__init__(model, x, training)
        self.loss, self.y = loss, y
        value, y_hat = self.value(), self.forward()
        self.size = abs(value) + float(np.abs(self.loss.backward() * y_hat).sum() + np.abs(y_hat).max())

    def value(self):
        return self.loss.forward(self.forward(), self.y)

    def upstream(self):
        self.value()
        return self.loss.backward()


class _WithUpstream(_Subject):
    def __init__(self, model, x, rng, training):
        super().__init__(model, x, training)
        self.u = rng.standard_normal(self.forward().shape)
        self.size = float(np.abs(self.u * self.forward()).sum())

    def value(self):
        return float(np.vdot(self.u, self.forward()))

    def upstream(self):
        self.forward()
        return self.u


def _findings(subject, rtol, rng):
    first, second, silent = subject.claimed(), subject.claimed(), subject.claimed(scale=0.0)
    for name, array in subject.arrays.items():
        words = _refused(name, array, first, second, silent)
        if words:
            found = diagnose(first[name], np.zeros(array.shape)) if first.get(name) is not None else None
            yield Finding(name, array.shape, MISMATCH, np.inf, diagnosis=found, message=words)
        else:
            yield _measured(subject, name, first[name], rtol, rng)


def _refused(name, array, first, second, silent):
    """What is wrong with a claimed gradient before its value is even looked at, in words; None where nothing is."""
    grad = first.get(name)
    if grad is None:
        return "backward gives no gradient for it."
    if grad.shape != array.shape:
        return f"its gradient should have its shape {array.shape}, and has {grad.shape}."
    if np.isnan(grad).all():
        return "backward left its gradient unset, or made all of it NaN."
    if not np.isfinite(grad).all():
        at = [int(i) for i in np.argwhere(~np.isfinite(grad))[0]]
        return f"its gradient is not finite at {at}."
    again = second.get(name)
    if again is None or not np.array_equal(grad, again):
        return "calling forward and backward again gives another gradient. Does something add up, or change in place?"
    if silent[name].any():
        return "an upstream gradient of zero should give a gradient of zero, and does not. Is the upstream gradient ignored?"
    return None


def _measured(subject, name, grad, rtol, rng):
    array = subject.arrays[name]
    v = _direction(array.shape, rng)
    slope = _Slope(subject, array, v)
    claim = float(np.vdot(grad, v))
    if max(abs(claim), abs(slope.value)) <= slope.noise:
        words = "when it moves the value does not move measurably, and its gradient says the same: the check shows nothing."
        return Finding(name, array.shape, FLAT, message=words)
    if slope.agrees(claim, rtol):
        return Finding(name, array.shape, MATCH, slope.error(claim), None, claim, slope.value)
    if slope.kinked:
        nearby = _judged_nearby(subject, name, v, rtol, rng)
        if nearby is not None:
            return Finding(name, array.shape, KINK, nearby, None, claim, slope.value,
                           message="the slope jumps here (a kink of ReLU?); at two points nearby the gradient is right.")
    return _located(subject, name, grad, slope, claim)


def _judged_nearby(subject, name, v, rtol, rng):
    """The larger relative error at two points nearby where there is no kink, or None where the gradient is wrong there too."""
    arrays = list(subject.arrays.values())
    kept = [array.copy() for array in arrays]
    errors = []
    try:
        for _ in range(20):
            for array, old in zip(arrays, kept):
                array[...] = old + 1e-3 * np.maximum(1, np.abs(old)) * rng.standard_normal(array.shape)
            slope = _Slope(subject, subject.arrays[name], v)
            if slope.kinked:
                continue
            grad = subject.claimed()[name]
            claim = float(np.vdot(grad, v))
            if not slope.agrees(claim, rtol):
                return None
            errors.append(slope.error(claim))
            if len(errors) == 2:
                return max(errors)
        return None
    finally:
        for array, old in zip(arrays, kept):
            array[...] = old


def _located(subject, name, grad, slope, claim):
    """A mismatch, measured entry by entry where that is affordable: where it is worst, and what kind of wrong it is."""
    array = subject.arrays[name]
    if array.size > LOCATED:
        words = f"along a random direction backward says {claim:.6g}, measured is {slope.value:.6g}."
        return Finding(name, array.shape, MISMATCH, slope.error(claim), None, claim, slope.value, None, words)
    numeric = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        v = np.zeros(array.shape)
        v[index] = 1.0
        numeric[index] = _Slope(subject, array, v).value
    worst = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(grad - numeric)), array.shape))
    analytic, measured = float(grad[worst]), float(numeric[worst])
    found = diagnose(grad, numeric, rtol=1e-5)
    words = (f"backward says {analytic:.6g} at {list(worst)}, measured is {measured:.6g}."
             + (f" {found.message}" if found else ""))
    error = relative_error(analytic, measured)
    return Finding(name, array.shape, MISMATCH, error, worst, analytic, measured, found, words)


class _Slope:
    """The slope of the subject's value along v at the place where it is: central differences with h and h/2, extrapolated
    (Richardson 1911), the noise to expect from rounding, and whether the slopes to both sides differ."""

    def __init__(self, subject, array, v):
        kept = array.copy()
        h = STEPS["central"] * max(1.0, float(np.max(np.abs(array), initial=0.0)))
        offsets = (-h, -h / 2, 0.0, h / 2, h)
        values = []
        try:
            for offset in offsets:
                array[...] = kept + offset * v
                values.append(subject.value())
        finally:
            array[...] = kept
        low, low2, here, up2, up = values
        wide, narrow = (up - low) / (2 * h), (up2 - low2) / h
        self.value = (4 * narrow - wide) / 3
        self.noise = 20 * EPS * max(subject.size, *map(abs, values)) / h
        left, left2, right2, right = (here - low) / h, 2 * (here - low2) / h, 2 * (up2 - here) / h, (up - here) / h
        # A smooth curve's one-sided slopes draw together as h is halved; across a kink they stay apart, or jump.
        apart, apart2 = abs(right - left), abs(right2 - left2)
        smooth = 0.4 * apart - self.noise <= apart2 <= 0.6 * apart + self.noise
        self.kinked = max(apart, apart2) > 4 * self.noise and not smooth

    def agrees(self, claim, rtol):
        return abs(claim - self.value) <= rtol * max(abs(claim), abs(self.value)) + self.noise

    def error(self, claim):
        return relative_error(claim, self.value)


def relative_error(a, b):
    """|a - b| relative to the larger of the two; 0 where both are 0."""
    return 0.0 if a == b else float(abs(a - b) / max(abs(a), abs(b)))


def _direction(shape, rng):
    v = rng.standard_normal(shape)
    return v / np.linalg.norm(v)


def _leaves(model):
    return [layer for _, layer in flat(model)] if isinstance(model, Sequential) else [model]


@contextlib.contextmanager
def _left_as_it_was(model):
    """Parameters keep their arrays and their numbers; everything else a layer remembers is put back."""
    kept = []
    for layer in _leaves(model):
        params = {name: param.copy() for name, param in layer.params.items()}
        kept.append((layer, params, copy.deepcopy({key: value for key, value in vars(layer).items() if key != "params"})))
    try:
        yield
    finally:
        for layer, params, state in kept:
            for name, param in params.items():
                layer.params[name][...] = param
            vars(layer).update(state)
