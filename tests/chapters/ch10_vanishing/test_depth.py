"""Facts at settings of chapter 10's second lab."""

import numpy as np
import pytest

from bplib import numerical_gradient
from course.ch10_vanishing import SingularValues
from course.ch10_vanishing.depth import LINEAR, WIDTH


@pytest.fixture
def lab():
    return SingularValues()


def test_the_values_are_those_of_a_measured_jacobian(lab):
    from bplib import init

    rng = np.random.default_rng(3)
    z = rng.standard_normal(WIDTH)
    Ws = [1.2 * init.weights("xavier", WIDTH, WIDTH, rng) for _ in range(2)]

    def last(z, unit):
        return (np.tanh(np.tanh(z) @ Ws[0]) @ Ws[1])[unit]

    table = np.array([numerical_gradient(lambda z, unit=unit: last(z, unit), z) for unit in range(WIDTH)])
    expected = np.linalg.svd(table, compute_uv=False)
    np.testing.assert_allclose(lab.data(depth=2, gain=1.2, activation="tanh", seed=3)["values"], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_random_directions_drift_apart_and_orthogonal_ones_do_not(lab, seed):
    random, orthogonal = (lab.data(depth=60, rule=rule, activation=LINEAR, seed=seed)["values"]
                          for rule in lab.controls["rule"].options)
    assert random[0] > 1e6 * np.median(random)
    np.testing.assert_allclose(orthogonal, 1, rtol=1e-10)


def test_sigmoids_lose_every_direction(lab):
    data = lab.data(depth=20, activation="sigmoid")
    assert data["values"][0] < 1e-9
    assert "Even the best direction vanishes" in lab.describe(lab.values(depth=20, activation="sigmoid"), data)
