"""An exercise knows the right answer, and it knows the wrong ones that people give.

A learner's answer is run on random inputs, together with the reference. If the results differ, the wrong answers that we
know, the *mutants*, are run on the same inputs: the one that gives the same wrong results tells the learner which mistake
it was. The same mutants test the grader: each must be rejected, and recognised by its name. The *variants* are right
answers of unusual form: each must be accepted.
"""
import contextlib
import copy
import dis
import inspect
import io
import traceback
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MethodType

import numpy as np

from course.grading.compare import difference, same
from course.grading.feedback import Result, learner_lines

CORRECT, WRONG, ERROR, NOT_ATTEMPTED, UNKNOWN = "correct", "wrong", "error", "not attempted", "unknown"
RANDOM_CASES = 3
GIVEN = ("builtins", "abc", "bplib", "course")  # packages whose classes a stub may derive from
# What Python itself puts into a class in which nothing stands.
AUTOMATIC = {"__module__", "__dict__", "__weakref__", "__doc__", "__firstlineno__", "__static_attributes__",
             "__abstractmethods__", "_abc_impl"}


@dataclass(frozen=True)
class Mutant:
    """A wrong answer that people give: its `name`, the answer itself, and the `message` that tells them what happened."""

    name: str
    answer: object
    message: str


