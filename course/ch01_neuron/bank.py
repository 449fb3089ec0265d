"""Chapter 01: the weighted sum, activations and their slopes, the line, saturation."""

import numpy as np

from bplib.datasets import pullover_or_dress
from course.grading.core import Exercise, Mutant


def sigmoid(z):
    """Right for every z, written with tanh."""
    return 0.5 + 0.5 * np.tanh(z / 2)


def sigmoid_slope(z):
    """a (1 - a)."""
    a = sigmoid(z)
    return a * (1 - a)


def accuracy(x, w, b, y):
    """The share of examples whose z has the sign that their label asks for."""
    return np.mean((x @ w + b > 0) == (y == 1))


def saturation(x, W, b):
    """For each unit the share of examples with a slope under 0.0025."""
    return np.mean(sigmoid_slope(x @ W + b) < 0.0025, axis=0)


def distance(x, w, b):
    """z in units of the length of w."""
    return (x @ w + b) / np.sqrt(w @ w)


def _one_example(rng):
    return rng.standard_normal(4), rng.standard_normal(4), float(rng.standard_normal())


def _batch(rng):
    return rng.standard_normal((5, 4)), rng.standard_normal((4, 3)), rng.standard_normal(3)


def _scores(rng):
    return (3 * rng.standard_normal((4, 3)),)


def _scores_with_zeros(rng):
    z = rng.standard_normal((4, 3))
    z[rng.integers(4), rng.integers(3)] = 0.0
    return (z,)


def _points(rng):
    return rng.standard_normal((7, 2)), rng.standard_normal(2), float(rng.standard_normal())


def _labelled(rng):
    return *_points(rng), rng.integers(0, 2, 7)


def _wide_units(rng):
    return rng.standard_normal((80, 3)), 4 * rng.standard_normal((3, 2)), rng.uniform(3, 6, 2) * rng.choice([-1, 1], 2)


def _loop_batch(x, W, b):
    z = []
    for row in x:
        z.append([sum(row[i] * W[i, j] for i in range(len(row))) + b[j] for j in range(len(b))])
    return z


def _naive_sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _measured_slope(z):
    return (sigmoid(z + 1e-5) - sigmoid(z - 1e-5)) / 2e-5


def _relu_slope_by_loop(z):
    slope = np.zeros(z.shape)
    for index in np.ndindex(z.shape):
        if z[index] > 0:
            slope[index] = 1
    return slope


def _accuracy_by_loop(x, w, b, y):
    right = 0
    for row, label in zip(x, y):
        guess = 1 if row[0] * w[0] + row[1] * w[1] + b > 0 else 0
        right += guess == label
    return right / len(y)


def _accuracy_of_pairs(x, w, b, y):
    z = (x @ w + b).reshape(-1, 1)
    return np.mean((z > 0) == (y == 1))


def _saturation_by_loop(x, W, b):
    shares = []
    for unit in range(W.shape[1]):
        a = sigmoid(x @ W[:, unit] + b[unit])
        shares.append(sum(1 for slope in a * (1 - a) if slope < 0.01 / 4) / len(x))
    return shares


def _relative(slope):
    return slope / slope.max()


def _sorted_as(answer):
    """What a learner's weights achieve on the real images, in words."""
    weights = answer()
    if weights is None or weights is ...:
        return weights
    if np.shape(weights) != (3,):
        raise ValueError("Return three numbers: w1, w2 and b.")
    w1, w2, b = (float(number) for number in weights)
    if w1 == w2 == 0:
        return "no line"
    x, y = pullover_or_dress()
    share = accuracy(x, np.array([w1, w2]), b, y)
    if share >= 0.9:
        return "at least 90 % right"
    return "upside down" if share <= 0.1 else "fewer than 90 % right"


