"""The formulas of chapter 02: number by number, by the complex step, and by counting what is probable."""

import itertools
import math

import numpy as np
import pytest

from bplib import MSE, BinaryCrossEntropy, Softmax, SoftmaxCrossEntropy
from tests.oracles.complex_step import gradient

RNG = np.random.default_rng(2)
Y_HAT, Y = RNG.normal(0, 1, (5, 3)), RNG.normal(0, 1, (5, 3))
LOGITS, CLASSES = RNG.normal(0, 1.5, (6, 4)), np.array([0, 3, 1, 2, 2, 0])
PAIRS = [(z, y) for z in (-3.1, -0.4, 0.7, 2.6) for y in (0, 1)]
pairs = pytest.mark.parametrize(("z", "y"), PAIRS)


def sigmoid(z):
    """Also of complex numbers."""
    return 1 / (1 + np.exp(-z))


def squared(y_hat):
    """The mean of all squares, one by one; also of complex numbers."""
    return sum((y_hat[i, j] - Y[i, j]) ** 2 for i in range(5) for j in range(3)) / 15


def surprise(p, y):
    """Minus the log of the probability of what happened; also of complex numbers."""
    return -np.log(p) if y == 1 else -np.log(1 - p)


def row_surprise(row, label):
    """Minus the log of a softmax; also of complex numbers."""
    powers = np.exp(row)
    return -np.log(powers[label] / sum(powers))


def test_squared_error():
    r"""L = \frac{1}{N} \sum_{i,j} (\hat y_{ij} - y_{ij})^2"""
    assert MSE().forward(Y_HAT, Y) == pytest.approx(squared(Y_HAT), rel=1e-12)
    assert MSE().forward(Y + 0.5, Y) == pytest.approx(0.25, rel=1e-12), "a mean: every error counts alike, whatever N is"


def test_squared_error_gradient():
    r"""\frac{\partial L}{\partial \hat y_{ij}} = \frac{1}{N} \cdot \frac{\partial}{\partial \hat y_{ij}} (\hat y_{ij} - y_{ij})^2
        = \frac{2}{N} (\hat y_{ij} - y_{ij})"""
    slopes = gradient(squared, Y_HAT)
    for i, j in np.ndindex(5, 3):
        one = gradient(lambda guess, target=Y[i, j]: (guess - target) ** 2, Y_HAT[i, j]).item()
        assert one / 15 == pytest.approx(slopes[i, j], rel=1e-12)
        assert 2 / 15 * (Y_HAT[i, j] - Y[i, j]) == pytest.approx(slopes[i, j], rel=1e-12)


@pairs
def test_chain(z, y):
    r"""\frac{dL}{dz} = \frac{dL}{da} \cdot \frac{da}{dz}"""
    a = sigmoid(z)
    for loss in (lambda a: (a - y) ** 2, lambda a: surprise(a, y)):
        through = gradient(lambda z, loss=loss: loss(sigmoid(z)), z)
        assert gradient(loss, a) * gradient(sigmoid, z) == pytest.approx(through, rel=1e-12)


@pairs
def test_squared_error_of_sigmoid(z, y):
    r"""\frac{dL}{dz} = 2(a - y)\, a(1 - a)"""
    a = sigmoid(z)
    assert 2 * (a - y) * a * (1 - a) == pytest.approx(gradient(lambda z: (sigmoid(z) - y) ** 2, z).item(), rel=1e-12)


def test_likelihood():
    r"""P(y) = p^{\,y} (1 - p)^{1 - y}"""
    for p in (0.2, 0.65):
        assert p**1 * (1 - p) ** 0 == pytest.approx(p)
        # Of all ways in which four examples can turn out, those with three ones are as probable as binomials say.
        ways = itertools.product((0, 1), repeat=4)
        three = sum(math.prod(p**y * (1 - p) ** (1 - y) for y in way) for way in ways if sum(way) == 3)
        assert three == pytest.approx(math.comb(4, 3) * p * p * p * (1 - p), rel=1e-12)


def test_binary_cross_entropy():
    r"""L = -\frac{1}{n} \sum_i \big( y_i \log p_i + (1 - y_i) \log(1 - p_i) \big)"""
    z, y = np.array([z for z, _ in PAIRS]), np.array([y for _, y in PAIRS])
    p = sigmoid(z)
    terms = [y[i] * math.log(p[i]) + (1 - y[i]) * math.log(1 - p[i]) for i in range(len(y))]
    assert BinaryCrossEntropy().forward(z, y) == pytest.approx(-math.fsum(terms) / len(y), rel=1e-12)
    likelihood = math.prod(p[i] if y[i] else 1 - p[i] for i in range(len(y)))
    assert -math.fsum(terms) / len(y) == pytest.approx(-math.log(likelihood) / len(y), rel=1e-12)


