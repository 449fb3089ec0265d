"""The computational graph, against PyTorch and against measurements."""

import numpy as np
import pytest

from bplib import numerical_gradient
from bplib.graph import OPERATIONS, Graph, random_graph
from bplib.labs.graph import STEPS
from tests.conftest import missing

STARTS = [{"u": 2.0, "v": 0.5, "w": -1.5}, {"u": -1.0, "v": 2.3, "w": 0.4}, {"u": 0.0, "v": 1.0, "w": 3.0}]
GRAPHS = [Graph(start, steps) for steps in STEPS.values() for start in STARTS] + [random_graph(seed) for seed in range(30)]


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: " ".join(map(graph.formula, graph.steps)))
def test_gradients_of_inputs_are_what_a_measurement_finds(graph):
    grads = graph.backward(graph.forward())

    def value(numbers):
        steps = [(name, operation, of) for name, (operation, of) in graph.steps.items()]
        return Graph(dict(zip(graph.inputs, numbers)), steps).forward()["L"]

    measured = numerical_gradient(value, np.array(list(graph.inputs.values())))
    np.testing.assert_allclose([grads[name] for name in graph.inputs], measured, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: " ".join(map(graph.formula, graph.steps)))
def test_every_number_is_pytorchs(graph):
    torch = pytest.importorskip("torch", reason="PyTorch is not here") if not missing.__globals__["CI"] else __import__("torch")
    ways = {"add": torch.add, "subtract": torch.subtract, "multiply": torch.multiply, "square": torch.square, "tanh": torch.tanh,
            "sigmoid": torch.sigmoid}
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
