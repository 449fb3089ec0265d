"""The bug hunt, second part: programs that train and predict, m5 to m11."""

import numpy as np

from bplib import Softmax
from course.ch08_gradient_checking.bank.gradients import width
from course.ch08_gradient_checking.bank.parts import line, repair, sigmoid
from course.grading.core import Mutant

softmax = Softmax().f


# m5: the prediction uses the first layer only.

def islands(x, y, x_new, lr, steps, answer=lambda hidden, logits: logits.argmax(axis=1), bias=True):
    """A network tanh -> softmax is trained; the last loss, and the classes of x_new."""
    rng = np.random.default_rng(0)
    W1, b1 = rng.normal(0, 1, (x.shape[1], 3)), np.zeros(3)
    W2, b2 = rng.normal(0, 1, (3, 3)), np.zeros(3)
    for _ in range(steps):
        a1 = np.tanh(x @ W1 + b1)
        p = softmax(a1 @ W2 + b2)
        delta2 = (p - np.eye(3)[y]) / len(x)
        delta1 = delta2 @ W2.T * (1 - a1**2)
        W2, b2 = W2 - lr * a1.T @ delta2, b2 - lr * delta2.sum(axis=0)
        W1, b1 = W1 - lr * x.T @ delta1, b1 - lr * delta1.sum(axis=0)
    hidden = np.tanh(x_new @ W1 + b1)
    loss = float(-np.mean(np.log(p[np.arange(len(y)), y])))
    return loss, answer(hidden, hidden @ W2 + (b2 if bias else 0))


def islands_inputs(rng):
    """Three clouds of points, more of the third class than of the second, and new points of the same clouds."""
    centres = np.array([[2.0, 0.0], [-1.0, 2.0], [-1.0, -2.0]])
    y, y_new = np.repeat([0, 1, 2], [5, 4, 7]), np.repeat([2, 0, 1], [6, 5, 8])
    points = [centres[labels] + rng.normal(0, 0.3, (len(labels), 2)) for labels in (y, y_new)]
    return points[0], y, points[1], float(rng.uniform(0.4, 0.6)), 150


M5 = (
    line("m5", "The islands", 17, 17, {
        8: ("forward", "The forward pass of the training goes through both layers, as it should."),
        16: ("hidden-layer", "The activations of the hidden layer are right. They are not yet a prediction."),
        15: ("loss", "The loss is right, and it says that the training went well. What is wrong comes after it."),
        10: ("symptom", "All gradients of this program are right. Training and prediction are two things."),
    }, ("The loss is small, so the training worked. Which lines run after it?",
        "Follow x_new through the network. Where does it stop?",
        "Both layers have three columns, so nothing crashes when one takes the place of the other.")),
    repair(
        "m5", "The islands", reference=lambda x, y, x_new, lr, steps: islands(x, y, x_new, lr, steps), inputs=islands_inputs,
        parts=("the loss", "the classes"),
        mutants=(
            Mutant("unrepaired", lambda *all: islands(*all, answer=lambda hidden, logits: hidden.argmax(axis=1)),
                   "The classes are still read from the hidden layer. The last layer was trained, and is never used."),
            Mutant("probabilities", lambda *all: islands(*all, answer=lambda hidden, logits: softmax(logits)),
                   "These are the probabilities. Asked for are the classes, one whole number for each point."),
            Mutant("best-probability", lambda *all: islands(*all, answer=lambda hidden, logits: softmax(logits).max(axis=1)),
                   "These are the largest probabilities. Asked for is where they stand."),
            Mutant("softmax-of-hidden", lambda *all: islands(*all, answer=lambda hidden, logits: softmax(hidden)),
                   "A softmax of the hidden layer is still the hidden layer. The second weights are missing."),
            Mutant("down-the-columns", lambda *all: islands(*all, answer=lambda hidden, logits: logits.argmax(axis=0)),
                   "This looks for the best point of each class. Look for the best class of each point: along the rows."),
        ),
        variants={
            "by softmax": lambda *all: islands(*all, answer=lambda hidden, logits: np.argmax(softmax(logits), axis=-1)),
            "as a list": lambda *all: list(islands(*all, answer=lambda hidden, logits: [int(np.argmax(row)) for row in logits])),
        },
        hints=("The training stays as it is. The last line must use the second layer too.",
               "Which class has the largest logit? Softmax would not change the answer.")),
)


