"""The references of chapter 10 are right, by independent means; typical answers get the right words."""

import numpy as np
import pytest

from bplib import numerical_gradient
from course.catalogue import find
from course.ch10_vanishing import GradientMagnitudes
from course.grading.core import CORRECT, WRONG


def reference(name):
    return find(f"vanishing.{name}").reference


def judge(name, answer):
    return find(f"vanishing.{name}").judge(answer)


def test_the_chain_is_what_a_measurement_finds():
    def last(z, w=1.7, layers=5):
        for _ in range(layers - 1):
            z = w / (1 + np.exp(-z))
        return z

    assert reference("chain_slope")(0.4, 1.7, 5) == pytest.approx(numerical_gradient(last, 0.4).item(), rel=1e-8)
    assert reference("chain_slope")(0.4, 1.7, 1) == 1


def test_the_jacobian_is_what_a_measurement_finds(rng):
    z, Ws = rng.normal(0, 1, 3), [rng.normal(0, 1, (3, 4)), rng.normal(0, 1, (4, 2))]
    columns = [numerical_gradient(lambda z, k=k: (np.tanh(np.tanh(z) @ Ws[0]) @ Ws[1])[k], z) for k in (0, 1)]
    np.testing.assert_allclose(reference("jacobian")(z, Ws), np.array(columns).T, rtol=1e-7)


def test_the_deepest_reaches_the_threshold_and_one_more_does_not():
    for last, factor, threshold in ((1.5, 0.23, 1e-6), (0.7, 0.6, 1e-4)):
        depth = reference("deepest")(last, factor, threshold)
        assert last * factor ** (depth - 1) >= threshold > last * factor**depth


def test_saturation_is_that_of_a_trace():
    from bplib import MSE, Linear, Sequential, Sigmoid, trace

    net = Sequential(Linear(5, 40, gain=8, rng=1), Sigmoid(), Linear(40, 2, rng=2))
    x = np.random.default_rng(3).normal(0, 1, (30, 5))
    record = trace(net, MSE(), x, np.zeros((30, 2)))
    assert reference("saturated")(record[0].z) == pytest.approx(record.saturation()["0"])


@pytest.mark.parametrize("seed", range(4))
def test_the_decades_are_those_of_the_lab(seed):
    lab = GradientMagnitudes()
    settings = ({"activation": "sigmoid"}, {"activation": "tanh"}, {"activation": "tanh", "gain": 0.5},
                {"activation": "tanh", "gain": 3.0, "depth": 30})
    found = [np.log10(lab.data(**setting, seed=seed)["norms"][0]) for setting in settings]
    assert np.abs(np.array(found) - reference("decades")).max() < 1, "whatever the seed, the answer is within the tolerance"


def test_a_decade_off_is_near_enough_and_two_are_not():
    assert judge("decades", (-12, 1, -4, 3)).verdict == CORRECT
    result = judge("decades", (-13, 0, -5, 4))
    assert result.verdict == WRONG
    assert "Setting 1 should be -11; yours is -13." in str(result)
