"""What a gradient check puts on trial: a number that depends on some arrays, and the gradients that are claimed for them."""
import numpy as np

from bplib.diagnosis import Diagnosis, diagnose, suspects
from bplib.losses import Loss
from bplib.measure import EPS, Measured, generators, innermost, leaves, measure_backward, places, rewind, scalar_gradient

INPUT_CHANGED = Diagnosis("input-changed", "Work on a copy: x + 1 makes a new array, x += 1 changes the caller's.")


class Subject:
    """A scalar function of named arrays, and the gradients that are claimed for them."""

    unit = EPS  # the rounding error of the value, relative to `size`

    def __init__(self, arrays):
        self.arrays = arrays
        self.touched = set()  # the names of arrays that were changed in place
        self.known = {}  # the measured gradients

    def value(self):
        """The number whose slopes are in question, with the same random numbers every time."""
        raise NotImplementedError

    def claimed(self, other=False, unset=np.nan):
        """The claimed gradients by name; with `other`, for another batch, which must leave no trace. All `grads` are `unset`
        before, so that nothing left over can pass for new."""
        raise NotImplementedError

    def size(self):
        """Of the numbers that add up to the value, which may be much larger than the value: rounding acts on them."""
        return abs(self.value())

    def measured(self, rng):
        """The true gradients by name, Measured, and whether a kink is in the way; None where they cannot be had."""
        raise NotImplementedError

    def culprit(self, name, grad, true):
        """Who spoils a wrong gradient, in words, None where it is the array's own layer; and a Diagnosis or None."""
        return None, diagnose(grad, true, rtol=1e-5)

    def first_not_finite(self):
        """Which layer is the first whose output is not finite, in words."""
        return ""


class FunctionSubject(Subject):
    """A plain function with a gradient, or a loss with its own."""

    def __init__(self, name, array, f, gradient):
        super().__init__({name: array})
        self.name, self.f, self.gradient = name, f, gradient
        self.fixed = not callable(gradient)

    def value(self):
        return one_number(self.f(self.arrays[self.name].copy()))

    def claimed(self, other=False, unset=np.nan):
        array = self.arrays[self.name]
        handed = other_batch(array) if other else array.copy()
        before = handed.copy()
        grad = self.gradient if self.fixed else self.gradient(handed)
        if not np.array_equal(handed, before):
            self.touched.add(self.name)
        return {self.name: None if grad is None else np.array(grad)}

    def measured(self, rng):
        array = self.arrays[self.name]
        found, kinked = scalar_gradient(self.value, array, self.size())
        if self.fixed and kinked.any():
            # A gradient of this point only cannot be asked nearby, so nothing is said of these entries.
            found, kinked = Measured(found.value, np.where(kinked, np.inf, found.noise)), np.False_
        return {self.name: found}, bool(kinked.any())


