"""Facts at settings of chapter 09's labs, and that their runs are real trainings."""

import numpy as np
import pytest

from bplib import SGD, Linear, ReLU, Sequential, SoftmaxCrossEntropy, evaluate
from course.ch09_real_network import FirstLayer, Mistakes, MysteryRun, RealTraining, TrainingDiagnostics
from course.ch09_real_network.labs import GUIDE, _net, images
from course.ch09_real_network.pictures import CLASSES


def describe(lab, **values):
    return lab.describe(lab.values(**values), lab.data(**values))


# Real training.


def test_a_run_is_the_training_that_it_says():
    x, y, x_test, y_test = images()
    net, loss, rng = _net(16), SoftmaxCrossEntropy(), np.random.default_rng(0)
    optimiser, losses, ratios = SGD(net, 0.03), [], []
    for _ in range(8):
        order = rng.permutation(2000)
        for start in range(0, 2000, 128):
            batch = order[start:start + 128]
            losses.append(loss.forward(net.forward(x[batch]), y[batch]))
            net.backward(loss.backward())
            ratios.append(0.03 * np.linalg.norm(net.grads["0.W"]) / np.linalg.norm(net.params["0.W"]))
            optimiser.step()
    data = RealTraining().data(lr=0.03, batch_size=128, width=16)
    np.testing.assert_allclose(data["loss"], losses, rtol=1e-9)
    np.testing.assert_allclose(data["ratio"], ratios, rtol=1e-9)
    assert data["unseen"][-1] == pytest.approx(evaluate(net, loss, x_test[:1000], y_test[:1000])[1])
    assert data["accuracy"][-1] == pytest.approx(evaluate(net, loss, x[:2000], y[:2000])[1])


def test_the_default_learns_and_the_exact_gradient_has_too_few_steps():
    shares = {size: RealTraining().data(batch_size=size)["unseen"][-1] for size in (32, 2000)}
    assert shares[32] > 0.75
    assert shares[2000] < shares[32] - 0.1


def test_steps_and_epochs_fit():
    for size, steps in ((8, 2000), (32, 504), (128, 128), (2000, 8)):
        data = RealTraining().data(batch_size=size)
        assert len(data["loss"]) == len(data["ratio"]) == steps
        assert len(data["accuracy"]) == 8
        assert data["epoch"][-1] < 8


def test_the_ratio_is_proportional_to_the_rate_in_the_first_step():
    small, large = (RealTraining().data(lr=lr)["ratio"][0] for lr in (0.001, 0.1))
    assert large == pytest.approx(100 * small)


def test_a_huge_rate_kills_all_units():
    data = RealTraining().data(lr=10.0)
    assert data["ratio"][-1] == 0
    assert data["unseen"][-1] < 0.2


@pytest.mark.parametrize(("lr", "said"), [(0.0001, "slowly"), (0.01, "near the guide"), (0.3, "jumps"), (10.0, "dead")])
def test_words_follow_the_guide_line(lr, said):
    assert said in describe(RealTraining(), lr=lr)


def test_a_run_that_diverges_is_shown_up_to_there(monkeypatch):
    def vast(width, seed=0):
        net = _net(width, seed)
        net.params["0.W"][...] *= 1e200
        return net

    monkeypatch.setattr("course.ch09_real_network.labs._net", vast)
    lab, values = RealTraining(), {"lr": 0.1234, "batch_size": 32, "width": 8}
    data = lab.data(**values)
    assert data["stopped"]
    assert len(data["accuracy"]) == 0
    assert "no longer finite" in lab.describe(lab.values(**values), data)


# Mysteries.


def test_each_run_shows_its_cause():
    runs = {cause: MysteryRun().data(run=letter) for letter, cause in MysteryRun.causes.items()}
    end = {cause: (data["accuracy"][-1], data["unseen"][-1]) for cause, data in runs.items()}
    assert end["fine"][1] == max(unseen for _, unseen in end.values())
    assert end["labels shuffled"][0] > 0.2 > end["labels shuffled"][1]
    assert np.median(runs["rate too small"]["ratio"]) < GUIDE / 10
    assert (runs["units dead"]["ratio"] == 0).all()
    assert np.median(runs["rate too large"]["ratio"]) > 10 * GUIDE
    assert end["rate too large"][1] < 0.5


def test_only_the_unshuffled_run_has_a_rhythm_of_an_epoch():
    def rhythm(data):
        loss = np.minimum(data["loss"], 4)[-200:].reshape(-1, 40)
        return np.corrcoef(loss)[np.triu_indices(len(loss), 1)].mean()

    beats = {cause: rhythm(MysteryRun().data(run=letter)) for letter, cause in MysteryRun.causes.items()}
    assert max(beats, key=beats.get) == "not shuffled"
    assert beats["not shuffled"] > 0.3 > max(beat for cause, beat in beats.items() if cause != "not shuffled")


