"""The formulas of chapter 10, by the complex step."""

import numpy as np
import pytest

from tests.oracles.complex_step import gradient

RNG = np.random.default_rng(10)
X, Y = RNG.normal(0, 1, (6, 3)), RNG.normal(0, 1, (6, 2))
W = {1: RNG.normal(0, 1, (3, 4)), 2: RNG.normal(0, 1, (4, 5)), 3: RNG.normal(0, 1, (5, 2))}
LAST = 3


def sigmoid(z):
    """Also of complex numbers."""
    return 1 / (1 + np.exp(-z))


SHAPES = [
    (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    (np.sin, np.cos),
]
shapes = pytest.mark.parametrize(("f", "slope"), SHAPES)


def loss_from(z, layer, f):
    """The loss, from the pre-activations of a layer on."""
    while layer < LAST:
        layer += 1
        z = f(z) @ W[layer]
    return np.mean((z - Y) ** 2)


@shapes
def test_error_term(f, slope):
    r"""\delta^{(l)} = \left(\delta^{(l+1)}\, W^{(l+1)\top}\right) * f'(z^{(l)})"""
    z = {1: X @ W[1]}
    for layer in (2, 3):
        z[layer] = f(z[layer - 1]) @ W[layer]
    delta = {layer: gradient(lambda z, layer=layer: loss_from(z, layer, f), z[layer]) for layer in z}
    for layer in (1, 2):
        back = (delta[layer + 1] @ W[layer + 1].T) * slope(z[layer])
        np.testing.assert_allclose(back, delta[layer], rtol=1e-11, atol=1e-15)


@shapes
def test_product_of_slopes(f, slope):
    r"""\frac{dz^{(L)}}{dz^{(1)}} = f'(z^{(1)})\, f'(z^{(2)}) \cdots f'(z^{(L-1)})"""
    def last(z, layers):
        for _ in range(layers - 1):
            z = f(z)
        return z

    for start, layers in ((0.5, 2), (-1.1, 6), (0.8, 10)):
        product = np.prod([slope(last(start, layer)) for layer in range(1, layers)])
        assert product == pytest.approx(gradient(lambda z, layers=layers: last(z, layers), start).item(), rel=1e-11)


def wide(rng, rows, columns, variance):
    return rng.normal(0, np.sqrt(variance), (rows, columns))


def test_forward_square():
    r"""q^{(l)} = n\, v\; \overline{a^2}^{(l-1)}"""
    rng = np.random.default_rng(1)
    for n, v in ((500, 0.004), (900, 0.0005)):
        a = np.tanh(rng.normal(0.3, 1.5, (100, n)))
        z = a @ wide(rng, n, 2000, v)
        assert np.mean(z**2) == pytest.approx(n * v * np.mean(a**2), rel=0.05)
        assert abs(np.mean(z**2) / (n * v * np.mean(a) ** 2) - 1) > 0.5, "the mean of the square, not the square of the mean"


def test_backward_square():
    r"""\overline{\delta^2}^{(l)} = m\, v\; \overline{f'(z^{(l)})^2}\;\; \overline{\delta^2}^{(l+1)}"""
    rng = np.random.default_rng(2)
    for m, v in ((500, 0.004), (900, 0.0005)):
        z, after = rng.normal(0, 1.5, (8, 250)), rng.normal(0, 0.3, (8, m))
        W = wide(rng, 250, m, v)
        # The error term by the complex step, of sum(after * (tanh(z) W)).
        slopes = np.array([gradient(lambda z, u=u, W=W: np.sum(u * (np.tanh(z) @ W)), row) for u, row in zip(after, z)])
        predicted = m * v * np.mean((1 / np.cosh(z) ** 2) ** 2) * np.mean(after**2)
        assert np.mean(slopes**2) == pytest.approx(predicted, rel=0.15)


def test_chi():
    r"""\chi = \sigma_w^2\; \mathbb{E}\left[f'(\sqrt q\, u)^2\right]"""
    rng = np.random.default_rng(3)
    # A deep wide network of tanh at its fixed q: each layer multiplies the mean square of the error by chi.
    width, variance = 1000, 1.5
    z = rng.normal(0, 1, (20, width))
    passed = []
    for _ in range(12):
        W = wide(rng, width, width, variance / width)
        passed.append((z, W))
        z = np.tanh(z) @ W
    q = np.mean(z**2)
    delta, sizes = rng.normal(0, 1, z.shape), []
    for z, W in reversed(passed):
        delta = (delta @ W.T) / np.cosh(z) ** 2
        sizes.append(np.mean(delta**2))
    u = rng.normal(0, 1, 200_000)
    chi = variance * np.mean((1 / np.cosh(np.sqrt(q) * u) ** 2) ** 2)
    assert (sizes[4] / sizes[0]) ** (1 / 4) == pytest.approx(chi, rel=0.1)