class ModelSubject(Subject):
    """A layer or a network, with a loss or with a random upstream gradient u: the value is then the sum of u * output."""

    def __init__(self, model, x, training, loss=None, y=None, rng=None, restore=None):
        super().__init__(dict(model.params) | {"x": x})
        self.model, self.training, self.loss, self.y, self.restore = model, training, loss, y, restore
        self.states = generators(model)
        self.places, self.spoilers = None, None
        # The first batch that the model sees is another one: what it keeps of that for ever will be found.
        shape = np.shape(self.forward(other_batch(x)))
        self.u = rng.standard_normal(shape) if loss is None else None

    def forward(self, x):
        rewind(self.states)
        return self.model.forward(x, self.training)

    def value(self):
        y_hat = self.forward(self.arrays["x"].copy())
        return float(np.vdot(self.u, y_hat)) if self.loss is None else self.loss.forward(y_hat, self.y)

    def size(self):
        y_hat = self.forward(self.arrays["x"].copy())
        if self.loss is None:
            return float(np.abs(self.u * y_hat).sum())
        value = self.loss.forward(y_hat, self.y)
        return abs(value) + float(np.abs(self.loss.backward() * y_hat).sum() + np.abs(y_hat).max())

    def claimed(self, other=False, unset=np.nan):
        x, y, u = self.arrays["x"], self.y, self.u
        if other:
            x, y, u = other_batch(x), _reversed(y), _reversed(u)
        for layer in innermost(self.model):
            layer.grads = {name: np.full_like(param, unset) for name, param in layer.params.items()}
        handed = x.copy()
        y_hat = self.forward(handed)
        if self.loss is not None:
            self.loss.forward(y_hat, y)
            u = self.loss.backward()
        dx = self.model.backward(u.copy())
        if not np.array_equal(handed, x):
            self.touched.add("x")
        grads = {name: np.array(grad) for name, grad in self.model.grads.items()}
        return grads | {"x": None if dx is None else np.array(dx)}

    @property
    def unit(self):
        return max((place.unit for place in self.places or ()), default=EPS)

    def measured(self, rng):
        rewind(self.states)
        found = self.places = places(self.model, self.arrays["x"], self.training)
        if found is None:
            return None
        self.spoilers = None
        y_hat = np.array(found[-1].y, dtype=np.float64)
        if self.loss is None:
            dy, kinked = Measured(self.u, np.zeros(self.u.shape)), np.False_
        else:
            scale = abs(self.loss.forward(y_hat, self.y)) + float(np.abs(y_hat).max())
            dy, kinked = scalar_gradient(self._loss_of(y_hat), y_hat, scale, found[-1].unit)
        dx = measure_backward(found, dy, rng)
        known = {place.name_of(key): grad for place in found for key, grad in place.expected.items() if key != "x"}
        return known | {"x": dx}, bool(kinked.any()) or any(place.kinked for place in found)

    def _loss_of(self, y_hat):
        if type(self.loss).forward is not Loss.forward:
            return lambda: self.loss.forward(y_hat, self.y)
        checked = self.loss.check(y_hat, self.y)  # once, and not for each of many thousand steps
        if checked[0] is not y_hat:
            return lambda: self.loss.forward(y_hat, self.y)
        return lambda: float(self.loss.value(*checked))

    def culprit(self, name, grad, true):
        if self.spoilers is None:
            self.spoilers = self._find_spoilers() if self.places else {}
        who, found = self.spoilers.get(name, (None, None))
        return who, found or diagnose(grad, true, rtol=1e-5, sizes=self._sizes(true)) or self._stale(name)

    def _stale(self, name):
        self.restore()
        fresh = self.claimed()[name]
        if name in self.known and fresh is not None and not differ(fresh, self.known[name]):
            return Diagnosis("stale", "It is right as long as no other batch came before: something is kept from an earlier one.")
        return None

    def _sizes(self, array):
        n = len(self.arrays["x"])
        outputs = self.places[-1].y.size // n if self.places else 1
        return {"n": n, "outputs": outputs}

    def _find_spoilers(self):
        """Each layer alone, with the true upstream gradient: who is wrong? {name: (who, Diagnosis)}; who is None where it is
        the layer whose own array it is."""
        found, passed = {}, None
        last = self.places[-1]
        if self.loss is not None:
            self.loss.forward(last.y, self.y)
            dy = np.asarray(self.loss.backward())
            if differ(dy, last.got):
                passed = f"the loss {type(self.loss).__name__}", diagnose(dy, last.got.value, rtol=1e-5, sizes=self._sizes(dy))
        for place in reversed(self.places):
            others = [other.layer for other in self.places if other is not place]
            expected = {key: true.value for key, true in place.expected.items()}
            handed = place.x.copy()
            rewind(place.states)
            place.layer.forward(handed, self.training)
            dx = place.layer.backward(place.got.value.copy())
            claimed = dict(place.layer.grads) | {"x": dx}
            own = {}
            for key, true in place.expected.items():
                if claimed.get(key) is not None and differ(claimed[key], true):
                    arrays = place.x, np.asarray(place.y, float), place.got.value
                    guesses = suspects(place.layer, key, *arrays, expected, claimed[key], others)
                    own[key] = diagnose(claimed[key], true.value, rtol=1e-5, suspects=guesses, sizes=self._sizes(true.value))
            for key in place.layer.params:
                found[place.name_of(key)] = (None, own[key]) if key in own else passed or (None, None)
            if not np.array_equal(handed, place.x):
                passed = (f"layer {place.name}, {place.layer!r}," if place.name else None), INPUT_CHANGED
            elif "x" in own:
                passed = (f"layer {place.name}, {place.layer!r}," if place.name else None), own["x"]
        found["x"] = passed or (None, None)
        return found

    def first_not_finite(self):
        rewind(self.states)
        x = self.arrays["x"]
        for name, layer in leaves(self.model):
            x = layer.forward(x, self.training)
            if not np.isfinite(x).all():
                return f" Layer {name or repr(layer)} is the first whose output is not finite."
        return " The outputs are finite, the loss is not."


def differ(claimed, true):
    """Does a claimed gradient differ from the measured one by more than noise?"""
    claimed = np.asarray(claimed)
    if claimed.shape != true.value.shape:
        return True
    gap = np.abs(claimed - true.value)
    return not (gap <= 1e-7 * np.maximum(np.abs(claimed), np.abs(true.value)) + true.noise + 1e-307).all()


def other_batch(x):
    """Another batch that fits: the rows the other way round, half as large."""
    return 0.5 * _reversed(x)


def _reversed(rows):
    return rows if rows is None else np.asarray(rows)[::-1].copy()



def one_number(value):
    """`value` as a number. ValueError where it is more than one.

    Raises
    ------
    ValueError : the value is an array of several entries.
    """
    value = np.asarray(value)
    if value.size != 1:
        raise ValueError(f"numerical_gradient: expected f to give one number, got an array of shape {value.shape}. "
                         "A gradient is of a scalar: sum the result, or weigh it with an upstream gradient first.")
    return value.reshape(()).item()


