"""The bug hunt, first part: programs that compute a gradient, m1 to m4, m12 and m13."""

from itertools import pairwise

import numpy as np

from bplib import numerical_gradient
from course.ch08_gradient_checking.bank.parts import line, repair, sigmoid
from course.grading.core import Mutant


def width(rng, low, high):
    """A random whole number, low and high included."""
    return int(rng.integers(low, high + 1))


def two_layers(x, y, W1, b1, W2, b2, f, g, slope1, slope2, back=lambda delta, W: delta @ W.T):
    """The gradients of the mean squared error of g(f(x W1 + b1) W2 + b2); slopes are functions of z and a."""
    z1 = x @ W1 + b1
    a1 = f(z1)
    z2 = a1 @ W2 + b2
    a2 = g(z2)
    delta2 = 2 * (a2 - y) / y.size * slope2(z2, a2)
    delta1 = back(delta2, W2) * slope1(z1, a1)
    return x.T @ delta1, delta1.sum(axis=0), a1.T @ delta2, delta2.sum(axis=0)


def two_layer_inputs(rng):
    """A batch and the parameters of two layers, all widths different."""
    n, d, h, k = width(rng, 8, 10), 3, width(rng, 4, 5), 2
    return (rng.normal(0, 1, (n, d)), rng.uniform(0.1, 0.9, (n, k)), rng.normal(0, 0.7, (d, h)), rng.normal(0, 0.5, h),
            rng.normal(0, 0.7, (h, k)), rng.normal(0, 0.5, k))


def measured_two_layers(f, g):
    """The same gradients by measuring, parameter by parameter."""

    def gradients(x, y, *params):
        def loss(*params):
            W1, b1, W2, b2 = params
            return np.mean((g(f(x @ W1 + b1) @ W2 + b2) - y) ** 2)

        return tuple(numerical_gradient(lambda p, i=i: loss(*params[:i], p, *params[i + 1:]), params[i]) for i in range(4))

    return gradients


# m1: a slope that is written for the activation is given the pre-activation.

def greenhouse(x, y, W1, b1, W2, b2, slope1=lambda z, a: 1 - a**2, **changes):
    """A tanh layer, then a linear one."""
    return two_layers(x, y, W1, b1, W2, b2, np.tanh, lambda z: z, slope1, lambda z, a: 1.0, **changes)


M1 = (
    line("m1", "The greenhouse", 12, 15, {
        3: ("helper", "The helper says that it takes the output a, and for that it is right. See what it is given."),
        13: ("symptom", "Here the wrong numbers come out, but the product is right. One of its factors was wrong before."),
        14: ("symptom-bias", "The sum is right. What it adds up was wrong before."),
        9: ("last-layer", "The gradients of the last layer are right, so this line is as well. Go back one layer."),
    }, ("Find out first which of the four gradients are wrong. What do they share?",
        "The gradients of the first layer share one delta. It is made of three things: check each of them.",
        "One of the three is a function of its own. Compare what it says it takes with what it is given.")),
    repair(
        "m1", "The greenhouse", reference=lambda x, y, W1, b1, W2, b2: greenhouse(x, y, W1, b1, W2, b2),
        inputs=two_layer_inputs, parts=("dW1", "db1", "dW2", "db2"),
        mutants=(
            Mutant("unrepaired", lambda *all: greenhouse(*all, slope1=lambda z, a: 1 - z**2),
                   "The slope still gets z1. With 1 - z1**2 it can be far below zero, and a tanh never falls."),
            Mutant("twice", lambda *all: greenhouse(*all, slope1=lambda z, a: 1 - np.tanh(a) ** 2),
                   "Now tanh is applied twice: the slope is taken at a1 as if it were z1."),
            Mutant("no-slope", lambda *all: greenhouse(*all, slope1=lambda z, a: 1.0),
                   "The slope of tanh is gone altogether. The wrong factor must be replaced, not removed."),
            Mutant("sigmoid-slope", lambda *all: greenhouse(*all, slope1=lambda z, a: a * (1 - a)),
                   "This is the slope of a sigmoid. The first layer is a tanh."),
            Mutant("no-square", lambda *all: greenhouse(*all, slope1=lambda z, a: 1 - a), "The square is missing in the slope."),
        ),
        variants={
            "from z": lambda *all: greenhouse(*all, slope1=lambda z, a: 1 / np.cosh(z) ** 2),
            "tanh again": lambda *all: greenhouse(*all, slope1=lambda z, a: 1 - np.tanh(z) ** 2),
            "product": lambda *all: greenhouse(*all, slope1=lambda z, a: (1 - a) * (1 + a)),
            "measured": measured_two_layers(np.tanh, lambda z: z),
        },
        hints=("Only one letter of the program has to change.",
               "The slope of tanh is 1 minus the square of its output. Which name holds the output?")),
)


