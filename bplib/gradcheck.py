"""Never trust a gradient: measure it. Move the input a little, see how much the result moves, compare.

`numerical_gradient` measures the slope of any function. `check_gradients` does it for a layer, or for a network with its
loss, and says for each parameter and for the input whether what backward claims is what the measurement finds.
"""
import contextlib
import copy
from functools import partial

import numpy as np

from bplib import _require
from bplib.diagnosis import Diagnosis, diagnose
from bplib.losses import Loss
from bplib.measure import EPS, generators, innermost, rewind, slopes, watched
from bplib.report import FLAT, KINK, MATCH, MISMATCH, NONDETERMINISTIC, PRECISION, Finding, GradientError, Report
from bplib.subject import INPUT_CHANGED, FunctionSubject, ModelSubject, one_number

__all__ = ["Finding", "GradientError", "Report", "check_gradients", "numerical_gradient", "taylor_slopes"]

STEPS = {"central": EPS ** (1 / 3), "forward": EPS ** (1 / 2), "complex": 1e-100}
UNMOVED = "when it moves the value does not move measurably, and its gradient says the same: the check shows nothing."
TINY = np.finfo(np.float64).tiny  # below it floats lose their digits
HIDDEN = 1e-3  # where noise is a larger share of the gradient than this, the check shows little


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
        return one_number(f(moved))

    here = x[index]
    if method == "complex":
        return at(here + 1j * h).imag / h
    up, down = here + h, here - h  # the distance is taken from what the sums rounded to
    if method == "forward":
        return (at(up) - at(here)) / (up - here)
    return (at(up) - at(down)) / (up - down)


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
    start, claimed = one_number(f(x.copy())), float(np.vdot(gradient, v))
    h = 1e-2 * 0.5 ** np.arange(steps + 1)
    remainders = np.array([abs(one_number(f(x + step * v)) - start - step * claimed) for step in h])
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.log2(remainders[:-1] / remainders[1:])
    return np.where((remainders[:-1] > 0) & (remainders[1:] > 0), slopes, np.nan)


def check_gradients(model, *data, training=False, rtol=1e-7, rng=0):
    """Is what `backward` computes really the gradient? Measures it, every entry, for every parameter and for the input.

        check_gradients(net, loss, x, y)       the gradient of loss(net(x), y)
        check_gradients(layer, x)              the gradient of sum(u * layer(x)) for a random upstream gradient u
        check_gradients(loss, y_hat, y)        the gradient of loss(y_hat, y)
        check_gradients(f, x, gradient)        the gradient of any f(x) -> number; `gradient` an array, or a function of x

    How: backward runs on another batch first, and then twice on this one, with all gradients set to NaN before, so that
    nothing left over can pass for a new gradient. Is each there, of its parameter's shape, finite, the same the second
    time, and is what backward was given left unchanged? Then the true gradient is measured, through `forward` alone, layer
    by layer (`bplib.measure`), each entry with the error that rounding must be expected to cause. That measurement is
    itself on trial: the whole model is moved along a random direction, and its value must change as the measurement says;
    where it does not, the model is measured array by array as a whole.

    Steps: central differences with h and h/2, extrapolated, so that the error of the formula falls with h^4. The best h
    then lies near eps^(1/5), about 1e-4 to 1e-3 of the entry, or of 1 where the entry is smaller: relative to the entry,
    because a step far below an entry's own rounding moves nothing. Where a kink is within reach, a shorter step follows.
    The tolerance is relative, plus the predicted noise. It has no absolute part and does not grow with the array.

    Parameters
    ----------
    model : a layer or Sequential, a loss, or a function. data : as above. training : passed to forward.
    rtol : relative tolerance of each entry. rng : seed or Generator for directions and upstream gradient.

    Returns
    -------
    Report : a Finding for each parameter, and for the input ("x", or "y_hat" of a loss). The model's parameters, buffers,
        gradients and generators are as they were before, whatever happened. Parameters in float32 are checked on copies in
        float64, because float32 hides a wrong factor of 1.001.

    Raises
    ------
    TypeError, ValueError : data is none of the forms, holds NaN, is complex or text; the value is not finite; and what the
        model raises when x does not fit it.
    """
    if not isinstance(rng, np.random.Generator):
        # A stream of its own: with the seed's plain stream, u would equal an x that was drawn from the same seed, and x^T u
        # would be symmetric, which hides a transposed gradient.
        (rng,) = np.random.default_rng(rng).spawn(1)
    rtol = _require.number(rtol, "check_gradients", "rtol", above=0)
    if isinstance(model, Loss) and len(data) == 2:
        y_hat = _input(data[0], "y_hat")
        subject = FunctionSubject("y_hat", y_hat, lambda v: model.forward(v, data[1]), _of_loss(model, data[1]))
        return _report(subject, rtol, rng)
    if not hasattr(model, "backward") and callable(model) and len(data) == 2:
        x = np.array(_require.real(data[0], "check_gradients"), dtype=np.float64)
        return _report(FunctionSubject("x", x, model, data[1]), rtol, rng)
    if not hasattr(model, "params") or len(data) not in (1, 3):
        raise TypeError("check_gradients: expected (net, loss, x, y), (layer, x), (loss, y_hat, y) or (f, x, gradient), "
                        f"got {type(model).__name__} and {len(data)} more.")
    x = _input(data[0] if len(data) == 1 else data[1], "x")
    loss, y = (data[0], data[2]) if len(data) == 3 else (None, None)
    with _left_as_it_was(model) as restore:
        _in_float64(model)
        return _report(ModelSubject(model, x, training, loss, y, rng, restore), rtol, rng)


