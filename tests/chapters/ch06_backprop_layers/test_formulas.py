"""The formulas of chapter 06, on a network of three layers: the complex step knows nothing of any of them."""

from itertools import pairwise

import numpy as np

RNG = np.random.default_rng(0)
WIDTHS = (3, 4, 5, 2)
W = [None, *(RNG.normal(0, 1, shape) for shape in pairwise(WIDTHS))]
B = [None, *(RNG.normal(0, 1, width) for width in WIDTHS[1:])]
X, Y = RNG.normal(0, 1, (6, 3)), RNG.normal(0, 1, (6, 2))
LAST = 3


def onwards(z, layer, y=Y):
    """The loss from a layer's pre-activations."""
    while layer < LAST:
        z, layer = np.tanh(z) @ W[layer + 1] + B[layer + 1], layer + 1
    return np.sum((z - y) ** 2) / y.size


def slopes(f, at):
    """The gradient of f, by the complex step."""
    found = np.zeros(np.shape(at))
    for index in np.ndindex(found.shape):
        moved = np.array(at, dtype=complex)
        moved[index] += 1e-30j
        found[index] = f(moved).imag / 1e-30
    return found


def passed(x=X):
    """Pre-activations and activations of every layer, by their numbers; a[0] is the input."""
    z, a = [None], [x]
    for layer in range(1, LAST + 1):
        z.append(a[-1] @ W[layer] + B[layer])
        a.append(np.tanh(z[-1]) if layer < LAST else z[-1])
    return z, a


def deltas(x=X, y=Y):
    """The measured error terms, by layer."""
    z, _ = passed(x)
    return [None, *(slopes(lambda at, layer=layer: onwards(at, layer, y), z[layer]) for layer in range(1, LAST + 1))]


def agree(got, expected):
    assert np.shape(got) == np.shape(expected)
    assert np.allclose(got, expected, rtol=1e-11, atol=1e-14)


def test_forward_index():
    r"""z^{(l)}_j = \sum_i a^{(l-1)}_i W^{(l)}_{ij} + b^{(l)}_j, \qquad a^{(l)}_j = f(z^{(l)}_j)"""
    z, a = passed(X[0])
    previous = X[0].tolist()
    for layer in range(1, LAST + 1):
        sums = [sum(previous[i] * W[layer][i, j] for i in range(len(previous))) + B[layer][j] for j in range(WIDTHS[layer])]
        agree(sums, z[layer])
        previous = [np.tanh(value) if layer < LAST else value for value in sums]
        agree(previous, a[layer])


def test_error_term():
    r"""\delta^{(l)}_j = \frac{\partial L}{\partial z^{(l)}_j}"""
    from bplib import MSE, Linear, Sequential, Tanh, trace

    net = Sequential(Linear(3, 4), Tanh(), Linear(4, 5), Tanh(), Linear(5, 2))
    for name, array in zip(net.params, (W[1], B[1], W[2], B[2], W[3], B[3])):
        net.params[name][...] = array
    for record, measured in zip(trace(net, MSE(), X, Y), deltas()[1:]):
        agree(record.delta, measured)


def test_output_delta():
    r"""\delta^{(L)}_j = \frac{2}{k} (z^{(L)}_j - y_j)"""
    z, _ = passed(X[:1])
    agree(2 / 2 * (z[LAST] - Y[:1]), deltas(X[:1], Y[:1])[LAST])


def test_hidden_delta_index():
    r"""\delta^{(l)}_j = f'(z^{(l)}_j) \sum_k W^{(l+1)}_{jk}\, \delta^{(l+1)}_k"""
    z, _ = passed(X[:1])
    delta = deltas(X[:1], Y[:1])
    for layer in (1, 2):
        claimed = [
            1 / np.cosh(z[layer][0, j]) ** 2
            * sum(W[layer + 1][j, k] * delta[layer + 1][0, k] for k in range(WIDTHS[layer + 1]))
            for j in range(WIDTHS[layer])
        ]
        agree([claimed], delta[layer])


def test_weight_gradient_index():
    r"""\frac{\partial L}{\partial W^{(l)}_{ij}} = a^{(l-1)}_i\, \delta^{(l)}_j,
    \qquad \frac{\partial L}{\partial b^{(l)}_j} = \delta^{(l)}_j"""
    _, a = passed(X[:1])
    delta = deltas(X[:1], Y[:1])
    for layer in range(1, LAST + 1):
        measured = slopes(lambda w, layer=layer: onwards(a[layer - 1] @ w + B[layer], layer, Y[:1]), W[layer])
        agree([[one * error for error in delta[layer][0]] for one in a[layer - 1][0]], measured)
        agree(delta[layer][0], slopes(lambda b, layer=layer: onwards(a[layer - 1] @ W[layer] + b, layer, Y[:1]), B[layer]))


def test_input_gradient_index():
    r"""\frac{\partial L}{\partial x_i} = \sum_j W^{(1)}_{ij}\, \delta^{(1)}_j"""
    delta = deltas(X[:1], Y[:1])[1][0]
    measured = slopes(lambda x: onwards(x @ W[1] + B[1], 1, Y[:1]), X[:1])[0]
    agree([sum(W[1][i, j] * delta[j] for j in range(4)) for i in range(3)], measured)


def test_hidden_delta():
    r"""\delta^{(l)} = \left(\delta^{(l+1)}\, W^{(l+1)\top}\right) * f'(z^{(l)})"""
    z, _ = passed()
    delta = deltas()
    for layer in (1, 2):
        agree((delta[layer + 1] @ W[layer + 1].T) / np.cosh(z[layer]) ** 2, delta[layer])


def test_weight_gradient():
    r"""\frac{\partial L}{\partial W^{(l)}} = a^{(l-1)\top}\, \delta^{(l)}"""
    _, a = passed()
    for layer in range(1, LAST + 1):
        measured = slopes(lambda w, layer=layer: onwards(a[layer - 1] @ w + B[layer], layer), W[layer])
        agree(a[layer - 1].T @ deltas()[layer], measured)


def test_bias_gradient():
    r"""\frac{\partial L}{\partial b^{(l)}} = \sum_r \delta^{(l)}_{r\cdot}"""
    _, a = passed()
    for layer in range(1, LAST + 1):
        measured = slopes(lambda b, layer=layer: onwards(a[layer - 1] @ W[layer] + b, layer), B[layer])
        agree(sum(deltas()[layer][r] for r in range(6)), measured)


def test_input_gradient():
    r"""\frac{\partial L}{\partial x} = \delta^{(1)}\, W^{(1)\top}"""
    agree(deltas()[1] @ W[1].T, slopes(lambda x: onwards(x @ W[1] + B[1], 1), X))
