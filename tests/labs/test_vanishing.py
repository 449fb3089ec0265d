"""The gradient lab shows real gradients, and says the right thing about extreme ones."""

import numpy as np
import pytest

from bplib import Linear, Sequential, Sigmoid, SoftmaxCrossEntropy, datasets, numerical_gradient
from bplib.labs import GradientMagnitudes
from bplib.labs.live import Picture
from bplib.labs.vanishing import _bars, _named, _short


@pytest.fixture
def lab():
    return GradientMagnitudes()


def faked(lab, norms):
    """What the lab would say and show if these were the lengths of the gradients."""
    norms = np.array(norms, dtype=float)
    data = lab.data(depth=len(norms)) | {"norms": norms}
    picture = Picture(lab, data)
    shown = {mark.get_label(): mark.get_xdata().tolist() for mark in picture.artists["marks"] if len(mark.get_xdata())}
    return lab.describe(lab.values(depth=len(norms)), data), shown


def test_the_bars_are_the_gradient_that_finite_differences_see(lab):
    images = datasets.fashion()
    x = (images.x_train[:64] - images.x_train.mean()) / images.x_train.std()
    rng = np.random.default_rng(3)
    layers = [Linear(784, 8, gain=1.5, rng=rng), Linear(8, 8, gain=1.5, rng=rng), Linear(8, 10, gain=1.5, rng=rng)]
    net = Sequential(layers[0], Sigmoid(), layers[1], Sigmoid(), layers[2])
    loss = SoftmaxCrossEntropy()
    data = lab.data(depth=3, width=8, activation="sigmoid", gain=1.5, seed=3)
    for place in (1, 2):
        W = layers[place].params["W"]
        start = W.copy()

        def value(trial, W=W):
            W[...] = trial
            return loss.forward(net.forward(x), images.y_train[:64])

        length = np.linalg.norm(numerical_gradient(value, start))
        W[...] = start
        np.testing.assert_allclose(data["norms"][place], length, rtol=1e-6)


def test_each_layer_of_sigmoids_costs_the_slope(lab):
    data = lab.data(depth=30, width=64, activation="sigmoid")
    norms = data["norms"]
    factor = (norms[5] / norms[25]) ** (1 / 20)
    assert data["slope"].max() <= 0.25
    assert 0.8 * data["slope"].mean() < factor < 1.2 * data["slope"].mean()


@pytest.mark.parametrize(
    ("norms", "said", "shown"),
    [
        ([0.1, 0.2, 0.3], "all 3 layers can learn", {}),
        ([0, 0, 0.3], "No gradient at all reaches layers 1 to 2", {"zero": [1, 2]}),
        ([np.nan, 0.1, np.inf], "The gradient of 2 layers is not a finite number", {"larger": [3], "no number": [1]}),
        ([1e-30, 1e-3, 1], "only 1e-30 of layer 3's: layer 1 will hardly learn", {"smaller": [1]}),
        ([1e9, 100, 1], "layers 1 to 2 will jump", {"larger": [1]}),
        ([1e-7, 1e-7, 1e-7], "all 3 layers will hardly learn", {}),
    ],
)
def test_extremes_are_marked_and_said(lab, norms, said, shown):
    words, marks = faked(lab, norms)
    assert said in words
    assert marks == shown


def test_numbers_are_short():
    assert [_short(x) for x in (3e-9, 0.0123, 0.5, 20, 345, 6.2e7)] == ["3e-9", "0.01", "0.5", "20", "345", "6e7"]


def test_layers_are_named():
    named = [_named(np.array(chosen)) for chosen in ([1, 1], [0, 1, 0], [0, 1, 1], [1, 0, 1])]
    assert named == ["all 2 layers", "layer 2", "layers 2 to 3", "2 layers"]


def test_bars_stand_on_the_floor_at_their_layers():
    corners = _bars(np.array([1.0, 2.0]))
    assert corners.shape == (2, 4, 2)
    np.testing.assert_allclose(corners[:, :, 0].mean(axis=1), [1, 2])
    np.testing.assert_allclose(corners[:, :, 1].max(axis=1), [1, 2])