# m2: the slope of the output's activation is missing.

def rain(x, y, W1, b1, W2, b2, slope1=lambda z, a: a * (1 - a), slope2=lambda z, a: a * (1 - a), **changes):
    """Two sigmoid layers."""
    return two_layers(x, y, W1, b1, W2, b2, sigmoid, sigmoid, slope1, slope2, **changes)


def rain_late(x, y, W1, b1, W2, b2):
    """The slope of the output is put into the gradients of the last layer, and not passed on."""
    right, late = (rain(x, y, W1, b1, W2, b2, slope2=s) for s in (lambda z, a: a * (1 - a), lambda z, a: 1.0))
    return *late[:2], *right[2:]


M2 = (
    line("m2", "Rain", 7, 13, {
        10: ("hidden", "The slope of the hidden layer is there, and right. All four gradients are wrong, so look later "
                       "in the network, which is earlier on the way back."),
        8: ("symptom", "Here a wrong number comes out, but the product is right. What goes in was wrong before."),
        4: ("forward", "The forward pass is what the docstring says. It is the way back that does not fit it."),
        6: ("forward-output", "The output is what the docstring says, a sigmoid. Does the way back know?"),
    }, ("All four gradients are wrong. Begin at the end, where the way back begins.",
        "The loss is a function of a2, and a2 is a function of z2. Which of the two has delta2 to do with?",
        "delta2 should be dL/dz2. Which factor leads from a2 to z2?")),
    repair(
        "m2", "Rain", reference=lambda x, y, W1, b1, W2, b2: rain(x, y, W1, b1, W2, b2),
        inputs=two_layer_inputs, parts=("dW1", "db1", "dW2", "db2"),
        mutants=(
            Mutant("unrepaired", lambda *all: rain(*all, slope2=lambda z, a: 1.0),
                   "delta2 is still dL/da2. The step from a2 back to z2 is missing, and with it a factor."),
            Mutant("at-z", lambda *all: rain(*all, slope2=lambda z, a: z * (1 - z)),
                   "The factor is there now, but it is computed from z2. This form of the slope takes the output."),
            Mutant("too-late", rain_late,
                   "The last layer is right now, but its delta goes on to the first layer without the new factor."),
            Mutant("hidden-again", lambda *all: rain(*all, slope2=lambda z, a: 1.0, slope1=lambda z, a: (a * (1 - a)) ** 2),
                   "The factor was added to the hidden layer, where it was already. It is the output's that is missing."),
            Mutant("tanh-slope", lambda *all: rain(*all, slope2=lambda z, a: 1 - a**2),
                   "This is the slope of a tanh. The output is a sigmoid."),
        ),
        variants={
            "from z": lambda *all: rain(*all, slope2=lambda z, a: np.exp(-z) / (1 + np.exp(-z)) ** 2),
            "expanded": lambda *all: rain(*all, slope2=lambda z, a: a - a * a),
            "measured": measured_two_layers(sigmoid, sigmoid),
        },
        hints=("One factor has to be added to one line.",
               "The hidden layer shows you what such a factor looks like. The output needs its own.")),
)


# m3: delta goes back through the weights of another layer.

def tower(x, y, W1, W2, W3, through=lambda i: i, turn=np.transpose, slope=lambda acts, i: 1 - acts[i] ** 2):
    """Three tanh layers without biases; the way back as a loop."""
    weights, acts = [W1, W2, W3], [x]
    for W in weights:
        acts.append(np.tanh(acts[-1] @ W))
    delta, grads = 2 * (acts[-1] - y) / y.size * (1 - acts[-1] ** 2), [None, None, None]
    for i in (2, 1, 0):
        grads[i] = acts[i].T @ delta
        if i:
            delta = (delta @ turn(weights[through(i)])) * slope(acts, i)
    return tuple(grads)


