"""Chapter 02, second part: cross-entropy of a yes-or-no prediction."""
import math

import numpy as np

from bplib import BinaryCrossEntropy, numerical_gradient
from course.grading.core import Exercise, Mutant


def binary_cross_entropy(z, y):
    """The mean of log(1 + e^z) - y z, without an exponential that could overflow."""
    return float(np.mean(np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))))


def two_gradients(z, y):
    """dL/dz of the squared error of a sigmoid, and of its cross-entropy."""
    a = sigmoid(z)
    return 2 * (a - y) * a * (1 - a) / len(z), (a - y) / len(z)


def two_gradients_at(a, y):
    """The same from activations."""
    return 2 * (a - y) * slope(a) / len(y), (a - y) / len(y)


def error(z, y):
    """Probability minus target, over n."""
    return (sigmoid(z) - y) / len(z)


def sigmoid(z):
    """1 / (1 + e^-z)."""
    return 1 / (1 + np.exp(-z))


def slope(a):
    """The sigmoid's slope, from its activation."""
    return a * (1 - a)


def log_likelihood(p, y):
    """Of each example, from probabilities."""
    return y * np.log(p) + (1 - y) * np.log(1 - p)


def away_from_ends(p, margin):
    """Probabilities clipped to a margin from 0 and 1."""
    return np.clip(p, margin, 1 - margin)


def looped_binary_cross_entropy(z, y):
    """Example by example."""
    total = 0.0
    for score, right in zip(z.tolist(), y.tolist()):
        margin = score if right else -score
        total += math.log1p(math.exp(-margin)) if margin > 0 else math.log1p(math.exp(margin)) - margin
    return total / len(z)


def yes_or_no(rng):
    """Logits away from zero, and both labels."""
    n = int(rng.integers(5, 10))
    return rng.uniform(0.5, 6, n) * rng.choice([-1, 1], n), rng.permutation([1, 0, 0, *rng.integers(0, 2, n - 3)])


SURE_AND_RIGHT = ("logits of 10,000 that are right", (np.array([1e4, -1e4, 2.0]), np.array([1, 0, 1])))
SURE_AND_WRONG = ("logits of 10,000 that are wrong", (np.array([1e4, -1e4, 2.0]), np.array([0, 1, 1])))
MARGINS = (1e-7, 1e-12, 1e-15)

