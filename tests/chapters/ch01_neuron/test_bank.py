"""The references of chapter 01 are right, by independent means; typical answers get the right words."""

import numpy as np
import pytest

from bplib import Linear, ReLU, Sigmoid, numerical_gradient
from course.catalogue import find


def reference(name):
    return find(f"neuron.{name}").reference


def judge(name, answer):
    return find(f"neuron.{name}").judge(answer)


def test_sums_are_those_of_a_linear_layer(rng):
    layer = Linear(4, 3, rng=rng)
    layer.params["b"] += rng.standard_normal(3)
    x = rng.standard_normal((6, 4))
    np.testing.assert_allclose(reference("weighted_sum")(x, layer.params["W"], layer.params["b"]), layer.forward(x))
    one = reference("one_example")(x[0], layer.params["W"][:, 1], layer.params["b"][1])
    assert one == pytest.approx(layer.forward(x)[0, 1])


def test_slopes_are_those_that_are_measured(rng):
    z = rng.standard_normal((3, 4))
    np.testing.assert_allclose(reference("sigmoid")(z), Sigmoid().f(z), rtol=1e-12)
    np.testing.assert_allclose(reference("sigmoid_slope")(z), numerical_gradient(lambda v: Sigmoid().f(v).sum(), z), rtol=1e-8)
    np.testing.assert_allclose(reference("relu_slope")(z), numerical_gradient(lambda v: ReLU().f(v).sum(), z), rtol=1e-8)
    assert reference("relu_slope")(np.zeros(1)) == 0


def test_distance_is_the_shortest_way_to_the_line(rng):
    w, b = rng.standard_normal(2), 0.7
    x = rng.standard_normal((5, 2))
    along = np.array([-w[1], w[0]]) / np.linalg.norm(w)
    on_line = -b * w / (w @ w) + np.linspace(-20, 20, 400001)[:, np.newaxis] * along
    for point, claimed in zip(x, reference("distance")(x, w, b)):
        assert abs(claimed) == pytest.approx(np.min(np.linalg.norm(on_line - point, axis=1)), abs=1e-6)
        assert np.sign(claimed) == np.sign(point @ w + b)


def test_saturation_counts_flat_slopes_one_by_one(rng):
    x, W, b = rng.standard_normal((30, 3)), 5 * rng.standard_normal((3, 2)), rng.standard_normal(2)
    shares = reference("saturation")(x, W, b)
    for unit in range(2):
        measured = [numerical_gradient(Sigmoid().f, float(z)) for z in x @ W[:, unit] + b[unit]]
        assert shares[unit] == pytest.approx(np.mean(np.array(measured) < 0.0025))


def test_the_classic_mix_up_of_z_and_a_is_named():
    result = judge("sigmoid_slope", lambda z: z * (1 - z))
    assert result.mutant == "z-taken-for-a"
    assert "not z" in result.message


def test_own_weights_are_judged_by_what_they_do():
    assert judge("choose_weights", lambda: (-5.0, 5.0, 0.0)) == 2
    assert judge("choose_weights", lambda: (-0.01, 0.01, 0.0)) == 2, "the size of the weights does not move the line"
    assert judge("choose_weights", lambda: (5.0, -5.0, 0.0)).mutant == "upside-down"
    assert judge("choose_weights", lambda: (1.0, 0.0, 0.0)).mutant == "not-enough"
    assert judge("choose_weights", lambda: (0, 0, 0)).mutant == "no-line"
    assert "three numbers" in str(judge("choose_weights", lambda: (1.0, 2.0)))
    assert judge("choose_weights", lambda: None).verdict == "not attempted"


def test_a_comparison_of_every_pair_is_named():
    result = judge("accuracy", lambda x, w, b, y: np.mean((x @ w[:, None] + b > 0) == (y == 1)))
    assert result.mutant == "broadcast"


def test_the_sigmoid_may_overflow_but_not_become_no_number():
    assert judge("sigmoid", lambda z: 1 / (1 + np.exp(-z))).verdict == "correct"
    result = judge("sigmoid", lambda z: np.exp(z) / (1 + np.exp(z)))
    assert result.mutant == "overflow"
    assert "1000" in result.message


def test_a_bias_as_a_column_is_named_though_numpy_stops():
    result = judge("weighted_sum", lambda x, W, b: x @ W + b.reshape(-1, 1))
    assert (result.verdict, result.mutant) == ("error", "bias-as-column")
    assert "into a column" in result.message


def test_the_corner_of_relu_is_judged():
    assert judge("relu_slope", lambda z: (z >= 0).astype(float)).mutant == "one-at-zero"
    assert judge("relu_slope", lambda z: (np.sign(z) + 1) / 2).mutant == "half-at-zero"
