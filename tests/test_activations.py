"""Activations: known values, corners, symmetry, and the yardstick `steepest`."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from bplib import GELU, Elementwise, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from tests.exported import exported

REALS = st.floats(-700, 700)
NAMES = exported(Elementwise)


@pytest.mark.parametrize(
    ("activation", "z", "a", "slope"),
    [
        (Sigmoid(), 0.0, 0.5, 0.25),
        (Sigmoid(), np.log(3), 0.75, 0.1875),
        (Sigmoid(), -np.log(3), 0.25, 0.1875),
        (Sigmoid(), 1e4, 1.0, 0.0),
        (Sigmoid(), -1e4, 0.0, 0.0),
        (Tanh(), 0.0, 0.0, 1.0),
        (Tanh(), np.log(2), 0.6, 0.64),
        (ReLU(), 2.0, 2.0, 1.0),
        (ReLU(), -2.0, 0.0, 0.0),
        (ReLU(), 0.0, 0.0, 0.0),
        (ReLU(), -0.0, 0.0, 0.0),
        (ReLU(), 5e-324, 5e-324, 1.0),
        (LeakyReLU(), -2.0, -0.02, 0.01),
        (LeakyReLU(0.5), -2.0, -1.0, 0.5),
        (LeakyReLU(0.5), 0.0, 0.0, 0.5),
        (LeakyReLU(), 3.0, 3.0, 1.0),
    ],
)
def test_known_values(activation, z, a, slope):
    z = np.array([[z]])
    assert activation.forward(z).item() == pytest.approx(a, rel=1e-15, abs=0)
    assert activation.backward(np.ones((1, 1))).item() == pytest.approx(slope, rel=1e-15, abs=0)
    assert activation.derivative(z, activation.f(z)).item() == pytest.approx(slope, rel=1e-15, abs=0)


@pytest.mark.parametrize("cls", NAMES.values(), ids=NAMES.keys())
def test_steepest_is_the_largest_slope(cls):
    activation = cls()
    z = np.linspace(-20, 20, 40_001)
    for width in (1e-3, 1e-6):  # once more around the steepest place that was found
        slopes = np.abs(activation.derivative(z, activation.f(z)))
        z = z[slopes.argmax()] + np.linspace(-width, width, 2001)
    largest = slopes.max()
    assert largest == pytest.approx(activation.steepest, rel=1e-12)


@pytest.mark.parametrize("slope", [-3.0, -0.5, 0.0, 0.3, 2.0])
def test_leaky_relu_knows_its_steepest_side(slope):
    activation = LeakyReLU(slope)
    z = np.array([-1.0, 1.0])
    assert np.abs(activation.derivative(z, activation.f(z))).max() == activation.steepest
    assert repr(activation) == f"LeakyReLU({slope})"


@pytest.mark.parametrize("slope", [None, "0.1", True, 1j])
def test_leaky_relu_refuses_a_slope_that_is_no_number(slope):
    with pytest.raises(TypeError, match="LeakyReLU: expected slope to be a number, got"):
        LeakyReLU(slope)


def test_leaky_relu_refuses_an_infinite_slope():
    with pytest.raises(ValueError, match="LeakyReLU: expected slope to be a finite number, got inf"):
        LeakyReLU(np.inf)


@given(z=REALS)
def test_sigmoid_is_accurate_on_both_sides(z):
    # a and 1 - a from one formula each, neither of which can overflow.
    z = np.array([z])
    a, mirrored = Sigmoid().f(z), Sigmoid().f(-z)
    assert a + mirrored == pytest.approx(1, rel=1e-15)
    assert np.log(a) == pytest.approx(-np.logaddexp(0, -z), rel=1e-12, abs=1e-15)
    assert np.log(mirrored) == pytest.approx(-np.logaddexp(0, z), rel=1e-12, abs=1e-15)


@given(z=st.floats(-300, 300))
def test_tanh_is_a_stretched_sigmoid(z):
    z = np.array([z])
    assert Tanh().f(z) == pytest.approx(2 * Sigmoid().f(2 * z) - 1, rel=1e-12, abs=1e-15)


@given(z=REALS, other=REALS)
@pytest.mark.parametrize("cls", [cls for name, cls in NAMES.items() if name != "GELU"])
def test_activations_never_fall(cls, z, other):
    low, high = cls().f(np.sort([z, other]))
    assert low <= high


def test_gelu_falls_once_and_then_rises():
    a = GELU().f(np.linspace(-8, 8, 1601))
    lowest = a.argmin()
    assert np.all(np.diff(a[: lowest + 1]) <= 1e-15)
    assert np.all(np.diff(a[lowest:]) >= 0)
    assert a[lowest] == pytest.approx(-0.17, abs=0.005)


def test_activations_work_on_any_shape():
    z = np.linspace(-2, 2, 24).reshape(2, 3, 4)
    for cls in NAMES.values():
        activation = cls()
        a = activation.forward(z)
        assert a.shape == z.shape
        assert np.array_equal(a.ravel(), cls().forward(z.ravel()))
        assert activation.backward(np.ones_like(z)).shape == z.shape


def test_softmax_works_along_the_last_axis():
    z = np.linspace(-2, 2, 24).reshape(2, 3, 4)
    p = Softmax().forward(z)
    assert np.allclose(p[1], Softmax().forward(z[1]), rtol=1e-15, atol=0)
    stacked, single = Softmax(), Softmax()
    stacked.forward(z)
    single.forward(z[1])
    assert np.allclose(stacked.backward(z**2)[1], single.backward(z[1] ** 2), rtol=1e-12, atol=1e-16)
    assert Softmax().forward(np.array([[np.log(1), np.log(2), np.log(5)]])) == pytest.approx(np.array([[1, 2, 5]]) / 8)


def test_a_new_activation_is_two_functions():
    class Square(Elementwise):
        def f(self, z):
            return z**2

        def derivative(self, z, a):
            return 2 * z

    square = Square()
    assert np.array_equal(square.forward(np.array([[3.0, -2.0]])), [[9.0, 4.0]])
    assert np.array_equal(square.backward(np.array([[10.0, 1.0]])), [[60.0, -4.0]])


def test_elementwise_itself_has_no_formula():
    for call in (lambda: Elementwise().f(np.ones(2)), lambda: Elementwise().derivative(np.ones(2), np.ones(2))):
        with pytest.raises(NotImplementedError):
            call()