EXERCISES = (
    Exercise(
        id="losses.binary_cross_entropy",
        title="Binary cross-entropy from logits",
        points=2,
        reference=binary_cross_entropy,
        inputs=yes_or_no,
        edge_cases=(SURE_AND_RIGHT, SURE_AND_WRONG, ("one example", (np.array([0.3]), np.array([1])))),
        mutants=(
            Mutant("log-of-zero", lambda z, y: -np.mean(log_likelihood(sigmoid(z), y)),
                   "Right for ordinary logits. At 10,000 the probability rounds to exactly 0 or 1, its log is "
                   "minus infinity, and 0 times infinity is nan. Rewrite the loss so that it uses z itself."),
            Mutant("log-of-zero-picked", lambda z, y: -np.mean(np.log(np.where(y == 1, sigmoid(z), 1 - sigmoid(z)))),
                   "Right for ordinary logits. At 10,000 the probability of what happened rounds to 0, and its log "
                   "is minus infinity. Rewrite the loss so that it uses z itself."),
            Mutant("overflow", lambda z, y: np.mean(np.log(1 + np.exp(z)) - y * z),
                   "The right formula, but the exponential of 10,000 is too large for a float, and the loss "
                   "becomes infinite. Only ever take the exponential of a number that is not positive."),
            Mutant("exponent-not-negative", lambda z, y: np.mean(np.maximum(z, 0) - y * z + np.log1p(np.exp(-z))),
                   "With the larger of z and 0 taken out, what is left in the exponent is minus the size of z. Yours is "
                   "minus z, which is positive for a negative z."),
            *(Mutant(f"clipped-at-1e-{round(-math.log10(margin))}",
                     lambda z, y, margin=margin: -np.mean(log_likelihood(away_from_ends(sigmoid(z), margin), y)),
                     f"You kept the probabilities 1e-{round(-math.log10(margin))} away from 0 and 1. Nothing is "
                     f"infinite, but the loss of an example cannot pass {-math.log(margin):.1f}, where it should be "
                     "10,000, and its gradient there is 0. Rewrite the loss so that it uses z itself.")
              for margin in MARGINS),
            Mutant("sum", lambda z, y: len(z) * binary_cross_entropy(z, y),
                   "You added up the losses of the examples. Asked for is their mean."),
            Mutant("sign", lambda z, y: -binary_cross_entropy(z, y),
                   "The minus is missing: this is the mean log-likelihood, which is to be large. A loss is to be "
                   "small."),
            Mutant("base-two", lambda z, y: binary_cross_entropy(z, y) / np.log(2),
                   "You took logarithms to base 2, which gives the loss in bits. Here, log is the natural "
                   "logarithm."),
            Mutant("no-zeros", lambda z, y: np.mean(y * np.logaddexp(0, -z)),
                   "Only examples with y = 1 count in your loss. The term with 1 - y is missing."),
            Mutant("swapped", lambda z, y: binary_cross_entropy(z, 1 - y),
                   "You charge the probability of what did not happen. Where y = 1, the loss is minus the log of p."),
            Mutant("sigmoid-twice", lambda z, y: binary_cross_entropy(sigmoid(z), y),
                   "The sigmoid is applied twice. What the logit formula takes is z, not the probability."),
            Mutant("no-sigmoid", lambda z, y: -np.mean(log_likelihood(z, y)),
                   "You took the logarithm of z. A logit is not a probability: the sigmoid makes one of it."),
            Mutant("squared", lambda z, y: np.mean((sigmoid(z) - y) ** 2),
                   "This is the squared error of the probabilities. Cross-entropy takes their logarithm."),
            Mutant("no-mean", lambda z, y: np.logaddexp(0, z) - y * z,
                   "You have one loss for each example. The loss of the batch is their mean."),
            Mutant("broadcast", lambda z, y: np.mean(np.logaddexp(0, z)[:, None] - y * z[:, None]),
                   "A column met a row, and they broadcast to (n, n): every logit was compared with every target."),
        ),
        variants={
            "logaddexp": lambda z, y: np.mean(np.logaddexp(0, z) - y * z),
            "margins": lambda z, y: np.logaddexp(0, (1 - 2 * y) * z).mean(),
            "two logs": lambda z, y: np.mean(y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)),
            "loop": looped_binary_cross_entropy,
            "library": lambda z, y: BinaryCrossEntropy().forward(z, y),
        },
        hints=("Write it with probabilities first, on paper. Then put in the sigmoid and simplify until no "
               "probability is left.",
               "For one example the loss is log(1 + e^z) - y z. The exponential overflows for a large z: take out "
               "the larger of z and 0 first.",
               "The softplus log(1 + e^z) is the larger of z and 0, plus the log of 1 plus e to minus the size of "
               "z. NumPy also has a function for the log of a sum of two exponentials."),
    ),
    Exercise(
        id="losses.two_gradients",
        title="The gradients of both losses at a sigmoid",
        points=2,
        reference=two_gradients,
        inputs=yes_or_no,
        parts=("The gradient of the squared error", "The gradient of the cross-entropy"),
        edge_cases=(SURE_AND_RIGHT, SURE_AND_WRONG),
        mutants=(
            Mutant("no-slope", lambda z, y: (2 * error(z, y), error(z, y)),
                   "The first gradient stops at a. To reach z it must also pass through the sigmoid: its slope is "
                   "missing."),
            Mutant("slope-at-a", lambda z, y: (2 * error(z, y) * slope(sigmoid(sigmoid(z))), error(z, y)),
                   "In the first gradient you took the sigmoid's slope at a. It is the slope at z that is needed, "
                   "and the formula a (1 - a) already holds the sigmoid."),
            Mutant("slope-of-z", lambda z, y: (2 * error(z, y) * z * (1 - z), error(z, y)),
                   "In the first gradient you put z into the formula for the slope. It is written for the "
                   "activation: a (1 - a)."),
            Mutant("missing-two", lambda z, y: (error(z, y) * slope(sigmoid(z)), error(z, y)),
                   "In the first gradient the 2 is missing. The loss has no 1/2 in front that would cancel it."),
            Mutant("sums", lambda z, y: tuple(len(z) * part for part in two_gradients(z, y)),
                   "Both losses average over the n examples, your gradients do not: the division by n is missing "
                   "in both."),
            Mutant("first-sum", lambda z, y: (len(z) * two_gradients(z, y)[0], error(z, y)),
                   "The division by n is missing in the first gradient."),
            Mutant("second-sum", lambda z, y: (two_gradients(z, y)[0], len(z) * error(z, y)),
                   "The division by n is missing in the second gradient."),
            Mutant("sign", lambda z, y: tuple(-part for part in two_gradients(z, y)),
                   "Both signs are flipped: these point downhill. A gradient points to where the loss grows."),
            Mutant("swapped", lambda z, y: two_gradients(z, y)[::-1],
                   "Both are right, and in the wrong order: first the squared error, then the cross-entropy."),
            Mutant("slope-in-both", lambda z, y: (two_gradients(z, y)[0], error(z, y) * slope(sigmoid(z))),
                   "The second gradient still holds the sigmoid's slope. With cross-entropy it cancels: that is "
                   "the point."),
            Mutant("at-p", lambda z, y: (two_gradients(z, y)[0], error(z, y) / slope(sigmoid(z))),
                   "Your second gradient is with respect to the probability p. Multiply by the sigmoid's slope to "
                   "reach z."),
            Mutant("no-sigmoid", lambda z, y: (two_gradients(z, y)[0], (z - y) / len(z)),
                   "In the second gradient you compared the logit itself with the target. Compare its probability."),
            Mutant("overflow", lambda z, y: two_gradients_at(np.exp(z) / (1 + np.exp(z)), y),
                   "Your sigmoid divides infinity by infinity at 10,000 and gives nan. Write it so that only one "
                   "exponential is left."),
            Mutant("slope-overflow", lambda z, y: (2 * error(z, y) * np.exp(-z) / (1 + np.exp(-z)) ** 2, error(z, y)),
                   "You wrote the sigmoid's slope with exponentials, which at -10,000 divide infinity by infinity and give "
                   "nan. Write it with the activation."),
            Mutant("one-number", lambda z, y: tuple(part.sum() for part in two_gradients(z, y)),
                   "You added up the examples. A gradient has one entry for each logit, so both have the shape of "
                   "z."),
        ),
        variants={
            "list": lambda z, y: [slope(sigmoid(z)) * (sigmoid(z) - y) * 2 / z.size, -(y - sigmoid(z)) / z.size],
            "tanh": lambda z, y: ((0.5 + 0.5 * np.tanh(z / 2) - y) * (1 - np.tanh(z / 2) ** 2) / 2 / len(z),
                                  (0.5 + 0.5 * np.tanh(z / 2) - y) / len(z)),
            "measured": lambda z, y: (numerical_gradient(lambda logits: np.mean((sigmoid(logits) - y) ** 2), z),
                                      BinaryCrossEntropy().gradient(z, y)),
        },
        hints=("Both are chains of two: first the loss's slope at a, then the sigmoid's slope, from a to z.",
               "The sigmoid's slope is a (1 - a). Multiply each loss's slope at a by it, and see what cancels in "
               "the second.",
               "What is left of the second is a minus y. The first keeps both factors and its 2. Both losses are "
               "means over n."),
    ),
)