EXERCISES = (
    Exercise(
        id="neuron.one_example",
        title="The weighted sum of one example",
        points=1,
        reference=lambda x, w, b: w @ x + b,
        inputs=_one_example,
        mutants=(
            Mutant("no-bias", lambda x, w, b: w @ x, "The bias is missing: your z is 0 whenever x is."),
            Mutant("not-summed", lambda x, w, b: w * x + b,
                   "You multiplied each input by its weight, and did not add up. A neuron gives one number for one example."),
            Mutant("bias-for-each-input", lambda x, w, b: np.sum(w * x + b),
                   "You added the bias once for every input. It belongs to the neuron, so it is added once."),
            Mutant("mean", lambda x, w, b: np.mean(w * x) + b,
                   "You took the mean of the products. A weighted sum is a sum."),
            Mutant("bias-subtracted", lambda x, w, b: w @ x - b, "You subtracted the bias. It is added."),
            Mutant("bias-multiplied", lambda x, w, b: (w @ x) * b, "You multiplied by the bias. It is added."),
            Mutant("inputs-only", lambda x, w, b: np.sum(x) + b,
                   "The weights are missing: every input counts the same in your sum."),
        ),
        variants={
            "dot": lambda x, w, b: np.dot(x, w) + b,
            "sum of products": lambda x, w, b: (x * w).sum() + b,
            "loop": lambda x, w, b: sum(x[i] * w[i] for i in range(len(x))) + b,
            "einsum": lambda x, w, b: np.einsum("i,i", x, w) + b,
            "bias as one more weight": lambda x, w, b: np.append(x, 1) @ np.append(w, b),
        },
        hints=(
            "Each input has a weight of its own. What do you do with the four products?",
            "One number comes out: the products are added, and the bias is added to the sum, once.",
            "The scalar product of the two vectors is the sum of the products; NumPy has an operator for it.",
        ),
    ),
    Exercise(
        id="neuron.weighted_sum",
        title="The weighted sums of a batch",
        points=2,
        reference=lambda x, W, b: x @ W + b,
        inputs=_batch,
        edge_cases=(("a batch of one", (np.array([[1.0, 2.0]]), np.array([[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]),
                                        np.array([0.5, 0.25, 0.125]))),),
        mutants=(
            Mutant("no-bias", lambda x, W, b: x @ W, "The bias is missing. Each unit adds its own b to every example."),
            Mutant("transposed", lambda x, W, b: (x @ W + b).T,
                   "Your result is turned: it has a row for each unit. Rows are examples, columns are units."),
            Mutant("first-example-only", lambda x, W, b: x[0] @ W + b,
                   "Only the first example is in your result. The batch has one row for each example."),
            Mutant("entry-by-entry", lambda x, W, b: x * W + b,
                   "You multiplied entry by entry with a star. A weighted sum needs the matrix product of x and W."),
            Mutant("w-before-x", lambda x, W, b: W @ x + b,
                   "You put W before x. With examples in rows, x comes first: (n, d_in) times (d_in, d_out)."),
            Mutant("bias-subtracted", lambda x, W, b: x @ W - b, "You subtracted the bias. It is added."),
            Mutant("bias-multiplied", lambda x, W, b: x @ W * b, "You multiplied by the bias. It is added."),
            Mutant("bias-as-column", lambda x, W, b: x @ W + b[:, np.newaxis],
                   "You turned the bias into a column, so it no longer fits the columns of x W. Leave it as it is, (d_out,): "
                   "NumPy then gives each unit its own."),
            Mutant("bias-summed", lambda x, W, b: x @ W + b.sum(),
                   "You added the sum of all biases to every unit. Each unit adds its own."),
            Mutant("bias-mean", lambda x, W, b: x @ W + b.mean(),
                   "You added the mean of the biases to every unit. Each unit adds its own."),
            Mutant("divided", lambda x, W, b: x @ W / x.shape[1] + b,
                   "You divided by the number of inputs. A weighted sum is a sum, not a mean."),
            Mutant("summed-over-units", lambda x, W, b: (x @ W + b).sum(axis=1),
                   "You added up the units of each example. Each unit keeps a column of its own."),
        ),
        variants={
            "einsum": lambda x, W, b: np.einsum("ni,ij->nj", x, W) + b,
            "loops, as lists": _loop_batch,
            "transposed twice": lambda x, W, b: (W.T @ x.T).T + b[np.newaxis, :],
            "bias as one more row": lambda x, W, b: np.c_[x, np.ones(len(x))] @ np.r_[W, b[np.newaxis]],
            "row by row": lambda x, W, b: np.stack([row @ W + b for row in x]),
        },
        hints=(
            "Write down the shapes: (n, d_in), (d_in, d_out) and (d_out,). Which product of the first two gives (n, d_out)?",
            "In a matrix product the inner sizes must be equal, and vanish. Then the bias is added to every row.",
            "The matrix product of x and W has one row for each example; NumPy adds a (d_out,) array to each row by itself.",
        ),
    ),
    Exercise(
        id="neuron.sigmoid",
        title="The sigmoid",
        points=1,
        reference=sigmoid,
        inputs=_scores,
        edge_cases=(("z of 1,000 and more", (np.array([[-1000.0, -800.0, 0.0, 800.0, 1000.0]]),)),),
        mutants=(
            Mutant("overflow", lambda z: np.exp(z) / (1 + np.exp(z)),
                   "Right for small z. For z = 1000, e to the z is infinite, and infinity by infinity is no number. "
                   "Use the form in which only e to the minus z appears."),
            Mutant("sign", lambda z: 1 / (1 + np.exp(z)),
                   "Your curve falls: the sign of z in the exponent is the wrong one."),
            Mutant("brackets", lambda z: 1 / 1 + np.exp(-z),
                   "Brackets are missing: Python divides 1 by 1 first, and then adds the exponential."),
            Mutant("no-one", lambda z: 1 / np.exp(-z),
                   "The 1 in the denominator is missing: your function grows without end."),
            Mutant("tanh", np.tanh, "This is tanh. The sigmoid lies between 0 and 1."),
            Mutant("minus", lambda z: 1 / (1 - np.exp(-z)),
                   "There is a minus in your denominator. It should be 1 plus the exponential."),
            Mutant("softmax", lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(),
                   "You divided by the sum over all entries. The sigmoid takes each entry by itself."),
        ),
        variants={
            "as in the formula": _naive_sigmoid,
            "with tanh": lambda z: (1 + np.tanh(z / 2)) / 2,
            "two cases": lambda z: np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z)))),
            "logaddexp": lambda z: np.exp(-np.logaddexp(0, -z)),
            "as a list": lambda z: [[float(_naive_sigmoid(entry)) for entry in row] for row in z],
        },
        hints=(
            "The formula is in the lesson: 1 over 1 plus e to the minus z.",
            "`np.exp` takes a whole array, entry by entry. Mind the brackets around the denominator.",
            "A fraction with 1 above, and below it 1 plus the exponential of minus z, in brackets.",
        ),
    ),
    Exercise(
        id="neuron.sigmoid_slope",
        title="The slope of the sigmoid",
        points=2,
        reference=sigmoid_slope,
        inputs=_scores,
        edge_cases=(("z of 30", (np.array([[-30.0, 0.0, 30.0]]),)),),
        mutants=(
            Mutant("z-taken-for-a", lambda z: z * (1 - z),
                   "You used z (1 - z). The formula is a (1 - a): it wants the activation a, not z itself."),
            Mutant("slope-at-a", lambda z: sigmoid_slope(sigmoid(z)),
                   "You applied the sigmoid twice: this is the slope at a. You were asked for the slope at z."),
            Mutant("activation", sigmoid, "This is the sigmoid itself, not its slope."),
            Mutant("plus", lambda z: sigmoid(z) * (1 + sigmoid(z)),
                   "There is a plus where a minus belongs: the slope must die where a is near 1."),
            Mutant("tanh-slope", lambda z: 1 - sigmoid(z) ** 2, "1 - a^2 is the rule for tanh. The sigmoid has another."),
            Mutant("sign", lambda z: -sigmoid_slope(z), "Your slope is negative. The sigmoid rises everywhere."),
            Mutant("one-factor", lambda z: 1 - sigmoid(z), "This is 1 - a, only one of the two factors of a (1 - a)."),
            Mutant("squared", lambda z: sigmoid(z) ** 2, "This is a times a. One of the two factors should be 1 - a."),
        ),
        variants={
            "with exponentials": lambda z: np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))) ** 2,
            "a minus a squared": lambda z: _naive_sigmoid(z) - _naive_sigmoid(z) ** 2,
            "product of both sides": lambda z: sigmoid(z) * sigmoid(-z),
            "measured": _measured_slope,
            "with cosh": lambda z: 0.25 / np.cosh(z / 2) ** 2,
        },
        hints=(
            "The slope can be written with the activation a alone.",
            "Compute a first. Then you need a product of a and of what a lacks to 1.",
            "The lesson derives a (1 - a). Both factors use a, and neither uses z.",
        ),
    ),
    Exercise(
        id="neuron.relu_slope",
        title="The slope of ReLU",
        points=1,
        reference=lambda z: (z > 0) * 1.0,
        inputs=_scores_with_zeros,
        mutants=(
            Mutant("one-at-zero", lambda z: (z >= 0) * 1.0,
                   "At z = 0 your slope is 1. In this course the slope at the corner is 0."),
            Mutant("half-at-zero", lambda z: np.where(z > 0, 1.0, np.where(z == 0, 0.5, 0.0)),
                   "At z = 0 your slope is 1/2. In this course the slope at the corner is 0."),
            Mutant("relu", lambda z: np.maximum(z, 0),
                   "This is ReLU itself. Its slope is the same, 1, for every positive z."),
            Mutant("always-one", lambda z: np.ones_like(z), "Your slope is 1 everywhere. To the left of 0 ReLU is flat."),
            Mutant("sign", np.sign, "To the left of 0 your slope is -1. ReLU is flat there."),
            Mutant("reversed", lambda z: (z < 0) * 1.0, "You took the wrong side: ReLU rises to the right of 0."),
            Mutant("leaky", lambda z: np.where(z > 0, 1.0, 0.01),
                   "Your slope is 0.01 to the left of 0. That is leaky ReLU; ReLU itself is flat there."),
            Mutant("abs", lambda z: np.abs(z), "This is the size of z. The slope is either 0 or 1."),
        ),
        variants={
            "true and false": lambda z: z > 0,
            "where": lambda z: np.where(z > 0, 1, 0),
            "heaviside": lambda z: np.heaviside(z, 0.0),
            "loop": _relu_slope_by_loop,
            "ceil of a clipped sign": lambda z: np.clip(np.sign(z), 0, 1),
        },
        hints=(
            "ReLU is a broken line. How steep is it to the left of 0, and to the right?",
            "It is 0 on the left and 1 on the right. At the corner itself this course takes 0.",
            "A comparison of z with 0 gives True and False, which count as 1 and 0.",
        ),
    ),
    Exercise(
        id="neuron.distance",
        title="How far from the line?",
        points=2,
        reference=distance,
        inputs=_points,
        mutants=(
            Mutant("not-divided", lambda x, w, b: x @ w + b,
                   "This is z. It grows when all weights and the bias are doubled, and the line stays where it is: "
                   "divide by the length of w."),
            Mutant("divided-by-square", lambda x, w, b: (x @ w + b) / (w @ w),
                   "You divided by the square of the length of w. Take the root."),
            Mutant("no-sign", lambda x, w, b: np.abs(x @ w + b) / np.sqrt(w @ w),
                   "Your distances have no sign. Keep it: it says on which side of the line an example lies."),
            Mutant("no-bias", lambda x, w, b: x @ w / np.sqrt(w @ w), "The bias is missing: your line goes through 0."),
            Mutant("bias-not-divided", lambda x, w, b: x @ w / np.sqrt(w @ w) + b,
                   "You divided only the weighted sum. The bias belongs to z too."),
            Mutant("sum-of-weights", lambda x, w, b: (x @ w + b) / np.abs(w).sum(),
                   "You divided by the sum of the weights. The length of w is the root of the sum of their squares."),
            Mutant("length-of-x", lambda x, w, b: (x @ w + b) / np.linalg.norm(x, axis=1),
                   "You divided by the length of x. It is the length of w that stretches z."),
        ),
        variants={
            "norm": lambda x, w, b: (x @ w + b) / np.linalg.norm(w),
            "hypot": lambda x, w, b: (x[:, 0] * w[0] + x[:, 1] * w[1] + b) / np.hypot(*w),
            "unit vector first": lambda x, w, b: x @ (w / np.linalg.norm(w)) + b / np.linalg.norm(w),
            "loop": lambda x, w, b: [float(row @ w + b) / float(np.sqrt(np.sum(w**2))) for row in x],
        },
        hints=(
            "Walk one step of length 1 along w. How much does z change?",
            "z changes by the length of w at each such step. So z counts steps, in units of that length.",
            "Compute z for all examples, and divide by the root of the sum of squares of the weights.",
        ),
    ),
    Exercise(
        id="neuron.accuracy",
        title="The accuracy of a neuron",
        points=2,
        reference=accuracy,
        inputs=_labelled,
        edge_cases=(("weights of zero",
                         (np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]]), np.zeros(2), 0.0, np.array([1, 0, 0]))),),
        mutants=(
            Mutant("count", lambda x, w, b, y: np.sum((x @ w + b > 0) == (y == 1)),
                   "You counted the right ones. Give their share: divide by the number of examples."),
            Mutant("error-rate", lambda x, w, b, y: np.mean((x @ w + b > 0) != (y == 1)),
                   "This is the share of the wrong ones."),
            Mutant("percent", lambda x, w, b, y: 100 * accuracy(x, w, b, y),
                   "You gave per cent. The share lies between 0 and 1."),
            Mutant("half-as-border", lambda x, w, b, y: np.mean((x @ w + b > 0.5) == (y == 1)),
                   "You compared z with 0.5. That is the border for a = sigmoid(z); z itself has its border at 0."),
            Mutant("broadcast", _accuracy_of_pairs,
                   "You compared a column (n, 1) with a row (n,): NumPy then compares every prediction with every label. "
                   "Compare equal shapes."),
            Mutant("always-yes", lambda x, w, b, y: np.mean(y == 1),
                   "Your neuron says 1 for every example. A sigmoid is always above 0: its border is 0.5."),
            Mutant("no-bias", lambda x, w, b, y: np.mean((x @ w > 0) == (y == 1)), "The bias is missing from your z."),
            Mutant("zero-counts-as-one", lambda x, w, b, y: np.mean((x @ w + b >= 0) == (y == 1)),
                   "At z = 0 exactly you predict 1. The rule says 1 only where z is above 0."),
            Mutant("activation-against-label", lambda x, w, b, y: np.mean(sigmoid(x @ w + b) == y),
                   "You compared the activation itself with the label. First make it a decision: is z above 0?"),
        ),
        variants={
            "loop": _accuracy_by_loop,
            "sigmoid above one half": lambda x, w, b, y: float(np.mean((x @ w + b > 0).astype(int) == y)),
            "one minus the errors": lambda x, w, b, y: 1 - np.mean(np.abs((x @ w + b > 0) - y)),
            "count by length": lambda x, w, b, y: np.count_nonzero((x @ w + b > 0) == y) / len(y),
        },
        hints=(
            "First decide for each example: 1 where z is above 0, and 0 elsewhere. Then compare with y.",
            "Comparing two arrays of shape (n,) gives n times True or False. Which average do you want of them?",
            "True counts as 1 and False as 0, so the mean of the comparison is the share of the right ones.",
        ),
    ),
    Exercise(
        id="neuron.choose_weights",
        title="Be the training",
        points=2,
        reference=lambda: (-4.0, 4.0, 0.3),
        inputs=lambda rng: (),
        run=_sorted_as,
        mutants=(
            Mutant("no-line", lambda: (0.0, 0.0, 1.0),
                   "With both weights 0 there is no line: every image gets the same answer."),
            Mutant("upside-down", lambda: (4.0, -4.0, -0.3),
                   "Your line is a good one, but its sides are swapped: turn the sign of all three numbers."),
            Mutant("not-enough", lambda: (1.0, 0.5, 0.0),
                   "Fewer than 90 % of the images are sorted rightly. Try the numbers in the lab of the lesson first."),
        ),
        variants={
            "whole numbers": lambda: (-3, 3, 0),
            "a list": lambda: [-8.0, 8.0, 0.0],
            "an array": lambda: np.array([-2.0, 2.2, 0.1]),
        },
        shown="Three numbers, and at least nine of ten images are on the right side. Gradient descent finds such numbers itself.",
        hints=(
            "Look at the picture of the two classes. Where should the line run, and on which side are the dresses?",
            "The dresses lie above the line x2 = x1. For which signs of w1 and w2 is z positive there?",
            "z should grow with the brightness of the middle and fall with that of the whole image, about equally fast.",
        ),
    ),
    Exercise(
        id="neuron.saturation",
        title="Which units are saturated?",
        points=3,
        reference=saturation,
        inputs=_wide_units,
        edge_cases=(("units that are nowhere steep", (np.array([[1.0], [1.06], [1.12], [1.3]]), np.array([[5.5, -5.5]]),
                                                      np.array([0.1, -0.1]))),),
        mutants=(
            Mutant("by-example", lambda x, W, b: np.mean(sigmoid_slope(x @ W + b) < 0.0025, axis=1),
                   "You averaged over the units, and got a share for each example. Average over the examples, the rows."),
            Mutant("one-number", lambda x, W, b: np.mean(sigmoid_slope(x @ W + b) < 0.0025),
                   "You averaged over everything. Each unit has a share of its own."),
            Mutant("count", lambda x, W, b: np.sum(sigmoid_slope(x @ W + b) < 0.0025, axis=0),
                   "You counted. Give the share of the examples."),
            Mutant("absolute", lambda x, W, b: np.mean(sigmoid_slope(x @ W + b) < 0.01, axis=0),
                   "You compared with 0.01. A hundredth of the steepest slope is meant, and the sigmoid's steepest is 1/4."),
            Mutant("z-for-a", lambda x, W, b: np.mean((x @ W + b) * (1 - x @ W - b) < 0.0025, axis=0),
                   "You put z into a (1 - a). First compute a = sigmoid(z)."),
            Mutant("the-others", lambda x, W, b: np.mean(sigmoid_slope(x @ W + b) >= 0.0025, axis=0),
                   "This is the share of examples that are not saturated."),
            Mutant("no-bias", lambda x, W, b: np.mean(sigmoid_slope(x @ W) < 0.0025, axis=0),
                   "The bias is missing from your z."),
            Mutant("steepest-of-the-batch", lambda x, W, b: np.mean(_relative(sigmoid_slope(x @ W + b)) < 0.01, axis=0),
                   "You compared with the steepest slope in this batch. Compare with the steepest that a sigmoid can have: "
                   "when all units are saturated, none of them is steep."),
            Mutant("activation-for-slope", lambda x, W, b: np.mean(sigmoid(x @ W + b) < 0.0025, axis=0),
                   "You compared the activation with the limit. It is the slope that must be small."),
            Mutant("high-end-only", lambda x, W, b: np.mean(sigmoid(x @ W + b) > 0.9974937, axis=0),
                   "You found the units that are stuck near 1. Those stuck near 0 are as flat."),
        ),
        variants={
            "loop": _saturation_by_loop,
            "with cosh": lambda x, W, b: (0.25 / np.cosh((x @ W + b) / 2) ** 2 < 0.0025).sum(axis=0) / len(x),
            "relative slope": lambda x, W, b: (4 * sigmoid_slope(x @ W + b) < 0.01).mean(axis=0),
        },
        hints=(
            "Go step by step: z, then a, then the slope. What shape has each?",
            "The steepest slope of the sigmoid is 1/4. A slope is small when it is under a hundredth of that.",
            "Compare all slopes with the limit at once, and take the mean over the axis of the examples.",
        ),
    ),
)
