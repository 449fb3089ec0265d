"""The references of chapter 09 are right, by independent means; typical answers get the right words."""

import re
from pathlib import Path

import numpy as np
import pytest

from bplib import SGD, Linear, ReLU, Sequential, SoftmaxCrossEntropy, datasets, numerical_gradient
from course.catalogue import find
from course.ch09_real_network import MysteryRun
from course.ch09_real_network.bank.runs import (
    CAUSES,
    GIVEN,
    GOAL,
    seen_from_outside,
    small_images,
    sorted_images,
    trained,
    trained_with,
)
from course.grading.core import CORRECT, ERROR, WRONG

CHAPTER = Path(__file__).parents[3] / "course" / "ch09_real_network" / "exercises.md"
PARAMS = ("0.W", "0.b", "2.W", "2.b")


def reference(name):
    return find(f"real_network.{name}").reference


def judge(name, answer):
    return find(f"real_network.{name}").judge(answer)


@pytest.fixture
def small(rng):
    """Arguments of forward and backward: 6 examples, 4 inputs, 5 hidden units, 3 classes."""
    return (rng.normal(0, 1, (6, 4)), np.array([0, 2, 1, 1, 2, 0]), rng.normal(0, 1, (4, 5)), rng.normal(0, 1, 5),
            rng.normal(0, 1, (5, 3)), rng.normal(0, 1, 3))


def library(weights):
    d, h = weights[0].shape
    net = Sequential(Linear(d, h), ReLU(), Linear(h, weights[2].shape[1]))
    for name, W in zip(PARAMS, weights):
        net.params[name][...] = W
    return net


# The network.


def test_forward_is_the_library_s(small):
    x, y, *weights = small
    net = library(weights)
    z1, a1, z2, value = reference("forward")(*small)
    np.testing.assert_allclose(z1, net[0].forward(x))
    np.testing.assert_allclose(a1, np.where(z1 > 0, z1, 0))
    np.testing.assert_allclose(z2, net.forward(x))
    assert value == pytest.approx(SoftmaxCrossEntropy().forward(z2, y))


