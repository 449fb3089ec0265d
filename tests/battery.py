"""What every layer and every loss promises, one function a promise. Each raises AssertionError where it is broken."""

import re

import numpy as np
import pytest

from bplib import Sequential
from tests.exported import FEATURES, batch, example_of, like

LOUD = {"over": "raise", "divide": "raise", "invalid": "raise"}

BAD_INPUTS = {
    "complex": (np.ones((4, FEATURES), complex), TypeError),
    "bool": (np.ones((4, FEATURES), bool), TypeError),
    "half precision": (np.ones((4, FEATURES), np.float16), TypeError),
    "text": ("text", TypeError),
    "text array": (np.full((4, FEATURES), "1"), TypeError),
    "object": (np.full((4, FEATURES), 1, object), TypeError),
    "None": (None, TypeError),
    "a function": (len, TypeError),
    "ragged list": ([[1.0, 2.0], [3.0]], ValueError),
    "no example": (np.ones((0, FEATURES)), ValueError),
    "no feature": (np.ones((4, 0)), ValueError),
    "scalar": (3.0, ValueError),
    "empty list": ([], ValueError),
}


def equal(got, expected, what):
    """Same shape, dtype and bits."""
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
    assert got.dtype == expected.dtype, f"{what}: dtype {got.dtype}, expected {expected.dtype}"
    assert np.array_equal(got, expected, equal_nan=True), f"{what} changed"


def close(got, expected, what, rtol=1e-12):
    """Same shape, and equal to rounding on the scale of the largest entry."""
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
    scale = np.max(np.abs(expected), initial=0)
    gap = np.max(np.abs(got - expected), initial=0)
    assert gap <= rtol * scale + np.finfo(float).tiny, f"{what}: {gap} apart at scale {scale}"


def passes(layer, x, dy=None):
    """One forward and one backward: output, dx and copies of the gradients."""
    y = layer.forward(x)
    dx = layer.backward(like(y) if dy is None else dy)
    return y, dx, {name: grad.copy() for name, grad in layer.grads.items()}


def names(layer):
    """Whose name an error may bear: the layer's own, or that of one inside."""
    inside = [name for part in layer for name in names(part)] if isinstance(layer, Sequential) else []
    return [type(layer).__name__, *inside]


def refuses(call, error, who, what):
    """The call raises exactly this kind of error, and the message says who refuses, what was expected and what came."""
    try:
        call()
    except error as caught:
        message = str(caught)
    except Exception as other:
        raise AssertionError(f"{what}: expected {error.__name__}, got {type(other).__name__}: {other}") from other
    else:
        raise AssertionError(f"{what}: accepted")
    assert any(re.match(rf"{name}\b", message) for name in who), f"{what}: nobody named in {message!r}"
    for word in ("expected", "got"):
        assert word in message, f"{what}: no {word!r} in {message!r}"


# Layers. `make` takes a dtype and gives a layer for batches (n, FEATURES).


def shapes_out_and_back(make):
    for n in (1, 2, 7):
        layer, x = make(np.float64), batch(n)
        y, dx, grads = passes(layer, x)
        assert len(y) == n, f"output of shape {y.shape} for {n} examples"
        assert dx.shape == x.shape, f"dx of shape {dx.shape} for x of shape {x.shape}"
        assert set(grads) == set(layer.params), f"gradients of {set(grads)}, parameters {set(layer.params)}"
        for name, param in layer.params.items():
            assert grads[name].shape == param.shape, f"{name}: gradient {grads[name].shape}, parameter {param.shape}"


def dtypes(make):
    for dtype in (np.float64, np.float32):
        layer = make(dtype)
        y, dx, grads = passes(layer, batch(dtype=dtype))
        for what, array in {"output": y, "dx": dx, **layer.params, **grads}.items():
            assert array.dtype == dtype, f"{what}: {array.dtype} in a layer of {np.dtype(dtype)}"


def integers_become_float64(make):
    whole = np.arange(-10, 10).reshape(4, FEATURES)
    expected = passes(make(np.float64), whole.astype(float))
    for x in (whole, whole.astype(np.int8), whole.tolist()):
        y, dx, _ = passes(make(np.float64), x)
        equal(y, expected[0], "output")
        equal(dx, expected[1], "dx")


def lists_are_accepted(make):
    x = batch()
    equal(make(np.float64).forward(x.tolist()), make(np.float64).forward(x), "output")


def bad_input_is_refused(make):
    for what, (x, error) in BAD_INPUTS.items():
        layer = make(np.float64)
        refuses(lambda layer=layer, x=x: layer.forward(x), error, names(layer), what)


