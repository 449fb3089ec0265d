"""The exercises: `check` an answer, ask for a `hint`, look at your `progress`."""
import difflib
from importlib import import_module

from bplib.grading.core import NOT_ATTEMPTED, Exercise as Exercise, Mutant as Mutant
from bplib.grading.feedback import Hint, Result
from bplib.grading.progress import Progress, record
from bplib.grading.scoreboard import Scoreboard

TOPICS = {
    "start": "00 Start here",
    "neuron": "01 A neuron",
    "losses": "02 Losses",
    "descent": "03 Gradient descent",
    "slopes": "04 Slopes",
    "chain_rule": "05 The chain rule",
    "backprop": "06 Backpropagation",
    "softmax": "07 Softmax",
    "hunt": "08 The bug hunt",
    "network": "09 A real network",
    "vanishing": "10 Vanishing gradients",
    "cures": "11 Cures",
}


def exercises():
    """All exercises by chapter title, in the order of the course."""
    return {title: import_module(f"bplib.grading.{topic}").EXERCISES for topic, title in TOPICS.items()}


def find(id):
    """The exercise of this id; a KeyError that names the nearest ones where there is none."""
    known = {exercise.id: exercise for group in exercises().values() for exercise in group}
    if not isinstance(id, str) or id not in known:
        near = difflib.get_close_matches(str(id), known, n=3, cutoff=0.3) or list(known)
        raise KeyError(f"There is no exercise {id!r}. Did you mean {' or '.join(map(repr, near))}?")
    return known[id]


def check(id, answer):
    """Judge an answer and note it in your progress. Shows the verdict; its value is the points. Never raises.

    Parameters
    ----------
    id : the exercise, such as "neuron.weighted_sum". answer : your function itself (no call), or your value.
    """
    try:
        exercise = find(id)
    except KeyError as problem:
        return Result(str(id), NOT_ATTEMPTED, 0, 0, problem.args[0])
    result = exercise.judge(answer)
    if result.verdict != NOT_ATTEMPTED:
        record(id, points=float(result))
    return result


def hint(id, number=1):
    """The first hint of an exercise, or hint `number`; the last one is the idea of the solution."""
    try:
        exercise = find(id)
    except KeyError as problem:
        return Result(str(id), NOT_ATTEMPTED, 0, 0, problem.args[0])
    count = len(exercise.hints)
    number = min(max(number, 1), count) if isinstance(number, int) else 1
    record(id, hint=number)
    return Hint(id, number, count, exercise.hints[number - 1])


def progress():
    """Your points by chapter and exercise."""
    return Progress(exercises())


def scoreboard():
    """The bug hunt of chapter 08: what you have located, repaired and settled."""
    return Scoreboard(exercises()[TOPICS["hunt"]])
