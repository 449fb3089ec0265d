"""The formulas of chapter 07, by plain floats and by the complex step."""

import math

import numpy as np
import pytest

RNG = np.random.default_rng(0)
Z = RNG.normal(0, 1.5, (5, 4))
LABELS = np.array([0, 3, 1, 2, 2])


def softmax(row):
    """One row, number by number; complex numbers too."""
    exponentials = [np.exp(value) for value in row]
    total = sum(exponentials)
    return np.array([value / total for value in exponentials])


def slopes(f, at):
    """The slopes of f, which gives one number, by the complex step."""
    found = np.zeros(np.shape(at))
    for index in np.ndindex(found.shape):
        moved = np.array(at, dtype=complex)
        moved[index] += 1e-30j
        found[index] = f(moved).imag / 1e-30
    return found


def mean_surprise(z, T=1.0):
    """The mean cross-entropy of a batch."""
    return -sum(np.log(softmax(row / T)[label]) for row, label in zip(z, LABELS)) / len(z)


def agree(got, expected):
    assert np.shape(got) == np.shape(expected)
    assert np.allclose(got, expected, rtol=1e-12, atol=1e-15)


def test_softmax():
    r"""p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}"""
    from bplib import Softmax

    agree(Softmax().forward(Z), [[math.exp(v) / sum(map(math.exp, row)) for v in row] for row in Z.tolist()])


def test_shift():
    r"""\operatorname{softmax}(z + c) = \operatorname{softmax}(z)"""
    for c in (-30.0, 0.7, 100.0):
        agree(softmax(Z[0] + c), softmax(Z[0]))
    assert not np.allclose(softmax(2 * Z[0]), softmax(Z[0]))


def test_jacobian_own():
    r"""\frac{\partial p_i}{\partial z_i} = \frac{e^{z_i} S - e^{z_i} e^{z_i}}{S^2} = p_i (1 - p_i)"""
    for row in Z:
        e, S, p = np.exp(row), np.exp(row).sum(), softmax(row)
        for i in range(4):
            own = slopes(lambda z, i=i: softmax(z)[i], row)[i]
            assert own == pytest.approx(p[i] * (1 - p[i]), rel=1e-12)
            assert own == pytest.approx((e[i] * S - e[i] * e[i]) / S**2, rel=1e-12)


def test_jacobian_other():
    r"""\frac{\partial p_i}{\partial z_j} = -\frac{e^{z_i} e^{z_j}}{S^2} = -p_i\, p_j \qquad (i \neq j)"""
    for row in Z:
        e, S, p = np.exp(row), np.exp(row).sum(), softmax(row)
        for i in range(4):
            row_of_slopes = slopes(lambda z, i=i: softmax(z)[i], row)
            for j in set(range(4)) - {i}:
                assert row_of_slopes[j] == pytest.approx(-p[i] * p[j], rel=1e-12)
                assert row_of_slopes[j] == pytest.approx(-e[i] * e[j] / S**2, rel=1e-12)


def test_jacobian():
    r"""J = \operatorname{diag}(p) - p\, p^\top"""
    for row in Z:
        p = softmax(row)
        agree(np.diag(p) - p[:, np.newaxis] @ p[np.newaxis], [slopes(lambda z, i=i: softmax(z)[i], row) for i in range(4)])


def test_collect():
    r"""\delta_j = \sum_i \frac{\partial L}{\partial p_i} \frac{\partial p_i}{\partial z_j}"""
    def loss(p):
        return np.sin(3 * p[0]) + p[1] ** 2 * p[2] - p[3]

    for row in Z:
        dp = slopes(loss, softmax(row))
        table = np.array([slopes(lambda z, i=i: softmax(z)[i], row) for i in range(4)])
        agree([sum(dp[i] * table[i, j] for i in range(4)) for j in range(4)], slopes(lambda z: loss(softmax(z)), row))


def test_vjp():
    r"""\delta = p * (dp - s), \qquad s = \sum_i dp_i\, p_i"""
    u = RNG.normal(0, 1, 4)
    for row in Z:
        p = softmax(row)
        s = sum(u[i] * p[i] for i in range(4))
        agree(p * (u - s), slopes(lambda z: np.sum(u * softmax(z)), row))


def test_surprise():
    r"""L = -\log p_c"""
    from bplib import SoftmaxCrossEntropy

    for row, c in zip(Z, LABELS):
        value = SoftmaxCrossEntropy().forward(row[np.newaxis], np.array([c]))
        assert value == pytest.approx(-math.log(softmax(row)[c]), rel=1e-12)


def test_through_jacobian():
    r"""\frac{\partial L}{\partial z_j} = -\frac{1}{p_c} \frac{\partial p_c}{\partial z_j} = p_j - y_j"""
    for row, c in zip(Z, LABELS):
        measured = slopes(lambda z, c=c: -np.log(softmax(z)[c]), row)
        p = softmax(row)
        agree(-slopes(lambda z, c=c: softmax(z)[c], row) / p[c], measured)
        agree([p[j] - (1.0 if j == c else 0.0) for j in range(4)], measured)


def test_batch_gradient():
    r"""\frac{\partial L}{\partial z} = \frac{p - y}{n}"""
    p = np.array([softmax(row) for row in Z])
    agree((p - np.eye(4)[LABELS]) / 5, slopes(mean_surprise, Z))


def test_rows_zero():
    r"""\sum_j \frac{\partial L}{\partial z_j} = 0"""
    assert np.allclose(slopes(mean_surprise, Z).sum(axis=1), 0, atol=1e-15)
    assert np.abs(slopes(mean_surprise, Z).sum(axis=0)).max() > 0.01


def test_log_sum_exp():
    r"""\log \sum_j e^{z_j} = m + \log \sum_j e^{z_j - m}"""
    for row in Z.tolist():
        for m in (max(row), -3.0, 20.0):
            right = m + math.log(sum(math.exp(v - m) for v in row))
            assert math.log(sum(map(math.exp, row))) == pytest.approx(right, rel=1e-12)


def test_blind():
    r"""L = -\log \frac{1}{C} = \log C"""
    from bplib import SoftmaxCrossEntropy

    for C in (2, 10, 1000):
        value = SoftmaxCrossEntropy().forward(np.full((3, C), 0.4), np.array([0, 1, C - 1]))
        assert value == pytest.approx(-math.log(1 / C), rel=1e-12)
        assert value == pytest.approx(math.log(C), rel=1e-12)


def test_temperature():
    r"""p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}"""
    row = Z[0]
    sharp, even = ([math.exp(v / T) / sum(math.exp(u / T) for u in row) for v in row] for T in (0.02, 500.0))
    agree(np.round(sharp, 6), np.eye(4)[row.argmax()])
    assert np.allclose(even, 0.25, atol=2e-3)
    for T in (0.5, 3.0):
        agree(softmax(row / T), [math.exp(v / T) / sum(math.exp(u / T) for u in row) for v in row])


def test_temperature_gradient():
    r"""\frac{\partial L}{\partial z} = \frac{p - y}{n\, T}"""
    for T in (0.4, 2.5):
        p = np.array([softmax(row / T) for row in Z])
        agree((p - np.eye(4)[LABELS]) / (5 * T), slopes(lambda z, T=T: mean_surprise(z, T), Z))
