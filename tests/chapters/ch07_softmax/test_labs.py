"""Facts at settings of chapter 07's labs."""

import numpy as np
import pytest

from bplib import SoftmaxCrossEntropy, numerical_gradient
from course.ch07_softmax import AccuracyAgainstLoss, SoftmaxJacobian
from course.ch07_softmax.labs import CLASSES, EPOCHS

SETTINGS = [{}, {"zA": 4.0, "true": "C"}, {"temperature": 3.0, "zB": -2.0}, {"temperature": 0.5, "true": "D"}]


def logits_of(setting):
    values = SoftmaxJacobian().values(**setting)
    return np.array([values[f"z{name}"] for name in CLASSES]), values["temperature"], CLASSES.index(values["true"])


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_table_and_the_gradient_are_what_a_measurement_finds(setting):
    z, T, true = logits_of(setting)
    data = SoftmaxJacobian().data(**setting)

    def probability(z, i):
        return np.exp(z[i] / T) / np.exp(z / T).sum()

    table = [numerical_gradient(lambda z, i=i: probability(z, i), z) for i in range(4)]
    np.testing.assert_allclose(data["jacobian"], table, atol=1e-9)
    loss = numerical_gradient(lambda z: SoftmaxCrossEntropy().forward(z[np.newaxis] / T, np.array([true])), z)
    np.testing.assert_allclose(data["gradient"], loss, atol=1e-9)
    assert data["loss"] == pytest.approx(SoftmaxCrossEntropy().forward(z[np.newaxis] / T, np.array([true])))


def test_rows_columns_and_gradient_add_up_to_zero():
    for setting in SETTINGS:
        data = SoftmaxJacobian().data(**setting)
        np.testing.assert_allclose(data["jacobian"].sum(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(data["jacobian"].sum(axis=1), 0, atol=1e-12)
        assert data["gradient"].sum() == pytest.approx(0, abs=1e-12)


def test_a_sure_mistake_has_flat_slopes_and_a_large_gradient():
    data = SoftmaxJacobian().data(zA=5.0, zB=-5.0, zC=-5.0, zD=-5.0, true="B")
    assert np.abs(data["jacobian"]).max() < 1e-3
    assert data["gradient"][1] < -0.99


def test_heat_makes_even_and_cold_makes_sure():
    lab = SoftmaxJacobian()
    assert np.ptp(lab.data(temperature=10.0)["p"]) < 0.06
    assert lab.data(temperature=0.1)["p"].max() > 0.99


@pytest.mark.parametrize("seed", range(6))
def test_the_loss_on_new_images_rises_while_the_accuracy_does_not_fall(seed):
    data = AccuracyAgainstLoss().data(epoch=EPOCHS, seed=seed)
    best = data["loss"].argmin()
    late = slice(-10, None)  # single epochs jump about
    assert data["loss"][late].mean() > data["loss"][best] + 0.05
    assert np.median(data["accuracy"][late]) > data["accuracy"][best] - 0.01
    assert data["training"][late].mean() < data["training"][best]


def test_in_the_lesson_the_accuracy_gains_while_the_loss_rises():
    data = AccuracyAgainstLoss().data(epoch=EPOCHS)
    best = data["loss"].argmin()
    assert data["loss"][data["now"]] > data["loss"][best] + 0.1
    assert data["accuracy"][data["now"]] > data["accuracy"][best] + 0.01


def test_the_words_say_when_it_is_only_surer():
    lab = AccuracyAgainstLoss()
    assert "it is surer" in lab.describe(lab.values(epoch=EPOCHS), lab.data(epoch=EPOCHS))
    assert "it is surer" not in lab.describe(lab.values(epoch=2), lab.data(epoch=2))
