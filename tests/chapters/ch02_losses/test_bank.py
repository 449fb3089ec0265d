"""The references of chapter 02 are right, by independent means; typical answers get the right words."""

import math
import re
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest

from bplib import MSE, BinaryCrossEntropy, SoftmaxCrossEntropy, numerical_gradient
from course.catalogue import find
from course.grading.core import CORRECT, ERROR

CHAPTER = Path(__file__).parents[3] / "course" / "ch02_losses" / "exercises.md"


def reference(name):
    return find(f"losses.{name}").reference


def judge(name, answer):
    return find(f"losses.{name}").judge(answer)


def exactly(terms):
    """The log of a sum of exponentials, with 50 digits and exponents of any size."""
    with localcontext() as context:
        context.prec = 50
        return float(sum((Decimal(term).exp() for term in terms), Decimal(0)).ln())


@pytest.fixture
def regression(rng):
    return rng.normal(1, 2, (5, 3)), rng.normal(0, 2, (5, 3))


@pytest.fixture
def binary(rng):
    return rng.normal(0, 3, 7), np.array([0, 1, 1, 0, 0, 1, 0])


@pytest.fixture
def several(rng):
    return rng.normal(0, 2, (6, 4)), np.array([0, 3, 1, 1, 2, 0])


# Losses, against loops and against exact arithmetic.


def test_mse_is_the_mean_of_all_squares_one_by_one(regression):
    y_hat, y = regression
    squares = [(a - b) ** 2 for a, b in zip(y_hat.ravel().tolist(), y.ravel().tolist())]
    assert reference("mse")(y_hat, y) == pytest.approx(math.fsum(squares) / 15)
    column, flat = y_hat[:, :1], y[:, 0]
    assert reference("column")(column, flat) == pytest.approx(reference("mse")(column, flat[:, np.newaxis]))


@pytest.mark.parametrize("z", [-1e4, -800.0, -40.0, -0.3, 0.0, 2.5, 36.5, 1e4])
def test_binary_cross_entropy_is_exact_for_logits_of_any_size(z):
    for y in (0, 1):
        surprise = exactly([0, -z if y else z])  # log(1 + e^z) is -log(1 - p)
        assert reference("binary_cross_entropy")(np.array([z]), np.array([y])) == pytest.approx(surprise, rel=1e-12)


@pytest.mark.parametrize("row", [[0.5, -1.0, 2.0], [1e4, 1e4 - 2, -1e4], [-1e4, 1 - 1e4, 3 - 1e4], [800.0, 0.0, 1.0]])
def test_cross_entropy_is_exact_for_logits_of_any_size(row):
    for y in range(3):
        surprise = exactly([z - row[y] for z in row])
        assert reference("cross_entropy")(np.array([row]), np.array([y])) == pytest.approx(surprise, rel=1e-12)
        assert reference("softmax")(np.array([row]))[0, y] == pytest.approx(math.exp(-surprise), rel=1e-12)


def test_cross_entropies_are_likelihoods(binary, several):
    z, y = binary
    p = np.exp(z) / (np.exp(z) + 1)
    likelihood = math.prod(p[i] if y[i] else 1 - p[i] for i in range(7))
    assert math.exp(-7 * reference("binary_cross_entropy")(z, y)) == pytest.approx(likelihood)
    z, y = several
    likelihood = math.prod(math.exp(z[i, y[i]]) / sum(math.exp(other) for other in z[i]) for i in range(6))
    assert math.exp(-6 * reference("cross_entropy")(z, y)) == pytest.approx(likelihood)


def test_two_classes_are_one_sigmoid(binary):
    z, y = binary
    both = np.column_stack([np.zeros(7), z])
    assert reference("cross_entropy")(both, y) == pytest.approx(reference("binary_cross_entropy")(z, y))


# Gradients, against measured slopes.


def test_gradients_are_those_that_are_measured(regression, binary, several):
    y_hat, y = regression
    measured = numerical_gradient(lambda guess: reference("mse")(guess, y), y_hat)
    np.testing.assert_allclose(reference("mse_gradient")(y_hat, y), measured, rtol=1e-7)
    z, y = binary
    squared, cross = reference("two_gradients")(z, y)
    through_sigmoid = numerical_gradient(lambda logits: np.mean((1 / (1 + np.exp(-logits)) - y) ** 2), z)
    np.testing.assert_allclose(squared, through_sigmoid, rtol=1e-6, atol=1e-12)
    measured = numerical_gradient(lambda logits: reference("binary_cross_entropy")(logits, y), z)
    np.testing.assert_allclose(cross, measured, rtol=1e-7)
    z, y = several
    measured = numerical_gradient(lambda logits: reference("cross_entropy")(logits, y), z)
    gradient = reference("cross_entropy_gradient")(z, y)
    np.testing.assert_allclose(gradient, measured, rtol=1e-7)
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-15)


