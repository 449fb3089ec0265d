"""The labs of chapter 11: the gains that keep the gradient's size, and the race of the cures."""

import numpy as np
import pytest

from bplib import BatchNorm, Linear, Residual, SoftmaxCrossEntropy, Tanh, numerical_gradient
from course.ch10_vanishing import labs as vanishing
from course.ch11_cures import CureRace, GainLaw, labs as cures
from course.labs.live import Live, Picture

SEEDS = range(6)


@pytest.fixture
def law():
    return GainLaw()


@pytest.fixture
def race():
    return CureRace()


def ratios(lab, **values):
    return np.array([lab.data(seed=seed, **values)["ratio"] for seed in SEEDS])


@pytest.mark.parametrize("depth", [10, 20, 50])
@pytest.mark.parametrize(("activation", "gain"), [("ReLU", 2**0.5), ("tanh", 1.05)])
def test_the_right_gain_keeps_the_gradient_within_a_decade(law, activation, gain, depth):
    found = ratios(law, activation=activation, gain=gain, depth=depth)
    assert ((found > 0.1) & (found < 10)).all()


@pytest.mark.parametrize(("activation", "gain", "low", "high"), [
    ("ReLU", 1.0, 1e-9, 1e-6), ("ReLU", 2.0, 1e6, 1e9), ("tanh", 0.8, 1e-6, 1e-4), ("tanh", 2.0, 1e2, 1e7),
    ("sigmoid", 1.0, 1e-33, 1e-29), ("sigmoid", 3.0, 1e-15, 1e-12),
])
def test_other_gains_lose_it_at_depth_50(law, activation, gain, low, high):
    found = ratios(law, activation=activation, gain=gain, depth=50)
    assert (low < found).all()
    assert (found < high).all()


