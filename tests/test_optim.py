"""SGD: one step, in place, and nothing else."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from bplib import (
    MSE,
    SGD,
    Linear,
    Momentum,
    Sequential,
    Tanh,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    clip_weights,
)
from tests.exported import batch, like


def trained_once(dtype=np.float64):
    net = Sequential(Linear(5, 4, rng=1, dtype=dtype), Tanh(), Linear(4, 2, rng=2, dtype=dtype))
    y = net.forward(batch(dtype=dtype))
    net.backward(like(y))
    return net


@given(lr=st.floats(1e-6, 1e3))
def test_a_step_is_param_minus_lr_times_grad(lr):
    net = trained_once()
    before = {name: param.copy() for name, param in net.params.items()}
    grads = {name: grad.copy() for name, grad in net.grads.items()}
    SGD(net, lr).step()
    for name, param in net.params.items():
        assert np.array_equal(param, before[name] - lr * grads[name])
        assert np.array_equal(net.grads[name], grads[name])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_step_is_in_place_and_keeps_the_dtype(dtype):
    net = trained_once(dtype)
    arrays = list(net.params.values())
    SGD(net, np.float64(0.1)).step()
    for param, array in zip(net.params.values(), arrays, strict=True):
        assert param is array
        assert param.dtype == dtype


def test_two_steps_need_two_gradients_only_if_you_want_them():
    net = trained_once()
    before = net.params["0.W"].copy()
    sgd = SGD(net, 0.5)
    sgd.step()
    sgd.step()
    assert np.allclose(net.params["0.W"], before - net.grads["0.W"], rtol=1e-12, atol=1e-15)


def test_steps_go_down_to_the_least_squares_solution(rng):
    x, truth = rng.standard_normal((50, 3)), np.array([[1.0], [-2.0], [0.5]])
    y = x @ truth + 3
    net, loss = Linear(3, 1), MSE()
    sgd = SGD(net, 0.1)
    values = []
    for _ in range(500):
        values.append(loss.forward(net.forward(x), y))
        net.backward(loss.backward())
        sgd.step()
    assert np.all(np.diff(values) <= 1e-15)
    assert np.allclose(net.params["W"], truth, rtol=0, atol=1e-9)
    assert np.allclose(net.params["b"], 3, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("lr", "error"),
    [(0, ValueError), (-1, ValueError), (np.nan, ValueError), (np.inf, ValueError), ("", TypeError), (True, TypeError)],
)
def test_sgd_refuses_a_learning_rate(lr, error):
    with pytest.raises(error, match="SGD: expected lr to be"):
        SGD(Linear(2, 2), lr)


def test_a_step_before_backward_is_an_error():
    net = Sequential(Linear(3, 2))
    with pytest.raises(RuntimeError, match=r"SGD: the parameter 0\.W has no gradient"):
        SGD(net, 0.1).step()


def test_a_gradient_of_another_shape_is_never_broadcast():
    net = Linear(3, 2)
    before = net.params["W"].copy()
    net.grads = {"W": np.ones((1, 2)), "b": np.ones(2)}
    with pytest.raises(ValueError, match=r"SGD: expected the gradient of W to have shape \(3, 2\), got \(1, 2\)"):
        SGD(net, 0.1).step()
    assert np.array_equal(net.params["W"], before)


def test_a_step_that_is_refused_changes_nothing():
    net = Linear(3, 2)
    before = net.params["W"].copy()
    net.grads = {"W": np.ones((3, 2))}
    with pytest.raises(RuntimeError, match="the parameter b has no gradient"):
        SGD(net, 0.1).step()
    assert np.array_equal(net.params["W"], before)


@pytest.mark.parametrize(
    ("momentum", "error"), [(1, ValueError), (-0.1, ValueError), (np.nan, ValueError), ("much", TypeError), (None, TypeError)]
)
def test_momentum_refuses_a_share(momentum, error):
    with pytest.raises(error, match="Momentum: expected momentum to be"):
        Momentum(Linear(2, 2), 0.1, momentum)


def test_momentum_names_itself():
    with pytest.raises(ValueError, match="Momentum: expected lr to be"):
        Momentum(Linear(2, 2), 0)


def test_momentum_keeps_no_learners_array():
    net = trained_once()
    optimiser = Momentum(net, 0.1)
    optimiser.step()
    for name, grad in net.grads.items():
        assert not np.shares_memory(optimiser.velocity[name], grad)


GRADS = {"W": np.array([[3.0, -4.0], [0.1, 0.2]]), "b": np.array([12.0, 0.5])}


@pytest.mark.parametrize("clip", [clip_by_value, clip_by_norm, clip_by_global_norm])
def test_clipping_keeps_what_is_short_and_changes_nothing_in_place(clip):
    before = {name: grad.copy() for name, grad in GRADS.items()}
    long, short = clip(GRADS, 1.0), clip(GRADS, 100.0)
    for name, grad in GRADS.items():
        assert np.array_equal(grad, before[name])
        assert np.array_equal(short[name], grad)
        assert not np.array_equal(long[name], grad)
        assert not np.shares_memory(short[name], grad)


def test_what_each_clipping_keeps():
    assert max(np.abs(grad).max() for grad in clip_by_value(GRADS, 2.0).values()) == 2
    assert np.allclose([np.linalg.norm(grad) for grad in clip_by_norm(GRADS, 2.0).values()], 2)
    clipped = clip_by_global_norm(GRADS, 2.0)
    assert np.isclose(np.sqrt(sum((grad**2).sum() for grad in clipped.values())), 2)
    ratios = np.concatenate([(clipped[name] / GRADS[name]).ravel() for name in GRADS])
    assert np.allclose(ratios, ratios[0]), "the direction is kept"


@pytest.mark.parametrize("make", [SGD, Momentum])
def test_an_optimiser_clips_before_it_steps(make):
    net = Linear(2, 2)
    before = {name: param.copy() for name, param in net.params.items()}
    net.grads = {name: grad.copy() for name, grad in GRADS.items()}
    make(net, 0.5, clip=lambda grads: clip_by_value(grads, 1.0)).step()
    for name, param in net.params.items():
        assert np.allclose(before[name] - param, 0.5 * np.clip(GRADS[name], -1, 1))
        assert np.array_equal(net.grads[name], GRADS[name]), "the gradients themselves stay"


def test_weights_are_clipped_in_place():
    net = Sequential(Linear(3, 2, gain=5, rng=1))
    param = net.params["0.W"]
    clip_weights(net, 0.25)
    assert net.params["0.W"] is param
    assert np.abs(param).max() == 0.25


@pytest.mark.parametrize("clip", [clip_by_value, clip_by_norm, clip_by_global_norm, clip_weights])
@pytest.mark.parametrize(("limit", "error"), [(0, ValueError), (-1, ValueError), (np.nan, ValueError), ("1", TypeError)])
def test_a_bad_limit_is_refused(clip, limit, error):
    with pytest.raises(error, match=f"{clip.__name__}: expected limit to be"):
        clip(Linear(2, 2) if clip is clip_weights else GRADS, limit)


def test_a_clip_that_is_no_function_is_refused():
    with pytest.raises(TypeError, match=r"SGD: expected clip to be a function of the gradients, got 1\.0"):
        SGD(Linear(2, 2), 0.1, clip=1.0)
