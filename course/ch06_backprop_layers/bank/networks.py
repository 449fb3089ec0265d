"""Chapter 06, second part: whole networks, every intermediate compared; training on XOR; symmetry."""
from itertools import pairwise

import numpy as np

from bplib import MSE, SGD, Linear, Sequential, Tanh
from course.grading.core import Exercise, Mutant

STATIONS = ("z1", "a1", "y_hat", "delta2", "dW2", "db2", "delta1", "dW1", "db1", "dx")


def network(x, y, W1, b1, W2, b2, slope=lambda z, a: 1 - a**2, scale=lambda y: 2 / y.size, bias=np.sum, back=None):
    """Forward and backward through linear, tanh, linear with the mean squared error; each slip is an option."""
    z1 = x @ W1 + b1
    a1 = np.tanh(z1)
    y_hat = a1 @ W2 + b2
    delta2 = scale(y) * (y_hat - y)
    delta1 = (delta2 @ (W2 if back is None else back).T) * slope(z1, a1)
    return (z1, a1, y_hat, delta2, a1.T @ delta2, bias(delta2, axis=0), delta1, x.T @ delta1, bias(delta1, axis=0), delta1 @ W1.T)


def two_layers(x, y, W1, b1, W2, b2):
    """Every station of the way forward and back."""
    return network(x, y, W1, b1, W2, b2)


def slipped(**slip):
    """The network with one slip."""
    return lambda x, y, W1, b1, W2, b2: network(x, y, W1, b1, W2, b2, **slip)


def changed(place, change):
    """The network with one station changed, and nothing else."""
    def answer(x, y, W1, b1, W2, b2):
        stations = list(network(x, y, W1, b1, W2, b2))
        stations[place] = change(*stations, x, W1, W2)
        return tuple(stations)
    return answer


def by_library(x, y, W1, b1, W2, b2):
    """With the course's own layers."""
    net, loss = Sequential(Linear(*W1.shape), Tanh(), Linear(*W2.shape)), MSE()
    for name, array in zip(net.params, (W1, b1, W2, b2)):
        net.params[name][...] = array
    z1 = net[0].forward(x)
    a1 = net[1].forward(z1)
    y_hat = net[2].forward(a1)
    loss.forward(y_hat, y)
    delta2 = loss.backward()
    delta1 = net[1].backward(net[2].backward(delta2))
    dx = net[0].backward(delta1)
    return [z1, a1, y_hat, delta2, net.grads["2.W"], net.grads["2.b"], delta1, net.grads["0.W"], net.grads["0.b"], dx]


def deep_backward(x, y, Ws):
    """dL/dW of every layer: tanh after each but the last, no biases, mean squared error."""
    outputs = [x]
    for W in Ws[:-1]:
        outputs.append(np.tanh(outputs[-1] @ W))
    delta = 2 * (outputs[-1] @ Ws[-1] - y) / y.size
    grads = []
    for place in range(len(Ws) - 1, -1, -1):
        a = outputs[place]
        grads.append(a.T @ delta)
        delta = (delta @ Ws[place].T) * (1 - a**2)
    return tuple(reversed(grads))


def deep(slope=lambda a: 1 - a**2, weights=lambda Ws, place: Ws[place], scale=lambda y: 2 / y.size, order=reversed,
         last=False, carried=True):
    """The deep network with one slip."""
    def answer(x, y, Ws):
        outputs = [x]
        for W in Ws[:-1]:
            outputs.append(np.tanh(outputs[-1] @ W))
        y_hat = outputs[-1] @ Ws[-1]
        delta = scale(y) * (y_hat - y) * (1 - np.tanh(y_hat) ** 2 if last else 1)
        first, grads = delta, []
        for place in range(len(Ws) - 1, -1, -1):
            a = outputs[place]
            grads.append(a.T @ delta)
            if place:
                delta = (delta @ weights(Ws, place).T) * slope(a)
                delta = delta if carried else np.broadcast_to(first.sum(axis=1, keepdims=True), delta.shape)
        return tuple(order(grads))
    return answer


