"""Chapter 05, The chain rule: its exercises, from one operation to the reverse sweep over any graph."""
import itertools
import math

import numpy as np

from bplib.grading.core import Exercise, Mutant
from bplib.grading.graph_marks import gradient_marks, in_words, value_marks
from bplib.grading.graph_picture import picture
from bplib.graph import Graph

CHAIN = Graph({"x": 5.0, "y": 2.0, "z": 4.0}, [("a", "subtract", ("x", "y")), ("b", "square", ("a",)),
                                               ("L", "multiply", ("b", "z"))])
NEURON = Graph({"x": 2.0, "w": 3.0, "b": -6.0, "y": 1.0}, [("s", "multiply", ("w", "x")), ("z", "add", ("s", "b")),
                                                          ("a", "sigmoid", ("z",)), ("v", "subtract", ("a", "y")),
                                                          ("L", "square", ("v",))])
FAN_OUT = Graph({"x": 2.0, "y": -3.0}, [("a", "multiply", ("x", "y")), ("b", "add", ("a", "y")), ("L", "square", ("b",))])
CHAIN_VALUES = {name: value for name, value in CHAIN.forward().items() if name in CHAIN.steps}
CHAIN_GRADIENTS, NEURON_GRADIENTS, FAN_OUT_GRADIENTS = (graph.backward(graph.forward()) for graph in (CHAIN, NEURON, FAN_OUT))


def local(operation, u, v):
    """The slopes of u + v, u - v, u * v or u / v with respect to u and to v."""
    return {"+": (1.0, 1.0), "-": (1.0, -1.0), "*": (v, u), "/": (1 / v, -u / v**2)}[operation]


def composition(x):
    """dL/dx of L = log(1 + sin(x)^2)."""
    a = math.sin(x)
    c = 1 + a**2
    return 1 / c * 2 * a * math.cos(x)


def fan_out(x, y):
    """dL/dx and dL/dy of L = b c with a = x y, b = a^2, c = a + y."""
    a = x * y
    b, c = a**2, a + y
    da = c * 2 * a + b
    return da * y, da * x + b


def by_da(path, direct, swapped=False):
    """The same with another dL/da, or another direct path into c."""
    def answer(x, y):
        da = path(x * y, y)
        return (da * x, da * y + direct(x * y, y)) if swapped else (da * y, da * x + direct(x * y, y))
    return answer


def gates(x, y, w):
    """dL/dx, dL/dy and dL/dw of L = a b with a = max(x, y), b = ReLU(w x)."""
    a, b = max(x, y), max(w * x, 0.0)
    is_open = float(w * x > 0)
    return b * float(x > y) + a * is_open * w, b * float(y > x), a * is_open * x


def multiplications(sizes):
    """How many multiplications the slopes of a chain of layers take, from the inputs on and from the results back."""
    pairs = [wide * narrow for wide, narrow in itertools.pairwise(sizes)]
    return sizes[0] * sum(pairs[1:]), sizes[-1] * sum(pairs[:-1])


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


def an_operation(rng):
    """An operation and two numbers."""
    u, v = rng.uniform(0.5, 3, 2).round(2).tolist()
    return str(rng.choice(["+", "-", "*", "/"])), u, -v


def a_number(rng):
    """One number, not near a place where slopes coincide."""
    return (round(float(rng.uniform(0.3, 1.3)), 3),)


def two_numbers(rng):
    """Two numbers."""
    return tuple(rng.uniform(0.5, 2, 2).round(3).tolist())


def some_nodes(rng):
    """A graph of six nodes: b and c use a, L uses both, and x is used twice."""
    s = rng.uniform(0.5, 2, 8).round(2) * rng.choice([-1, 1], 8)
    return ([("x", []), ("y", []), ("a", [("x", s[0]), ("y", s[1])]), ("b", [("a", s[2]), ("x", s[3])]),
             ("c", [("a", s[4]), ("b", s[5])]), ("L", [("c", s[6]), ("b", s[7])])],)


def three_numbers(rng):
    """Three numbers; x and w are as often below zero as above."""
    x, y, w = (rng.uniform(0.5, 2, 3) * [rng.choice([-1, 1]), 1, rng.choice([-1, 1])]).round(3).tolist()
    return x, y, w


def layers(rng):
    """Sizes of four or five layers, all different."""
    return (rng.choice(np.arange(2, 60), int(rng.integers(4, 6)), replace=False).tolist(),)


