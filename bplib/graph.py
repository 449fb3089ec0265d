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
    "square": Operation("{}²", lambda u: u * u, lambda u, r: (2 * u,)),
    "tanh": Operation("tanh({})", math.tanh, lambda u, r: (1 - r * r,)),
    "sigmoid": Operation("σ({})", lambda u: 1 / (1 + math.exp(-u)), lambda u, r: (r * (1 - r),)),
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

    def terms(self, name, slopes):
        """Where a node is used, as pairs (user, slope of the user with respect to it); a user that uses it twice comes twice."""
        return [(user, slope) for user, (_, of) in self.steps.items()
                for other, slope in zip(of, slopes[user]) if other == name]

    def backward(self, values):
        """{name: dL/d(name)}, last node first: L itself has 1, every other adds up what comes from its users.

        Source: Linnainmaa 1970, "The representation of the cumulative rounding error of an algorithm"."""
        slopes, grads = self.slopes(values), {}
        for name in reversed(self.names):
            grads[name] = 1.0 if name == self.names[-1] else sum(
                grads[user] * slope for user, slope in self.terms(name, slopes))
        return grads

    def formula(self, name):
        """How a node is made, such as "x × y"; an input's own name."""
        operation, of = self.steps.get(name, (None, ()))
        return OPERATIONS[operation].sign.format(*of) if of else name


def random_graph(rng):
    """A small graph of whole numbers in which at least one node is used twice, for practice by head.

    Parameters
    ----------
    rng : a seed or a numpy Generator.
    """
    rng = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(rng)
    while True:
        inputs = {name: float(rng.choice([-3, -2, -1, 1, 2, 3])) for name in "xy"}
        names, steps = list(inputs), []
        for name in ("a", "b", "L"):
            operation = str(rng.choice(["add", "subtract", "multiply", "square"]))
            count = 1 if operation == "square" else 2
            steps.append((name, operation, tuple(str(other) for other in rng.choice(names, count, replace=False))))
            names.append(name)
        graph = Graph(inputs, steps)
        uses = [other for _, _, of in steps for other in of]
        if set(uses) == set(graph.names[:-1]) and len(uses) > len(set(uses)) and max(map(abs, graph.forward().values())) < 50:
            return graph