def slope_of_input(x, y, Ws):
    """The slope is made of z in place of a."""
    zs, a = [], x
    for W in Ws[:-1]:
        zs.append(a @ W)
        a = np.tanh(zs[-1])
    delta = 2 * (a @ Ws[-1] - y) / y.size
    grads = [a.T @ delta]
    for place in range(len(Ws) - 2, -1, -1):
        delta = (delta @ Ws[place + 1].T) * (1 - zs[place] ** 2)
        grads.append((np.tanh(zs[place - 1]) if place else x).T @ delta)
    return tuple(reversed(grads))


def deep_by_library(x, y, Ws):
    """With the course's own layers."""
    layers = []
    for place, W in enumerate(Ws):
        linear = Linear(*W.shape, bias=False)
        linear.params["W"][...] = W
        layers += [linear] + ([Tanh()] if place < len(Ws) - 1 else [])
    net, loss = Sequential(*layers), MSE()
    loss.forward(net.forward(x), y)
    net.backward(loss.backward())
    return tuple(net.grads.values())


def train(x, y, W1, b1, W2, b2, lr, steps):
    """Gradient descent; the four arrays afterwards."""
    for _ in range(steps):
        *_, dW2, db2, _, dW1, db1, _ = network(x, y, W1, b1, W2, b2)
        W1, b1, W2, b2 = W1 - lr * dW1, b1 - lr * db1, W2 - lr * dW2, b2 - lr * db2
    return W1, b1, W2, b2


def training(step):
    """Training with another step, (grads, arrays, lr) -> arrays."""
    def answer(x, y, W1, b1, W2, b2, lr, steps):
        arrays = W1, b1, W2, b2
        for _ in range(steps):
            _, _, _, _, dW2, db2, _, dW1, db1, _ = network(x, y, *arrays)
            arrays = step((dW1, db1, dW2, db2), arrays, lr)
        return arrays
    return answer


def updated_too_early(x, y, W1, b1, W2, b2, lr, steps):
    """The second layer's weights change before the error goes back through them."""
    for _ in range(steps):
        a1 = np.tanh(x @ W1 + b1)
        delta2 = 2 * (a1 @ W2 + b2 - y) / y.size
        W2, b2 = W2 - lr * a1.T @ delta2, b2 - lr * delta2.sum(axis=0)
        delta1 = (delta2 @ W2.T) * (1 - a1**2)
        W1, b1 = W1 - lr * x.T @ delta1, b1 - lr * delta1.sum(axis=0)
    return W1, b1, W2, b2


def trained_by_library(x, y, W1, b1, W2, b2, lr, steps):
    """With the course's own layers and optimiser."""
    net, loss = Sequential(Linear(*W1.shape), Tanh(), Linear(*W2.shape)), MSE()
    for name, array in zip(net.params, (W1, b1, W2, b2)):
        net.params[name][...] = array
    optimiser = SGD(net, lr)
    for _ in range(steps):
        loss.forward(net.forward(x), y)
        net.backward(loss.backward())
        optimiser.step()
    return list(net.params.values())


def in_place(x, y, W1, b1, W2, b2, lr, steps):
    """Copies, changed in place."""
    arrays = [array.copy() for array in (W1, b1, W2, b2)]
    for _ in range(steps):
        _, _, _, _, dW2, db2, _, dW1, db1, _ = network(x, y, *arrays)
        for array, grad in zip(arrays, (dW1, db1, dW2, db2)):
            array -= lr * grad
    return tuple(arrays)


def descend(grads, arrays, lr):
    """One step."""
    return tuple(array - lr * grad for array, grad in zip(arrays, grads))


def a_network(rng):
    """A batch and the arrays of two layers, all widths different."""
    return (rng.normal(0, 1, (5, 3)), rng.normal(0, 1, (5, 2)), rng.normal(0, 0.7, (3, 4)), rng.normal(0, 0.5, 4),
            rng.normal(0, 0.7, (4, 2)), rng.normal(0, 0.5, 2))


def a_deep_network(rng):
    """A batch and four weight matrices; the hidden widths are equal, so that a wrong index goes unnoticed by the shapes."""
    widths = (3, 4, 4, 4, 2)
    Ws = [rng.normal(0, 0.8, shape) for shape in pairwise(widths)]
    return rng.normal(0, 1, (5, 3)), rng.normal(0, 1, (5, 2)), Ws


