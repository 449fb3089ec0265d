"""The gradient lab shows real gradients, and says the right thing about extreme ones."""

import numpy as np
import pytest

from bplib import (
    MSE,
    SGD,
    BatchNorm,
    Linear,
    Residual,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    datasets,
    numerical_gradient,
)
from course.ch10_vanishing import GradientMagnitudes
from course.ch10_vanishing.labs import _bars, _named, _short
from course.labs.live import Picture


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
    data = lab.data(depth=3, width=8, activation="sigmoid", gain=1.5, batch=64, seed=3)
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


def test_the_whole_network_is_the_one_that_it_says(lab):
    """Batch norm, residuals, squared error and training, against the same network built and trained by itself."""
    values = {"depth": 5, "width": 16, "activation": "tanh", "rule": "He", "gain": 0.5}
    data = lab.data(**values, normalization="batch", residual=True, loss="squared error", batch=32, steps=3, seed=4)
    images = datasets.fashion()
    x, rng = (images.x_train[:128] - images.x_train.mean()) / images.x_train.std(), np.random.default_rng(4)
    y = np.eye(10)[images.y_train[:128]]
    blocks = [Sequential(Linear(784, 16, init="he", gain=0.5, rng=rng), BatchNorm(16), Tanh())]
    for _ in range(3):
        blocks.append(Residual(Linear(16, 16, init="he", gain=0.5, rng=rng), BatchNorm(16), Tanh()))
    net, loss = Sequential(*blocks, Linear(16, 10, init="he", gain=0.5, rng=rng)), MSE()
    optimiser, spreads = SGD(net, 0.1), []
    for step in range(4):
        rows = slice(32 * step, 32 * step + 32)
        loss.forward(net.forward(x[rows], training=True), y[rows])
        net.backward(loss.backward())
        if step < 3:
            optimiser.step()
    norms = [np.linalg.norm(grad) for name, grad in net.grads.items() if name.endswith("W")]
    np.testing.assert_allclose(data["norms"], norms, rtol=1e-10)
    a = x[96:128]
    for block in blocks:
        a = block.forward(a, training=True)
        spreads.append(np.sqrt(np.mean(a**2)))
    np.testing.assert_allclose(data["spread"], spreads, rtol=1e-10)


def test_sigmoids_lose_a_million_in_twenty_layers(lab):
    norms = lab.data(depth=20, activation="sigmoid", rule="Xavier", gain=1.0)["norms"]
    assert norms[0] / norms[-1] < 1e-6


@pytest.mark.parametrize("depth", [10, 20, 50])
def test_he_keeps_relu_within_a_decade(lab, depth):
    for setting in ({"width": 256}, {"width": 128, "batch": 256}):
        data = [lab.data(depth=depth, activation="ReLU", rule="He", seed=seed, **setting)["norms"] for seed in range(3)]
        inner = np.median(data, axis=0)[1:-1]  # the first and the last layer have another shape
        assert inner.max() / inner.min() < 10


def test_one_decade_needs_the_right_gain(lab):
    for gain, factor in ((0.5, 1e-6), (2.0, 1e6)):
        norms = lab.data(depth=50, activation="ReLU", rule="He", gain=gain, width=128)["norms"]
        assert (norms[1] < factor) if factor < 1 else (norms[1] > factor)


def test_residuals_and_batch_norm_bring_the_gradient_of_a_hundred_layers(lab):
    plain = lab.data(depth=100, activation="sigmoid")["norms"]
    cured = lab.data(depth=100, **lab.presets["ResNet 2015"])["norms"]
    assert plain[0] < 1e-40
    assert 1e-1 < cured[1:-1].min() < cured[1:-1].max() < 1e2


def test_dead_units_are_counted(lab):
    data = lab.data(depth=20, activation="ReLU", rule="He")
    assert 0 < data["dead"].mean() < data["flat"].mean() < 1
    assert lab.data(depth=20, activation="leaky ReLU")["dead"].max() == 0


@pytest.mark.parametrize("name", GradientMagnitudes.presets)
def test_presets_are_settings_of_the_lab(lab, name):
    values = lab.values(**lab.presets[name])
    assert values["gain"] == (0.1 if name == "The 1990s" else 1.0)
    assert {"activation", "rule", "gain", "normalization", "residual"} == set(lab.presets[name])


def test_what_is_pinned_is_drawn_and_said(lab):
    pinned = {"depth": 30, "activation": "tanh"}
    data = lab.data(pinned, depth=5)
    picture = Picture(lab, data)
    assert np.array_equal(picture.artists["pinned"].get_ydata(), lab.data(**pinned)["norms"])
    assert picture.artists["axes"][0].get_xlim() == (0.4, 50.6), "there is room for both"
    assert "Pinned: layer 1's gradient is" in lab.describe(lab.values(depth=5), data)
    picture.update(lab.data(depth=5))
    assert len(picture.artists["pinned"].get_ydata()) == 0