def gated(through_max=lambda x, y: (float(x > y), float(y > x)), through_relu=lambda z, x: float(z > 0),
          join=lambda one, other: one + other):
    """The gates with one slip."""
    def answer(x, y, w):
        a, b = max(x, y), max(w * x, 0.0)
        da_dx, da_dy = through_max(x, y)
        slope = through_relu(w * x, x)
        return join(b * da_dx, a * slope * w), b * da_dy, a * slope * x
    return answer


def with_slip(graph, **changes):
    """The right gradients with some of them changed."""
    return graph.backward(graph.forward()) | changes


def gradients_of(graph):
    """What an exercise needs that asks for all gradients of a graph: the words for each node, and the picture."""
    return {"explain": lambda got: in_words(gradient_marks(graph, got)),
            "picture": lambda got: picture(graph, graph.forward(), got, gradient_marks(graph, got))}


LOCAL = tuple((f"u {sign} v", (sign, 3.0, -2.0)) for sign in "+-*/")

EXERCISES = (
    Exercise(
        id="chain_rule.local",
        title="Four local derivatives",
        points=1,
        reference=local,
        inputs=an_operation,
        edge_cases=LOCAL,
        parts=("the slope along u", "the slope along v"),
        mutants=(
            Mutant("minus-forgotten", lambda operation, u, v: (1.0, 1.0) if operation == "-" else local(operation, u, v),
                   "In a difference the second number counts negatively: its slope is -1."),
            Mutant("product-not-swapped", lambda operation, u, v: (u, v) if operation == "*" else local(operation, u, v),
                   "In a product the slope along one factor is the *other* factor."),
            Mutant("product-is-one", lambda operation, u, v: (1.0, 1.0) if operation == "*" else local(operation, u, v),
                   "The slopes of a product are not 1: if u grows by a little, u v grows by v times as much."),
            Mutant("quotient-sign", lambda operation, u, v: (1 / v, u / v**2) if operation == "/" else local(operation, u, v),
                   "A larger denominator makes the quotient smaller: the sign of its slope is negative."),
            Mutant("quotient-not-squared",
                   lambda operation, u, v: (1 / v, -u / v) if operation == "/" else local(operation, u, v),
                   "The slope along the denominator has its *square* below."),
            Mutant("quotient-first", lambda operation, u, v: (v, -u / v**2) if operation == "/" else local(operation, u, v),
                   "The slope of u / v along u is 1 / v."),
        ),
        variants={
            "ifs": lambda operation, u, v: ((1, 1) if operation == "+" else (1, -1) if operation == "-" else
                                            (v, u) if operation == "*" else (v**-1, -u * v**-2)),
            "list": lambda operation, u, v: list(local(operation, u, v)),
        },
        hints=("Hold one of the two fixed, and move the other by 1. How much does the result change?",
               "For a product, moving u by 1 changes it by v. For a quotient, think of u times v to the power of -1.",
               "Sum: 1 and 1. Difference: 1 and -1. Product: each other. Quotient: 1 / v, and minus u over v squared."),
    ),
    Exercise(
        id="chain_rule.composition",
        title="One composition, in easy reverse steps",
        points=1,
        reference=composition,
        inputs=a_number,
        mutants=(
            Mutant("outer-missing", lambda x: 2 * math.sin(x) * math.cos(x),
                   "The slope of the logarithm is missing: 1 over what stands in it."),
            Mutant("inner-missing", lambda x: 2 * math.sin(x) / (1 + math.sin(x) ** 2),
                   "The slope of the sine, which is the innermost function, is missing."),
            Mutant("middle-missing", lambda x: math.cos(x) / (1 + math.sin(x) ** 2),
                   "The slope of the square is missing: twice what is squared."),
            Mutant("log-of-b", lambda x: 2 * math.sin(x) * math.cos(x) / math.sin(x) ** 2,
                   "The logarithm's slope is 1 over *all* that stands in it, and a 1 was added."),
            Mutant("cosine-of-a", lambda x: 2 * math.sin(x) * math.cos(math.sin(x)) / (1 + math.sin(x) ** 2),
                   "The slope of the sine was taken at a. Each slope is taken at the *input* of its function, here x."),
            Mutant("added", lambda x: 1 / (1 + math.sin(x) ** 2) + 2 * math.sin(x) + math.cos(x),
                   "You added the slopes. Along a path they multiply."),
            Mutant("half", lambda x: math.sin(x) * math.cos(x) / (1 + math.sin(x) ** 2),
                   "The 2 of the square is missing."),
            Mutant("value", lambda x: math.log(1 + math.sin(x) ** 2), "This is L itself, not its slope."),
        ),
        variants={
            "double angle": lambda x: math.sin(2 * x) / (1 + math.sin(x) ** 2),
            "steps": lambda x: (lambda a, c: (1 / c) * 1.0 * (2 * a) * math.cos(x))(math.sin(x), 1 + math.sin(x) ** 2),
            "measured": lambda x: (math.log(1 + math.sin(x + 1e-6) ** 2) - math.log(1 + math.sin(x - 1e-6) ** 2)) / 2e-6,
        },
        hints=("Name the steps: a = sin x, b = a squared, c = 1 + b, L = log c.",
               "Go back from L: along c it is 1 / c, along b the same, along a times 2 a, along x times cos x.",
               "The product of these four slopes."),
    ),
    Exercise(
        id="chain_rule.fill_values",
        title="Forward: fill in the values",
        points=1,
        reference=CHAIN_VALUES,
        explain=lambda got: in_words(value_marks(CHAIN, got)),
        picture=lambda got: picture(CHAIN, CHAIN.inputs | got, None, value_marks(CHAIN, got)),
        mutants=(
            Mutant("not-squared", {"a": 3.0, "b": 3.0, "L": 12.0}, "b is the square of a."),
            Mutant("doubled", {"a": 3.0, "b": 6.0, "L": 24.0}, "The square of 3 is 9, not twice 3."),
            Mutant("added", {"a": 7.0, "b": 49.0, "L": 196.0}, "a is a difference: x minus y."),
            Mutant("last-added", {"a": 3.0, "b": 9.0, "L": 13.0}, "L is the product of b and z."),
        ),
        variants={"whole numbers": {"a": 3, "b": 9, "L": 36}, "other order": {"L": 36.0, "b": 9.0, "a": 3.0}},
        hints=("From left to right: each node needs only those that are known.", "a = 5 - 2. Then its square. Then times 4."),
    ),
    Exercise(
        id="chain_rule.fill_chain",
        title="Backward: fill in the gradients of a chain",
        points=2,
        reference=CHAIN_GRADIENTS,
        **gradients_of(CHAIN),
        mutants=(
            Mutant("sign-of-y", with_slip(CHAIN, y=24.0), "y is taken off in a: its slope is -1."),
            Mutant("product-not-swapped", with_slip(CHAIN, b=9.0, z=4.0, a=54.0, x=54.0, y=-54.0),
                   "In a product the slope along one factor is the other one: dL/db is z, and dL/dz is b."),
            Mutant("square-missing", with_slip(CHAIN, a=4.0, x=4.0, y=-4.0),
                   "On the way from b to a the slope of the square is missing, 2 a."),
            Mutant("square-without-two", with_slip(CHAIN, a=12.0, x=12.0, y=-12.0), "The slope of a square is *twice* a."),
            Mutant("values", {"x": 5.0, "y": 2.0, "z": 4.0, "a": 3.0, "b": 9.0, "L": 36.0},
                   "These are the values. Asked for are the gradients, beginning with 1 at L."),
            Mutant("zero-at-inputs", with_slip(CHAIN, x=0.0, y=0.0, z=0.0),
                   "Inputs have gradients as well: L changes when they do."),
        ),
        variants={"whole numbers": {"L": 1, "b": 4, "z": 9, "a": 24, "x": 24, "y": -24}},
        hints=("Start with dL/dL = 1, and go back: L = b z, so dL/db = z and dL/dz = b.",
               "dL/da is dL/db times the slope of the square, 2 a. Then x and y: slopes 1 and -1."),
    ),
    Exercise(
        id="chain_rule.fill_neuron",
        title="Backward: through a whole neuron",
        points=2,
        reference=NEURON_GRADIENTS,
        **gradients_of(NEURON),
        mutants=(
            Mutant("sigmoid-slope-missing", with_slip(NEURON, z=-1.0, s=-1.0, b=-1.0, w=-2.0, x=-3.0),
                   "On the way from a to z the slope of the sigmoid is missing, a (1 - a)."),
            Mutant("value-for-slope", with_slip(NEURON, z=-0.5, s=-0.5, b=-0.5, w=-1.0, x=-1.5),
                   "You multiplied by the sigmoid's value a. Its slope is a (1 - a)."),
            Mutant("sign-of-target", with_slip(NEURON, y=-1.0), "The target y is taken off in v: its slope there is -1."),
            Mutant("not-swapped", with_slip(NEURON, w=-0.75, x=-0.5),
                   "s = w x: the slope along w is x, and along x it is w. They have changed places."),
            Mutant("square-without-two", {name: grad if name == "L" else grad / 2 for name, grad in NEURON_GRADIENTS.items()},
                   "The slope of the square is twice v: the 2 is missing, from v on."),
            Mutant("bias-zero", with_slip(NEURON, b=0.0),
                   "The bias is added to s, so its slope is 1, and it gets the whole gradient of z."),
            Mutant("bias-value", with_slip(NEURON, b=1.5), "A sum has the slope 1 along what is added, not its value."),
            Mutant("inputs-zero", with_slip(NEURON, x=0.0, y=0.0),
                   "Data have gradients as well: L changes when x or y do. That nobody trains them is another matter."),
        ),
        variants={"other order": dict(reversed(list(NEURON_GRADIENTS.items()))),
                  "numpy": {name: np.float64(grad) for name, grad in NEURON_GRADIENTS.items()}},
        hints=("Forward first: s = 6, z = 0, a = 0.5, v = -0.5. Then dL/dv is twice v.",
               "The sigmoid's slope is a (1 - a), a quarter here. Sums pass a gradient on as it is, products times the other "
               "factor."),
    ),
    Exercise(
        id="chain_rule.fill_fan_out",
        title="Backward: where one node is used twice",
        points=2,
        reference=FAN_OUT_GRADIENTS,
        **gradients_of(FAN_OUT),
        mutants=(
            Mutant("overwritten-last", with_slip(FAN_OUT, y=-36.0),
                   "dL/dy has only the path through a. y is used in b as well: the paths add up, nothing is overwritten."),
            Mutant("overwritten-first", with_slip(FAN_OUT, y=-18.0),
                   "dL/dy has only the path through b. y is used in a as well: the paths add up, nothing is overwritten."),
            Mutant("paths-multiplied", with_slip(FAN_OUT, y=648.0),
                   "You multiplied the two paths of y. Multiply along a path, add across paths."),
            Mutant("product-not-swapped", with_slip(FAN_OUT, x=-36.0, y=36.0),
                   "In the product a = x y the slope along x is y, and along y it is x."),
            Mutant("square-without-two", {name: grad if name == "L" else grad / 2 for name, grad in FAN_OUT_GRADIENTS.items()},
                   "The slope of the square is twice b: the 2 is missing, from b on."),
            Mutant("averaged", with_slip(FAN_OUT, y=-27.0),
                   "You averaged the two paths of y. They add up."),
        ),
        variants={"whole numbers": {"L": 1, "b": -18, "a": -18, "x": 54, "y": -54}},
        hints=("Forward first: a = -6, b = -9, L = 81. Then dL/db is twice b.",
               "y is used in a and in b. Work out both paths, and add them."),
    ),
    Exercise(
        id="chain_rule.fan_out",
        title="A formula with fan-out",
        points=2,
        reference=fan_out,
        inputs=two_numbers,
        parts=("dL/dx", "dL/dy"),
        mutants=(
            Mutant("through-b-only", lambda x, y: (2 * x * y * (x * y + y) * y, 2 * x * y * (x * y + y) * x + (x * y) ** 2),
                   "a is used twice, in b and in c. Your da has the path through b only."),
            Mutant("through-c-only", lambda x, y: ((x * y) ** 2 * y, (x * y) ** 2 * x + (x * y) ** 2),
                   "a is used twice, in b and in c. Your da has the path through c only."),
            Mutant("direct-path-missing", lambda x, y: (fan_out(x, y)[0], fan_out(x, y)[1] - (x * y) ** 2),
                   "y also goes into c directly. That path is missing in dL/dy."),
            Mutant("direct-path-only", lambda x, y: (fan_out(x, y)[0], (x * y) ** 2),
                   "dL/dy has only the direct path into c. y goes through a as well."),
            Mutant("product-not-swapped", by_da(lambda a, y: a**2 * 2 * a + a + y, lambda a, y: a + y),
                   "L = b c: the slope along b is c, and along c it is b. They have changed places."),
            Mutant("inputs-swapped", by_da(lambda a, y: 3 * a**2 + 2 * a * y, lambda a, y: a**2, swapped=True),
                   "a = x y: the slope along x is y, and along y it is x."),
            Mutant("square-without-two", by_da(lambda a, y: (a + y) * a + a**2, lambda a, y: a**2),
                   "The slope of the square is *twice* a."),
        ),
        variants={
            "written out": lambda x, y: (3 * x**2 * y**3 + 2 * x * y**3, 3 * x**3 * y**2 + 3 * x**2 * y**2),
            "list": lambda x, y: list(fan_out(x, y)),
        },
        hints=("Forward: a, b, c. Back: dL/db is c, and dL/dc is b.",
               "da has two paths: through b with the slope 2 a, and through c with the slope 1.",
               "dx is da times y. dy is da times x, plus the direct path into c."),
    ),
    Exercise(
        id="chain_rule.gates",
        title="Through a maximum and a ReLU",
        points=2,
        reference=gates,
        inputs=three_numbers,
        edge_cases=(("x above y, w x above 0", (1.5, 0.7, 0.4)), ("x below y, w x above 0", (0.6, 1.3, 1.1)),
                    ("x below y, w x below 0", (0.8, 1.9, -0.5)), ("x above y, w x below 0", (1.7, 0.9, -1.2)),
                    ("x and w below 0", (-0.7, 1.1, -1.6))),
        parts=("dL/dx", "dL/dy", "dL/dw"),
        mutants=(
            Mutant("max-to-both", gated(through_max=lambda x, y: (1.0, 1.0)),
                   "Only the larger of the two decides what the maximum is. The smaller one has the slope 0."),
            Mutant("max-to-the-smaller", gated(through_max=lambda x, y: (float(x < y), float(y < x))),
                   "You sent the gradient to the smaller one. The maximum is the larger one, so that has the slope 1."),
            Mutant("max-halved", gated(through_max=lambda x, y: (0.5, 0.5)),
                   "You gave each a half. Only the larger one decides, and it has the whole slope, 1."),
            Mutant("max-value", gated(through_max=lambda x, y: (x * (x > y), y * (y > x))),
                   "You used the number that comes through as a slope. Where the maximum lets through, its slope is 1."),
            Mutant("relu-ignored", gated(through_relu=lambda z, x: 1.0),
                   "A ReLU below zero is flat: its slope is 0 there, and nothing comes through."),
            Mutant("relu-value", gated(through_relu=lambda z, x: max(z, 0.0)),
                   "You used the ReLU's value as its slope. Where it is open, its slope is 1."),
            Mutant("relu-of-x", gated(through_relu=lambda z, x: float(x > 0)),
                   "You asked whether x is above zero. What counts is what goes into the ReLU, w x."),
            Mutant("through-max-only", gated(join=lambda one, other: one),
                   "x is used twice. dL/dx has the path through the maximum only; the one through the ReLU is missing."),
            Mutant("through-relu-only", gated(join=lambda one, other: other),
                   "x is used twice. dL/dx has the path through the ReLU only; the one through the maximum is missing."),
        ),
        variants={
            "ifs": lambda x, y, w: ((0.0, 0.0, 0.0) if w * x <= 0 else (2 * w * x, 0.0, x * x) if x > y else (w * y, w * x, x * y)),
            "list": lambda x, y, w: list(gates(x, y, w)),
            "array": lambda x, y, w: np.array(gates(x, y, w)),
        },
        hints=("Forward: a = max(x, y), b = ReLU(w x), L = a b. Back: dL/da is b, and dL/db is a.",
               "The maximum lets everything through to the larger one. The ReLU lets everything through where w x is above zero.",
               "x is used in a and in b, so its gradient has two terms."),
    ),
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
        hints=("Give every name a gradient of 0, and the last one 1. Then go through the nodes from the last to the first.",
               "At each node its gradient is complete. Pass it on: to each thing that it is made of, times the slope.",
               "Add to what is there already: += where a node may be reached by several paths."),
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
        hints=("What does one sweep forward tell you: all slopes of one input, or all slopes of one result?",
               "Forward: once for each parameter. Backward: once for each result, and there is a single loss."),
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
        id="chain_rule.indices",
        title="Which indices match?",
        points=1,
        reference="C",
        mutants=(
            Mutant("a", "A",
                   "In A the factor da2/dz1 jumps over a layer, and dz2/da1 after it goes back again: its neighbours do not match."),
            Mutant("b", "B",
                   "In B the factor dz1/da1 stands upside down: a1 is made of z1. And z2, which stands below before it, is left "
                   "alone."),
            Mutant("d", "D", "In D the slopes are added. Along a path they multiply; only different paths are added."),
            Mutant("e", "E", "E begins with dL/dz2, so the step from a2 to z2 is in it already; da2/dz2 counts it twice."),
        ),
        variants={"small": "c", "spaces": " C "},
        hints=("What stands below a bar must stand above the next one.",
               "Write the path down: z1, a1, z2, a2, L. One factor for each step, and none twice."),
    ),
)
