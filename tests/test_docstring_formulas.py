"""A formula in a docstring is executed by a test: its words must stand there, and its numbers must be right.

Each entry names the thing, quotes the formula as its docstring has it, and computes the same independently. A docstring
with a formula that no entry quotes is noticed, and so is a quotation that the docstring no longer has.
"""

import inspect
import math
import re

import numpy as np
import pytest

import bplib
from bplib import (
    ELU,
    GELU,
    MSE,
    SGD,
    BatchNorm,
    BinaryCrossEntropy,
    Dropout,
    Elementwise,
    LayerNorm,
    LeakyReLU,
    Linear,
    Loss,
    Momentum,
    ReLU,
    Residual,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
    init,
    trace,
)
from bplib.gradcheck import numerical_gradient, taylor_slopes
from bplib.normalization import Normalization
from bplib.trace import LayerRecord, Trace
from tests.exported import batch, like

Z, DZ = 2 * batch(4, features=3), batch(4, features=3, seed=1)
X = batch(4)
ROWS, COLUMNS = range(4), range(3)


def through(layer, z=Z, dy=DZ):
    return layer.forward(z), layer.backward(dy)


def agree(got, expected, rtol=1e-12):
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape
    assert np.allclose(got, expected, rtol=rtol, atol=1e-15)


def each(f, *arrays):
    """f entry by entry, with Python's own floats: independent of how NumPy is used in bplib."""
    return np.vectorize(lambda *values: f(*map(float, values)), otypes=[float])(*arrays)


def linear():
    layer = Linear(5, 3, rng=1)
    layer.params["b"][...] = [1, -2, 3]
    return layer, layer.params["W"], layer.params["b"], *through(layer, X, DZ)


def linear_forward():
    _, W, b, z, _ = linear()
    agree(z, [[sum(X[i, k] * W[k, j] for k in range(5)) + b[j] for j in COLUMNS] for i in ROWS])


def linear_weights():
    layer, *_ = linear()
    agree(layer.grads["W"], [[sum(X[i, k] * DZ[i, j] for i in ROWS) for j in COLUMNS] for k in range(5)])


def linear_bias():
    layer, *_ = linear()
    agree(layer.grads["b"], DZ[0] + DZ[1] + DZ[2] + DZ[3])


def linear_input():
    _, W, _, _, dx = linear()
    agree(dx, [[sum(DZ[i, j] * W[k, j] for j in COLUMNS) for k in range(5)] for i in ROWS])


def elementwise():
    tanh = Tanh()
    a, delta = through(tanh)
    agree(a, each(np.tanh, Z))
    agree(delta, each(lambda z, da: da / np.cosh(z) ** 2, Z, DZ))


def sigmoid_value():
    agree(Sigmoid().forward(Z), each(lambda z: 1 / (1 + np.e ** (-z)), Z))


def sigmoid_slope():
    # from the definition: d/dz 1 / (1 + e^-z) = e^-z / (1 + e^-z)^2
    agree(through(Sigmoid())[1], each(lambda z, da: da * np.e**-z / (1 + np.e**-z) ** 2, Z, DZ))
    assert Sigmoid().derivative(np.zeros(1), np.full(1, 0.5)) == 1 / 4 == Sigmoid.steepest


def tanh_value():
    agree(Tanh().forward(Z), each(lambda z: (np.e**z - np.e**-z) / (np.e**z + np.e**-z), Z))


def tanh_slope():
    agree(through(Tanh())[1], each(lambda z, da: da * 4 / (np.e**z + np.e**-z) ** 2, Z, DZ), rtol=1e-11)


CORNERED = np.concatenate([Z[:, :2], np.zeros((4, 1))], axis=1)


def relu_value():
    agree(ReLU().forward(CORNERED), each(lambda z: max(0.0, z), CORNERED))


