"""trace: what it writes down is what a loop by hand sees, and it stays."""

import numpy as np
import pytest

from bplib import (
    MSE,
    LeakyReLU,
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
    trace,
)
from tests.battery import equal
from tests.exported import batch

LABELS = np.array([0, 2, 1, 2])


def classifier():
    return Sequential(Linear(5, 6, rng=1), Sigmoid(), Linear(6, 4, rng=2), Tanh(), Linear(4, 3, rng=3))


def test_trace_is_the_loop_written_by_hand():
    x, net = batch(), classifier()
    record = trace(net, SoftmaxCrossEntropy(), x, LABELS)

    W, b = [net.params[f"{i}.W"] for i in (0, 2, 4)], [net.params[f"{i}.b"] for i in (0, 2, 4)]
    z0 = x @ W[0] + b[0]
    a0 = 1 / (1 + np.exp(-z0))
    z1 = a0 @ W[1] + b[1]
    a1 = np.tanh(z1)
    z2 = a1 @ W[2] + b[2]
    p = np.exp(z2) / np.exp(z2).sum(axis=1, keepdims=True)
    delta2 = (p - np.eye(3)[LABELS]) / 4
    delta1 = delta2 @ W[2].T * (1 - a1**2)
    delta0 = delta1 @ W[1].T * a0 * (1 - a0)
    by_hand = [
        ("0", z0, a0, delta0, x.T @ delta0, delta0.sum(axis=0), a0 * (1 - a0) * 4),
        ("2", z1, a1, delta1, a0.T @ delta1, delta1.sum(axis=0), 1 - a1**2),
        ("4", z2, z2, delta2, a1.T @ delta2, delta2.sum(axis=0), None),
    ]
    assert len(record) == 3
    assert record.loss == pytest.approx(-np.log(p[np.arange(4), LABELS]).mean(), rel=1e-14)
    for layer, (name, z, a, delta, dW, db, slope) in zip(record, by_hand, strict=True):
        assert layer.name == name
        for got, expected in ((layer.z, z), (layer.a, a), (layer.delta, delta), (layer.grads["W"], dW)):
            assert got.shape == expected.shape
            assert np.allclose(got, expected, rtol=1e-12, atol=1e-15)
        assert np.allclose(layer.grads["b"], db, rtol=1e-12, atol=1e-15)
        assert (layer.slope is None) if slope is None else np.allclose(layer.slope, slope, rtol=1e-12)


NETS = {
    "ends in an activation": lambda: Sequential(Linear(5, 4, rng=1), ReLU(), Linear(4, 3, rng=2), Sigmoid()),
    "ends in softmax": lambda: Sequential(Linear(5, 3, rng=1), Softmax()),
    "begins with an activation": lambda: Sequential(Tanh(), Linear(5, 3, rng=1)),
    "two activations": lambda: Sequential(Linear(5, 4, rng=1), Tanh(), LeakyReLU(), Linear(4, 3, rng=2)),
    "no activation": lambda: Sequential(Linear(5, 4, rng=1), Linear(4, 3, rng=2)),
    "one layer": lambda: Sequential(Linear(5, 3)),
    "without bias": lambda: Sequential(Linear(5, 3, bias=False), Sigmoid()),
    "nested": lambda: Sequential(Sequential(Linear(5, 4, rng=1), Tanh()), Sequential(ReLU(), Sequential(Linear(4, 3)))),
}


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in NETS.items()])
def test_trace_equals_forward_and_backward(make, rng):
    x, y, loss = batch(), rng.standard_normal((4, 3)), MSE()
    traced, plain = make(), make()
    record = trace(traced, loss, x, y)
    value = loss.forward(plain.forward(x), y)
    plain.backward(loss.backward())
    assert record.loss == value
    assert list(record.gradient_norms()) == list(plain.params)
    for name, grad in plain.grads.items():
        equal(traced.grads[name], grad, f"net.grads[{name!r}]")
        place, key = name.rsplit(".", 1)
        (layer,) = [layer for layer in record if layer.name == place]
        equal(layer.grads[key], grad, f"record of {name}")
        assert record.gradient_norms()[name] == pytest.approx(np.sqrt((grad**2).sum()), rel=1e-14)
    for layer in record:
        assert layer.z.shape == layer.delta.shape
        if "b" in layer.grads:  # db sums delta, so delta is dL/dz whatever the net looks like
            assert np.allclose(layer.grads["b"], layer.delta.sum(axis=0), rtol=1e-12, atol=1e-15)