# m6: no bias anywhere.

def taxi(x, y, x_new, lr, steps, start=0.0, learn=1.0, use=1.0, train=1.0):
    """Linear regression with a bias: the predictions for x_new."""
    w, b = np.zeros(x.shape[1]), start
    for _ in range(steps):
        delta = 2 * (x @ w + train * b - y) / len(y)
        w, b = w - lr * (x.T @ delta), b - lr * learn * np.sum(delta)
    return x_new @ w + use * b


def taxi_exact(x, y, x_new, lr, steps):
    """The same line by least squares, with a column of ones."""
    solution, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)
    return np.column_stack([x_new, np.ones(len(x_new))]) @ solution


def taxi_inputs(rng):
    """Trips with fares that have a fixed part, and new trips."""
    n, d = width(rng, 16, 20), 2
    x, x_new = rng.uniform(-1, 1, (n, d)) + 0.2, rng.uniform(-1, 1, (5, d))
    return x, x @ rng.uniform(1, 3, d) + rng.uniform(3, 5) + rng.normal(0, 0.1, n), x_new, 0.3, 600


def taxi_column(x, y, x_new, lr, steps):
    """The column of ones is given to the training only."""
    return taxi(np.column_stack([x, np.ones(len(x))]), y, x_new, lr, steps, train=0.0, use=0.0)


M6 = (
    line("m6", "The taxi", 5, 8, {
        8: ("prediction", "The same thing is missing here. But a prediction can only use what was learnt: find the line "
                          "that learns without it."),
        3: ("start", "What is here starts rightly. What is not here has no line yet; find the formula that should use it."),
        6: ("symptom", "delta is right for the prediction it is given."),
        7: ("update", "The step is right for w. What else should there be to step?"),
    }, ("Give the program trips of length zero. What must it answer, whatever w is?",
        "A fare has a part that does not depend on the trip. Which formula has no place for it?")),
    repair(
        "m6", "The taxi", reference=lambda x, y, x_new, lr, steps: taxi(x, y, x_new, lr, steps), inputs=taxi_inputs,
        mutants=(
            Mutant("unrepaired", lambda *all: taxi(*all, learn=0.0),
                   "The line still goes through the origin: where x is zero the prediction is zero."),
            Mutant("never-learnt", lambda *all: taxi(*all, start=1.0, learn=0.0),
                   "There is a bias now, but it stays where it started. It needs a step of its own."),
            Mutant("not-used", lambda *all: taxi(*all, use=0.0),
                   "The bias is learnt, and then left out of the predictions for x_new."),
            Mutant("wrong-direction", lambda *all: taxi(*all, learn=-1.0),
                   "The bias steps along its gradient, not against it, and runs away."),
            Mutant("by-hand", lambda x, y, *rest: taxi(x, y - y.mean(), *rest, learn=0.0) + y.mean(),
                   "You took the mean off the fares. The plane still goes through the origin of x, and the mean trip is not "
                   "zero."),
            Mutant("column-for-training-only", taxi_column,
                   "The training gets a column of ones, x_new does not, so their widths differ."),
        ),
        variants={
            "column of ones": lambda x, y, x_new, lr, steps: taxi(*(np.column_stack([x, np.ones(len(x))]), y, np.column_stack(
                [x_new, np.ones(len(x_new))]), lr, steps), train=0.0, use=0.0),
            "least squares": taxi_exact,
            "another start": lambda *all: taxi(*all, start=2.0),
            "centred": lambda x, y, x_new, lr, steps: taxi(
                x - x.mean(axis=0), y - y.mean(), x_new - x.mean(axis=0), lr, steps, learn=0.0) + y.mean(),
        },
        hints=("A number b must start, be used, be updated, and be used again for x_new: four places.",
               "b is added to every prediction, so its gradient adds up delta over all examples.")),
)


