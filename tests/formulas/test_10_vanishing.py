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
