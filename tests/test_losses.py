"""Losses: their conventions, their minima, and their behaviour at the extremes."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from bplib import MSE, BinaryCrossEntropy, Loss, Sigmoid, Softmax, SoftmaxCrossEntropy
from tests.exported import batch

SEEDS, SIZES = st.integers(0, 10_000), st.integers(1, 6)


def both(loss, y_hat, y):
    return loss.forward(y_hat, y), loss.backward()


def test_mse_by_hand_averages_over_every_entry():
    value, gradient = both(MSE(), [[1.0, 2.0], [3.0, 5.0]], [[0.0, 2.0], [1.0, 1.0]])
    assert value == (1 + 0 + 4 + 16) / 4
    assert np.array_equal(gradient, np.array([[1.0, 0.0], [2.0, 4.0]]) * 2 / 4)


@given(seed=SEEDS, n=SIZES, k=SIZES)
def test_half_mse_is_half(seed, n, k):
    y_hat, y = batch(n, features=k, seed=seed), batch(n, features=k, seed=seed + 1)
    value, gradient = both(MSE(), y_hat, y)
    half, half_gradient = both(MSE(half=True), y_hat, y)
    assert half == pytest.approx(value / 2, rel=1e-15)
    assert np.allclose(half_gradient, gradient / 2, rtol=1e-15, atol=0)
    assert repr(MSE(half=True)) == "MSE(half=True)"


@given(seed=SEEDS, n=SIZES, k=SIZES)
def test_mse_is_zero_exactly_where_it_should_be(seed, n, k):
    y = batch(n, features=k, seed=seed)
    value, gradient = both(MSE(), y, y.copy())
    assert value == 0
    assert not gradient.any()
    assert MSE().forward(y + 1e-3, y) > 0


def test_mse_never_broadcasts():
    column, row = np.ones((3, 1)), np.ones(3)
    with pytest.raises(ValueError, match=r"shape \(3, 1\), got \(3,\)\. Reshape y with y\.reshape\(\(3, 1\)\)"):
        MSE().forward(column, row)
    assert MSE().forward(row, row) == 0


@given(z=st.floats(-1e4, 1e4), y=st.sampled_from([0.0, 1.0]))
def test_binary_cross_entropy_of_one_logit(z, y):
    value, gradient = both(BinaryCrossEntropy(), [z], [y])
    assert value == pytest.approx(np.logaddexp(0, -z if y else z), rel=1e-12, abs=1e-300)
    assert gradient[0] == pytest.approx(float(Sigmoid().f(np.array(z))) - y, rel=1e-15)
    assert value >= 0


@given(seed=SEEDS, n=SIZES)
def test_binary_cross_entropy_is_softmax_cross_entropy_against_a_zero_logit(seed, n):
    z = 5 * batch(n, features=1, seed=seed)
    y = np.arange(n) % 2
    value, gradient = both(BinaryCrossEntropy(), z[:, 0], y.astype(float))
    two, two_gradient = both(SoftmaxCrossEntropy(), np.hstack([np.zeros_like(z), z]), y)
    assert value == pytest.approx(two, rel=1e-12)
    assert np.allclose(gradient, two_gradient[:, 1], rtol=1e-12, atol=1e-16)
    assert np.allclose(two_gradient.sum(axis=1), 0, rtol=0, atol=1e-15)


def test_binary_cross_entropy_averages_over_examples_and_adds_outputs():
    z, y = np.zeros((4, 3)), np.zeros((4, 3))
    assert BinaryCrossEntropy().forward(z, y) == pytest.approx(3 * np.log(2))
    assert BinaryCrossEntropy().forward(z[:, 0], y[:, 0]) == pytest.approx(np.log(2))


@given(y=st.floats(0, 1))
def test_a_soft_target_is_met_at_its_own_logit(y):
    y = min(max(y, 1e-9), 1 - 1e-9)
    z = np.log(y) - np.log1p(-y)
    value, gradient = both(BinaryCrossEntropy(), [z], [y])
    assert gradient[0] == pytest.approx(0, abs=1e-15)
    assert value == pytest.approx(-y * np.log(y) - (1 - y) * np.log1p(-y), rel=1e-9)


@given(seed=SEEDS, n=SIZES, k=SIZES, shift=st.floats(-1e3, 1e3))
def test_softmax_cross_entropy_ignores_a_shift_of_the_logits(seed, n, k, shift):
    z, y = 3 * batch(n, features=k, seed=seed), np.arange(n) % k
    value, gradient = both(SoftmaxCrossEntropy(), z, y)
    shifted, shifted_gradient = both(SoftmaxCrossEntropy(), z + shift, y)
    assert shifted == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert np.allclose(shifted_gradient, gradient, rtol=1e-9, atol=1e-12)


@given(seed=SEEDS, n=SIZES, k=st.integers(2, 6))
def test_softmax_cross_entropy_is_minus_log_p_of_the_true_class(seed, n, k):
    z, y = 3 * batch(n, features=k, seed=seed), np.arange(n) % k
    p = Softmax().f(z)
    value, gradient = both(SoftmaxCrossEntropy(), z, y)
    assert value == pytest.approx(-np.log(p[np.arange(n), y]).mean(), rel=1e-12)
    assert value >= 0
    assert np.allclose(gradient, (p - np.eye(k)[y]) / n, rtol=1e-12, atol=1e-16)


def test_uniform_logits_cost_log_k():
    assert SoftmaxCrossEntropy().forward(np.zeros((3, 7)), [0, 3, 6]) == pytest.approx(np.log(7), rel=1e-15)


@pytest.mark.parametrize("size", [1e2, 1e4, 1e8])
def test_extreme_logits_cost_what_they_should(size):
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        right, right_gradient = both(SoftmaxCrossEntropy(), [[size, -size]], [0])
        wrong, wrong_gradient = both(SoftmaxCrossEntropy(), [[size, -size]], [1])
        sure, _ = both(BinaryCrossEntropy(), [size, -size], [1.0, 0.0])
        mistaken, gradient = both(BinaryCrossEntropy(), [size, -size], [0.0, 1.0])
    assert 0 <= right < 1e-80
    assert wrong == 2 * size
    assert np.allclose(right_gradient, 0, atol=1e-80)
    assert np.array_equal(wrong_gradient, [[1.0, -1.0]])
    assert 0 <= sure < 1e-40
    assert mistaken == size
    assert np.array_equal(gradient, [0.5, -0.5])


@given(seed=SEEDS, share=st.floats(0, 1))
def test_losses_are_convex_in_the_prediction(seed, share):
    y = np.random.default_rng(seed).integers(0, 2, (4, 3))
    a, b = 4 * batch(features=3, seed=seed), 4 * batch(features=3, seed=seed + 1)
    for loss, target in ((MSE(), y), (BinaryCrossEntropy(), y), (SoftmaxCrossEntropy(), y[:, 0])):
        between = loss.forward(share * a + (1 - share) * b, target)
        assert between <= share * loss.forward(a, target) + (1 - share) * loss.forward(b, target) + 1e-12


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([0, 1, 3], ValueError, "class labels from 0 to 2, got labels from 0 to 3"),
        ([0, 1, -1], ValueError, "class labels from 0 to 2, got labels from -1 to 1"),
        ([0.0, 1.0, 2.0], TypeError, "integer class labels, got"),
        ([True, False, True], TypeError, "integer class labels, got"),
        (np.eye(3, dtype=int), ValueError, "For one-hot rows, pass y.argmax(axis=1)."),
        ([[0], [1], [2]], ValueError, "y of shape (3,), got (3, 1)"),
        ([0, 1], ValueError, "y of shape (3,), got (2,)"),
        (1, ValueError, "y of shape (3,), got ()"),
        ([], ValueError, "y of shape (3,), got (0,)"),
    ],
)
def test_softmax_cross_entropy_refuses_labels(y, error, message):
    with pytest.raises(error) as caught:
        SoftmaxCrossEntropy().forward(np.zeros((3, 3)), y)
    assert str(caught.value).startswith("SoftmaxCrossEntropy(): expected ")
    assert message in str(caught.value)


def test_softmax_cross_entropy_wants_rows_of_logits():
    with pytest.raises(ValueError, match=r"logits of shape \(n, k\), one row an example, got \(3,\)"):
        SoftmaxCrossEntropy().forward(np.zeros(3), [0])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.uint64])
def test_labels_of_any_integer_kind(dtype):
    z = batch(features=3)
    y = [0, 2, 1, 1]
    assert both(SoftmaxCrossEntropy(), z, np.array(y, dtype))[0] == both(SoftmaxCrossEntropy(), z, y)[0]


@pytest.mark.parametrize("y", [[-0.1, 1.0], [0.0, 1.1], [2, 0], [np.nan, 1.0]])
def test_binary_cross_entropy_refuses_targets_that_are_no_probabilities(y):
    with pytest.raises(ValueError, match=r"^BinaryCrossEntropy\(\): expected targets y from 0 to 1, got values from"):
        BinaryCrossEntropy().forward([0.0, 0.0], y)


def test_a_loss_of_your_own_is_two_functions():
    class Absolute(Loss):
        def value(self, y_hat, y):
            return np.mean(np.abs(y_hat - y))

        def gradient(self, y_hat, y):
            return np.sign(y_hat - y) / y_hat.size

    value, gradient = both(Absolute(), [[1.0, -3.0]], [[0.0, 0.0]])
    assert value == 2
    assert np.array_equal(gradient, [[0.5, -0.5]])


def test_loss_itself_has_no_formula():
    for call in (Loss().value, Loss().gradient):
        with pytest.raises(NotImplementedError):
            call(np.ones((1, 1)), np.ones((1, 1)))
