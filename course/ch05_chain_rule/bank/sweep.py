"""Chapter 05, third part: the reverse sweep over any graph, and what the two orders cost."""
import itertools
import math

import numpy as np

from course.grading.core import Exercise, Mutant


def sweep(nodes):
    """dL/d(name) for every name, from a list of (name, [(what it is made of, slope), ...]) in forward order; the last is L."""
    grads = {name: 0.0 for name, _ in nodes}
    grads[nodes[-1][0]] = 1.0
    for name, made_of in reversed(nodes):
        for other, slope in made_of:
            grads[other] += grads[name] * slope
    return grads


def swept(update=lambda old, new: old + new, order=reversed, seed=1.0, keep=lambda made_of: made_of, product=lambda g, s: g * s):
    """The sweep with one slip."""
    def answer(nodes):
        grads = {name: 0.0 for name, _ in nodes}
        grads[nodes[-1][0]] = seed
        for name, made_of in order(nodes):
            for other, slope in keep(made_of):
                grads[other] = update(grads[other], product(grads[name], slope))
        return grads
    return answer


def by_users(nodes):
    """Each node asks those that use it."""
    grads = {}
    for name, _ in reversed(nodes):
        users = [(user, slope) for user, made_of in nodes for other, slope in made_of if other == name]
        grads[name] = sum(grads[user] * slope for user, slope in users) if users else 1.0
    return grads


def by_paths(nodes):
    """Every path from L, one by one."""
    made_of, grads = dict(nodes), dict.fromkeys(dict(nodes), 0.0)

    def walk(name, product):
        grads[name] += product
        for other, slope in made_of[name]:
            walk(other, product * slope)

    walk(nodes[-1][0], 1.0)
    return grads


def multiplications(sizes):
    """How many multiplications the slopes of a chain of layers take, from the inputs on and from the results back."""
    pairs = [wide * narrow for wide, narrow in itertools.pairwise(sizes)]
    return sizes[0] * sum(pairs[1:]), sizes[-1] * sum(pairs[:-1])


def some_nodes(rng):
    """A graph of six nodes: b and c use a, L uses both, and x is used twice."""
    s = rng.uniform(0.5, 2, 8).round(2) * rng.choice([-1, 1], 8)
    return ([("x", []), ("y", []), ("a", [("x", s[0]), ("y", s[1])]), ("b", [("a", s[2]), ("x", s[3])]),
             ("c", [("a", s[4]), ("b", s[5])]), ("L", [("c", s[6]), ("b", s[7])])],)


def layers(rng):
    """Sizes of four or five layers, all different."""
    return (rng.choice(np.arange(2, 60), int(rng.integers(4, 6)), replace=False).tolist(),)


