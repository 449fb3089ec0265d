"""Every gradient of every exported layer and loss against the complex step, to 1e-12 of the array's size."""

import numpy as np
import pytest

from bplib import Linear, Sequential, Tanh
from tests.battery import close
from tests.exported import batch, example_of, layer_makers, like, loss_makers
from tests.oracles.complex_step import complex_allowed, gradient  # noqa: F401 - a fixture

SEEDS = range(3)


def layer_agrees(make, seed, rtol=1e-12):
    layer, x = make(np.float64), batch(n=3, seed=seed)
    u = like(layer.forward(x), seed)
    dx = layer.backward(u)
    grads = dict(layer.grads)
    other = make(np.float64)  # made alike, so what is tested stays untouched
    close(dx, gradient(lambda x: np.sum(u * other.forward(x)), x), "dx", rtol)
    for name, param in list(other.params.items()):
        owner, key = owner_of(other, name)

        def moved(value, owner=owner, key=key):
            kept, owner.params[key] = owner.params[key], value
            total = np.sum(u * other.forward(x.astype(complex)))
            owner.params[key] = kept
            return total

        close(grads[name], gradient(moved, param), name, rtol)


def owner_of(layer, name):
    """The layer that holds the parameter "1.0.W", and its own name for it."""
    *places, key = name.split(".")
    for place in places:
        layer = layer[int(place)]
    return layer, key


@pytest.mark.usefixtures("complex_allowed")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in layer_makers().items()])
def test_layer(make, seed):
    layer_agrees(make, seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("make", "targets"), [pytest.param(*pair, id=name) for name, pair in loss_makers().items()])
def test_loss(make, targets, seed):
    y_hat, y = example_of(targets, seed=seed)
    loss = make()
    loss.forward(y_hat, y)
    close(loss.backward(), gradient(lambda y_hat: loss.value(y_hat, y), y_hat), "gradient", 1e-12)


@pytest.mark.usefixtures("complex_allowed")
def test_a_whole_model_from_the_loss_to_the_input():
    for make, targets in loss_makers().values():
        net, loss = Sequential(Linear(5, 4, rng=1), Tanh(), Linear(4, 3, rng=2)), make()
        x = batch(n=3)
        y = example_of(targets, n=3)[1]
        loss.forward(net.forward(x), y)
        dx = net.backward(loss.backward())
        close(dx, gradient(lambda x, net=net, loss=loss, y=y: loss.value(net.forward(x), y), x), "dx", 1e-12)


@pytest.mark.usefixtures("complex_allowed")
@pytest.mark.parametrize("factor", [1 + 1e-11, -1, 0])
def test_the_oracle_sees_a_wrong_factor(factor):
    class Wrong(Linear):
        def backward(self, dy):
            dx = super().backward(dy)
            self.grads["b"] = self.grads["b"] * factor
            return dx

    with pytest.raises(AssertionError, match=r"^b: "):
        layer_agrees(lambda dtype: Wrong(5, 3), seed=0)


def test_layers_refuse_complex_numbers_otherwise():
    with pytest.raises(TypeError, match="complex128"):
        Linear(5, 3).forward(batch().astype(complex))
