"""Chapter 03, Gradient descent: a line is fitted step by step, in batches, and at the edge of stability."""
import numpy as np

from bplib import MSE, SGD, Linear
from course.grading.core import Exercise, Mutant


def gradient(x, y, w, b):
    """dL/dw and dL/db of the mean squared error of w x + b."""
    error = w * x + b - y
    return 2 * np.mean(error * x), 2 * np.mean(error)


def step(x, y, w, b, lr):
    """One step of gradient descent."""
    dw, db = gradient(x, y, w, b)
    return w - lr * dw, b - lr * db


def descend(x, y, lr, steps):
    """Gradient descent from w = 0 and b = 0."""
    w = b = 0.0
    for _ in range(steps):
        w, b = step(x, y, w, b, lr)
    return w, b


def stable_rate(x):
    """2 / lambda_max of the loss of a line over the points x."""
    hessian = 2 * np.array([[np.mean(x**2), np.mean(x)], [np.mean(x), 1.0]])
    return 2 / np.linalg.eigvalsh(hessian).max()


def batches(n, size, rng):
    """The numbers 0 to n - 1 in random order, cut into arrays of at most `size`."""
    order = rng.permutation(n)
    return [order[start:start + size] for start in range(0, n, size)]


def epoch(x, y, w, b, lr, order, size):
    """One pass over all examples, in the given order, a step for each batch."""
    for start in range(0, len(x), size):
        rows = order[start:start + size]
        w, b = step(x[rows], y[rows], w, b, lr)
    return w, b


def floor(y):
    """The least mean squared error that outputs between 0 and 1 can have."""
    return np.mean((y - np.clip(y, 0, 1)) ** 2)


def moved(change):
    """One step, with another rule for it: (w, b, dw, db, lr) -> (w, b)."""
    return lambda x, y, w, b, lr: change(w, b, *gradient(x, y, w, b), lr)


def one_by_one(x, y, w, b, lr):
    """b is updated with the new w."""
    w = w - lr * gradient(x, y, w, b)[0]
    return w, b - lr * gradient(x, y, w, b)[1]


def by_rule(rule, start=(0.0, 0.0), more=0):
    """A whole descent with another step."""
    def answer(x, y, lr, steps):
        w, b = start
        for _ in range(steps + more):
            w, b = rule(x, y, w, b, lr)
        return w, b
    return answer


def old_gradient(x, y, lr, steps):
    """The gradient is computed once."""
    dw, db = gradient(x, y, 0.0, 0.0)
    return -steps * lr * dw, -steps * lr * db


def by_library(x, y, lr, steps):
    """With the course's own layer, loss and optimiser."""
    net, loss = Linear(1, 1, init="zeros"), MSE()
    optimiser = SGD(net, lr)
    for _ in range(steps):
        loss.forward(net.forward(x[:, np.newaxis]), y[:, np.newaxis])
        net.backward(loss.backward())
        optimiser.step()
    return net.params["W"][0, 0], net.params["b"][0]


def closed_form(x, y, lr, steps):
    """By the eigenvectors of the Hessian."""
    X = np.column_stack([x, np.ones_like(x)])
    values, vectors = np.linalg.eigh(2 * X.T @ X / len(x))
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    return tuple(best - vectors @ ((1 - lr * values) ** steps * (vectors.T @ best)))


def tried(answer, n, size, rng):
    """What two epochs look like: all examples, the sizes, and whether the order is random."""
    first, second = ([np.ravel(rows).tolist() for rows in answer(n, size, rng)] for _ in range(2))
    one, other = ([row for rows in pieces for row in rows] for pieces in (first, second))
    order = "a new random order each time"
    if one == sorted(one):
        order = "the order of the data"
    elif one == other:
        order = "the same random order each time"
    elif all(max(rows) - min(rows) < len(rows) for rows in first):
        order = "the order of the data, and only inside a batch at random"
    return np.sort(np.array(one, dtype=float)), np.array([float(len(rows)) for rows in first]), order


def cut(order, size):
    """Pieces of at most `size`."""
    return [order[start:start + size] for start in range(0, len(order), size)]


def epoch_with(take, last=True):
    """One epoch with another way to take a batch: (x, y, rows, step's own lr) -> step's arguments."""
    def answer(x, y, w, b, lr, order, size):
        for start in range(0, len(x) if last else len(x) - len(x) % size, size):
            w, b = take(x, y, w, b, lr, order[start:start + size], start, size)
        return w, b
    return answer


