"""The questions that every layer and loss asks of what it is given, and the words of its refusals.

Each function returns the array to work with, or raises an error that says who refuses, what was expected and what came.
"""
import numpy as np

FLOATS = (np.float32, np.float64)


def real(x, who, name="x", integers=np.float64):
    """`x` as an array of float32 or float64; integers become `integers`. Anything else is a TypeError."""
    array = _array(x, who, name)
    if array.dtype in FLOATS:
        return array
    if np.issubdtype(array.dtype, np.integer):
        return array.astype(integers)
    raise TypeError(f"{who}: expected {name} to hold real numbers (float64, float32 or integers), got {_described(x, array)}.")


def batch(x, who, features=None, name="x"):
    """`x` as a real batch of at least one example; with `features`, of shape (n, features)."""
    x = real(x, who, name)
    if features is not None and (x.ndim != 2 or x.shape[1] != features):
        hint = f" For one example, write {name}[np.newaxis, :]." if x.shape == (features,) else ""
        raise ValueError(f"{who}: expected {name} of shape (n, {features}), got {x.shape}.{hint}")
    if x.ndim == 0:
        raise ValueError(f"{who}: expected {name} to be a batch, rows are examples; got a single number.")
    if x.size == 0:
        raise ValueError(f"{who}: expected {name} with at least one example, got an empty array of shape {x.shape}.")
    return x


def upstream(dy, shape, who):
    """`dy` as a real array of exactly the shape of the layer's output: a gradient has the shape of its thing."""
    dy = real(dy, who, "dy")
    if dy.shape != shape:
        raise ValueError(f"{who}: expected dy of the output's shape {shape}, got {dy.shape}.")
    return dy


def same_shape(y_hat, y, who):
    """Prediction and target as real batches of one shape: never broadcast, (n,) against (n, 1) would average n * n pairs."""
    y_hat = batch(y_hat, who, name="y_hat")
    y = real(y, who, "y", integers=y_hat.dtype)  # 0 and 1 must not turn a float32 gradient into float64
    if y_hat.shape != y.shape:
        hint = f" Reshape y with y.reshape({y_hat.shape})." if y_hat.size == y.size else ""
        raise ValueError(f"{who}: expected y of y_hat's shape {y_hat.shape}, got {y.shape}.{hint}")
    return y_hat, y


def labels(logits, y, who):
    """Logits (n, k) and class labels (n,): integers from 0 to k - 1."""
    logits, y = batch(logits, who, name="logits"), _array(y, who, "y")
    if logits.ndim != 2:
        raise ValueError(f"{who}: expected logits of shape (n, k), one row an example, got {logits.shape}.")
    n, k = logits.shape
    if y.shape == (n, k) and k > 1:
        raise ValueError(f"{who}: expected class labels y of shape ({n},), got {y.shape}. "
                         "For one-hot rows, pass y.argmax(axis=1).")
    if y.shape != (n,):
        raise ValueError(f"{who}: expected one class label for each example, y of shape ({n},), got {y.shape}.")
    if not np.issubdtype(y.dtype, np.integer):
        raise TypeError(f"{who}: expected y to hold integer class labels, got {_described(y, y)}.")
    if y.min() < 0 or y.max() >= k:
        raise ValueError(f"{who}: expected class labels from 0 to {k - 1}, got labels from {y.min()} to {y.max()}.")
    return logits, y


def forward_first(cache, who):
    """What `forward` kept for `backward`; a RuntimeError where there was no forward."""
    if cache is None:
        raise RuntimeError(f"{who}: backward needs what forward computed. Call forward first.")
    return cache


def whole(value, who, name, least=1):
    """`value` as an int of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{who}: expected {name} to be a whole number, got {value!r}.")
    if value < least:
        raise ValueError(f"{who}: expected {name} to be at least {least}, got {value}.")
    return int(value)


def number(value, who, name, above=None):
    """`value` as a finite float, greater than `above` where that is given."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{who}: expected {name} to be a number, got {value!r}.")
    if not np.isfinite(value) or (above is not None and value <= above):
        bound = "a finite number" if above is None else f"a finite number greater than {above}"
        raise ValueError(f"{who}: expected {name} to be {bound}, got {value}.")
    return float(value)


def generator(rng):
    """A numpy Generator: `rng` itself, or a new one from the seed `rng`."""
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(rng)


def _array(x, who, name):
    try:
        return np.asarray(x)
    except (TypeError, ValueError, RuntimeError) as problem:
        raise ValueError(f"{who}: expected {name} to be an array, or lists of equal length; got {type(x).__name__} "
                         f"that NumPy cannot read: {problem}") from None


def _described(x, array):
    if isinstance(x, np.ndarray):
        return f"an array of dtype {array.dtype}"
    return f"{type(x).__name__} {str(x)[:40]!r}" if array.ndim == 0 else f"a {type(x).__name__} that reads as {array.dtype}"