def test_a_nested_net_is_traced_as_if_it_were_flat():
    def parts():
        return Linear(5, 4, rng=1), Sigmoid(), Linear(4, 3, rng=2)

    a, b, c = parts()
    nested = trace(Sequential(Sequential(a, b), c), SoftmaxCrossEntropy(), batch(), LABELS)
    flat = trace(Sequential(*parts()), SoftmaxCrossEntropy(), batch(), LABELS)
    assert [layer.name for layer in nested] == ["0.0", "1"]
    assert list(nested.saturation().values()) == list(flat.saturation().values())
    for one, other in zip(nested, flat, strict=True):
        equal(one.z, other.z, "z")
        equal(one.a, other.a, "a")
        equal(one.delta, other.delta, "delta")


def snapshot(record):
    return [(layer.z.copy(), layer.a.copy(), layer.delta.copy(), {k: g.copy() for k, g in layer.grads.items()})
            for layer in record]


def test_the_record_stays_whatever_the_net_does_next():
    net, loss, x = classifier(), SoftmaxCrossEntropy(), batch()
    record = trace(net, loss, x, LABELS)
    before = snapshot(record)
    trace(net, loss, 2 * x, LABELS[::-1])
    for array in [*net.params.values(), *net.grads.values()]:
        array[...] = -7
    x[...] = 0
    for (z, a, delta, grads), layer in zip(before, record, strict=True):
        equal(layer.z, z, "z")
        equal(layer.a, a, "a")
        equal(layer.delta, delta, "delta")
        for name, grad in grads.items():
            equal(layer.grads[name], grad, name)


def test_scribbling_on_the_record_does_not_reach_the_net():
    net, loss, x = classifier(), SoftmaxCrossEntropy(), batch()
    record = trace(net, loss, x, LABELS)
    params = {name: param.copy() for name, param in net.params.items()}
    grads = {name: grad.copy() for name, grad in net.grads.items()}
    for layer in record:
        for array in (layer.z, layer.a, layer.delta, *layer.grads.values()):
            array[...] = np.nan
        layer.grads.clear()
    for name in params:
        equal(net.params[name], params[name], name)
        equal(net.grads[name], grads[name], name)
    net.backward(loss.backward())
    for name, grad in grads.items():
        equal(net.grads[name], grad, f"{name} after another backward")


def test_a_record_cannot_be_rewritten_by_name():
    record = trace(classifier(), SoftmaxCrossEntropy(), batch(), LABELS)
    with pytest.raises(AttributeError):
        record[0].z = None
    with pytest.raises(TypeError):
        record[0] = None


@pytest.mark.parametrize(
    ("activation", "share"),
    [
        (Sigmoid(), 0.5),  # at z = +-100 the slope is gone, at 0 it is the steepest
        (Tanh(), 0.5),
        (ReLU(), 0.75),  # flat at -100, and at 0 by convention
        (LeakyReLU(0.02), 0.0),
        (LeakyReLU(0.005), 0.75),
    ],
)
def test_saturation_is_the_share_of_flat_activations(activation, share):
    net = Sequential(Linear(1, 1), activation)
    net.params["0.W"][...] = 1
    record = trace(net, MSE(), np.array([[100.0], [-100.0], [0.0], [-0.0]]), np.zeros((4, 1)))
    assert record.saturation() == {"0": share}


def test_saturation_follows_its_threshold_and_leaves_out_bare_layers():
    net = Sequential(Linear(1, 1), Sigmoid(), Linear(1, 1))
    net.params["0.W"][...] = 1
    record = trace(net, MSE(), np.array([[0.0], [1.0], [2.0], [5.0]]), np.zeros((4, 1)))
    # slopes relative to 1/4 at z = 0, 1, 2, 5: 1, 0.786, 0.42, 0.0266
    assert [record.saturation(eps)["0"] for eps in (0.01, 0.03, 0.5, 0.8, 1.1)] == [0, 0.25, 0.5, 0.75, 1]
    assert list(record.saturation()) == ["0"]


def test_errors_are_those_of_the_layers_and_the_loss():
    with pytest.raises(ValueError, match=r"^Linear\(5, 6\): expected x of shape"):
        trace(classifier(), SoftmaxCrossEntropy(), batch(features=4), LABELS)
    with pytest.raises(TypeError, match=r"^SoftmaxCrossEntropy\(\): expected y"):
        trace(classifier(), SoftmaxCrossEntropy(), batch(), LABELS.astype(float))


def test_training_reaches_the_layers():
    seen = []

    class Notes(Tanh):
        def forward(self, x, training=False):
            seen.append(training)
            return super().forward(x, training)

    net = Sequential(Linear(5, 3), Notes())
    trace(net, SoftmaxCrossEntropy(), batch(), LABELS)
    trace(net, SoftmaxCrossEntropy(), batch(), LABELS, training=True)
    assert seen == [False, True]