EXERCISES = (
    Exercise(
        id="chain_rule.sweep",
        title="The reverse sweep over any graph",
        points=3,
        reference=sweep,
        inputs=some_nodes,
        mutants=(
            Mutant("overwrites", swept(update=lambda old, new: new),
                   "A node that is used twice keeps only one path: the gradient is overwritten. Add to what is there."),
            Mutant("forward-order", swept(order=list),
                   "You went through the nodes in forward order. A node may pass its gradient on only when it is complete: "
                   "go backward."),
            Mutant("seed-missing", swept(seed=0.0),
                   "Everything is 0: the sweep has to start with dL/dL = 1."),
            Mutant("first-input-only", swept(keep=lambda made_of: made_of[:1]),
                   "Only the first thing that a node is made of gets its share."),
            Mutant("slopes-only", swept(product=lambda g, s: s),
                   "You added up local slopes. Each is multiplied with the gradient that comes from above."),
            Mutant("added", swept(product=lambda g, s: g + s),
                   "You added the slope to the gradient from above. Along a path they multiply."),
            Mutant("largest-path", swept(update=lambda old, new: max(old, new, key=abs)),
                   "Only the largest path is kept. Every path counts."),
            Mutant("multiplied", swept(update=lambda old, new: old * new if old else new),
                   "Paths that meet were multiplied. Multiply along a path, add across paths."),
        ),
        variants={"by users": by_users, "all paths": by_paths, "options": swept()},
        shown="This is reverse-mode differentiation, for any graph that is made of such nodes. PyTorch's backward follows the "
              "same rule.",
        hints=("Give every name a gradient of 0, and the last one 1. Then go through the nodes from the last to the first.",
               "At each node its gradient is complete. Pass it on: to each thing that it is made of, times the slope.",
               "Add to what is there already: += where a node may be reached by several paths."),
    ),
    Exercise(
        id="chain_rule.multiplications",
        title="Counting multiplications",
        points=2,
        reference=multiplications,
        inputs=layers,
        edge_cases=(("one result", ([50, 40, 30, 1],)), ("one input", ([1, 30, 40, 50],)), ("two layers", ([7, 5, 3],))),
        parts=("from the inputs forward", "from the results back"),
        mutants=(
            Mutant("swapped", lambda sizes: multiplications(sizes)[::-1],
                   "The two have changed places. Forward, every product has one side as long as the *inputs*; back, as long as "
                   "the results."),
            Mutant("entries-only", lambda sizes: (sum(a * b for a, b in itertools.pairwise(sizes)),) * 2,
                   "You counted the numbers in the matrices of slopes. A product of matrices takes rows times columns times what "
                   "they share."),
            Mutant("all-sizes", lambda sizes: (math.prod(sizes),) * 2,
                   "You multiplied all sizes. The chain is a row of products of two matrices each, and their costs add up."),
            Mutant("first-counted", lambda sizes: (sizes[0] * sum(a * b for a, b in itertools.pairwise(sizes)),
                                                   sizes[-1] * sum(a * b for a, b in itertools.pairwise(sizes))),
                   "The first matrix is there already: three matrices take two products."),
            Mutant("one-result", lambda sizes: (multiplications(sizes)[0], multiplications(sizes)[1] / sizes[-1]),
                   "Going back you counted for a single result. There are as many as the last size says."),
            Mutant("one-input", lambda sizes: (multiplications(sizes)[0] / sizes[0], multiplications(sizes)[1]),
                   "Going forward you counted for a single input. There are as many as the first size says."),
            Mutant("sums", lambda sizes: (sum(a * b + sizes[0] for a, b in itertools.pairwise(sizes[1:])),
                                          sum(a * b + sizes[-1] for a, b in itertools.pairwise(sizes[:-1]))),
                   "In each product three sizes are multiplied. You added one of them."),
        ),
        variants={
            "loops": lambda sizes: (sum(sizes[0] * sizes[k] * sizes[k + 1] for k in range(1, len(sizes) - 1)),
                                    sum(sizes[-1] * sizes[k] * sizes[k + 1] for k in range(len(sizes) - 2))),
            "floats": lambda sizes: tuple(map(float, multiplications(sizes))),
            "list": lambda sizes: list(multiplications(sizes)),
        },
        hints=("A matrix of p rows and q columns times one of q rows and r columns takes p q r multiplications. The slopes of a "
               "layer of size n along one of size m are a matrix of n rows and m columns.",
               "Forward: start with the matrix next to the inputs, and multiply by the next one from the left, again and again. "
               "One side is always as long as the inputs.",
               "For sizes 50, 40, 30, 1: back 40 times 30, and then 50 times 40."),
    ),
    Exercise(
        id="chain_rule.passes",
        title="Forward or backward?",
        points=1,
        reference=(101770, 1),
        parts=("passes with forward mode", "passes with reverse mode"),
        mutants=(
            Mutant("swapped", (1, 101770),
                   "The other way round. Forward mode follows *one* input through the graph; reverse mode follows one result "
                   "back to "
                   "*all* inputs."),
            Mutant("one-each", (1, 1), "Forward mode gives the slope along one input at a time. How many inputs are there?"),
            Mutant("many-each", (101770, 101770), "One sweep back gives every gradient of one result."),
            Mutant("two-back", (101770, 2), "One sweep back is enough; the values going forward are known already."),
        ),
        variants={"floats": (101770.0, 1.0), "list": [101770, 1]},
        shown="One sweep back gives all 101,770 slopes. That is why networks are trained by backpropagation.",
        hints=("What does one sweep forward tell you: all slopes of one input, or all slopes of one result?",
               "Forward: once for each parameter. Backward: once for each result, and there is a single loss."),
    ),
)
