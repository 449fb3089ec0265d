"""One mistake costs its own points only: for an earlier answer that is not right, the course's own stands in, and says so."""

import builtins

import pytest

from course import check, yours_or_reference
from course.catalogue import find
from course.grading import standin

RIGHT_STEP = """
def step(x, y, w, b, lr):
    dw, db = gradient(x, y, w, b)
    return w - lr * dw, b - lr * db
"""
VIA_HELPER = """
def helper(*arguments):
    return [(lambda: gradient(*arguments))() for _ in range(1)][0]

def step(x, y, w, b, lr):
    dw, db = helper(x, y, w, b)
    return w - lr * dw, b - lr * db
"""
STUB = '''
def gradient(x, y, w, b):
    """dL/dw and dL/db."""
'''
SAID = "Your gradient is not right yet, so this check ran with the course's own instead."


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(standin, "_last", {})


def notebook(*sources):
    """The names of a notebook after some cells."""
    names = {"__builtins__": builtins}
    for source in sources:
        exec(source, names)
    return names


@pytest.mark.parametrize("source", [RIGHT_STEP, VIA_HELPER])
@pytest.mark.parametrize("wrong", ["stub", *[mutant.name for mutant in find("gradient_descent.gradient").mutants]])
def test_a_wrong_earlier_answer_costs_nothing_later(source, wrong):
    names = notebook(STUB, source)
    if wrong != "stub":
        names["gradient"] = next(m.answer for m in find("gradient_descent.gradient").mutants if m.name == wrong)
    before = names["gradient"]
    assert float(check("gradient_descent.gradient", names["gradient"])) == 0
    result = check("gradient_descent.step", names["step"])
    assert result.verdict == "correct", str(result)
    assert SAID in str(result)
    assert "course&#x27;s own" in result._repr_html_()
    assert names["gradient"] is before


def test_where_everything_is_right_nothing_stands_in():
    names = notebook(RIGHT_STEP)
    names["gradient"] = find("gradient_descent.gradient").reference
    check("gradient_descent.gradient", names["gradient"])
    assert check("gradient_descent.step", names["step"]).notes == []


def test_a_wrong_answer_stays_wrong_and_is_named():
    names = notebook(STUB, RIGHT_STEP.replace("w - lr", "w + lr").replace("b - lr", "b + lr"))
    check("gradient_descent.gradient", names["gradient"])
    result = check("gradient_descent.step", names["step"])
    assert float(result) == 0
    assert result.mutant
    assert SAID in str(result)


def test_only_what_was_checked_as_it_is_now_is_replaced():
    names = notebook(STUB, RIGHT_STEP)
    assert check("gradient_descent.step", names["step"]).verdict == "error", "nothing is known about gradient yet"
    check("gradient_descent.gradient", names["gradient"])
    names["gradient"] = lambda x, y, w, b: (0.0, 0.0)  # written anew, and not checked yet
    assert SAID not in str(check("gradient_descent.step", names["step"]))
    assert SAID not in str(check("gradient_descent.step", lambda x, y, w, b, lr: (w, b))), "it does not use gradient"


def test_a_parameter_or_an_attribute_of_the_same_name_is_another_thing():
    names = notebook(STUB, "def step(x, gradient): return x.gradient, gradient\n", "def other(x): return x.gradient\n")
    check("gradient_descent.gradient", names["gradient"])
    for answer in (names["step"], names["other"]):
        with standin.standing_in("gradient_descent.step", answer) as replaced:
            assert replaced == []


def test_a_chain_of_answers():
    names = notebook(STUB, RIGHT_STEP, """
def descend(x, y, lr, steps):
    w = b = 0.0
    for _ in range(steps):
        w, b = step(x, y, w, b, lr)
    return w, b
""")
    for id, name in (("gradient", "gradient"), ("step", "step"), ("descend", "descend")):
        result = check(f"gradient_descent.{id}", names[name])
    assert result.verdict == "correct", str(result)
    assert SAID in str(result), "step is right, gradient is not"


@pytest.mark.parametrize("answer", [3, "text", ..., None, len, print, int, type("Odd", (), {"f": 3}), [STUB]])
def test_odd_answers_are_no_trouble(answer):
    check("gradient_descent.gradient", answer)
    check("gradient_descent.step", answer)
    with standin.standing_in("gradient_descent.step", answer) as names:
        assert names == []


def test_what_was_interrupted_does_not_begin_again():
    calls = []

    def interrupt():
        calls.append(1)
        raise KeyboardInterrupt

    names = notebook(STUB, "def step(x, y, w, b, lr):\n    interrupt()\n    return gradient(x, y, w, b)\n")
    names["interrupt"] = interrupt
    check("gradient_descent.gradient", names["gradient"])
    assert "You stopped the check" in str(check("gradient_descent.step", names["step"]))
    assert len(calls) == 1


def test_names_come_back_whatever_happens():
    names = notebook(STUB, RIGHT_STEP)
    check("gradient_descent.gradient", names["gradient"])

    def interrupted():
        with standin.standing_in("gradient_descent.step", names["step"]):
            assert names["gradient"] is find("gradient_descent.gradient").reference
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names["gradient"].__doc__ == "dL/dw and dL/db."


def test_a_cell_after_the_check_runs_with_yours_or_with_the_reference(capsys):
    own = notebook(STUB)["gradient"]
    reference = find("gradient_descent.gradient").reference
    assert yours_or_reference("gradient_descent.gradient", own) is reference
    assert "Your gradient is not right yet: here runs the course's own." in capsys.readouterr().out

    def mine(*arguments):
        return reference(*arguments)

    assert yours_or_reference("gradient_descent.gradient", mine) is mine
    assert "Here runs your own mine." in capsys.readouterr().out
    assert yours_or_reference("gradient_descent.gradient", ...) is reference