def relu_slope():
    agree(through(ReLU(), CORNERED)[1], each(lambda z, da: da if z > 0 else 0.0, CORNERED, DZ))


def leaky_value():
    agree(LeakyReLU(0.3).forward(CORNERED), each(lambda z: z if z > 0 else 0.3 * z, CORNERED))


def leaky_slope():
    agree(through(LeakyReLU(0.3), CORNERED)[1], each(lambda z, da: da if z > 0 else 0.3 * da, CORNERED, DZ))


def central(f, z, h=1e-5):
    return (f(z + h) - f(z - h)) / (2 * h)


def elu(z):
    return z if z > 0 else 1.7 * (math.e**z - 1)


def gelu(z):
    return z * (1 + math.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))) / 2


def elementwise_value(layer, f):
    agree(layer.forward(Z), each(f, Z))


def elu_slope():
    agree(through(ELU(1.7))[1], each(lambda z, da: da * central(elu, z), Z, DZ), rtol=1e-8)


def gelu_slope():
    agree(through(GELU())[1], each(lambda z, da: da * central(gelu, z), Z, DZ), rtol=1e-8)


def gelu_meaning():
    normal = each(lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2, Z)
    assert 1e-6 < np.abs(GELU().forward(Z) - normal).max() < 1e-3


def residual():
    """A residual's output and dx, and those of the layers alone."""
    layers = Linear(3, 4, rng=1), Tanh(), Linear(4, 3, rng=2)
    return *through(Residual(*layers)), *through(bplib.Sequential(*layers))


def normed(layer):
    """The output of a normalisation with gamma and beta of its own, and the same from x_hat."""
    layer.params["gamma"][...], layer.params["beta"][...] = [2, -1, 0.5], [1, 0, 3]
    rows = [[float(v) for v in row] for row in Z]
    hats = [[(v - sum(row) / 3) / math.sqrt(sum((u - sum(row) / 3) ** 2 for u in row) / 3 + 1e-5) for v in row] for row in rows]
    return layer.forward(Z), np.array(hats), np.array([2, -1, 0.5]) * hats + np.array([1, 0, 3])


def layer_norm_value():
    agree(LayerNorm(3).forward(Z), normed(LayerNorm(3))[1])


def batch_norm_value():
    columns = [[float(v) for v in Z[:, j]] for j in COLUMNS]
    hats = [[(v - sum(c) / 4) / math.sqrt(sum((u - sum(c) / 4) ** 2 for u in c) / 4 + 1e-5) for v in c] for c in columns]
    agree(BatchNorm(3).forward(Z, training=True), np.array(hats).T)


def normalized_input():
    layer = BatchNorm(3)
    layer.forward(Z, training=True)
    dx = layer.backward(DZ)
    for index in np.ndindex(Z.shape):
        def value(entry, index=index):
            moved = Z.copy()
            moved[index] = entry
            return np.sum(DZ * layer.forward(moved, training=True))

        assert abs(dx[index] - central(value, Z[index])) < 1e-8


def running():
    layer, other = BatchNorm(3, momentum=0.25), batch(4, features=3, seed=9)
    layer.forward(Z, training=True)
    layer.forward(other, training=True)
    for j in COLUMNS:
        mean, var = 0.0, 1.0
        for column in (Z[:, j], other[:, j]):
            middle = sum(column) / 4
            mean = 0.75 * mean + 0.25 * middle
            var = 0.75 * var + 0.25 * sum((v - middle) ** 2 for v in column) / 3
        assert layer.buffers["mean"][j] == pytest.approx(mean, rel=1e-12)
        assert layer.buffers["var"][j] == pytest.approx(var, rel=1e-12)


def dropped():
    layer = Dropout(0.25, rng=1)
    y = layer.forward(np.ones((4000, 3)), training=True)
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert abs(np.mean(y == 0) - 0.25) < 0.02
    agree(layer.backward(np.full((4000, 3), 2.0)), 2 * y)
    agree(layer.forward(Z), Z)