def a_training(rng):
    """The points of XOR, arrays to start from, a rate and a few steps."""
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([[0.0], [1.0], [1.0], [0.0]])
    return (x, y, rng.normal(0, 1, (2, 3)), rng.normal(0, 0.5, 3), rng.normal(0, 1, (3, 1)), rng.normal(0, 0.5, 1),
            round(float(rng.uniform(0.2, 0.6)), 2), 4)


EXERCISES = (
    Exercise(
        id="backprop_layers.two_layers",
        title="A whole network, station by station",
        points=3,
        reference=two_layers,
        inputs=a_network,
        parts=STATIONS,
        mutants=(
            Mutant("derivative-missing", slipped(slope=lambda z, a: 1.0),
                   "delta1 lacks the slope of tanh: what comes back through W2 is dL/da1, and not yet dL/dz1."),
            Mutant("slope-of-z", slipped(slope=lambda z, a: 1 - z**2),
                   "In delta1 the slope 1 - a^2 was given z1. It wants the output of tanh, a1."),
            Mutant("slope-at-a", slipped(slope=lambda z, a: 1 - np.tanh(a) ** 2),
                   "In delta1 the slope of tanh is taken at a1 instead of at z1: tanh was applied twice."),
            Mutant("sum", slipped(scale=lambda y: 2.0),
                   "The loss averages, your delta2 sums, and everything before it is too large by the same factor."),
            Mutant("per-example", slipped(scale=lambda y: 2 / len(y)),
                   "delta2 is divided by the number of examples. The loss is the mean over all entries."),
            Mutant("two-missing", slipped(scale=lambda y: 1 / y.size),
                   "delta2 lacks the 2 that comes down from the square."),
            Mutant("sign", slipped(scale=lambda y: -2 / y.size),
                   "delta2 has the wrong sign: it is prediction minus target."),
            Mutant("bias-averaged", slipped(bias=np.mean),
                   "The bias gradients are averaged over the examples. They add up; the 1/N of the loss is in delta already."),
            Mutant("wrong-weights", lambda x, y, W1, b1, W2, b2: network(x, y, W1, b1, W2, b2, back=W1),
                   "The error goes back through W1. Between the two layers stands W2: it went forward through it."),
            Mutant("input-for-activation", changed(4, lambda *s: np.asarray(s[-3].T @ s[3])),
                   "dW2 is made with x. The second layer's input is a1."),
            Mutant("pre-activation-for-activation", changed(4, lambda *s: s[0].T @ s[3]),
                   "dW2 is made with z1. The second layer's input is what came out of tanh, a1."),
            Mutant("no-input-gradient", changed(9, lambda *s: np.zeros_like(s[-3])),
                   "dx is not zero. The inputs are not trained, but the loss depends on them all the same."),
            Mutant("input-through-second", changed(9, lambda *s: s[6]),
                   "dx is delta1 unchanged. It must go back through the first layer's weights."),
        ),
        variants={
            "library": by_library,
            "list": lambda *arguments: list(network(*arguments)),
            "cosh": slipped(slope=lambda z, a: 1 / np.cosh(z) ** 2),
        },
        shown="Every gradient of a network with two layers, by your own code.",
        hints=("Go forward first and keep z1, a1 and y_hat. The way back starts with delta2 = dL/dy_hat.",
               "Each layer gives three things from its delta: dW with its own input, db, and what it sends back through its "
               "weights.",
               "delta1 is what came back through the turned W2, times one minus a1 squared. dx is delta1 sent back through W1."),
    ),
    Exercise(
        id="backprop_layers.deep",
        title="Any number of layers, in a loop",
        points=3,
        reference=deep_backward,
        inputs=a_deep_network,
        parts=("dW1", "dW2", "dW3", "dW4"),
        mutants=(
            Mutant("derivative-missing", deep(slope=lambda a: 1.0),
                   "The slope of tanh is missing on the way back."),
            Mutant("slope-of-z", slope_of_input,
                   "The slope 1 - a^2 was given the pre-activations. It wants the outputs of tanh."),
            Mutant("wrong-index", deep(weights=lambda Ws, place: Ws[place - 1] if Ws[place - 1].shape == Ws[place].shape
                                       else Ws[place]),
                   "An error goes back through the weights of the layer before: the index is one too small. The widths are "
                   "equal, "
                   "so no shape complains."),
            Mutant("sum", deep(scale=lambda y: 2.0),
                   "The loss is a mean over all entries, your gradients belong to the sum."),
            Mutant("two-missing", deep(scale=lambda y: 1 / y.size),
                   "The 2 from the square is missing."),
            Mutant("sign", deep(scale=lambda y: -2 / y.size),
                   "All signs are flipped: the error is prediction minus target."),
            Mutant("last-has-tanh", deep(last=True),
                   "You treated the last layer as if a tanh followed. It gives the prediction as it is."),
            Mutant("last-first", deep(order=tuple),
                   "The gradients come last layer first. Turn the list round before you return it."),
            Mutant("not-carried", deep(carried=False),
                   "The error term of the output is used in every layer. Each layer needs its own, from the one after it."),
            Mutant("last-only", lambda x, y, Ws: tuple(np.zeros_like(W) if place < len(Ws) - 1 else grad for place, (W, grad)
                                                       in enumerate(zip(Ws, deep_backward(x, y, Ws)))),
                   "Only the last layer has a gradient. The loop must go on to the first."),
        ),
        variants={"library": deep_by_library, "options": deep(), "list": lambda *a: list(deep_backward(*a))},
        shown="One loop for any number of layers. This is backpropagation as it is used.",
        hints=("Going forward, keep the input of every layer in a list: x first, then each tanh's output.",
               "Going back, layer by layer: the gradient is the layer's input, turned, times delta. Then delta moves one layer "
               "on.",
               "delta moves through the turned weights of the layer that you are at, times one minus the square of its input."),
    ),
    Exercise(
        id="backprop_layers.train",
        title="Train on XOR",
        points=2,
        reference=train,
        inputs=a_training,
        parts=("W1", "b1", "W2", "b2"),
        mutants=(
            Mutant("uphill", training(lambda grads, arrays, lr: descend([-grad for grad in grads], arrays, lr)),
                   "You climb: the step must go against the gradient."),
            Mutant("rate-ignored", training(lambda grads, arrays, lr: descend(grads, arrays, 1.0)),
                   "The learning rate is not used: you step by the whole gradient."),
            Mutant("too-early", updated_too_early,
                   "W2 is changed before the error goes back through it. Compute all gradients first, then update everything."),
            Mutant("first-layer-fixed", training(lambda grads, arrays, lr: (*arrays[:2], *descend(grads[2:], arrays[2:], lr))),
                   "The first layer is never updated."),
            Mutant("biases-fixed", training(lambda grads, arrays, lr: tuple(
                array - lr * grad if array.ndim == 2 else array for array, grad in zip(arrays, grads))),
                   "The biases are never updated."),
            Mutant("one-step", lambda x, y, W1, b1, W2, b2, lr, steps: train(x, y, W1, b1, W2, b2, lr, 1),
                   "Only one step was taken. Return after the loop, not inside it."),
            Mutant("summed", training(lambda grads, arrays, lr: descend([4 * grad for grad in grads], arrays, lr)),
                   "Your gradients belong to the sum of squares, which is four times the mean over these four points."),
            Mutant("untrained", lambda x, y, W1, b1, W2, b2, lr, steps: (W1, b1, W2, b2),
                   "The arrays come back as they were: nothing was learned."),
        ),
        variants={"library": trained_by_library, "in place": in_place},
        shown="Your network trains with gradients of your own. The next cell lets it learn XOR.",
        hints=("Each step: the gradients of all four arrays by your two_layers, then four updates.",
               "Update only when all gradients are there: the way back needs the old W2.",
               "Each array minus the rate times its gradient, and the same again for the given number of steps."),
    ),
    Exercise(
        id="backprop_layers.symmetry",
        title="Equal units stay equal",
        points=1,
        reference=1,
        mutants=(
            Mutant("all-differ", 5,
                   "Equal weights get equal gradients, so equal units make equal steps. What does that say of them later?"),
            Mutant("none", 0, "There are units, and they do learn. Count how many different ones there are."),
            Mutant("two", 2,
                   "Nothing tells two units apart: the same input weights, the same output weights, the same gradients."),
        ),
        variants={"float": 1.0},
        shown="Units that start alike stay alike, and five count as one. That is why weights start at random.",
        hints=("Let a cell train it, and print the columns of W1.",
               "Is there anything in the formulas that treats two units differently?",
               "They stay equal for ever, so they count as a single one."),
    ),
)
