"""Linear and Sequential: what is theirs beyond the battery of test_every_layer.py."""

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from bplib import Linear, ReLU, Sequential, Sigmoid, Softmax, Tanh
from bplib.layers import fill_grads, flat
from tests.battery import equal
from tests.exported import batch, like

SEEDS = st.integers(0, 10_000)
WIDTHS = st.integers(1, 6)


def test_linear_by_hand():
    layer = Linear(2, 3)
    layer.params["W"][...] = [[1, 2, 3], [4, 5, 6]]
    layer.params["b"][...] = [10, 20, 30]
    x, delta = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]])
    equal(layer.forward(x), np.array([[19.0, 32.0, 45.0], [6.5, 16.0, 25.5]]), "z")
    equal(layer.backward(delta), np.array([[-2.0, -2.0], [4.0, 13.0]]), "dx")
    equal(layer.grads["W"], np.array([[2.0, 0.5, -1.0], [0.0, -1.0, -2.0]]), "dW")
    equal(layer.grads["b"], np.array([3.0, 1.0, -1.0]), "db")


@given(seed=SEEDS, n=WIDTHS, n_in=WIDTHS, n_out=WIDTHS, s=st.floats(-100, 100), t=st.floats(-100, 100))
def test_without_bias_linear_is_linear(seed, n, n_in, n_out, s, t):
    layer = Linear(n_in, n_out, bias=False, rng=seed)
    x, other = batch(n, features=n_in, seed=seed), batch(n, features=n_in, seed=seed + 1)
    got = layer.forward(s * x + t * other)
    assert np.allclose(got, s * layer.forward(x) + t * layer.forward(other), rtol=0, atol=1e-10)


@given(seed=SEEDS, n=WIDTHS, n_in=WIDTHS, n_out=WIDTHS)
def test_backward_of_linear_is_its_adjoint_exactly(seed, n, n_in, n_out):
    # <u, x W> = <dx, x> = <dW, W>: the same triple sum, so to rounding and without a step.
    layer = Linear(n_in, n_out, bias=False, rng=seed)
    x = batch(n, features=n_in, seed=seed)
    z = layer.forward(x)
    u = like(z, seed)
    dx = layer.backward(u)
    assert np.vdot(u, z) == pytest.approx(np.vdot(dx, x), rel=1e-9, abs=1e-9)
    assert np.vdot(u, z) == pytest.approx(np.vdot(layer.grads["W"], layer.params["W"]), rel=1e-9, abs=1e-9)


def test_options_of_linear():
    layer = Linear(4, 3, init="zeros", bias=False, dtype=np.float32)
    assert list(layer.params) == ["W"]
    assert layer.params["W"].dtype == np.float32
    assert not layer.params["W"].any()
    assert repr(layer) == "Linear(4, 3)"
    equal(Linear(4, 3, gain=2.5, rng=7).params["W"], 2.5 * Linear(4, 3, rng=7).params["W"], "W with gain")
    equal(Linear(4, 3, rng=np.random.default_rng(7)).params["W"], Linear(4, 3, rng=7).params["W"], "W of a generator")
    assert not Linear(4, 3).params["b"].any()
    generator = np.random.default_rng(0)
    assert not np.array_equal(Linear(2, 2, rng=generator).params["W"], Linear(2, 2, rng=generator).params["W"])


def test_a_weight_rule_of_your_own_is_copied():
    mine = np.arange(6.0).reshape(3, 2)
    layer = Linear(3, 2, init=lambda n_in, n_out, rng: mine)
    equal(layer.params["W"], mine, "W")
    layer.params["W"] += 1
    assert mine[0, 0] == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_in": 0}, ValueError, "n_in to be at least 1, got 0"),
        ({"n_out": -3}, ValueError, "n_out to be at least 1, got -3"),
        ({"n_in": 2.0}, TypeError, "n_in to be a whole number, got 2.0"),
        ({"n_in": True}, TypeError, "n_in to be a whole number, got True"),
        ({"n_out": "3"}, TypeError, "n_out to be a whole number, got '3'"),
        ({"dtype": np.int64}, TypeError, "dtype"),
        ({"dtype": np.float16}, TypeError, "dtype"),
        ({"gain": "big"}, TypeError, "gain to be a number, got 'big'"),
        ({"gain": np.nan}, ValueError, "gain to be a finite number"),
        ({"init": "glorot"}, ValueError, "constant, uniform, normal, xavier, he, orthogonal or a function, got 'glorot'"),
        ({"init": ["he"]}, ValueError, "or a function"),
        ({"init": lambda n_in, n_out, rng: np.ones((n_out, n_in))}, ValueError, r"shape (2, 3), got (3, 2)"),
        ({"init": lambda n_in, n_out, rng: None}, TypeError, "starting weights"),
    ],
)
def test_linear_refuses(arguments, error, message):
    with pytest.raises(error) as caught:
        Linear(**{"n_in": 2, "n_out": 3} | arguments)
    assert message in str(caught.value)
    assert str(caught.value).startswith(("Linear: expected", "init: expected"))


def test_one_example_gets_the_advice_to_add_an_axis():
    with pytest.raises(ValueError, match=r"write x\[np\.newaxis, :\]"):
        Linear(3, 2).forward(np.ones(3))


def three():
    return Linear(5, 4, rng=1), Tanh(), Linear(4, 3, rng=2)


