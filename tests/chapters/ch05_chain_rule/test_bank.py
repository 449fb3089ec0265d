"""The references of chapter 05 are right, by independent means; every wrong node is marked by itself, and named."""

import ast
import html
import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bplib import numerical_gradient
from bplib.graph import Graph, random_graph
from course import check
from course.catalogue import find
from course.ch05_chain_rule.bank.fill import CHAIN, CHAIN_GRADIENTS, FAN_OUT, FAN_OUT_GRADIENTS, NEURON, NEURON_GRADIENTS
from course.grading.core import CORRECT, ERROR, NOT_ATTEMPTED, WRONG
from course.grading.graph_marks import gradient_marks, in_words, value_marks
from course.grading.graph_picture import picture

CHAPTER = Path(__file__).parents[3] / "course" / "ch05_chain_rule" / "exercises.md"


def reference(name):
    return find(f"chain_rule.{name}").reference


def judge(name, answer):
    return find(f"chain_rule.{name}").judge(answer)


# References, against measurements and by following every path.


@pytest.mark.parametrize("sign", "+-*/")
def test_local_derivatives_are_what_a_measurement_finds(sign):
    work = {"+": lambda p: p[0] + p[1], "-": lambda p: p[0] - p[1], "*": lambda p: p[0] * p[1], "/": lambda p: p[0] / p[1]}
    measured = numerical_gradient(work[sign], np.array([3.0, -2.0]))
    np.testing.assert_allclose(reference("local")(sign, 3.0, -2.0), measured, rtol=1e-8)


def test_formulas_are_what_a_measurement_finds():
    measured = numerical_gradient(lambda x: math.log(1 + math.sin(float(x)) ** 2), 0.7)
    assert reference("composition")(0.7) == pytest.approx(float(measured), rel=1e-8)
    measured = numerical_gradient(lambda p: (p[0] * p[1]) ** 2 * (p[0] * p[1] + p[1]), np.array([1.3, 0.6]))
    np.testing.assert_allclose(reference("fan_out")(1.3, 0.6), measured, rtol=1e-8)


@pytest.mark.parametrize(
    "place", [(1.5, 0.7, 0.4), (0.6, 1.3, 1.1), (0.8, 1.9, -0.5), (1.7, 0.9, -1.2), (-0.7, 1.1, -1.6), (-0.7, 1.1, 2.0)]
)
def test_gates_are_what_a_measurement_finds(place):
    measured = numerical_gradient(lambda p: max(p[0], p[1]) * max(p[2] * p[0], 0), np.array(place, float))
    np.testing.assert_allclose(reference("gates")(*place), measured, rtol=1e-7, atol=1e-9)


def test_the_sweep_adds_up_paths(rng):
    for _ in range(20):
        nodes = find("chain_rule.sweep").inputs(rng)[0]
        totals, made_of = dict.fromkeys(dict(nodes), 0.0), dict(nodes)
        open_paths = [("L", 1.0)]
        while open_paths:
            name, product = open_paths.pop()
            totals[name] += product
            open_paths += [(other, product * slope) for other, slope in made_of[name]]
        assert reference("sweep")(nodes) == pytest.approx(totals, rel=1e-12)


@pytest.mark.parametrize("sizes", [[50, 40, 30, 1], [3, 7, 5], [2, 9, 4, 6, 8]])
def test_multiplications_are_those_that_are_done(sizes):
    tables = [np.ones((after, before)) for before, after in pairwise(sizes)]

    def count(one, other):
        return one.shape[0] * one.shape[1] * other.shape[1], one @ other

    forward, back, first, last = 0, 0, tables[0], tables[-1]
    for table in tables[1:]:
        cost, first = count(table, first)
        forward += cost
    for table in tables[-2::-1]:
        cost, last = count(last, table)
        back += cost
    assert reference("multiplications")(sizes) == (forward, back)
    np.testing.assert_allclose(first, last)


