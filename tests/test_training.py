"""fit: the loop that everyone writes by hand, with a record, a bar, and a stop that says what to try."""

from functools import partial

import numpy as np
import pytest
import threadpoolctl
from tqdm import tqdm

from bplib import (
    MSE,
    SGD,
    BinaryCrossEntropy,
    Layer,
    Linear,
    Momentum,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    Tanh,
    datasets,
    evaluate,
    fit,
    training,
)
from bplib.training import DivergedError

RNG = np.random.default_rng(3)
X, Y = RNG.normal(0, 1, (50, 4)), RNG.integers(0, 3, 50)


def network():
    return Sequential(Linear(4, 6, rng=1), Tanh(), Linear(6, 3, rng=2))


def by_hand(net, loss, x, y, epochs, batch_size, optimiser, rng):
    """Every loss, gradient norm and update ratio of the same training, written out."""
    rng, steps = np.random.default_rng(rng), []
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), batch_size):
            batch = order[start : start + batch_size]
            value = loss.forward(net.forward(x[batch]), y[batch])
            net.backward(loss.backward())
            before = net.params["0.W"].copy()
            optimiser.step()
            moved = np.linalg.norm(net.params["0.W"] - before) / np.linalg.norm(before)
            steps.append((value, np.linalg.norm(net.grads["0.W"]), moved))
    return np.array(steps).T


@pytest.mark.parametrize("make", [lambda net: SGD(net, 0.3), lambda net: Momentum(net, 0.05, 0.8)], ids=["sgd", "momentum"])
def test_fit_is_the_loop_by_hand_and_writes_it_down(make):
    net, twin = network(), network()
    history = fit(net, SoftmaxCrossEntropy(), X, Y, epochs=3, batch_size=16, optimiser=make(net), rng=7)
    loss, norms, ratios = by_hand(twin, SoftmaxCrossEntropy(), X, Y, 3, 16, make(twin), 7)
    assert history.steps_per_epoch == 4, "50 examples make three full batches and one of two"
    assert np.array_equal(history.loss, loss)
    assert np.allclose(history.gradient_norms["0.W"], norms, rtol=1e-12, atol=0)
    assert np.allclose(history.update_ratios["0.W"], ratios, rtol=1e-9, atol=0)
    assert all(np.array_equal(net.params[name], twin.params[name]) for name in net.params)
    assert list(history.gradient_norms) == list(history.update_ratios) == list(net.params)
    assert history.stopped == ""


def test_each_epoch_sees_every_example_once_and_in_a_new_order():
    class Spy(Linear):
        def forward(self, x, training=False):
            if training:
                seen.append(x[:, 0].copy())
            return super().forward(x, training)

    seen = []
    x = np.arange(10.0).reshape(10, 1)
    fit(Spy(1, 1), MSE(), x, x, epochs=2, batch_size=4, lr=1e-6)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert sorted(first) == sorted(second) == list(range(10))
    assert list(first) != list(second)
    seen.clear()
    fit(Spy(1, 1), MSE(), x, x, epochs=1, batch_size=4, lr=1e-6, shuffle=False)
    assert list(np.concatenate(seen)) == list(range(10))


def test_inputs_and_targets_stay_together():
    x = np.arange(1.0, 65).reshape(64, 1) / 64
    net = Linear(1, 1)
    history = fit(net, MSE(), x, 2 * x + 1, epochs=200, batch_size=16, lr=0.5)
    assert history.epoch_loss[-1] < 1e-6
    assert np.allclose([net.params["W"][0, 0], net.params["b"][0]], [2, 1], atol=1e-2, rtol=0)


def test_epochs_are_judged_on_all_examples_in_evaluation_mode():
    net, held = network(), (X[:20] + 0.1, Y[:20])
    history = fit(net, SoftmaxCrossEntropy(), X, Y, epochs=2, batch_size=50, validation=held)
    assert history.epoch_loss.shape == history.validation_loss.shape == history.validation_accuracy.shape == (2,)
    logits = net.forward(X)
    assert history.epoch_loss[-1] == pytest.approx(SoftmaxCrossEntropy().forward(logits, Y), rel=1e-12)
    assert history.accuracy[-1] == np.mean(logits.argmax(axis=1) == Y)
    assert history.validation_loss[-1] == pytest.approx(SoftmaxCrossEntropy().forward(net.forward(held[0]), held[1]), rel=1e-12)
    assert fit(net, SoftmaxCrossEntropy(), X, Y, epochs=1).validation_loss.shape == (0,)


def test_evaluate_in_parts_is_evaluate_at_once(monkeypatch):
    net = network()
    whole = evaluate(net, SoftmaxCrossEntropy(), X, Y)
    monkeypatch.setattr(training, "CHUNK", 7)
    assert evaluate(net, SoftmaxCrossEntropy(), X, Y) == pytest.approx(whole, rel=1e-12)


def test_accuracy_is_of_classes_signs_or_nothing():
    x, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([[0.0], [1.0], [1.0], [1.0]])
    net = Linear(1, 1)
    net.params["W"][...] = 1
    assert evaluate(net, BinaryCrossEntropy(), x, y)[1] == 0.75
    assert np.isnan(evaluate(net, MSE(), x, y)[1])


def test_float32_stays_float32():
    net = Sequential(Linear(4, 3, rng=1, dtype=np.float32))
    fit(net, SoftmaxCrossEntropy(), X.astype(np.float32), Y, epochs=1, optimiser=Momentum(net, 0.1))
    assert {param.dtype for param in net.params.values()} == {np.dtype(np.float32)}


