"""Normalisation, dropout and residuals: what is said of them, in training and in evaluation, and what the checker says."""

import numpy as np
import pytest

from bplib import (
    ELU,
    GELU,
    MSE,
    BatchNorm,
    Dropout,
    LayerNorm,
    Linear,
    ReLU,
    Residual,
    Sequential,
    SoftmaxCrossEntropy,
    Tanh,
    check_gradients,
    trace,
)
from tests.exported import batch, like

LABELS = np.array([0, 2, 1, 2, 0, 1])


def block(rng=1):
    return Residual(LayerNorm(6), Linear(6, 8, init="he", rng=rng), ReLU(), Linear(8, 6, rng=rng + 1))


NETWORKS = {
    "batch norm": lambda: Sequential(Linear(5, 6, rng=1), BatchNorm(6), Tanh(), Linear(6, 3, rng=2)),
    "layer norm": lambda: Sequential(Linear(5, 6, rng=1), LayerNorm(6), GELU(), Linear(6, 3, rng=2)),
    "dropout": lambda: Sequential(Linear(5, 6, rng=1), ELU(), Dropout(0.4, rng=3), Linear(6, 3, rng=2)),
    "residual": lambda: Sequential(Linear(5, 6, rng=1), block(3), block(5), Linear(6, 3, rng=2)),
    "residual with all": lambda: Sequential(
        Linear(5, 6, rng=1), Residual(BatchNorm(6), Tanh(), Dropout(0.3, rng=1), Linear(6, 6, rng=2)), Linear(6, 3, rng=2)
    ),
    "residual in a residual": lambda: Sequential(Linear(5, 6, rng=1), Residual(block(), Tanh()), Linear(6, 3, rng=2)),
}


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_checker_agrees(name, training):
    net = NETWORKS[name]()
    before = {key: array.copy() for key, array in [*net.params.items(), *net.buffers.items()]}
    report = check_gradients(net, SoftmaxCrossEntropy(), batch(6), LABELS, training=training)
    assert report.ok, report
    assert set(report) == {*net.params, "x"}
    # Behind a batch normalisation a bias changes nothing: its true gradient is zero.
    flat = {"0.b"} if name == "batch norm" and training else set()
    assert {key for key, finding in report.items() if finding.verdict == "flat"} <= flat
    for key, array in [*net.params.items(), *net.buffers.items()]:
        assert np.array_equal(array, before[key]), f"the check changed {key}"


class NoWayAround(Residual):
    """Goes back through the layers, and forgets the way around them."""

    def backward(self, dy):
        return Sequential.backward(self, dy)


class MeanIgnored(BatchNorm):
    """As if the mean did not depend on x."""

    def backward(self, dy):
        super().backward(dy)
        x_hat, s, _ = self._cache
        d = dy * self.params["gamma"]
        return (d - x_hat * (d * x_hat).mean(axis=0)) / s


class SpreadIgnored(LayerNorm):
    """As if the spread did not depend on x."""

    def backward(self, dy):
        super().backward(dy)
        _, s, _ = self._cache
        d = dy * self.params["gamma"]
        return (d - d.mean(axis=1, keepdims=True)) / s


class OtherMask(Dropout):
    """Draws a new mask on the way back."""

    def backward(self, dy):
        return dy * (self.rng.random(dy.shape) >= self.p) / (1 - self.p)


class SlipInside(Tanh):
    """The slope is taken of the wrong number."""

    def derivative(self, z, a):
        return 1 - z**2


BROKEN = {
    "residual": (Sequential(Linear(5, 4, rng=1), NoWayAround(Linear(4, 4, rng=2), Tanh())), "1.0.W", {"0.W", "0.b", "x"}),
    "mean": (Sequential(Linear(5, 4, rng=1), MeanIgnored(4)), "1.gamma", {"0.W", "0.b", "x"}),
    "spread": (Sequential(Linear(5, 4, rng=1), SpreadIgnored(4)), "1.gamma", {"0.W", "0.b", "x"}),
    "inside": (Sequential(Linear(5, 4, rng=1), Residual(Linear(4, 4, rng=2), SlipInside())), None, {"0.W", "1.0.W", "x"}),
}


