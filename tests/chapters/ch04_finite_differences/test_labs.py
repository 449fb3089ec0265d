"""The lab of chapter 04 shows measured errors, and its theory is near them."""

import numpy as np
import pytest

from bplib import numerical_gradient
from course.ch04_finite_differences import StepSize
from course.ch04_finite_differences.labs import CORNER, EXPONENTIAL, FAR, FUNCTIONS, SINE, STEPS

SMOOTH = [SINE, EXPONENTIAL, FAR]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_derivatives_are_those_of_the_function(name):
    f, x, derivatives = FUNCTIONS[name]
    assert f(x) == pytest.approx(derivatives[0], rel=1e-14)
    step = 2e-4 if name == CORNER else 1e-3  # this side of the corner
    slopes = [lambda x: numerical_gradient(lambda t: float(f(t)), x, step=step).item()]
    for order in (1, 2):
        scale = step * max(1.0, x)
        slopes.append(lambda x, last=slopes[order - 1], scale=scale: (last(x + scale) - last(x - scale)) / (2 * scale))
    for order in (1,) if name == CORNER else (1, 2, 3):
        assert slopes[order - 1](x) == pytest.approx(derivatives[order], rel=1e-2)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("name", SMOOTH)
def test_long_steps_follow_the_formula_and_short_ones_stay_below_rounding(name, precision):
    data = StepSize().data(function=name, precision=precision)
    for way in ("forward", "central"):
        errors, formula = data["errors"][way], data["lines"][f"{way}'s formula"]
        best = data["best"][way]
        long = (30 * best < STEPS) & (STEPS <= 0.1)
        assert long.any() or precision == "float32" or name == FAR
        np.testing.assert_allclose(errors[long], formula[long], rtol=0.15)
        reach = 1e-15 if precision == "float64" else 1e-6
        short = (best / 3 > STEPS) & (reach * 1e3 * max(1.0, FUNCTIONS[name][1]) < STEPS)
        assert (errors[short] < 4 * data["lines"]["rounding"][short] + formula[short] + 2e-3).all()


@pytest.mark.parametrize("name", [SINE, EXPONENTIAL])
def test_the_best_step_is_where_theory_puts_it(name):
    data = StepSize().data(function=name)
    for way in ("forward", "central"):
        errors = data["errors"][way]
        smooth = np.exp(np.convolve(np.log(errors + 1e-17), np.ones(9) / 9, mode="same"))[4:-4]
        assert abs(np.log10(STEPS[4:-4][smooth.argmin()] / data["best"][way])) < 1
    assert data["best"]["central"] > 30 * data["best"]["forward"]
    assert data["errors"]["central"].min() < 1e-2 * data["errors"]["forward"].min()


def test_float32_gives_four_or_five_digits_at_best():
    errors = StepSize().data(precision="float32")["errors"]
    near = (STEPS > 1e-4) & (STEPS < 1e-1)
    assert 1e-7 < np.median(errors["central"][near]) < 1e-3
    assert errors["forward"][near].min() > 1e-6


def test_the_complex_step_needs_no_best_step():
    errors = StepSize().data()["errors"]["complex"]
    assert (errors[STEPS < 1e-8] < 1e-15).all()


def test_a_step_across_the_corner_measures_two_slopes():
    lab = StepSize()
    far, near = (lab.data(function=CORNER, h=h)["now"]["central"] for h in (1e-1, 1e-4))
    assert far == pytest.approx(0.5, abs=0.01)
    assert near < 1e-9
    assert "corner" in lab.describe(lab.values(function=CORNER), lab.data(function=CORNER))


@pytest.mark.parametrize(("h", "said"), [(1e-2, "longer: the formula's error"), (1e-9, "shorter: rounding"), (1e-5, "near it")])
def test_the_words_say_which_error_wins(h, said):
    lab = StepSize()
    assert said in lab.describe(lab.values(h=h), lab.data(h=h))