@pairs
def test_slope_of_surprise(z, y):
    r"""\frac{dL}{dp} = -\frac{y}{p} + \frac{1 - y}{1 - p}"""
    p = sigmoid(z)
    assert -y / p + (1 - y) / (1 - p) == pytest.approx(gradient(lambda p: surprise(p, y), p).item(), rel=1e-12)


@pairs
def test_common_denominator(z, y):
    r"""\frac{dL}{dp} = \frac{p - y}{p(1 - p)}"""
    p = sigmoid(z)
    assert (p - y) / (p * (1 - p)) == pytest.approx(gradient(lambda p: surprise(p, y), p).item(), rel=1e-12)


@pairs
def test_cancellation(z, y):
    r"""\frac{dL}{dz} = \frac{p - y}{p(1 - p)} \cdot p(1 - p) = p - y"""
    p, slope = sigmoid(z), gradient(lambda z: surprise(sigmoid(z), y), z).item()
    assert gradient(sigmoid, z).item() == pytest.approx(p * (1 - p), rel=1e-12), "the second factor is the sigmoid's slope"
    assert (p - y) / (p * (1 - p)) * (p * (1 - p)) == pytest.approx(slope, rel=1e-12)
    assert p - y == pytest.approx(slope, rel=1e-12)


@pairs
def test_logit_loss(z, y):
    r"""L = \log(1 + e^z) - y z"""
    assert math.log(1 + math.exp(z)) - y * z == pytest.approx(surprise(sigmoid(z), y), rel=1e-12)


def test_softplus():
    r"""\log(1 + e^z) = \max(z, 0) + \log(1 + e^{-|z|})"""
    for z in (-20.0, -1.3, 0.0, 0.4, 5.0, 20.0):
        assert max(z, 0) + math.log(1 + math.exp(-abs(z))) == pytest.approx(math.log(1 + math.exp(z)), rel=1e-12)


def test_softmax():
    r"""p_j = \frac{e^{z_j}}{\sum_m e^{z_m}}"""
    written = [[math.exp(z) / math.fsum(map(math.exp, row)) for z in row] for row in LOGITS.tolist()]
    np.testing.assert_allclose(Softmax().forward(LOGITS), written, rtol=1e-12)


def test_surprise_of_class():
    r"""L = -\log \frac{e^{z_c}}{\sum_m e^{z_m}} = \log \sum_m e^{z_m} - z_c"""
    for row, c in zip(LOGITS, CLASSES):
        loss = SoftmaxCrossEntropy().forward(row[np.newaxis], np.array([c]))
        total = math.fsum(map(math.exp, row))
        assert -math.log(math.exp(row[c]) / total) == pytest.approx(loss, rel=1e-12)
        assert math.log(total) - row[c] == pytest.approx(loss, rel=1e-12)


def test_log_sum_exp():
    r"""\log \sum_m e^{z_m} = z_{\max} + \log \sum_m e^{z_m - z_{\max}}"""
    for row in LOGITS.tolist():
        top = max(row)
        right = top + math.log(math.fsum(math.exp(z - top) for z in row))
        assert math.log(math.fsum(map(math.exp, row))) == pytest.approx(right, rel=1e-12)


def test_slope_of_log_sum_exp():
    r"""\frac{\partial}{\partial z_j} \log \sum_m e^{z_m} = \frac{e^{z_j}}{\sum_m e^{z_m}} = p_j"""
    for row in LOGITS:
        slopes = gradient(lambda z: np.log(sum(np.exp(z))), row)
        total = math.fsum(map(math.exp, row))
        np.testing.assert_allclose([math.exp(z) / total for z in row], slopes, rtol=1e-12)
        np.testing.assert_allclose(Softmax().forward(row[np.newaxis])[0], slopes, rtol=1e-12)


def test_softmax_gradient():
    r"""\frac{\partial L}{\partial z} = \frac{p - y_{\text{one-hot}}}{n}"""
    n, k = LOGITS.shape
    slopes = gradient(lambda z: sum(row_surprise(row, label) for row, label in zip(z, CLASSES)) / n, LOGITS)
    powers = np.exp(LOGITS)
    p = powers / powers.sum(axis=1, keepdims=True)
    one_hot = np.array([[float(j == label) for j in range(k)] for label in CLASSES])
    np.testing.assert_allclose((p - one_hot) / n, slopes, rtol=1e-11)