def test_no_blind_guess_beats_the_best(rng):
    y, k = np.array([0, 0, 0, 2, 2, 3, 3, 3, 3]), 5
    best = reference("blind_guess")(y, k)
    losses = [np.mean(-np.log(p[y])) for p in rng.dirichlet(np.ones(k), 2000)]
    assert best < min(losses)
    shares = np.bincount(y, minlength=k) / len(y)
    near = 0.999 * shares + 0.001 / k
    assert best == pytest.approx(np.mean(-np.log(near[y])), abs=1e-3)
    assert reference("blind_guess")(np.arange(12) % 3, 3) == pytest.approx(np.log(3))


def test_the_gradient_in_the_text_is_of_the_convention_that_is_asked_for():
    cells = re.findall(r"```\{code-cell\}\n(.*?)```", CHAPTER.read_text(encoding="utf-8"), flags=re.DOTALL)
    given = {}
    exec("import numpy as np\n" + next(cell for cell in cells if "gradient = np.array" in cell), given)
    y_hat, y = given["y_hat"], given["y"]

    def loss(guess):
        squares = (guess - y) ** 2
        return {"sum": squares.sum(), "half-sum": squares.sum() / 2, "per-example": squares.sum(axis=1).mean(),
                "mean": squares.mean(), "half-mean": squares.mean() / 2}

    def gradient(name):
        return numerical_gradient(lambda guess: loss(guess)[name], y_hat)

    fits = [name for name in loss(y) if np.allclose(gradient(name), given["gradient"])]
    assert fits == [reference("convention")]


# What people type.


def test_the_literal_formula_is_right_until_it_is_not():
    def literal(z, y):
        p = 1 / (1 + np.exp(-z))
        return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()

    result = judge("binary_cross_entropy", literal)
    assert result.mutant == "log-of-zero"
    assert "10,000" in result.message
    assert "logits of 10,000 that are right" in result.details


@pytest.mark.parametrize("margin", ["1e-7", "1e-12", "1e-15"])
def test_a_clipped_probability_is_told_how_far_its_loss_can_go(margin):
    def clipped(z, y):
        p = np.clip(1 / (1 + np.exp(-z)), float(margin), 1 - float(margin))
        return np.mean(np.where(y == 1, -np.log(p), -np.log(1 - p)))

    result = judge("binary_cross_entropy", clipped)
    assert result.mutant == f"clipped-at-{margin}"
    assert f"{-math.log(float(margin)):.1f}" in result.message


def test_adding_a_little_inside_the_logarithm_is_clipping():
    def little(z, y):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return -np.mean(np.log(p[range(len(y)), y] + 1e-12))

    assert judge("cross_entropy", little).mutant == "clipped-at-1e-12"


def test_every_target_for_every_prediction_is_named():
    result = judge("column", lambda y_hat, y: ((y_hat - y) ** 2).mean())
    assert result.mutant == "broadcast"
    assert "(n, n)" in result.message


def test_a_forgotten_keepdims_is_an_error_with_an_explanation():
    def forgotten(z):
        e = np.exp(z - z.max(axis=1))
        return e / e.sum(axis=1)

    result = judge("softmax", forgotten)
    assert (result.verdict, result.mutant) == (ERROR, "missing-keepdims")
    assert "Keep the axis" in result.message


def test_the_slope_at_a_and_the_missing_slope_are_told_apart():
    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def slope(z):
        return sigmoid(z) * (1 - sigmoid(z))

    def at_a(z, y):
        a = sigmoid(z)
        return 2 * (a - y) * slope(a) / len(z), (a - y) / len(z)

    def missing(z, y):
        a = sigmoid(z)
        return 2 * (a - y) / len(z), (a - y) / len(z)

    assert judge("two_gradients", at_a).mutant == "slope-at-a"
    assert judge("two_gradients", missing).mutant == "no-slope"


def test_a_label_taken_for_a_number_is_named():
    def number(z, y):
        e = np.exp(z - z.max(1, keepdims=True))
        return (e / e.sum(1, keepdims=True) - y.reshape(-1, 1)) / len(z)

    assert judge("cross_entropy_gradient", number).mutant == "label-number"


def test_an_unknown_mistake_still_gets_numbers():
    result = judge("mse_gradient", lambda y_hat, y: 3 * (y_hat - y) / y.size)
    assert result.mutant is None
    assert "1.5" in result.message


def test_the_losses_of_the_library_are_accepted():
    assert judge("mse", lambda y_hat, y: MSE().forward(y_hat, y)).verdict == CORRECT
    assert judge("binary_cross_entropy", lambda z, y: BinaryCrossEntropy().forward(z, y)).verdict == CORRECT
    assert judge("cross_entropy", lambda z, y: SoftmaxCrossEntropy().forward(z, y)).verdict == CORRECT
