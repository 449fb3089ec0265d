"""One battery for every exported layer and loss: a new one is tested by existing. And the battery itself is tested."""

import numpy as np
import pytest

from bplib import MSE, Elementwise, Layer, Linear, Loss, ReLU, Sequential, Sigmoid
from tests import battery
from tests.exported import ABSTRACT, FEATURES, LAYERS, TARGETS, exported, layer_makers, loss_makers, needs_arguments


@pytest.mark.parametrize("promise", battery.LAYER_BATTERY, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in layer_makers().items()])
def test_layer(make, promise):
    promise(make)


@pytest.mark.parametrize("promise", battery.LOSS_BATTERY, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize(("make", "targets"), [pytest.param(*pair, id=name) for name, pair in loss_makers().items()])
def test_loss(make, targets, promise):
    promise(make, targets)


def without_example(layers, losses):
    """The names of those that the battery could not make."""
    made = {name.split(",")[0] for name in [*layer_makers(), *loss_makers()]}
    missing = [name for name, cls in layers.items() if name not in made and (needs_arguments(cls) or name in LAYERS)]
    return missing + [name for name in losses if name not in TARGETS]


def test_every_exported_layer_and_loss_has_an_example():
    assert without_example(exported(Layer), exported(Loss)) == []
    assert {"Linear", "Sequential", "Sigmoid", "Tanh", "ReLU", "LeakyReLU", "Softmax"} <= set(exported(Layer))
    assert {"MSE", "BinaryCrossEntropy", "SoftmaxCrossEntropy"} <= set(exported(Loss))


def test_a_layer_or_loss_without_an_example_is_noticed():
    class Needy(Layer):
        def __init__(self, width):
            super().__init__()

    assert without_example({"Needy": Needy}, {"Unheard": Loss}) == ["Needy", "Unheard"]


@pytest.mark.parametrize("cls", sorted(ABSTRACT, key=lambda cls: cls.__name__))
def test_the_abstract_ones_do_nothing_by_themselves(cls):
    arguments = [np.ones((2, 2))] * (2 if cls is Loss else 1)
    with pytest.raises(NotImplementedError):
        cls().forward(*arguments)


# Broken on purpose: each must be caught by the promise that it breaks.


class Halves(Elementwise):
    """A right layer to break: a = z / 2."""

    def f(self, z):
        return z / 2

    def derivative(self, z, a):
        return np.full_like(z, 0.5)


class TransposedDx(Halves):
    def backward(self, dy):
        return super().backward(dy).T


class DoublePrecision(Halves):
    def f(self, z):
        return z * np.float64(0.5)


class TruncatesIntegers(Halves):
    def forward(self, x, training=False):
        x = np.asarray(x)
        return super().forward(x // 2 * 2 if x.dtype.kind == "i" else x)


class ArraysOnly(Halves):
    def forward(self, x, training=False):
        x.shape  # noqa: B018 - a list has none
        return super().forward(x)


class AcceptsAnything(Halves):
    def forward(self, x, training=False):
        return np.asarray(x, float) / 2


class Nameless(Halves):
    def forward(self, x, training=False):
        try:
            return super().forward(x)
        except ValueError:
            raise ValueError("bad input") from None


class HidesNan(Halves):
    def f(self, z):
        return np.nan_to_num(z) / 2


class ForgivesMissingForward(Halves):
    def backward(self, dy):
        return dy / 2


class BroadcastsUpstream(Halves):
    def backward(self, dy):
        return np.broadcast_to(np.asarray(dy, float), self._cache[0].shape) / 2


class OneBuffer(Halves):
    """Writes every output into the same array."""

    def forward(self, x, training=False):
        a = super().forward(x)
        if not hasattr(self, "out") or self.out.shape != a.shape:
            self.out = a
        self.out[...] = a
        return self.out


class GradientBuffer(Linear):
    """Writes every gradient into the same array."""

    def __init__(self):
        super().__init__(FEATURES, 3)
        self.kept = np.empty((FEATURES, 3))

    def backward(self, dy):
        dx = super().backward(dy)
        self.kept[...] = self.grads["W"]
        self.grads["W"] = self.kept
        return dx


class ReturnsItsInput(Halves):
    def f(self, z):
        return z

    def derivative(self, z, a):
        return np.ones_like(z)


class InPlace(Halves):
    def f(self, z):
        z *= 0.5
        return z.copy()


class ConsumesUpstream(Halves):
    def backward(self, dy):
        dx = super().backward(dy)
        np.asarray(dy)[...] = 0
        return dx


class Accumulates(Linear):
    def __init__(self):
        super().__init__(FEATURES, 3)

    def backward(self, dy):
        old = self.grads
        dx = super().backward(dy)
        self.grads = {name: grad + old.get(name, 0) for name, grad in self.grads.items()}
        return dx


class RemembersFirstBatch(Linear):
    first = None

    def __init__(self):
        super().__init__(FEATURES, 3)

    def backward(self, dy):
        dx = super().backward(dy)
        self.first = self.grads if self.first is None else self.first
        self.grads = self.first
        return dx


class MixesExamples(Halves):
    def f(self, z):
        return (z - z.mean(axis=0)) / 2


class MeanOverBatch(Linear):
    def __init__(self):
        super().__init__(FEATURES, 3)

    def backward(self, dy):
        dx = super().backward(dy)
        self.grads["b"] = self.grads["b"] / len(dx)
        return dx


class ReadsMemoryInOrder(Halves):
    def f(self, z):
        return z.ravel(order="K").reshape(z.shape) / 2


class Overflows(Halves):
    def f(self, z):
        return np.exp(z) / (1 + np.exp(z))


class NoTraining(Halves):
    def forward(self, x):
        return super().forward(x)


class FrozenParameters(Linear):
    def __init__(self):
        super().__init__(FEATURES, 3)
        self.params["W"].flags.writeable = False


class IgnoresUpstream(Halves):
    def backward(self, dy):
        return super().backward(np.ones_like(dy))


class WrongSlope(Sigmoid):
    def derivative(self, z, a):
        return super().derivative(a, self.f(a))


class NoBiasGradient(Linear):
    def __init__(self):
        super().__init__(FEATURES, 3)

    def backward(self, dy):
        dx = super().backward(dy)
        del self.grads["b"]
        return dx


CAUGHT = (AssertionError, AttributeError, TypeError, ValueError, FloatingPointError, pytest.fail.Exception)
BROKEN_LAYERS = [
    (TransposedDx, battery.shapes_out_and_back),
    (NoBiasGradient, battery.shapes_out_and_back),
    (DoublePrecision, battery.dtypes),
    (TruncatesIntegers, battery.integers_become_float64),
    (ArraysOnly, battery.lists_are_accepted),
    (AcceptsAnything, battery.bad_input_is_refused),
    (Nameless, battery.bad_input_is_refused),
    (HidesNan, battery.nan_is_never_hidden),
    (MixesExamples, battery.nan_is_never_hidden),
    (ForgivesMissingForward, battery.backward_needs_forward),
    (BroadcastsUpstream, battery.wrong_upstream_is_refused),
    (OneBuffer, battery.what_was_returned_stays),
    (GradientBuffer, battery.what_was_returned_stays),
    (ReturnsItsInput, battery.nothing_is_shared),
    (InPlace, battery.arguments_and_parameters_stay),
    (ConsumesUpstream, battery.arguments_and_parameters_stay),
    (Accumulates, battery.passes_are_repeatable),
    (RemembersFirstBatch, battery.other_batches_follow),
    (MixesExamples, battery.rows_are_examples),
    (MeanOverBatch, battery.rows_are_examples),
    (ReadsMemoryInOrder, battery.memory_layouts),
    (InPlace, battery.memory_layouts),
    (Overflows, battery.extremes_stay_finite),
    (NoTraining, battery.training_is_a_keyword),
    (FrozenParameters, battery.state_is_in_dictionaries),
    (IgnoresUpstream, battery.zero_upstream_gives_zero),
    (WrongSlope, battery.backward_is_the_transposed_jacobian),
]


@pytest.mark.parametrize(("broken", "promise"), BROKEN_LAYERS)
def test_the_battery_catches_a_broken_layer(broken, promise):
    with pytest.raises(CAUGHT):
        promise(lambda dtype: broken())


def test_every_promise_about_layers_can_be_broken():
    assert {promise for _, promise in BROKEN_LAYERS} == set(battery.LAYER_BATTERY)


@pytest.mark.parametrize("promise", battery.LAYER_BATTERY, ids=lambda promise: promise.__name__)
def test_the_battery_accepts_a_right_layer(promise):
    promise(lambda dtype: Halves())


class ArrayValue(MSE):
    def forward(self, y_hat, y):
        return np.array(super().forward(y_hat, y))


class FlatGradient(MSE):
    def gradient(self, y_hat, y):
        return super().gradient(y_hat, y).ravel()


class WidensGradient(MSE):
    def gradient(self, y_hat, y):
        return super().gradient(y_hat, y).astype(np.float64)


class ArraysOnlyLoss(MSE):
    def check(self, y_hat, y):
        assert y_hat.dtype == y.dtype
        return y_hat, y


class Broadcasts(MSE):
    def check(self, y_hat, y):
        return np.asarray(y_hat), np.asarray(y)


class HidesNanLoss(MSE):
    def value(self, y_hat, y):
        return np.nanmean((y_hat - y) ** 2)


class DefaultGradient(MSE):
    def backward(self):
        return np.zeros(3) if self._cache is None else super().backward()


class OneGradientBuffer(MSE):
    def backward(self):
        gradient = super().backward()
        self.out = getattr(self, "out", gradient)
        rows = min(len(gradient), len(self.out))
        self.out[:rows] = gradient[:rows]
        return self.out


class ReadsLossInOrder(MSE):
    def value(self, y_hat, y):
        return np.mean((y_hat.ravel(order="K") - y.ravel()) ** 2)


class LogOfSigmoid(MSE):
    def value(self, y_hat, y):
        return -np.mean(np.log(1 / (1 + np.exp(-y_hat))))


class SumsOverBatch(MSE):
    def value(self, y_hat, y):
        return np.sum((y_hat - y) ** 2)

    def gradient(self, y_hat, y):
        return 2 * (y_hat - y)


class OtherFormula(MSE):
    def forward(self, y_hat, y):
        return 2 * super().forward(y_hat, y)


class MissingTwo(MSE):
    def gradient(self, y_hat, y):
        return super().gradient(y_hat, y) / 2


BROKEN_LOSSES = [
    (ArrayValue, battery.loss_is_a_float),
    (FlatGradient, battery.loss_gradient_has_its_shape_and_dtype),
    (WidensGradient, battery.loss_gradient_has_its_shape_and_dtype),
    (ArraysOnlyLoss, battery.loss_takes_lists_and_integers),
    (Broadcasts, battery.loss_refuses_bad_input),
    (HidesNanLoss, battery.loss_shows_nan),
    (DefaultGradient, battery.loss_backward_needs_forward),
    (OneGradientBuffer, battery.loss_changes_and_shares_nothing),
    (ReadsLossInOrder, battery.loss_reads_any_memory_layout),
    (LogOfSigmoid, battery.loss_stays_finite),
    (SumsOverBatch, battery.loss_is_a_mean_over_the_batch),
    (OtherFormula, battery.loss_forward_is_its_formula),
    (MissingTwo, battery.loss_gradient_is_its_slope),
]


@pytest.mark.parametrize(("broken", "promise"), BROKEN_LOSSES)
def test_the_battery_catches_a_broken_loss(broken, promise):
    with pytest.raises(CAUGHT):
        promise(broken, TARGETS["MSE"])


def test_every_promise_about_losses_can_be_broken():
    assert {promise for _, promise in BROKEN_LOSSES} == set(battery.LOSS_BATTERY)


def test_errors_inside_a_net_name_the_layer_that_refuses():
    net = Sequential(Linear(FEATURES, 4), ReLU(), Linear(3, 2))
    with pytest.raises(ValueError, match=r"^Linear\(3, 2\): expected x of shape \(n, 3\), got \(2, 4\)\.$"):
        net.forward(np.ones((2, FEATURES)))