# m7: the learning rate is accepted and never used.

def skier(x, y, lr, steps, rates=lambda lr, t: (lr, lr), sign=1):
    """Logistic regression by gradient descent: the loss before each step. rates gives those of w and b in round t."""
    w, b, losses = np.zeros(x.shape[1]), 0.0, []
    for t in range(steps):
        p = sigmoid(x @ w + b)
        losses.append(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
        of_w, of_b = rates(lr, t)
        w, b = w - sign * of_w * x.T @ (p - y) / len(y), b - sign * of_b * np.mean(p - y)
    return np.array(losses)


def skier_inputs(rng):
    """A batch with labels, a learning rate, and a number of steps."""
    n, d = width(rng, 9, 12), 3
    y = np.zeros(n)
    y[rng.permutation(n)[: n // 3]] = 1
    return rng.normal(0.2, 1, (n, d)), y, float(rng.uniform(0.2, 0.6)), width(rng, 5, 8)


M7 = (
    line("m7", "The skier", 10, 11, {
        1: ("signature", "The learning rate arrives here, and that is fine. Where does it go?"),
        8: ("gradients", "The gradients are right, and a gradient knows no learning rate."),
        7: ("loss", "The loss is right for the weights of this round. It is the same for each lr, because the weights are."),
        9: ("loop", "The loop goes over all parameters, as it should."),
    }, ("Run the program with lr = 0.1 and with lr = 0. What does that tell you?",
        "Look for lr in the listing, line by line. How often is it there?")),
    repair(
        "m7", "The skier", reference=lambda x, y, lr, steps: skier(x, y, lr, steps), inputs=skier_inputs,
        edge_cases=(("a learning rate of 0.001", (np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 0.3]]), np.array([1.0, 0.0, 1.0]),
                                                  0.001, 4)),),
        mutants=(
            Mutant("unrepaired", lambda *all: skier(*all, rates=lambda lr, t: (1.0, 1.0)),
                   "The learning rate still has no effect: every step is as if it were 1."),
            Mutant("twice", lambda *all: skier(*all, rates=lambda lr, t: (lr**2, lr**2)),
                   "The learning rate is used twice, in the gradient and in the step, so it acts squared."),
            Mutant("weights-only", lambda *all: skier(*all, rates=lambda lr, t: (lr, 1.0)),
                   "The weights listen to the learning rate now. The bias still steps as if it were 1."),
            Mutant("bias-only", lambda *all: skier(*all, rates=lambda lr, t: (1.0, lr)),
                   "The bias listens to the learning rate now. The weights still step as if it were 1."),
            Mutant("divided", lambda *all: skier(*all, rates=lambda lr, t: (1 / lr, 1 / lr)),
                   "You divided by the learning rate: a smaller one now makes larger steps."),
            Mutant("climbs", lambda *all: skier(*all, sign=-1), "The steps have the right size and go the wrong way: uphill."),
            Mutant("fades", lambda *all: skier(*all, rates=lambda lr, t: (lr / (t + 1), lr / (t + 1))),
                   "Your learning rate shrinks from step to step. Asked for is the plain one, the same each time."),
        ),
        variants={"as a list": lambda *all: skier(*all).tolist(),
                  "scaled first": lambda *all: skier(*all, rates=lambda lr, t: (lr * 1.0, lr / 2 + lr / 2))},
        hints=("One line, one factor.", "A step is the learning rate times the gradient, for every parameter.")),
)


