"""The formulas of chapter 05, by the complex step and by following every path."""

import math

import numpy as np
import pytest

from bplib.graph import random_graph

PLACES = [0.3, 0.8, 1.4, 2.1]


def slope(f, x):
    return np.imag(f(x + 1e-30j)) / 1e-30


def composed(x):
    return np.log(1 + np.sin(x**2) ** 2)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


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
    r"""a = u\, v, \qquad b = \sigma(a), \qquad c = a\, w, \qquad L = b + c"""
    from bplib.labs import ChainRule

    data = ChainRule().data(u=1.3, v=-0.7, w=2.1)
    assert data["values"]["L"] == pytest.approx(sigmoid(1.3 * -0.7) + 1.3 * -0.7 * 2.1, rel=1e-12)


def test_two_paths():
    r"""\frac{dL}{da} = \frac{dL}{db} \frac{db}{da} + \frac{dL}{dc} \frac{dc}{da}"""
    for a, w in ((0.4, -1.5), (-2.0, 0.3)):
        b, c = sigmoid(a), a * w
        dL_db, dL_dc = slope(lambda b, c=c: b + c, b), slope(lambda c, b=b: b + c, c)
        claimed = dL_db * slope(sigmoid, a) + dL_dc * slope(lambda a, w=w: a * w, a)
        assert claimed == pytest.approx(slope(lambda a, w=w: sigmoid(a) + a * w, a), rel=1e-12)


def value_at(graph, name, number):
    """L, where one node is held at another number; complex numbers too. Only for whole-number operations."""
    from bplib.graph import OPERATIONS

    values = dict(graph.inputs)
    if name in values:
        values[name] = number
    for other, (operation, of) in graph.steps.items():
        values[other] = number if other == name else OPERATIONS[operation].f(*(values[one] for one in of))
    return values["L"]


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