def test_the_right_indices_are_those_that_join():
    lines = dict(re.findall(r"^- ([A-E]): (.*)$", CHAPTER.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert len(lines) == 5
    fits = []
    for letter, line in lines.items():
        factors = [factor.strip().replace("d", "").split("/") for factor in re.split("[·+]", line)]
        fits += [letter] if all(one[1] == other[0] for one, other in pairwise(factors)) and "+" not in line else []
    assert fits == [reference("indices")]


def test_the_graphs_of_the_exercises_are_those_of_the_text():
    assert CHAIN.forward() == {"x": 5, "y": 2, "z": 4, "a": 3, "b": 9, "L": 36}
    assert CHAIN_GRADIENTS == {"L": 1, "b": 4, "z": 9, "a": 24, "x": 24, "y": -24}
    assert FAN_OUT.forward() == {"x": 2, "y": -3, "a": -6, "b": -9, "L": 81}
    assert FAN_OUT_GRADIENTS == {"L": 1, "b": -18, "a": -18, "x": 54, "y": -54}
    assert NEURON.forward() == {"x": 2, "w": 3, "b": -6, "y": 1, "s": 6, "z": 0, "a": 0.5, "v": -0.5, "L": 0.25}
    assert NEURON_GRADIENTS == {"L": 1, "v": -1, "a": -1, "y": 1, "z": -0.25, "s": -0.25, "b": -0.25, "w": -0.5, "x": -0.75}


def test_the_dicts_of_the_text_have_the_names_of_the_graphs():
    text = CHAPTER.read_text(encoding="utf-8")
    found = re.findall(r"^\w+ = (\{.*\.\.\..*\})$", text, flags=re.MULTILINE)
    asked = [set(ast.literal_eval(line.replace("...", "0"))) for line in found]
    assert asked == [set(reference(name)) for name in ("fill_values", "fill_chain", "fill_neuron", "fill_fan_out")]


# Marks: one for each node, each with the name of its slip.

TANGLE = Graph({"x": 3.0, "y": 2.0}, [("a", "multiply", ("x", "y")), ("b", "subtract", ("x", "a")),
                                      ("L", "multiply", ("a", "b"))])
SLIPS = {
    "seed": (CHAIN, {"L": 36.0}, "seed", "the way back starts with dL/dL = 1"),
    "first path only": (FAN_OUT, {"y": -36.0}, "overwritten", "this is the path through a only. y is used twice"),
    "second path only": (FAN_OUT, {"y": -18.0}, "overwritten", "this is the path through b only"),
    "multiplied": (FAN_OUT, {"y": 648.0}, "paths-multiplied", "the paths were multiplied."),
    "averaged": (FAN_OUT, {"y": -27.0}, "averaged", "the paths were averaged."),
    "no local derivative": (CHAIN, {"a": 4.0}, "local-missing", "the gradient of b came through unchanged."),
    "no upstream": (CHAIN, {"a": 6.0}, "upstream-missing", "this is the local derivative alone."),
    "added along": (CHAIN, {"a": 10.0}, "added", "the slope was added to the gradient from above."),
    "value": (CHAIN, {"a": 3.0}, "value", "this is the value of a."),
    "sign of minus": (CHAIN, {"y": 24.0}, "sign", "y is taken off in a, so its slope there is -1"),
    "sign of minus on one of two paths": (TANGLE, {"a": 3.0}, "sign", "a is taken off in b"),
    "swapped": (FAN_OUT, {"x": -36.0}, "not-swapped", "in the product a the slope along x is the *other* factor, y"),
    "without two": (CHAIN, {"a": 12.0}, "two-missing", "the slope of the square b is *twice* a"),
    "sigmoid's value": (NEURON, {"z": -0.5}, "value-for-slope", "the slope of the sigmoid is a (1 - a)"),
    "sigmoid's slope missing": (NEURON, {"z": -1.0}, "local-missing", "the gradient of a came through unchanged."),
    "value in a sum": (NEURON, {"b": 1.5}, "value-for-slope", "in the sum z the slope along b is 1"),
    "sign": (CHAIN, {"z": -9.0}, "sign", "the sign is the wrong way round"),
    "zero": (NEURON, {"x": 0.0}, "zero", "L depends on x, so this gradient is not 0"),
    "follows": (CHAIN, {"a": 7.0, "x": 7.0}, "follows", "right, given the wrong number after it."),
    "a slip after a slip": (CHAIN, {"b": 5.0, "a": 15.0}, "two-missing", "the slope of the square b is *twice* a"),
    "a slip of its own after a slip": (CHAIN, {"b": 5.0, "a": 12.0}, "two-missing", "the slope of the square b is *twice* a"),
    "nonsense": (CHAIN, {"b": 123.0}, "wrong", "123 is not it. b is used in L: dL/dL × dL/db."),
    "nonsense on two paths": (FAN_OUT, {"y": 123.0}, "wrong", "y is used in a and b: dL/da × da/dy + dL/db × db/dy."),
    "text": (CHAIN, {"b": "four"}, "no-number", "expected a number, got str."),
    "yes": (CHAIN, {"L": True}, "no-number", "expected a number, got bool."),
    "nan": (CHAIN, {"b": math.nan}, "no-number", "expected a number, got float."),
    "left out": (CHAIN, {"b": ...}, "empty", "nothing is there yet."),
}


@pytest.mark.parametrize(("graph", "wrong", "kind", "words"), SLIPS.values(), ids=SLIPS)
def test_each_slip_has_its_name_and_its_words(graph, wrong, kind, words):
    got = graph.backward(graph.forward()) | wrong
    marks = gradient_marks(graph, got)
    assert marks[list(wrong)[-1]].kind == kind
    assert words in in_words(marks)
    earlier = [name for name in graph.names if name not in wrong and marks[name].kind != "follows"]
    assert all(marks[name].right for name in earlier)


def test_two_readings_of_one_number_are_both_told():
    graph = Graph({"x": 2.0, "y": 2.0}, [("a", "square", ("x",)), ("L", "multiply", ("a", "y"))])
    mark = gradient_marks(graph, graph.backward(graph.forward()) | {"x": 2.0})["x"]
    assert mark.kind == "local-missing"
    assert mark.words.count(", or: ") == 1
    mark = gradient_marks(FAN_OUT, FAN_OUT_GRADIENTS | {"y": -36.0})["y"]
    assert mark.words.endswith("overwritten instead of added."), "where that fits, nothing else is told"


@pytest.mark.parametrize("size", [3, 4, 5])
def test_on_any_graph_a_slip_is_marked_and_what_follows_is_told_apart(size):
    """A learner makes one slip, and goes on rightly with their own numbers."""
    seen, named = 0, 0
    for seed in range(60):
        graph = random_graph(seed, size)
        values = graph.forward()
        slopes, right = graph.slopes(values), graph.backward(values)
        for name in graph.names[:-1]:
            parts = [right[user] * slope for user, slope in graph.terms(name, slopes)]
            for wrong in {*parts, right[name] + 1000.5} - {right[name]}:
                got = {}
                for other in right:
                    terms = graph.terms(other, slopes)
                    got[other] = wrong if other == name else sum(got[user] * slope for user, slope in terms) if terms else 1.0
                marks = gradient_marks(graph, got)
                assert not marks[name].right
                assert marks[name].kind != "follows"
                assert {mark.kind for other, mark in marks.items() if other != name} <= {"right", "follows"}
                if wrong in parts and len(parts) > 1:
                    seen, named = seen + 1, named + (marks[name].kind == "overwritten")
    assert seen > 60
    assert named == seen


def test_values_are_marked_as_well():
    marks = value_marks(CHAIN, {"a": 4.0, "b": 16.0, "L": 63.0})
    assert [mark.kind for mark in marks.values()] == ["wrong-value", "follows", "wrong-value"]
    assert marks["a"].words == "a is x - y; with the right numbers, 5 - 2."
    assert "9 × 4" in marks["L"].words
    assert value_marks(CHAIN, {"a": 3, "b": None})["b"].kind == "empty"
    assert all(mark.right for mark in value_marks(NEURON, NEURON.forward()).values())
    assert "(-6)" in value_marks(NEURON, {"s": 6.0, "z": 12.0})["z"].words
    log = Graph({"x": 2.0}, [("a", "square", ("x",)), ("L", "log", ("a",))])
    assert value_marks(log, {"a": -4.0, "L": 1.0})["L"].kind == "wrong-value"


# Verdicts.


def test_a_verdict_marks_the_wrong_nodes_and_only_those():
    result = judge("fill_chain", CHAIN_GRADIENTS | {"x": 23.0, "b": 11.0})
    assert result.verdict == WRONG
    assert "x: 23 is not it" in str(result)
    assert "b: 11 is not it" in str(result)
    assert "y:" not in str(result)
    assert "24" not in str(result), "the right answer is not given away"
    drawn = html.unescape(result._repr_html_())
    assert drawn.count("✗") == drawn.count("stroke-width:3'") == 2
    assert drawn.count("✓") == 4


def test_a_right_verdict_is_drawn_and_a_known_slip_keeps_its_message():
    assert judge("fill_fan_out", FAN_OUT_GRADIENTS)._repr_html_().count("✓") == 5
    result = judge("fill_fan_out", FAN_OUT_GRADIENTS | {"y": -36.0})
    assert result.mutant == "overwritten-last"
    assert "y: this is the path through a only" in result.details
    assert "✗" in result._repr_html_()
    assert "<svg" not in str(result)
    assert judge("fill_values", {"a": 3, "b": 9, "L": 13})._repr_html_().count("✓") == 2


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (dict.fromkeys(CHAIN_GRADIENTS, ...), NOT_ATTEMPTED, "Nothing here yet"),
        ({"L": 1}, WRONG, "nothing is there yet"),
        (36, WRONG, "should be a dict with the keys L, b, a, z, y, x"),
        (CHAIN_GRADIENTS | {"q": 1}, WRONG, "q is none of them"),
        (CHAIN_GRADIENTS | {3: 1}, WRONG, "3 is none of them"),
        (CHAIN_GRADIENTS | {"x": np.float64(24), "b": np.int64(4)}, CORRECT, ""),
        (CHAIN_GRADIENTS | {"x": np.array([24.0, 24.0])}, WRONG, "expected a number, got ndarray"),
        (CHAIN_GRADIENTS | {"x": "<script>"}, WRONG, "expected a number, got str"),
        (CHAIN_GRADIENTS | {"x": math.inf}, WRONG, "expected a number, got float"),
        (lambda: 1, WRONG, "expects a value"),
    ],
)
def test_other_answers_are_described(answer, verdict, words):
    result = judge("fill_chain", answer)
    assert result.verdict == verdict
    assert words in str(result)
    assert "<script>" not in result._repr_html_()


