"""The grading engine against hostile, careless and unusual answers: it judges them all, and says nothing on stderr."""

import ast
import builtins
import dataclasses
import functools
import html
import json
import logging
import pickle
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from course import check, dashboard, hint, progress
from course.catalogue import find
from course.grading import core
from course.grading.core import CORRECT, ERROR, NOT_ATTEMPTED, UNKNOWN, WRONG, Exercise, Mutant
from course.grading.feedback import PRINTED, Result

DOUBLE = Exercise(
    id="test.double",
    title="Double",
    points=2,
    reference=lambda x: 2 * x,
    inputs=lambda rng: (rng.standard_normal((4, 3)),),
    edge_cases=(("a large number", (np.array([[1e300, 1.0]]),)),),
    mutants=(
        Mutant("square", lambda x: x**2, "You squared <x>."),
        Mutant("first-row", lambda x: 2 * x[0], "Only the first row."),
        Mutant("complains", lambda x: 1 / 0, "You divided by zero."),
    ),
    variants={"sum": lambda x: x + x},
    hints=("A nudge.", "The idea."),
)
PAIR = Exercise(
    id="test.pair",
    title="Pair",
    points=1,
    reference=lambda x: (x.sum(), 3 * x),
    inputs=lambda rng: (rng.standard_normal((4, 3)),),
    parts=("total", "triple"),
    mutants=(Mutant("twice", lambda x: (x.sum(), 2 * x), "That is twice x."),),
)
NUMBER = Exercise(id="test.number", title="Number", points=1, reference=np.pi)
STEEP = Mutant("steep", "steep", "Flatter.")
WORD = Exercise(id="test.word", title="Word", points=1, reference="flat", mutants=(STEEP,))


class Hostile:
    """Raises at every look."""

    def __array__(self, *arguments, **options):
        raise RuntimeError("no array")

    def __repr__(self):
        raise RuntimeError("no repr")

    __str__ = __len__ = __float__ = __eq__ = __bool__ = __hash__ = __repr__

    def __getattr__(self, name):
        raise RuntimeError("no attribute")


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no message")


def raising(error):
    def answer(x):
        raise error

    return answer


def endless(x):
    return endless(x)


def generator(x):
    yield 2 * x


async def coroutine(x):
    return 2 * x


def in_place(x):
    x *= 2
    return x


def loud(x):
    print("x" * 100_000)
    return 2 * x


def to_stderr(x):
    print("boo", file=sys.stderr)
    logging.getLogger("answer").error("boo")
    return 2 * x


def warner(x):
    warnings.warn("boo", stacklevel=1)
    np.log(np.zeros(1))
    return 2 * x


def settings(x):
    np.seterr(all="raise")
    warnings.simplefilter("error")
    return 2 * x


def closes_stdout(x):
    sys.stdout.close()
    return 2 * x


def replaces_stdout(x):
    sys.stdout = sys.stderr = None
    return 2 * x


class Callable:
    def __call__(self, x):
        return 2 * x


class Static:
    @staticmethod
    def double(x):
        return 2 * x


BUFFER = np.empty((4, 3))


def buffer(x):
    if x.shape != BUFFER.shape:
        return 2 * x
    BUFFER[...] = 2 * x
    return BUFFER


RIGHT = {
    "lambda": lambda x: 2 * x,
    "partial": functools.partial(np.multiply, 2),
    "partial with names": functools.partial(lambda x, factor: x * factor, factor=2),
    "default": lambda x, factor=2: x * factor,
    "keyword-only": lambda x, *, factor=2: x * factor,
    "star": lambda *arguments: 2 * arguments[0],
    "callable object": Callable(),
    "bound method": Callable().__call__,
    "static method": Static.double,
    "lists": lambda x: [[2 * float(v) for v in row] for row in x],
    "list of rows": lambda x: [2 * row for row in x],
    "Fortran order": lambda x: np.asfortranarray(2 * x),
    "one buffer again and again": buffer,
    "loud": loud,
    "to stderr": to_stderr,
    "warner": warner,
    "settings": settings,
    "closes stdout": closes_stdout,
    "replaces stdout": replaces_stdout,
}