@dataclass(frozen=True)
class Exercise:
    """One graded task.

    Attributes
    ----------
    id : "chapter.name", such as "neuron.weighted_sum"; the first half is the module that holds the exercise.
    title : a few words, for the progress table.
    points : what a right answer earns.
    reference : the right answer, a function (or a class), or a value: a number, a string, an array, a tuple or dict of these.
    inputs : a function rng -> tuple of arguments, for answers that are called. Random numbers everywhere, at least three
        examples in a batch, all widths different, no zeros: what bugs survive depends only on the inputs.
    edge_cases : pairs (label, arguments), such as ("logits of 10,000", (...)): tried after the random inputs.
    mutants, variants : wrong answers with their messages; right answers of unusual form, by name.
    hints : from a nudge to the idea of the solution (never its code).
    parts : names for the entries of a result that is a tuple, such as ("dW", "db", "dx").
    explain : for answers of several numbers, answer -> words with a line for each wrong one; in place of the usual words.
    picture : for an answer that is a dict, answer -> HTML that shows it, under the verdict.
    run : how to call the answer, (answer, *arguments) -> result; for classes and other special cases.
    rtol : relative tolerance for each entry. within : for estimates, how far a number may be off.
    shown : what somebody with the right answer now has or knows, a sentence; by default what the answer was tried with.
    beside : does `run` need the answer itself, because it works with layers or classes, which do not cross a border between
        processes? A judge of submissions then lets it run beside the answer.
    """

    id: str
    title: str
    points: float
    reference: object
    inputs: Callable | None = None
    edge_cases: tuple = ()
    mutants: tuple = ()
    variants: dict = field(default_factory=dict)
    hints: tuple = ()
    parts: tuple = ()
    explain: Callable | None = None
    picture: Callable | None = None
    run: Callable | None = None
    rtol: float = 1e-6
    within: float = 0.0
    shown: str = ""
    beside: bool = False

    def judge(self, answer, seed=None):
        """The verdict on an answer, as a `Result`. Never raises, whatever the answer does.

        Parameters
        ----------
        answer : the learner's function, class or value.
        seed : for other random inputs than the usual ones, which depend on the exercise's id only.
        """
        try:
            with _quiet():
                result = self._judge(answer, seed)
                if self.picture is not None and result.verdict in (CORRECT, WRONG) and isinstance(answer, dict):
                    result.picture = self.picture(answer)
                return result
        except Exception as problem:  # an object can misbehave wherever it is looked at
            return self._result(ERROR, "This answer could not be judged: looking at it raised "
                                       f"{type(problem).__name__}. Return plain numbers or NumPy arrays.")

    def _judge(self, answer, seed):
        if _blank(answer) or answer is None:
            return self._result(NOT_ATTEMPTED, "Nothing here yet. Replace the dots by your answer, run the cell, "
                                               "then check again.")
        words = self._wrong_kind(answer)
        if words:
            return self._result(WRONG, words)

        cases = self._cases(seed)
        expected = [self._outcome(self.reference, arguments) for _, arguments in cases]
        for right in expected:
            if right.error is not None:
                return self._result(ERROR, "The course's own solution stopped with an error, so something that it uses "
                                           "was changed. Restart the kernel, run your cells again, then check again.",
                                    "".join(traceback.format_exception_only(right.error)).strip())

        outcomes = []
        for _, arguments in cases:
            outcomes.append(self._outcome(answer, arguments))
            if isinstance(outcomes[-1].error, KeyboardInterrupt):  # one interrupt ends a loop that never ends, not three
                return self._result(ERROR, learner_lines(outcomes[-1].error, answer, arguments))
        printed = outcomes[0].printed
        if self.called and _untouched(answer, outcomes[0]):
            return self._result(NOT_ATTEMPTED, "Nothing here yet. Write your code in the cell above, run it, "
                                               "then check again.")

        for case, outcome, right in zip(cases, outcomes, expected):
            words = self._complaint(answer, case, outcome, right)
            if words:
                mutant = self._recognise(cases, outcomes)
                verdict = ERROR if outcome.error is not None else WRONG
                if mutant is not None:
                    return self._result(verdict, mutant.message, words, printed, mutant.name)
                return self._result(verdict, words, "", printed)
        return self._result(CORRECT, self.shown or self._tried(), "", printed)

    def _result(self, verdict, message, details="", printed="", mutant=None):
        return Result(self.id, verdict, self.points if verdict == CORRECT else 0, self.points, message, details, printed, mutant)

    def _tried(self):
        """What a right answer was tried on, and how many mistakes would have shown there, in a sentence."""
        count, labels = len(self.mutants), [label for label, _ in self.edge_cases]
        mistakes = f"each of the {count} known mistakes" if count > 1 else "the one known mistake"
        if not self.called:
            return f"Right, and {mistakes} gives something else." if count else ""
        tried = f"Right on {RANDOM_CASES} random inputs"
        if labels:
            tried += f" and on {len(labels)} special ones" if len(labels) > 1 else " and on a special one"
            tried += f" ({'; '.join(labels)})" if len(labels) <= 2 else ""
        return f"{tried}, where {mistakes} would have shown." if count else f"{tried}."

    @property
    def called(self):
        """Is the answer something to call, rather than a value?"""
        return self.inputs is not None

    def _wrong_kind(self, answer):
        if self.called and not callable(answer):
            return f"This check expects your function itself, without a call; it was given {type(answer).__name__}."
        if not self.called and callable(answer):
            return "This check expects a value; it was given a function. Call it, and check what it returns."
        return None

    def _cases(self, seed):
        if not self.called:
            return [("", ())]
        rng = np.random.default_rng(zlib.crc32(self.id.encode()) if seed is None else seed)
        return [("random numbers", self.inputs(rng)) for _ in range(RANDOM_CASES)] + list(self.edge_cases)

    def _outcome(self, answer, arguments):
        """Run an answer on copies of the arguments; whatever happens is written down, nothing escapes."""
        if not self.called:
            return Outcome(answer)
        mine = copy.deepcopy(arguments)
        out = io.StringIO()
        with _quiet(out):
            try:
                value, error = _snapshot((self.run or _call)(answer, *mine)), None
            except BaseException as raised:  # also SystemExit and KeyboardInterrupt: exit() must not end the notebook
                value, error = None, raised
        changed = next((i for i, (a, b) in enumerate(zip(arguments, mine))
                        if isinstance(a, np.ndarray) and not _unchanged(a, b)), None)
        return Outcome(value, error, changed, "" if out.closed else out.getvalue())

    def _complaint(self, answer, case, outcome, right):
        label, arguments = case
        given = f"Tried with {label}: {_shapes(self.reference, arguments)}.\n" if self.called else ""
        if outcome.error is not None:
            return given + learner_lines(outcome.error, answer, arguments)
        words = difference(outcome.value, right.value, self.rtol, self.parts, self.within)
        if words and self.explain is not None and isinstance(outcome.value, type(right.value)):
            words = self.explain(outcome.value) or words
        if words:
            return given + words
        if outcome.changed is not None:
            name = _names(self.reference, arguments)[outcome.changed]
            return (f"{given}The result is right, but your code changes {name} in place, "
                    "so whoever calls it loses their data. Compute a new array instead.")
        return None

    def _recognise(self, cases, outcomes):
        for mutant in self.mutants:
            theirs = (self._outcome(mutant.answer, arguments) for _, arguments in cases)
            if all(outcome.same_as(other) for outcome, other in zip(outcomes, theirs)):
                return mutant
        return None