@pytest.mark.parametrize(
    "nest",
    [
        lambda a, b, c: Sequential(Sequential(a, b), c),
        lambda a, b, c: Sequential(a, Sequential(b, c)),
        lambda a, b, c: Sequential(Sequential(Sequential(a)), Sequential(b, Sequential(c))),
    ],
)
def test_nesting_changes_nothing(nest):
    one, other, x = Sequential(*three()), nest(*three()), batch()
    y = one.forward(x)
    equal(other.forward(x), y, "output")
    dy = like(y)
    equal(other.backward(dy), one.backward(dy), "dx")
    for got, expected in zip(other.grads.values(), one.grads.values(), strict=True):
        equal(got, expected, "gradient")
    assert len(list(flat(other))) == 3


def test_sequential_names_the_parameters_of_its_layers():
    inner = Linear(4, 3, rng=2)
    net = Sequential(Linear(5, 4), Sequential(ReLU(), inner))
    assert list(net.params) == ["0.W", "0.b", "1.1.W", "1.1.b"]
    assert net.params["1.1.W"] is inner.params["W"]
    assert dict(net.buffers) == {}
    assert dict(net.grads) == {}
    net.backward(like(net.forward(batch())))
    assert list(net.grads) == list(net.params)
    assert net.grads["1.1.b"] is inner.grads["b"]
    assert [name for name, _ in flat(net)] == ["0", "1.0", "1.1"]


def test_sequential_is_a_row_of_layers():
    layers = three()
    net = Sequential(*layers)
    assert len(net) == 3
    assert net[0] is layers[0]
    assert net[-1] is layers[-1]
    assert tuple(net) == layers
    assert repr(net) == "Sequential(Linear(5, 4), Tanh(), Linear(4, 3))"


def test_a_new_key_cannot_be_lost_in_a_gathered_dictionary():
    net = Sequential(*three())
    with pytest.raises(TypeError):
        net.params["0.W"] = np.zeros((5, 4))
    net.params["0.W"][...] = 0
    assert not net[0].params["W"].any()


def test_sequential_passes_training_on():
    class Notes(Tanh):
        def forward(self, x, training=False):
            self.training = training
            return super().forward(x, training)

    notes = Notes()
    net = Sequential(Linear(5, 2), Sequential(notes))
    for training in (True, False):
        net.forward(batch(), training)
        assert notes.training is training


@pytest.mark.parametrize("thing", [ReLU, 3, None, np.tanh, [ReLU()]])
def test_sequential_refuses_what_is_no_layer(thing):
    with pytest.raises(TypeError, match="Sequential: expected layers, got"):
        Sequential(ReLU(), thing)


def test_sequential_refuses_nothing_and_the_same_layer_twice():
    with pytest.raises(ValueError, match="at least one layer"):
        Sequential()
    relu, hidden = ReLU(), Linear(3, 3)
    for layers in ((relu, hidden, relu), (Sequential(hidden), relu, hidden), (Sequential(relu), Sequential(relu))):
        with pytest.raises(ValueError, match="the same layer"):
            Sequential(*layers)


@given(seed=SEEDS, n=WIDTHS, k=WIDTHS, shift=st.floats(-500, 500))
def test_softmax_rows_are_probabilities_and_a_shift_changes_nothing(seed, n, k, shift):
    z = 3 * batch(n, features=k, seed=seed)
    p = Softmax().forward(z)
    assert np.allclose(p.sum(axis=1), 1, rtol=0, atol=1e-14)
    assert (p > 0).all()
    assert np.allclose(Softmax().forward(z + shift), p, rtol=1e-11, atol=0)
    delta_softmax = Softmax()
    delta = delta_softmax.backward(like(delta_softmax.forward(z), seed))
    assert np.allclose(delta.sum(axis=1), 0, rtol=0, atol=1e-14)


def test_softmax_of_two_is_sigmoid():
    z = 4 * batch(20, features=1)
    p = Softmax().f(np.hstack([z, np.zeros_like(z)]))
    assert np.allclose(p[:, :1], Sigmoid().f(z), rtol=1e-14, atol=0)


@pytest.mark.parametrize("widths", list(itertools.permutations((2, 3, 5))))
def test_a_net_of_linear_layers_is_one_linear_layer(widths):
    d, h, k = widths
    first, second = Linear(d, h, bias=False, rng=1), Linear(h, k, bias=False, rng=2)
    x = batch(features=d)
    y = Sequential(first, second).forward(x)
    assert np.allclose(y, x @ (first.params["W"] @ second.params["W"]), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("nested", [False, True])
def test_fill_grads_gives_what_backward_gives(nested):
    front = Linear(3, 4)
    net = Sequential(Sequential(front, ReLU()), Linear(4, 2)) if nested else Sequential(front, ReLU(), Linear(4, 2))
    dy = np.random.default_rng(1).standard_normal((5, 2))
    net.forward(np.random.default_rng(0).standard_normal((5, 3)))
    net.backward(dy)
    expected = dict(net.grads)
    net.backward(np.zeros_like(dy))
    fill_grads(net, dy)
    assert net.grads.keys() == expected.keys()
    for name, grad in net.grads.items():
        np.testing.assert_array_equal(grad, expected[name])


def test_fill_grads_asks_a_backward_of_its_own():
    class Doubled(Linear):
        def backward(self, dy):
            return super().backward(2 * dy)

    layer, dy = Doubled(3, 2), np.ones((4, 2))
    layer.forward(np.ones((4, 3)))
    fill_grads(Sequential(layer), dy)
    np.testing.assert_array_equal(layer.grads["b"], [8, 8])
