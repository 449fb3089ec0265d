"""The references of chapter 03 are right, by independent means; typical answers get the right words."""

import numpy as np
import pytest

from bplib import numerical_gradient
from course.catalogue import find
from course.grading.core import CORRECT, ERROR, WRONG


def reference(name):
    return find(f"gradient_descent.{name}").reference


def judge(name, answer):
    return find(f"gradient_descent.{name}").judge(answer)


@pytest.fixture
def points(rng):
    return rng.uniform(-1, 3, 6), rng.normal(0, 2, 6)


def test_the_gradient_is_what_a_measurement_finds(points):
    x, y = points
    measured = numerical_gradient(lambda p: np.mean((p[0] * x + p[1] - y) ** 2), np.array([0.7, -1.2]))
    np.testing.assert_allclose(reference("gradient")(x, y, 0.7, -1.2), measured, rtol=1e-7)


def test_many_steps_lead_to_the_least_squares_line(points):
    x, y = points
    best = np.linalg.lstsq(np.column_stack([x, np.ones(6)]), y, rcond=None)[0]
    np.testing.assert_allclose(reference("descend")(x, y, 0.1, 3000), best, rtol=1e-6)


def test_just_below_the_edge_it_arrives_and_just_above_it_does_not(points):
    x, y = points
    edge = reference("stable_rate")(x)
    near, far = (np.abs(reference("descend")(x, y, share * edge, 800)).max() for share in (0.99, 1.01))
    assert near < 10 < far


def test_batches_are_a_partition(rng):
    rows = reference("batches")(11, 4, rng)
    assert [len(batch) for batch in rows] == [4, 4, 3]
    assert sorted(np.concatenate(rows)) == list(range(11))


def test_an_epoch_with_one_batch_is_a_step(points):
    x, y = points
    whole = reference("epoch")(x, y, 0.5, 0.1, 0.05, np.arange(6), 6)
    assert whole == pytest.approx(reference("step")(x, y, 0.5, 0.1, 0.05))


def test_no_output_of_a_sigmoid_is_better_than_the_floor(rng):
    y = np.array([-2.0, 0.3, 0.8, 5.0])
    lowest = min(np.mean((1 / (1 + np.exp(-z)) - y) ** 2) for z in rng.normal(0, 6, (3000, 4)))
    assert reference("floor")(y) < lowest < reference("floor")(y) + 0.5
    assert reference("floor")(np.array([2.0, 4.0, 6.0, 8.0])) == 21


def test_the_four_runs_are_what_the_answer_says():
    x = np.array([1.0, 2.0, 3.0, 4.0])
    edge = reference("stable_rate")(x)
    words = {word: lr / edge for word, lr in zip(reference("regimes"), (0.105, 0.004, 0.125, 0.05))}
    assert words["slow"] < 0.1 < words["good"] < 0.5 < words["oscillating"] < 1 < words["diverging"]


def test_an_array_of_two_numbers_is_a_pair(points):
    assert judge("gradient", lambda x, y, w, b: np.array(reference("gradient")(x, y, w, b))).verdict == CORRECT
    assert judge("gradient", lambda x, y, w, b: np.zeros(3)).verdict == WRONG


def test_a_wrong_run_is_named():
    result = judge("regimes", ("oscillating", "slow", "diverging", "slow"))
    assert "Run 4: 'slow' is not it" in str(result)


def test_batches_that_are_no_list_are_an_error():
    assert judge("batches", lambda n, size, rng: 7).verdict == ERROR
