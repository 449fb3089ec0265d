"""Chapter 05, first part: slopes of single steps, and of formulas made of them."""
import math

import numpy as np

from course.grading.core import Exercise, Mutant


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


def three_numbers(rng):
    """Three numbers; x and w are as often below zero as above."""
    x, y, w = (rng.uniform(0.5, 2, 3) * [rng.choice([-1, 1]), 1, rng.choice([-1, 1])]).round(3).tolist()
    return x, y, w


def gated(through_max=lambda x, y: (float(x > y), float(y > x)), through_relu=lambda z, x: float(z > 0),
          join=lambda one, other: one + other):
    """The gates with one slip."""
    def answer(x, y, w):
        a, b = max(x, y), max(w * x, 0.0)
        da_dx, da_dy = through_max(x, y)
        slope = through_relu(w * x, x)
        return join(b * da_dx, a * slope * w), b * da_dy, a * slope * x
    return answer

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
        id="chain_rule.indices",
        title="Which indices match?",
        points=1,
        reference="C",
        mutants=(
            Mutant("a", "A",
                   "In A the factor da2/dz1 jumps over a layer, and dz2/da1 after it goes back again: neighbours do not match."),
            Mutant("b", "B",
                   "In B the factor dz1/da1 stands upside down: a1 is made of z1. And z2, which stands below before it, is left "
                   "alone."),
            Mutant("d", "D", "In D the slopes are added. Along a path they multiply; only different paths are added."),
            Mutant("e", "E", "E begins with dL/dz2, so the step from a2 to z2 is in it already; da2/dz2 counts it twice."),
        ),
        variants={"small": "c", "spaces": " C "},
        shown="In the right product, each factor begins where the one before it ends.",
        hints=("What stands below a bar must stand above the next one.",
               "Write the path down: z1, a1, z2, a2, L. One factor for each step, and none twice."),
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
            "ifs": lambda x, y, w: ((0, 0, 0) if w * x <= 0 else (2 * w * x, 0, x * x) if x > y else (w * y, w * x, x * y)),
            "list": lambda x, y, w: list(gates(x, y, w)),
            "array": lambda x, y, w: np.array(gates(x, y, w)),
        },
        hints=("Forward: a = max(x, y), b = ReLU(w x), L = a b. Back: dL/da is b, and dL/db is a.",
               "The maximum lets everything through to the larger one. The ReLU lets everything through where w x is above zero.",
               "x is used in a and in b, so its gradient has two terms."),
    ),
)