UNUSUAL = {
    "exception": (raising(ValueError("boo")), ERROR, "ValueError: boo"),
    "unprintable exception": (raising(UnprintableError()), ERROR, "UnprintableError"),
    "sys.exit": (lambda x: sys.exit(3), ERROR, "SystemExit: 3"),
    "exit()": (raising(SystemExit()), ERROR, "SystemExit"),
    "an exception of its own kind": (raising(type("Odd", (BaseException,), {})("boo")), ERROR, "boo"),
    "interrupt": (raising(KeyboardInterrupt()), ERROR, "a loop that never ends"),
    "generator exit": (raising(GeneratorExit()), ERROR, "GeneratorExit"),
    "endless recursion": (endless, ERROR, "RecursionError"),
    "stop iteration": (raising(StopIteration(3)), ERROR, "StopIteration"),
    "too few parameters": (lambda: 3, ERROR, "called with 1 argument, and takes ()"),
    "too many parameters": (lambda x, y: x, ERROR, "called with 1 argument, and takes (x, y)"),
    "a class": (type("Answer", (), {"__init__": lambda self, x: setattr(self, "x", x)}), WRONG, "an array of shape (4"),
    "a builtin": (len, WRONG, "should have shape (4, 3)"),
    "a ufunc": (np.exp, WRONG, "entries are wrong"),
    "a ufunc of two": (np.add, ERROR, "takes (x1, x2"),
    "None": (lambda x: print(end=""), WRONG, "Is a return missing?"),
    "text": (lambda x: "2x", WRONG, "it is str '2x'"),
    "complex": (lambda x: 2 * x + 0j, WRONG, "dtype complex128"),
    "ragged": (lambda x: [[1], [2, 3]], WRONG, "it is list"),
    "object array": (lambda x: (2 * x).astype(object), WRONG, "dtype object"),
    "NaN": (lambda x: x * np.nan, WRONG, "It holds nan at [0, 0]"),
    "infinity": (lambda x: x * np.inf, WRONG, "inf"),
    "enormous": (lambda x: np.full_like(x, 1.7e308), WRONG, "entries are wrong"),
    "enormous, negative": (lambda x: -np.full_like(x, 1.7e308), WRONG, "entries are wrong"),
    "transposed": (lambda x: 2 * x.T, WRONG, "It is the transpose"),
    "flat": (lambda x: 2 * x.ravel(), WRONG, "should have shape (4, 3); yours has (12,)"),
    "one more axis": (lambda x: 2 * x[np.newaxis], WRONG, "yours has (1, 4, 3)"),
    "empty": (lambda x: np.empty((0, 3)), WRONG, "yours has (0, 3)"),
    "a number": (lambda x: 2.0, WRONG, "should have shape (4, 3)"),
    "three times": (lambda x: 3 * x, WRONG, "the right one times 1.5"),
    "negative": (lambda x: -2 * x, WRONG, "sign flipped"),
    "zero": (lambda x: 0 * x, WRONG, "zero everywhere"),
    "one entry off": (lambda x: 2 * x + 1e-4 * (x == x[-1, -1]), WRONG, "1 of its 12 entries are wrong"),
    "single precision": (lambda x: (2 * x).astype(np.float16), WRONG, "entries are wrong"),
    "generator": (generator, WRONG, "it is generator"),
    "coroutine": (coroutine, WRONG, "it is coroutine"),
    "a function": (lambda x: lambda y: 2 * y, WRONG, "call it to get its value"),
    "in place": (in_place, WRONG, "your code changes x in place"),
    "hostile value": (lambda x: Hostile(), WRONG, "Hostile"),
    "hostile tuple": (lambda x: (Hostile(),), WRONG, "The result should be"),
    "dictionary": (lambda x: {"y": 2 * x}, WRONG, "it is dict"),
    "not implemented": (raising(NotImplementedError()), NOT_ATTEMPTED, "Nothing here yet"),
    "dots": (lambda x: ..., NOT_ATTEMPTED, "Nothing here yet"),
}