def nan_is_never_hidden(make):
    x = batch()
    x[1, 2] = np.nan
    y = make(np.float64).forward(x)
    assert np.isnan(y[1]).any(), "NaN went in, none came out"
    assert np.isfinite(y[[0, 2, 3]]).all(), "the NaN of one example reached another"


def backward_needs_forward(make):
    layer = make(np.float64)
    with pytest.raises(RuntimeError, match="forward") as caught:
        layer.backward(batch())
    assert any(str(caught.value).startswith(name) for name in names(layer))


def wrong_upstream_is_refused(make):
    layer = make(np.float64)
    y = layer.forward(batch())
    wrong = {
        "one example less": (y[1:], ValueError),
        "one feature more": (np.ones((len(y), y.shape[1] + 1)), ValueError),
        "one row for all": (y[0], ValueError),
        "one more axis": (y[np.newaxis], ValueError),
        "a number": (1.0, ValueError),
        "complex": (y.astype(complex), TypeError),
        "None": (None, TypeError),
        "text": ("dy", TypeError),
        "ragged": ([[1.0], [1.0, 2.0]], ValueError),
    }
    for what, (dy, error) in wrong.items():
        refuses(lambda dy=dy: layer.backward(dy), error, names(layer), what)


def what_was_returned_stays(make):
    layer, x = make(np.float64), batch()
    y = layer.forward(x)
    dx = layer.backward(like(y))
    kept = {"output": y, "dx": dx, **layer.grads}
    copies = {name: array.copy() for name, array in kept.items()}
    passes(layer, batch(seed=8))
    for name, array in kept.items():
        equal(array, copies[name], f"{name} of the first pass")


def nothing_is_shared(make):
    layer, x = make(np.float64), batch()
    y = layer.forward(x)
    dy = like(y)
    mine = {"output": y, "dx": layer.backward(dy), **{f"gradient of {name}": g for name, g in layer.grads.items()}}
    theirs = {"x": x, "dy": dy, **layer.params}
    for name, array in mine.items():
        for other, source in theirs.items():
            assert not np.shares_memory(array, source), f"{name} shares its memory with {other}"


def arguments_and_parameters_stay(make):
    layer, x = make(np.float64), batch()
    dy = like(layer.forward(x))
    before = {"x": x.copy(), "dy": dy.copy(), **{name: param.copy() for name, param in layer.params.items()}}
    layer.forward(x)
    layer.backward(dy)
    for name, array in {"x": x, "dy": dy, **layer.params}.items():
        equal(array, before[name], name)


def passes_are_repeatable(make):
    layer, x = make(np.float64), batch()
    y = layer.forward(x)
    dy = like(y)
    first = layer.backward(dy), {name: grad.copy() for name, grad in layer.grads.items()}
    second = layer.backward(dy), layer.grads
    equal(second[0], first[0], "dx of the second backward")
    for name, grad in first[1].items():
        equal(second[1][name], grad, f"gradient of {name} after the second backward")
    equal(layer.forward(x), y, "output of the second forward")
    equal(make(np.float64).forward(x), y, "output of a second layer made alike")


def other_batches_follow(make):
    used = make(np.float64)
    for n in (6, 2, 9):
        x = batch(n, seed=n)
        got, expected = passes(used, x), passes(make(np.float64), x)
        equal(got[0], expected[0], "output")
        equal(got[1], expected[1], "dx")
        for name, grad in expected[2].items():
            equal(got[2][name], grad, f"gradient of {name}")


def rows_are_examples(make):
    x = batch(5)
    whole = make(np.float64)
    y = whole.forward(x)
    dy = like(y)
    dx = whole.backward(dy)
    sums = {name: np.zeros_like(param) for name, param in whole.params.items()}
    for i in range(len(x)):
        one = make(np.float64)
        close(one.forward(x[i : i + 1])[0], y[i], f"output of example {i} alone")
        close(one.backward(dy[i : i + 1])[0], dx[i], f"dx of example {i} alone")
        for name, grad in one.grads.items():
            sums[name] += grad
    for name, total in sums.items():
        close(whole.grads[name], total, f"gradient of {name}, the sum over examples")


def memory_layouts(make):
    x = batch()
    expected = passes(make(np.float64), x)
    frozen = x.copy()
    frozen.flags.writeable = False
    wide = np.zeros((8, 3 * FEATURES))
    wide[::2, ::3] = x
    layouts = {
        "Fortran order": np.asfortranarray(x),
        "read-only": frozen,
        "every other": wide[::2, ::3],
        "backwards": x[::-1, ::-1].copy()[::-1, ::-1],
    }
    for what, other in layouts.items():
        layer = make(np.float64)
        y = layer.forward(other)
        dy = like(y)
        close(y, expected[0], f"output, {what}")
        dy.flags.writeable = False
        close(layer.backward(np.asfortranarray(dy) if what == "Fortran order" else dy), expected[1], f"dx, {what}")


