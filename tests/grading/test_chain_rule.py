"""The references of chapter 05 are right, by independent means; every wrong node is marked by itself."""

import math

import numpy as np
import pytest

from bplib import numerical_gradient
from bplib.grading import find
from bplib.grading.chain_rule import CHAIN, CHAIN_GRADIENTS, FAN_OUT, FAN_OUT_GRADIENTS
from bplib.grading.core import CORRECT, ERROR, NOT_ATTEMPTED, WRONG
from bplib.grading.graph_marks import gradient_marks, in_words, value_marks


def reference(name):
    return find(f"chain_rule.{name}").reference


def judge(name, answer):
    return find(f"chain_rule.{name}").judge(answer)


@pytest.mark.parametrize("sign", "+-*/")
def test_local_derivatives_are_what_a_measurement_finds(sign):
    measured = numerical_gradient(lambda p: eval(f"{p[0]!r} {sign} ({p[1]!r})", {"np": np}), np.array([3.0, -2.0]))
    np.testing.assert_allclose(reference("local")(sign, 3.0, -2.0), measured, rtol=1e-8)


def test_formulas_are_what_a_measurement_finds():
    measured = numerical_gradient(lambda x: math.log(1 + math.sin(float(x)) ** 2), 0.7)
    assert reference("composition")(0.7) == pytest.approx(float(measured), rel=1e-8)
    measured = numerical_gradient(lambda p: (p[0] * p[1]) ** 2 * (p[0] * p[1] + p[1]), np.array([1.3, 0.6]))
    np.testing.assert_allclose(reference("fan_out")(1.3, 0.6), measured, rtol=1e-8)


def test_the_sweep_adds_up_paths():
    nodes = [("x", []), ("y", []), ("a", [("x", 3.0), ("y", 2.0)]), ("L", [("a", 0.5), ("x", 4.0)])]
    assert reference("sweep")(nodes) == {"x": 5.5, "y": 1.0, "a": 0.5, "L": 1.0}


def test_the_graphs_of_the_exercises_are_those_of_the_text():
    assert CHAIN.forward() == {"x": 5, "y": 2, "z": 4, "a": 3, "b": 9, "L": 36}
    assert CHAIN_GRADIENTS == {"L": 1, "b": 4, "z": 9, "a": 24, "x": 24, "y": -24}
    assert FAN_OUT.forward() == {"x": 2, "y": -3, "a": -6, "b": -9, "L": 81}
    assert FAN_OUT_GRADIENTS == {"L": 1, "b": -18, "a": -18, "x": 54, "y": -54}


MARKS = {
    "overwritten": (FAN_OUT, {"y": -36.0}, "y: this is only the path through a. y is used 2 times"),
    "multiplied": (FAN_OUT, {"y": 648.0}, "y: the paths were multiplied."),
    "no local derivative": (CHAIN, {"a": 4.0}, "a: the gradient of what uses it is there; its own slope"),
    "no upstream": (CHAIN, {"a": 6.0}, "a: this is the local derivative alone"),
    "value": (CHAIN, {"a": 3.0}, "a: this is its value."),
    "sign": (CHAIN, {"y": 24.0}, "y: the gradient of what uses it is there"),
    "swapped": (FAN_OUT, {"x": -36.0}, "x: in a product, the slope is the *other* factor"),
    "without two": (CHAIN, {"a": 12.0}, "a: the slope of a square is *twice*"),
    "seed": (CHAIN, {"L": 36.0}, "L: the result's gradient with respect to itself is 1."),
    "follows": (CHAIN, {"a": 7.0, "x": 7.0}, "x: right, given the wrong number after it."),
    "nonsense": (CHAIN, {"b": 123.0}, "b: 123 is not it. It collects from L."),
    "text": (CHAIN, {"b": "four"}, "b: expected a number, got str."),
    "left out": (CHAIN, {"b": ...}, "b: nothing is there yet."),
}


@pytest.mark.parametrize(("graph", "wrong", "words"), MARKS.values(), ids=MARKS)
def test_each_slip_has_its_words(graph, wrong, words):
    got = graph.backward(graph.forward()) | wrong
    marks = gradient_marks(graph, got)
    assert words in in_words(marks)
    assert all(marks[name] is None for name in graph.names if name not in wrong)


def test_values_are_marked_as_well():
    marks = value_marks(CHAIN, {"a": 4.0, "b": 16.0, "L": 63.0})
    assert marks == {"a": "4 is not x - y.", "b": "right, given the wrong number before it.", "L": "63 is not b × z."}


def test_a_verdict_marks_the_wrong_nodes_and_only_those():
    result = judge("fill_chain", CHAIN_GRADIENTS | {"x": 23.0, "b": 5.0})
    assert result.verdict == WRONG
    assert "x: 23 is not it" in str(result)
    assert "b: 5 is not it" in str(result)
    assert "y:" not in str(result)
    assert "24" not in str(result), "the right answer is not given away"


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (dict.fromkeys(CHAIN_GRADIENTS, ...), NOT_ATTEMPTED, "Nothing here yet"),
        ({"L": 1}, WRONG, "nothing is there yet"),
        (36, WRONG, "should be a dict with the keys L, b, a, z, y, x"),
        (CHAIN_GRADIENTS | {"q": 1}, WRONG, "q is none of them"),
        (CHAIN_GRADIENTS | {"x": np.float64(24), "b": np.int64(4)}, CORRECT, ""),
        (lambda: 1, WRONG, "expects a value"),
    ],
)
def test_other_answers_are_described(answer, verdict, words):
    result = judge("fill_chain", answer)
    assert result.verdict == verdict
    assert words in str(result)


def test_a_sweep_that_asks_for_what_is_not_there_is_an_error():
    assert judge("sweep", lambda nodes: {name: 1 / 0 for name, _ in nodes}).verdict == ERROR
