"""What kind of wrong is this? Compares a wrong array with the right one and names a relation that explains it whole.

A name is given only when it accounts for the entire difference, to rounding. When nothing fits, the answer is None.
"""
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Diagnosis:
    """The kind of mistake: a `name` for programs, a `message` for people, and the `factor` that proves it, where one does."""

    name: str
    message: str
    factor: float | None = None


def diagnose(got, expected, rtol=1e-6, suspects=(), sizes=None):
    """Name the relation between a wrong array and the right one, or return None.

    Parameters
    ----------
    got, expected : arrays of real numbers. rtol : how exactly the relation must hold, relative to the largest entry.

    Returns
    -------
    Diagnosis or None : not-finite, all-zeros, sign-flipped, constant-factor, transposed, or nothing that fits.
    """
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    if got.size and not np.isfinite(got).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(got))[0])
        return Diagnosis("not-finite", f"It holds {got[where]} at {list(where)}." if where else f"It is {got[()]}.")
    if got.shape != expected.shape:
        if got.ndim == 2 and got.T.shape == expected.shape and _close(got.T, expected, rtol):
            return Diagnosis("transposed", "It is the transpose of the right one.")
        return None
    for name, message, array in suspects:
        if array.shape == got.shape and _close(got, array, rtol) and not _close(array, expected, rtol):
            return Diagnosis(name, message)
    if not expected.any():
        return None
    if not got.any():
        return Diagnosis("all-zeros", "It is zero everywhere.")
    # Scaled to 1 first: the squares of very large or very small numbers leave the range of floats.
    large, right = float(np.abs(got).max()), float(np.abs(expected).max())
    g, e = got / large, expected / right
    ratio = float(np.vdot(e, g) / np.vdot(e, e))
    if _close(g, ratio * e, rtol):
        factor = ratio * (large / right)
        if np.isclose(factor, -1, rtol=rtol):
            return Diagnosis("sign-flipped", "It is the right one with the sign flipped.", -1.0)
        return Diagnosis("constant-factor", f"It is the right one times {factor:.4g}.", factor)
    if got.ndim == 2 and got.shape[0] == got.shape[1] and _close(got.T, expected, rtol):
        return Diagnosis("transposed", "It is the transpose of the right one.")
    return None


def _close(got, expected, rtol):
    return bool(np.max(np.abs(got - expected), initial=0) <= rtol * np.max(np.abs(expected), initial=0))


def suspects(layer, name, x, y, dy, expected, others=()):
    """What well-known mistakes in one layer would give for its array `name`: tuples (name, message, array)."""
    if name == "b" and dy.ndim == 2:
        words = "It is the mean over the batch; the bias is used by each example, so its gradients add up."
        yield "bias-averaged", words, dy.mean(axis=0)
        yield from (("bias-one-row", f"It is row {row} of the batch alone; all rows add up.", dy[row]) for row in range(len(dy)))