def softmax_value():
    agree(Softmax().forward(Z), probabilities())


def softmax_jacobian():
    # Column j of the Jacobian, by the complex step, is p_i (1[i = j] - p_j).
    p = Softmax().f(Z)
    for j in COLUMNS:
        moved = Z.astype(complex)
        moved[:, j] += 1e-200j
        agree(Softmax().f(moved).imag / 1e-200, [[p[n, i] * ((i == j) - p[n, j]) for i in COLUMNS] for n in ROWS])


def softmax_delta():
    p, delta = through(Softmax())
    s = [sum(DZ[n, j] * p[n, j] for j in COLUMNS) for n in ROWS]
    agree(delta, [[p[n, i] * (DZ[n, i] - s[n]) for i in COLUMNS] for n in ROWS])


Y = batch(4, features=3, seed=2)
YES = (Y > 0).astype(float)
CLASSES = np.array([0, 2, 1, 1])


def both(loss, y):
    return loss.forward(Z, y), loss.backward()


def mse_value():
    agree(both(MSE(), Y)[0], sum((Z[i, j] - Y[i, j]) ** 2 for i in ROWS for j in COLUMNS) / 12)


def mse_gradient():
    agree(both(MSE(), Y)[1], 2 / 12 * (Z - Y))


def mse_half():
    value, gradient = both(MSE(half=True), Y)
    agree(value, sum((Z[i, j] - Y[i, j]) ** 2 for i in ROWS for j in COLUMNS) / 24)
    agree(gradient, (Z - Y) / 12)


def p_of(z):
    return 1 / (1 + np.e**-z)


def binary_value():
    terms = each(lambda z, y: y * np.log(p_of(z)) + (1 - y) * np.log(1 - p_of(z)), Z, YES)
    agree(both(BinaryCrossEntropy(), YES)[0], -terms.sum() / 4)


def binary_stable():
    agree(both(BinaryCrossEntropy(), YES)[0], each(lambda z, y: np.log(1 + np.e**z) - y * z, Z, YES).sum() / 4)
    assert np.isfinite(BinaryCrossEntropy().forward([1e4, -1e4, 1e6], [0.0, 1.0, 1.0]))


def binary_gradient():
    agree(both(BinaryCrossEntropy(), YES)[1], each(lambda z, y: (p_of(z) - y) / 4, Z, YES))


def probabilities():
    return np.array([[np.e ** Z[n, i] / sum(np.e ** Z[n, j] for j in COLUMNS) for i in COLUMNS] for n in ROWS])


def softmax_loss():
    agree(both(SoftmaxCrossEntropy(), CLASSES)[0], -sum(np.log(probabilities()[n, CLASSES[n]]) for n in ROWS) / 4)


def softmax_loss_stable():
    terms = [np.log(sum(np.e ** Z[n, j] for j in COLUMNS)) - Z[n, CLASSES[n]] for n in ROWS]
    agree(both(SoftmaxCrossEntropy(), CLASSES)[0], sum(terms) / 4)


def softmax_loss_gradient():
    one_hot = [[float(CLASSES[n] == j) for j in COLUMNS] for n in ROWS]
    agree(both(SoftmaxCrossEntropy(), CLASSES)[1], (probabilities() - one_hot) / 4)


def spread(rule, n_in=120, n_out=300):
    return np.sqrt(np.mean(init.weights(rule, n_in, n_out, rng=0) ** 2))


def near(got, expected):
    assert abs(got / expected - 1) < 0.02


def orthogonal():
    for shape, product in (((5, 3), lambda W: W.T @ W), ((3, 5), lambda W: W @ W.T)):
        agree(product(init.weights("orthogonal", *shape, rng=0)), np.eye(3))


def sgd():
    net = Linear(5, 3, rng=1)
    net.backward(like(net.forward(X)))
    expected = net.params["W"] - 0.25 * net.grads["W"]
    SGD(net, 0.25).step()
    agree(net.params["W"], expected)