# m8: the error is target minus prediction, so what is called a gradient is minus the gradient.

def archer(x, y, W, b, lr, sign=(1, 1), step=(-1, -1), show=1):
    """One step of gradient descent on the mean squared error: dW, db, and the new W and b."""
    delta = 2 * (x @ W + b - y) / y.size
    dW, db = sign[0] * x.T @ delta, sign[1] * delta.sum(axis=0)
    return show * dW, show * db, W + step[0] * lr * dW, b + step[1] * lr * db


def archer_inputs(rng):
    """A batch with targets, weights, biases and a learning rate."""
    n, d, k = width(rng, 6, 9), width(rng, 4, 5), 3
    return rng.normal(0, 1, (n, d)), rng.normal(1, 1, (n, k)), rng.normal(0, 0.6, (d, k)), rng.normal(0, 0.5, k), \
        float(rng.uniform(0.05, 0.2))


M8 = (
    line("m8", "The archer", 4, 9, {
        7: ("step", "Adding goes downhill here only because the sign is wrong already. Two minus signs have cancelled: "
                    "find the first."),
        8: ("step-bias", "That b adds its step is a consequence, as for W. Find what made it necessary."),
        5: ("symptom", "This product is right, for an error with the right sign."),
        6: ("symptom-bias", "This sum is right, for an error with the right sign."),
        3: ("prediction", "The prediction is right."),
    }, ("The loss falls, so the steps are right. The docstring promises two gradients as well: measure them.",
        "Both gradients are the measured ones with the sign flipped. What do they share?")),
    repair(
        "m8", "The archer", reference=lambda x, y, W, b, lr: archer(x, y, W, b, lr), inputs=archer_inputs,
        parts=("dW", "db", "the new W", "the new b"),
        mutants=(
            Mutant("unrepaired", lambda *all: archer(*all, sign=(-1, -1), step=(1, 1)),
                   "The steps are right and the gradients are not: they are minus the gradients. The next optimiser, which "
                   "subtracts, would climb."),
            Mutant("half", lambda *all: archer(*all, step=(1, 1)),
                   "The gradients are right now, and the steps climb: two minus signs had cancelled, and you took away one."),
            Mutant("other-half", lambda *all: archer(*all, sign=(-1, -1)),
                   "You turned the steps round and left the gradients as they were. Now both are wrong."),
            Mutant("weights-only", lambda *all: archer(*all, sign=(1, -1), step=(-1, 1)),
                   "W is right now. The gradient of b still has its sign flipped."),
            Mutant("bias-step-left", lambda *all: archer(*all, step=(-1, 1)), "The step of b still adds, so b climbs."),
        ),
        variants={
            "minus outside": lambda *all: archer(*all, sign=(-1, -1), step=(1, 1), show=-1),
            "as a list": lambda *all: list(archer(*all)),
        },
        hints=("After the repair nothing may change but the sign of what is called a gradient.",
               "If you turn one sign, every line that relied on it must turn as well.")),
)


# m9: a count is used before it is defined.

def baker(x, y, lr, epochs, count=lambda x: len(x), last=None):
    """Linear regression by gradient descent: the weights and the loss of the last round."""
    w = np.zeros(x.shape[1])
    for _ in range(epochs):
        error = x @ w - y
        w = w - lr * 2 * x.T @ error / count(x)
    return w, float(np.sum(error**2) / (last or count)(x))


def baker_inputs(rng):
    """A batch with targets, a learning rate and a number of epochs."""
    n, d = width(rng, 7, 10), width(rng, 3, 4)
    return rng.normal(0, 1, (n, d)), rng.normal(1, 1, n), float(rng.uniform(0.05, 0.1)), width(rng, 4, 7)


def baker_unrepaired(x, y, lr, epochs):
    """As the program stands in the exercise."""
    w = np.zeros(x.shape[1])
    for _ in range(epochs):
        error = x @ w - y
        w = w - lr * 2 * x.T @ error / n  # noqa: F821 - the mistake itself
    n = len(x)
    return w, np.sum(error**2) / n


