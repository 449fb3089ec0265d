"""Chapter 05, second part: fill the numbers into a graph; every node is marked by itself."""
import numpy as np

from bplib.graph import Graph
from course.grading.core import Exercise, Mutant
from course.grading.graph_marks import gradient_marks, in_words, value_marks
from course.grading.graph_picture import picture

CHAIN = Graph({"x": 5.0, "y": 2.0, "z": 4.0}, [("a", "subtract", ("x", "y")), ("b", "square", ("a",)),
                                               ("L", "multiply", ("b", "z"))])
NEURON = Graph({"x": 2.0, "w": 3.0, "b": -6.0, "y": 1.0}, [("s", "multiply", ("w", "x")), ("z", "add", ("s", "b")),
                                                          ("a", "sigmoid", ("z",)), ("v", "subtract", ("a", "y")),
                                                          ("L", "square", ("v",))])
FAN_OUT = Graph({"x": 2.0, "y": -3.0}, [("a", "multiply", ("x", "y")), ("b", "add", ("a", "y")), ("L", "square", ("b",))])
CHAIN_VALUES = {name: value for name, value in CHAIN.forward().items() if name in CHAIN.steps}
CHAIN_GRADIENTS, NEURON_GRADIENTS, FAN_OUT_GRADIENTS = (graph.backward(graph.forward()) for graph in (CHAIN, NEURON, FAN_OUT))


def with_slip(graph, **changes):
    """The right gradients with some of them changed."""
    return graph.backward(graph.forward()) | changes


def gradients_of(graph):
    """What an exercise needs that asks for all gradients of a graph: the words for each node, and the picture."""
    return {"explain": lambda got: in_words(gradient_marks(graph, got)),
            "picture": lambda got: picture(graph, graph.forward(), got, gradient_marks(graph, got))}


EXERCISES = (
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
        shown="The way back uses these values again, so a program keeps them.",
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
        shown="One sweep from right to left, and every node has its gradient.",
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
        shown="This was backpropagation through a whole neuron, by hand.",
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
        shown="Where a node is used twice, what comes back on both paths is added up. Every network relies on that.",
        hints=("Forward first: a = -6, b = -9, L = 81. Then dL/db is twice b.",
               "y is used in a and in b. Work out both paths, and add them."),
    ),
)
