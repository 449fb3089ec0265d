"""Chapter 02, third part: softmax and cross-entropy of a choice among classes."""
import math

import numpy as np

from bplib import SoftmaxCrossEntropy
from course.ch02_losses.bank.binary import MARGINS, away_from_ends, sigmoid, slope
from course.grading.core import Exercise, Mutant


def softmax(z):
    """Probabilities along each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, y):
    """The mean of log-sum-exp minus the true logit."""
    z = z - z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]))


def cross_entropy_gradient(z, y):
    """dL/dz: probabilities minus one-hot labels, over n."""
    gradient = softmax(z)
    gradient[np.arange(len(y)), y] -= 1
    return gradient / len(y)


def blind_guess(y, k):
    """The entropy of the shares of the classes."""
    q = shares(y, k)
    q = q[q > 0]
    return float(-np.sum(q * np.log(q)))


def shares(y, k):
    """How common each of k classes is."""
    return np.bincount(y, minlength=k) / len(y)


def one_hot(y, k):
    """Rows of zeros with a 1 at the label."""
    return np.eye(k)[y]


def true_class(p, y):
    """The entry of each row at its label."""
    return p[np.arange(len(y)), y]


def log_sum_exp(z):
    """The log of the sum of exponentials of each row."""
    top = z.max(axis=1)
    return top + np.log(np.exp(z - top[:, None]).sum(axis=1))


def overflowing_softmax(z):
    """The formula as it stands."""
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def softmax_over(z, axis):
    """Softmax along any axis."""
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def whole_columns(z, y):
    """The gradient with 1 taken off whole columns."""
    gradient = softmax(z)
    gradient[:, y] -= 1
    return gradient / len(y)


def looped_softmax(z):
    """Row by row, as lists."""
    rows = []
    for row in z.tolist():
        powers = [math.exp(score - max(row)) for score in row]
        rows.append([power / sum(powers) for power in powers])
    return rows


def looped_cross_entropy(z, y):
    """Example by example, with the true logit taken off."""
    surprises = []
    for row, label in zip(z, y):
        surprises.append(math.log(sum(math.exp(score - row[label] - max(row - row[label])) for score in row))
                         + max(row - row[label]))
    return sum(surprises) / len(surprises)


def looped_gradient(z, y):
    """Row by row."""
    rows = looped_softmax(z)
    for row, label in zip(rows, y):
        row[label] -= 1
    return np.array(rows) / len(rows)


def counted_guess(y, k):
    """Class by class."""
    total = 0.0
    for label in range(k):
        count = sum(1 for other in y if other == label)
        total -= count / len(y) * math.log(count / len(y)) if count else 0
    return total


def scores(rng):
    """Logits (n, k)."""
    n, k = int(rng.integers(6, 10)), int(rng.integers(3, 6))
    return (rng.normal(0.5, 2, (n, k)),)


def classes(rng):
    """Logits (n, k), and labels in which every class occurs."""
    (z,) = scores(rng)
    n, k = z.shape
    return z, rng.permutation([*range(k), *rng.integers(0, k, n - k)])


def labels(rng):
    """Labels of classes that are not equally common."""
    k = int(rng.integers(4, 7))
    return rng.permutation(np.repeat(np.arange(k), rng.permutation(np.arange(2, k + 2) ** 2))), k


LARGE = np.array([[1e4, 1e4 - 2, -1e4], [0.5, -1.0, 2.0], [-1e4, 1 - 1e4, 3 - 1e4], [3.0, -1e4, 1e4]])

EXERCISES = (
    Exercise(
        id="losses.softmax",
        title="Softmax that does not overflow",
        points=2,
        reference=softmax,
        inputs=scores,
        edge_cases=(("logits of 10,000", (LARGE,)), ("one row", (np.array([[1.0, 2.0, -0.5]]),))),
        mutants=(
            Mutant("overflow", overflowing_softmax,
                   "Right for ordinary logits. The exponential of 10,000 is infinite, and that of -10,000 is 0, so "
                   "there is nothing left to divide. Take the largest logit of each row off first: it changes no "
                   "probability."),
            Mutant("whole-maximum", lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(axis=1, keepdims=True),
                   "You took the largest logit of the whole batch off every row. A row far below it then holds "
                   "only zeros, and 0/0 is nan. Each row needs its own largest logit."),
            Mutant("down-the-columns", lambda z: softmax_over(z, 0),
                   "Your columns add up to 1. A row is an example, so each row must add up to 1."),
            Mutant("whole-batch", lambda z: softmax_over(z, None),
                   "All entries together add up to 1. Each row is an example of its own and must add up to 1."),
            Mutant("missing-keepdims", lambda z: np.exp(z) / np.exp(z).sum(axis=1),
                   "A sum or maximum over each row has shape (n,), which does not line up with the rows of (n, k). "
                   "Keep the axis, so that it has shape (n, 1)."),
            Mutant("no-exponential", lambda z: z / z.sum(axis=1, keepdims=True),
                   "You divided the logits by their sum, without the exponential. Logits can be negative, "
                   "probabilities cannot."),
            Mutant("twice", lambda z: softmax(softmax(z)),
                   "Softmax is applied twice. The second time it takes probabilities for logits and flattens them."),
            Mutant("logarithms", lambda z: z - log_sum_exp(z)[:, None],
                   "These are the logarithms of the probabilities. Softmax gives the probabilities themselves."),
            Mutant("sigmoid", sigmoid,
                   "This is the sigmoid of each logit. It looks at one logit alone, so the rows do not add up to 1."),
            Mutant("not-divided", lambda z: np.exp(z - z.max(axis=1, keepdims=True)),
                   "Each row still has to be divided by its sum."),
            Mutant("sign", lambda z: softmax(-z),
                   "The sign is flipped: the smallest logit gets the largest probability."),
            Mutant("base-two", lambda z: softmax(z * np.log(2)),
                   "You took powers of 2. Softmax takes powers of e."),
            Mutant("winner", lambda z: one_hot(z.argmax(axis=1), z.shape[1]),
                   "You gave everything to the largest logit. Softmax is soft: each class keeps its share."),
        ),
        variants={
            "loops": looped_softmax,
            "exp of log": lambda z: np.exp(z - log_sum_exp(z)[:, None]),
            "transposed": lambda z: softmax_over(z.T, 0).T,
            "logaddexp": lambda z: np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True)),
            "einsum": lambda z: np.einsum("ij,i->ij", np.exp(z - z.max(1)[:, None]), np.exp(z.max(1) - log_sum_exp(z))),
        },
        hints=("Powers of e make every logit positive, and a division makes each row add up to 1.",
               "Mind the axis: a sum over the classes of each row, kept as a column so that the division lines up.",
               "Before the exponential, take each row's largest logit off that row. The largest power is then 1, "
               "and nothing overflows."),
    ),
    Exercise(
        id="losses.cross_entropy",
        title="Cross-entropy with class labels",
        points=2,
        reference=cross_entropy,
        inputs=classes,
        edge_cases=(("logits of 10,000 that are right", (LARGE, np.array([0, 1, 2, 2]))),
                    ("logits of 10,000 that are wrong", (LARGE, np.array([2, 0, 0, 1]))),
                    ("one example", (np.array([[1.0, 2.0, -0.5]]), np.array([2])))),
        mutants=(
            Mutant("log-of-zero", lambda z, y: -np.mean(np.log(true_class(softmax(z), y))),
                   "Right for ordinary logits. At 10,000 the probability of the true class rounds to 0, and its "
                   "log is minus infinity. Take the logarithm on paper first: what is left is a log-sum-exp minus "
                   "the true logit."),
            Mutant("overflow", lambda z, y: np.mean(np.log(np.exp(z).sum(axis=1)) - true_class(z, y)),
                   "The right formula, but the exponential of 10,000 is too large for a float. Take the largest "
                   "logit of each row off before the exponential."),
            *(Mutant(f"clipped-at-1e-{round(-math.log10(margin))}",
                     lambda z, y, margin=margin: -np.mean(np.log(away_from_ends(true_class(softmax(z), y), margin))),
                     f"You kept the probabilities 1e-{round(-math.log10(margin))} away from 0 and 1. Nothing is "
                     f"infinite, but the loss of an example cannot pass {-math.log(margin):.1f}, however wrong it "
                     "is. Use the logits instead of the probabilities.")
              for margin in MARGINS),
            Mutant("largest-not-put-back", lambda z, y: np.mean(log_sum_exp(z) - z.max(axis=1) - true_class(z, y)),
                   "You took the largest logit off inside the log-sum-exp, but not off the true logit, nor did you "
                   "add it back."),
            Mutant("sum", lambda z, y: len(y) * cross_entropy(z, y),
                   "You added up the losses of the examples. Asked for is their mean."),
            Mutant("sign", lambda z, y: -cross_entropy(z, y),
                   "The minus is missing: the log of a probability is never positive, so a loss must carry a minus."),
            Mutant("base-two", lambda z, y: cross_entropy(z, y) / np.log(2),
                   "You took logarithms to base 2, which gives the loss in bits. Here, log is the natural "
                   "logarithm."),
            Mutant("every-pair", lambda z, y: np.mean(log_sum_exp(z)[:, None] - z[:, y]),
                   "A colon and the labels as indices pick n columns for each of the n examples: every example was "
                   "charged for every label. Pick one entry from each row: give the row numbers too."),
            Mutant("mean-of-entries", lambda z, y: cross_entropy(z, y) / z.shape[1],
                   "You divided by the number of classes as well. Cross-entropy is a mean over the n examples only."),
            Mutant("softmax-twice", lambda z, y: cross_entropy(softmax(z), y),
                   "Softmax is applied twice. What the log-sum-exp takes are the logits, not the probabilities."),
            Mutant("no-softmax", lambda z, y: -np.mean(np.log(true_class(z, y))),
                   "You took the logarithm of a logit. A logit is not a probability: softmax makes one of it."),
            Mutant("no-sum", lambda z, y: -np.mean(true_class(z, y)),
                   "This is only the true logit with a minus. The other classes must count too: the log-sum-exp of "
                   "the row is missing."),
            Mutant("no-logarithm", lambda z, y: -np.mean(true_class(softmax(z), y)),
                   "You averaged the probabilities of the true classes. It is their logarithms that are averaged."),
            Mutant("logarithm-too-late", lambda z, y: -np.log(np.mean(true_class(softmax(z), y))),
                   "You averaged the probabilities and then took the logarithm. Take the logarithm of each example "
                   "first."),
            Mutant("own-favourite", lambda z, y: np.mean(log_sum_exp(z) - z.max(axis=1)),
                   "You charged each example for the class that it thinks most likely. Charge it for the true "
                   "class, y."),
            Mutant("labels-from-one", lambda z, y: cross_entropy(z, y - 1),
                   "You took 1 off the labels. Classes are counted from 0 here, as Python counts."),
            Mutant("down-the-columns", lambda z, y: -np.mean(np.log(true_class(softmax_over(z, 0), y))),
                   "Your softmax runs down the columns, over the examples. It must run along each row, over the "
                   "classes."),
            Mutant("yes-or-no", lambda z, y: np.mean((np.logaddexp(0, z) - one_hot(y, z.shape[1]) * z).sum(axis=1)),
                   "This is a binary cross-entropy for each class. Here the classes exclude each other: softmax, "
                   "not sigmoid."),
        ),
        variants={
            "log-sum-exp": lambda z, y: np.mean(log_sum_exp(z) - true_class(z, y)),
            "one-hot": lambda z, y: -np.sum(one_hot(y, z.shape[1]) * (z - log_sum_exp(z)[:, None])) / len(z),
            "einsum": lambda z, y: np.einsum("ij,ij->", one_hot(y, z.shape[1]), log_sum_exp(z)[:, None] - z) / len(z),
            "logaddexp": lambda z, y: np.mean(np.logaddexp.reduce(z, axis=1, keepdims=True)
                                              - np.take_along_axis(z, y[:, None], axis=1)),
            "loop": looped_cross_entropy,
            "library": lambda z, y: SoftmaxCrossEntropy().forward(z, y),
        },
        hints=("For one example, write minus the log of its softmax at the true class, and let the logarithm turn "
               "the fraction into a difference.",
               "The loss of an example is the log-sum-exp of its row, minus its true logit. Row numbers and labels "
               "together, as two index arrays, pick one entry from each row.",
               "Take each row's largest logit off the whole row first; then neither part can overflow, and the "
               "difference is the same."),
    ),
    Exercise(
        id="losses.cross_entropy_gradient",
        title="The gradient of the cross-entropy",
        points=2,
        reference=cross_entropy_gradient,
        inputs=classes,
        edge_cases=(("logits of 10,000", (LARGE, np.array([2, 0, 0, 1]))),
                    ("one example", (np.array([[1.0, 2.0, -0.5]]), np.array([2])))),
        mutants=(
            Mutant("sum", lambda z, y: softmax(z) - one_hot(y, z.shape[1]),
                   "The loss is a mean over the n examples, your gradient is not: the division by n is missing."),
            Mutant("mean-of-entries", lambda z, y: cross_entropy_gradient(z, y) / z.shape[1],
                   "You divided by the number of entries. Cross-entropy is a mean over the n examples only."),
            Mutant("sign", lambda z, y: -cross_entropy_gradient(z, y),
                   "The sign is flipped: a step against this gradient would push the true class down."),
            Mutant("label-number", lambda z, y: (softmax(z) - y[:, None]) / len(y),
                   "You subtracted the label's number from the whole row. Class 3 is not three times class 1: a "
                   "label only says where the 1 is to be subtracted."),
            Mutant("labels-as-row", lambda z, y: (softmax(z) - y) / len(y),
                   "You subtracted the labels, of shape (n,), from probabilities of shape (n, k). A label is a "
                   "place: it says in which column of its row a 1 is to be subtracted."),
            Mutant("whole-columns", whole_columns,
                   "A colon and the labels as indices subtract 1 from whole columns. Subtract it from one entry in "
                   "each row: give the row numbers too."),
            Mutant("own-favourite", lambda z, y: (softmax(z) - one_hot(z.argmax(axis=1), z.shape[1])) / len(y),
                   "You subtracted 1 at the class that the network thinks most likely. It belongs at the true "
                   "class, y."),
            Mutant("labels-from-one", lambda z, y: cross_entropy_gradient(z, y - 1),
                   "You took 1 off the labels. Classes are counted from 0 here, as Python counts."),
            Mutant("no-label", lambda z, y: softmax(z) / len(y),
                   "These are the probabilities divided by n. The 1 at the true class still has to be subtracted."),
            Mutant("true-class-only", lambda z, y: cross_entropy_gradient(z, y) * one_hot(y, z.shape[1]),
                   "You have the entry of the true class only. The others are pushed too: their gradient is their "
                   "probability, over n."),
            Mutant("down-the-columns", lambda z, y: (softmax_over(z, 0) - one_hot(y, z.shape[1])) / len(y),
                   "Your softmax runs down the columns, over the examples. It must run along each row, over the "
                   "classes."),
            Mutant("slope-too-many", lambda z, y: cross_entropy_gradient(z, y) * slope(softmax(z)),
                   "You multiplied by p (1 - p). The slope of the softmax is already in p - y: it has cancelled."),
            Mutant("overflow", lambda z, y: (overflowing_softmax(z) - one_hot(y, z.shape[1])) / len(y),
                   "Right for ordinary logits. At 10,000 your softmax divides infinity by infinity. Use the stable "
                   "one."),
            Mutant("no-softmax", lambda z, y: (z - one_hot(y, z.shape[1])) / len(y),
                   "You subtracted from the logits. Subtract from the probabilities."),
            Mutant("softmax-twice", lambda z, y: cross_entropy_gradient(softmax(z), y),
                   "Softmax is applied twice. It takes the logits, once."),
            Mutant("sigmoid", lambda z, y: (sigmoid(z) - one_hot(y, z.shape[1])) / len(y),
                   "You took the sigmoid of each logit. The classes exclude each other: softmax, not sigmoid."),
        ),
        variants={
            "one-hot": lambda z, y: (softmax(z) - one_hot(y, z.shape[1])) / len(y),
            "comparison": lambda z, y: (softmax(z) - (y[:, None] == np.arange(z.shape[1]))) / len(y),
            "loop": looped_gradient,
            "library": lambda z, y: SoftmaxCrossEntropy().gradient(z, y),
            "list of rows": lambda z, y: list((np.exp(z - log_sum_exp(z)[:, None]) - one_hot(y, z.shape[1])) / len(y)),
        },
        hints=("In each row the gradient says how far the probabilities are from the right answer, written as a "
               "row of zeros and a 1.",
               "Start from the softmax. In each row, one entry changes: which one, and by how much?",
               "Probabilities, minus 1 at the true class of each row, all divided by n. An identity matrix indexed "
               "by the labels gives you all the rows of zeros and ones at once."),
    ),
    Exercise(
        id="losses.blind_guess",
        title="The best that a blind guess can do",
        points=2,
        reference=blind_guess,
        inputs=labels,
        edge_cases=(("a class that never occurs", (np.array([0, 0, 0, 2, 3, 3]), 4)),
                    ("two classes alike", (np.array([0, 1, 1, 0]), 2))),
        mutants=(
            Mutant("uniform", lambda y, k: np.log(k),
                   "This is the loss of giving each class the same probability. Where some classes are more "
                   "common, a blind guess can do better: say how common each is."),
            Mutant("base-two", lambda y, k: blind_guess(y, k) / np.log(2),
                   "You took logarithms to base 2, which gives the loss in bits. Here, log is the natural "
                   "logarithm."),
            Mutant("log-of-zero", lambda y, k: -np.vdot(shares(y, k), np.log(shares(y, k))),
                   "A class that never occurs gives 0 times the log of 0, which is nan. It costs nothing: leave it "
                   "out."),
            Mutant("unweighted", lambda y, k: -np.mean(np.log(np.unique(y, return_counts=True)[1] / len(y))),
                   "You averaged over the classes. The loss averages over the examples, so a common class counts "
                   "more."),
            Mutant("unweighted-sum", lambda y, k: -np.sum(np.log(np.unique(y, return_counts=True)[1] / len(y))),
                   "You added up minus the log of each share. Weigh each by how often it has to be paid."),
            Mutant("sum", lambda y, k: len(y) * blind_guess(y, k),
                   "You added up the losses of the examples. Asked for is their mean."),
            Mutant("sign", lambda y, k: -blind_guess(y, k),
                   "The minus is missing: the log of a share is negative, a loss is not."),
            Mutant("error-rate", lambda y, k: 1 - shares(y, k).max(),
                   "This is how often the commonest class is wrong. Asked for is a cross-entropy, with logarithms."),
            Mutant("commonest-only", lambda y, k: -np.log(shares(y, k).max()),
                   "You charged every example for the commonest class. Each is charged for its own class."),
            Mutant("all-on-one", lambda y, k: np.inf,
                   "Who puts everything on one class pays infinitely much as soon as another one comes. Spread the "
                   "probability."),
            Mutant("perplexity", lambda y, k: np.exp(blind_guess(y, k)),
                   "You took the exponential at the end. That is the perplexity; asked for is the loss itself."),
        ),
        variants={
            "counted": counted_guess,
            "example by example": lambda y, k: float(np.mean(-np.log(shares(y, k)[y]))),
            "unique": lambda y, k: sum(c / len(y) * np.log(len(y) / c) for c in np.unique(y, return_counts=True)[1]),
            "logits": lambda y, k: cross_entropy(np.tile(np.log(np.bincount(y, minlength=k) + 1e-300), (len(y), 1)), y),
        },
        hints=("Who may not look must give every example the same probabilities. Which ones fit the labels best?",
               "The best probabilities are the shares of the classes. What does an example of class c then pay, "
               "and how many such are there?",
               "Count each class, divide by n, and average minus the log of each example's own share. A class that "
               "never occurs is never paid for."),
    ),
)
