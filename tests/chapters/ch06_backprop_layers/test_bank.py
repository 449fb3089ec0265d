"""The references of chapter 06 are right, by independent means; typical answers get the right words."""

import numpy as np
import pytest

from bplib import MSE, Linear, Sequential, Tanh, numerical_gradient
from course.catalogue import find
from course.grading.core import CORRECT, ERROR, WRONG


def reference(name):
    return find(f"backprop_layers.{name}").reference


def judge(name, answer):
    return find(f"backprop_layers.{name}").judge(answer)


def test_linear_backward_is_what_a_measurement_finds(rng):
    x, W, dy = rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (3, 5)), rng.normal(0, 1, (4, 5))
    dW, db, dx = reference("linear_backward")(x, W, dy)
    np.testing.assert_allclose(dW, numerical_gradient(lambda W: np.sum(dy * (x @ W)), W), rtol=1e-7)
    np.testing.assert_allclose(db, numerical_gradient(lambda b: np.sum(dy * (x @ W + b)), np.zeros(5)), rtol=1e-7)
    np.testing.assert_allclose(dx, numerical_gradient(lambda x: np.sum(dy * (x @ W)), x), rtol=1e-7)


def test_deltas_are_what_a_measurement_finds(rng):
    z, da, y = rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (4, 3)), rng.uniform(0, 1, (4, 3))

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    measured = numerical_gradient(lambda z: np.sum(da * sigmoid(z)), z)
    np.testing.assert_allclose(reference("sigmoid_backward")(z, da), measured, rtol=1e-7)
    measured = numerical_gradient(lambda z: np.mean((sigmoid(z) - y) ** 2), z)
    np.testing.assert_allclose(reference("output_delta")(sigmoid(z), y), measured, rtol=1e-7, atol=1e-12)
    W, delta = rng.normal(0, 1, (3, 5)), rng.normal(0, 1, (4, 5))
    measured = numerical_gradient(lambda z: np.sum(delta * (np.tanh(z) @ W)), z)
    np.testing.assert_allclose(reference("hidden_delta")(delta, W, z), measured, rtol=1e-6)


def test_conversion_between_books(rng):
    n, x, W, y = 7, rng.normal(0, 1, (7, 5)), rng.normal(0, 1, (5, 3)), rng.normal(0, 1, (7, 3))
    theirs = numerical_gradient(lambda V: np.sum((V @ x.T - y.T) ** 2) / (2 * n), W.T.copy(), method="complex")
    ours = numerical_gradient(lambda W: np.mean((x @ W - y) ** 2), W, method="complex")
    np.testing.assert_allclose(reference("convert")(theirs, n), ours, rtol=1e-6)


def test_every_station_is_that_of_the_library_and_of_a_measurement(rng):
    x, y = rng.normal(0, 1, (5, 3)), rng.normal(0, 1, (5, 2))
    arrays = [rng.normal(0, 1, shape) for shape in ((3, 4), 4, (4, 2), 2)]
    *_, dW2, db2, _, dW1, db1, dx = reference("two_layers")(x, y, *arrays)

    def loss(place, array):
        W1, b1, W2, b2 = [*arrays[:place], array, *arrays[place + 1:]]
        return np.mean((np.tanh(x @ W1 + b1) @ W2 + b2 - y) ** 2)

    for place, grad in enumerate((dW1, db1, dW2, db2)):
        measured = numerical_gradient(lambda array, place=place: loss(place, array), arrays[place])
        np.testing.assert_allclose(grad, measured, rtol=1e-6, atol=1e-11)
    W1, b1, W2, b2 = arrays
    measured = numerical_gradient(lambda x: np.mean((np.tanh(x @ W1 + b1) @ W2 + b2 - y) ** 2), x)
    np.testing.assert_allclose(dx, measured, rtol=1e-6, atol=1e-11)


def test_training_long_enough_learns_xor():
    rng = np.random.default_rng(3)
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([[0.0], [1.0], [1.0], [0.0]])
    start = rng.normal(0, 1, (2, 3)), np.zeros(3), rng.normal(0, 1, (3, 1)), np.zeros(1)
    W1, b1, W2, b2 = reference("train")(x, y, *start, lr=0.5, steps=2000)
    assert ((np.tanh(x @ W1 + b1) @ W2 + b2 > 0.5) == (y > 0.5)).all()


def test_equal_units_do_stay_equal():
    net, loss = Sequential(Linear(2, 5, init="constant", gain=0.3), Tanh(), Linear(5, 1, init="constant", gain=0.3)), MSE()
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    for _ in range(100):
        loss.forward(net.forward(x), np.array([[0.0], [1.0], [1.0], [0.0]]))
        net.backward(loss.backward())
        for param, grad in zip(net.params.values(), net.grads.values()):
            param -= 0.5 * grad
    # Products of matrices may round the columns differently in their last digit.
    assert len({tuple(column) for column in net.params["0.W"].T.round(9)}) == reference("symmetry") == 1


def test_the_first_wrong_station_is_named():
    def answer(x, y, W1, b1, W2, b2):
        stations = list(reference("two_layers")(x, y, W1, b1, W2, b2))
        stations[6] = stations[6] * 1.5
        return tuple(stations)

    result = judge("two_layers", answer)
    assert result.verdict == WRONG
    assert "delta1 has the right shape" in str(result)


def test_a_layer_without_params_is_an_error_in_the_learners_words():
    class Bare:
        def __init__(self, W, b):
            self.W, self.b = W, b

        def forward(self, x, training=False):
            return x @ self.W + self.b

        def backward(self, dy):
            return dy @ self.W.T

    assert judge("layer_class", Bare).verdict == ERROR


def test_the_librarys_own_layer_is_accepted():
    class Ours(Linear):
        def __init__(self, W, b):
            super().__init__(*W.shape)
            self.params = {"W": W, "b": b}

    assert judge("layer_class", Ours).verdict == CORRECT


@pytest.mark.parametrize("wrong", ["x", None, 3.5, np.zeros((2, 2))])
def test_something_else_than_stations_is_described(wrong):
    result = judge("two_layers", lambda *arguments: wrong)
    assert result.verdict != CORRECT
