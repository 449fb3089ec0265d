"""Facts at settings of chapter 03's labs."""

import numpy as np
import pytest

from bplib import MSE, SGD, Linear, datasets
from course.ch03_gradient_descent import BatchNoise, LearningRate
from course.ch03_gradient_descent.labs import regime

LIMIT = LearningRate().data()["limit"]


def test_the_path_is_that_of_the_library():
    net, loss = Linear(1, 1), MSE()
    net.params["W"][...], net.params["b"][...] = 1.0, -2.0
    x, y = datasets.line()
    optimiser, path = SGD(net, 0.03), []
    for _ in range(5):
        path.append((net.params["W"].item(), net.params["b"].item(), loss.forward(net.forward(x), y)))
        net.backward(loss.backward())
        optimiser.step()
    data = LearningRate().data(lr=0.03, steps=4, w=1.0, b=-2.0)
    np.testing.assert_allclose(np.column_stack([data["path"], data["loss"]]), path, rtol=1e-12)


def test_the_limit_is_where_it_begins_to_climb():
    assert pytest.approx(0.11976, abs=1e-4) == LIMIT
    for lr, falls in ((0.97 * LIMIT, True), (1.03 * LIMIT, False)):
        loss = LearningRate().data(lr=lr, steps=60)["loss"]
        assert (loss[-1] < loss[20]) == falls


@pytest.mark.parametrize(("share", "word"), [(0.04, "slow"), (0.4, "good"), (0.9, "oscillating"), (1.1, "diverging")])
def test_the_regime_is_what_the_path_does(share, word):
    assert regime(share) == word
    data = LearningRate().data(lr=share * LIMIT, steps=20)
    # Along the steep direction, the sign of the distance to the minimum tells jumping from walking.
    steep = np.linalg.eigh(2 * np.array([[7.5, 2.5], [2.5, 1.0]]))[1][:, 1]
    distance = (data["path"] - [2.0, 0.0]) @ steep
    changes = (np.diff(np.sign(distance[:6])) != 0).sum()
    assert (changes > 0) == (word in ("oscillating", "diverging"))
    assert (abs(distance[6]) > abs(distance[0])) == (word == "diverging")


def test_all_examples_at_once_are_the_comparison():
    data = BatchNoise().data(batch="64", epochs=7)
    np.testing.assert_allclose(data["path"], data["full"], rtol=1e-9)


def test_small_batches_are_noisy_and_get_further_with_the_same_examples():
    one, many = (BatchNoise().data(batch=size, epochs=4) for size in ("4", "16"))
    assert one["spread"] > 1.5 * many["spread"]
    assert one["loss"][-1] < one["full_loss"][-1]
    assert one["seen"][-1] == many["seen"][-1] == one["full_seen"][-1] == 256


def test_the_same_number_of_steps_can_be_shown():
    data = BatchNoise().data(batch="16", epochs=3, same=True)
    assert len(data["loss"]) == len(data["full_loss"]) == 13
