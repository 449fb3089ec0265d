"""Chapter 02, first part: squared error and its conventions."""
import numpy as np

from bplib import MSE, numerical_gradient
from course.grading.core import Exercise, Mutant


def mse(y_hat, y):
    """The mean of the squared errors over all entries."""
    return float(np.mean((y_hat - y) ** 2))


def mse_gradient(y_hat, y):
    """dL/dy_hat, of the shape of y_hat."""
    return 2 * (y_hat - y) / y_hat.size


def column_mse(y_hat, y):
    """Predictions (n, 1) against targets (n,), pair by pair."""
    return float(np.mean((y_hat[:, 0] - y) ** 2))


def looped_mse(y_hat, y):
    """Number by number."""
    total = 0.0
    for row, target in zip(y_hat.tolist(), y.tolist()):
        for guess, right in zip(row, target):
            total += (guess - right) ** 2
    return total / (len(y_hat) * len(y_hat[0]))


def looped_mse_gradient(y_hat, y):
    """Entry by entry, as lists."""
    n, k = y_hat.shape
    return [[2 / (n * k) * (y_hat[i, j] - y[i, j]) for j in range(k)] for i in range(n)]


def regression(rng):
    """Predictions and targets, (n, k)."""
    n, k = int(rng.integers(5, 10)), int(rng.integers(3, 5))
    return rng.normal(1, 2, (n, k)), rng.normal(0, 2, (n, k))


def column(rng):
    """Predictions (n, 1), targets (n,)."""
    n = int(rng.integers(4, 9))
    return rng.normal(1, 2, (n, 1)), rng.normal(0, 2, n)


