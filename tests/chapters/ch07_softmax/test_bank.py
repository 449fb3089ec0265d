"""The references of chapter 07 are right, by independent means; typical answers get the right words."""

import numpy as np
import pytest

from bplib import SoftmaxCrossEntropy, numerical_gradient
from course.catalogue import find
from course.ch07_softmax.bank.practice import NETWORKS, on_several
from course.grading.core import CORRECT, ERROR


def reference(name):
    return find(f"softmax.{name}").reference


def judge(name, answer):
    return find(f"softmax.{name}").judge(answer)


def probabilities(z):
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


@pytest.fixture
def z(rng):
    return rng.normal(0, 1.5, (5, 4))


LABELS = np.array([0, 3, 1, 2, 2])


def test_the_jacobian_is_what_a_measurement_finds(z):
    table = [numerical_gradient(lambda z, i=i: probabilities(z)[i], z[0]) for i in range(4)]
    np.testing.assert_allclose(reference("jacobian")(probabilities(z[0])), table, atol=1e-9)


def test_both_backwards_are_what_a_measurement_finds(z, rng):
    u = rng.normal(0, 1, z.shape)
    measured = numerical_gradient(lambda z: np.sum(u * probabilities(z)), z)
    np.testing.assert_allclose(reference("backward")(probabilities(z), u), measured, atol=1e-8)
    measured = numerical_gradient(lambda z: np.sum(u * np.log(probabilities(z))), z)
    np.testing.assert_allclose(reference("log_backward")(z, u), measured, atol=1e-8)


def test_log_softmax_is_exact_where_floats_end():
    far = reference("log_softmax")(np.array([[1e4, 0.0, -1e4], [1.0, 2.0, 3.0]]))
    assert far[0].tolist() == [0.0, -1e4, -2e4]
    np.testing.assert_allclose(np.exp(far[1]), probabilities(np.array([1.0, 2.0, 3.0])), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "extra", "loss"),
    [
        ("temperature", 2.5, lambda z, T: SoftmaxCrossEntropy().forward(z / T, LABELS)),
        ("smoothing", 0.2, lambda z, s: -np.mean(np.sum((0.8 * np.eye(4)[LABELS] + s / 4) * np.log(probabilities(z)), axis=1))),
        ("weights", np.array([1.0, 2.0, 0.5, 3.0]),
         lambda z, w: -np.mean(w[LABELS] * np.log(probabilities(z))[np.arange(5), LABELS])),
    ],
)
def test_gradients_are_what_a_measurement_finds(z, name, extra, loss):
    measured = numerical_gradient(lambda z: loss(z, extra), z)
    np.testing.assert_allclose(reference(name)(z, LABELS, extra), measured, atol=1e-8)


def test_the_first_loss_is_that_of_equal_logits():
    for k in (2, 10, 77):
        assert reference("first_loss")(k) == pytest.approx(SoftmaxCrossEntropy().forward(np.zeros((2, k)), np.array([0, 1])))


def test_accuracy_of_known_predictions():
    z = np.array([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0], [5.0, 4.0]])
    assert reference("accuracy")(z, np.array([1, 0, 0, 0])) == 0.75


def test_only_the_blind_network_fails(rng):
    said = on_several(reference("by_heart"), rng.normal(0, 1, (12, 6)), np.arange(12) % 3, rng.permutation(np.arange(12) % 3))
    assert dict(zip(NETWORKS, said)) == {name: "it cannot" if "sees one example" in name else "it can" for name in NETWORKS}


def test_a_rate_at_which_nothing_happens_is_told():
    assert "Is there a training" in str(judge("by_heart", lambda net, x, y: False))


def test_an_error_in_the_training_is_shown():
    def answer(net, x, y):
        raise ValueError("no labels")

    result = judge("by_heart", answer)
    assert result.verdict == ERROR
    assert "no labels" in str(result)


def test_integer_logits_are_accepted_by_a_right_answer():
    assert judge("accuracy", lambda z, y: sum(z.argmax(1) == y) / len(y)).verdict == CORRECT
