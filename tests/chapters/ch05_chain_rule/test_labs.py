"""The lab of chapter 05: every number is that of other programs, at every step, and the words tell what is drawn."""

import re

import numpy as np
import pytest

from bplib.graph import OPERATIONS
from course.ch05_chain_rule import ChainRule
from course.ch05_chain_rule.labs import CHAIN, FAN_OUT, INPUTS, LAST, NAMES, NEURON, RELU, SHARED, STEPS
from course.labs.live import Picture


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# The same graphs once more, written by hand, so that a wrong step in the lab is seen.
BY_HAND = {
    CHAIN: [("s", lambda n: n["x"] * n["x"]), ("t", lambda n: np.sin(n["s"])), ("u", lambda n: np.exp(n["t"])),
            ("L", lambda n: np.tanh(n["u"]))],
    FAN_OUT: [("s", lambda n: n["w"] * n["x"]), ("t", lambda n: n["s"] ** 2), ("u", lambda n: n["s"] + n["b"]),
              ("v", lambda n: n["t"] * n["u"]), ("L", lambda n: n["v"] * n["y"])],
    NEURON: [("s", lambda n: n["w"] * n["x"]), ("z", lambda n: n["s"] + n["b"]), ("a", lambda n: sigmoid(n["z"])),
             ("v", lambda n: n["a"] - n["y"]), ("L", lambda n: n["v"] ** 2)],
    RELU: [("s", lambda n: n["w"] * n["x"]), ("z", lambda n: n["s"] + n["b"]), ("a", lambda n: n["z"] * (np.real(n["z"]) > 0)),
           ("v", lambda n: n["a"] - n["y"]), ("L", lambda n: n["v"] ** 2)],
    SHARED: [("s", lambda n: n["w"] * n["x"]), ("t", lambda n: np.tanh(n["s"])), ("u", lambda n: n["w"] * n["t"]),
             ("v", lambda n: n["u"] - n["y"]), ("L", lambda n: n["v"] ** 2)],
}
STARTS = [{"x": 1.5, "w": 0.8, "b": 0.5, "y": 1.0}, {"x": -0.7, "w": 2.1, "b": -0.4, "y": -1.6},
          {"x": 0.3, "w": -3.0, "b": 3.0, "y": 0.0}]


def run(graph, start, held=None, number=None, end="L"):
    """The value of a node by hand, where one node is held at another number, a complex one too."""
    nodes = dict(start) | ({held: number} if held in start else {})
    for name, f in BY_HAND[graph]:
        nodes[name] = number if name == held else f(nodes)
    return nodes[end]


def slope(graph, start, name, end="L"):
    """How fast `end` changes with a node, by the complex step."""
    return run(graph, start, name, run(graph, start, end=name) + 1e-30j, end).imag / 1e-30


@pytest.fixture
def lab():
    return ChainRule()


def test_all_graphs_are_written_by_hand_as_well():
    assert BY_HAND.keys() == STEPS.keys()


@pytest.mark.parametrize("graph", STEPS)
@pytest.mark.parametrize("start", STARTS)
def test_every_number_at_every_step_is_that_of_the_complex_step(lab, graph, start):
    for step in range(LAST + 1):
        data = lab.data(graph=graph, step=step, **start)
        for name, value in data["values"].items():
            assert value == pytest.approx(run(graph, start, end=name), rel=1e-13, abs=1e-15)
        for name, gradient in data["grads"].items():
            assert gradient == pytest.approx(slope(graph, start, name), rel=1e-10, abs=1e-15)
    assert set(data["values"]) == set(data["grads"]) == set(data["places"])


@pytest.mark.parametrize("graph", STEPS)
@pytest.mark.parametrize("start", STARTS)
def test_every_local_slope_is_measured_as_well(lab, graph, start):
    data = lab.data(graph=graph, **start)
    for user, slopes in data["slopes"].items():
        for other, local in zip(data["graph"].steps.get(user, (None, ()))[1], slopes):
            nodes = {name: run(graph, start, end=name) for name in data["values"]} | dict(data["full"])
            f = dict(BY_HAND[graph])[user]
            assert local == pytest.approx(np.imag(f(nodes | {other: nodes[other] + 1e-30j})) / 1e-30, rel=1e-10, abs=1e-15)


