"""The formula that chapter 08 hands out to be judged, by the complex step: it is wrong, and why."""

import numpy as np
import pytest

from tests.oracles.complex_step import gradient

RNG = np.random.default_rng(8)
X, Y = RNG.normal(0, 1, (6, 4)), RNG.normal(0, 1, (6, 2))
SQUARE_X = RNG.normal(0, 1, (6, 3))


def slope_of_weights(x, widths, layer_of_slope):
    """dL/dW2 by the printed product, with the slope of a given layer in the middle, and by the complex step."""
    first, second, third = (np.random.default_rng(seed).normal(0, 1, widths[seed : seed + 2]) for seed in (0, 1, 2))
    z1 = x @ first
    z2 = np.tanh(z1) @ second

    def loss(a2):
        return np.mean((a2 @ third - Y) ** 2)

    slopes = {1: 1 - np.tanh(z1) ** 2, 2: 1 - np.tanh(z2) ** 2}
    product = np.tanh(z1).T @ (gradient(loss, np.tanh(z2)) * slopes[layer_of_slope])
    return product, gradient(lambda W: loss(np.tanh(np.tanh(z1) @ W)), second)


def test_wrong_layer():
    r"""\frac{\partial L}{\partial W^{(2)}} = \frac{\partial L}{\partial a^{(2)}} \cdot \frac{\partial a^{(1)}}{\partial z^{(1)}}
        \cdot \frac{\partial z^{(2)}}{\partial W^{(2)}}"""
    widths = (4, 5, 3, 2)
    right, measured = slope_of_weights(X, widths, layer_of_slope=2)
    np.testing.assert_allclose(right, measured, rtol=1e-11, atol=1e-14)
    with pytest.raises(ValueError, match="broadcast"):  # as printed, the shapes do not fit
        slope_of_weights(X, widths, layer_of_slope=1)
    printed, measured = slope_of_weights(SQUARE_X, (3, 3, 3, 2), layer_of_slope=1)
    assert np.abs(printed / measured - 1).max() > 0.1, "where they do fit, it is no gradient"
