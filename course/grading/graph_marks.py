"""What is wrong with numbers that somebody wrote into a graph, node by node."""
from numbers import Real
from typing import NamedTuple

from bplib.graph import OPERATIONS

RIGHT, FOLLOWS, EMPTY = "right", "follows", "empty"


class Mark(NamedTuple):
    """What is said of one node: a `kind`, "right", "follows" (right, given an earlier wrong number), "empty", or the name
    of a mistake, and the words for it."""

    kind: str
    words: str

    @property
    def right(self):
        """Is the number right?"""
        return self.kind == RIGHT


def value_marks(graph, got):
    """{name: Mark} for values going forward, of every node that is computed."""
    values, marks = graph.forward(), {}
    for name, (operation, of) in graph.steps.items():
        mine, own = got.get(name), [graph.inputs.get(other, got.get(other)) for other in of]
        if _same(mine, values[name]):
            marks[name] = Mark(RIGHT, "right.")
        elif not _number(mine):
            marks[name] = _unreadable(mine)
        elif all(map(_number, own)) and _same(mine, _computed(operation, own)):
            marks[name] = Mark(FOLLOWS, "right, given the wrong number before it.")
        else:
            numbers = [f"({number:g})" if number < 0 else f"{number:g}" for number in (values[other] for other in of)]
            marks[name] = Mark("wrong-value", f"{name} is {graph.formula(name)}; with the right numbers, "
                                              f"{OPERATIONS[operation].sign.format(*numbers)}.")
    return marks


def gradient_marks(graph, got):
    """{name: Mark} for gradients dL/d(name) going back, from L on; a mistake is told by its name and in words."""
    values = graph.forward()
    slopes, grads = graph.slopes(values), graph.backward(values)
    return {name: _gradient_mark(graph, name, got, values, slopes, grads) for name in reversed(graph.names)}


def _gradient_mark(graph, name, got, values, slopes, grads):
    mine, users = got.get(name), [user for user, _ in graph.uses(name)]
    if _same(mine, grads[name]):
        return Mark(RIGHT, "right.")
    if not _number(mine):
        return _unreadable(mine)
    if not users:
        return Mark("seed", "the way back starts with dL/dL = 1, whatever the value of L is.")
    # A learner goes on with their own numbers, so those are tried first; then the right ones.
    own = {user: got[user] if _number(got.get(user)) else grads[user] for user in users}
    terms = [(user, own[user], slope) for user, slope in graph.terms(name, slopes)]
    if _same(mine, sum(upper * slope for _, upper, slope in terms)):
        return Mark(FOLLOWS, "right, given the wrong number after it.")
    for upper in (own, grads):
        found = list(dict.fromkeys(mark for number, *mark in _mistakes(graph, name, values, slopes, upper)
                                   for mark in [Mark(*mark)] if _same(mine, number)))
        if found:
            told = found[:1 if found[0].kind == "overwritten" else 2]
            return Mark(found[0].kind, ", or: ".join(mark.words for mark in told) + ".")
    return Mark("wrong", f"{mine:g} is not it. {name} is used in {_listed(users)}: "
                         + " + ".join(f"dL/d{user} × d{user}/d{name}" for user in users) + ".")


def _mistakes(graph, name, values, slopes, upper):
    """(number, kind, words) for every mistake that we know, the most telling first."""
    uses = graph.uses(name)
    ups, downs = [upper[user] for user, _ in uses], [slopes[user][place] for user, place in uses]
    parts = [up * down for up, down in zip(ups, downs)]
    total = sum(parts)
    if len(parts) > 1:
        for (user, _), part in zip(uses, parts):
            yield part, "overwritten", (f"this is the path through {user} only. {name} is used {_times(len(parts))}, and the "
                                        "paths add up: overwritten instead of added")
        yield _product(parts), "paths-multiplied", "the paths were multiplied. Multiply along a path, add across paths"
        yield total / len(parts), "averaged", "the paths were averaged. They add up"
    for (user, place), up, down in zip(uses, ups, downs):
        operation, of = graph.steps[user]
        rest = total - up * down
        if operation == "subtract" and place == 1:
            yield rest + up, "sign", f"{name} is taken off in {user}, so its slope there is -1: the sign is missing"
        if operation == "multiply" and of[0] != of[1]:
            other = of[1 - place]
            yield rest + up * values[name], "not-swapped", (f"in the product {user} the slope along {name} is the *other* "
                                                            f"factor, {other}, and not {name} itself")
        if operation == "square":
            yield rest + up * down / 2, "two-missing", f"the slope of the square {user} is *twice* {name}"
        if operation == "sigmoid":
            yield rest + up * values[user], "value-for-slope", (f"the slope of the sigmoid is {user} (1 - {user}), and not its "
                                                                f"value {user}")
        if down != 1:
            yield rest + up, "local-missing", (f"the gradient of {user} came through unchanged. It has to be multiplied by the "
                                               f"local derivative d{user}/d{name}")
        if operation == "add":
            yield rest + up * values[name], "value-for-slope", f"in the sum {user} the slope along {name} is 1, not its value"
    yield sum(downs), "upstream-missing", (f"this is the local derivative alone. It has to be multiplied by the gradient of "
                                           f"{_listed([user for user, _ in uses])}")
    yield sum(ups) + sum(downs), "added", "the slope was added to the gradient from above. Along a path they multiply"
    yield values[name], "value", f"this is the value of {name}. Its gradient is how fast L grows with it"
    yield -total, "sign", "the sign is the wrong way round"
    yield 0.0, "zero", f"L depends on {name}, so this gradient is not 0"


def in_words(marks):
    """The marks as lines, those of wrong numbers only."""
    return "\n".join(f"{name}: {mark.words}" for name, mark in marks.items() if not mark.right)


def _computed(operation, numbers):
    try:
        return OPERATIONS[operation].f(*numbers)
    except (ArithmeticError, ValueError):  # a logarithm of a wrong number that is negative, and the like
        return None


def _product(numbers):
    total = 1.0
    for number in numbers:
        total *= number
    return total


def _number(value):
    return isinstance(value, Real) and not isinstance(value, bool) and abs(value) < 1e300


def _unreadable(value):
    if value is None or value is ...:
        return Mark(EMPTY, "nothing is there yet.")
    return Mark("no-number", f"expected a number, got {type(value).__name__}.")


def _same(one, other):
    return _number(one) and _number(other) and abs(one - other) <= 1e-6 * max(1, abs(other))


def _listed(names):
    return " and ".join(dict.fromkeys(names))


def _times(count):
    return "twice" if count == 2 else f"{count} times"