@pytest.mark.parametrize(("net", "right", "wrong"), BROKEN.values(), ids=BROKEN)
def test_the_checker_finds_a_wrong_one(net, right, wrong):
    report = check_gradients(net, MSE(), batch(6), like(batch(6, features=4)), training=True)
    found = {key for key, finding in report.items() if finding.verdict == "mismatch"}
    assert wrong <= found
    assert right not in found
    assert "layer 1, " in report["0.W"].message


def test_a_new_mask_on_the_way_back_is_found():
    report = check_gradients(Sequential(Linear(5, 4, rng=1), OtherMask(0.5)), batch(6), training=True)
    assert not report.ok


def test_training_normalises_the_batch_and_evaluation_what_was_seen():
    layer, x = BatchNorm(5), 3 + 2 * batch(40)
    y = layer.forward(x, training=True)
    assert np.allclose(y.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(y.std(axis=0), 1, rtol=1e-4)
    for _ in range(200):
        layer.forward(x, training=True)
    alone = np.concatenate([layer.forward(row[np.newaxis]) for row in x])
    assert np.allclose(alone, layer.forward(x), rtol=1e-12), "in evaluation examples do not depend on each other"
    assert np.allclose(alone.mean(axis=0), 0, atol=1e-6), "the running mean has arrived"


def test_evaluation_leaves_the_running_statistics():
    layer = BatchNorm(5)
    before = layer.buffers
    layer.forward(batch(6))
    assert layer.buffers is before


def test_running_statistics_make_new_arrays():
    layer = BatchNorm(5)
    kept = layer.buffers["mean"]
    layer.forward(1 + batch(6), training=True)
    assert not kept.any()


def test_one_example_has_no_spread():
    layer = BatchNorm(5)
    with pytest.raises(ValueError, match=r"BatchNorm\(5\): expected at least 2 examples in training, got 1"):
        layer.forward(batch(1), training=True)
    assert not layer.buffers["mean"].any()
    assert layer.forward(batch(1)).shape == (1, 5)


def test_a_feature_without_spread_stays_finite():
    x = batch(6)
    x[:, 2] = 7
    y = BatchNorm(5).forward(x, training=True)
    assert (y[:, 2] == 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_keeps_the_dtype(dtype):
    for layer in (BatchNorm(5, dtype=dtype), LayerNorm(5, dtype=dtype), Dropout(0.3)):
        y = layer.forward(batch(6, dtype), training=True)
        assert y.dtype == layer.backward(y).dtype == dtype
        assert {array.dtype for array in (*layer.grads.values(), *layer.buffers.values())} <= {np.dtype(dtype)}


def test_dropout_is_the_same_for_the_same_seed_and_another_each_time():
    first, again = Dropout(0.5, rng=1), Dropout(0.5, rng=1)
    x = batch(20)
    one = first.forward(x, training=True)
    assert np.array_equal(one, again.forward(x, training=True))
    assert not np.array_equal(one, first.forward(x, training=True))


def test_a_residual_needs_layers_that_keep_the_shape():
    with pytest.raises(ValueError, match=r"^Residual\(Linear\(5, 4\)\): expected layers that keep x's shape .* got \(6, 4\)"):
        Residual(Linear(5, 4)).forward(batch(6))


def test_a_trace_goes_through_residuals():
    net = Sequential(Linear(5, 6, rng=1), block(), Linear(6, 3, rng=2))
    record = trace(net, SoftmaxCrossEntropy(), batch(6), LABELS)
    assert [layer.name for layer in record] == ["0", "1", "2"]
    assert "1.1.W" in record.gradient_norms()


BAD = {
    "momentum": (lambda: BatchNorm(3, momentum=1.5), ValueError, "expected momentum from 0 to 1, got 1.5"),
    "width": (lambda: BatchNorm(0), ValueError, "expected features to be at least 1"),
    "floor": (lambda: LayerNorm(3, floor=0), ValueError, "expected floor to be a finite number greater than 0"),
    "all dropped": (lambda: Dropout(1), ValueError, "expected p from 0 to less than 1, got 1"),
    "word": (lambda: Dropout("half"), TypeError, "expected p to be a number, got 'half'"),
    "scale": (lambda: ELU(-1), ValueError, "ELU: expected scale to be a finite number greater than 0"),
}


@pytest.mark.parametrize(("make", "error", "message"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