def recorded():
    net = bplib.Sequential(Linear(5, 3, rng=1), Sigmoid())
    return net, trace(net, MSE(), X, Y)


def momentum():
    net, lr, mu = Linear(5, 3, rng=1), 0.25, 0.5
    before, v = net.params["W"].copy(), np.zeros((5, 3))
    optimiser = Momentum(net, lr, mu)
    for seed in range(3):
        net.grads = {"W": batch(5, features=3, seed=seed), "b": np.zeros(3)}
        optimiser.step()
        v = mu * v + net.grads["W"]
        before = before - lr * v
    agree(net.params["W"], before)


def moved(momentum, steps):
    """How far the last of several steps moves a weight, along one and the same gradient."""
    net = Linear(1, 1)
    optimiser = Momentum(net, 0.1, momentum)
    net.grads = {"W": np.ones((1, 1)), "b": np.zeros(1)}
    for _ in range(steps):
        before = net.params["W"].copy()
        optimiser.step()
    return net.params["W"] - before


def trace_norms():
    net, record = recorded()
    agree(record.gradient_norms()["0.W"], sum(g**2 for g in net.grads["0.W"].ravel()) ** 0.5)


def trace_delta():
    # delta = dL/dz: moving one entry of z moves the loss by delta times as much.
    _, record = recorded()
    for index in np.ndindex(record[0].z.shape):
        moved = record[0].z.astype(complex)
        moved[index] += 1e-200j
        value = MSE().value(Sigmoid().f(moved), Y)
        agree(record[0].delta[index], value.imag / 1e-200)


def trace_slope():
    _, record = recorded()
    agree(record[0].slope, each(lambda z: p_of(z) * (1 - p_of(z)) / 0.25, record[0].z))


def quotient(method):
    # At a coarse step every formula has its own error, so none can stand in for another.
    h = 0.1
    formula = {
        "central": lambda x: (np.e ** (x + h) - np.e ** (x - h)) / (2 * h),
        "forward": lambda x: (np.e ** (x + h) - np.e**x) / h,
        "complex": lambda x: (np.e ** (x + 1j * h)).imag / h,
    }[method]
    points = np.array([-0.9, -0.3, 0.2, 0.7])
    agree(numerical_gradient(lambda x: np.exp(x).sum(), points, method, step=h), [formula(x) for x in points], rtol=1e-9)


def relative_step():
    seen = []
    numerical_gradient(lambda x: seen.append(float(x[0])) or 0.0, [-50.0], step=0.01)
    agree(sorted(seen), [-50.5, -49.5])


def slopes_of_two_and_one():
    x, gradient = np.array([0.3, -0.2]), np.exp(np.array([0.3, -0.2]))
    right, wrong = (taylor_slopes(lambda x: np.exp(x).sum(), x, factor * gradient) for factor in (1.0, 1.5))
    assert np.allclose(right, 2, atol=0.05)
    assert np.allclose(wrong, 1, atol=0.05)