def tower_step_by_step(x, y, W1, W2, W3):
    """The same without a loop, each layer by its number."""
    a1 = np.tanh(x @ W1)
    a2 = np.tanh(a1 @ W2)
    a3 = np.tanh(a2 @ W3)
    delta3 = 2 / y.size * (a3 - y) * (1 - a3**2)
    delta2 = np.einsum("nk,hk->nh", delta3, W3) * (1 - a2**2)
    delta1 = np.einsum("nk,hk->nh", delta2, W2) * (1 - a1**2)
    return [x.T @ delta1, a1.T @ delta2, a2.T @ delta3]


def tower_inputs(rng):
    """A batch and three weight matrices."""
    widths = 3, 5, 4, 2
    n, sizes = width(rng, 6, 8), list(pairwise(widths))
    return (rng.normal(0, 1, (n, widths[0])), rng.uniform(-0.9, 0.9, (n, widths[-1])),
            *(rng.normal(0, 0.6, size) for size in sizes))


M3 = (
    line("m3", "The tower", 11, 12, {
        9: ("symptom", "Here the wrong gradients are stored, and the product is right. The delta in it comes from "
                        "the round of the loop before."),
        6: ("start", "The last layer's gradient is right, so the delta that the loop begins with is right."),
        5: ("forward", "The forward pass is right: with widths that are all alike it gives the loss it should."),
        10: ("condition", "The first layer has no layer before it that needs a delta, so the loop may stop there."),
    }, ("With equal widths nothing crashes, and two of three gradients are wrong. Which one is right?",
        "Take the round i = 2. Which layer has delta just left, and which weights did it meet there on the way forward?",
        "Write the shapes of delta, of each weight matrix, and of acts[i] beside each other, for widths 3, 5, 4, 2.")),
    repair(
        "m3", "The tower", reference=lambda x, y, W1, W2, W3: tower(x, y, W1, W2, W3), inputs=tower_inputs,
        edge_cases=(("all layers 4 wide", tuple(np.sin(np.arange(16.0) * (k + 2)).reshape(4, 4) * 0.9 for k in range(5))),),
        parts=("dW1", "dW2", "dW3"),
        mutants=(
            Mutant("unrepaired", lambda *all: tower(*all, through=lambda i: i - 1),
                   "Delta is still sent back through the weights of the layer below. Equal widths hide it, others crash."),
            Mutant("other-way", lambda *all: tower(*all, through=lambda i: (i + 1) % 3),
                   "Delta is now sent back through the weights of the layer above, which it has passed already."),
            Mutant("not-turned", lambda *all: tower(*all, turn=lambda W: W),
                   "These are the right weights, but on the way back they must be transposed."),
            Mutant("last-weights", lambda *all: tower(*all, through=lambda i: 2),
                   "The last layer's weights are used in every round. Each layer has its own."),
            Mutant("no-slope", lambda *all: tower(*all, slope=lambda acts, i: 1.0),
                   "The weights are right now, but the slope of tanh went missing on the way."),
            Mutant("slope-below", lambda *all: tower(*all, slope=lambda acts, i: 1 - acts[i + 1] ** 2),
                   "The weights are right now, but the slope belongs to another layer than the delta."),
        ),
        variants={"step by step": tower_step_by_step,
                  "other slope": lambda *all: tower(*all, slope=lambda acts, i: (1 - acts[i]) * (1 + acts[i]))},
        hints=("One number has to change, in one line.",
               "Forward, layer i takes acts[i] through its weights. Backward, delta takes the same weights the other way.")),
)


# m4: the loss averages, its gradient adds up.

def coin(x, y, W, b, scale=lambda n: (1 / n, 1 / n, 1 / n), sign=1):
    """Logistic regression: loss, dW, db; scale gives the factors in front of the three sums."""
    z = x @ W + b
    p = sigmoid(z)
    first, second, third = scale(len(y))
    surprise = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    return float(surprise * first), sign * x.T @ (p - y) * second, sign * np.sum(p - y) * third