def judged(exercise, answer, capfd):
    """The verdict, with proof that judging changed no setting and left stderr silent."""
    before = np.geterr(), list(warnings.filters), sys.stdout, sys.stderr
    result = exercise.judge(answer)
    assert (np.geterr(), list(warnings.filters), sys.stdout, sys.stderr) == before
    assert capfd.readouterr() == ("", "")
    assert isinstance(result, Result)
    assert float(result) == (exercise.points if result.verdict == CORRECT else 0)
    assert str(result)
    assert len(str(result)) < 3 * PRINTED
    return result


@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT.keys())
def test_right_answers_of_any_form_are_accepted(answer, capfd):
    result = judged(DOUBLE, answer, capfd)
    assert result.verdict == CORRECT, str(result)


@pytest.mark.parametrize(("answer", "verdict", "words"), UNUSUAL.values(), ids=UNUSUAL.keys())
def test_every_answer_gets_a_verdict(answer, verdict, words, capfd):
    result = judged(DOUBLE, answer, capfd)
    assert result.verdict == verdict, str(result)
    assert words in str(result)
    assert result.mutant is None


@pytest.mark.parametrize("make", [Hostile, lambda: 3, lambda: "text", lambda: [1, 2], lambda: np.ones(3), object])
def test_what_is_no_function_is_told_to_be_one(make, capfd):
    result = judged(DOUBLE, make(), capfd)
    assert (result.verdict, result.mutant) == (WRONG, None)
    assert "expects your function itself, without a call" in str(result)


def documented(x):
    """Twice x."""


def passing(x):
    pass


def dotted(x):
    ...


class Empty:
    """Nothing."""


class EmptyMethods:
    def __init__(self, x):
        self.x = x

    def forward(self, x):
        """The output."""


@pytest.mark.parametrize("stub", [..., None, documented, passing, dotted, lambda x: None, Empty, EmptyMethods])
def test_stubs_are_not_attempted(stub, capfd):
    result = judged(DOUBLE, stub, capfd)
    assert result.verdict == NOT_ATTEMPTED, str(result)
    assert "Nothing here yet" in str(result)


def test_a_class_with_only_an_init_or_a_static_method_is_an_attempt(capfd):
    for answer in (Static, UNUSUAL["a class"][0]):
        assert judged(DOUBLE, answer, capfd).verdict != NOT_ATTEMPTED


@pytest.mark.parametrize(
    ("answer", "mutant"),
    [
        (lambda x: np.square(x), "square"),
        (lambda x: [list(row) for row in x * x], "square"),
        (lambda x: 2 * x[0], "first-row"),
        (lambda x: [2 * v for v in x[0]], "first-row"),
        (lambda x: 1 / 0, "complains"),
        (raising(ZeroDivisionError("another message, another mistake")), None),
        (raising(ValueError("division by zero")), None),
        (lambda x: np.square(x) if x.shape == (4, 3) else x, None),  # the same wrong numbers, but not everywhere
    ],
)
def test_mistakes_are_recognised_by_what_they_give(answer, mutant, capfd):
    result = judged(DOUBLE, answer, capfd)
    assert result.mutant == mutant
    if mutant:
        assert next(m.message for m in DOUBLE.mutants if m.name == mutant) in str(result)
        assert "Tried with random numbers: x of shape (4, 3)." in result.details


def test_only_the_learners_own_lines_are_shown(capfd):
    def helper(x):
        return np.linalg.norm(x, ord="boo")

    result = judged(DOUBLE, lambda x: helper(x), capfd)
    assert "of helper:  return np.linalg.norm" in str(result)
    for hidden in ("core.py", "_outcome", "numpy/", "_linalg"):
        assert hidden not in str(result)