def _report(subject, rtol, rng):
    with np.errstate(all="ignore"):  # what is not finite is reported, with the layer where it begins
        return Report(_judged(subject, rtol, rng))


def _input(x, name):
    x = _require.batch(x, "check_gradients", name=name).astype(np.float64)
    if not np.isfinite(x).all():
        raise ValueError(f"check_gradients: expected {name} to be finite, got NaN or infinity in it.")
    return x


def _of_loss(loss, y):
    def gradient(y_hat):
        loss.forward(y_hat, y)
        return loss.backward()
    return gradient


def _in_float64(model):
    for layer in innermost(model):
        for name, param in layer.params.items():
            if param.dtype == np.float32:
                layer.params[name] = param.astype(np.float64)


def _judged(subject, rtol, rng):
    """A Finding for each array of the subject."""
    value, again = subject.value(), subject.value()
    if value != again and not (np.isnan(value) and np.isnan(again)):
        words = (f"two forward passes of the same batch gave {value:.6g} and {again:.6g}, so no slope can be measured. "
                 "Is there dropout without a fixed mask? Let the layer keep its Generator as an attribute, or check it with "
                 "training=False.")
        for name, array in subject.arrays.items():
            yield Finding(name, array.shape, NONDETERMINISTIC, message=words)
        return
    if not np.isfinite(value):
        raise ValueError(f"check_gradients: expected a finite value, got {value}.{subject.first_not_finite()}")
    kept = {name: array.copy() for name, array in subject.arrays.items()}
    subject.claimed(other=True)
    first, second = subject.claimed(), subject.claimed()
    for name, array in subject.arrays.items():
        if not np.array_equal(array, kept[name]):
            subject.touched.add(name)
            array[...] = kept[name]
    found = _compared(subject, first, rtol, rng)
    for name, array in subject.arrays.items():
        yield _refused(subject, name, array, first, second) or found[name]()


def _refused(subject, name, array, first, second):
    """A Finding for what is wrong with a claimed gradient before its value is even looked at; None where nothing is."""
    grad, diagnosis = first.get(name), None
    if name in subject.touched:
        diagnosis = INPUT_CHANGED
        words = "forward or backward changed it in place."
    elif grad is None:
        diagnosis = Diagnosis("missing", "Does backward store or return it?")
        words = "backward gives no gradient for it."
    elif grad.shape != array.shape:
        true = subject.known[name].value if name in subject.known else np.zeros(array.shape)
        diagnosis = diagnose(grad, true, rtol=1e-5) or Diagnosis("wrong-shape", "A gradient has the shape of its thing.")
        words = f"its gradient should have its shape {array.shape}, and has {grad.shape}."
    elif not np.isfinite(grad).all():
        return _not_finite(subject, name, array, grad)
    elif second.get(name) is None or not np.array_equal(grad, second[name]):
        diagnosis = Diagnosis("accumulated", "Does something add up from one pass to the next, or change in place?")
        words = "calling forward and backward again gives another gradient."
    else:
        return None
    return Finding(name, array.shape, MISMATCH, np.inf, diagnosis=diagnosis, message=f"{words} {diagnosis.message}")


def _not_finite(subject, name, array, grad):
    zeroed = subject.claimed(unset=0.0)[name]
    if np.isfinite(zeroed).all() and zeroed.any():
        found = Diagnosis("accumulated", "It is added to what `grads` held before: put a new array there instead.")
    elif np.isnan(grad).all() and name != "x" and not zeroed.any():
        found = Diagnosis("missing", "backward left it unset: `grads` still holds what was there before.")
    else:
        found = diagnose(grad, np.zeros(array.shape))
    at = [int(i) for i in np.argwhere(~np.isfinite(grad))[0]]
    bad = np.where(np.isfinite(grad), 0.0, 1.0)
    return Finding(name, array.shape, MISMATCH, np.inf, tuple(at), diagnosis=found, map=bad,
                   message=f"its gradient is not finite at {at}. {found.message}")