def extremes_stay_finite(make):
    signs = np.sign(batch())
    for size in (1e4, 1.0, 1e-300, 0.0):
        for pattern in (signs, np.ones_like(signs), -np.ones_like(signs)):
            layer = make(np.float64)
            with np.errstate(**LOUD):
                y, dx, grads = passes(layer, size * pattern)
            for what, array in {"output": y, "dx": dx, **grads}.items():
                assert np.isfinite(array).all(), f"{what} is not finite for inputs of {size}"


def training_is_a_keyword(make):
    x = batch()
    assert make(np.float64).forward(x, training=True).shape == make(np.float64).forward(x, training=False).shape


def state_is_in_dictionaries(make):
    layer = make(np.float64)
    assert dict(layer.grads) == {}, "gradients before the first backward"
    for kind in ("params", "buffers"):
        for name, array in getattr(layer, kind).items():
            assert isinstance(name, str), f"{kind}: the name {name!r}"
            assert isinstance(array, np.ndarray), f"{kind}: {name} is {type(array).__name__}"
            assert array.flags.writeable, f"{kind}: {name} cannot be updated in place"
    assert repr(layer).startswith(type(layer).__name__), f"unhelpful repr {layer!r}"


def zero_upstream_gives_zero(make):
    layer = make(np.float64)
    y = layer.forward(batch())
    dx = layer.backward(np.zeros_like(y))
    for what, array in {"dx": dx, **layer.grads}.items():
        assert not array.any(), f"{what} is not zero although nothing came from above"


def backward_is_the_transposed_jacobian(make, directions=3):
    # <u, J v> = <J^T u, v> for random u and v: J v by central differences of forward, J^T u by backward.
    for seed in range(directions):
        layer, x = make(np.float64), batch(seed=seed)
        u, v, h = like(layer.forward(x), seed + 10), like(x, seed + 20), 1e-6
        slope = (np.vdot(u, make(np.float64).forward(x + h * v)) - np.vdot(u, make(np.float64).forward(x - h * v))) / (
            2 * h
        )
        back = np.vdot(layer.backward(u), v)
        size = np.linalg.norm(u) * np.linalg.norm(v)
        assert abs(slope - back) <= 1e-7 * size, f"<u, J v> = {slope}, <J^T u, v> = {back}"


LAYER_BATTERY = (
    shapes_out_and_back,
    dtypes,
    integers_become_float64,
    lists_are_accepted,
    bad_input_is_refused,
    nan_is_never_hidden,
    backward_needs_forward,
    wrong_upstream_is_refused,
    what_was_returned_stays,
    nothing_is_shared,
    arguments_and_parameters_stay,
    passes_are_repeatable,
    other_batches_follow,
    rows_are_examples,
    memory_layouts,
    extremes_stay_finite,
    training_is_a_keyword,
    state_is_in_dictionaries,
    zero_upstream_gives_zero,
    backward_is_the_transposed_jacobian,
)


# Losses. `make` gives a loss; `targets` takes a Generator, n and k and gives y for predictions (n, k).


def loss_is_a_float(make, targets):
    for n in (1, 2, 7):
        y_hat, y = example_of(targets, n)
        value = make().forward(y_hat, y)
        assert type(value) is float, f"the loss is {type(value).__name__}"
        assert value > 0, f"the loss of random predictions is {value}"


def loss_gradient_has_its_shape_and_dtype(make, targets):
    for n in (1, 2, 7):
        for dtype in (np.float64, np.float32):
            loss = make()
            y_hat, y = example_of(targets, n, dtype=dtype)
            for target in (y, np.abs(y).astype(np.int64).clip(0, 1)):
                loss.forward(y_hat, target)
                gradient = loss.backward()
                assert gradient.shape == y_hat.shape, f"gradient {gradient.shape}, predictions {y_hat.shape}"
                assert gradient.dtype == dtype, f"gradient {gradient.dtype}, predictions {np.dtype(dtype)}"


def loss_takes_lists_and_integers(make, targets):
    y_hat, y = example_of(targets)
    assert make().forward(y_hat.tolist(), y.tolist()) == make().forward(y_hat, y)
    whole = np.arange(-6, 6).reshape(4, 3)
    assert make().forward(whole, y) == make().forward(whole.astype(float), y)


def loss_refuses_bad_input(make, targets):
    y_hat, y = example_of(targets)
    who = [type(make()).__name__]
    for what, (bad, error) in BAD_INPUTS.items():
        refuses(lambda bad=bad: make().forward(bad, y), error, who, f"prediction: {what}")
    for what in ("complex", "bool", "text", "object", "None", "ragged list", "no example", "scalar"):
        bad, _ = BAD_INPUTS[what]
        refuses(lambda bad=bad: make().forward(y_hat, bad), (TypeError, ValueError), who, f"target: {what}")
    for what, bad in {"one less": y[1:], "one more axis": y[..., np.newaxis], "transposed": y_hat.T}.items():
        refuses(lambda bad=bad: make().forward(y_hat, bad), (TypeError, ValueError), who, f"target: {what}")