@pytest.mark.parametrize("graph", STEPS)
@pytest.mark.parametrize("start", STARTS)
def test_every_number_is_pytorchs(torch, lab, graph, start):
    ways = {"add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "square": torch.square, "sin": torch.sin,
            "exp": torch.exp, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}
    data = lab.data(graph=graph, step=LAST, **start)
    nodes = {name: torch.tensor(start[name], dtype=torch.float64, requires_grad=True) for name in data["graph"].inputs}
    for name, (operation, of) in data["graph"].steps.items():
        nodes[name] = ways[operation](*(nodes[other] for other in of))
        nodes[name].retain_grad()
    nodes["L"].backward()
    for name, node in nodes.items():
        assert data["values"][name] == pytest.approx(node.item(), rel=1e-13, abs=1e-15)
        assert data["grads"][name] == pytest.approx(node.grad.item(), rel=1e-10, abs=1e-15)


@pytest.mark.parametrize("graph", STEPS)
def test_each_step_brings_one_number_more_until_all_are_there(lab, graph):
    inputs, steps = len(lab.data(graph=graph)["graph"].inputs), len(STEPS[graph])
    shown = [len(data["values"]) + len(data["grads"]) for data in (lab.data(graph=graph, step=step) for step in range(LAST + 1))]
    assert shown == [min(inputs + step, 2 * (inputs + steps)) for step in range(LAST + 1)]
    assert lab.data(graph=graph)["last"] == inputs + 2 * steps <= LAST


def test_some_graph_needs_every_step():
    assert max(ChainRule().data(graph=graph)["last"] for graph in STEPS) == LAST


def texts(lab, **values):
    """What is written in the picture, and how many arrows are thick."""
    artists = Picture(lab, lab.data(**values)).artists
    found = {kind: {name: text.get_text() for name, text in artists[kind].items()} for kind in ("names", "values", "grads")}
    found["slopes"] = [text.get_text() for text in artists["slopes"] if text.get_text()]
    found["thick"] = sum(arrow.get_linewidth() > 2 for arrow in artists["arrows"])
    return found | {"sum": artists["sums"].get_text()}


def test_nodes_that_are_not_reached_show_nothing(lab):
    drawn = texts(lab, step=2, graph=NEURON)
    assert {name for name, text in drawn["values"].items() if text} == {*INPUTS, "s", "z"}
    assert not any(drawn["grads"].values())
    assert not drawn["slopes"]
    assert not drawn["sum"]
    drawn = texts(lab, step=8, graph=NEURON)
    assert {name for name, text in drawn["grads"].items() if text} == {"L", "v", "a"}
    assert len(drawn["slopes"]) == 2
    assert {name for name, text in drawn["names"].items() if text} == {*INPUTS, "s", "z", "a", "v", "L"}


def test_the_sum_is_drawn_where_a_node_is_used_twice(lab):
    drawn = texts(lab, step=LAST, node="s")
    assert drawn["sum"] == "dL/ds = (dL/dt) (dt/ds) + (dL/du) (du/ds) = 5.520"
    assert drawn["thick"] == 2
    assert texts(lab, step=LAST, node="L")["sum"] == "dL/dL = 1"
    assert texts(lab, step=LAST, node="x")["thick"] == 1
    assert texts(lab, step=LAST, node="z")["sum"] == "there is no node z in this graph"


@pytest.mark.parametrize("graph", STEPS)
@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_in_the_words_add_up(lab, graph, name):
    values = lab.values(graph=graph, node=name, step=LAST)
    data = lab.data(**values)
    words = lab.describe(values, data)
    if name not in data["graph"].names:
        assert words.startswith(f"There is no node {name} in this graph.")
        return
    if name == "L":
        assert "dL/dL = 1" in words
        return
    terms = re.findall(r"\(?(-?[\d.]+)\)? × \(?(-?[\d.]+)\)?", words.split(f"dL/d{name} = ")[1])
    assert len(terms) == len(data["graph"].uses(name))
    total = sum(float(up) * float(slope.rstrip(".")) for up, slope in terms)
    assert total == pytest.approx(data["grads"][name], abs=0.02)
    assert f"= {data['grads'][name]:.3f}." in words


def test_going_forward_the_words_give_a_nodes_own_slopes(lab):
    values = lab.values(step=3, graph=NEURON)
    words = lab.describe(values, lab.data(**values))
    assert "a = σ(z) = σ(1.70) = 0.846. Its own slopes: da/dz = 0.131." in words
    assert "u = s + b has no value yet" in lab.describe(lab.values(step=1, node="u"), lab.data(step=1, node="u"))


def test_a_relu_below_zero_lets_nothing_through(lab):
    grads = lab.data(graph=RELU, step=LAST, b=-3.0)["grads"]
    assert grads["a"] != 0
    assert grads["z"] == grads["w"] == grads["x"] == grads["b"] == 0


def test_operations_of_the_lab_are_known():
    assert {operation for steps in STEPS.values() for _, operation, _ in steps} <= set(OPERATIONS)
