"""The formulas of chapter 04, on numbers: two functions with derivatives of every order, f = e^(2x) and f = sin(x) x."""

import numpy as np
import pytest

EPS = float(np.finfo(float).eps)


def derivatives(x):
    """For each function itself, and its value and first four derivatives at x."""
    e, s, c = np.exp(2 * x), np.sin(x), np.cos(x)
    return [
        (lambda x: np.exp(2 * x), e, 2 * e, 4 * e, 8 * e, 16 * e),
        (lambda x: np.sin(x) * x, s * x, c * x + s, 2 * c - s * x, -3 * s - c * x, -4 * c + s * x),
    ]


PLACES = [0.3, 1.1, 2.0]
CASES = [(x, *entry) for x in PLACES for entry in derivatives(x)]
every = pytest.mark.parametrize(("x", "f", "f0", "f1", "f2", "f3", "f4"), CASES)


@every
def test_forward_difference(x, f, f0, f1, f2, f3, f4):
    r"""f'(x) \approx \frac{f(x + h) - f(x)}{h}"""
    assert (f(x + 1e-8) - f(x)) / 1e-8 == pytest.approx(f1, rel=1e-5)


@every
def test_taylor(x, f, f0, f1, f2, f3, f4):
    r"""f(x + h) = f(x) + h f'(x) + \frac{h^2}{2} f''(x) + \frac{h^3}{6} f'''(x) + \dots"""
    for h in (0.02, 0.01):
        left_over = f(x + h) - (f0 + h * f1 + h**2 / 2 * f2 + h**3 / 6 * f3)
        assert left_over == pytest.approx(h**4 / 24 * f4, rel=0.15)


@every
def test_forward_error(x, f, f0, f1, f2, f3, f4):
    r"""\frac{f(x + h) - f(x)}{h} - f'(x) \approx \frac{h}{2} f''(x)"""
    h = 1e-4
    assert (f(x + h) - f(x)) / h - f1 == pytest.approx(h / 2 * f2, rel=1e-2, abs=h**2 * abs(f3))


@every
def test_central_difference(x, f, f0, f1, f2, f3, f4):
    r"""f'(x) \approx \frac{f(x + h) - f(x - h)}{2h}"""
    assert (f(x + 1e-5) - f(x - 1e-5)) / 2e-5 == pytest.approx(f1, rel=1e-9)


@every
def test_central_error(x, f, f0, f1, f2, f3, f4):
    r"""\frac{f(x + h) - f(x - h)}{2h} - f'(x) \approx \frac{h^2}{6} f'''(x)"""
    h = 1e-3
    assert (f(x + h) - f(x - h)) / (2 * h) - f1 == pytest.approx(h**2 / 6 * f3, rel=1e-2)


@every
def test_rounding_error(x, f, f0, f1, f2, f3, f4):
    r"""\frac{\varepsilon\, |f(x)|}{h}"""
    # A bound for short steps, and of the right size: the largest of many errors comes near it.
    h = 1e-11
    places = x + np.linspace(0, 1e-3, 300)
    errors = [abs((f(p + h) - f(p)) / ((p + h) - p) - f(p + 1e-30j).imag / 1e-30) for p in places]
    bound = EPS * abs(f0) / h
    assert 0.1 * bound < max(errors) < 1.6 * bound


def balance(formula, rounding, best):
    """Is the sum of both errors smallest at the step that the formula gives?"""
    def total(h):
        return formula(h) + rounding(h)

    assert total(best) < total(1.01 * best)
    assert total(best) < total(best / 1.01)
    left, right = total(best * 0.999), total(best * 1.001)
    assert abs(right - left) < 1e-4 * total(best), "the curve is level there"


@every
def test_total_error(x, f, f0, f1, f2, f3, f4):
    r"""E(h) = \frac{h}{2} |f''| + \frac{\varepsilon |f|}{h}"""
    for h in 10.0 ** np.arange(-11, -2, 1.0):
        measured = abs((f(x + h) - f(x)) / ((x + h) - x) - f1)
        assert measured < 1.7 * (h / 2 * abs(f2) + EPS * abs(f0) / h) + h**2 * abs(f3)


@every
def test_best_forward_step(x, f, f0, f1, f2, f3, f4):
    r"""h^* = \sqrt{\frac{2\, \varepsilon\, |f|}{|f''|}}"""
    balance(lambda h: h / 2 * abs(f2), lambda h: EPS * abs(f0) / h, np.sqrt(2 * EPS * abs(f0) / abs(f2)))


@every
def test_best_central_step(x, f, f0, f1, f2, f3, f4):
    r"""h^* = \sqrt[3]{\frac{3\, \varepsilon\, |f|}{2\, |f'''|}}"""
    balance(lambda h: h**2 / 6 * abs(f3), lambda h: EPS * abs(f0) / (2 * h), np.cbrt(3 * EPS * abs(f0) / (2 * abs(f3))))


def test_relative_error():
    r"""\frac{|a - b|}{\max(|a|, |b|)}"""
    def error(a, b):
        return abs(a - b) / max(abs(a), abs(b))

    rng = np.random.default_rng(0)
    for a, b in rng.normal(0, 1, (50, 2)):
        assert error(a, b) == error(b, a) == pytest.approx(error(1e6 * a, 1e6 * b))
        assert error(a, -a) == 2
        assert error(a, 2 * a) == 0.5
        assert 0 <= error(a, b) <= 2


def test_taylor_remainder():
    r"""f(x + hv) - f(x) - h\, g^\top v \approx \frac{h^2}{2}\, v^\top H v"""
    rng = np.random.default_rng(1)
    A = rng.normal(0, 1, (4, 4))

    def f(x):
        return np.sum(np.sin(A @ x))

    for _ in range(5):
        x, v, h = rng.normal(0, 1, 4), rng.normal(0, 1, 4), 1e-4
        g = A.T @ np.cos(A @ x)
        H = A.T @ np.diag(-np.sin(A @ x)) @ A
        assert f(x + h * v) - f(x) - h * g @ v == pytest.approx(h**2 / 2 * v @ H @ v, rel=0.02, abs=1e-13)


@every
def test_complex_taylor(x, f, f0, f1, f2, f3, f4):
    r"""f(x + ih) = f(x) + i h f'(x) - \frac{h^2}{2} f''(x) - \dots"""
    h = 1e-3
    value = f(x + 1j * h)
    assert value.real == pytest.approx(f0 - h**2 / 2 * f2, rel=1e-9)
    assert value.real - f0 == pytest.approx(-(h**2) / 2 * f2, rel=1e-3)
    assert value.imag == pytest.approx(h * f1 - h**3 / 6 * f3, rel=1e-10)


@every
def test_complex_step(x, f, f0, f1, f2, f3, f4):
    r"""f'(x) \approx \frac{\operatorname{Im} f(x + ih)}{h}"""
    assert f(x + 1e-100j).imag / 1e-100 == pytest.approx(f1, rel=1e-14)