FORMULAS = [
    (Linear, "z = x W + b", linear_forward),
    (Linear, "dW = x^T delta", linear_weights),
    (Linear, "db = sum of delta's rows", linear_bias),
    (Linear, "dx = delta W^T", linear_input),
    (Elementwise, "a = f(z), the same function for every entry; going back, delta = da * f'(z)", elementwise),
    (Sigmoid, "f(z) = 1 / (1 + e^(-z))", sigmoid_value),
    (Sigmoid, "f'(z) = a (1 - a), at most 1/4", sigmoid_slope),
    (Tanh, "f(z) = tanh(z)", tanh_value),
    (Tanh, "f'(z) = 1 - a^2", tanh_slope),
    (ReLU, "f(z) = max(0, z)", relu_value),
    (ReLU, "f'(z) = 1 where z > 0, else 0", relu_slope),
    (LeakyReLU, "f(z) = z where z > 0, else slope * z", leaky_value),
    (LeakyReLU, "f'(z) = 1 where z > 0, else slope", leaky_slope),
    (ELU, "f(z) = z where z > 0, else scale (e^z - 1)", lambda: elementwise_value(ELU(1.7), elu)),
    (ELU, "f'(z) = 1 where z > 0, else a + scale", elu_slope),
    (GELU, "f(z) = z (1 + t) / 2", lambda: elementwise_value(GELU(), gelu)),
    (GELU, "with t = tanh(c (z + 0.044715 z^3)), c = sqrt(2 / pi)", lambda: elementwise_value(GELU(), gelu)),
    (GELU, "f'(z) = (1 + t) / 2 + z (1 - t^2) c (1 + 3 * 0.044715 z^2) / 2", gelu_slope),
    (GELU, "close to z times the probability that a standard normal number is below z", gelu_meaning),
    (Residual, "y = x + f(x)", lambda: agree(residual()[0], Z + residual()[2])),
    (Residual, "dx = dy + f's own dx", lambda: agree(residual()[1], DZ + residual()[3])),
    (bplib.normalization, "dx = (d - mean(d) - x_hat * mean(d * x_hat)) / s", normalized_input),
    (Normalization, "y = gamma * x_hat + beta", lambda: agree(normed(LayerNorm(3))[0], normed(LayerNorm(3))[2])),
    (BatchNorm, "x_hat = (x - mean) / sqrt(var + floor), mean and var of this batch, for each feature", batch_norm_value),
    (BatchNorm, "running <- (1 - momentum) * running + momentum * (this batch's)", running),
    (LayerNorm, "x_hat = (x - mean) / sqrt(var + floor), mean and var of each row", layer_norm_value),
    (Dropout, "y = x * mask, mask 0 or 1 / (1 - p); dx = dy * mask, the same mask", dropped),
    (init.uniform, "a spread of 1 / sqrt(3 n_in)", lambda: near(spread("uniform"), (1 / 360) ** 0.5)),
    (Softmax, "p_i = e^(z_i) / sum_j e^(z_j)", softmax_value),
    (Softmax, "dp_i/dz_j = p_i (1[i = j] - p_j)", softmax_jacobian),
    (Softmax, "delta = p * (dp - s) with s = sum_j dp_j p_j", softmax_delta),
    (MSE, "L = (1/N) sum (y_hat - y)^2", mse_value),
    (MSE, "dL/dy_hat = (2/N) (y_hat - y)", mse_gradient),
    (MSE, "dL/dy_hat = (1/N) (y_hat - y)", mse_half),
    (BinaryCrossEntropy, "L = -(1/n) sum (y log p + (1 - y) log(1 - p))", binary_value),
    (BinaryCrossEntropy, "= (1/n) sum (log(1 + e^z) - y z)", binary_stable),
    (BinaryCrossEntropy, "dL/dz = (p - y) / n", binary_gradient),
    (SoftmaxCrossEntropy, "L = -(1/n) sum log p_c", softmax_loss),
    (SoftmaxCrossEntropy, "= (1/n) sum (log sum_j e^(z_j) - z_c)", softmax_loss_stable),
    (SoftmaxCrossEntropy, "dL/dz = (p - one_hot(y)) / n", softmax_loss_gradient),
    (init.normal, "spread 1 whatever the width", lambda: near(spread("normal"), 1)),
    (init.xavier, "Spread sqrt(2 / (n_in + n_out))", lambda: near(spread("xavier"), (2 / 420) ** 0.5)),
    (init.he, "Spread sqrt(2 / n_in)", lambda: near(spread("he"), (2 / 120) ** 0.5)),
    (init.zeros, "All zero", lambda: agree(init.weights("zeros", 2, 3, 0), [[0] * 3] * 2)),
    (init.orthogonal, "Columns (or rows, where there are fewer) of length 1 at right angles", orthogonal),
    (SGD, "param <- param - lr * grad", sgd),
    (Momentum, "v <- momentum * v + grad, param <- param - lr * v", momentum),
    (Momentum, "add up, to 1 / (1 - momentum) times one of them", lambda: agree(moved(0.75, 100), moved(0.0, 1) * 4)),
    (Trace.gradient_norms, "sqrt of the sum of its squares", trace_norms),
    (LayerRecord, "delta : dL/dz", trace_delta),
    (LayerRecord, "slope : f'(z) / steepest", trace_slope),
    (numerical_gradient, "central (f(x + h) - f(x - h)) / 2h", lambda: quotient("central")),
    (numerical_gradient, "forward (f(x + h) - f(x)) / h", lambda: quotient("forward")),
    (numerical_gradient, "complex Im f(x + ih) / h", lambda: quotient("complex")),
    (numerical_gradient, "h = step * max(1, |x|)", relative_step),
    (taylor_slopes, "2 = the gradient is right, 1 = it is wrong", slopes_of_two_and_one),
]
# Definitions of letters and shapes, and what Loss and Elementwise leave to their children: nothing to compute.
WORDS_ONLY = [
    (Linear, "With delta = dL/dz coming back"),
    (ReLU, "At the corner z = 0"),
    (Loss, "L = value(y_hat, y)"),
    (Loss, "dL/dy_hat = gradient(y_hat, y)"),
]
FORMULA = re.compile(r"\b(?:L|z|a|dW|db|dx|delta|p_i|f\(z\)|f'\(z\)|dL/d\w+|dp_i/dz_j) = ")