M9 = (
    line("m9", "The baker", 8, 9, {
        6: ("symptom", "Python stops here, and points here, but the division is right. It is what it divides by that comes "
                       "too late: look for where that is set."),
        9: ("loss", "By now the count would be known. The program never gets this far."),
        3: ("start", "The weights start rightly."),
    }, ("The traceback names a variable. Where does that variable get its value?",
        "A traceback shows where a mistake was noticed, which need not be where it is.")),
    repair(
        "m9", "The baker", reference=lambda x, y, lr, epochs: baker(x, y, lr, epochs), inputs=baker_inputs,
        parts=("the weights", "the loss"),
        mutants=(
            Mutant("unrepaired", baker_unrepaired, "The count is still set after the loop that needs it."),
            Mutant("columns", lambda *all: baker(*all, count=lambda x: x.shape[1]),
                   "It runs now, with the wrong count: these are the columns. The mean is taken over examples."),
            Mutant("entries", lambda *all: baker(*all, count=np.size),
                   "It runs now, with the wrong count: these are all entries of x. The mean is taken over examples."),
            Mutant("one", lambda *all: baker(*all, count=lambda x: 1),
                   "It runs now, because nothing is divided. The docstring asks for means."),
            Mutant("one-at-first", lambda *all: baker(*all, count=lambda x: 1, last=len),
                   "A count of 1 stops the crash and makes every step too large. Move the right count instead."),
        ),
        variants={"rows": lambda *all: baker(*all, count=lambda x: x.shape[0]), "as a list": lambda *all: list(baker(*all))},
        hints=("No line has to change. One has to move.", "A name must have its value before the first line that reads it.")),
)


# m10: the weights are too wide, and the targets are broadcast against the predictions.

def pear(x, y, lr, steps, columns=1, cut=False, flat=False):
    """Linear regression with `columns` outputs against one column of targets: the loss and the predictions."""
    W, b = np.zeros((x.shape[1], columns)), np.zeros(columns)
    for _ in range(steps):
        delta = 2 * (x @ W + b - y) / (len(x) * columns)
        W, b = W - lr * x.T @ delta, b - lr * delta.sum(axis=0)
    y_hat = x @ W + b
    y_hat = y_hat[:, :1] if cut else y_hat
    return float(np.mean((y_hat - y) ** 2)), y_hat[:, 0] if flat else y_hat


def pear_inputs(rng):
    """Measurements with one target each, as a column."""
    n, d = width(rng, 7, 9), width(rng, 2, 4)
    return rng.normal(0.5, 1, (n, d)), rng.normal(2, 1, (n, 1)), float(rng.uniform(0.05, 0.15)), width(rng, 5, 9)


M10 = (
    line("m10", "The pears", 3, 11, {
        4: ("weights", "The weights have the width that they are told. Who told them?"),
        6: ("forward", "The product is right. Its shape is that of W, and W has the shape it was told."),
        7: ("symptom", "Here a table meets a column, and NumPy makes them fit without a word. The table was born earlier."),
        11: ("loss", "Here too a table meets a column. The table was born earlier."),
    }, ("Print the shapes of y_hat and y inside the loop. Which of the two is as it should be?",
        "How many outputs should the program have? Ask the targets, not the inputs.")),
    repair(
        "m10", "The pears", reference=lambda x, y, lr, steps: pear(x, y, lr, steps), inputs=pear_inputs,
        parts=("the loss", "the predictions"),
        mutants=(
            Mutant("unrepaired", lambda x, *rest: pear(x, *rest, columns=x.shape[1]),
                   "There are still as many predictions for each pear as there are measurements. One target needs one."),
            Mutant("cut-at-the-end", lambda x, *rest: pear(x, *rest, columns=x.shape[1], cut=True),
                   "Cut to one column at the end, the shape is right. The training still shared its steps between "
                   "several columns."),
            Mutant("flat", lambda *all: pear(*all, flat=True),
                   "There is one prediction for each pear now, but as a list. The targets are a column, so keep a column."),
            Mutant("two", lambda *all: pear(*all, columns=len(all[1]) + 1),
                   "The width now comes from the number of examples. Take it from the columns of the targets."),
        ),
        variants={"as a list": lambda *all: list(pear(*all)),
                  "rows by name": lambda x, y, lr, steps: pear(x, y, lr, steps, columns=y.shape[-1])},
        hints=("One letter has to change.", "The number of outputs is the number of columns of the targets.")),
)


