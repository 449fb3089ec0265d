"""The gradient of a whole network, measured: every entry, in the time of a few dozen forward passes.

Moving each of 100,000 parameters and running the network twice for each takes ten seconds. Most of that work repeats
itself. The chain rule takes the network apart, and each part can be measured cheaply:

    the loss        each entry of its input is moved;
    an activation   each output depends on one input, so all inputs can be moved at once;
    x W + b         is straight in W, b and x, so one step of any length tells all slopes;
    anything else   entry by entry, but through this one layer only.

Which of these a layer is, is not read from its name or believed: it is tested on its numbers first, with a random step
into every direction at once. Only `forward` is ever called, never the `backward` that is on trial.
The idea for sums of weights, one measurement for a neuron instead of one for each weight, is node perturbation: Widrow and
Lehr 1990, "30 years of adaptive neural networks: perceptron, Madaline, and backpropagation".
"""
from dataclasses import dataclass, field

import numpy as np

from bplib.layers import Residual, Sequential, flat, in_a_row

EPS = np.finfo(np.float64).eps
STEPS = (1e-3, 1e-6)  # the second where a kink is within reach of the first
LONG = 1.0  # seconds before a progress bar appears


@dataclass
class Measured:
    """An array of slopes, and for each the error to expect from rounding and from the length of the step."""

    value: np.ndarray
    noise: np.ndarray
    too_long: np.ndarray | bool = False  # was the step's own error the larger part?


def slopes(values, h, size, reach, unit=EPS):
    """The slope from values at -h, -h/2, 0, h/2 and h: central differences, extrapolated (Richardson 1911).

    Parameters
    ----------
    values : five arrays (or numbers) of one shape. h : the step, a number or an array that fits. size : of the numbers
        that were added up to the values, on which rounding acts. reach : of the numbers that were moved, which round as
        well. unit : the rounding error relative to `size`.

    Returns
    -------
    (Measured, kinked) : the slopes; and where the slopes to both sides differ, booleans.
    """
    low, low2, here, up2, up = values
    wide, narrow = (up - low) / (2 * h), (up2 - low2) / h
    value = (4 * narrow - wide) / 3
    rounding = 10 * (unit * size + EPS * reach * np.abs(value)) / h
    # The step's own error: what the extrapolation changed, or much less where it changed little.
    spread = np.abs(narrow - wide)
    with np.errstate(divide="ignore", invalid="ignore"):
        trusted = np.where(value == 0, 1.0, np.minimum(1.0, 10 * spread / np.abs(value)))
    left, left2, right2, right = (here - low) / h, 2 * (here - low2) / h, 2 * (up2 - here) / h, (up - here) / h
    # A smooth curve's one-sided slopes draw together as h is halved, and the central ones hardly differ; across a kink the
    # one-sided slopes stay apart or jump, or the central ones differ as much.
    apart, apart2 = np.abs(right - left), np.abs(right2 - left2)
    smooth = (0.4 * apart - rounding <= apart2) & (apart2 <= 0.6 * apart + rounding) & (spread <= 0.1 * apart + rounding)
    kinked = (np.maximum(apart, apart2) > 4 * rounding) & ~smooth
    bent = spread * trusted
    return Measured(value, rounding + bent, bent > rounding), kinked


def settled(measure):
    """`measure(step)` with the first step; where that met a kink, was too long, or is contradicted, with the second."""
    found, kinked = measure(STEPS[0])
    if np.any(kinked | found.too_long):
        finer, still = measure(STEPS[1])
        contradicted = np.abs(found.value - finer.value) > found.noise + finer.noise
        better = kinked | contradicted | (finer.noise < found.noise)
        found = Measured(np.where(better, finer.value, found.value), np.where(better, finer.noise, found.noise))
        kinked = kinked & still
    return found, kinked


def scalar_gradient(f, array, size, unit=EPS):
    """The gradient of the number f(), which depends on `array`, entry by entry; f sees the array changed in place.

    Parameters
    ----------
    f : a function without arguments. array : of any shape, put back afterwards. size, unit : as for `slopes`.

    Returns
    -------
    (Measured, kinked) of the array's shape.
    """
    here, reach, indices = f(), float(np.max(np.abs(array), initial=0)), list(np.ndindex(array.shape))

    def measure(step):
        h = step * np.maximum(1.0, np.abs(array))
        values = np.empty((4, *array.shape))
        for index in watched(indices):
            kept, near = array[index], h[index]
            try:
                for row, offset in enumerate((-near, -near / 2, near / 2, near)):
                    array[index] = kept + offset
                    values[(row, *index)] = f()
            finally:
                array[index] = kept
        low, low2, up2, up = values
        return slopes((low, low2, here, up2, up), h, max(size, abs(here)), reach, unit)

    return settled(measure)


