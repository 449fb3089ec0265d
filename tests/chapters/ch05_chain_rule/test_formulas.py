"""The formulas of chapter 05, by the complex step and by following every path."""

import math

import numpy as np
import pytest

from bplib.graph import OPERATIONS, random_graph
from course.ch05_chain_rule import ChainRule

PLACES = [0.3, 0.8, 1.4, 2.1]


def slope(f, x):
    return np.imag(f(x + 1e-30j)) / 1e-30


def composed(x):
    return np.log(1 + np.sin(x**2) ** 2)


def test_composition():
    r"""L(x) = \log\left(1 + \sin\left(x^2\right)^2\right)"""
    for x in PLACES:
        assert composed(x) == pytest.approx(math.log(1 + math.sin(x * x) * math.sin(x * x)), rel=1e-14)


def test_closed_form():
    r"""\frac{dL}{dx} = \frac{4 x \sin(x^2) \cos(x^2)}{1 + \sin(x^2)^2}"""
    for x in PLACES:
        claimed = 4 * x * math.sin(x**2) * math.cos(x**2) / (1 + math.sin(x**2) ** 2)
        assert claimed == pytest.approx(slope(composed, x), rel=1e-12)


def test_chain():
    r"""\frac{dL}{dx} = \frac{dL}{dc} \cdot \frac{dc}{db} \cdot \frac{db}{da} \cdot \frac{da}{dx}"""
    for x in PLACES:
        a = x**2
        b = np.sin(a)
        c = 1 + b**2
        factors = [slope(np.log, c), slope(lambda b: 1 + b**2, b), slope(np.sin, a), slope(lambda x: x**2, x)]
        assert math.prod(factors) == pytest.approx(slope(composed, x), rel=1e-12)


def test_fan_out():
    r"""s = w x, \qquad t = s^2, \qquad u = s + b, \qquad v = t\, u, \qquad L = v\, y"""
    x, w, b, y = 1.3, -0.7, 2.1, 0.6
    data = ChainRule().data(x=x, w=w, b=b, y=y, step=5)
    assert data["values"]["L"] == pytest.approx((w * x) ** 2 * (w * x + b) * y, rel=1e-12)
    for name, value in {"s": w * x, "t": (w * x) ** 2, "u": w * x + b, "v": (w * x) ** 2 * (w * x + b)}.items():
        assert data["values"][name] == pytest.approx(value, rel=1e-12)


def test_push():
    r"""v(s + h) = (t + 2 s h + h^2)(u + h) = t\, u + (2 s\, u + t)\, h + (u + 2 s)\, h^2 + h^3"""
    for s, b, h in ((0.4, -1.5, 0.3), (-2.0, 0.3, -0.7), (1.2, 0.5, 2.0)):
        t, u = s**2, s + b
        pushed = (s + h) ** 2 * (s + h + b)
        assert (t + 2 * s * h + h**2) * (u + h) == pytest.approx(pushed, rel=1e-12)
        assert t * u + (2 * s * u + t) * h + (u + 2 * s) * h**2 + h**3 == pytest.approx(pushed, rel=1e-12)


def test_two_paths():
    r"""\frac{dL}{ds} = \frac{dL}{dt} \frac{dt}{ds} + \frac{dL}{du} \frac{du}{ds}"""
    for s, b, y in ((0.4, -1.5, 2.0), (-2.0, 0.3, 0.7)):
        t, u = s**2, s + b
        dL_dt, dL_du = slope(lambda t, u=u, y=y: t * u * y, t), slope(lambda u, t=t, y=y: t * u * y, u)
        claimed = dL_dt * slope(lambda s: s**2, s) + dL_du * slope(lambda s, b=b: s + b, s)
        assert claimed == pytest.approx(slope(lambda s, b=b, y=y: s**2 * (s + b) * y, s), rel=1e-12)


def value_at(graph, name, number, end="L"):
    """L or another end, where one node is held at another number; complex numbers too. Only for whole-number operations."""
    values = dict(graph.inputs)
    if name in values:
        values[name] = number
    for other, (operation, of) in graph.steps.items():
        values[other] = number if other == name else OPERATIONS[operation].f(*(values[one] for one in of))
    return values[end]


def test_paths():
    r"""\frac{dL}{dx} = \sum_{\text{paths}} \; \prod_{\text{steps}} \text{slope}"""
    for seed in range(20):
        graph = random_graph(seed)
        values = graph.forward()
        slopes, totals = graph.slopes(values), dict.fromkeys(graph.names, 0.0)

        def walk(name, product, graph=graph, slopes=slopes, totals=totals):
            totals[name] += product
            for other, one in zip(graph.steps.get(name, (None, ()))[1], slopes[name]):
                walk(other, product * one)

        walk("L", 1.0)
        for name in graph.names:
            measured = slope(lambda number, name=name, graph=graph: value_at(graph, name, number), values[name])
            assert totals[name] == pytest.approx(measured, rel=1e-12, abs=1e-12)


def test_collect():
    r"""\frac{dL}{dx} = \sum_{k\ \text{uses}\ x} \frac{dL}{dk} \frac{\partial k}{\partial x}"""
    for seed in range(20, 40):
        graph = random_graph(seed)
        values = graph.forward()
        slopes = graph.slopes(values)
        true = {name: slope(lambda n, name=name, graph=graph: value_at(graph, name, n), values[name]) for name in graph.names}
        for name in graph.names[:-1]:
            assert sum(true[user] * one for user, one in graph.terms(name, slopes)) == pytest.approx(true[name], abs=1e-12)


def test_carry():
    r"""\frac{dk}{dx} = \sum_{j\ \text{in}\ k} \frac{\partial k}{\partial j} \frac{dj}{dx}"""
    for seed in range(40, 60):
        graph = random_graph(seed, 4)
        values = graph.forward()
        slopes = graph.slopes(values)

        def speed(end, graph=graph, values=values):
            return slope(lambda x: value_at(graph, "x", x, end), values["x"])

        for name, (_, of) in graph.steps.items():
            carried = sum(one * speed(other) for other, one in zip(of, slopes[name]))
            assert carried == pytest.approx(speed(name), rel=1e-12, abs=1e-12)


def test_orders():
    r"""\frac{dL}{dx} = \left(\frac{dL}{dc} \cdot \frac{dc}{db}\right) \cdot \frac{db}{dx}
    = \frac{dL}{dc} \cdot \left(\frac{dc}{db} \cdot \frac{db}{dx}\right)"""
    rng = np.random.default_rng(0)
    A, B, C = rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (3, 5)), rng.normal(0, 1, 4)
    x = rng.normal(0, 1, 5)

    def value(x):
        return C @ np.tanh(A @ np.sin(B @ x))

    b = np.sin(B @ x)
    db = np.cos(B @ x)[:, np.newaxis] * B
    dc = (1 - np.tanh(A @ b) ** 2)[:, np.newaxis] * A
    measured = [slope(lambda number, k=k: value(np.where(np.arange(5) == k, number, x)), x[k]) for k in range(5)]
    np.testing.assert_allclose((C @ dc) @ db, measured, rtol=1e-12)
    np.testing.assert_allclose(C @ (dc @ db), measured, rtol=1e-12)


