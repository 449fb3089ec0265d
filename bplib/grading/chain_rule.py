"""Chapter 05, The chain rule: its exercises, from one operation to the reverse sweep over any graph."""
import math

from bplib.grading.core import Exercise, Mutant
from bplib.grading.graph_marks import gradient_marks, in_words, value_marks
from bplib.graph import Graph

CHAIN = Graph({"x": 5.0, "y": 2.0, "z": 4.0},
              [("a", "subtract", ("x", "y")), ("b", "square", ("a",)), ("L", "multiply", ("b", "z"))])
FAN_OUT = Graph({"x": 2.0, "y": -3.0}, [("a", "multiply", ("x", "y")), ("b", "add", ("a", "y")), ("L", "square", ("b",))])
CHAIN_VALUES = {name: value for name, value in CHAIN.forward().items() if name in CHAIN.steps}
CHAIN_GRADIENTS, FAN_OUT_GRADIENTS = CHAIN.backward(CHAIN.forward()), FAN_OUT.backward(FAN_OUT.forward())


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


def with_slip(graph, **changes):
    """The right gradients with some of them changed."""
    return graph.backward(graph.forward()) | changes


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
        explain=lambda got: in_words(gradient_marks(CHAIN, got)),
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
        id="chain_rule.fill_fan_out",
        title="Backward: where one node is used twice",
        points=2,
        reference=FAN_OUT_GRADIENTS,
        explain=lambda got: in_words(gradient_marks(FAN_OUT, got)),
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
        id="chain_rule.sweep",
        title="The reverse sweep over any graph",
        points=3,
        reference=sweep,
        inputs=some_nodes,
        mutants=(
            Mutant("overwrites", swept(update=lambda old, new: new),
                   "A node that is used twice keeps only one path: the gradient is overwritten. Add to what is there."),
            Mutant("forward-order", swept(order=list),
                   "You went through the nodes in forward order. A node may pass its gradient on only when it is complete: go "
                   "backward."),
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
)