def some_points(rng):
    """Points near a line, a place, and a rate."""
    x = rng.uniform(-1, 3, 6)
    return x, 1.5 * x - 0.5 + rng.normal(0, 0.5, 6), float(rng.normal()), float(rng.normal())


def a_step(rng):
    """The same with a rate."""
    return *some_points(rng), round(float(rng.uniform(0.02, 0.08)), 3)


def a_descent(rng):
    """Points, a rate, a number of steps."""
    x, y, *_ = some_points(rng)
    return x, y, round(float(rng.uniform(0.03, 0.08)), 3), int(rng.integers(4, 9))


def an_epoch(rng):
    """Points, a start, a rate, an order, and a size that does not divide their number."""
    x = rng.uniform(-1, 3, 10)
    return (x, 1.5 * x - 0.5 + rng.normal(0, 0.5, 10), float(rng.normal()), float(rng.normal()),
            round(float(rng.uniform(0.02, 0.06)), 3), rng.permutation(10), 4)


def targets(rng):
    """Targets below, between and above."""
    return (rng.permutation(np.concatenate([rng.uniform(1.5, 8, 4), rng.uniform(0.1, 0.9, 2), rng.uniform(-3, -0.5, 2)])),)


REGIMES = ("slow", "good", "oscillating", "diverging")