@dataclass
class Place:
    """One layer where it stands in the network: what came in, what went out, and its generators' states at that moment."""

    name: str
    layer: object
    x: np.ndarray
    y: np.ndarray
    states: list
    training: bool
    kinked: bool = False
    got: Measured = None  # dL/dy, the true one
    expected: dict = field(default_factory=dict)  # the true gradients, Measured, by the layer's own names and "x"
    inner: list = None  # the places inside, where the output is the input plus what layers in a row make of it

    @property
    def unit(self):
        """The rounding error of the output's numbers, relative to them."""
        coarse = self.y.dtype == np.float32 or (single(self.y) and not single(self.x))
        return float(np.finfo(np.float32).eps) if coarse else EPS

    def run(self, x=None):
        """The layer's output, as float64, with the same random numbers every time."""
        rewind(self.states)
        return np.asarray(self.layer.forward((self.x if x is None else x).copy(), self.training), dtype=np.float64)

    def moved(self, array, step):
        """The output with a parameter moved by `step`; the parameter is put back."""
        kept = array.copy()
        try:
            array += step
            return self.run()
        finally:
            array[...] = kept

    def name_of(self, key):
        """The network's name for an array of this layer."""
        return f"{self.name}.{key}" if self.name else key


def single(array):
    """Do the numbers that are not whole all fit into float32, as after a cast?"""
    broken = array[array != np.rint(array)]
    with np.errstate(over="ignore"):
        return bool(broken.size and np.array_equal(broken, broken.astype(np.float32)))


def generators(layer):
    """The numpy Generators that a layer and those inside it keep, with their states."""
    return [(value, value.bit_generator.state) for inner in innermost(layer) for value in vars(inner).values()
            if isinstance(value, np.random.Generator)]


def rewind(states):
    """Put generators back to their states."""
    for generator, state in states:
        generator.bit_generator.state = state


def leaves(model):
    """Pairs (name, layer) of the layers that a network is in a row; any other layer is its own only leaf, named ""."""
    return list(flat(model)) if in_a_row(model) else [("", model)]


def innermost(model):
    """Every layer that holds its own parameters, those inside a Sequential or a Residual too."""
    return [inner for layer in model for inner in innermost(layer)] if isinstance(model, Sequential) else [model]


def places(model, x, training):
    """Every layer in its place, for the batch x; None where the model is not its layers in a row."""
    start = [pair for _, layer in leaves(model) for pair in generators(layer)]
    whole = np.asarray(model.forward(x.copy(), training))
    rewind(start)
    found, x = [], x.copy()
    for name, layer in leaves(model):
        states = generators(layer)
        kept = np.array(x, dtype=np.float64)
        y = np.array(layer.forward(x, training))
        found.append(Place(name, layer, kept, y, states, training))
        if isinstance(layer, Residual):
            rewind(states)
            inner = places(Sequential(*layer), kept, training)
            if inner is not None and np.array_equal(kept + inner[-1].y, y):
                found[-1].inner = inner
        x = y
    return found if whole.shape == x.shape and np.array_equal(whole, x) else None


def measure_backward(found, dy, rng):
    """Fill in `got` and `expected` of all places, last to first, from dy = dL/d(output).

    Parameters
    ----------
    found : Places. dy : Measured, of the shape of the last output. rng : Generator for the tests of each layer's kind.

    Returns
    -------
    Measured : dL/dx of the first layer.
    """
    for place in reversed(found):
        place.got = dy
        if place.inner is not None:
            dy = _around(place, dy, rng)
            continue
        place.expected = {key: _parameter(place, param, dy, rng) for key, param in place.layer.params.items()}
        dy = place.expected["x"] = _input(place, dy, rng)
    return dy


def _around(place, dy, rng):
    """A sum's gradient goes both ways: through the inner layers, and past them."""
    through = measure_backward(place.inner, dy, rng)
    place.kinked = any(inner.kinked for inner in place.inner)
    place.expected = {inner.name_of(key): true for inner in place.inner for key, true in inner.expected.items() if key != "x"}
    total = dy.value + through.value
    place.expected["x"] = Measured(total, dy.noise + through.noise + EPS * (np.abs(dy.value) + np.abs(through.value)))
    return place.expected["x"]


def _parameter(place, param, dy, rng):
    x, y = place.x, place.y
    flat_batch = x.ndim == 2 and y.ndim == 2
    if flat_batch and param.shape == (x.shape[1], y.shape[1]):
        step = np.outer(rng.standard_normal(x.shape[1]), rng.standard_normal(y.shape[1]))
        size = np.abs(x) @ (np.abs(param) + np.abs(step))
        if _straight(place, place.moved(param, step), x @ step, size):
            return _product(x.T, dy, place.unit)
    if y.ndim == 2 and param.shape == y.shape[1:]:
        one, step = place.moved(param, 1.0), rng.standard_normal(param.shape)
        pattern, size = one - y, np.abs(y) + np.abs(one)
        if _straight(place, place.moved(param, step), pattern * step, 2 * size + np.abs(pattern * step)):
            noise = np.abs(pattern) * dy.noise + 8 * place.unit * size * np.abs(dy.value)
            return Measured((pattern * dy.value).sum(axis=0), noise.sum(axis=0))
    return _entries(place, param, dy, lambda: place.run())