def test_a_long_recursion_is_cut_short(capfd):
    text = str(judged(DOUBLE, endless, capfd))
    assert text.count("return endless(x)") <= 6
    assert "more calls)" in text


def test_a_long_error_message_is_cut_short(capfd):
    assert "(and more)" in str(judged(DOUBLE, raising(ValueError("x" * 10**6)), capfd))


def test_what_was_printed_is_shown_and_cut_short(capfd):
    assert judged(DOUBLE, loud, capfd).printed == "x" * PRINTED + "\n(and more)"
    assert judged(DOUBLE, lambda x: print("x" * (PRINTED - 1)), capfd).printed == "x" * (PRINTED - 1) + "\n"
    assert "Your code printed:\nhello" in str(judged(DOUBLE, lambda x: print("hello"), capfd))


def test_the_worst_entry_is_named_with_both_numbers(capfd):
    def answer(x):
        y = 2 * x
        y[1, 2] += 1e-3
        y[0, 1] = y[0, 1] + 5.0 if len(y) == 4 else y[0, 1]
        return y

    ones = dataclasses.replace(DOUBLE, inputs=lambda rng: (np.arange(1.0, 13.0).reshape(4, 3),))
    words = "2 of its 12 entries are wrong. The worst is [0, 1]: it should be 4; yours is 9."
    assert words in str(judged(ones, answer, capfd))


@pytest.mark.parametrize(("scale", "gap", "verdict"), [(1e6, 1e-4, CORRECT), (1e6, 1e-2, WRONG), (1e-6, 1e-12, WRONG)])
def test_nearly_zero_is_judged_on_the_scale_of_the_array(scale, gap, verdict, capfd):
    cancelling = dataclasses.replace(
        DOUBLE, reference=lambda x: scale * np.array([x[0, 0], 0.0]), inputs=lambda rng: (np.ones((4, 3)),), edge_cases=()
    )
    assert judged(cancelling, lambda x: np.array([scale, gap]), capfd).verdict == verdict


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_every_entry_is_judged_relative_to_itself(size, capfd):
    sized = dataclasses.replace(DOUBLE, inputs=lambda rng: (size * rng.uniform(1, 2, (4, 3)),), edge_cases=())
    assert judged(sized, lambda x: 2 * x * (1 + 5e-7), capfd).verdict == CORRECT
    assert judged(sized, lambda x: 2 * x * (1 + 2e-6), capfd).verdict == WRONG


def test_arguments_without_names_are_counted(capfd):
    def answer(x, y):
        y *= 2
        return x * y / 2

    nameless = dataclasses.replace(
        DOUBLE,
        reference=lambda *arguments: arguments[0] * arguments[1],
        inputs=lambda rng: (rng.standard_normal((4, 3)), rng.standard_normal((4, 3))),
        edge_cases=(),
    )
    text = str(judged(nameless, answer, capfd))
    assert "argument 1 of shape (4, 3), argument 2 of shape (4, 3)" in text
    assert "your code changes argument 2 in place" in text


def test_one_interrupt_ends_the_check(capfd):
    calls = []

    def answer(x):
        calls.append(x)
        raise KeyboardInterrupt

    judged(DOUBLE, answer, capfd)
    assert len(calls) == 1


def test_the_learners_arrays_are_copies(capfd):
    seen = []

    def answer(x):
        seen.append(x)
        return 2 * x

    judged(DOUBLE, answer, capfd)
    for x in seen:
        x[...] = 0
    assert judged(DOUBLE, lambda x: 2 * x, capfd).verdict == CORRECT
    assert judged(DOUBLE, lambda x: 0 * x, capfd).verdict == WRONG


