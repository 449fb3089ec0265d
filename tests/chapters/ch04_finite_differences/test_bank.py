"""The references of chapter 04 are right, by independent means; typical answers get the right words."""

import numpy as np
import pytest

from bplib import numerical_gradient
from course.catalogue import find
from course.ch04_finite_differences.bank.check import CANDIDATES, Tried, tanh_backward, trial
from course.ch04_finite_differences.bank.measure import Wave
from course.grading.core import CORRECT, WRONG


def reference(name):
    return find(f"finite_differences.{name}").reference


def judge(name, answer):
    return find(f"finite_differences.{name}").judge(answer)


def test_the_wave_is_what_it_says_and_its_entries_meet():
    f = Wave(0.5, 2.0, 3.0)
    assert f(1.3) == pytest.approx(0.5 * np.sin(1.3) + 2 * 1.3**2 + 3)
    assert "0.5 sin(x) + 2 x^2 + 3" in repr(f)
    one, other = (numerical_gradient(f, np.array([1.0, second]))[0] for second in (1.0, 2.0))
    assert abs(one - other) > 0.1, "the slope along one entry depends on the others"


def test_differences_come_near_the_derivative():
    f, slope = Wave(0.5, 2.0, 3.0), 0.5 * np.cos(1.3) + 4 * 1.3
    assert reference("forward")(f, 1.3, 1e-6) == pytest.approx(slope, rel=1e-5)
    assert reference("central")(f, 1.3, 1e-5) == pytest.approx(slope, rel=1e-9)
    assert reference("complex_step")(f, 1.3) == pytest.approx(slope, rel=1e-14)
    x = np.array([[0.3, -2.0], [1.0, 4.0]])
    np.testing.assert_allclose(reference("gradient")(f, x), numerical_gradient(f, x, method="complex"), rtol=1e-8)


@pytest.mark.parametrize(("f", "second"), [(3.0, 0.2), (-3.0, 0.2), (0.4, -5.0)])
def test_no_other_step_is_better(f, second):
    eps = 1e-12
    best = reference("best_step")(eps, f, second)
    total = [abs(second) * h / 2 + eps * abs(f) / h for h in best * np.linspace(0.5, 2, 301)]
    assert np.argmin(total) == 100


def test_the_relative_error_of_known_numbers():
    error = reference("relative_error")
    assert error(np.array([1.0, 4.0]), np.array([1.0, 3.0])) == 0.25
    assert error(np.zeros(3), np.zeros(3)) == 0
    assert error(np.ones((1, 3)), np.ones(3)) == np.inf
    assert error(np.array([2.0]), np.array([-2.0])) == 2


def test_the_reference_checker_is_right_about_every_candidate():
    said = trial(reference("checker"), Wave(1.0, 0.7, 0.5), np.array([0.5, 1.0, 1.5, 2.0]))
    assert dict(zip(CANDIDATES, said, strict=True)) == {
        name: "accepted" if number < 2 else "rejected" for number, name in enumerate(CANDIDATES)
    }


def test_a_rejected_candidate_is_named():
    result = judge("checker", lambda f, x, claimed: claimed.shape == x.shape and not np.isnan(claimed).any())
    assert result.verdict == WRONG
    assert "given the sign flipped: 'accepted' is not it" in str(result)


def test_a_checker_that_gives_no_verdict_is_told():
    result = judge("checker", lambda f, x, claimed: claimed)
    assert "no True or False, but ndarray" in str(result)


def test_a_weak_checker_is_broken_only_by_what_is_really_wrong():
    assert judge("break_ones", tanh_backward).mutant == "right"
    assert judge("break_ones", lambda z, dy: -tanh_backward(z, dy)).mutant == "caught"
    assert judge("break_ones", lambda z, dy: (1 - np.tanh(z) ** 2) * np.sign(dy)).verdict == CORRECT
    assert judge("break_single", lambda x, dy: dy[:1].sum(axis=0)).verdict == CORRECT
    assert judge("break_single", lambda x, dy: dy.sum(axis=1)).verdict == WRONG


def test_the_layer_that_tries_a_backward_is_a_tanh():
    layer, z = Tried(tanh_backward), np.array([[0.3, -1.2]])
    np.testing.assert_array_equal(layer.forward(z), np.tanh(z))
    np.testing.assert_allclose(layer.backward(np.ones((1, 2))), 1 / np.cosh(z) ** 2)
