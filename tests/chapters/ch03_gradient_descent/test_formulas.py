"""The formulas of chapter 03, by measurement and by plain loops."""

from itertools import pairwise

import numpy as np
import pytest

from bplib import MSE, SGD, Linear, numerical_gradient

RNG = np.random.default_rng(0)
X, Y = RNG.uniform(-1, 3, 7), RNG.normal(0, 2, 7)
PLACES = RNG.normal(0, 2, (5, 2))


def loss(place, rows=slice(None)):
    w, b = place
    return np.mean((w * X[rows] + b - Y[rows]) ** 2)


def test_line_loss():
    r"""L(w, b) = \frac{1}{n} \sum_i (w x_i + b - y_i)^2"""
    for w, b in PLACES:
        line = Linear(1, 1)
        line.params["W"][...], line.params["b"][...] = w, b
        total = sum((w * x + b - y) ** 2 for x, y in zip(X.tolist(), Y.tolist()))
        assert MSE().forward(line.forward(X[:, np.newaxis]), Y[:, np.newaxis]) == pytest.approx(total / 7, rel=1e-12)


def test_line_gradient():
    r"""\frac{\partial L}{\partial w} = \frac{2}{n} \sum_i (w x_i + b - y_i)\, x_i,
    \qquad \frac{\partial L}{\partial b} = \frac{2}{n} \sum_i (w x_i + b - y_i)"""
    for w, b in PLACES:
        dw = 2 / 7 * sum((w * x + b - y) * x for x, y in zip(X, Y))
        db = 2 / 7 * sum((w * x + b - y) for x, y in zip(X, Y))
        np.testing.assert_allclose([dw, db], numerical_gradient(loss, np.array([w, b])), rtol=1e-7)


def test_update():
    r"""w \leftarrow w - \eta\, \frac{\partial L}{\partial w}, \qquad b \leftarrow b - \eta\, \frac{\partial L}{\partial b}"""
    line, rate = Linear(1, 1), 1e-3
    for w, b in PLACES:
        line.params["W"][...], line.params["b"][...] = w, b
        line.grads = dict(zip(("W", "b"), numerical_gradient(loss, np.array([w, b])).reshape(2, 1)))
        line.grads["W"] = line.grads["W"].reshape(1, 1)
        dw, db = line.grads["W"].item(), line.grads["b"].item()
        SGD(line, rate).step()
        new = line.params["W"].item(), line.params["b"].item()
        assert new == pytest.approx((w - rate * dw, b - rate * db), rel=1e-12)
        assert loss(new) < loss((w, b)), "it goes downhill"


def parabola(curvature, best):
    return lambda w: curvature / 2 * (w - best) ** 2


def test_parabola():
    r"""L(w) = \frac{\lambda}{2} (w - w^*)^2, \qquad \frac{dL}{dw} = \lambda (w - w^*)"""
    for curvature, best, w in ((3.0, 1.0, -2.0), (0.5, -4.0, 7.0)):
        f = parabola(curvature, best)
        assert numerical_gradient(f, w).item() == pytest.approx(curvature * (w - best), rel=1e-8)
        assert f(best) == 0 < f(best + 0.1)


def walk(rate, curvature, best, w, steps):
    """Descent with measured slopes: it knows no formula."""
    places = [w]
    for _ in range(steps):
        w = w - rate * numerical_gradient(parabola(curvature, best), w).item()
        places.append(w)
    return places


def test_contraction():
    r"""w_{t+1} - w^* = (1 - \eta \lambda)(w_t - w^*)"""
    for rate in (0.1, 0.4, 0.7):
        places = walk(rate, 3.0, 1.0, -2.0, 4)
        for one, after in pairwise(places):
            assert after - 1.0 == pytest.approx((1 - rate * 3.0) * (one - 1.0), rel=1e-6)


def test_power():
    r"""w_t - w^* = (1 - \eta \lambda)^t\, (w_0 - w^*)"""
    for t, place in enumerate(walk(0.25, 3.0, 1.0, -2.0, 6)):
        assert place - 1.0 == pytest.approx((1 - 0.25 * 3.0) ** t * (-2.0 - 1.0), rel=1e-5)


def test_stability():
    r"""|1 - \eta \lambda| < 1 \quad \Longleftrightarrow \quad 0 < \eta < \frac{2}{\lambda}"""
    for curvature in (0.5, 3.0):
        for share in (-0.1, 0.01, 0.5, 0.99, 1.01, 1.5):
            rate = share * 2 / curvature
            places = walk(rate, curvature, 1.0, -2.0, 40)
            assert (abs(places[-1] - 1.0) < abs(places[0] - 1.0)) == (0 < rate < 2 / curvature)
            assert (abs(1 - rate * curvature) < 1) == (0 < rate < 2 / curvature)


def hessian():
    return 2 / 7 * np.array([[sum(X**2), sum(X)], [sum(X), 7]])


def test_hessian():
    r"""H = \frac{2}{n} \begin{pmatrix} \sum_i x_i^2 & \sum_i x_i \\ \sum_i x_i & n \end{pmatrix}"""
    def slope(place, which):
        return numerical_gradient(loss, place)[which]

    measured = [numerical_gradient(lambda p, which=which: slope(p, which), PLACES[0]) for which in (0, 1)]
    np.testing.assert_allclose(hessian(), measured, rtol=1e-4)


def test_limit():
    r"""\eta < \frac{2}{\lambda_{\max}}"""
    limit = 2 / np.linalg.eigvalsh(hessian()).max()
    for share, arrives in ((0.97, True), (1.03, False)):
        place = np.array([3.0, -2.0])
        start = loss(place)
        for _ in range(300):
            error = place[0] * X + place[1] - Y
            place = place - share * limit * 2 / 7 * np.array([sum(error * X), sum(error)])
        assert (loss(place) < start) == arrives


def test_batch_mean():
    r"""\frac{1}{m} \sum_{k=1}^{m} \nabla L_{B_k} = \nabla L"""
    order = RNG.permutation(6)

    def over(rows):
        return numerical_gradient(lambda p: loss(p, rows), PLACES[1])

    for size in (1, 2, 3):
        parts = [over(order[start:start + size]) for start in range(0, 6, size)]
        np.testing.assert_allclose(sum(parts) / len(parts), over(order), rtol=1e-7)


def test_floor():
    r"""L > \frac{1}{n} \sum_i (y_i - 1)^2 = \frac{1 + 9 + 25 + 49}{4} = 21"""
    y = np.array([2.0, 4.0, 6.0, 8.0])
    assert np.mean((y - 1) ** 2) == (1 + 9 + 25 + 49) / 4 == 21
    for z in RNG.normal(0, 5, (50, 4)):
        assert np.mean((1 / (1 + np.exp(-z)) - y) ** 2) > 21
    assert np.mean((1 / (1 + np.exp(-np.full(4, 30.0))) - y) ** 2) < 21.0001, "and it comes as near as you like"