def _input(place, dy, rng):
    x, y = place.x, place.y
    step = rng.standard_normal(x.shape) * max(1.0, np.abs(x).mean())
    for param in place.layer.params.values():
        if x.ndim == 2 and y.ndim == 2 and param.shape == (x.shape[1], y.shape[1]):
            size = (np.abs(x) + np.abs(step)) @ np.abs(param)
            if _straight(place, place.run(x + step), step @ param, size):
                turned = _product(param, Measured(dy.value.T, dy.noise.T), place.unit)
                return Measured(turned.value.T, turned.noise.T)
    if x.shape == y.shape and _apart(place, step, np.arange(x.size).reshape(x.shape)):
        return _all_at_once(place, dy)
    moving = x.copy()
    if x.ndim == 2 and y.ndim == 2 and len(x) == len(y) and _apart(place, step, np.arange(len(x))[:, None]):
        return _column_by_column(place, moving, dy)
    return _entries(place, moving, dy, lambda: place.run(moving))


def _straight(place, moved, expected, size):
    """Did a step of any length change the output by exactly what a straight line says, to rounding?"""
    bound = 32 * place.unit * (size + np.abs(place.y) + np.abs(moved))
    return bool((np.abs(moved - place.y - expected) <= bound).all())


def _apart(place, step, numbers):
    """Does an output depend only on inputs of its own number? Any two numbers differ in a binary digit, so one half of the
    inputs is moved for each digit, and then the other half; the outputs of the half that rests must rest as well."""
    for digit in range(int(numbers.max()).bit_length()):
        ones = (numbers >> digit) & 1 == 1
        for moving in (ones, ~ones):
            moved = place.run(place.x + np.where(moving, step, 0))
            if moved.shape != place.y.shape:
                return False
            same = np.abs(moved - place.y) <= 8 * place.unit * (np.abs(moved) + np.abs(place.y))
            if not (same | moving).all():
                return False
    return True


def _product(matrix, dy, unit):
    value = matrix @ dy.value
    return Measured(value, np.abs(matrix) @ (dy.noise + 8 * unit * np.abs(dy.value)))


def _all_at_once(place, dy):
    def measure(step):
        h = step * np.maximum(1.0, np.abs(place.x))
        values = [place.run(place.x + offset) for offset in (-h, -h / 2, 0.0, h / 2, h)]
        return slopes(values, h, np.max(np.abs(values), axis=0), np.abs(place.x), place.unit)

    slope, kinked = settled(measure)
    place.kinked |= bool((kinked & (dy.value != 0)).any())
    return Measured(dy.value * slope.value, np.abs(dy.value) * slope.noise + np.abs(slope.value) * dy.noise)


def _column_by_column(place, moving, dy):
    value, noise = np.zeros(moving.shape), np.zeros(moving.shape)
    reach = np.abs(moving).max()
    for column in range(moving.shape[1]):
        kept = moving[:, column].copy()

        def measure(step, column=column, kept=kept):
            h = step * np.maximum(1.0, np.abs(kept))
            values = [_with(moving[:, column], kept + offset, lambda: place.run(moving))
                      for offset in (-h, -h / 2, 0.0, h / 2, h)]
            return slopes(values, h[:, None], np.max(np.abs(values)), reach, place.unit)

        slope, kinked = settled(measure)
        place.kinked |= bool((kinked & (dy.value != 0)).any())
        moving[:, column] = kept
        value[:, column] = (dy.value * slope.value).sum(axis=1)
        noise[:, column] = _summed_noise(dy, slope, axis=1)
    return Measured(value, noise)


def _with(view, entries, run):
    view[...] = entries
    return run()


def _summed_noise(dy, slope, axis=None):
    terms = np.abs(dy.value) * slope.noise + np.abs(slope.value) * dy.noise + 8 * EPS * np.abs(dy.value * slope.value)
    return terms.sum(axis=axis)


def _entries(place, array, dy, run):
    """Any layer: each entry of an array is moved alone, and what it does to all outputs is weighed with dL/dy."""
    value, noise = np.zeros(array.shape), np.zeros(array.shape)
    reach = np.max(np.abs(array), initial=0)
    for index in watched(list(np.ndindex(array.shape))):
        kept = array[index]

        def at(entry, index=index):
            array[index] = entry
            return run()

        def measure(step, kept=kept, at=at):
            h = step * max(1.0, abs(kept))
            values = [at(kept + offset) for offset in (-h, -h / 2, 0.0, h / 2, h)]
            return slopes(values, h, np.max(np.abs(values)), reach, place.unit)

        try:
            slope, kinked = settled(measure)
        finally:
            array[index] = kept
        place.kinked |= bool((kinked & (dy.value != 0)).any())
        value[index] = (dy.value * slope.value).sum()
        noise[index] = _summed_noise(dy, slope)
    return Measured(value, noise)


def watched(indices):
    """The indices with a progress bar, once it takes longer than a second."""
    if len(indices) < 500:
        return indices
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return indices
    return tqdm(indices, desc="measuring", unit="entry", delay=LONG, leave=False)
