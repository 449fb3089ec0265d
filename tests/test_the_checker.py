"""The checker is checked: right gradients must pass, each planted bug must be caught, and nothing may be left behind."""
import re

import numpy as np
import pytest

from bplib import (
    MSE,
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    check_gradients,
    numerical_gradient,
    taylor_slopes,
)
from bplib.gradcheck import GradientError, Report
from bplib.layers import Layer
from tests.bank import random_case

METHODS = {"central": 1e-9, "forward": 1e-6, "complex": 1e-14}


class WrongLinear(Linear):
    """A Linear whose backward is spoiled by `wrong(layer, delta, dx)`, which may change layer.grads and returns dx."""

    def __init__(self, wrong, n_in=4, n_out=3):
        super().__init__(n_in, n_out, rng=7)
        self.params["b"] += 0.3
        self.wrong = wrong

    def backward(self, dy):
        old = dict(self.grads)
        dx = super().backward(dy)
        return self.wrong(self, old, dy, dx)


def spoil(name, make):
    def wrong(layer, old, delta, dx):
        layer.grads[name] = make(layer, old, delta)
        return dx
    return wrong


def forget(name):
    def wrong(layer, old, delta, dx):
        layer.grads[name] = old[name]
        return dx
    return wrong


# name: (how it spoils backward, the array that is wrong, the diagnosis that must be given)
BUGS = {
    "weights: sign": (spoil("W", lambda own, old, d: -own._cache.T @ d), "W", "sign-flipped"),
    "weights: divided by n": (spoil("W", lambda own, old, d: own._cache.T @ d / len(d)), "W", "mean-instead-of-sum"),
    "weights: 0.1 % off": (spoil("W", lambda own, old, d: 1.001 * own._cache.T @ d), "W", "constant-factor"),
    "weights: one entry doubled": (spoil("W", lambda own, old, d: own._cache.T @ d * (1 + (np.indices((4, 3)).sum(0) == 0))),
                                   "W", None),
    "weights: upstream ignored": (spoil("W", lambda own, old, d: own._cache.T @ np.ones_like(d)), "W", "upstream-ignored"),
    "weights: transposed": (spoil("W", lambda own, old, d: d.T @ own._cache), "W", "transposed"),
    "weights: zero": (spoil("W", lambda own, old, d: np.zeros((4, 3))), "W", "all-zeros"),
    "weights: NaN": (spoil("W", lambda own, old, d: np.where(np.indices((4, 3))[0] == 2, np.nan, own._cache.T @ d)),
                     "W", "not-finite"),
    "weights: add up": (spoil("W", lambda own, old, d: np.nan_to_num(old["W"]) + own.tally(d)), "W", "accumulated"),
    "bias: mean": (spoil("b", lambda own, old, d: d.mean(axis=0)), "b", "bias-averaged"),
    "bias: last row": (spoil("b", lambda own, old, d: d[-1]), "b", "bias-one-row"),
    "bias: shape (1, k)": (spoil("b", lambda own, old, d: d.sum(axis=0, keepdims=True)), "b", "wrong-shape"),
    "bias: forgotten": (forget("b"), "b", "missing"),
    "input: ignored weights": (lambda own, old, d, dx: np.ones_like(dx), "x", None),
    "input: nothing": (lambda own, old, d, dx: None, "x", "missing"),
}


class Tallying(WrongLinear):
    """Adds every weight gradient to those before, in a place of its own."""

    total = 0.0

    def tally(self, delta):
        self.total = self.total + self._cache.T @ delta
        return self.total


@pytest.mark.parametrize("bug", BUGS)
def test_planted_bug_is_caught_in_its_place(bug, rng):
    wrong, name, diagnosis = BUGS[bug]
    layer = Tallying(wrong)
    report = check_gradients(layer, rng.standard_normal((5, 4)))
    assert not report.ok
    assert [key for key, finding in report.items() if finding.verdict == "mismatch"] == [name]
    found = report[name].diagnosis
    assert (found.name if found else None) == diagnosis
    with pytest.raises(GradientError, match=name):
        report.raise_if_wrong()


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.startswith("weights")])
def test_planted_bug_is_caught_inside_a_network(bug, rng):
    net = Sequential(Linear(6, 4), Tanh(), Tallying(BUGS[bug][0]))
    report = check_gradients(net, MSE(), rng.standard_normal((5, 6)), rng.standard_normal((5, 3)))
    assert report["2.W"].verdict == "mismatch"
    assert report["0.W"].verdict == "match"