EXERCISES = (
    Exercise(
        id="gradient_descent.gradient",
        title="The gradient of a line's loss",
        points=1,
        reference=gradient,
        inputs=some_points,
        parts=("dL/dw", "dL/db"),
        mutants=(
            Mutant("target-minus-output", lambda x, y, w, b: tuple(-g for g in gradient(x, y, w, b)),
                   "Both signs are flipped: the inside of the square is prediction minus target, and its slope along the "
                   "prediction "
                   "is +1."),
            Mutant("two-missing", lambda x, y, w, b: tuple(g / 2 for g in gradient(x, y, w, b)),
                   "The 2 is missing that comes down from the square."),
            Mutant("sum", lambda x, y, w, b: tuple(len(x) * g for g in gradient(x, y, w, b)),
                   "The loss is a mean, your gradient a sum: divide by the number of points."),
            Mutant("input-missing", lambda x, y, w, b: (gradient(x, y, w, b)[1],) * 2,
                   "dL/dw lacks the input: a change of w moves each prediction by x times as much."),
            Mutant("input-twice", lambda x, y, w, b: (gradient(x, y, w, b)[0],) * 2,
                   "dL/db has an x in it. A change of b moves every prediction by just as much."),
            Mutant("means-multiplied", lambda x, y, w, b: (2 * np.mean(w * x + b - y) * np.mean(x), gradient(x, y, w, b)[1]),
                   "You multiplied two means. Each error belongs to its own x: multiply first, then average."),
            Mutant("squared", lambda x, y, w, b: (2 * np.mean((w * x + b - y) ** 2 * x), 2 * np.mean((w * x + b - y) ** 2)),
                   "The errors are still squared, so their signs are lost."),
            Mutant("exchanged", lambda x, y, w, b: gradient(x, y, w, b)[::-1],
                   "The two numbers have changed places: first dL/dw, then dL/db."),
        ),
        variants={
            "loops": lambda x, y, w, b: (sum(2 * (w * u + b - v) * u for u, v in zip(x, y)) / len(x),
                                         sum(2 * (w * u + b - v) for u, v in zip(x, y)) / len(x)),
            "dot": lambda x, y, w, b: [2 / x.size * ((w * x + b - y) @ x), 2 / x.size * np.sum(w * x + b - y)],
        },
        hints=("Write the loss of one point, and differentiate it with respect to w, then to b.",
               "Both have twice the error. For w there is the inner derivative x, for b it is 1.",
               "Twice the mean of error times x; twice the mean of the errors."),
    ),
    Exercise(
        id="gradient_descent.step",
        title="One step downhill",
        points=1,
        reference=step,
        inputs=a_step,
        parts=("w", "b"),
        mutants=(
            Mutant("uphill", moved(lambda w, b, dw, db, lr: (w + lr * dw, b + lr * db)),
                   "You climb: the gradient points uphill, so take it off."),
            Mutant("rate-ignored", moved(lambda w, b, dw, db, lr: (w - dw, b - db)),
                   "The learning rate is not used: this is the step for a rate of 1."),
            Mutant("rate-divides", moved(lambda w, b, dw, db, lr: (w - dw / lr, b - db / lr)),
                   "You divided by the learning rate. A small rate means a short step."),
            Mutant("weight-only", moved(lambda w, b, dw, db, lr: (w - lr * dw, b)), "The bias stays where it was."),
            Mutant("bias-only", moved(lambda w, b, dw, db, lr: (w, b - lr * db)), "The weight stays where it was."),
            Mutant("one-by-one", one_by_one,
                   "The bias moves with the gradient at the *new* weight. Compute both gradients first, then move both."),
            Mutant("gradient-only", moved(lambda w, b, dw, db, lr: (-lr * dw, -lr * db)),
                   "This is the step itself. Asked for is where it leads: take it from w and b."),
            Mutant("exchanged", moved(lambda w, b, dw, db, lr: (w - lr * db, b - lr * dw)),
                   "w moves by the gradient of b, and the other way round."),
        ),
        variants={
            "array": lambda x, y, w, b, lr: np.array([w, b]) - lr * np.array(gradient(x, y, w, b)),
            "list": lambda x, y, w, b, lr: list(step(x, y, w, b, lr)),
        },
        hints=("The gradient points to where the loss grows fastest. Where do you want to go?",
               "Each of the two: minus the rate times its own slope.",
               "Compute both slopes at the old place, then subtract the rate times each."),
    ),
    Exercise(
        id="gradient_descent.descend",
        title="The whole descent",
        points=2,
        reference=descend,
        inputs=a_descent,
        parts=("w", "b"),
        mutants=(
            Mutant("one-step", by_rule(step, more=-100), "No step was taken: w and b are still 0."),
            Mutant("returned-too-early", lambda x, y, lr, steps: descend(x, y, lr, 1),
                   "Only one step was taken. Is the return inside the loop?"),
            Mutant("one-too-many", by_rule(step, more=1), "One step too many was taken."),
            Mutant("one-too-few", by_rule(step, more=-1), "One step too few was taken."),
            Mutant("old-gradient", old_gradient,
                   "Every step uses the gradient of the start. Compute it anew at each place."),
            Mutant("rate-ignored", lambda x, y, lr, steps: descend(x, y, 1.0, steps),
                   "The learning rate is not used: these are steps with a rate of 1."),
            Mutant("uphill", lambda x, y, lr, steps: descend(x, y, -lr, steps), "You climb instead of descending."),
            Mutant("one-by-one", by_rule(one_by_one),
                   "In each step b moves with the gradient at the new w. Compute both first."),
            Mutant("starts-at-one", by_rule(step, start=(1.0, 1.0)), "You start at 1. Asked for is a start at 0 and 0."),
        ),
        variants={"library": by_library, "eigenvectors": closed_form},
        shown="This is gradient descent, complete. Training a large network repeats the same steps with more parameters.",
        hints=("Start with w and b at zero, and repeat your step.",
               "Each step starts where the last one ended: w, b = step(...).",
               "A loop over range(steps), and the return after it."),
    ),
    Exercise(
        id="gradient_descent.stable_rate",
        title="The edge of stability",
        points=2,
        reference=stable_rate,
        inputs=lambda rng: (rng.uniform(-1, 4, 7),),
        mutants=(
            Mutant("half", lambda x: stable_rate(x) / 2,
                   "That is 1 / lambda_max, where the steepest direction is solved in one step. The edge lies at twice that."),
            Mutant("flattest",
                   lambda x: 2 / np.linalg.eigvalsh(2 * np.array([[np.mean(x**2), np.mean(x)], [np.mean(x), 1]])).min(),
                   "You took the smallest eigenvalue. The steepest direction is the first to become unstable."),
            Mutant("hessian-without-two", lambda x: 2 * stable_rate(x),
                   "The Hessian lacks the 2 that comes from the square, so the rate is twice too large."),
            Mutant("weight-only", lambda x: 1 / np.mean(x**2),
                   "That is the curvature along w alone. w and b together make a steeper direction."),
            Mutant("summed", lambda x: stable_rate(x) / len(x),
                   "Your Hessian is that of the sum of squares. The loss is their mean."),
            Mutant("trace", lambda x: 2 / (2 * np.mean(x**2) + 2),
                   "You took the sum of the eigenvalues, the trace. The largest one alone counts."),
            Mutant("lambda", lambda x: 2 / stable_rate(x), "That is lambda_max itself. The edge is 2 divided by it."),
        ),
        variants={
            "singular values": lambda x: len(x) / np.linalg.norm(np.column_stack([x, np.ones_like(x)]), 2) ** 2,
            "quadratic formula": lambda x: 2 / ((np.mean(x**2) + 1) + np.sqrt((np.mean(x**2) - 1) ** 2 + 4 * np.mean(x) ** 2)),
        },
        hints=("Write down the second derivatives of the loss: along w twice, along b twice, and once each.",
               "They are 2 mean(x^2), 2, and 2 mean(x). np.linalg.eigvalsh gives the eigenvalues of a symmetric matrix.",
               "Two divided by the largest eigenvalue of that 2 by 2 matrix."),
    ),
    Exercise(
        id="gradient_descent.batches",
        title="Batches for one epoch",
        points=2,
        reference=batches,
        inputs=lambda rng: (11, 4, rng),
        run=tried,
        parts=("The examples of one epoch, sorted,", "The sizes of the batches", "Your examples come in"),
        mutants=(
            Mutant("last-dropped", lambda n, size, rng: cut(rng.permutation(n)[:n - n % size], size),
                   "The last examples, too few for a full batch, are left out. Every example counts once in an epoch."),
            Mutant("with-replacement", lambda n, size, rng: cut(rng.integers(0, n, n), size),
                   "Some examples come twice and others never: you drew with replacement. Shuffle instead."),
            Mutant("not-shuffled", lambda n, size, rng: cut(np.arange(n), size),
                   "The order is always the same. Each epoch needs a new random one."),
            Mutant("same-shuffle", lambda n, size, rng: cut(np.random.default_rng(0).permutation(n), size),
                   "The order is shuffled, but every epoch in the same way: use the rng that you are given."),
            Mutant("each-batch-shuffled", lambda n, size, rng: [rng.permutation(rows) for rows in cut(np.arange(n), size)],
                   "Only inside a batch is the order random: the same examples always meet. Shuffle all, then cut."),
            Mutant("number-for-size", lambda n, size, rng: np.array_split(rng.permutation(n), size),
                   "You cut into `size` batches. Each batch should have `size` examples."),
            Mutant("overlapping", lambda n, size, rng: [rows for order in [rng.permutation(n)] for rows in
                                                        (order[s:s + size] for s in range(0, n, size - 1))],
                   "Neighbouring batches share an example: the next one starts too early."),
            Mutant("one-batch", lambda n, size, rng: [rng.permutation(n)[:size]],
                   "Only one batch comes back. An epoch goes through all examples."),
        ),
        variants={
            "split": lambda n, size, rng: np.split(rng.permutation(n), range(size, n, size)),
            "shuffle in place": lambda n, size, rng: (lambda order: (rng.shuffle(order), cut(order, size))[1])(np.arange(n)),
            "generator": lambda n, size, rng: iter(cut(rng.permutation(n), size)),
            "lists": lambda n, size, rng: [rows.tolist() for rows in cut(rng.permutation(n), size)],
        },
        shown="Every example once, in a new order each time, and the last batch may be smaller: this is what an epoch means.",
        hints=("First put all numbers from 0 to n - 1 into a random order: the rng has a method for that, permutation.",
               "Then cut it into slices. range(0, n, size) gives where they start; a slice may be shorter at the end.",
               "A list of slices, from each start to start + size."),
    ),
    Exercise(
        id="gradient_descent.epoch",
        title="An epoch of mini-batch descent",
        points=2,
        reference=epoch,
        inputs=an_epoch,
        parts=("w", "b"),
        mutants=(
            Mutant("order-ignored",
                   epoch_with(lambda x, y, w, b, lr, rows, s, size: step(x[s:s + size], y[s:s + size], w, b, lr)),
                   "The batches come in the order of the data: `order` is not used."),
            Mutant("targets-unshuffled", epoch_with(lambda x, y, w, b, lr, rows, s, size:
                                                    step(x[rows], y[s:s + len(rows)], w, b, lr)),
                   "The inputs are in the new order, the targets in the old one: each input meets a target of another."),
            Mutant("last-dropped", epoch_with(lambda x, y, w, b, lr, rows, s, size: step(x[rows], y[rows], w, b, lr), last=False),
                   "The last, smaller batch is left out."),
            Mutant("full-batch", lambda x, y, w, b, lr, order, size: step(x, y, w, b, lr),
                   "This is one step with all examples. Take a step for each batch."),
            Mutant("full-batch-again", epoch_with(lambda x, y, w, b, lr, rows, s, size: step(x, y, w, b, lr)),
                   "There are as many steps as batches, but each uses all examples."),
            Mutant("same-place", lambda x, y, w, b, lr, order, size: tuple(
                np.array([w, b]) - lr * sum(np.array(gradient(x[rows], y[rows], w, b)) for rows in cut(order, size))),
                   "All gradients are taken at the start. Each batch's step begins where the last one ended."),
            Mutant("one-by-one", lambda x, y, w, b, lr, order, size: epoch(x, y, w, b, lr, order, 1),
                   "The batches have one example each: `size` is not used."),
            Mutant("divided-by-all", epoch_with(lambda x, y, w, b, lr, rows, s, size:
                                                step(x[rows], y[rows], w, b, lr * len(rows) / len(x))),
                   "Each batch's gradient is divided by the number of *all* examples. A batch averages over itself."),
        ),
        variants={
            "array split": lambda x, y, w, b, lr, order, size: epoch_with(
                lambda x, y, w, b, lr, rows, s, size: step(np.take(x, rows), np.take(y, rows), w, b, lr))(
                x, y, w, b, lr, order, size),
            "reordered first": lambda x, y, w, b, lr, order, size: epoch(x[order], y[order], w, b, lr, np.arange(len(x)), size),
        },
        hints=("Cut `order` into slices of `size`, as in the exercise before.",
               "x[rows] and y[rows] are the inputs and targets of one batch.",
               "For each slice one step of exercise 2, from where the last one ended."),
    ),
    Exercise(
        id="gradient_descent.regimes",
        title="Four curves, four rates",
        points=1,
        reference=("oscillating", "slow", "diverging", "good"),
        parts=("Run 1:", "Run 2:", "Run 3:", "Run 4:"),
        mutants=(
            Mutant("first-diverges", ("diverging", "slow", "oscillating", "good"),
                   "Look at the size of run 1's numbers: they go down, if not smoothly. Those of run 3 grow without end."),
            Mutant("slow-and-good", ("oscillating", "good", "diverging", "slow"),
                   "Both go down smoothly. Which one is nearly done, and which has hardly begun?"),
            Mutant("good-oscillates", ("good", "slow", "diverging", "oscillating"),
                   "w swings from one side of 2 to the other in run 1, and not in run 4."),
        ),
        variants={"capitals": ("Oscillating", "Slow", "Diverging", "Good"), "list": ["oscillating", "slow", "diverging", "good"]},
        shown="Ten steps are enough to see whether a rate is too small, too large, or good.",
        hints=("First see which runs end near w = 2, and which run away.",
               "A swing from side to side shows in w: is it above 2, below, above ...?",
               "Of the two smooth runs, one arrives within the ten steps."),
    ),
    Exercise(
        id="gradient_descent.floor",
        title="A loss that cannot fall",
        points=1,
        reference=floor,
        inputs=targets,
        edge_cases=(("the line's targets", (np.array([2.0, 4.0, 6.0, 8.0]),)), ("targets in reach", (np.array([0.2, 0.9]),))),
        mutants=(
            Mutant("always-one", lambda y: np.mean((y - 1) ** 2),
                   "Right for targets above 1. For one between 0 and 1 the output can be exact, and below 0 the best output is "
                   "0."),
            Mutant("above-only", lambda y: np.mean(np.maximum(y - 1, 0) ** 2),
                   "Targets below 0 are out of reach as well: the nearest output is 0."),
            Mutant("best-constant", lambda y: np.var(y),
                   "That is the best that one and the same output for all can do. And it may be out of reach itself."),
            Mutant("sum", lambda y: np.sum((y - np.clip(y, 0, 1)) ** 2), "Asked for is the mean over the targets, not the sum."),
            Mutant("not-squared", lambda y: np.mean(np.abs(y - np.clip(y, 0, 1))), "The distances must be squared."),
            Mutant("root", lambda y: np.sqrt(floor(y)), "You took the square root at the end."),
        ),
        variants={
            "two parts": lambda y: (np.sum(np.maximum(y - 1, 0) ** 2) + np.sum(np.minimum(y, 0) ** 2)) / len(y),
            "loop": lambda y: sum((v - min(max(v, 0), 1)) ** 2 for v in y) / len(y),
        },
        shown="No training gets below this number, however long it runs. It is worth knowing before you start.",
        hints=("For one target: which output between 0 and 1 is nearest to it?",
               "np.clip(y, 0, 1) gives the nearest outputs of all targets.",
               "The mean of the squared distances from the targets to their nearest outputs."),
    ),
)
