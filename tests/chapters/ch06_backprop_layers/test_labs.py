"""The lab of chapter 06 trains a real network, and says why it is stuck where it is."""

import numpy as np
import pytest

from bplib import BinaryCrossEntropy, Linear, Sequential, Sigmoid, Tanh, datasets, fit
from course.ch06_backprop_layers import XorTraining
from course.ch06_backprop_layers.labs import EVERY, ZEROS


@pytest.fixture
def lab():
    return XorTraining()


def test_the_training_is_that_of_a_network(lab):
    rng = np.random.default_rng(5)
    net = Sequential(Linear(2, 4, rng=rng), Tanh(), Linear(4, 1, rng=rng))
    x, y = datasets.xor()
    history = fit(net, BinaryCrossEntropy(), x, y, epochs=60, batch_size=4, lr=0.7, shuffle=False)
    data = lab.data(step=60, hidden=4, lr=0.7, seed=5)
    np.testing.assert_allclose(data["loss"][:3], history.loss[[0, EVERY, 2 * EVERY]], rtol=1e-10)
    np.testing.assert_allclose(data["p"], Sigmoid().f(net.forward(x))[:, 0], rtol=1e-10)


def test_without_a_hidden_layer_it_never_knows_more_than_a_coin(lab):
    data = lab.data(hidden=0, step=1000)
    assert data["loss"][-1] == pytest.approx(np.log(2), abs=1e-3)
    np.testing.assert_allclose(data["p"], 0.5, atol=0.02)
    assert "One straight border" in lab.describe(lab.values(hidden=0, step=1000), data)


@pytest.mark.parametrize("seed", range(8))
def test_three_tanh_units_solve_it(lab, seed):
    data = lab.data(step=1000, hidden=3, seed=seed)
    assert ((data["p"] > 0.5) == [False, True, True, False]).all()
    assert data["loss"][-1] < 0.05


@pytest.mark.parametrize("activation", ["tanh", "ReLU"])
def test_zeros_stay_one_unit(lab, activation):
    data = lab.data(start=ZEROS, step=1000, hidden=6, activation=activation)
    assert data["alike"]
    assert data["loss"][-1] == pytest.approx(np.log(2), abs=1e-6)
    assert "one single unit" in lab.describe(lab.values(start=ZEROS, step=1000, hidden=6), data)


def test_the_lines_are_where_a_unit_is_zero(lab):
    from course.ch06_backprop_layers.labs import _ends

    for line in lab.data(step=400, hidden=4)["lines"]:
        ends = np.column_stack(_ends(line))
        np.testing.assert_allclose(ends @ line[:2] + line[2], 0, atol=1e-9)
    assert _ends(np.zeros(3)) == ([], [])