class SlopeAtTheActivation(Sigmoid):
    def derivative(self, z, a):
        return super().derivative(z, self.f(a)) * 0 + self.f(a) * (1 - self.f(a))


class MissingSlope(Tanh):
    def derivative(self, z, a):
        return np.ones_like(z)


@pytest.mark.parametrize("wrong", [SlopeAtTheActivation, MissingSlope])
def test_wrong_activation_spoils_everything_before_it_and_nothing_behind(wrong, rng):
    net = Sequential(Linear(5, 4), wrong(), Linear(4, 3, rng=1))
    report = check_gradients(net, SoftmaxCrossEntropy(), rng.standard_normal((6, 5)), rng.integers(0, 3, 6))
    assert {name for name, finding in report.items() if finding.verdict == "mismatch"} == {"0.W", "0.b", "x"}


class SummedMSE(MSE):
    def gradient(self, y_hat, y):
        return super().gradient(y_hat, y) * y_hat.size


def test_loss_that_averages_and_whose_gradient_sums_is_named_by_its_factor(rng):
    net = Sequential(Linear(4, 3))
    report = check_gradients(net, SummedMSE(), rng.standard_normal((5, 4)), rng.standard_normal((5, 3)))
    for name in ("0.W", "0.b", "x"):
        assert report[name].diagnosis.name == "sum-instead-of-mean"
        assert report[name].diagnosis.factor == pytest.approx(15, rel=1e-4)


def test_no_false_alarm_on_random_correct_networks():
    rng = np.random.default_rng(2026)
    verdicts = []
    for _ in range(600):
        net, data = random_case(rng)
        report = check_gradients(net, *data, rng=rng)
        assert report.ok, f"{net}\n{report}"
        verdicts += [finding.verdict for finding in report.values()]
    assert verdicts.count("match") > 0.8 * len(verdicts), "most checks should show something"


def test_units_on_the_kink_of_relu_are_no_error(rng):
    net = Sequential(Linear(4, 6), ReLU(), Linear(6, 2, rng=1))
    x = rng.standard_normal((5, 4))
    net.params["0.b"][:] = -(x @ net.params["0.W"])[0]  # the first example now sits on the kink of every unit
    report = check_gradients(net, MSE(), x, rng.standard_normal((5, 2)))
    assert report.ok, str(report)
    assert "kink" in {finding.verdict for finding in report.values()}


def test_a_bug_on_the_kink_is_still_caught(rng):
    net = Sequential(WrongLinear(BUGS["bias: mean"][0], 4, 6), ReLU(), Linear(6, 2, rng=1))
    x = rng.standard_normal((5, 4))
    net.params["0.b"][:] = -(x @ net.params["0.W"])[0]
    assert check_gradients(net, MSE(), x, rng.standard_normal((5, 2)))["0.b"].verdict == "mismatch"


def test_dead_units_are_flat_not_matched(rng):
    net = Sequential(Linear(4, 3), ReLU(), Linear(3, 2, rng=1))
    net.params["0.b"][:] = -100
    report = check_gradients(net, MSE(), rng.standard_normal((5, 4)), rng.standard_normal((5, 2)))
    assert report["0.W"].verdict == "flat"
    assert "shows nothing" in report["0.W"].message
    assert report["2.b"].verdict == "match"