# m11: a sigmoid is asked for what it cannot say.

def thermometer(x, y, lr, steps, f=lambda z: z, slope=lambda z, y_hat: 1.0):
    """Regression behind the function f: the predictions after training."""
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        z = x @ w + b
        delta = 2 * (f(z) - y) / len(y) * slope(z, f(z))
        w, b = w - lr * x.T @ delta, b - lr * np.sum(delta)
    return f(x @ w + b)


def thermometer_inputs(rng):
    """Readings, and temperatures from 2 to 8 that depend on them by a straight line."""
    x = rng.uniform(-1, 1, (width(rng, 18, 22), 2))
    return x, 5 + x @ rng.uniform(1.0, 1.5, 2), 0.2, 600


def _squeezed(x, y, lr, steps):
    low, high = y.min(), y.max()
    return low + (high - low) * thermometer(x, (y - low) / (high - low), lr, steps, sigmoid, lambda z, a: a * (1 - a))


M11 = (
    line("m11", "The thermometer", 6, 10, {
        7: ("symptom", "The slope is right for the output that this program has. It fades because the output cannot go further."),
        2: ("docstring", "The docstring names temperatures such as 2 to 8. Which line can never give one?"),
        8: ("step", "The step is right, and becomes tiny. Why?"),
        10: ("last-prediction", "This repeats for the result what the training does in every round. The training comes "
                                "first."),
    }, ("Print the largest prediction after 10, 100 and 1000 steps. Where does it stop?",
        "No weights can make the output reach the targets. Which function stands in the way?")),
    repair(
        "m11", "The thermometer", reference=lambda x, y, lr, steps: thermometer(x, y, lr, steps), inputs=thermometer_inputs,
        mutants=(
            Mutant("unrepaired", lambda *all: thermometer(*all, f=sigmoid, slope=lambda z, a: a * (1 - a)),
                   "The output is still between 0 and 1. Temperatures such as 2 to 8 are out of its reach."),
            Mutant("nothing-learnt", lambda *all: thermometer(*all, slope=lambda z, a: a * (1 - a)),
                   "All predictions stay zero. Is a slope left that is zero at the start, that of the sigmoid, or of a ReLU?"),
            Mutant("tanh", lambda *all: thermometer(*all, f=np.tanh, slope=lambda z, a: 1 - a**2),
                   "A tanh ends at 1 as well. The output must be able to be 8."),
            Mutant("stretched", lambda x, y, *rest: thermometer(x, y, *rest, f=lambda z: 10 * sigmoid(z),
                                                               slope=lambda z, a: a * (10 - a) / 10),
                   "Ten times a sigmoid reaches the targets, but it bends, and the temperatures lie on a straight line."),
            Mutant("squeezed", _squeezed,
                   "You squeezed the targets into 0 to 1. They are reachable now, except for the ends, but a sigmoid still "
                   "bends what is straight."),
        ),
        variants={"as a list": lambda *all: thermometer(*all).tolist(),
                  "smaller steps": lambda x, y, lr, steps: thermometer(x, y, lr / 2, 4 * steps)},
        hints=("A number without bounds needs an output without bounds.",
               "Take the function away on the way forward, and take away its slope on the way back.")),
)