def test_the_words_do_not_tell_the_cause():
    for letter, cause in MysteryRun.causes.items():
        assert cause not in describe(MysteryRun(), run=letter)


# Diagnostics.


@pytest.mark.parametrize("activation", TrainingDiagnostics.activations)
def test_shares_add_up_and_the_loss_falls(activation):
    start, end = (TrainingDiagnostics().data(step=step, activation=activation) for step in (0, 300))
    for data in (start, end):
        np.testing.assert_allclose(data["values"].sum(axis=1), 1)
        np.testing.assert_allclose(data["gradients"].sum(axis=1), 1)
        assert ((data["off"] >= 0) & (data["off"] <= 1)).all()
    assert end["loss"] < start["loss"]


def test_the_first_record_is_that_of_the_untrained_network():
    x, _, x_test, y_test = images()
    rng = np.random.default_rng(0)
    first, second = Linear(196, 64, init="he", rng=rng), Linear(64, 64, init="he", rng=rng)
    net = Sequential(first, ReLU(), second, ReLU(), Linear(64, 10, rng=rng))
    data, loss = TrainingDiagnostics().data(step=0), SoftmaxCrossEntropy()
    assert data["loss"] == pytest.approx(loss.forward(net.forward(x_test[:200]), y_test[:200]))
    assert data["off"][0, 0] == pytest.approx(np.mean(first.forward(x_test[:200]) <= 0))
    batch = rng.integers(0, len(x), 50)
    loss.forward(net.forward(x[batch]), images()[1][batch])
    net.backward(loss.backward())
    ratio = 0.1 * np.linalg.norm(net.grads["0.W"]) / np.linalg.norm(net.params["0.W"])
    assert data["ratios"][0, 0] == pytest.approx(ratio)


def middle(shares):
    decades = (TrainingDiagnostics.decades[:-1] + TrainingDiagnostics.decades[1:]) / 2
    return shares @ decades


def test_small_weights_fade_and_large_ones_saturate():
    start = {name: TrainingDiagnostics().data(step=0, activation="tanh", start=name) for name in TrainingDiagnostics.scales}
    usual, small, large = start.values()
    assert middle(small["gradients"][0]) < middle(usual["gradients"][0]) - 2
    assert large["off"][:, 0].min() > 0.5 > usual["off"][:, 0].max()


# Mistakes and the first layer.


def test_counts_and_pictures_are_those_of_the_network_that_is_given():
    y = np.array([0, 0, 1, 2, 2, 2])
    x = np.zeros((6, 4))
    x[np.arange(6), [0, 1, 1, 2, 0, 1]] = [1, 1, 1, 1, 2, 1]  # the place of the largest pixel is the class that is answered
    net = Linear(4, 10)
    net.params["W"][...] = np.eye(4, 10) * 3
    lab = Mistakes(Sequential(net), x, y)
    data = lab.data(true=CLASSES[2])
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (y, [0, 1, 1, 2, 0, 1]), 1)
    np.testing.assert_array_equal(data["counts"], expected)
    assert data["rows"].tolist() == [4, 5]  # twice as bright, so surer and worse
    assert data["mistakes"] == 2
    logits = net.forward(x)
    assert data["loss"][0] == pytest.approx(SoftmaxCrossEntropy().forward(logits[4:5], y[4:5]))
    assert lab.data(true="any class")["rows"].tolist() == [4, 1, 5]
    assert "only 2 mistakes" in lab.describe(lab.values(true=CLASSES[2], first=7), lab.data(true=CLASSES[2], first=7))


def test_the_default_network_reads_and_is_worst_at_shirts():
    counts = Mistakes().data()["counts"]
    assert counts.sum() == 2000
    assert np.trace(counts) > 1500
    assert CLASSES[np.diag(counts).argmin()] == "shirt"


def test_training_draws_pictures_into_the_noise():
    alike = {shown: FirstLayer().data(shown=shown)["alike"] for shown in FirstLayer.when}
    assert abs(alike["before training"]) < 0.1
    assert alike["what training changed"] > 0.3
    assert alike["what training changed"] > alike["after training"]


def test_a_unit_is_a_column_of_the_weights():
    rng = np.random.default_rng(0)
    net = Sequential(Linear(9, 20, rng=rng), ReLU(), Linear(20, 10, rng=rng))
    lab = FirstLayer(net, start=np.zeros((9, 20)))
    assert lab.controls["unit"].high == 20
    data, W = lab.data(unit=11, shown="after training"), net.params["0.W"]
    np.testing.assert_allclose(data["weights"].ravel(), W[:, 10] / np.abs(W[:, 10]).max())
    np.testing.assert_allclose(data["votes"], net.params["2.W"][10])
    assert data["place"] == (1, 2)
    np.testing.assert_allclose(data["all"][1, 2], data["weights"])
