"""The formulas of chapter 09, evaluated on numbers."""

import numpy as np
import pytest

from bplib import MSE, SGD, Linear, ReLU, Sequential, SoftmaxCrossEntropy

RNG = np.random.default_rng(9)
N, D, H, K = 5, 7, 4, 3
X, Y = RNG.normal(0, 1, (N, D)), np.array([0, 2, 1, 1, 2])
W1, B1, W2, B2 = RNG.normal(0, 1, (D, H)), RNG.normal(0, 1, H), RNG.normal(0, 1, (H, K)), RNG.normal(0, 1, K)
STEP = 1e-6


def layers(W1=W1, b1=B1, W2=W2, b2=B2):
    """z1, a1, z2 by the formula of the chapter."""
    z1 = X @ W1 + b1
    a1 = np.maximum(0, z1)
    return z1, a1, a1 @ W2 + b2


def loss_of(z2):
    """The cross-entropy, by logarithms of plain sums."""
    total = 0.0
    for row, label in zip(z2.tolist(), Y):
        total += np.log(sum(np.exp(score) for score in row)) - row[label]
    return total / N


def probabilities(z2):
    return np.exp(z2) / np.exp(z2).sum(axis=1, keepdims=True)


def slopes(f, array):
    """Central differences, entry by entry."""
    out = np.empty_like(array)
    for place in np.ndindex(array.shape):
        up, down = array.copy(), array.copy()
        up[place] += STEP
        down[place] -= STEP
        out[place] = (f(up) - f(down)) / (2 * STEP)
    return out


def delta_two():
    return (probabilities(layers()[2]) - np.eye(K)[Y]) / N


def delta_one():
    return (delta_two() @ W2.T) * (layers()[0] > 0)


def test_two_layers():
    r"""z_1 = x W_1 + b_1, \qquad a_1 = \max(0, z_1), \qquad z_2 = a_1 W_2 + b_2"""
    net = Sequential(Linear(D, H), ReLU(), Linear(H, K))
    for name, value in {"0.W": W1, "0.b": B1, "2.W": W2, "2.b": B2}.items():
        net.params[name][...] = value
    z1, a1, z2 = layers()
    np.testing.assert_allclose(z1, net[0].forward(X))
    np.testing.assert_allclose(a1, net[1].forward(z1))
    np.testing.assert_allclose(z2, net.forward(X))
    assert (z1 < 0).any()


def test_cross_entropy():
    r"""L = -\frac{1}{n} \sum_i \log p_{i, y_i}"""
    z2 = layers()[2]
    p = probabilities(z2)
    formula = -sum(np.log(p[i, Y[i]]) for i in range(N)) / N
    assert formula == pytest.approx(SoftmaxCrossEntropy().forward(z2, Y))
    assert formula == pytest.approx(loss_of(z2))


def test_delta_two():
    r"""\delta_2 = \frac{\partial L}{\partial z_2} = \frac{p - y_{\text{one-hot}}}{n}"""
    np.testing.assert_allclose(delta_two(), slopes(loss_of, layers()[2]), atol=1e-8)


def test_last_layer():
    r"""dW_2 = a_1^\top \delta_2, \qquad db_2 = \sum_i \delta_{2, i}"""
    np.testing.assert_allclose(layers()[1].T @ delta_two(), slopes(lambda W: loss_of(layers(W2=W)[2]), W2), atol=1e-8)
    np.testing.assert_allclose(delta_two().sum(axis=0), slopes(lambda b: loss_of(layers(b2=b)[2]), B2), atol=1e-8)


def test_delta_one():
    r"""\delta_1 = (\delta_2 W_2^\top) \odot [z_1 > 0]"""
    measured = slopes(lambda z1: loss_of(np.maximum(0, z1) @ W2 + B2), layers()[0])
    np.testing.assert_allclose(delta_one(), measured, atol=1e-8)
    assert (delta_one() == 0).any()


def test_first_layer():
    r"""dW_1 = x^\top \delta_1, \qquad db_1 = \sum_i \delta_{1, i}"""
    np.testing.assert_allclose(X.T @ delta_one(), slopes(lambda W: loss_of(layers(W1=W)[2]), W1), atol=1e-8)
    np.testing.assert_allclose(delta_one().sum(axis=0), slopes(lambda b: loss_of(layers(b1=b)[2]), B1), atol=1e-8)


def test_update_ratio():
    r"""r = \frac{\lVert \text{lr} \cdot dW \rVert}{\lVert W \rVert}"""
    net, loss, lr = Sequential(Linear(D, K, rng=1)), MSE(), 0.3
    loss.forward(net.forward(X), np.eye(K)[Y])
    net.backward(loss.backward())
    before, dW = net.params["0.W"].copy(), net.grads["0.W"].copy()
    SGD(net, lr).step()
    moved = net.params["0.W"] - before
    formula = np.sqrt(np.sum((lr * dW) ** 2)) / np.sqrt(np.sum(before**2))
    assert formula == pytest.approx(np.linalg.norm(moved) / np.linalg.norm(before))


@pytest.mark.parametrize("q", [0.5, 0.88])
def test_sampling_error(q):
    r"""s = \sqrt{\frac{q (1 - q)}{n}}"""
    n = 400
    shares = np.random.default_rng(0).binomial(n, q, 20000) / n
    assert np.sqrt(q * (1 - q) / n) == pytest.approx(shares.std(), rel=0.03)