def loss_shows_nan(make, targets):
    y_hat, y = example_of(targets)
    y_hat[1, 2] = np.nan
    loss = make()
    assert np.isnan(loss.forward(y_hat, y)), "the loss hides a NaN"
    assert np.isnan(loss.backward()[1]).any(), "the gradient hides a NaN"


def loss_backward_needs_forward(make, targets):
    with pytest.raises(RuntimeError, match=rf"^{type(make()).__name__}.*forward"):
        make().backward()


def loss_changes_and_shares_nothing(make, targets):
    y_hat, y = example_of(targets)
    before = y_hat.copy(), y.copy()
    y_hat.flags.writeable = y.flags.writeable = False
    loss = make()
    loss.forward(y_hat, y)
    first = loss.backward()
    kept = first.copy()
    equal(loss.backward(), first, "the second gradient")
    loss.forward(*example_of(targets, 6, seed=3))
    loss.backward()
    equal(first, kept, "the gradient of the first pass")
    equal(y_hat, before[0], "predictions")
    equal(y, before[1], "targets")
    assert not np.shares_memory(first, y_hat), "the gradient shares its memory with the predictions"
    assert not np.shares_memory(first, y), "the gradient shares its memory with the targets"


def loss_reads_any_memory_layout(make, targets):
    y_hat, y = example_of(targets)
    loss = make()
    expected = loss.forward(y_hat, y)
    gradient = loss.backward()
    for other in (np.asfortranarray(y_hat), np.repeat(y_hat, 2, axis=0)[::2]):
        assert np.isclose(loss.forward(other, y), expected, rtol=1e-14, atol=0)
        close(loss.backward(), gradient, "gradient")


def loss_stays_finite(make, targets):
    for size in (1e4, 1e-300, 0.0):
        for seed in range(4):
            y_hat, y = example_of(targets, seed=seed)
            loss = make()
            with np.errstate(**LOUD):
                value = loss.forward(size * np.sign(y_hat), y)
                gradient = loss.backward()
            assert np.isfinite(value), f"the loss is {value} for predictions of {size}"
            assert np.isfinite(gradient).all(), f"the gradient is not finite for predictions of {size}"


def loss_is_a_mean_over_the_batch(make, targets):
    y_hat, y = example_of(targets, n=7)
    loss = make()
    whole = loss.forward(y_hat, y)
    gradient = loss.backward()
    parts = [slice(0, 2), slice(2, 7)]
    values, gradients = [], []
    for part in parts:
        values.append(loss.forward(y_hat[part], y[part]) * len(y_hat[part]) / 7)
        gradients.append(loss.backward() * len(y_hat[part]) / 7)
    assert np.isclose(sum(values), whole, rtol=1e-12, atol=0), f"parts give {sum(values)}, the whole {whole}"
    close(np.concatenate(gradients), gradient, "gradient of the parts")
    order = np.array([3, 0, 6, 2, 1, 5, 4])
    assert np.isclose(loss.forward(y_hat[order], y[order]), whole, rtol=1e-12, atol=0), "the order of examples matters"
    close(loss.backward(), gradient[order], "gradient in another order")


def loss_forward_is_its_formula(make, targets):
    y_hat, y = example_of(targets)
    loss = make()
    assert loss.forward(y_hat, y) == float(loss.value(y_hat, y))
    equal(loss.backward(), loss.gradient(y_hat, y), "gradient")


def loss_gradient_is_its_slope(make, targets, directions=3):
    for seed in range(directions):
        y_hat, y = example_of(targets, seed=seed)
        loss, v, h = make(), like(y_hat, seed + 20), 1e-6
        slope = (loss.forward(y_hat + h * v, y) - loss.forward(y_hat - h * v, y)) / (2 * h)
        loss.forward(y_hat, y)
        back = np.vdot(loss.backward(), v)
        assert abs(slope - back) <= 1e-8 * np.linalg.norm(v), f"slope {slope}, gradient says {back}"


LOSS_BATTERY = (
    loss_is_a_float,
    loss_gradient_has_its_shape_and_dtype,
    loss_takes_lists_and_integers,
    loss_refuses_bad_input,
    loss_shows_nan,
    loss_backward_needs_forward,
    loss_changes_and_shares_nothing,
    loss_reads_any_memory_layout,
    loss_stays_finite,
    loss_is_a_mean_over_the_batch,
    loss_forward_is_its_formula,
    loss_gradient_is_its_slope,
)
