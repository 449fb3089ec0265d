"""Chapter 07, first part: the Jacobian of softmax, and gradients that go through it."""
import numpy as np

from bplib import Softmax
from course.grading.core import Exercise, Mutant


def softmax(z):
    """The probabilities of each row."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def one_hot(y, k):
    """A 1 at each label."""
    return np.eye(k)[y]


def jacobian(p):
    """dp_i/dz_j, a matrix, for one example's probabilities."""
    return np.diag(p) - np.outer(p, p)


def softmax_backward(p, dp):
    """dL/dz for a batch, without any matrix of derivatives."""
    return p * (dp - (dp * p).sum(axis=1, keepdims=True))


def log_softmax(z):
    """The log of the probabilities, finite for logits of any size."""
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def log_softmax_backward(z, dy):
    """dL/dz for y = log softmax(z)."""
    return dy - softmax(z) * dy.sum(axis=1, keepdims=True)


def temperature_gradient(z, y, temperature):
    """dL/dz of the mean cross-entropy of softmax(z / T)."""
    return (softmax(z / temperature) - one_hot(y, z.shape[1])) / (len(z) * temperature)


def smoothed_gradient(z, y, s):
    """dL/dz for targets that give away a share s to all classes alike."""
    k = z.shape[1]
    return (softmax(z) - ((1 - s) * one_hot(y, k) + s / k)) / len(z)


def weighted_gradient(z, y, w):
    """dL/dz where the examples of class c count w_c times."""
    return w[y][:, np.newaxis] * (softmax(z) - one_hot(y, z.shape[1])) / len(z)


def probabilities(rng):
    """One example's probabilities."""
    return (softmax(rng.normal(0, 1, int(rng.integers(3, 6)))),)


def a_batch(rng):
    """Probabilities and an upstream gradient."""
    return softmax(rng.normal(0, 1, (5, 3))), rng.normal(0, 1, (5, 3))


def logits(rng):
    """A batch of logits."""
    return (rng.normal(0, 2, (4, 3)),)


def logits_and_upstream(rng):
    """Logits and an upstream gradient."""
    return rng.normal(0, 2, (5, 3)), rng.normal(0, 1, (5, 3))


def with_temperature(rng):
    """Logits, labels, and a temperature that is not 1."""
    return rng.normal(0, 2, (5, 4)), rng.integers(0, 4, 5), float(rng.choice([0.4, 0.6, 2.5, 4.0]))


def with_share(rng):
    """Logits, labels, and a share to give away."""
    return rng.normal(0, 2, (5, 4)), rng.integers(0, 4, 5), round(float(rng.uniform(0.1, 0.4)), 2)


def with_weights(rng):
    """Logits, labels of several classes, and a weight for each class."""
    return rng.normal(0, 2, (6, 3)), rng.permutation([0, 1, 2, 0, 1, 2]), rng.permutation([0.5, 1.5, 4.0])


FAR = np.array([[1e4, 0.0, -1e4], [3.0, 2.0, 1.0], [-2000.0, -2001.0, -2005.0]])


def naive_log_softmax(z):
    """As the formula has it."""
    e = np.exp(z)
    return np.log(e / e.sum(axis=1, keepdims=True))


def shifted_by_all(z):
    """The largest logit of the whole batch is taken off."""
    z = z - z.max()
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def stable_but_late(z):
    """Softmax is stable, its log is not."""
    return np.log(softmax(z))


def looped_backward(p, dp):
    """With a matrix for each example."""
    return np.array([row @ jacobian(q) for q, row in zip(p, dp)])


def library_backward(p, dp):
    """With the course's own layer."""
    layer = Softmax()
    layer.forward(np.log(p))
    return layer.backward(dp)


