"""What is wrong with numbers that somebody wrote into a graph, node by node."""
from numbers import Real

from bplib.graph import OPERATIONS


def value_marks(graph, got):
    """{name: words, or None where the value is right} for values going forward."""
    values, marks = graph.forward(), {}
    for name, (operation, of) in graph.steps.items():
        mine, own = got.get(name), [_of(graph, got, other) for other in of]
        if _same(mine, values[name]):
            marks[name] = None
        elif _number(mine) and all(map(_number, own)) and _same(mine, OPERATIONS[operation].f(*own)):
            marks[name] = "right, given the wrong number before it."
        else:
            marks[name] = _unreadable(mine) or f"{mine:g} is not {graph.formula(name)}."
    return marks


def gradient_marks(graph, got):
    """{name: words, or None where dL/d(name) is right} for gradients going back; the words say which mistake it is."""
    values = graph.forward()
    slopes, grads = graph.slopes(values), graph.backward(values)
    return {name: None if _same(got.get(name), grads[name]) else _diagnosis(graph, name, got, values, slopes, grads)
            for name in reversed(graph.names)}


def _diagnosis(graph, name, got, values, slopes, grads):
    mine, terms = got.get(name), graph.terms(name, slopes)
    if (words := _unreadable(mine)) is not None:
        return words
    if not terms:
        return "the result's gradient with respect to itself is 1."
    parts = [(user, grads[user] * slope) for user, slope in terms]
    if len(parts) > 1:
        for user, part in parts:
            if _same(mine, part):
                return (f"this is only the path through {user}. {name} is used {len(parts)} times, and every path counts: "
                        "overwritten where it should be added.")
        if _same(mine, _product(part for _, part in parts)):
            return "the paths were multiplied. Multiply along a path, add across paths."
    if _same(mine, sum(grads[user] for user, _ in terms)):
        return "the gradient of what uses it is there; its own slope, the local derivative, is missing."
    if _same(mine, sum(slope for _, slope in terms)):
        return "this is the local derivative alone; the gradient that comes from above is missing."
    if _same(mine, values[name]):
        return "this is its value. Its gradient is another thing."
    if _same(mine, -grads[name]) or _same(mine, sum(abs(slope) * grads[user] for user, slope in terms)):
        return "a sign is wrong. In a difference, the second one has the slope -1."
    if _same(mine, _swapped(graph, name, values, grads)):
        return "in a product, the slope is the *other* factor, not its own value."
    halved = sum(grads[user] * (slope / 2 if graph.steps[user][0] == "square" else slope) for user, slope in terms)
    if _same(mine, halved):
        return "the slope of a square is *twice* what is squared."
    above = [got.get(user) for user, _ in terms]
    if all(map(_number, above)) and _same(mine, sum(upper * slope for upper, (_, slope) in zip(above, terms))):
        return "right, given the wrong number after it."
    return f"{mine:g} is not it. It collects from {' and '.join(user for user, _ in terms)}."


def _swapped(graph, name, values, grads):
    """What it would be if each product's slope were the node's own value."""
    total = 0.0
    for user, slope in graph.terms(name, graph.slopes(values)):
        operation, of = graph.steps[user]
        total += grads[user] * (values[name] if operation == "multiply" and len(set(of)) == 2 else slope)
    return total


def in_words(marks):
    """The marks as lines, the wrong ones only."""
    return "\n".join(f"{name}: {words}" for name, words in marks.items() if words)


def _of(graph, got, name):
    return graph.inputs[name] if name in graph.inputs else got.get(name)


def _product(numbers):
    total = 1.0
    for number in numbers:
        total *= number
    return total


def _number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def _unreadable(value):
    if value is None or value is ...:
        return "nothing is there yet."
    return None if _number(value) else f"expected a number, got {type(value).__name__}."


def _same(one, other):
    return _number(one) and abs(one - other) <= 0.006 + 1e-4 * abs(other)
