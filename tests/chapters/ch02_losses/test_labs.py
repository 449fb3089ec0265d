"""Facts at settings of chapter 02's labs."""

import numpy as np
import pytest

from bplib import MSE, SGD, BinaryCrossEntropy, Linear, Sequential, Sigmoid, SoftmaxCrossEntropy, numerical_gradient
from course.ch02_losses import SlowStart, SoftmaxLogits
from course.ch02_losses.labs import CLASSES, CROSS, SQUARED


def test_a_badly_wrong_neuron_hears_little_from_squared_error():
    gradient = SlowStart().data(weight=3.0, bias=2.0)["gradient"]
    assert 0 < gradient[SQUARED] < 0.02 * gradient[CROSS]
    assert gradient[CROSS] == pytest.approx(1, abs=0.01)


def test_the_more_wrong_the_slower_for_squared_error_only():
    wrong = [SlowStart().data(weight=z, bias=0.0, steps=400) for z in (1.0, 3.0, 5.0)]
    pulls = {name: [data["gradient"][name] for data in wrong] for name in (SQUARED, CROSS)}
    assert pulls[SQUARED] == sorted(pulls[SQUARED], reverse=True)
    assert pulls[CROSS] == sorted(pulls[CROSS])
    halves = [data["half"][SQUARED] for data in wrong]
    assert halves == sorted(halves)
    assert halves[-1] > 10 * wrong[-1]["half"][CROSS]


@pytest.mark.parametrize("name", [SQUARED, CROSS])
@pytest.mark.parametrize("weight", [-4.0, 0.0, 2.0, 4.5])
def test_gradients_are_slopes_of_the_losses_that_are_shown(name, weight):
    slope = numerical_gradient(lambda w: SlowStart().data(weight=float(w))["loss"][name], weight)
    assert SlowStart().data(weight=weight)["gradient"][name] == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize(("name", "loss", "tail"), [(SQUARED, MSE(), [Sigmoid()]), (CROSS, BinaryCrossEntropy(), [])])
def test_training_is_that_of_a_network(name, loss, tail):
    neuron = Linear(1, 1)
    neuron.params["W"][...], neuron.params["b"][...] = 2.0, 0.5
    net, x, y = Sequential(neuron, *tail), np.ones((1, 1)), np.zeros((1, 1))
    optimiser = SGD(net, lr=0.8)
    answers = []
    for _ in range(21):
        answers.append(Sigmoid().f(neuron.forward(x)).item())
        loss.forward(net.forward(x), y)
        net.backward(loss.backward())
        optimiser.step()
    data = SlowStart().data(weight=2.0, bias=0.5, lr=0.8, steps=20)
    np.testing.assert_allclose(data["path"][name], answers, rtol=1e-12)
    assert answers[data["half"][name]] <= answers[0] / 2 < answers[data["half"][name] - 1]


def test_who_does_not_arrive_is_said_not_to():
    lab, values = SlowStart(), SlowStart().values(weight=5.0, bias=5.0)
    data = lab.data(**values)
    assert data["half"][SQUARED] is None
    assert "more than 120 steps" in lab.describe(values, data)


@pytest.mark.parametrize("true", CLASSES)
def test_the_pulls_sum_to_zero_and_one_is_negative(true):
    data = SoftmaxLogits().data(true=true, z_c=3.0)
    assert data["gradient"].sum() == pytest.approx(0, abs=1e-15)
    assert np.flatnonzero(data["gradient"] < 0).tolist() == [CLASSES.index(true)]
    assert data["p"].sum() == pytest.approx(1)


def test_bars_are_those_of_the_loss_of_the_course():
    logits, y = np.array([[1.0, 2.0, 0.0, -1.0]]), np.array([0])
    data, loss = SoftmaxLogits().data(), SoftmaxCrossEntropy()
    assert data["loss"] == pytest.approx(loss.forward(logits, y))
    np.testing.assert_allclose(data["gradient"], loss.backward()[0])


@pytest.mark.parametrize("shift", [-1000, -50, 700, 750, 1000])
def test_a_shift_changes_nothing(shift):
    lab = SoftmaxLogits()
    data, same = lab.data(shift=shift), lab.data()
    np.testing.assert_allclose(data["p"], same["p"], rtol=1e-12)
    assert data["loss"] == pytest.approx(same["loss"])
    with np.errstate(all="ignore"):
        powers = np.exp(np.array([1.0, 2.0, 0.0, -1.0]) + shift)
        broken = not np.isfinite(powers / powers.sum()).all()
    assert ("leaves the range" in lab.describe(lab.values(shift=shift), data)) == broken
