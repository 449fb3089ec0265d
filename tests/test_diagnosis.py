"""The diagnosis names a relation only where it explains everything."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from bplib.diagnosis import Diagnosis, diagnose

RIGHT = np.random.default_rng(0).standard_normal((4, 3))
SQUARE = np.random.default_rng(1).standard_normal((3, 3))


@pytest.mark.parametrize(
    ("got", "expected", "name", "words"),
    [
        (-RIGHT, RIGHT, "sign-flipped", "sign flipped"),
        (RIGHT / 4, RIGHT, "constant-factor", "times 0.25."),
        (-2 * RIGHT, RIGHT, "constant-factor", "times -2: is a 2"),
        (0 * RIGHT, RIGHT, "all-zeros", "zero everywhere"),
        (RIGHT.T, RIGHT, "transposed", "the transpose"),
        (SQUARE.T, SQUARE, "transposed", "the transpose"),
        (np.where(RIGHT[2, 1] == RIGHT, np.nan, RIGHT), RIGHT, "not-finite", "nan at [2, 1]"),
        (np.where(RIGHT[0, 2] == RIGHT, -np.inf, RIGHT), RIGHT, "not-finite", "-inf at [0, 2]"),
        (np.nan, 3.0, "not-finite", "It is nan."),
        (-3.0, 3.0, "sign-flipped", "sign flipped"),
        (np.full((2, 2), np.inf), RIGHT, "not-finite", "inf at [0, 0]"),
        (RIGHT / 2, RIGHT, "constant-factor", "is the 2 of a derivative missing?"),
        (RIGHT * (np.arange(4) != 2)[:, None], RIGHT, "row-missing", "Its row 2 is zero"),
        (RIGHT * (np.arange(3) != 0), RIGHT, "column-missing", "Its column 0 is zero"),
        (RIGHT[::-1], RIGHT, "shuffled", "rows in another order"),
        (RIGHT[:, [1, 2, 0]], RIGHT, "shuffled", "columns in another order"),
        (RIGHT.reshape(3, 4).T, RIGHT, "shuffled", "numbers in another order"),
        (RIGHT[:, 0][::-1], RIGHT[:, 0], "shuffled", "numbers in another order"),
    ],
)
def test_relations(got, expected, name, words):
    found = diagnose(got, expected)
    assert found.name == name
    assert words in found.message


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (RIGHT + 0.1, RIGHT),
        (2 * RIGHT + 1e-3 * (RIGHT[0, 0] == RIGHT), RIGHT),
        (RIGHT.ravel(), RIGHT),
        (RIGHT * (np.arange(4) != 2)[:, None] * 1.01, RIGHT),
        (RIGHT[::-1] + 1e-3 * (RIGHT[0, 0] == RIGHT), RIGHT),
        (RIGHT[:, :2], RIGHT),
        (2 * RIGHT.T, RIGHT),
        (SQUARE, np.zeros((3, 3))),
        (np.empty((0, 3)), RIGHT),
    ],
)
def test_what_explains_only_a_part_is_not_named(got, expected):
    assert diagnose(got, expected) is None


@given(factor=st.floats(-1e6, 1e6).filter(lambda f: abs(f) > 1e-6 and abs(abs(f) - 1) > 1e-4))
def test_the_factor_is_measured(factor):
    found = diagnose(factor * RIGHT, RIGHT)
    assert found.name == "constant-factor"
    assert found.factor == pytest.approx(factor, rel=1e-12)


def test_symmetric_matrices_are_not_called_transposed():
    symmetric = SQUARE + SQUARE.T
    assert diagnose(symmetric + 0.1 * SQUARE, symmetric) is None
    assert diagnose(-symmetric, symmetric).name == "sign-flipped"
    assert diagnose(-symmetric, symmetric).factor == -1


def test_a_diagnosis_cannot_be_changed():
    with pytest.raises(AttributeError):
        Diagnosis("a", "b").name = "c"


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1.7e308])
def test_extreme_sizes_are_no_crash(size):
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert diagnose(np.full((3, 2), size), RIGHT[:3, :2]) is None


@pytest.mark.parametrize(
    ("factor", "name"),
    [
        (5, "sum-instead-of-mean"),
        (15, "sum-instead-of-mean"),
        (1 / 5, "mean-instead-of-sum"),
        (3, "constant-factor"),
        (0.1, "constant-factor"),
    ],
)
def test_a_factor_that_is_a_size_is_called_by_it(factor, name):
    assert diagnose(factor * RIGHT, RIGHT, sizes={"n": 5, "outputs": 3}).name == name


def test_a_factor_that_may_stand_for_two_things_is_not_explained():
    assert diagnose(2 * RIGHT, RIGHT, sizes={"n": 2, "outputs": 1}).name == "constant-factor"


def test_a_suspect_must_explain_everything():
    wrong = RIGHT + 1
    assert diagnose(wrong, RIGHT, suspects=[("one-more", "It is one more.", RIGHT + 1)]).name == "one-more"
    assert diagnose(wrong, RIGHT, suspects=[("nearly", "Nearly.", RIGHT + 1.001), ("shape", "Other.", np.ones(3))]) is None
    assert diagnose(RIGHT, RIGHT + 0.5, suspects=[("the right one", "No mistake.", RIGHT + 0.5)]) is None