def _compared(subject, claimed, rtol, rng):
    """For each name a function that gives its Finding: by the measurement of every entry, or by what else will do."""
    truth = subject.measured(rng)
    if truth is not None:
        known, kinked = truth
        subject.known = known
        if not kinked and _confirmed(subject, known, rng):
            return {name: partial(_entrywise, subject, name, claimed[name], known[name], rtol) for name in known}
        if kinked:
            nearby = _nearby(subject, rtol, rng)
            if nearby is not None:
                return {name: partial(_at_a_kink, subject, name, claimed[name], nearby[name], rtol, rng) for name in known}
    return {name: partial(_along_a_line, subject, name, claimed[name], rtol, rng) for name in subject.arrays}


def _confirmed(subject, known, rng):
    """Does the whole model's value change as the measured gradient says, along a random direction of all arrays at once?"""
    for step in (STEPS["central"], 1e-7, 1e-8):
        moves = {name: _direction(array.shape, rng) * max(1.0, float(np.max(np.abs(array), initial=0.0)))
                 for name, array in subject.arrays.items()}
        slope = _Slope(subject, moves, step)
        expected = sum(float(np.vdot(known[name].value, move)) for name, move in moves.items())
        noise = slope.noise + sum(float(np.vdot(known[name].noise, np.abs(move))) for name, move in moves.items())
        if abs(expected - slope.value) <= 1e-6 * max(abs(expected), abs(slope.value)) + noise:
            return True
    return False


def _entrywise(subject, name, grad, true, rtol):
    """What every single entry says."""
    largest = np.maximum(np.abs(grad), np.abs(true.value))
    gap = np.abs(grad - true.value)
    wrong = gap > rtol * largest + true.noise + TINY
    if wrong.any():
        return _mismatch(subject, name, grad, true.value, np.where(wrong, gap, 0.0), largest)
    if np.isinf(true.noise).any():
        at = [int(i) for i in np.argwhere(np.isinf(true.noise))[0]]
        return Finding(name, grad.shape, KINK, message=f"the slope jumps at {at}; what is claimed there was not judged.")
    top, noise = float(largest.max()), float(true.noise.max())
    if not true.value.any() and top <= noise + TINY:
        return Finding(name, grad.shape, FLAT, message=UNMOVED)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = float(np.nanmax(gap / (largest + true.noise / rtol), initial=0.0))
    if noise > HIDDEN * top:
        hidden = min(1.0, noise / top)
        return Finding(name, grad.shape, PRECISION, hidden, message=_too_coarse(subject, hidden))
    return Finding(name, grad.shape, MATCH, error)


def _too_coarse(subject, hidden):
    size, unit = subject.size(), subject.unit
    words = f"no contradiction, but rounding hides {hidden:.0%} of the largest entry: the check shows little. "
    if unit > EPS:
        return words + f"A layer computes in float32; float64 and a step of {STEPS['central']:.0e} would settle it."
    return words + (f"Numbers of size {size:.0e} are added up, so the value cannot show changes below {size * EPS:.0e}. "
                    f"Scaled to numbers near 1, float64 and a step of {STEPS['central']:.0e} would settle it.")


def _mismatch(subject, name, grad, numeric, gap, largest):
    """A Finding that says where it is worst, and what kind of wrong it is."""
    worst = tuple(int(i) for i in np.unravel_index(np.argmax(gap), gap.shape))
    analytic, measured = float(grad[worst]), float(numeric[worst])
    who, found = subject.culprit(name, grad, numeric)
    at = f" at {list(worst)}" if worst else ""
    words = f"backward says {analytic:.6g}{at}, measured is {measured:.6g}."
    if who:
        words += f" It is spoiled by what {who} passes back."
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(gap > 0, gap / largest, 0.0)
    return Finding(name, grad.shape, MISMATCH, float(share.max()), worst, analytic, measured, found,
                   words + (f" {found.message}" if found else ""), share)


def _nearby(subject, rtol, rng):
    """Findings at two points nearby without a kink, {name: [Finding, Finding]}; None where there are no such points."""
    kept = {name: array.copy() for name, array in subject.arrays.items()}
    found = {name: [] for name in kept}
    try:
        for _ in range(20):
            for name, array in subject.arrays.items():
                array[...] = kept[name] + 1e-3 * np.maximum(1, np.abs(kept[name])) * rng.standard_normal(array.shape)
            truth = subject.measured(rng)
            if truth[1] or not _confirmed(subject, truth[0], rng):
                continue
            claimed = subject.claimed()
            for name, findings in found.items():
                findings.append(_entrywise(subject, name, claimed[name], truth[0][name], rtol))
            if len(findings) == 2:
                return found
        return None
    finally:
        for name, array in subject.arrays.items():
            array[...] = kept[name]


