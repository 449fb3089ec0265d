"""Initialisers: each spread against its theory, with bounds that a neighbouring formula breaks."""

import numpy as np
import pytest

from bplib import Linear, ReLU, Sequential, init

# A spread estimated from m normal numbers is off by about 1 / sqrt(2 m), here 0.3 %; five times that is allowed.
SHAPES = [(300, 200), (100, 600), (250, 250)]
SPREADS = {
    "normal": lambda n_in, n_out: 1.0,
    "xavier": lambda n_in, n_out: np.sqrt(2 / (n_in + n_out)),
    "he": lambda n_in, n_out: np.sqrt(2 / n_in),
}


def spread_is(W, expected):
    return abs(W.std() / expected - 1) < 5 / np.sqrt(2 * W.size) and abs(W.mean()) < 5 * expected / np.sqrt(W.size)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rule", SPREADS)
def test_spreads(rule, shape):
    W = init.weights(rule, *shape, rng=5)
    assert W.shape == shape
    assert spread_is(W, SPREADS[rule](*shape))
    kurtosis = np.mean(((W - W.mean()) / W.std()) ** 4)
    assert kurtosis == pytest.approx(3, abs=5 * np.sqrt(24 / W.size)), "the numbers are not normal"


@pytest.mark.parametrize("shape", [(300, 200), (100, 600)])
def test_the_bound_tells_the_formulas_apart(shape):
    n_in, n_out = shape
    for rule in ("xavier", "he"):
        W = init.weights(rule, *shape, rng=5)
        right = SPREADS[rule](*shape)
        others = {"1/n_in": 1 / n_in, "2/n_out": 2 / n_out, "6/sum": 6 / (n_in + n_out)}
        others |= {"no root": right**4, "2 % more": (1.02 * right) ** 2}
        for name, variance in others.items():
            assert not spread_is(W, np.sqrt(variance)), name


def test_zeros_are_zero_and_constants_one():
    assert not init.weights("zeros", 3, 4, rng=0).any()
    assert (init.weights("constant", 3, 4, rng=0) == 1).all()
    assert (Linear(3, 4, init="constant", gain=0.3).params["W"] == 0.3).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_uniform_is_even_up_to_its_bound(shape):
    W = init.weights("uniform", *shape, rng=5) * np.sqrt(shape[0])
    assert 0.999 < np.abs(W).max() <= 1
    # A spread of 1 / sqrt(3), and a kurtosis of 9 / 5 in place of the normal 3.
    assert W.std() == pytest.approx(1 / np.sqrt(3), abs=5 * np.sqrt(0.2 / W.size))
    assert np.mean((W / W.std()) ** 4) == pytest.approx(1.8, abs=0.03)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (1, 7), (7, 1), (1, 1)])
def test_orthogonal_stretches_nothing(shape):
    W = init.weights("orthogonal", *shape, rng=3)
    assert W.shape == shape
    product = W.T @ W if shape[0] >= shape[1] else W @ W.T
    assert np.allclose(product, np.eye(min(shape)), rtol=0, atol=1e-14)


def test_orthogonal_draws_every_rotation_alike():
    # Without the correction of signs the diagonal of a draw would lean to one side.
    corners = np.array([init.weights("orthogonal", 3, 3, rng=seed).diagonal() for seed in range(2000)])
    assert np.all(np.abs(corners.mean(axis=0)) < 5 * np.sqrt(1 / 3 / len(corners)))
    assert np.all(np.abs((corners**2).mean(axis=0) - 1 / 3) < 0.05)
    uncorrected = np.array([np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0].diagonal()
                            for seed in range(2000)])
    assert np.any(np.abs(uncorrected.mean(axis=0)) > 5 * np.sqrt(1 / 3 / len(corners)))


@pytest.mark.parametrize("rule", init.RULES)
def test_rules_follow_their_seed(rule):
    first, again, other = (init.weights(rule, 4, 3, rng=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.array_equal(first, other) == (rule in ("zeros", "constant"))
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - that it stays untouched is the point
    init.weights(rule, 4, 3, rng=1)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_he_keeps_the_signal_through_relu_and_xavier_loses_half():
    x = np.random.default_rng(0).standard_normal((200, 400))
    for rule, kept in (("he", 1.0), ("xavier", 0.5)):
        net = Sequential(Linear(400, 400, init=rule, rng=1), ReLU(), Linear(400, 400, init=rule, rng=2))
        first = net[0].forward(x)
        after = net.forward(x)
        assert after.var() / first.var() == pytest.approx(kept, rel=0.1)


@pytest.mark.parametrize("rule", ["", "Xavier", None, 3, ["he"], {}])
def test_an_unknown_rule_is_told_the_known_ones(rule):
    with pytest.raises(ValueError, match=r"init: expected one of zeros, .*, orthogonal or a function, got"):
        init.weights(rule, 2, 2, rng=0)


def test_a_function_is_a_rule():
    seen = []

    def rule(n_in, n_out, rng):
        seen.append(rng)
        return np.full((n_in, n_out), 7)

    W = init.weights(rule, 2, 3, rng=0)
    assert W.dtype == np.float64
    assert (W == 7).all()
    assert isinstance(seen[0], np.random.Generator)