def test_the_usual_inputs_never_change_and_a_seed_changes_them():
    def inputs(seed=None):
        seen = []
        DOUBLE.judge(lambda x: seen.append(x) or 2 * x, seed)
        return np.concatenate([x.ravel() for x in seen])

    assert np.array_equal(inputs(), inputs())
    assert not np.array_equal(inputs(), inputs(1))
    assert np.array_equal(inputs(1), inputs(1))
    assert len(inputs()) == 3 * 12 + 2


def test_a_patched_numpy_is_not_blamed_on_the_learner(monkeypatch, capfd):
    fragile = Exercise(id="test.fragile", title="", points=1, reference=lambda x: np.tanh(x), inputs=DOUBLE.inputs)
    monkeypatch.setattr(np, "tanh", 3)
    result = judged(fragile, lambda x: x, capfd)
    assert result.verdict == ERROR
    assert "Restart the kernel" in str(result)
    assert "int" in result.details


def test_print_replaced_during_a_call(monkeypatch, capfd):
    def answer(x):
        monkeypatch.setattr(builtins, "print", None)
        return 2 * x

    assert judged(DOUBLE, answer, capfd).verdict == CORRECT


@pytest.mark.parametrize(
    ("answer", "verdict", "mutant", "words"),
    [
        (lambda x: (x.sum(), 3 * x), CORRECT, None, ""),
        (lambda x: [x.sum(), 3 * x], CORRECT, None, ""),
        (lambda x: (x.sum(), 2 * x), WRONG, "twice", "That is twice x."),
        (lambda x: [x.sum(), 2 * x], WRONG, "twice", "That is twice x."),
        (lambda x: (x.sum(), -3 * x), WRONG, None, "triple has the right shape"),
        (lambda x: (x.sum() + 1, 3 * x), WRONG, None, "total should be"),
        (lambda x: (x.sum(), None), WRONG, None, "triple is None"),
        (lambda x: (x.sum(),), WRONG, None, "2 things (total, triple); yours are 1"),
        (lambda x: 3 * x, WRONG, None, "2 things (total, triple); it is an array"),
        (lambda x: None, NOT_ATTEMPTED, None, ""),
        (lambda x: (..., ...), NOT_ATTEMPTED, None, ""),
        (lambda x: (x.sum(), ...), WRONG, None, "still `...`"),
    ],
)
def test_results_in_parts(answer, verdict, mutant, words, capfd):
    result = judged(PAIR, answer, capfd)
    assert (result.verdict, result.mutant) == (verdict, mutant), str(result)
    assert words in str(result)


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (np.pi, CORRECT, ""),
        (np.float64(np.pi), CORRECT, ""),
        (np.array(np.pi), CORRECT, ""),
        (3.1416, WRONG, "should be 3.14159; yours is 3.1416"),
        (np.array([np.pi]), WRONG, "shape"),
        (np.nan, WRONG, "nan"),
        (3 + 1j, WRONG, "complex"),
        ("3.14", WRONG, "should be a number; it is str '3.14'"),
        (lambda: np.pi, WRONG, "given a function"),
        (..., NOT_ATTEMPTED, "Nothing here yet"),
        ([...], NOT_ATTEMPTED, "Nothing here yet"),
        ([], WRONG, "should have shape ()"),
        (None, NOT_ATTEMPTED, "Nothing here yet"),
    ],
)
def test_values(answer, verdict, words, capfd):
    result = judged(NUMBER, answer, capfd)
    assert result.verdict == verdict, str(result)
    assert words in str(result)


def test_a_hostile_value(capfd):
    for exercise in (NUMBER, WORD, PAIR):
        result = judged(exercise, Hostile(), capfd)
        assert result.verdict == WRONG
        assert "Hostile" in str(result)


@pytest.mark.parametrize(
    ("answer", "verdict", "mutant"),
    [
        ("flat", CORRECT, None),
        (" Flat\n", CORRECT, None),
        ("STEEP", WRONG, "steep"),
        ("x" * 10**5, WRONG, None),
        (3, WRONG, None),
    ],
)
def test_words(answer, verdict, mutant, capfd):
    result = judged(WORD, answer, capfd)
    assert (result.verdict, result.mutant) == (verdict, mutant)


