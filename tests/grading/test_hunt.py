"""The bug hunt: the programs that the notebook prints are those the grader knows, and no message gives a line away."""

import re
from pathlib import Path

import numpy as np
import pytest

from bplib import Sigmoid, Softmax
from bplib.grading import check, find, hunt, scoreboard
from bplib.grading.core import CORRECT, NOT_ATTEMPTED

SOURCE = Path(__file__).parents[2] / "chapters" / "08_gradient_checking" / "exercises.md"
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
    exercise = find(f"hunt.{bug}_line")
    lines = program(bug).splitlines()
    assert CAUSES[bug] in lines[exercise.reference - 1]
    assert f"from 1 to {len(lines)}" in str(exercise.judge(len(lines) + 1))
    assert all(1 <= mutant.answer <= len(lines) for mutant in exercise.mutants)


@pytest.mark.parametrize("bug", CAUSES)
def test_the_printed_program_is_recognised_as_unrepaired(bug):
    result = find(f"hunt.{bug}_repair").judge(function(bug))
    assert result.mutant == "unrepaired", str(result)


@pytest.mark.parametrize("exercise", LINES, ids=lambda exercise: exercise.id)
def test_only_one_line_is_right_and_none_is_given_away(exercise):
    for number in range(-3, 60):
        result = exercise.judge(number)
        assert (result.verdict == CORRECT) == (number == exercise.reference)
        for text in (result.message, result.details):
            assert not re.search(rf"\b[Ll]ine {exercise.reference}\b(?!, however)", text) or exercise.id == "hunt.m13_line"


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
        assert number not in str(exercise.judge(wrong)).split("]", 1)[1] or exercise.id in ("hunt.m14_claim", "hunt.m17_claim")


def test_the_scoreboard_shows_what_is_done():
    assert "0 of 13 located, 0 of 13 repaired, 0 of 6 settled" in repr(scoreboard())
    check("hunt.m1_line", 12)
    check("hunt.m2_line", 1)
    check("hunt.m9_repair", find("hunt.m9_repair").reference)
    check("hunt.m18_claim", (False, 1970))
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