def test_the_model_is_left_as_it_was_even_after_an_exception(rng):
    net = Sequential(Linear(4, 3), Tanh(), Linear(3, 2, rng=1))
    x, y = rng.standard_normal((5, 4)), rng.standard_normal((5, 2))
    loss = MSE()
    loss.forward(net.forward(x), y)
    dx = net.backward(loss.backward())
    arrays = dict(net.params)
    params = {name: array.copy() for name, array in arrays.items()}
    grads = {name: grad.copy() for name, grad in net.grads.items()}
    check_gradients(net, MSE(), x[:3], y[:3])
    with pytest.raises(ValueError, match="expected y of y_hat's shape"):
        check_gradients(net, MSE(), x, y.T)
    for name, array in arrays.items():
        assert net.params[name] is array
        np.testing.assert_array_equal(array, params[name])
        np.testing.assert_array_equal(net.grads[name], grads[name])
    np.testing.assert_array_equal(net.backward(loss.backward()), dx)


def test_one_entry_of_a_large_array_is_found_and_located(rng):
    for index in ((0, 0), (783, 127), (300, 64)):
        def spoiled(own, old, delta, index=index):
            grad = own._cache.T @ delta
            grad[index] *= 1 + 1e-6
            return grad
        layer = WrongLinear(spoil("W", spoiled), 784, 128)
        finding = check_gradients(layer, rng.standard_normal((8, 784)))["W"]
        assert finding.verdict == "mismatch"
        assert finding.worst == index
        assert finding.error == pytest.approx(1e-6, rel=1e-2)
        assert np.count_nonzero(finding.map) == 1


def test_report_reads_as_a_table(rng):
    report = check_gradients(Linear(4, 3), rng.standard_normal((5, 4)))
    assert isinstance(report, Report)
    assert list(report) == ["W", "b", "x"]
    lines = str(report).splitlines()
    assert lines[0].split() == ["name", "shape", "verdict", "relative", "error"]
    assert lines[1].split() == ["W", "(4,", "3)", "match", f"{report['W'].error:.0e}"]


@pytest.mark.parametrize(("data", "error", "words"), [
    ((), TypeError, r"expected \(net, loss, x, y\), \(layer, x\)"),
    ((np.ones((2, 4)), 1), TypeError, "got Linear and 2 more"),
    ((np.full((2, 4), np.nan),), ValueError, "finite"),
    ((np.ones((2, 4), complex),), TypeError, "real numbers"),
    (("text",), TypeError, "real numbers"),
    ((np.ones((0, 4)),), ValueError, "at least one example"),
    ((np.ones((2, 5)),), ValueError, r"shape \(n, 4\)"),
])
def test_bad_data_is_refused_in_words(data, error, words):
    with pytest.raises(error, match=words):
        check_gradients(Linear(4, 3), *data)


def test_float32_parameters_are_checked_on_copies_in_float64(rng):
    layer = WrongLinear(BUGS["weights: 0.1 % off"][0])
    for name, param in layer.params.items():
        layer.params[name] = param.astype(np.float32)
    kept = dict(layer.params)
    report = check_gradients(layer, rng.standard_normal((5, 4)).astype(np.float32))
    assert report["W"].verdict == "mismatch"
    assert report["b"].verdict == "match"
    assert all(layer.params[name] is param for name, param in kept.items())


class Rough(Linear):
    """Rounds its output as float32 does."""

    def forward(self, x, training=False):
        return super().forward(x, training).astype(np.float32).astype(np.float64)


class Drowned(MSE):
    """A loss with a large number added, which rounds away what it should show."""

    def value(self, y_hat, y):
        return super().value(y_hat, y) + 1e12


@pytest.mark.parametrize(("last", "loss", "words"), [(Rough, MSE, "float32"), (Linear, Drowned, "Numbers of size 1e\\+12")])
def test_what_rounding_hides_is_called_precision(last, loss, words, rng):
    net = Sequential(Linear(4, 6), Tanh(), last(6, 3, rng=1))
    report = check_gradients(net, loss(), rng.standard_normal((5, 4)), rng.standard_normal((5, 3)))
    assert report.ok
    assert {finding.verdict for finding in report.values()} == {"precision"}
    assert re.search(words, report["0.W"].message)


class Drop(Layer):
    """Half of the units, drawn anew in every forward."""

    def __init__(self, rng):
        super().__init__()
        self.rng = rng

    def forward(self, x, training=False):
        self.mask = 2.0 * ((self.rng or np.random.default_rng()).random(x.shape) < 0.5)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