@dataclass(frozen=True)
class Outcome:
    """What one call gave: a value or an error, the place of an argument that it changed, and what it printed."""

    value: object = None
    error: BaseException | None = None
    changed: int | None = None
    printed: str = ""

    def same_as(self, other):
        """Did both calls give the same value, or stop with the same error?"""
        if self.error is not None or other.error is not None:
            return _said(self.error) == _said(other.error)
        return self.changed == other.changed and same(self.value, other.value)


def _call(answer, *arguments):
    return answer(*arguments)


@contextlib.contextmanager
def _quiet(out=None):
    """No warning, nothing on stderr, and NumPy's error settings as they come; print goes to `out`, or nowhere."""
    with (warnings.catch_warnings(), np.errstate(all="ignore"),
          contextlib.redirect_stdout(out or io.StringIO()), contextlib.redirect_stderr(io.StringIO())):
        warnings.simplefilter("ignore")
        yield


def _snapshot(value):
    # A function that fills one array again and again would change what it returned before.
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) is dict:
        return {key: _snapshot(part) for key, part in value.items()}
    return type(value)(map(_snapshot, value)) if type(value) in (tuple, list) else value


def _said(error):
    return type(error), "".join(traceback.format_exception_only(error)) if error is not None else None


def _blank(value):
    parts = value.values() if type(value) is dict else value if type(value) in (tuple, list) else ()
    return value is ... or (len(parts) > 0 and all(part is ... for part in parts))


def _unchanged(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _untouched(answer, outcome):
    """Is this still the stub? A body that does nothing, or one that says it is not implemented."""
    if isinstance(outcome.error, NotImplementedError) or _blank(outcome.value):
        return True
    if not isinstance(answer, type):
        return _does_nothing(answer)
    own = _written(answer)
    # A class stub may come with its __init__ written; where there is nothing else, __init__ is what counts.
    parts = [part for name, part in own.items() if name != "__init__"] or list(own.values())
    return all(map(_does_nothing, parts))


def _written(answer):
    """What stands in a class, and in those of its bases that are the learner's too, by name."""
    found = {}
    for cls in reversed(answer.__mro__):
        if cls is answer or cls.__module__.partition(".")[0] not in GIVEN:
            found |= {name: part for name, part in vars(cls).items() if name not in AUTOMATIC and part is not None}
    return found


def _does_nothing(thing):
    """Is it a function whose body gives nothing, or a property or a method of such? All else was written by somebody."""
    if isinstance(thing, staticmethod | classmethod | MethodType):
        return _does_nothing(thing.__func__)
    if isinstance(thing, property):
        return all(map(_does_nothing, filter(None, (thing.fget, thing.fset, thing.fdel))))
    if not inspect.isfunction(thing):
        return thing is ...
    steps = [step for step in dis.get_instructions(thing) if step.opname not in ("RESUME", "NOP")]
    constant = all(step.opname in ("LOAD_CONST", "RETURN_CONST", "RETURN_VALUE") for step in steps)
    return constant and all(step.argval in (None, ...) for step in steps if "CONST" in step.opname)


def _names(reference, arguments):
    try:
        names = list(inspect.signature(reference).parameters)
    except (TypeError, ValueError):
        names = []
    return names if len(names) == len(arguments) else [f"argument {i + 1}" for i in range(len(arguments))]


def _shapes(reference, arguments):
    return ", ".join(f"{name} of shape {value.shape}" if isinstance(value, np.ndarray) and value.ndim
                     else f"{name} = {value:.4g}" if isinstance(value, float) else f"{name} = {value!r}"
                     for name, value in zip(_names(reference, arguments), arguments))