def squeezed(text):
    return " ".join(text.split())


def quoted(thing, formula):
    # Whole, so that "3 z" is not found in "3 z^2", nor "else 0" in "else 0.5".
    return re.search(re.escape(squeezed(formula)) + r"(?![\w^*/]|\.\d)", squeezed(inspect.getdoc(thing))) is not None


def unquoted(thing):
    """The formulas of a docstring that no entry quotes, by their left sides."""
    text = squeezed(inspect.getdoc(thing) or "")
    for other, formula in [(other, formula) for other, formula, _ in FORMULAS] + WORDS_ONLY:
        if other is thing:
            text = text.replace(squeezed(formula), "")
    return FORMULA.findall(text)


@pytest.mark.parametrize(("thing", "formula", "compute"), FORMULAS, ids=[f"{t.__name__}: {f}" for t, f, _ in FORMULAS])
def test_formula(thing, formula, compute):
    assert quoted(thing, formula), f"the docstring of {thing.__name__} does not say {formula!r}"
    compute()


def documented():
    """Every class of the modules with mathematics, and every rule."""
    modules = (bplib.layers, bplib.activations, bplib.normalization, bplib.losses, bplib.optim)
    own = {thing for module in modules for thing in vars(module).values()
           if inspect.isclass(thing) and thing.__module__ == module.__name__}
    return sorted(own | set(init.RULES.values()), key=lambda thing: thing.__name__)


@pytest.mark.parametrize("thing", documented(), ids=lambda thing: thing.__name__)
def test_no_formula_goes_without_a_test(thing):
    assert unquoted(thing) == []


def test_a_changed_or_new_formula_is_noticed():
    class Cube:
        """f(z) = z^3; f'(z) = 3 z^2."""

    assert unquoted(Cube) == ["f(z) = ", "f'(z) = "]
    assert quoted(Cube, "f'(z) =  3\n z^2")
    assert not quoted(Cube, "f'(z) = 3 z")
    for wrong in (each(lambda z: z**2, Z), Z.T):
        with pytest.raises(AssertionError):
            agree(wrong, Z**3)
    with pytest.raises(AssertionError):
        near(spread("he"), (1 / 120) ** 0.5)