def test_dropout_is_checked_with_one_mask_and_its_generator_is_put_back(rng):
    net = Sequential(Linear(4, 6), Drop(np.random.default_rng(3)), Linear(6, 3, rng=1))
    before = net[1].rng.bit_generator.state
    report = check_gradients(net, MSE(), rng.standard_normal((5, 4)), rng.standard_normal((5, 3)))
    assert {finding.verdict for finding in report.values()} == {"match"}
    assert net[1].rng.bit_generator.state == before


def test_two_forwards_that_differ_are_nondeterministic(rng):
    net = Sequential(Linear(4, 6), Drop(None), Linear(6, 3, rng=1))
    report = check_gradients(net, MSE(), rng.standard_normal((5, 4)), rng.standard_normal((5, 3)))
    assert not report.ok
    assert {finding.verdict for finding in report.values()} == {"nondeterministic"}
    assert "fixed mask" in report["x"].message


class Stale(WrongLinear):
    """Keeps the first batch it ever saw."""

    def __init__(self):
        super().__init__(lambda own, old, d, dx: dx)
        self.first = None

    def forward(self, x, training=False):
        z = super().forward(x, training)
        self.first = x if self.first is None else self.first
        self._cache = self.first
        return z


class Overwriting(Tanh):
    """Changes what it was given."""

    def forward(self, x, training=False):
        x *= 0.5
        return super().forward(x, training)


def test_a_cache_of_an_earlier_batch_is_found(rng):
    finding = check_gradients(Stale(), rng.standard_normal((5, 4)))["W"]
    assert (finding.verdict, finding.diagnosis.name) == ("mismatch", "stale")


def test_a_changed_input_is_found_and_put_back(rng):
    x = rng.standard_normal((5, 4))
    before = x.copy()
    finding = check_gradients(Overwriting(), x)["x"]
    assert (finding.verdict, finding.diagnosis.name) == ("mismatch", "input-changed")
    np.testing.assert_array_equal(x, before)


# Layers that lie in exactly the place where the fast measurement makes a guess: their backward is that of the honest layer.


class LiesAboutOneWeight(Linear):
    def forward(self, x, training=False):
        W = self.params["W"]
        return super().forward(x, training) + np.outer(x[:, 0], (np.arange(W.shape[1]) == 1) * (W[0, 1] ** 2 - W[0, 1]))


class LiesInAWave(Linear):
    def forward(self, x, training=False):
        return super().forward(x, training) + 1e-6 * x @ np.sin(1e4 * self.params["W"])


class LiesAboutTheBias(Linear):
    def forward(self, x, training=False):
        return super().forward(x, training) + np.where(np.arange(self.n_out) == 2, self.params["b"] ** 2, 0)


class LiesAcrossRows(Linear):
    def forward(self, x, training=False):
        return super().forward(x, training) + 1e-3 * np.eye(1, self.n_out) * x[::-1, :1]


class LiesToANeighbour(Tanh):
    def forward(self, x, training=False):
        a = super().forward(x, training)
        a[2, 1] += 1e-4 * x[2, 2]
        return a


class LiesInSequence(Sequential):
    def forward(self, x, training=False):
        return 2 * super().forward(x, training)


@pytest.mark.parametrize(("make", "wrong"), [
    (lambda: Sequential(LiesAboutOneWeight(4, 3), Tanh()), "0.W"),
    (lambda: Sequential(LiesInAWave(4, 3), Tanh()), "0.W"),
    (lambda: Sequential(LiesAboutTheBias(4, 3), Tanh()), "0.b"),
    (lambda: Sequential(LiesAcrossRows(4, 3), Tanh()), "x"),
    (lambda: Sequential(Linear(4, 3), LiesToANeighbour()), "0.W"),
    (lambda: LiesInSequence(Linear(4, 3), Tanh()), "0.W"),
])
def test_the_fast_measurement_does_not_trust_what_it_measures(make, wrong, rng):
    net = make()
    net.params["0.b"][:] = 0.7
    report = check_gradients(net, MSE(), rng.standard_normal((5, 4)), rng.standard_normal((5, 3)))
    assert report[wrong].verdict == "mismatch"


