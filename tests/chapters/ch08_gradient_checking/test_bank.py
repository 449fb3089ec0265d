"""The bug hunt: the programs that the notebook prints are those the grader knows, and no message gives a line away."""

import re
from pathlib import Path

import numpy as np
import pytest

from bplib import MSE, SGD, Linear, Sequential, Sigmoid, Softmax, SoftmaxCrossEntropy, Tanh, trace
from course import check
from course.catalogue import find
from course.ch08_gradient_checking import bank as hunt, scoreboard
from course.ch08_gradient_checking.bank import claims as claims
from course.grading.core import CORRECT, NOT_ATTEMPTED

SOURCE = Path(__file__).parents[3] / "course" / "ch08_gradient_checking" / "exercises.md"
CELLS = re.findall(r"^```\{code-cell\}\n(.*?)^```$", SOURCE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
# What stands in the line that is the cause.
CAUSES = {
    "m1": "tanh_slope(z1)", "m2": "delta2 = 2 * (a2 - y) / y.size ", "m3": "weights[i - 1].T", "m4": "delta = p - y ",
    "m5": "hidden.argmax", "m6": "y_hat = x @ w ", "m7": "- grads[name]", "m8": "error = y - y_hat", "m9": "n = len(x)",
    "m10": "n_out = x.shape[1]", "m11": "y_hat = sigmoid(z)", "m12": "delta = 2 * (a - target) / len(x) ",
}
LINES = [exercise for exercise in hunt.EXERCISES if exercise.id.endswith("_line")]
CLAIMS = [exercise for exercise in hunt.EXERCISES if exercise.id.endswith("_claim")]


def program(bug):
    """The source of a program as the notebook prints it."""
    (cell,) = [cell for cell in CELLS if re.search(rf"^def \w+_{bug}\(", cell, flags=re.MULTILINE)]
    return cell


def function(bug):
    """The program itself."""
    namespace = {"np": np, "sigmoid": Sigmoid().f, "softmax": Softmax().f}
    exec(program(bug), namespace)
    return next(f for name, f in namespace.items() if name.endswith(f"_{bug}"))



def test_thirteen_programs_and_six_claims():
    ids = {exercise.id.split(".")[1] for exercise in hunt.EXERCISES}
    assert ids == {f"m{i}_{part}" for i in range(1, 14) for part in ("line", "repair")} | {f"m{i}_claim" for i in range(14, 20)}


@pytest.mark.parametrize("bug", CAUSES)
def test_every_line_carries_its_number(bug):
    lines = program(bug).splitlines()
    assert [int(line.rpartition("#")[2]) for line in lines] == list(range(1, len(lines) + 1))
    assert len({line.rindex("#") for line in lines}) == 1


@pytest.mark.parametrize("bug", CAUSES)
def test_the_line_that_is_graded_holds_the_cause(bug):
    exercise = find(f"gradient_checking.{bug}_line")
    lines = program(bug).splitlines()
    assert CAUSES[bug] in lines[exercise.reference - 1]
    assert f"from 1 to {len(lines)}" in str(exercise.judge(len(lines) + 1))
    assert all(1 <= mutant.answer <= len(lines) for mutant in exercise.mutants)


@pytest.mark.parametrize("bug", CAUSES)
def test_the_printed_program_is_recognised_as_unrepaired(bug):
    result = find(f"gradient_checking.{bug}_repair").judge(function(bug))
    assert result.mutant == "unrepaired", str(result)


@pytest.mark.parametrize("exercise", LINES, ids=lambda exercise: exercise.id)
def test_only_one_line_is_right_and_none_is_given_away(exercise):
    for number in range(-3, 60):
        result = exercise.judge(number)
        assert (result.verdict == CORRECT) == (number == exercise.reference)
        for text in (result.message, result.details):
            given_away = re.search(rf"\b[Ll]ine {exercise.reference}\b(?!, however)", text)
            assert not given_away or exercise.id == "gradient_checking.m13_line"


@pytest.mark.parametrize("exercise", LINES, ids=lambda exercise: exercise.id)
@pytest.mark.parametrize("answer", [3.5, "3", "line 3", [3], (3,), {3}, True, np.nan, np.inf, 1j, object(), b"3", 10**400])
def test_what_is_no_line_is_refused_in_words(exercise, answer):
    result = exercise.judge(answer)
    assert result.verdict == "wrong"
    assert "Give the number of one line" in str(result)


@pytest.mark.parametrize("exercise", LINES, ids=lambda exercise: exercise.id)
@pytest.mark.parametrize("answer", [None, ...])
def test_dots_and_none_are_not_attempted(exercise, answer):
    assert exercise.judge(answer).verdict == NOT_ATTEMPTED


@pytest.mark.parametrize("exercise", CLAIMS, ids=lambda exercise: exercise.id)
def test_every_claim_is_false_and_needs_its_number(exercise):
    claim, number = exercise.reference
    assert claim is False
    assert exercise.judge((False, number)).verdict == CORRECT
    for wrong, words in [
        ((True, number), "."), ((False, None), "needs its proof"), ((False, ...), "needs its proof"), ((False, "many"), "needs"),
        ((False, np.nan), "needs its proof"), ((False, [1, 2, 3]), "needs its proof"),
        ((False, np.ravel(number)[0] + 3), "needs"),
        ((..., number), "True or False"), (("False", number), "without quotes"), ((None, number), "True or False"),
        (False, "Give two things"), ((False,), "Give two things"), ({}, "Give two things"), ("no", "Give two things"),
        ((True, 123.0), "do they agree"), (number, "Give two things"),
    ]:
        result = exercise.judge(wrong)
        assert result.verdict == "wrong", wrong
        assert words in str(result), str(result)
    assert exercise.judge((..., ...)).verdict == NOT_ATTEMPTED


@pytest.mark.parametrize("exercise", CLAIMS, ids=lambda exercise: exercise.id)
def test_no_answer_to_a_claim_is_told_the_number(exercise):
    number = f"{np.ravel(exercise.reference[1])[0]:.6g}"
    for wrong in ((False, 77.0), (True, 77.0), (False, None), 77.0):
        said = str(exercise.judge(wrong)).split("]", 1)[1]
        assert number not in said or exercise.id in ("gradient_checking.m14_claim", "gradient_checking.m17_claim")


def small_network():
    """The network, loss, x and y of the first two claims."""
    rng = np.random.default_rng(8)
    net = Sequential(Linear(4, 5, rng=1), Tanh(), Linear(5, 3, rng=2), Tanh(), Linear(3, 2, rng=3))
    return net, MSE(), rng.normal(0, 1, (6, 4)), rng.normal(0, 1, (6, 2))


def test_the_numbers_of_the_small_network_are_measured():
    net, loss, x, y = small_network()
    assert trace(net, loss, x, y)[1].a.shape == tuple(find("gradient_checking.m14_claim").reference[1])
    before = {name: param.copy() for name, param in net.params.items()}
    loss.forward(net.forward(x), y)
    dx = net.backward(loss.backward())
    assert all(np.array_equal(param, before[name]) for name, param in net.params.items())
    measured = np.abs(dx).max(), np.abs(dx).min(), dx.max(), np.linalg.norm(dx)
    known = claims.LARGEST, claims.SMALLEST, claims.LARGEST_SIGNED, claims.LENGTH
    assert known == pytest.approx(measured, rel=1e-5)
    SGD(net, lr=0.1).step()
    change = max(np.abs(param - before[name]).max() for name, param in net.params.items())
    assert change == pytest.approx(claims.STEP, rel=1e-5)


@pytest.mark.parametrize(("depth", "known"), [(20, claims.RATIO), (10, claims.RATIO_OF_TEN)])
def test_the_ratio_of_a_deep_network_is_measured(depth, known):
    net = Sequential(*(layer for i in range(depth) for layer in (Linear(8, 8, rng=i), Sigmoid())))
    rng = np.random.default_rng(16)
    norms = trace(net, MSE(), rng.normal(0, 1, (32, 8)), rng.uniform(0, 1, (32, 8))).gradient_norms()
    assert norms["0.W"] / norms[f"{2 * depth - 2}.W"] == pytest.approx(known, rel=1e-5)


def test_the_noise_of_mini_batches_is_measured():
    rng = np.random.default_rng(19)
    x = rng.normal(0, 1, (512, 6))
    y = (x @ rng.normal(0, 1, 6) + rng.normal(0, 1, 512) > 0).astype(int)
    layer, loss = Linear(6, 2, rng=4), SoftmaxCrossEntropy()

    def gradient(rows):
        loss.forward(layer.forward(x[rows]), y[rows])
        layer.backward(loss.backward())
        return layer.grads["W"]

    def distances(size):
        return np.array([np.linalg.norm(gradient(slice(i, i + size)) - gradient(slice(None))) for i in range(0, 512, size)])

    one, some, more = (distances(size) for size in (1, 16, 32))
    squared = np.mean(one**2) / np.mean(some**2)
    assert squared == pytest.approx(claims.NOISE_SQUARED, rel=1e-5)
    assert np.sqrt(squared) == pytest.approx(claims.NOISE, rel=1e-5)
    assert np.sqrt(np.mean(one**2) / np.mean(more**2)) == pytest.approx(claims.NOISE_32, rel=1e-5)
    assert one.mean() / some.mean() == pytest.approx(claims.NOISE_MEAN, rel=1e-5)


def test_the_scoreboard_shows_what_is_done():
    assert "0 of 13 located, 0 of 13 repaired, 0 of 6 settled" in repr(scoreboard())
    check("gradient_checking.m1_line", 12)
    check("gradient_checking.m2_line", 1)
    check("gradient_checking.m9_repair", find("gradient_checking.m9_repair").reference)
    check("gradient_checking.m18_claim", (False, 1970))
    shown = repr(scoreboard())
    assert "1 of 13 located, 1 of 13 repaired, 1 of 6 settled" in shown
    rows = {line.split()[0]: line for line in shown.splitlines()}
    assert rows["m1"].endswith(" located  not repaired")
    assert rows["m2"].endswith("not located  not repaired")
    assert rows["m9"].endswith("not located  repaired")
    assert rows["m18"].endswith(" settled")
    html = scoreboard()._repr_html_()
    assert html.count("<tr>") == 19
    assert "Which layer's slope?" in html.replace("&#x27;", "'")
    assert "1 of 13 located" in html
    assert html.count("not settled") == 5