EXERCISES = (
    Exercise(
        id="softmax.jacobian",
        title="The Jacobian of softmax",
        points=2,
        reference=jacobian,
        inputs=probabilities,
        mutants=(
            Mutant("diagonal-only", lambda p: np.diag(p * (1 - p)),
                   "The diagonal is right. But raising one logit also takes from the others: what stands beside the diagonal?"),
            Mutant("outer-only", lambda p: -np.outer(p, p),
                   "Beside the diagonal this is right. On it, the logit's own rise is missing: p_i."),
            Mutant("sign", lambda p: np.outer(p, p) - np.diag(p),
                   "The sign is flipped: raising a logit raises its own probability."),
            Mutant("plus", lambda p: np.diag(p) + np.outer(p, p),
                   "Beside the diagonal the sign is wrong: what one class gains, the others lose."),
            Mutant("identity", lambda p: np.eye(len(p)) - np.outer(p, p),
                   "The 1 of the diagonal is not multiplied by p. Both terms have the factor p_i."),
            Mutant("slopes", lambda p: p * (1 - p),
                   "These are the slopes of each probability along its own logit. Each one depends on every logit: a matrix."),
            Mutant("rows-mixed", lambda p: np.diag(p) - np.outer(p, np.ones_like(p)) / len(p),
                   "Beside the diagonal stands the product of two probabilities, one for the row and one for the column."),
        ),
        variants={
            "by formula": lambda p: np.array([[p[i] * ((i == j) - p[j]) for j in range(len(p))] for i in range(len(p))]),
            "broadcast": lambda p: p[:, np.newaxis] * (np.eye(len(p)) - p),
            "einsum": lambda p: np.diag(p) - np.einsum("i,j->ij", p, p),
        },
        hints=("Two cases: i = j, where a logit raises its own probability, and i different from j, where it takes away.",
               "Beside the diagonal it is minus the product of two probabilities; on it, p_i is added.",
               "A matrix with p on its diagonal, minus all products of two probabilities."),
    ),
    Exercise(
        id="softmax.backward",
        title="Backward through softmax, for a batch",
        points=2,
        reference=softmax_backward,
        inputs=a_batch,
        mutants=(
            Mutant("without-its-mean", lambda p, dp: p * dp,
                   "The term that couples the classes is missing: what one class gains, the others lose."),
            Mutant("entry-by-entry", lambda p, dp: dp * p * (1 - p),
                   "This is the backward of a sigmoid. With softmax every probability depends on every logit of its row."),
            Mutant("unweighted", lambda p, dp: p * (dp - dp.sum(axis=1, keepdims=True)),
                   "The upstream gradients are summed without their probabilities as weights."),
            Mutant("plain-mean", lambda p, dp: p * (dp - dp.mean(axis=1, keepdims=True)),
                   "A plain mean was taken off. The mean must be weighted with the probabilities."),
            Mutant("over-the-batch", lambda p, dp: p * (dp - (dp * p).sum(axis=0)),
                   "You added up over the examples. Each row is a softmax of its own: add up along the row."),
            Mutant("over-everything", lambda p, dp: p * (dp - (dp * p).sum()),
                   "You added up the whole batch. Each row is a softmax of its own."),
            Mutant("plus", lambda p, dp: p * (dp + (dp * p).sum(axis=1, keepdims=True)),
                   "The sum must be taken off, not added."),
            Mutant("p-only-inside", lambda p, dp: dp - (dp * p).sum(axis=1, keepdims=True),
                   "The factor p in front is missing."),
        ),
        variants={
            "jacobians": looped_backward,
            "library": library_backward,
            "two terms": lambda p, dp: p * dp - p * np.einsum("nk,nk->n", p, dp)[:, np.newaxis],
        },
        hints=("Multiply the row dp with the Jacobian of its row, on paper, and see what becomes of the two terms.",
               "One number for each row is needed: the sum of dp times p along the row, kept as a column.",
               "Take that number off dp, and multiply what is left by p."),
    ),
    Exercise(
        id="softmax.log_softmax",
        title="Log-softmax that survives logits of 10,000",
        points=2,
        reference=log_softmax,
        inputs=logits,
        edge_cases=(("logits of 10,000", (FAR,)), ("equal logits", (np.full((3, 4), 700.0),))),
        mutants=(
            Mutant("naive", naive_log_softmax,
                   "Right for small logits. e to the 10,000 is infinite, and infinity over infinity is nan. Take the largest "
                   "logit "
                   "of each row off first."),
            Mutant("log-too-late", stable_but_late,
                   "The softmax is stable, but a probability of 1e-400 is rounded to 0, and its log is minus infinity. Never "
                   "form "
                   "the probability: take the log on paper."),
            Mutant("one-shift-for-all", shifted_by_all,
                   "You took the largest logit of the *whole batch* off. In a row far below it every exponential is 0. Each row "
                   "has its own largest."),
            Mutant("along-the-batch", lambda z: log_softmax(z.T).T,
                   "The probabilities add up to 1 down the columns. Each example is a row."),
            Mutant("no-log", softmax,
                   "These are the probabilities. Asked for is their log."),
            Mutant("positive", lambda z: -log_softmax(z),
                   "The sign is flipped: the log of a probability is never positive."),
            Mutant("shift-only", lambda z: z - z.max(axis=1, keepdims=True),
                   "Only the largest logit was taken off. The log of the sum of exponentials is missing."),
        ),
        variants={
            "logaddexp": lambda z: z - np.logaddexp.reduce(z, axis=1)[:, np.newaxis],
            "row by row": lambda z: [row - (row.max() + np.log(np.sum(np.exp(row - row.max())))) for row in z],
        },
        hints=("The log of a fraction is a difference: the logit itself, minus the log of the sum of exponentials.",
               "In the sum, take the largest logit m of the row out: log sum e^z = m + log sum e^(z - m).",
               "Take the largest logit of each row off z; then take off the log of the sum of exponentials."),
    ),
    Exercise(
        id="softmax.log_backward",
        title="Backward through log-softmax",
        points=2,
        reference=log_softmax_backward,
        inputs=logits_and_upstream,
        mutants=(
            Mutant("unchanged", lambda z, dy: dy.copy(),
                   "The gradient comes out as it went in: the normalising sum depends on every logit, too."),
            Mutant("softmaxs-backward", lambda z, dy: softmax(z) * (dy - (dy * softmax(z)).sum(axis=1, keepdims=True)),
                   "This is the backward of softmax itself. Here the log comes after it, and things get simpler."),
            Mutant("weighted-sum", lambda z, dy: dy - (dy * softmax(z)).sum(axis=1, keepdims=True),
                   "The sum of dy is plain here, and the probabilities stand in front of it."),
            Mutant("no-sum", lambda z, dy: dy - softmax(z) * dy,
                   "Each logit moves the normaliser of its whole row, so all the row's dy count: their sum is missing."),
            Mutant("sign", lambda z, dy: softmax(z) * dy.sum(axis=1, keepdims=True) - dy,
                   "The sign is flipped: a logit raises its own log-probability."),
            Mutant("over-the-batch", lambda z, dy: dy - softmax(z) * dy.sum(axis=0),
                   "You added up over the examples. Each row has its own normaliser."),
        ),
        variants={
            "two steps": lambda z, dy: softmax_backward(softmax(z), dy / softmax(z)),
            "matrix": lambda z, dy: np.array([row @ (np.eye(len(row)) - softmax(one)) for one, row in zip(z, dy)]),
        },
        hints=("y_i = z_i - log sum e^z. How does y_i change with z_i, and how with another z_j?",
               "The derivative of the log of the sum with respect to z_j is p_j, for every i.",
               "dy itself, minus the probabilities times the row's sum of dy."),
    ),
    Exercise(
        id="softmax.temperature",
        title="The gradient with a temperature",
        points=1,
        reference=temperature_gradient,
        inputs=with_temperature,
        mutants=(
            Mutant("inner-slope-missing", lambda z, y, T: (softmax(z / T) - one_hot(y, z.shape[1])) / len(z),
                   "This is the gradient along z / T. By the chain rule a factor 1/T leads to z."),
            Mutant("without-temperature", lambda z, y, T: (softmax(z) - one_hot(y, z.shape[1])) / len(z),
                   "The temperature is not used."),
            Mutant("only-outside", lambda z, y, T: (softmax(z) - one_hot(y, z.shape[1])) / (len(z) * T),
                   "The factor 1/T is there, but the probabilities are those of z, not of z / T."),
            Mutant("times", lambda z, y, T: (softmax(z / T) - one_hot(y, z.shape[1])) * T / len(z),
                   "You multiplied by T. The inner function is z / T, and its slope is 1/T."),
            Mutant("hot-and-cold", lambda z, y, T: (softmax(z * T) - one_hot(y, z.shape[1])) * T / len(z),
                   "The logits are divided by the temperature, not multiplied."),
            Mutant("summed", lambda z, y, T: (softmax(z / T) - one_hot(y, z.shape[1])) / T,
                   "The loss is a mean over the examples: the 1/n is missing."),
            Mutant("sign", lambda z, y, T: (one_hot(y, z.shape[1]) - softmax(z / T)) / (len(z) * T),
                   "The sign is flipped: it is p minus y."),
        ),
        variants={
            "in two steps": lambda z, y, T: (softmax(z / T) - one_hot(y, z.shape[1])) / len(z) * (1 / T),
            "in place of its own": lambda z, y, T: np.subtract(softmax(z / T), one_hot(y, z.shape[1])) / z.shape[0] / T,
        },
        hints=("Name the inside u = z / T. What is the gradient along u?",
               "Along u it is the one you know. And du/dz is 1/T.",
               "The probabilities of z / T minus the one-hot labels, over n times T."),
    ),
    Exercise(
        id="softmax.smoothing",
        title="Labels that are not quite sure",
        points=1,
        reference=smoothed_gradient,
        inputs=with_share,
        mutants=(
            Mutant("not-smoothed", lambda z, y, s: (softmax(z) - one_hot(y, z.shape[1])) / len(z),
                   "The labels are hard: the share s is not used."),
            Mutant("others-only", lambda z, y, s: (softmax(z) - np.where(one_hot(y, z.shape[1]) > 0, 1 - s,
                                                                         s / (z.shape[1] - 1))) / len(z),
                   "You gave the share to the other classes only. Here all k classes get s/k, the true one as well."),
            Mutant("too-much", lambda z, y, s: (softmax(z) - (one_hot(y, z.shape[1]) + s / z.shape[1])) / len(z),
                   "Your targets add up to more than 1: the true class has to give the share s away first."),
            Mutant("not-shared", lambda z, y, s: (softmax(z) - ((1 - s) * one_hot(y, z.shape[1]) + s)) / len(z),
                   "Each class got the whole share s. It is divided among the k classes."),
            Mutant("given-away", lambda z, y, s: (softmax(z) - (1 - s) * one_hot(y, z.shape[1])) / len(z),
                   "The true class gave the share away, and nobody got it: the targets must add up to 1."),
            Mutant("summed", lambda z, y, s: len(z) * smoothed_gradient(z, y, s),
                   "The loss is a mean over the examples: the 1/n is missing."),
        ),
        variants={
            "mixture": lambda z, y, s: (1 - s) * (softmax(z) - one_hot(y, z.shape[1])) / len(z)
            + s * (softmax(z) - 1 / z.shape[1]) / len(z),
        },
        hints=("With soft targets t that add up to 1, the gradient is (p - t) / n, just as with hard ones.",
               "The true class keeps 1 - s of its 1; every class gets s/k.",
               "p minus these targets, divided by the number of examples."),
    ),
    Exercise(
        id="softmax.weights",
        title="Classes that count more",
        points=1,
        reference=weighted_gradient,
        inputs=with_weights,
        mutants=(
            Mutant("unweighted", lambda z, y, w: (softmax(z) - one_hot(y, z.shape[1])) / len(z),
                   "The weights are not used."),
            Mutant("by-column", lambda z, y, w: w * (softmax(z) - one_hot(y, z.shape[1])) / len(z),
                   "You weighted the columns. A weight belongs to an example, by its *true* class, and so to a whole row."),
            Mutant("over-weights", lambda z, y, w: weighted_gradient(z, y, w) * len(z) / w[y].sum(),
                   "You divided by the sum of the weights, as some libraries do. Here the loss is divided by n."),
            Mutant("label-only", lambda z, y, w: (softmax(z) - w[y][:, np.newaxis] * one_hot(y, z.shape[1])) / len(z),
                   "Only the label is weighted, not the probabilities: then a row no longer adds up to 0."),
            Mutant("summed", lambda z, y, w: len(z) * weighted_gradient(z, y, w),
                   "The 1/n of the mean is missing."),
            Mutant("first-come", lambda z, y, w: np.resize(w, len(z))[:, np.newaxis] * (softmax(z) - one_hot(y, z.shape[1]))
                   / len(z),
                   "The weights were handed out in the order of the examples. Look each one up by the example's label."),
        ),
        variants={
            "loop": lambda z, y, w: np.array([w[c] * (softmax(row) - one_hot(c, len(row))) for row, c in zip(z, y)]) / len(z),
            "matrix": lambda z, y, w: np.diag(w[y]) @ (softmax(z) - one_hot(y, z.shape[1])) / len(z),
        },
        hints=("The loss of each example is multiplied by one number. What happens to its row of the gradient?",
               "w[y] looks up one weight for each example. As a column it fits the rows.",
               "Each row of the usual gradient, times the weight of its true class."),
    ),
)