def test_a_result_is_shown_as_its_points_and_as_a_card():
    data, _ = DisplayFormatter().format(DOUBLE.judge(lambda x: 2 * x))
    assert data["text/plain"] == "2.0"
    assert float(data["text/plain"]) == 2
    assert "Correct: 2 of 2 points" in data["text/html"]
    for answer in (lambda x: 3 * x, lambda x: x**2, raising(ValueError("boo")), ..., Hostile()):
        data, _ = DisplayFormatter().format(DOUBLE.judge(answer))
        assert data["text/plain"] == "0.0"
        assert "0 of 2 points" in data["text/html"]


def test_prose_is_set_as_prose_and_numbers_as_they_stand():
    square = DOUBLE.judge(lambda x: x**2)._repr_html_()
    assert re.search(r"<p [^>]*>You squared &lt;x&gt;\.</p>.*<pre [^>]*>Tried with random numbers", square, re.DOTALL)
    assert re.search(r"<p [^>]*>Nothing here yet", DOUBLE.judge(...)._repr_html_())
    assert re.search(r"<pre [^>]*>Tried with random numbers", DOUBLE.judge(lambda x: 3 * x)._repr_html_())


def test_cards_escape_what_they_show():
    def answer(x):
        print("<script>print</script>")
        raise ValueError("<script>raise</script>")

    attempts = [answer, lambda x: "<script>text</script>", lambda x: x**2]
    for card in [DOUBLE.judge(attempt)._repr_html_() for attempt in attempts] + [check("<script>", 1)._repr_html_()]:
        assert "<script" not in card
        assert "&lt;" in card


@pytest.mark.parametrize("id", ["start_here.twise", "", "nothing", 3, None, ["start_here.twice"], {}, len])
def test_an_unknown_exercise_is_said_and_not_raised(id, capfd, progress_file):
    result = check(id, lambda x: 2 * x)
    data, _ = DisplayFormatter().format(result)
    assert (data["text/plain"], result.verdict, result.available) == ("0.0", UNKNOWN, 0)
    for shown in (str(result), html.unescape(data["text/html"]), repr(hint(id)), html.unescape(hint(id)._repr_html_())):
        assert "No such exercise" in shown
        assert f"There is no exercise {id!r}. " in shown
        assert "Did you mean '" in shown or "The check cells have their ids, such as '" in shown
        assert "Not attempted" not in shown
        assert "points" not in shown.replace(str(id), "")
    assert capfd.readouterr().err == ""
    assert not progress_file.exists()
    with pytest.raises(KeyError):
        find(id)


def test_a_mistyped_id_gets_the_nearest():
    assert "Did you mean 'start_here.twice'" in check("start_here.twise", 3).message


def test_an_example_is_judged_and_not_kept(progress_file):
    """What a lesson shows as an example is not the learner's: no points, no attempt, no day, no stand-in."""
    for answer, verdict in ((documented, NOT_ATTEMPTED), (np.square, WRONG), (lambda x: 2 * x, CORRECT)):
        result = check("start_here.twice", answer, keep=False)
        assert (result.verdict, result.onward) == (verdict, "")
    assert "Hint 1 of 2" in repr(hint("start_here.twice", keep=False))
    assert not progress_file.exists()
    assert "Days in a row: none yet" in repr(dashboard())
    assert "tried" not in repr(progress())
    assert "No such exercise" in str(check("start_here.twise", 3, keep=False))


