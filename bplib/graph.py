"""A computation as a graph: each node is made of earlier ones by one simple operation.

Going forward, values are computed in order. Going back, each node collects, from every place that uses it, the gradient
there times the slope of that place with respect to it: multiply along paths, add across paths.
"""
import math
from collections import namedtuple

import numpy as np

Operation = namedtuple("Operation", "sign f slopes")  # f(*inputs); slopes(*inputs, result) -> one for each input
OPERATIONS = {
    "add": Operation("{} + {}", lambda u, v: u + v, lambda u, v, r: (1.0, 1.0)),
    "subtract": Operation("{} - {}", lambda u, v: u - v, lambda u, v, r: (1.0, -1.0)),
    "multiply": Operation("{} × {}", lambda u, v: u * v, lambda u, v, r: (v, u)),
    "divide": Operation("{} / {}", lambda u, v: u / v, lambda u, v, r: (1 / v, -r / v)),
    "max": Operation("max({}, {})", max, lambda u, v, r: (float(u > v), float(v > u))),
    "square": Operation("{}²", lambda u: u * u, lambda u, r: (2 * u,)),
    "sin": Operation("sin({})", math.sin, lambda u, r: (math.cos(u),)),
    "exp": Operation("exp({})", math.exp, lambda u, r: (r,)),
    "log": Operation("log({})", math.log, lambda u, r: (1 / u,)),
    "tanh": Operation("tanh({})", math.tanh, lambda u, r: (1 - r * r,)),
    "sigmoid": Operation("σ({})", lambda u: (1 + math.tanh(u / 2)) / 2, lambda u, r: (r * (1 - r),)),
    "relu": Operation("ReLU({})", lambda u: max(u, 0.0), lambda u, r: (float(u > 0),)),
}


class Graph:
    """Named nodes in an order in which each comes after those it is made of; the last one is the result L.

    Parameters
    ----------
    inputs : {name: number}. steps : a list of (name, operation, names of what it is made of), such as
        ("a", "multiply", ("x", "y")). A name may stand there twice.

    Raises
    ------
    ValueError : an operation is unknown, a name is not there yet, or is there already.
    """

    def __init__(self, inputs, steps):
        self.inputs, self.steps = dict(inputs), {name: (operation, tuple(of)) for name, operation, of in steps}
        known = set(self.inputs)
        for name, operation, of in steps:
            if operation not in OPERATIONS or name in known or not set(of) <= known:
                raise ValueError(f"Graph: expected a new name, one of {', '.join(OPERATIONS)}, and names that are there; "
                                 f"got {name!r}, {operation!r}, {of!r}.")
            known.add(name)
        self.names = (*self.inputs, *self.steps)

    def forward(self):
        """{name: value}, in order."""
        values = dict(self.inputs)
        for name, (operation, of) in self.steps.items():
            values[name] = OPERATIONS[operation].f(*(values[other] for other in of))
        return values

    def slopes(self, values):
        """{name: its slope with respect to each thing that it is made of}, in their order; inputs are made of nothing."""
        found = dict.fromkeys(self.inputs, ())
        for name, (operation, of) in self.steps.items():
            found[name] = OPERATIONS[operation].slopes(*(values[other] for other in of), values[name])
        return found

    def uses(self, name):
        """Where a node is used, as pairs (user, place in it); a user that uses it twice comes twice."""
        return [(user, place) for user, (_, of) in self.steps.items() for place, other in enumerate(of) if other == name]

    def terms(self, name, slopes):
        """Where a node is used, as pairs (user, slope of the user with respect to it)."""
        return [(user, slopes[user][place]) for user, place in self.uses(name)]

    def backward(self, values):
        """{name: dL/d(name)}, last node first: L itself has 1, every other adds up what comes from its users.

        Source: Linnainmaa 1970, "The representation of the cumulative rounding error of an algorithm"."""
        slopes, grads = self.slopes(values), {}
        for name in reversed(self.names):
            grads[name] = 1.0 if name == self.names[-1] else sum(
                (grads[user] * slope for user, slope in self.terms(name, slopes)), 0.0)
        return grads

    def formula(self, name):
        """How a node is made, such as "x × y"; an input's own name."""
        operation, of = self.steps.get(name, (None, ()))
        return OPERATIONS[operation].sign.format(*of) if of else name

    def layout(self):
        """{name: (column, row)} for a drawing: each node right of what it is made of, an input left of its first user; the
        rows of a column lie around 0."""
        column = {}
        for name in self.steps:
            column[name] = 1 + max(column.get(other, 0) for other in self.steps[name][1])
        for name in self.inputs:
            column[name] = min((column[user] for user, _ in self.uses(name)), default=1) - 1
        sides = {at: [name for name in self.names if column[name] == at] for at in set(column.values())}
        return {name: (at, place - (len(names) - 1) / 2) for at, names in sides.items() for place, name in enumerate(names)}


def random_graph(rng, size=3):
    """A small graph of whole numbers in which at least one node is used twice, for practice by head.

    Parameters
    ----------
    rng : a seed or a numpy Generator. size : how many nodes are computed from the two inputs x and y.
    """
    rng = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(rng)
    while True:
        inputs = {name: float(rng.choice([-3, -2, -1, 1, 2, 3])) for name in "xy"}
        names, steps = list(inputs), []
        for name in (*"abcd"[:size - 1], "L"):
            operation = str(rng.choice(["add", "subtract", "multiply", "square"]))
            count = 1 if operation == "square" else 2
            steps.append((name, operation, tuple(str(other) for other in rng.choice(names, count, replace=False))))
            names.append(name)
        graph = Graph(inputs, steps)
        uses = [other for _, _, of in steps for other in of]
        if set(uses) == set(graph.names[:-1]) and len(uses) > len(set(uses)) and max(map(abs, graph.forward().values())) < 50:
            return graph
