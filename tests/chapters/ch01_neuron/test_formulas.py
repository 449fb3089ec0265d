"""The formulas of chapter 01: number by number, against the library, and by the complex step."""

import cmath
import math

import numpy as np
import pytest

from bplib import Linear, ReLU, Sigmoid, Tanh
from tests.oracles.complex_step import gradient

RNG = np.random.default_rng(1)
PLACES = RNG.normal(0, 2, 6)
LINES = [(RNG.normal(0, 2, 2), float(RNG.normal())) for _ in range(4)]
lines = pytest.mark.parametrize(("w", "b"), LINES)
places = pytest.mark.parametrize("z", PLACES.tolist())


def sigmoid(z):
    """By way of tanh, so that no line of the derivation is used; complex numbers too."""
    return (1 + np.tanh(z / 2)) / 2


def nearest_point(w, b, x):
    """The point of the line w . x + b = 0 that is nearest to x: least squares along the line, from two of its points."""
    start = np.array([-b / w[0], 0.0])
    along = start - np.array([0.0, -b / w[1]])
    step, *_ = np.linalg.lstsq(along[:, np.newaxis], x - start, rcond=None)
    return start + step[0] * along


@lines
def test_weighted_sum(w, b):
    r"""z = w_1 x_1 + w_2 x_2 + b"""
    neuron, x = Linear(2, 1), RNG.normal(0, 1, 2)
    neuron.params["W"][:, 0], neuron.params["b"][:] = w, b
    assert neuron.forward(x[np.newaxis]).item() == pytest.approx(w[0] * x[0] + w[1] * x[1] + b, rel=1e-12)


@places
def test_activation(z):
    r"""a = f(z) \qquad\text{for example the sigmoid}\qquad a = \frac{1}{1 + e^{-z}}"""
    assert Sigmoid().forward(np.array([z])).item() == pytest.approx(1 / (1 + math.exp(-z)), rel=1e-12)


@lines
def test_decision_line(w, b):
    r"""x_2 = -\frac{w_1}{w_2}\, x_1 - \frac{b}{w_2}"""
    for x1 in (-2.0, 0.0, 1.5):
        x2 = -w[0] / w[1] * x1 - b / w[1]
        assert np.dot(w, [x1, x2]) + b == pytest.approx(0, abs=1e-12)
        assert abs(np.dot(w, [x1, x2 + 0.01]) + b) > 1e-4, "only there"


@lines
def test_two_points(w, b):
    r"""w \cdot p + b = 0 \qquad\text{and}\qquad w \cdot q + b = 0"""
    p, q = (nearest_point(w, b, RNG.normal(0, 3, 2)) for _ in range(2))
    assert w @ p + b == pytest.approx(0, abs=1e-10)
    assert w @ q + b == pytest.approx(0, abs=1e-10)
    assert np.linalg.norm(p - q) > 1e-3
    assert w @ (p - q) == pytest.approx(0, abs=1e-10)


@lines
def test_distance(w, b):
    r"""z = w \cdot x + b = \underbrace{w \cdot p + b}_{0} + s\, \frac{w \cdot w}{|w|} = s\, |w|"""
    length = math.hypot(*w)
    for x in RNG.normal(0, 3, (5, 2)):
        p = nearest_point(w, b, x)
        side = 1 if np.dot(x - p, w) > 0 else -1
        s = side * math.dist(x, p)
        assert w @ p + b == pytest.approx(0, abs=1e-10)
        assert w @ x + b == pytest.approx(w @ p + b + s * (w @ w) / length, rel=1e-9, abs=1e-10)
        assert w @ x + b == pytest.approx(s * length, rel=1e-9, abs=1e-10)


def test_two_layers():
    r"""(x W_1) W_2 = x\, (W_1 W_2)"""
    x, W1, W2 = RNG.normal(0, 1, (5, 2)), RNG.normal(0, 1, (2, 4)), RNG.normal(0, 1, (4, 3))
    first, second = Linear(2, 4, bias=False), Linear(4, 3, bias=False)
    first.params["W"][:], second.params["W"][:] = W1, W2
    one_by_one = [[sum(x[i, k] * W1[k, m] * W2[m, j] for k in range(2) for m in range(4)) for j in range(3)] for i in range(5)]
    np.testing.assert_allclose(second.forward(first.forward(x)), one_by_one, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(x @ (W1 @ W2), one_by_one, rtol=1e-12, atol=1e-14)


@places
def test_three_activations(z):
    r"""\text{sigmoid}(z) = \frac{1}{1 + e^{-z}} \qquad \tanh(z) = \frac{e^z - e^{-z}}{e^z + e^{-z}}
        \qquad \text{ReLU}(z) = \max(0, z)"""
    up, down = math.exp(z), math.exp(-z)
    written = {Sigmoid(): 1 / (1 + down), Tanh(): (up - down) / (up + down), ReLU(): max(0, z)}
    for activation, value in written.items():
        assert activation.forward(np.array([z])).item() == pytest.approx(value, rel=1e-12)


@places
def test_central_difference(z):
    r"""f'(z) \approx \frac{f(z + h) - f(z - h)}{2h}"""
    h = 1e-5
    for f in (sigmoid, np.tanh, np.exp, np.sin):
        assert (f(z + h) - f(z - h)) / (2 * h) == pytest.approx(gradient(f, z).item(), rel=1e-8, abs=1e-9)


@places
def test_sigmoid_chain(z):
    r"""\frac{da}{dz} = -\frac{1}{u^2} \cdot (-e^{-z}) = \frac{e^{-z}}{(1 + e^{-z})^2}"""
    slope, e, u = gradient(sigmoid, z).item(), math.exp(-z), 1 + math.exp(-z)
    assert -1 / u**2 * -e == pytest.approx(slope, rel=1e-10)
    assert e / (1 + e) ** 2 == pytest.approx(slope, rel=1e-10)


@places
def test_sigmoid_split(z):
    r"""\frac{e^{-z}}{(1 + e^{-z})^2} = \frac{1}{1 + e^{-z}} \cdot \frac{e^{-z}}{1 + e^{-z}}
        = a \cdot \frac{e^{-z}}{1 + e^{-z}}"""
    e = math.exp(-z)
    assert 1 / (1 + e) * (e / (1 + e)) == pytest.approx(e / (1 + e) ** 2, rel=1e-12)
    assert sigmoid(z) * (e / (1 + e)) == pytest.approx(e / (1 + e) ** 2, rel=1e-10)


@places
def test_sigmoid_slope(z):
    r"""\text{sigmoid}'(z) = a\,(1 - a)"""
    a = 1 / (1 + math.exp(-z))
    assert a * (1 - a) == pytest.approx(gradient(sigmoid, z).item(), rel=1e-10)


@places
def test_tanh_slope(z):
    r"""\tanh'(z) = \frac{s'\,c - s\,c'}{c^2} = \frac{c^2 - s^2}{c^2} = 1 - \left(\frac{s}{c}\right)^2 = 1 - a^2"""
    def above(z):
        return cmath.exp(z) - cmath.exp(-z)

    def below(z):
        return cmath.exp(z) + cmath.exp(-z)

    s, c, a = above(z).real, below(z).real, math.tanh(z)
    slope = gradient(np.tanh, z).item()
    ds, dc = gradient(above, z).item(), gradient(below, z).item()
    for line in ((ds * c - s * dc) / c**2, (c**2 - s**2) / c**2, 1 - (s / c) ** 2, 1 - a**2):
        assert line == pytest.approx(slope, rel=1e-9)