class Squares(Layer):
    """z = x (W * W): straight in x, not in W."""

    def __init__(self, wrong=1.0):
        super().__init__()
        self.params["W"] = np.random.default_rng(5).standard_normal((4, 3))
        self.wrong = wrong

    def forward(self, x, training=False):
        self.x = x
        return x @ self.params["W"] ** 2

    def backward(self, dy):
        W = self.params["W"]
        self.grads = {"W": self.wrong * 2 * W * (self.x.T @ dy)}
        return dy @ (W**2).T


def test_a_layer_that_is_not_straight_in_its_parameters_is_measured_entry_by_entry(rng):
    x = rng.standard_normal((5, 4))
    assert {finding.verdict for finding in check_gradients(Squares(), x).values()} == {"match"}
    report = check_gradients(Squares(0.5), x)
    assert (report["W"].verdict, report["x"].verdict) == ("mismatch", "match")


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_the_upstream_gradient_is_not_the_learners_own_random_batch(seed):
    x = np.random.default_rng(seed).standard_normal((5, 4))
    layer = WrongLinear(spoil("W", lambda own, old, d: d.T @ own._cache), 4, 4)
    assert check_gradients(layer, x, rng=seed)["W"].verdict == "mismatch"


def test_a_loss_alone(rng):
    z, y = rng.standard_normal((5, 3)), rng.integers(0, 3, 5)
    assert check_gradients(SoftmaxCrossEntropy(), z, y)["y_hat"].verdict == "match"
    assert check_gradients(SummedMSE(), z, z + 1)["y_hat"].diagnosis.factor == pytest.approx(15, rel=1e-5)


def test_a_function_with_its_gradient(rng):
    x = rng.standard_normal((3, 2)) + 3
    assert check_gradients(lambda x: (x**3).sum(), x, lambda x: 3 * x**2)["x"].verdict == "match"
    assert check_gradients(lambda x: (x**3).sum(), x, 3 * x**2)["x"].verdict == "match"
    assert check_gradients(lambda x: (x**3).sum(), x, 2 * x**2)["x"].verdict == "mismatch"
    corner = np.array([0.0, 1.0, -2.0])
    assert check_gradients(lambda x: np.abs(x).sum(), corner, np.sign)["x"].verdict in ("match", "kink")
    assert check_gradients(lambda x: np.abs(x).sum(), corner, np.array([0.5, 1, -1]))["x"].verdict == "kink"
    assert check_gradients(lambda x: np.abs(x).sum(), corner, np.array([0.5, 1, 1]))["x"].verdict == "mismatch"


def test_a_claimed_gradient_of_nonsense_is_a_mismatch_and_no_crash(rng):
    x = rng.standard_normal((3, 2))
    for nonsense in (np.full((3, 2), np.nan), np.ones((2, 3)), None, 1.0):
        finding = check_gradients(lambda x: (x**2).sum(), x, lambda x, nonsense=nonsense: nonsense)["x"]
        assert finding.verdict == "mismatch"
        assert finding.diagnosis.name in ("not-finite", "wrong-shape", "missing")


class AddsUp(Linear):
    """Adds to what grads held before, as autograd does."""

    def backward(self, dy):
        old = self.grads
        dx = super().backward(dy)
        self.grads = {name: grad + old[name] for name, grad in self.grads.items()}
        return dx


def test_adding_to_old_gradients_is_named(rng):
    finding = check_gradients(AddsUp(4, 3), rng.standard_normal((5, 4)))["W"]
    assert (finding.verdict, finding.diagnosis.name) == ("mismatch", "accumulated")
    assert "put a new array there" in finding.message


def test_the_layer_to_blame_is_named_in_every_row_that_it_spoils(rng):
    net = Sequential(Linear(4, 6), MissingSlope(), Linear(6, 3, rng=1))
    report = check_gradients(net, MSE(), rng.standard_normal((5, 4)), rng.standard_normal((5, 3)))
    for name in ("0.W", "0.b", "x"):
        assert "spoiled by what layer 1, MissingSlope()," in report[name].message
    report = check_gradients(net, SummedMSE(), rng.standard_normal((5, 4)), rng.standard_normal((5, 3)))
    assert "spoiled by what the loss SummedMSE passes back" in report["2.W"].message