def test_backward_is_what_is_measured(small):
    x, y, *weights = small
    delta2, dW2, db2, delta1, dW1, db1 = reference("backward")(*small)
    for place, gradient in ((0, dW1), (1, db1), (2, dW2), (3, db2)):
        def loss(value, place=place):
            changed = [value if other == place else W for other, W in enumerate(weights)]
            return reference("forward")(x, y, *changed)[3]

        np.testing.assert_allclose(gradient, numerical_gradient(loss, weights[place]), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(db2, delta2.sum(axis=0))
    np.testing.assert_allclose(dW1, x.T @ delta1)


def test_an_epoch_is_the_library_s_loop(small, rng):
    x, y, *weights = small
    order, net, loss = rng.permutation(6), library(weights), SoftmaxCrossEntropy()
    optimiser = SGD(net, 0.2)
    for rows in (order[:4], order[4:]):
        loss.forward(net.forward(x[rows]), y[rows])
        net.backward(loss.backward())
        optimiser.step()
    for name, W in zip(PARAMS, reference("epoch")(*small, order, 4, 0.2)):
        np.testing.assert_allclose(W, net.params[name], err_msg=name)


def test_the_cost_is_that_of_the_lesson_s_network():
    net = Sequential(Linear(784, 128), ReLU(), Linear(128, 10))
    parameters, forward, step = reference("cost")([784, 128, 10], 64)
    assert parameters == sum(param.size for param in net.params.values()) == 101_770
    products = [(64, 784, 128), (64, 128, 10), (128, 64, 10), (64, 10, 128), (784, 64, 128)]  # forward, dW2, back, dW1
    assert forward == sum(np.prod(product) for product in products[:2])
    assert step == sum(np.prod(product) for product in products)


# What goes in and comes out.


def test_standardised_training_images_have_mean_0_and_spread_1_and_the_test_images_nearly(rng):
    train, test = rng.uniform(0, 1, (50, 7)), rng.uniform(0, 1, (20, 7))
    ready, other = reference("standardise")(train, test)
    assert ready.mean() == pytest.approx(0, abs=1e-12)
    assert ready.std() == pytest.approx(1)
    assert other.mean() != pytest.approx(0, abs=1e-3)
    slope = (other[0, 0] - other[0, 1]) / (test[0, 0] - test[0, 1])
    assert slope == pytest.approx((ready[0, 0] - ready[0, 1]) / (train[0, 0] - train[0, 1]))


def test_the_confusion_matrix_counts_everything_once(rng):
    y, y_hat = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    counts = reference("confusion")(y, y_hat, 5)
    assert counts.shape == (5, 5)
    for i in range(5):
        for j in range(5):
            assert counts[i, j] == sum(1 for true, guess in zip(y, y_hat) if (true, guess) == (i, j))


def test_the_update_ratio_is_measured_on_a_real_step(small):
    W, lr = small[2], 0.3
    dW = reference("backward")(*small)[4]
    assert reference("update_ratio")(W, dW, lr) == pytest.approx(np.linalg.norm((W - lr * dW) - W) / np.linalg.norm(W))


def test_no_mistake_left_out_is_worse_than_one_that_is_shown(rng):
    z, y = rng.normal(0, 2, (40, 4)), rng.integers(0, 4, 40)
    rows = reference("worst")(z, y, 5)
    loss = np.array([SoftmaxCrossEntropy().forward(z[i:i + 1], y[i:i + 1]) for i in range(40)])
    assert (np.diff(loss[rows]) <= 0).all()
    wrong = set(np.flatnonzero(z.argmax(axis=1) != y))
    assert set(rows) <= wrong
    assert max(loss[list(wrong - set(rows))]) <= loss[rows[-1]]


# Training, judged by what comes of it.


@pytest.mark.parametrize("seed", range(4))
def test_the_reference_reaches_the_goal_with_room_to_spare(seed):
    x, y, run = sorted_images(np.random.default_rng(seed))
    assert x.shape == (GIVEN, 196)
    assert (np.diff(y) >= 0).all()
    _, _, unseen, labels = small_images()
    W1, b1, W2, b2 = trained(x, y, run)
    share = np.mean((np.maximum(unseen @ W1 + b1, 0) @ W2 + b2).argmax(axis=1) == labels)
    assert share > GOAL + 0.01


def test_the_unseen_images_are_test_images():
    _, _, unseen, labels = small_images()
    data = datasets.fashion()
    np.testing.assert_array_equal(labels, data.y_test[:1000])
    brightness = data.x_test[:1000].mean(axis=1)
    assert np.corrcoef(unseen.mean(axis=1), brightness)[0, 1] == pytest.approx(1)


@pytest.mark.parametrize("answer", [
    lambda x, y, seed: trained(x, y, seed)[:3],
    lambda x, y, seed: [W.T for W in trained(x, y, seed)],
    lambda x, y, seed: 0.85,
    lambda x, y, seed: np.zeros((196, 10)),
])
def test_what_is_no_network_is_told_what_is_expected(answer):
    result = judge("train", answer)
    assert result.verdict == WRONG
    assert "four arrays" in result.details + result.message


def test_a_training_with_an_error_shows_it():
    def answer(x, y, seed):
        return x @ np.zeros((3, 3))

    result = judge("train", answer)
    assert result.verdict == ERROR
    assert "x @ np.zeros" in str(result)


def test_other_code_with_the_same_mistake_is_recognised_by_what_it_does():
    def unshuffled(x, y, seed):
        net = library([np.random.default_rng(seed).normal(0, 0.1, (196, 20)), np.zeros(20),
                       np.random.default_rng(1).normal(0, 0.2, (20, 10)), np.zeros(10)])
        loss, optimiser = SoftmaxCrossEntropy(), SGD(net, 0.05)
        for _ in range(4):
            for start in range(0, len(x), 50):
                loss.forward(net.forward(x[start:start + 50]), y[start:start + 50])
                net.backward(loss.backward())
                optimiser.step()
        return [net.params[name] for name in PARAMS]

    assert judge("train", unshuffled).mutant == "not-shuffled"
    assert judge("train", trained_with(lr=1e-6)).mutant == "as-good-as-guessing"
    assert judge("train", trained_with(epochs=2, lr=0.03)).mutant == "stopped-too-early"


def test_the_judge_says_what_it_sees():
    x, y, seed = sorted_images(np.random.default_rng(0))
    assert seen_from_outside(trained, x, y, seed) == "learnt"
    assert seen_from_outside(lambda *all: None, x, y, seed) is None
    assert seen_from_outside(lambda *all: 4, x, y, seed) == "four arrays"


# Diagnosis.


def test_the_causes_are_those_of_the_runs_that_are_shown():
    assert tuple(MysteryRun.causes.values()) == CAUSES
    assert MysteryRun.controls["run"].options == tuple("ABCDEF") == tuple(MysteryRun.causes)
    text = CHAPTER.read_text(encoding="utf-8")
    for cause in CAUSES:
        assert f'- `"{cause}"`' in text


@pytest.mark.parametrize(("answer", "said"), [
    (("fine", *CAUSES[1:]), "5 of 6 are right. Look again at A."),
    (CAUSES[:5], "Give six texts"),
    ("fine", "Give six texts"),
    (("too fast", *CAUSES[1:]), "'too fast' is not in the list"),
])
def test_a_diagnosis_is_told_which_runs_to_look_at_again(answer, said):
    result = judge("diagnose", answer)
    assert result.verdict == WRONG
    assert said in str(result)


# What people type.


def test_plus_equals_with_two_lists_is_named():
    def counted(y, y_hat, k):
        matrix = np.zeros((k, k))
        matrix[y, y_hat] += 1
        return matrix

    assert judge("confusion", counted).mutant == "counted-once"


def test_weights_changed_in_place_are_named():
    step = reference("backward")

    def in_place(x, y, W1, b1, W2, b2, order, batch_size, lr):
        for start in range(0, len(x), batch_size):
            rows = order[start:start + batch_size]
            _, dW2, db2, _, dW1, db1 = step(x[rows], y[rows], W1, b1, W2, b2)
            W1 -= lr * dW1
            b1 -= lr * db1
            W2 -= lr * dW2
            b2 -= lr * db2
        return W1, b1, W2, b2

    result = judge("epoch", in_place)
    assert result.mutant == "in-place"
    assert result.verdict == WRONG


def test_a_scaler_fitted_again_on_the_test_images_is_named():
    result = judge("standardise", lambda x_train, x_test: [(x - x.mean()) / x.std() for x in (x_train, x_test)])
    assert result.mutant == "test-by-itself"


def test_the_first_wrong_array_of_the_way_back_is_named():
    def averaged_twice(x, y, W1, b1, W2, b2):
        delta2, dW2, db2, delta1, dW1, db1 = reference("backward")(x, y, W1, b1, W2, b2)
        return delta2, dW2, db2, delta1, dW1 / len(x), db1

    result = judge("backward", averaged_twice)
    assert result.verdict == WRONG
    assert "dW1" in result.details + result.message


def solutions():
    """The answer cells of the chapter, run one after the other."""
    cells = re.findall(r"```\{code-cell\}\n:tags: \[answer\]\n(.*?)```", CHAPTER.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = {"np": np}
    for cell in cells:
        exec(cell, found)
    return found


def test_the_solutions_in_the_text_earn_all_points():
    found = solutions()
    names = dict.fromkeys(["cost", "standardise", "forward", "backward", "epoch", "update_ratio", "confusion", "train"])
    answers = {name: found[name] for name in names} | {"worst": found["worst_mistakes"], "diagnose": found["causes"]}
    for name, answer in answers.items():
        assert judge(name, answer).verdict == CORRECT, name
