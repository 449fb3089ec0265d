"""Facts at settings of chapter 08's lab: each bug is visible as exactly what it spoils."""

import numpy as np
import pytest

from bplib import MSE, Linear, ReLU, Sequential, Tanh, trace
from course.ch08_gradient_checking import BugHeatmap
from course.ch08_gradient_checking.labs import BIAS, COLUMN, DELTA, EXAMPLES, MASK, NONE, ROW, SIGN, SLOPE, TRANSPOSED, WEIGHTS

SETTINGS = [(size, seed) for size in (3, 5, 8) for seed in (0, 1, 7, 20)]
every = pytest.mark.parametrize(("size", "seed"), SETTINGS)


def shown(bug, size, seed, view=WEIGHTS):
    """Data and words."""
    lab = BugHeatmap()
    values = lab.values(bug=bug, size=size, seed=seed, shown=view)
    data = lab.data(**values)
    return data, lab.describe(values, data)


@every
@pytest.mark.parametrize("view", [WEIGHTS, DELTA])
def test_without_a_bug_everything_agrees(size, seed, view):
    data, words = shown(NONE, size, seed, view)
    assert not data["wrong"].any()
    assert data["error"].max() < 1e-6
    assert "0 of" in words
    assert "agree everywhere" in words


@every
@pytest.mark.parametrize("view", [WEIGHTS, DELTA])
def test_a_flipped_sign_is_an_error_of_two_everywhere(size, seed, view):
    data, words = shown(SIGN, size, seed, view)
    np.testing.assert_allclose(data["error"], 2, rtol=1e-4)
    assert "wrong sign" in words


@every
def test_a_bad_row_is_exactly_that_row(size, seed):
    data, words = shown(ROW, size, seed)
    right = np.zeros((size + 1, size), bool)
    right[size // 2] = True
    np.testing.assert_array_equal(data["wrong"], right)
    assert f"Only row {size // 2} is wrong" in words


@every
def test_a_bad_column_is_exactly_that_column(size, seed):
    data, words = shown(COLUMN, size, seed)
    right = np.zeros((size + 1, size), bool)
    right[:-1, size // 2] = True
    np.testing.assert_array_equal(data["wrong"], right)
    assert f"Only column {size // 2} is wrong" in words


@every
def test_a_transposed_gradient_keeps_its_diagonal(size, seed):
    data, words = shown(TRANSPOSED, size, seed)
    np.testing.assert_array_equal(data["wrong"], np.vstack([~np.eye(size, dtype=bool), np.zeros(size, bool)]))
    np.testing.assert_allclose(data["claimed"][:-1], data["measured"][:-1].T, rtol=1e-5, atol=1e-9)
    assert "transposed" in words


@every
def test_an_averaged_bias_is_the_last_row_by_one_factor(size, seed):
    data, words = shown(BIAS, size, seed)
    assert np.flatnonzero(data["wrong"].any(axis=1)).tolist() == [size]
    np.testing.assert_allclose(data["claimed"][-1] * EXAMPLES, data["measured"][-1], rtol=1e-5)
    assert f"factor {1 / EXAMPLES:.3f}" in words


@every
def test_a_wrong_mask_is_scattered_over_dz(size, seed):
    data, words = shown(MASK, size, seed, DELTA)
    assert data["wrong"].any()
    assert not data["wrong"].all()
    np.testing.assert_allclose(data["error"][data["wrong"]], 1, rtol=1e-6)
    assert "scattered" in words
    weights, words = shown(MASK, size, seed)
    assert "dL/dz" in words
    spoilt = data["wrong"].any(axis=0)
    assert not weights["wrong"][:, ~spoilt].any()


@every
def test_a_slope_at_the_wrong_place_is_wrong_by_many_sizes(size, seed):
    data, words = shown(SLOPE, size, seed, DELTA)
    assert data["wrong"].mean() > 0.8
    assert np.ptp(data["error"]) > 0.05
    assert "many sizes" in words


@every
@pytest.mark.parametrize("bug", [ROW, COLUMN, TRANSPOSED, BIAS])
def test_mistakes_after_dz_do_not_show_in_dz(size, seed, bug):
    data, words = shown(bug, size, seed, DELTA)
    assert not data["wrong"].any()
    assert "after dL/dz" in words


@pytest.mark.parametrize(("bug", "activation"), [(NONE, Tanh), (MASK, ReLU)])
def test_the_measured_gradient_is_that_of_a_network(bug, activation):
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 1, (EXAMPLES, 4)), rng.normal(0, 1, (EXAMPLES, 2))
    first, last = Linear(4, 4, gain=0.7, rng=rng), Linear(4, 2, rng=rng)
    first.params["b"][...] = rng.normal(0, 0.5, 4)
    record = trace(Sequential(first, activation(), last), MSE(), x, y)[0]
    for view, expected in ((WEIGHTS, np.vstack([record.grads["W"], record.grads["b"]])), (DELTA, record.delta)):
        np.testing.assert_allclose(shown(bug, 4, 3, view)[0]["measured"], expected, atol=1e-8)
