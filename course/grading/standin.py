"""Earlier answers that later cells use: where one is not right yet, the course's own takes its place, and says so.

So one mistake costs its own points only. Whoever writes `step` with a call of their own `gradient` is judged for `step`.
"""
import contextlib
import dis
import inspect
from types import CodeType

_last = {}  # id -> (the answer that was checked last in this session, the reference where it was not right or None)


def remember(id, answer, stand_in):
    """Keep what a check was given; `stand_in` is what takes its place, None where the answer is right."""
    _last[id] = answer, stand_in


@contextlib.contextmanager
def standing_in(id, answer):
    """Put the course's own functions in the place of earlier answers that are not right and that `answer` uses.

    Gives the names for which that was done. In the end every name is what it was.
    """
    wrong = [(theirs, own) for other, (theirs, own) in _last.items() if other != id and own is not None and callable(theirs)]
    functions = _functions(answer)
    space = functions[0].__globals__ if functions and wrong else {}
    used = _names_used(functions, space)
    places = {name: own for name in sorted(used) for theirs, own in wrong if space[name] is theirs}
    before = {name: space[name] for name in places}
    space.update(places)
    try:
        yield list(places)
    finally:
        space.update(before)


def said(names):
    """What a learner reads about the names that were replaced."""
    return (f"Your {' and '.join(names)} {'are' if len(names) > 1 else 'is'} not right yet, "
            "so this check ran with the course's own instead.")


def _functions(thing):
    """The Python functions of an answer: itself, or the methods of a class."""
    parts = vars(thing).values() if inspect.isclass(thing) else [thing]
    parts = [inspect.unwrap(getattr(part, "__func__", part)) for part in parts if callable(getattr(part, "__func__", part))]
    return [part for part in parts if inspect.isfunction(part)]


def _names_used(functions, space):
    """The names of `space` that functions use, themselves or through other functions of the notebook."""
    found, waiting = set(), list(functions)
    while waiting:
        for name in _names(waiting.pop().__code__) & set(space) - found:
            found.add(name)
            waiting += [f for f in _functions(space[name]) if f.__globals__ is space]
    return found


def _names(code):
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}.union(*inner)