def test_the_ratio_is_that_of_real_error_terms(law):
    """Against a finite difference that knows nothing of the way back, on the same network built by hand."""
    rng, (x, y) = np.random.default_rng(2), vanishing.images()
    W = [rng.standard_normal((784 if place == 0 else 128, 128)) * 1.3 / np.sqrt(784 if place == 0 else 128) for place in range(3)]
    last, loss = rng.standard_normal((128, 10)) / np.sqrt(128), SoftmaxCrossEntropy()
    z = [x[:32] @ W[0]]
    for weights in W[1:]:
        z.append(np.tanh(z[-1]) @ weights)

    def value(row, layer):
        a = np.tanh(np.concatenate([row[np.newaxis], z[layer][1:]]))
        for weights in W[layer + 1:]:
            a = np.tanh(a @ weights)
        return loss.forward(a @ last, y[:32])

    # The first of the 32 images stands for all: its rows of the error terms are measured, and compared with those of the lab.
    rows = [numerical_gradient(lambda row, layer=layer: value(row, layer), z[layer][0]) for layer in (0, 2)]
    mine = []
    a = [np.tanh(one) for one in z]
    loss.forward(a[-1] @ last, y[:32])
    delta = (loss.backward() @ last.T) * (1 - a[-1] ** 2)
    for layer in (2, 1, 0):
        mine.append(delta)
        if layer:
            delta = (delta @ W[layer].T) * (1 - a[layer - 1] ** 2)
    np.testing.assert_allclose(mine[2][0], rows[0], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(mine[0][0], rows[1], rtol=1e-5, atol=1e-9)
    sizes = law.data(activation="tanh", gain=1.3, depth=3, seed=2)["sizes"]
    np.testing.assert_allclose(sizes, [np.linalg.norm(one) / np.linalg.norm(mine[0]) for one in mine[::-1]], rtol=1e-10)


@pytest.mark.parametrize("activation", GainLaw.controls["activation"].options)
def test_the_theory_meets_the_measurement(law, activation):
    for gain in (0.5, 1.0, 1.4, 2.0, 3.0):
        found = np.median([np.log10(law.data(activation=activation, gain=gain, depth=30, seed=seed)["sizes"])
                           for seed in SEEDS], axis=0)
        theory = np.log10(law.data(activation=activation, gain=gain, depth=30)["theory"])
        assert np.abs(found - theory).max() < 0.5, gain


def test_the_band_closes_around_the_law(law):
    for activation, balance in (("ReLU", 2**0.5), ("tanh", 1.0)):
        lowest, highest, found = law.data(activation=activation, law=True)["band"]
        assert found == pytest.approx(balance, abs=1e-6)
        widths = highest - lowest
        assert (np.diff(widths) <= 0).all()
        assert lowest[-1] - 0.01 <= balance <= highest[-1]
        for depth in (10, 50):  # theory's edges are the edges of what is measured
            lower, upper = lowest[depth - 2], highest[depth - 2]
            inside, below = (np.median(ratios(law, activation=activation, gain=gain, depth=depth))
                             for gain in ((lower + upper) / 2, lower - 0.15))
            assert 0.1 < inside < 10
            assert below < 0.1
    lowest, _, found = law.data(activation="sigmoid", law=True)["band"]
    assert np.isnan(found)
    assert np.isnan(lowest[8:]).all()


def test_registered_settings_stand_in_the_picture(law):
    kept = [{"gain": 1.4, "depth": 50}, {"gain": 1.0, "depth": 50}, {"activation": "tanh", "gain": 1.0, "depth": 5}]
    data = law.data(registered=kept)
    points = Picture(law, data).artists["points"]
    assert points["ReLU"][0].get_xydata().tolist() == [[50, 1.4]]
    assert points["ReLU"][1].get_xydata().tolist() == [[50, 1.0]]
    assert points["tanh"][0].get_xydata().tolist() == [[5, 1.0]]
    assert "Registered: 2 within a decade, 1 outside." in law.describe(law.values(), data)


def test_the_button_registers(law):
    live = Live(law)
    for gain in (1.4, 3.0):
        live.controls["gain"].value = gain
        live.register.click()
    assert "Registered: 1 within a decade, 1 outside." in live.words.value
    live.reset.click()
    assert "Registered" not in live.words.value


NOTHING = {"activation": "sigmoid", "start": "Xavier", "normalization": "none", "residual": False, "clip": False}


RATES = (0.01, 0.05, 0.2)


def best(lab, **cure):
    return max(lab.data(**NOTHING | cure | {"lr": lr})["accuracy"] for lr in RATES)


def test_without_a_cure_thirty_layers_of_sigmoids_do_not_learn(race):
    assert best(race) == pytest.approx(0.1, abs=0.02)
    assert best(race, clip=True) == pytest.approx(0.1, abs=0.02), "clipping brings no gradient"


@pytest.mark.parametrize(("cure", "least"), [
    ({"activation": "tanh"}, 0.35), ({"activation": "ReLU", "start": "He"}, 0.3), ({"normalization": "batch"}, 0.6),
    ({"residual": True}, 0.6), ({"activation": "tanh", "residual": True}, 0.6),
    ({"activation": "ReLU", "start": "He", "normalization": "batch", "residual": True}, 0.6),
    ({"activation": "ReLU", "start": "He", "normalization": "layer", "residual": True}, 0.6),
])
def test_with_a_cure_they_do(race, cure, least):
    assert any(race.data(**NOTHING | cure | {"lr": lr})["accuracy"] > least for lr in RATES)


def test_relu_without_he_does_not(race):
    assert best(race, activation="ReLU") < 0.2


def test_clipping_saves_a_run_but_does_not_make_it_learn(race):
    wild = {"activation": "ReLU", "start": "He, doubled"}
    broken, saved = race.data(**NOTHING | wild), race.data(**NOTHING | wild | {"clip": True})
    assert broken["stopped"]
    assert not saved["stopped"]
    assert saved["clipped"] > 0.9
    assert saved["accuracy"] < 0.2


def test_the_race_runs_the_network_that_it_says():
    net = cures.thirty("tanh", "He, doubled", "batch", residual=True)
    assert len(net) == 30
    assert isinstance(net[-1], Linear)
    assert not isinstance(net[0], Residual)
    assert all(isinstance(block, Residual) for block in net[1:29])
    assert all([type(layer) for layer in block] == [Linear, BatchNorm, Tanh] for block in net[:29])
    assert net[5][0].params["W"].std() == pytest.approx(2 * np.sqrt(2 / 32), rel=0.1)


def test_the_board_shows_the_newest_runs(race):
    kept = [NOTHING | {"activation": "ReLU", "lr": lr} for lr in (0.01, 0.05, 0.2)]
    data = race.data(registered=kept)
    picture = Picture(race, data)
    labels = [label.get_text() for label in picture.artists["labels"]]
    assert labels[:5] == ["sigmoid, Xavier, lr 0.05", *(f"ReLU, Xavier, lr {lr}" for lr in (0.2, 0.05, 0.01)), ""]
    assert "On the board: 3, the best about 10%." in race.describe(race.values(), data)


def test_a_run_that_breaks_off_says_so(race):
    data = race.data(activation="ReLU", start="He, doubled")
    assert "no longer finite" in race.describe(race.values(activation="ReLU", start="He, doubled"), data)
    assert Picture(race, data).artists["shares"][0].get_text() == "broke off"
