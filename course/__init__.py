"""What a notebook imports: `check` an answer, ask for a `hint`, look at your `progress` and your `dashboard`, and `review`.

What shows them is the engine in `course.grading`; what is asked is in the folders of the chapters.
"""
import sys

from course.catalogue import exercises, find
from course.grading import cells, pages, progress as store, review as review_rules, session, standin
from course.grading.core import CORRECT, NOT_ATTEMPTED, UNKNOWN
from course.grading.dashboard import Dashboard
from course.grading.feedback import STOPPED, Hint, Notice, Result
from course.grading.progress import Progress, load, record


def check(id, answer, *, keep=True):
    """Judge an answer and note it in your progress. Shows the verdict; its value is the points. Never raises.

    An exercise that is due for review is judged on new random inputs. Where the answer uses an earlier one that is not right
    yet, the course's own stands in for that.

    Parameters
    ----------
    id : the exercise, such as "neuron.weighted_sum". answer : your function itself (no call), or your value.
    keep : False for an example that is not yours: it is judged, and nothing is noted.
    """
    try:
        exercise = find(id)
    except KeyError as problem:
        return Result(str(id), UNKNOWN, 0, 0, problem.args[0])
    if not keep:
        return exercise.judge(answer)
    entry, today = load().get(id, {}), store.today()
    due = review_rules.is_due(entry, today)
    result = _judge(exercise, answer, review_rules.fresh_seed(id, today) if due else None)
    right = result.verdict == CORRECT
    standin.remember(id, answer, None if right else exercise.reference)
    if result.verdict != NOT_ATTEMPTED:
        record(id, points=float(result), right=right)
        if due:
            result.notes.append(review_rules.outcome(entry, right, today))
    older = session.older(id)
    if older and result.verdict == NOT_ATTEMPTED:
        result.message = f"{older} So there is nothing to check yet. Correct that cell, run it, then check again."
    elif older:
        result.notes.append(f"{older} What was checked here is older.")
    result.notes += cells.complaints()
    if right:
        result.onward = pages.onward(exercise, load())
    return result


def _judge(exercise, answer, seed=None):
    result = exercise.judge(answer, seed)
    # What was interrupted must not begin again.
    if result.verdict in (CORRECT, NOT_ATTEMPTED) or result.message.startswith(STOPPED):
        return result
    try:
        with standin.standing_in(exercise.id, answer) as names:
            if names:
                result = exercise.judge(answer, seed)
                result.notes.append(standin.said(names))
    except Exception:  # an object can misbehave wherever it is looked at; then its first verdict stands
        return result
    return result


def yours_or_reference(id, answer):
    """Your answer where it is right, and the course's own where it is not, so that what comes after works. Says which."""
    exercise = find(id)
    name = getattr(answer, "__name__", id)
    if _judge(exercise, answer).verdict == CORRECT:
        print(f"Here runs your own {name}.")
        return answer
    print(f"Your {name} is not right yet: here runs the course's own.")
    return exercise.reference


def hint(id, number=1, *, keep=True):
    """The first hint of an exercise, or hint `number`; the last one is the idea of the solution. With keep=False it is shown as
    an example, and nothing is noted."""
    try:
        exercise = find(id)
    except KeyError as problem:
        return Notice("No such exercise", problem.args[0])
    count = len(exercise.hints)
    number = min(max(number, 1), count) if isinstance(number, int) else 1
    if keep:
        record(id, hint=number)
    return Hint(id, number, count, exercise.hints[number - 1])


def progress():
    """Your points by chapter and exercise; the chapter that you are in comes first."""
    groups, here = exercises(), pages.chapter_here()
    first = {here.heading: groups[here.heading]} if here and here.heading in groups else {}
    return Progress(first | groups)


def dashboard():
    """Your chapters, points, days in a row, and what to review."""
    return Dashboard(exercises())


def review():
    """What to review today: a solved exercise comes back after days, and is then checked on new random inputs."""
    return review_rules.Reviews(exercises(), load(), store.today())


def reset(id=None, confirm=False):
    """Forget the points of one exercise, or of all; only with confirm=True. A copy of the old progress is kept."""
    if id is not None:
        try:
            find(id)
        except KeyError as problem:
            return Notice("Nothing was reset", problem.args[0])
    what = "all exercises" if id is None else id
    if not confirm:
        call = "reset(confirm=True)" if id is None else f'reset("{id}", confirm=True)'
        return Notice("Nothing was reset yet", f"To forget the points and reviews of {what}, run {call}. Your notebooks stay as "
                                               "they are, and a copy of the old progress is kept.")
    try:
        copy = store.forget({*load(), store.DAYS} if id is None else {id})
    except store.UNREADABLE as problem:
        return Notice("Nothing was reset", f"The progress file cannot be changed: {problem}")
    if copy is None:
        return Notice("Nothing was reset", "There is no progress yet.")
    return Notice("Reset", f"The progress of {what} starts anew. The old one is in {copy}.")


session.watch(getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)())