def test_an_interrupt_keeps_what_was_learned():
    class Impatient(Layer):
        passes = 0

        def forward(self, x, training=False):
            self.passes += training
            if self.passes == 6:
                raise KeyboardInterrupt
            return x

        def backward(self, dy):
            return dy

    net = Sequential(Linear(4, 3, rng=1), Impatient())
    start = net.params["0.W"].copy()
    history = fit(net, SoftmaxCrossEntropy(), X, Y, epochs=5, batch_size=25)
    assert history.stopped == "interrupted"
    assert len(history.loss) == 5
    assert len(history.epoch_loss) == 2
    assert len(history.update_ratios["0.W"]) == 5
    assert not np.array_equal(net.params["0.W"], start)


def test_on_epoch_is_told_and_can_stop():
    told = []

    def enough(history, epoch):
        told.append((epoch, len(history.loss)))
        return epoch == 1

    history = fit(network(), SoftmaxCrossEntropy(), X, Y, epochs=9, batch_size=50, on_epoch=enough)
    assert told == [(0, 1), (1, 2)]
    assert history.stopped == "on_epoch said so after epoch 2"


def test_a_loss_that_runs_away_stops_with_advice_and_history():
    net = Sequential(Linear(4, 6, rng=1), ReLU(), Linear(6, 1, rng=2))
    with np.errstate(all="ignore"), pytest.raises(DivergedError) as caught:
        fit(net, MSE(), 10 * X, Y.reshape(-1, 1).astype(float), epochs=100, lr=3.0)
    assert "at step" in str(caught.value)
    assert "it is 3; try 0.3" in str(caught.value)
    history = caught.value.history
    assert history.loss[-1] > history.loss[0]
    assert np.isfinite(history.loss).all()
    assert all(np.isfinite(param).all() for param in net.params.values()), "the parameters are those before the step"
    assert history.stopped


def test_a_first_loss_that_is_not_finite_is_not_blamed_on_the_learning_rate():
    net = Sequential(Linear(4, 1, rng=1))
    net.params["0.W"][...] = 1e200
    with np.errstate(all="ignore"), pytest.raises(DivergedError, match="not the learning rate"):
        fit(net, MSE(), X, X[:, :1])


BAD = {
    "epochs": ({"epochs": 0}, ValueError, "expected epochs to be at least 1, got 0"),
    "batch size": ({"batch_size": 2.5}, TypeError, "expected batch_size to be a whole number, got 2.5"),
    "rate": ({"lr": -1}, ValueError, "SGD: expected lr to be a finite number greater than 0"),
    "both": ({"lr": 0.1, "optimiser": SGD(network(), 0.1)}, ValueError, "expected lr or optimiser, got both"),
    "optimiser of another": ({"optimiser": SGD(network(), 0.1)}, ValueError, "made for another network"),
    "validation": ({"validation": X}, TypeError, r"a pair \(x, y\), got ndarray"),
    "lengths": ({"y": Y[:-1]}, ValueError, r"as many targets as examples, got x of shape \(50, 4\) and y of shape \(49,\)"),
    "validation lengths": ({"validation": (X, Y[:3])}, ValueError, "got validation x of shape"),
    "nan": ({"x": np.where(X[2, 1] == X, np.nan, X)}, ValueError, r"expected finite numbers, got nan in x at \(2, 1\)"),
    "empty": ({"x": X[:0], "y": Y[:0]}, ValueError, "at least one example, got an empty array"),
    "words": ({"x": "images"}, TypeError, "expected x to hold real numbers"),
}


@pytest.mark.parametrize(("change", "error", "message"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused_before_anything_changes(change, error, message):
    net = network()
    before = net.params["0.W"].copy()
    with pytest.raises(error, match=message):
        fit(net, SoftmaxCrossEntropy(), **({"x": X, "y": Y} | change))
    assert np.array_equal(net.params["0.W"], before)


def test_a_long_training_shows_a_bar_with_the_loss(monkeypatch, capsys):
    monkeypatch.setattr(training, "DELAY", 0)
    monkeypatch.setattr("tqdm.auto.tqdm", partial(tqdm, mininterval=0, miniters=1))
    fit(network(), SoftmaxCrossEntropy(), X, Y, epochs=2)
    shown = capsys.readouterr().err
    assert "training: 100%" in shown
    assert "epoch 2, loss" in shown
    fit(network(), SoftmaxCrossEntropy(), X, Y, epochs=2, progress=False)
    assert capsys.readouterr().err == ""


def test_the_history_of_real_images_falls_and_describes_itself():
    data = datasets.fashion(np.float32)
    net = Sequential(Linear(784, 10, rng=1, dtype=np.float32))
    history = fit(net, SoftmaxCrossEntropy(), data.x_train[:1000], data.y_train[:1000], epochs=3, lr=0.05)
    assert history.epoch_loss[-1] < history.epoch_loss[0] < history.loss[0]
    assert history.accuracy[-1] > 0.6
    assert repr(history).startswith("History(48 steps, 3 epochs, last loss ")


@pytest.mark.parametrize(("width", "threads"), [(8, 1), (4000, 2)])
def test_small_matrices_get_one_thread_and_large_ones_all(width, threads):
    seen = []

    class Counting(Linear):
        def forward(self, x, training=False):
            seen.extend(pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas")
            return super().forward(x, training)

    net, x = Sequential(Counting(width, 4, rng=1)), np.ones((4096, width), np.float32)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        fit(net, MSE(), x, np.zeros((4096, 4), np.float32), epochs=1, batch_size=4096, lr=1e-6, progress=False)
        after = {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}
    assert set(seen) == {threads}
    assert after == {2}, "the number of threads is put back"
