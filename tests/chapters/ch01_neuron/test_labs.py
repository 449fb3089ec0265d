"""Facts at settings of chapter 01's labs."""

import numpy as np
import pytest

from bplib import datasets
from course.ch01_neuron import Activations, Clothes, Neuron
from course.labs.live import Picture


def test_both_clues_together_sort_well_and_each_alone_does_not():
    assert Neuron().data(w1=-5.0, w2=4.0, b=0.3)["accuracy"] > 0.95
    assert Neuron().data(w1=0.0, w2=1.0)["accuracy"] < 0.6
    assert max(Neuron().data(w1=sign, w2=0.0)["accuracy"] for sign in (1.0, -1.0)) < 0.8


def test_turning_all_signs_turns_the_answer():
    data, turned = Neuron().data(w1=2.0, w2=-1.0, b=0.5), Neuron().data(w1=-2.0, w2=1.0, b=-0.5)
    assert data["accuracy"] + turned["accuracy"] == pytest.approx(1)


def test_large_weights_keep_the_line_and_saturate():
    small, large = Neuron().data(w1=-2.0, w2=2.0, b=0.5), Neuron().data(w1=-8.0, w2=8.0, b=2.0)
    assert large["accuracy"] == small["accuracy"]
    assert large["saturated"] > 0.4 > 0.01 > small["saturated"]
    across = [data["line"][1] - data["line"][0] for data in (small, large)]
    np.testing.assert_allclose(across[0], across[1])


def test_the_line_is_where_z_is_zero():
    x1, x2 = Neuron().data(w1=3.0, w2=-1.5, b=2.0)["line"]
    np.testing.assert_allclose(3.0 * x1 - 1.5 * x2 + 2.0, 0, atol=1e-9)


def test_no_weights_no_line():
    data = Neuron().data(w1=0.0, w2=0.0, b=1.0)
    assert np.isnan(data["line"]).all()
    assert "no line" in Neuron().describe(Neuron().values(w1=0.0, w2=0.0, b=1.0), data)


def test_bars_count_every_image():
    assert Neuron().data(w1=8.0, w2=8.0, b=4.0)["counts"].sum() == 2000


@pytest.mark.parametrize(
    ("activation", "z", "a", "slope"),
    [
        ("sigmoid", 0.0, 0.5, 0.25),
        ("tanh", 0.0, 0.0, 1.0),
        ("ReLU", -1.0, 0.0, 0.0),
        ("ReLU", 0.0, 0.0, 0.0),
        ("ReLU", 2.0, 2.0, 1.0),
        ("leaky ReLU", -2.0, -0.02, 0.01),
    ],
)
def test_known_values_and_slopes(activation, z, a, slope):
    data = Activations().data(activation=activation, z=z)
    assert data["a"] == pytest.approx(a)
    assert data["at"] == pytest.approx(slope)


def test_sigmoid_and_tanh_are_flat_at_both_ends_and_relu_on_the_left():
    assert [len(Activations().data(activation=name)["flat"]) for name in ("sigmoid", "tanh", "ReLU", "leaky ReLU")] == [
        2,
        2,
        1,
        0,
    ]
    (_, left), (right, _) = Activations().data(activation="sigmoid")["flat"]
    assert left == pytest.approx(-right)
    assert 5.9 < right < 6.1  # where a (1 - a) falls under 0.0025


def test_clothes_are_what_they_are_called():
    images = Clothes().data()["images"]
    stored = datasets.fashion()
    np.testing.assert_array_equal(images[1, 0].ravel(), stored.x_train[stored.y_train == 3][0])


def test_the_activation_does_not_change_a_decision():
    share = {name: Neuron().data(w1=-5.0, w2=4.0, b=0.3, activation=name)["accuracy"] for name in ("sigmoid", "tanh", "ReLU")}
    assert len(set(share.values())) == 1


def test_the_curve_is_the_activation_itself():
    lab = Neuron()
    curve = Picture(lab, lab.data(activation="ReLU")).artists["curve"]
    np.testing.assert_array_equal(curve.get_ydata(), np.maximum(curve.get_xdata(), 0))


def test_slopes_are_said_beside_the_steepest():
    lab = Activations()
    said = lab.describe(lab.values(z=4.0), lab.data(z=4.0))
    assert "its slope is 0.018, 7.07% of its steepest" in said
    assert "flat here" not in said
    assert "flat here" in lab.describe(lab.values(z=6.0), lab.data(z=6.0))