def coin_inputs(rng):
    """A batch with labels, weights and a bias."""
    n, d = width(rng, 6, 11), width(rng, 3, 4)
    y = np.ones(n)
    y[rng.permutation(n)[: n // 2]] = 0
    return rng.normal(0.5, 1, (n, d)), y, rng.normal(0, 0.8, d), float(rng.normal(0.3, 0.2))


M4 = (
    line("m4", "The coin", 5, 8, {
        4: ("loss", "The docstring asks for the mean, and this is the mean. What follows must fit it."),
        6: ("symptom", "You could put the missing factor here, and dW would be right. But db has the same fault, so the "
                       "cause is before both."),
        7: ("symptom-bias", "You could put the missing factor here, and db would be right. But dW has the same fault, so "
                            "the cause is before both."),
    }, ("Divide the claimed gradient by the measured one, entry by entry, for two batches of different size.",
        "The ratio is the number of examples. Which line knows nothing of it, and should?",
        "delta should be dL/dz, the slope of the loss that was computed one line before.")),
    repair(
        "m4", "The coin", reference=lambda x, y, W, b: coin(x, y, W, b), inputs=coin_inputs, parts=("the loss", "dW", "db"),
        mutants=(
            Mutant("unrepaired", lambda *all: coin(*all, scale=lambda n: (1 / n, 1, 1)),
                   "The loss is a mean, the gradients are still sums: they are too large by the number of examples."),
            Mutant("weights-only", lambda *all: coin(*all, scale=lambda n: (1 / n, 1 / n, 1)),
                   "dW is right now. db has the same fault and still has it."),
            Mutant("bias-only", lambda *all: coin(*all, scale=lambda n: (1 / n, 1, 1 / n)),
                   "db is right now. dW has the same fault and still has it."),
            Mutant("loss-adds", lambda *all: coin(*all, scale=lambda n: (1, 1, 1)),
                   "Loss and gradients agree now, because the loss adds up as well. The docstring asks for the mean."),
            Mutant("twice", lambda *all: coin(*all, scale=lambda n: (1 / n, 1 / n**2, 1 / n**2)),
                   "You divided twice, once in delta and once again after it."),
            Mutant("by-features", lambda x, y, W, b: coin(x, y, W, b, scale=lambda n: (1 / n, 1 / len(W), 1 / len(W))),
                   "You divided by the number of columns. The loss averages over examples, which are rows."),
        ),
        variants={
            "late": lambda x, y, W, b: (coin(x, y, W, b)[0], (sigmoid(x @ W + b) - y) @ x / len(x),
                                        np.mean(sigmoid(x @ W + b) - y)),
            "measured": lambda x, y, W, b: (coin(x, y, W, b)[0], numerical_gradient(lambda v: coin(x, y, v, b)[0], W),
                                            numerical_gradient(lambda v: coin(x, y, W, v)[0], b)),
        },
        hints=("A single factor is missing. Put it where both gradients get it.",
               "The mean divides by the number of rows. So does its slope.")),
)


# m12: the slope of the sigmoid is left out of the gradient.

def lighthouse(x, y, w, b, slope=lambda z, a: a * (1 - a), slope_b=None):
    """One sigmoid neuron with the mean squared error: dw, db."""
    z = x @ w + b
    a = sigmoid(z)
    base = 2 * (a - y) / len(y)
    return x.T @ (base * slope(z, a)), float(np.sum(base * (slope_b or slope)(z, a)))


def lighthouse_inputs(rng):
    """A batch with targets between 0 and 1, weights and a bias."""
    n, d = width(rng, 6, 9), width(rng, 3, 4)
    return rng.normal(0.3, 1, (n, d)), rng.uniform(0.05, 0.95, n), rng.normal(0, 0.8, d), float(rng.normal(0.4, 0.2))


M12 = (
    line("m12", "The lighthouse", 7, 10, {
        6: ("forward", "This is a sigmoid, as the docstring says. The line is right; the way back forgets it."),
        8: ("symptom", "delta times the row is right, if delta is dL/dz. It is not."),
        9: ("symptom-bias", "The bias adds to z, so its gradient is delta itself. It is delta that is wrong."),
        5: ("sum", "The weighted sum is right."),
    }, ("Compare claimed and measured gradient for small weights, then for large ones. When is the gap largest?",
        "With weights near zero the ratio is almost the same for every entry: about 4. Which slope is 1/4 there?",
        "delta should lead from the loss to a, and from a to z: two factors.")),
    repair(
        "m12", "The lighthouse", reference=lambda x, y, w, b: lighthouse(x, y, w, b), inputs=lighthouse_inputs,
        parts=("dw", "db"),
        mutants=(
            Mutant("unrepaired", lambda *all: lighthouse(*all, slope=lambda z, a: 1.0),
                   "The slope of the sigmoid is still left out: this is the gradient of a neuron without activation."),
            Mutant("quarter", lambda *all: lighthouse(*all, slope=lambda z, a: 0.25),
                   "1/4 is the sigmoid's slope at z = 0 only. Each example has its own."),
            Mutant("at-z", lambda *all: lighthouse(*all, slope=lambda z, a: z * (1 - z)),
                   "The slope in this form takes the output a; it was given z."),
            Mutant("weights-only", lambda *all: lighthouse(*all, slope_b=lambda z, a: 1.0),
                   "dw is right now. db still lacks the same factor."),
            Mutant("twice", lambda *all: lighthouse(*all, slope=lambda z, a: (a * (1 - a)) ** 2),
                   "The slope is in there twice."),
            Mutant("tanh-slope", lambda *all: lighthouse(*all, slope=lambda z, a: 1 - a**2), "That is the slope of a tanh."),
        ),
        variants={
            "from z": lambda *all: lighthouse(*all, slope=lambda z, a: 1 / (2 + np.exp(z) + np.exp(-z))),
            "measured": lambda x, y, w, b: (
                numerical_gradient(lambda v: np.mean((sigmoid(x @ v + b) - y) ** 2), w),
                numerical_gradient(lambda v: np.mean((sigmoid(x @ w + v) - y) ** 2), b)),
        },
        hints=("One line lacks one factor.", "The factor is the slope of the sigmoid, for the example of this round.")),
)


# m13: the printed gradient has the wrong sign for the printed loss.

def textbook(x, y, w, b, factor=2.0, factor_b=None):
    """The gradient of (1/n) sum (y - w x - b)^2 along w and b."""
    error = w * x + b - y
    return factor * float(np.mean(error * x)), (factor if factor_b is None else factor_b) * float(np.mean(error))


def textbook_inputs(rng):
    """Points near a line, and the w and b of another line."""
    x = rng.uniform(0.5, 3, width(rng, 5, 9))
    return x, 1.5 * x + rng.normal(0.5, 0.3, len(x)), float(rng.normal(0.4, 0.2)), float(rng.normal(-0.3, 0.1))


M13 = (
    line("m13", "The textbook", 3, 6, {
        5: ("symptom", "This line multiplies line 3 by line 4, and rightly so. One of the two is wrong."),
        6: ("symptom-bias", "This line follows from line 3, as it should. Line 3, however, ..."),
        2: ("loss", "A loss may be written with either difference: the square does not care. Its slope does."),
        4: ("inner", "The prediction is w x + b, and its slope along w is x. This line is right."),
    }, ("Put in numbers: one example with x = 1, y = 1, and w = b = 0. Should a larger w make the loss larger or smaller?",
        "The formula says larger, and the loss says smaller. Which line brought in the sign?",
        "The chain rule at a square: twice the inside, times the slope of the inside. What is that slope along the prediction?")),
    repair(
        "m13", "The textbook", reference=lambda x, y, w, b: textbook(x, y, w, b), inputs=textbook_inputs,
        parts=("dL/dw", "dL/db"),
        mutants=(
            Mutant("unrepaired", lambda *all: textbook(*all, factor=-2.0),
                   "The sign is still that of the printed formula: this points downhill, and a step against it climbs."),
            Mutant("weight-only", lambda *all: textbook(*all, factor_b=-2.0),
                   "The slope along w is right now. The formula for b comes from the same wrong line."),
            Mutant("bias-only", lambda *all: textbook(*all, factor=-2.0, factor_b=2.0),
                   "The slope along b is right now. The formula for w comes from the same wrong line."),
            Mutant("no-two", lambda *all: textbook(*all, factor=1.0), "The sign is right now; the 2 of the square is gone."),
            Mutant("no-two-and-sign", lambda *all: textbook(*all, factor=-1.0),
                   "The 2 of the square is gone, and the sign is wrong."),
            Mutant("sum", lambda x, *rest: textbook(x, *rest, factor=2.0 * len(x)),
                   "The sign is right now, but the 1/n of the loss is missing."),
        ),
        variants={
            "target first": lambda x, y, w, b: (-2 * np.mean((y - w * x - b) * x), -2 * np.mean(y - w * x - b)),
            "measured": lambda x, y, w, b: (numerical_gradient(lambda v: np.mean((y - v * x - b) ** 2), w),
                                            numerical_gradient(lambda v: np.mean((y - w * x - v) ** 2), b)),
        },
        hints=("Repair the wrong line of the text first, then carry it through lines 5 and 6.",
               "Either put a minus in front, or turn the difference round. Not both.")),
)