EXERCISES = (
    Exercise(
        id="losses.mse",
        title="Mean squared error",
        points=1,
        reference=mse,
        inputs=regression,
        edge_cases=(("one example with one output", (np.array([[3.0]]), np.array([[1.0]]))),
                    ("perfect predictions", (np.full((3, 2), 0.7), np.full((3, 2), 0.7)))),
        mutants=(
            Mutant("sum", lambda y_hat, y: np.sum((y_hat - y) ** 2),
                   "You added up the squared errors. The mean also divides by how many there are."),
            Mutant("per-example", lambda y_hat, y: np.sum((y_hat - y) ** 2) / len(y),
                   "You divided by the number of examples, n. The mean is taken over all entries, and there are n "
                   "times k of them."),
            Mutant("per-output", lambda y_hat, y: np.sum((y_hat - y) ** 2) / y.shape[1],
                   "You divided by the number of outputs, k. The mean is taken over all entries, and there are n "
                   "times k of them."),
            Mutant("half", lambda y_hat, y: np.mean((y_hat - y) ** 2) / 2,
                   "You put a 1/2 in front. Some texts do; the loss asked for here has none."),
            Mutant("half-sum", lambda y_hat, y: np.sum((y_hat - y) ** 2) / 2,
                   "This is half the sum of the squared errors. Asked for is their mean, without the 1/2."),
            Mutant("absolute", lambda y_hat, y: np.mean(np.abs(y_hat - y)),
                   "You averaged the sizes of the errors. They must be squared first."),
            Mutant("root", lambda y_hat, y: np.sqrt(np.mean((y_hat - y) ** 2)),
                   "You took the square root at the end. That is the root mean square; asked for is the mean "
                   "square itself."),
            Mutant("not-squared", lambda y_hat, y: np.mean(y_hat - y),
                   "You averaged the errors without squaring them, so errors of opposite sign cancel."),
            Mutant("squared-too-late", lambda y_hat, y: np.mean(y_hat - y) ** 2,
                   "You averaged first and squared afterwards, so errors of opposite sign cancel. Square each "
                   "error, then average."),
            Mutant("one-for-each-output", lambda y_hat, y: np.mean((y_hat - y) ** 2, axis=0),
                   "You averaged down the columns and have one number for each output. A loss is one number for "
                   "the whole batch."),
            Mutant("one-for-each-example", lambda y_hat, y: np.mean((y_hat - y) ** 2, axis=1),
                   "You averaged along the rows and have one number for each example. A loss is one number for the "
                   "whole batch."),
            Mutant("no-mean", lambda y_hat, y: (y_hat - y) ** 2,
                   "You squared the errors and stopped there. The loss is their mean, one number."),
        ),
        variants={
            "loops": looped_mse,
            "dot product": lambda y_hat, y: np.vdot(y_hat - y, y_hat - y) / y.size,
            "norm": lambda y_hat, y: np.linalg.norm(y_hat - y) ** 2 / y.size,
            "mean of means": lambda y_hat, y: np.square(np.subtract(y, y_hat)).mean(axis=0).mean(),
            "einsum": lambda y_hat, y: np.einsum("ij,ij->", y - y_hat, y - y_hat) / y.size,
            "library": lambda y_hat, y: MSE().forward(y_hat, y),
        },
        hints=("Three things happen to the errors, in the order in which the name says them backwards: error, "
               "squared, mean.",
               "The errors are one array, and NumPy squares all of its entries at once. How many entries does it "
               "have?",
               "Subtract, square each entry, then average over the whole array, without naming an axis."),
    ),
    Exercise(
        id="losses.mse_gradient",
        title="The gradient of the mean squared error",
        points=1,
        reference=mse_gradient,
        inputs=regression,
        edge_cases=(("one example with one output", (np.array([[3.0]]), np.array([[1.0]]))),),
        mutants=(
            Mutant("missing-two", lambda y_hat, y: (y_hat - y) / y.size,
                   "The 2 is missing. It comes down from the exponent; it only cancels where the loss has a 1/2 in "
                   "front."),
            Mutant("sum", lambda y_hat, y: 2 * (y_hat - y),
                   "The loss averages, your gradient does not: the division by the number of entries is missing."),
            Mutant("per-example", lambda y_hat, y: 2 * (y_hat - y) / len(y),
                   "You divided by the number of examples, n. The loss divides by the number of entries, n times k."),
            Mutant("half-sum", lambda y_hat, y: y_hat - y,
                   "This is the gradient of half the sum. For the mean a factor is missing: the 2 from the square, "
                   "and the division by the number of entries."),
            Mutant("half-per-example", lambda y_hat, y: (y_hat - y) / len(y),
                   "The 2 is missing, and you divided by the number of examples, not by the number of entries."),
            Mutant("sign", lambda y_hat, y: 2 * (y - y_hat) / y.size,
                   "The sign is flipped: this points downhill. The gradient points uphill, to predictions that are "
                   "worse."),
            Mutant("sign-and-two", lambda y_hat, y: (y - y_hat) / y.size,
                   "The sign is flipped, and the 2 is missing that comes down from the exponent."),
            Mutant("one-number", lambda y_hat, y: 2 * np.mean(y_hat - y),
                   "You added everything up. The gradient has one entry for each prediction, so it has the shape "
                   "of y_hat."),
            Mutant("still-squared", lambda y_hat, y: 2 * (y_hat - y) ** 2 / y.size,
                   "The errors are still squared, so the sign is lost. The derivative of a square is twice the "
                   "thing itself."),
        ),
        variants={
            "loops": looped_mse_gradient,
            "measured": lambda y_hat, y: numerical_gradient(lambda guess: mse(guess, y), y_hat),
            "shape": lambda y_hat, y: -2.0 / np.prod(y.shape) * np.subtract(y, y_hat),
            "library": lambda y_hat, y: MSE().gradient(y_hat, y),
        },
        hints=("Write the loss for two predictions only, and differentiate it with respect to the first.",
               "The other predictions do not depend on this one, so only one term is left. What is the derivative "
               "of its square?",
               "Twice the error, divided by the same number by which the mean divides, for all entries at once."),
    ),
    Exercise(
        id="losses.column",
        title="A column against a list",
        points=1,
        reference=column_mse,
        inputs=column,
        edge_cases=(("perfect predictions", (np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 3.0]))),
                    ("one example", (np.array([[2.0]]), np.array([5.0])))),
        mutants=(
            Mutant("broadcast", lambda y_hat, y: np.mean((y_hat - y) ** 2),
                   "Shapes (n, 1) and (n,) broadcast to (n, n): you compared every prediction with every target. "
                   "Each prediction belongs to one target."),
            Mutant("broadcast-over-n", lambda y_hat, y: np.sum((y_hat - y) ** 2) / len(y),
                   "Shapes (n, 1) and (n,) broadcast to (n, n), and you added up all n times n pairs. There are "
                   "only n."),
            Mutant("sum", lambda y_hat, y: np.sum((y_hat[:, 0] - y) ** 2),
                   "The pairs are right, but you added up their squared errors. Asked for is the mean."),
            Mutant("half", lambda y_hat, y: np.mean((y_hat[:, 0] - y) ** 2) / 2,
                   "The pairs are right, but there is a 1/2 in front. Asked for is the plain mean."),
            Mutant("first-only", lambda y_hat, y: np.mean((y_hat[0] - y) ** 2),
                   "You compared only the first prediction with all targets."),
            Mutant("no-mean", lambda y_hat, y: (y_hat[:, 0] - y) ** 2,
                   "The pairs are right, but a loss is one number: the mean of these squared errors is missing."),
        ),
        variants={
            "targets as column": lambda y_hat, y: np.mean((y_hat - y[:, None]) ** 2),
            "reshape": lambda y_hat, y: np.mean((y_hat - y.reshape(-1, 1)) ** 2),
            "ravel": lambda y_hat, y: np.mean((y_hat.ravel() - y) ** 2),
            "transpose": lambda y_hat, y: ((y_hat.T - y) ** 2).mean(),
            "loop": lambda y_hat, y: sum((guess[0] - target) ** 2 for guess, target in zip(y_hat, y)) / len(y),
            "diagonal": lambda y_hat, y: np.mean(np.diag(y_hat - y) ** 2),
        },
        hints=("Print the shape of the difference before you square it. How many numbers should it hold?",
               "One of the two arrays must change its shape so that both agree. Either one will do.",
               "Take the only column out of the predictions, or make a column of the targets. The rest is the loss "
               "you know."),
    ),
    Exercise(
        id="losses.convention",
        title="Whose gradient is this?",
        points=1,
        reference="per-example",
        mutants=(
            Mutant("sum", "sum", "The sum of squares has the gradient 2 (y_hat - y). The one given is smaller."),
            Mutant("half-sum", "half-sum",
                   "Half the sum has the gradient y_hat - y, with no factor at all. The one given is smaller."),
            Mutant("mean", "mean", "The mean over all six entries has the factor 2/6. The one given is larger."),
            Mutant("half-mean", "half-mean",
                   "Half the mean over all six entries has the factor 1/6. The one given is larger."),
        ),
        variants={"capitals": "Per-Example", "spaces": " per-example "},
        shown="Dividing a gradient by the errors tells which loss it came from, whatever its program is called.",
        hints=("All five gradients point the same way. They differ by a factor only: find it.",
               "Divide the given gradient by the errors, entry by entry. You get the same number six times.",
               "The factor is 2/3, and there are 3 examples with 2 outputs. Which loss divides by 3?"),
    ),
)