def kept(source):
    """The checks and hints of a cell that count as a learner's own."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [ast.unparse(call) for call in calls if ast.unparse(call.func) in ("check", "hint")
            and not any(word.arg == "keep" and ast.unparse(word.value) == "False" for word in call.keywords)]


def test_running_a_lesson_is_no_work_of_the_learner():
    asked = {}
    for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb")):
        cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
        asked[path.name] = [call for cell in cells for call in kept("".join(cell["source"]))]
    assert not {name: calls for name, calls in asked.items() if calls}
    assert kept("check('start_here.twice', f)\nhint('start_here.twice', keep=False)") == ["check('start_here.twice', f)"]


def test_a_check_of_one_s_own_counts_wherever_it_stands(monkeypatch, tmp_path):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    check("start_here.twice", np.square)
    assert "tried" in repr(progress())
    assert "Days in a row: 1" in repr(dashboard())


def test_an_example_is_no_review(monkeypatch):
    check("start_here.twice", lambda x: 2 * x)
    day = sys.modules["course.grading.progress"].today()
    monkeypatch.setattr(sys.modules["course.grading.progress"], "today", lambda: day + 1)
    assert check("start_here.twice", np.square, keep=False).notes == []
    assert "This was a review" in str(check("start_here.twice", np.square))


@pytest.mark.parametrize(("number", "shown"), [(1, 1), (2, 2), (99, 2), (0, 1), (-5, 1), ("2", 1), (None, 1), (2.0, 1)])
def test_hints_come_in_order(number, shown):
    given = hint("start_here.twice", number)
    assert repr(given).startswith(f"Hint {shown} of 2. ")
    more = f'More help: hint("start_here.twice", {shown + 1})'
    assert (more in repr(given)) == (more in html.unescape(given._repr_html_())) == (shown < 2)
    data, _ = DisplayFormatter().format(given)
    assert set(data) == {"text/plain", "text/html"}


def test_progress_after_checks():
    check("start_here.twice", ...)
    assert "to do" in repr(progress())
    check("start_here.twice", lambda x: x)
    assert "tried" in repr(progress())
    check("start_here.twice", lambda x: 2 * x)
    check("start_here.twice", lambda x: x)
    assert "done " in repr(progress())
    assert "done" in progress()._repr_html_()
    assert "1 of 1  Your first line" in repr(progress())


def test_the_last_resort_is_a_verdict(monkeypatch, capfd):
    monkeypatch.setattr(core, "difference", lambda *arguments: 1 / 0)
    result = judged(DOUBLE, lambda x: 2 * x, capfd)
    assert result.verdict == ERROR
    assert "could not be judged: looking at it raised ZeroDivisionError" in str(result)


def test_a_tuple_inside_a_tuple_is_compared_part_by_part():
    expected = (1.0, (2.0, 3.0))
    exercise = Exercise("mini.nested", "Nested", 1, expected, parts=("the loss", "the pair"))
    assert exercise.judge((1.0, (2.0, 3.0))).verdict == CORRECT
    assert "Number 2 of the results should be 3; yours is 4." in str(exercise.judge((1.0, (2.0, 4.0))))
    assert "the pair" not in str(exercise.judge((1.5, (2.0, 4.0))))


def test_infinity_is_equal_to_itself_only():
    exercise = Exercise("mini.far", "Far", 1, np.array([1.0, np.inf]))
    assert exercise.judge(np.array([1.0, np.inf])).verdict == CORRECT
    for wrong in ([1.0, 2.0], [1.0, -np.inf], [1.0, np.nan]):
        assert exercise.judge(np.array(wrong)).verdict == WRONG


def test_a_wrong_text_among_several_is_named():
    exercise = Exercise("mini.words", "Words", 1, ("yes", "no"), parts=("First:", "Second:"))
    assert "Second: 'yes' is not it." in str(exercise.judge(("yes", "yes")))


def test_a_result_survives_the_way_to_another_process():
    result = find("neuron.sigmoid").judge(lambda z: z)
    other = pickle.loads(pickle.dumps(result))
    assert float(other) == float(result)
    assert str(other) == str(result)
    assert vars(other) == vars(result)