def test_a_check_of_a_dict_is_noted_as_points():
    assert float(check("chain_rule.fill_chain", CHAIN_GRADIENTS)) == 2


def test_a_sweep_that_asks_for_what_is_not_there_is_an_error():
    assert judge("sweep", lambda nodes: {name: 1 / 0 for name, _ in nodes}).verdict == ERROR


# The drawing.


@pytest.mark.parametrize("size", [3, 4, 5])
def test_nodes_of_a_drawing_never_overlap_and_lie_inside(size):
    for seed in range(40):
        graph = random_graph(seed, size)
        drawn = picture(graph, graph.forward(), {})
        width, height = map(float, re.search(r"viewBox='0 0 (\d+) (\d+)'", drawn).groups())
        found = re.findall(r"<rect x='(\S+)' y='(\S+)' width='(\S+)' height='(\S+)'", drawn)
        boxes = [tuple(map(float, box)) for box in found]
        assert len(boxes) == len(graph.names)
        for i, (x, y, w, h) in enumerate(boxes):
            assert x >= 0
            assert y >= 0
            assert x + w <= width
            assert y + h <= height
            for x2, y2, _, _ in boxes[i + 1:]:
                assert abs(x - x2) >= w or abs(y - y2) >= h


def test_the_drawing_is_told_to_who_cannot_see_it():
    drawn = picture(CHAIN, CHAIN.forward(), {"L": 1, "y": -24.0})
    label = html.unescape(re.search(r"aria-label='([^']*)'", drawn)[1])
    assert label.startswith("x, value 5, gradient ?; y, value 2, gradient \N{MINUS SIGN}24;")
    assert "b = a², value 9, gradient ?" in label