def test_a_value_that_is_not_finite_is_an_error_that_says_where_it_begins():
    net = Sequential(Linear(4, 3), Tanh(), Linear(3, 2, rng=1))
    net.params["2.W"][0, 0] = np.nan
    with pytest.raises(ValueError, match="Layer 2 is the first"):
        check_gradients(net, MSE(), np.ones((2, 4)), np.ones((2, 2)))


def test_a_report_shows_where_a_gradient_is_wrong(rng):
    row = WrongLinear(spoil("W", lambda own, old, d: (own._cache.T @ d) * (np.arange(4) != 2)[:, None]))
    report = check_gradients(row, rng.standard_normal((5, 4)))
    page = report._repr_html_()
    assert page.count("<img") == 1
    assert "Wrong row: 2, and nothing else." in page
    assert "&lt;" not in page
    column = WrongLinear(spoil("W", lambda own, old, d: (own._cache.T @ d) * (np.arange(3) != 1)))
    assert "Wrong column: 1, and nothing else." in check_gradients(column, rng.standard_normal((5, 4)))._repr_html_()
    assert "<img" not in check_gradients(Linear(4, 3), rng.standard_normal((5, 4)))._repr_html_()


@pytest.mark.parametrize("method", METHODS)
def test_numerical_gradient_of_a_known_function(method, rng):
    x = rng.standard_normal((3, 4))
    before = x.copy()
    measured = numerical_gradient(lambda v: (np.sin(v) * v).sum(), x, method)
    np.testing.assert_allclose(measured, np.cos(x) * x + np.sin(x), rtol=0, atol=METHODS[method] * 10)
    np.testing.assert_array_equal(x, before)


def test_numerical_gradient_is_not_fooled_by_integers_or_by_functions_that_change_their_argument():
    np.testing.assert_allclose(numerical_gradient(lambda v: (v**2).sum(), np.array([1, 2, 3])), [2, 4, 6], rtol=1e-9)

    def square_in_place(v):
        v *= v
        return v.sum()
    np.testing.assert_allclose(numerical_gradient(square_in_place, [1.0, 2.0]), [2, 4], rtol=1e-9)


def test_numerical_gradient_of_a_number_and_of_huge_and_tiny_ones():
    assert numerical_gradient(lambda v: v**3, 2.0).shape == ()
    np.testing.assert_allclose(numerical_gradient(lambda v: v**2, 1e8), 2e8, rtol=1e-6)
    np.testing.assert_allclose(numerical_gradient(lambda v: 3 * v, 1e-12), 3, rtol=1e-9)


def test_numerical_gradient_refuses_in_words():
    with pytest.raises(ValueError, match="one of central, forward, complex"):
        numerical_gradient(lambda v: v, 1.0, method="backward")
    with pytest.raises(ValueError, match="one number, got an array of shape"):
        numerical_gradient(lambda v: v, np.ones(3))
    with pytest.raises(TypeError, match="real numbers"):
        numerical_gradient(lambda v: v, "x")
    with pytest.raises(ValueError, match="greater than 0"):
        numerical_gradient(lambda v: v, 1.0, step=0)


def test_taylor_slopes_are_two_for_a_right_gradient_and_one_for_a_wrong_one(rng):
    x = rng.standard_normal(6)
    right = taylor_slopes(lambda v: np.exp(v).sum(), x, np.exp(x))
    wrong = taylor_slopes(lambda v: np.exp(v).sum(), x, 1.3 * np.exp(x))
    np.testing.assert_allclose(right, 2, atol=0.05)
    np.testing.assert_allclose(wrong, 1, atol=0.2)
    assert np.isnan(taylor_slopes(lambda v: 0.0, x, np.zeros(6))).all()
    with pytest.raises(ValueError, match="x's shape"):
        taylor_slopes(lambda v: v.sum(), x, np.ones(5))
