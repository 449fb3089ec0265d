"""The computational graph, against PyTorch, the complex step and measurements."""

import math

import numpy as np
import pytest

from bplib import numerical_gradient
from bplib.graph import OPERATIONS, Graph, random_graph

STARTS = [{"x": 2.0, "y": 0.5}, {"x": 0.7, "y": 2.3}, {"x": 1.0, "y": 3.0}]
TOUR = [("a", "divide", ("x", "y")), ("b", "log", ("a",)), ("c", "max", ("b", "x")), ("d", "sin", ("c",)), ("e", "relu", ("d",)),
        ("f", "exp", ("b",)), ("g", "subtract", ("f", "e")), ("h", "tanh", ("g",)), ("i", "sigmoid", ("h",)),
        ("j", "multiply", ("i", "a")), ("k", "square", ("j",)), ("L", "add", ("k", "i"))]
GRAPHS = [Graph(start, TOUR) for start in STARTS] + [random_graph(seed, 3 + seed % 3) for seed in range(30)]
# An operation alone, at a place where it has a slope; every operation is here.
ALONE = [(name, u, v) for name in OPERATIONS for u, v in ((1.3, 0.4), (0.2, 2.5))]
COMPLEX = {"sin": np.sin, "exp": np.exp, "log": np.log, "tanh": np.tanh, "sigmoid": lambda u: 1 / (1 + np.exp(-u)),
           "max": lambda u, v: u if u.real > v.real else v, "relu": lambda u: u if u.real > 0 else 0 * u}


def of(operation, *inputs):
    return inputs[:OPERATIONS[operation].sign.count("{}")]


def said(graph):
    return " ".join(map(graph.formula, graph.steps))


@pytest.mark.parametrize(("operation", "u", "v"), ALONE)
@pytest.mark.parametrize("sign", [1, -1])
def test_slopes_of_each_operation_are_those_of_the_complex_step(operation, u, v, sign):
    inputs = of(operation, u if operation == "log" else sign * u, v)
    f = COMPLEX.get(operation, OPERATIONS[operation].f)
    value = OPERATIONS[operation].f(*inputs)
    assert value == pytest.approx(complex(f(*map(complex, inputs))).real, rel=1e-14)
    slopes = OPERATIONS[operation].slopes(*inputs, value)
    assert len(slopes) == len(inputs)
    for place, slope in enumerate(slopes):
        moved = [number + (1e-30j if i == place else 0j) for i, number in enumerate(inputs)]
        assert slope == pytest.approx(f(*moved).imag / 1e-30, rel=1e-13, abs=1e-15)


def test_a_relu_at_its_corner_has_the_slope_0_as_everywhere_in_the_course():
    assert OPERATIONS["relu"].slopes(0.0, 0.0) == (0.0,)


def test_a_sigmoid_of_anything_is_finite():
    assert OPERATIONS["sigmoid"].f(-1e4) == 0
    assert OPERATIONS["sigmoid"].f(1e4) == 1


@pytest.mark.parametrize("graph", GRAPHS, ids=said)
def test_gradients_of_inputs_are_what_a_measurement_finds(graph):
    grads = graph.backward(graph.forward())

    def value(numbers):
        steps = [(name, operation, of) for name, (operation, of) in graph.steps.items()]
        return Graph(dict(zip(graph.inputs, numbers)), steps).forward()["L"]

    measured = numerical_gradient(value, np.array(list(graph.inputs.values())))
    np.testing.assert_allclose([grads[name] for name in graph.inputs], measured, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("graph", GRAPHS, ids=said)
def test_every_number_is_pytorchs(torch, graph):
    ways = {"add": torch.add, "subtract": torch.subtract, "multiply": torch.multiply, "divide": torch.divide,
            "max": torch.maximum, "square": torch.square, "sin": torch.sin, "exp": torch.exp, "log": torch.log,
            "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}
    nodes = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in graph.inputs.items()}
    for name, (operation, of) in graph.steps.items():
        nodes[name] = ways[operation](*(nodes[other] for other in of))
        nodes[name].retain_grad()
    nodes["L"].backward()
    values = graph.forward()
    grads = graph.backward(values)
    for name, node in nodes.items():
        assert values[name] == pytest.approx(node.item(), rel=1e-12)
        assert grads[name] == pytest.approx(node.grad.item(), rel=1e-10, abs=1e-15)


def test_all_operations_are_compared():
    assert {operation for graph in GRAPHS for operation, _ in graph.steps.values()} == set(OPERATIONS)


@pytest.mark.parametrize(
    "step", [("a", "power", ("x",)), ("x", "square", ("x",)), ("a", "square", ("q",)), ("a", "add", ("a", "x"))]
)
def test_what_is_no_graph_is_refused(step):
    with pytest.raises(ValueError, match="Graph: expected a new name, one of add, subtract"):
        Graph({"x": 1.0}, [step])


def test_a_node_used_twice_by_one_other_counts_twice():
    graph = Graph({"x": 3.0}, [("L", "multiply", ("x", "x"))])
    assert graph.backward(graph.forward()) == {"L": 1.0, "x": 6.0}


def test_random_graphs_are_small_have_a_fan_out_and_follow_their_seed():
    for seed in range(50):
        graph = random_graph(seed)
        uses = [other for _, of in graph.steps.values() for other in of]
        assert len(uses) > len(set(uses)) == len(graph.names) - 1
        assert all(value == round(value) for value in graph.forward().values())
        assert random_graph(seed).steps == graph.steps
    assert random_graph(1).steps != random_graph(2).steps or random_graph(1).inputs != random_graph(2).inputs


def test_larger_random_graphs_have_more_steps():
    assert [len(random_graph(3, size).steps) for size in (3, 4, 5)] == [3, 4, 5]


@pytest.mark.parametrize("graph", GRAPHS, ids=said)
def test_a_layout_has_every_arrow_go_right_and_every_node_its_place(graph):
    places = graph.layout()
    assert set(places) == set(graph.names)
    assert len(set(places.values())) == len(places)
    for name, (_, of) in graph.steps.items():
        assert all(places[other][0] < places[name][0] for other in of)
    assert max(places, key=places.get) == "L"
    for column in {column for column, _ in places.values()}:
        assert math.isclose(sum(row for at, row in places.values() if at == column), 0, abs_tol=1e-12)


def test_uses_are_told_with_their_place():
    graph = Graph({"x": 3.0, "y": 1.0}, [("a", "subtract", ("y", "x")), ("L", "multiply", ("x", "x"))])
    assert graph.uses("x") == [("a", 1), ("L", 0), ("L", 1)]
    assert graph.terms("x", graph.slopes(graph.forward())) == [("a", -1.0), ("L", 3.0), ("L", 3.0)]
    assert graph.backward(graph.forward())["y"] == 0.0, "a is not on a path to L"
