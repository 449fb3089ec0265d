"""The complex step: a derivative without subtraction, exact to rounding: f'(x) v = Im f(x + i h v) / h for analytic f.

It is valid for every formula in bplib away from kinks: exp, tanh and log1p are analytic, max and where go by the real
part. It would be silently 0 through abs or norm. Public layers refuse complex numbers, so a test lets them in.
Source: Squire and Trapp 1998, "Using complex variables to estimate derivatives of real functions".
"""

import numpy as np
import pytest

from bplib import _require

STEP = 1e-200


@pytest.fixture
def complex_allowed(monkeypatch):
    """Lets complex arrays pass the dtype rule of layers and losses."""
    monkeypatch.setattr(_require, "FLOATS", (*_require.FLOATS, np.complex128))


def gradient(f, x):
    """df/dx of a number f(x), entry by entry."""
    x = np.asarray(x)
    slopes = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[index] += 1j * STEP
        slopes[index] = np.imag(f(moved)) / STEP
    return slopes