def _at_a_kink(subject, name, grad, nearby, rtol, rng):
    wrong = [finding for finding in nearby if finding.verdict == MISMATCH]
    if wrong:
        return wrong[0]
    slope = _Slope(subject, {name: _direction(grad.shape, rng)})
    claim = slope.along(grad)
    if slope.agrees(claim, max(rtol, 1e-6)):
        return nearby[0]
    return Finding(name, grad.shape, KINK, max(finding.error for finding in nearby), None, claim, slope.value,
                   message="the slope jumps here (a kink of ReLU?); at two points nearby the gradient is right.")


def _along_a_line(subject, name, grad, rtol, rng):
    """For models that cannot be taken apart: one random direction, and every entry where that shows a mistake."""
    rtol = max(rtol, 1e-6)
    slope = _Slope(subject, {name: _direction(grad.shape, rng)})
    claim = slope.along(grad)
    if max(abs(claim), abs(slope.value)) <= slope.noise:
        return Finding(name, grad.shape, FLAT, message=UNMOVED)
    if slope.agrees(claim, rtol):
        return Finding(name, grad.shape, MATCH, relative_error(claim, slope.value), None, claim, slope.value)
    numeric, noise = np.zeros(grad.shape), np.zeros(grad.shape)
    for index in watched(list(np.ndindex(grad.shape))):
        one = np.zeros(grad.shape)
        one[index] = 1.0
        entry = _Slope(subject, {name: one})
        numeric[index], noise[index] = entry.value, entry.noise
    largest = np.maximum(np.abs(grad), np.abs(numeric))
    gap = np.abs(grad - numeric)
    wrong = gap > 1e-5 * largest + noise
    if not wrong.any() or slope.kinked:
        return Finding(name, grad.shape, KINK if slope.kinked else PRECISION, relative_error(claim, slope.value), None, claim,
                       slope.value, message="the slope jumps here, and no point without a jump was found nearby: not shown.")
    return _mismatch(subject, name, grad, numeric, np.where(wrong, gap, 0.0), largest)


class _Slope:
    """The slope of the subject's value along moves of its arrays, where they are: the noise to expect from rounding, and
    whether the slopes to both sides differ."""

    def __init__(self, subject, moves, step=STEPS["central"]):
        self.moves = moves
        kept = {name: subject.arrays[name].copy() for name in moves}
        h = step * max([1.0, *(float(np.max(np.abs(kept[name]), initial=0.0)) for name in moves if len(moves) == 1)])
        values = []
        try:
            for offset in (-h, -h / 2, 0.0, h / 2, h):
                for name, move in moves.items():
                    subject.arrays[name][...] = kept[name] + offset * move
                values.append(subject.value())
        finally:
            for name, array in kept.items():
                subject.arrays[name][...] = array
        found, kinked = slopes(values, h, max(subject.size(), *map(abs, values)), 0.0, subject.unit)
        self.value, self.noise, self.kinked = float(found.value), float(found.noise), bool(kinked)

    def along(self, grad):
        (move,) = self.moves.values()
        return float(np.vdot(grad, move))

    def agrees(self, claim, rtol):
        return abs(claim - self.value) <= rtol * max(abs(claim), abs(self.value)) + self.noise


def relative_error(a, b):
    """|a - b| relative to the larger of the two; 0 where both are 0."""
    return 0.0 if a == b else float(abs(a - b) / max(abs(a), abs(b)))


def _direction(shape, rng):
    # A product of two random vectors has no zero and no pattern, and costs far fewer random numbers.
    v = np.outer(rng.standard_normal(shape[0]), rng.standard_normal(shape[1])) if len(shape) == 2 else rng.standard_normal(shape)
    return v / np.linalg.norm(v)


@contextlib.contextmanager
def _left_as_it_was(model):
    """Parameters keep their arrays and their numbers; everything else a layer remembers is put back. Gives a function that
    does the second part at once."""
    kept = []
    for layer in innermost(model):
        params = {name: (param, param.copy()) for name, param in layer.params.items()}
        states = generators(layer)
        others = {key: value for key, value in vars(layer).items()
                  if key != "params" and not isinstance(value, np.random.Generator)}
        kept.append((layer, params, states, copy.deepcopy(others)))
    def forget():
        for layer, _, states, others in kept:
            rewind(states)
            for key in set(vars(layer)) - set(others) - {"params"}:
                if not isinstance(vars(layer)[key], np.random.Generator):
                    delattr(layer, key)
            vars(layer).update(copy.deepcopy(others))

    try:
        yield forget
    finally:
        forget()
        for layer, params, _, _ in kept:
            for name, (param, numbers) in params.items():
                param[...] = numbers
                layer.params[name] = param
