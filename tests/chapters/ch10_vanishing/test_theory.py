"""What the lab's theory expects, against plain sampling, and against networks with many different seeds."""

import numpy as np
import pytest

from bplib import GELU, ReLU, Sigmoid, Tanh
from course.ch10_vanishing import GradientMagnitudes
from course.ch10_vanishing.theory import Curve, Expected, expected

U = np.random.default_rng(0).standard_normal((2, 400_000))


@pytest.mark.parametrize("c", [-0.9, 0.0, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("q", [0.3, 1.0, 9.0])
@pytest.mark.parametrize("kind", [Sigmoid, Tanh, ReLU, GELU])
def test_means_of_products_are_those_of_many_samples(kind, q, c):
    activation = kind()
    one, other = np.sqrt(q) * U[0], np.sqrt(q) * (c * U[0] + np.sqrt(1 - c**2) * U[1])
    a, b = activation.f(one), activation.f(other)
    slopes = activation.derivative(one, a), activation.derivative(other, b)
    curve, at = Curve(activation, q), np.array([c])
    scale, slope_scale = np.mean(a**2), np.mean(slopes[0] ** 2)
    assert curve.mean == pytest.approx(a.mean(), abs=0.01 * np.sqrt(scale))
    assert curve.square == pytest.approx(scale, rel=0.02)
    assert curve.slope_square == pytest.approx(slope_scale, rel=0.03)
    assert curve.products(at)[0] == pytest.approx(np.mean(a * b), abs=0.01 * scale)
    # The slope of ReLU is a step: the series leaves a little out.
    assert curve.slope_products(at)[0] == pytest.approx(np.mean(slopes[0] * slopes[1]), abs=0.06 * slope_scale)


def test_a_linear_layer_is_exact_on_average():
    rng = np.random.default_rng(1)
    x, delta = rng.standard_normal((6, 5)), rng.standard_normal((6, 3))
    (norm,), spreads = expected(x, delta, [Expected(5, 3, 0.2)])
    assert norm == pytest.approx(np.linalg.norm(x.T @ delta), rel=1e-12), "the last layer's gradient needs no theory"
    assert len(spreads) == 0


def test_few_examples_stand_for_many():
    rng = np.random.default_rng(2)
    x, delta = 1 + rng.standard_normal((4000, 5)), 0.5 + rng.standard_normal((4000, 3))
    (norm,), _ = expected(x[:2000], delta[:2000], [Expected(5, 3, 0.2)], batch=4000)
    assert norm == pytest.approx(np.linalg.norm(x.T @ delta), rel=0.03)


# Half a decade: a bar and its theory then stand within the same quarter of a line's distance in the picture.
SETTINGS = {
    "sigmoid": {"activation": "sigmoid"},
    "sigmoid, small normal weights": GradientMagnitudes.presets["The 1990s"],
    "tanh": GradientMagnitudes.presets["Xavier 2010"],
    "tanh, depth 50, orthogonal": {"activation": "tanh", "rule": "orthogonal", "depth": 50},
    "tanh, large weights": {"activation": "tanh", "gain": 2.0},
    "tanh, small weights": {"activation": "tanh", "gain": 0.5},
    "ReLU": GradientMagnitudes.presets["He 2015"],
    "ReLU, Xavier": {"activation": "ReLU"},
    "leaky ReLU, squared error": {"activation": "leaky ReLU", "rule": "He", "loss": "squared error"},
    "batch norm": GradientMagnitudes.presets["Batch norm 2015"],
    "batch norm, sigmoid": {"activation": "sigmoid", "normalization": "batch"},
    "layer norm": {"activation": "ReLU", "rule": "He", "normalization": "layer"},
    "batch norm and residuals": GradientMagnitudes.presets["ResNet 2015"],
    "residuals, tanh": {"activation": "tanh", "residual": True},
    "large batch": {"activation": "tanh", "batch": 256},
    "small batch": {"activation": "tanh", "batch": 16},
    "narrow": {"activation": "tanh", "width": 16, "depth": 10},
    "wide": {"activation": "ReLU", "rule": "He", "width": 128},
}


def disagreement(setting, seeds=range(9)):
    """The largest difference between the theory and the median over seeds, in decades."""
    data = [GradientMagnitudes().data(**setting, seed=seed) for seed in seeds]
    measured, theory = (np.median([d[key] for d in data], axis=0) for key in ("norms", "theory"))
    return np.abs(np.log10(theory / measured)).max()


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_the_theory_is_within_half_a_decade_of_the_median_network(setting):
    assert disagreement(setting) < 0.5


def test_a_wrong_theory_would_be_noticed(monkeypatch):
    monkeypatch.setitem(GradientMagnitudes.compute.__globals__["VARIANCES"], "He", lambda n_in, n_out: 1 / n_in)
    assert disagreement(SETTINGS["ReLU"], range(3)) > 2
