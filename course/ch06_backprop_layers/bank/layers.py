"""Chapter 06, first part: the backward of one layer, and the error term from one layer to the one before."""
import numpy as np

from bplib import MSE, Linear, Sequential, Sigmoid, Tanh, check_gradients
from course.grading.core import Exercise, Mutant


def linear_backward(x, W, dy):
    """dW, db and dx of y = x W + b."""
    return x.T @ dy, dy.sum(axis=0), dy @ W.T


def by_sums(x, W, dy):
    """Number by number."""
    n, d_in, d_out = len(x), *W.shape
    dW = [[sum(x[r, i] * dy[r, j] for r in range(n)) for j in range(d_out)] for i in range(d_in)]
    db = [sum(dy[r, j] for r in range(n)) for j in range(d_out)]
    dx = [[sum(dy[r, j] * W[i, j] for j in range(d_out)) for i in range(d_in)] for r in range(n)]
    return np.array(dW), np.array(db), np.array(dx)


def by_library(x, W, dy):
    """With the course's own layer."""
    layer = Linear(*W.shape)
    layer.params["W"][...] = W
    layer.forward(x)
    dx = layer.backward(dy)
    return layer.grads["W"], layer.grads["b"], dx


def sigmoid(z):
    """The sigmoid."""
    return 1 / (1 + np.exp(-z))


def sigmoid_backward(z, da):
    """dL/dz from dL/da, for a = sigmoid(z)."""
    a = sigmoid(z)
    return da * a * (1 - a)


def output_delta(a, y):
    """dL/dz of a sigmoid output layer, for the mean squared error over all entries."""
    return 2 * (a - y) / a.size * a * (1 - a)


def hidden_delta(delta, W, z):
    """The error term of a tanh layer with pre-activation z, from that of the next layer, whose weights are W."""
    return (delta @ W.T) * (1 - np.tanh(z) ** 2)


def convert(dW, n):
    """Ours (d_in, d_out) from a text with columns and the loss sum / 2n: transposed, times 2 / d_out."""
    return dW.T * 2 / len(dW)


class MyLinear:
    """z = x W + b as a layer, from given arrays."""

    def __init__(self, W, b):
        self.params = {"W": W, "b": b}
        self.grads = {}

    def forward(self, x, training=False):
        """The output, and what backward needs."""
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dy):
        """Fills grads, returns dx."""
        self.grads = {"W": self.x.T @ dy, "b": dy.sum(axis=0)}
        return dy @ self.params["W"].T


class Accumulating(MyLinear):
    """Adds to what grads held."""

    def backward(self, dy):
        old = self.grads
        dx = super().backward(dy)
        self.grads = {name: grad + old.get(name, 0) for name, grad in self.grads.items()}
        return dx


class Stale(MyLinear):
    """Keeps the first batch for ever."""

    x = None

    def forward(self, x, training=False):
        kept = self.x
        y = super().forward(x)
        self.x = x if kept is None or kept.shape != x.shape else kept
        return y


class InPlace(MyLinear):
    """Centres its input where it stands."""

    def forward(self, x, training=False):
        y = super().forward(x.copy())
        x -= x.mean(axis=0)
        return y


class Silent(MyLinear):
    """Returns nothing."""

    def backward(self, dy):
        super().backward(dy)


class MeanBias(MyLinear):
    """The bias gradient is averaged."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.grads["b"] = dy.mean(axis=0)
        return dx


class NoBias(MyLinear):
    """The forward leaves the bias out."""

    def forward(self, x, training=False):
        return super().forward(x) - self.params["b"]


class WrongOrder(MyLinear):
    """Passes its input's weights on, not transposed, where that fits; and divides by n a second time."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.grads = {name: grad / len(dy) for name, grad in self.grads.items()}
        return dx


class Slots(MyLinear):
    """The same, with lists of what it needs and einsum."""

    def forward(self, x, training=False):
        self.kept = [x.copy()]
        return np.einsum("ni,ij->nj", x, self.params["W"]) + self.params["b"][np.newaxis]

    def backward(self, dy):
        (x,) = self.kept
        self.grads = {"W": np.einsum("ni,nj->ij", x, dy), "b": np.ones(len(dy)) @ dy}
        return np.einsum("nj,ij->ni", dy, self.params["W"])


PLUGGED = ("The output", "grads['W'] of the first layer", "grads['b'] of the first layer", "grads['W'] of the last layer",
           "grads['b'] of the last layer", "dx", "The input after both passes", "check_gradients says of your layer:")


def plugged_in(layer, W1, b1, W2, b2, x, y):
    """Two of these layers in a network: another batch first, then this one; and the checker's verdict on one alone."""
    net, loss = Sequential(layer(W1, b1), Tanh(), layer(W2, b2)), MSE()
    for batch, targets in ((x[::-1] / 2, y[::-1]), (x, y)):
        handed = batch.copy()
        y_hat = net.forward(handed)
        loss.forward(y_hat, targets)
        dx = net.backward(loss.backward())
    grads = [net.layers[place].grads[name] for place in (0, 2) for name in ("W", "b")]
    report = check_gradients(layer(W1.copy(), b1.copy()), x)
    return (y_hat, *grads, dx, handed, "right" if report.ok else "wrong")


def one_layer(rng):
    """x, W, dy with all widths different."""
    return rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (3, 5)), rng.normal(0, 1, (4, 5))


def entries(rng):
    """z and an upstream gradient."""
    return rng.normal(0, 1.5, (4, 3)), rng.normal(0, 1, (4, 3))


def outputs(rng):
    """Activations between 0 and 1, and targets."""
    return rng.uniform(0.1, 0.9, (5, 3)), rng.integers(0, 2, (5, 3)) * 0.8 + 0.1


def two_widths(rng):
    """delta (n, 5), W (3, 5), z (n, 3)."""
    return rng.normal(0, 1, (4, 5)), rng.normal(0, 1, (3, 5)), rng.normal(0, 1.2, (4, 3))


def column_gradient(rng):
    """dW (d_out, d_in) of the other text, and n."""
    return rng.normal(0, 1, (3, 5)), int(rng.integers(6, 12))


def small_network(rng):
    """Two layers' arrays, a batch and targets."""
    return (rng.normal(0, 0.7, (3, 4)), rng.normal(0, 0.5, 4), rng.normal(0, 0.7, (4, 2)), rng.normal(0, 0.5, 2),
            rng.normal(0, 1, (5, 3)), rng.normal(0, 1, (5, 2)))


EXERCISES = (
    Exercise(
        id="backprop_layers.linear_backward",
        title="Backward through a linear layer",
        points=2,
        reference=linear_backward,
        inputs=one_layer,
        parts=("dW", "db", "dx"),
        mutants=(
            Mutant("bias-averaged", lambda x, W, dy: (x.T @ dy, dy.mean(axis=0), dy @ W.T),
                   "db is averaged over the examples. Each example uses the bias once, so its share adds up; a mean that the "
                   "loss "
                   "takes is in dy already."),
            Mutant("bias-one-row", lambda x, W, dy: (x.T @ dy, dy[0], dy @ W.T),
                   "db is the first example's row of dy. Every example uses the bias, so all rows count."),
            Mutant("bias-wrong-axis", lambda x, W, dy: (x.T @ dy, dy.sum(axis=1), dy @ W.T),
                   "db has one number for each example. A gradient has the shape of its thing, and b has one for each output."),
            Mutant("bias-keeps-a-row", lambda x, W, dy: (x.T @ dy, dy.sum(axis=0, keepdims=True), dy @ W.T),
                   "db has the shape (1, d_out), but b has (d_out,). The numbers are right, the shape is not."),
            Mutant("weights-transposed", lambda x, W, dy: (dy.T @ x, dy.sum(axis=0), dy @ W.T),
                   "dW is transposed. It must have the shape of W, (d_in, d_out)."),
            Mutant("divided-by-n", lambda x, W, dy: (x.T @ dy / len(x), dy.sum(axis=0), dy @ W.T),
                   "dW is divided by the number of examples. If the loss averages, its 1/n is in dy already."),
            Mutant("input-not-transposed", lambda x, W, dy: (x.T @ dy, dy.sum(axis=0), dy @ W),
                   "For dx the product with W itself does not fit: dy has a column for each output, so W has to be turned."),
            Mutant("input-is-dy", lambda x, W, dy: (x.T @ dy, dy.sum(axis=0), dy),
                   "dx is dy unchanged. On its way back the gradient passes through the weights."),
            Mutant("order", lambda x, W, dy: (dy @ W.T, dy.sum(axis=0), x.T @ dy),
                   "dW and dx have changed places in what you return: the order is dW, db, dx."),
        ),
        variants={
            "sums": by_sums,
            "library": by_library,
            "einsum": lambda x, W, dy: (np.einsum("ni,nj->ij", x, dy), np.einsum("nj->j", dy), np.einsum("nj,ij->ni", dy, W)),
            "outer products": lambda x, W, dy: [sum(map(np.outer, x, dy)), sum(dy), (W @ dy.T).T],
        },
        hints=("The shapes decide almost everything: dW has that of W, db that of b, dx that of x.",
               "An entry of dW collects, over all examples, input times error. That is a matrix product with x turned.",
               "For dW turn x, for dx turn W, and for db add up the rows."),
    ),
    Exercise(
        id="backprop_layers.sigmoid_backward",
        title="Backward through a sigmoid",
        points=1,
        reference=sigmoid_backward,
        inputs=entries,
        mutants=(
            Mutant("of-the-input", lambda z, da: da * z * (1 - z),
                   "The formula a (1 - a) was given z. It is written for the sigmoid's *output*: compute a first."),
            Mutant("twice", lambda z, da: da * sigmoid(sigmoid(z)) * (1 - sigmoid(sigmoid(z))),
                   "The slope is taken at a instead of at z: the sigmoid was applied twice."),
            Mutant("derivative-missing", lambda z, da: da.copy(),
                   "The gradient comes out as it went in. The slope of the sigmoid is missing."),
            Mutant("upstream-missing", lambda z, da: sigmoid(z) * (1 - sigmoid(z)),
                   "This is the slope alone. What comes from above, da, is missing."),
            Mutant("half", lambda z, da: da * (1 - sigmoid(z)),
                   "Half of the slope is missing: it is a times (1 - a)."),
            Mutant("activation", lambda z, da: da * sigmoid(z),
                   "You multiplied by a. The slope of the sigmoid is a times (1 - a)."),
            Mutant("tanh", lambda z, da: da * (1 - np.tanh(z) ** 2),
                   "This is the slope of tanh. The sigmoid has another one, at most 1/4."),
        ),
        variants={
            "exponentials": lambda z, da: da * np.exp(-z) / (1 + np.exp(-z)) ** 2,
            "library": lambda z, da: da * Sigmoid().derivative(z, Sigmoid().f(z)),
            "cosh": lambda z, da: da / (4 * np.cosh(z / 2) ** 2),
        },
        hints=("Which of z and a does the formula for the slope of the sigmoid use?",
               "Work out the activation a first; the slope is made of a only.",
               "The upstream gradient, times a, times one minus a, entry by entry."),
    ),
    Exercise(
        id="backprop_layers.output_delta",
        title="The error term of the output layer",
        points=1,
        reference=output_delta,
        inputs=outputs,
        mutants=(
            Mutant("derivative-missing", lambda a, y: 2 * (a - y) / a.size,
                   "This is dL/da. To come to dL/dz, the slope of the output's sigmoid is missing."),
            Mutant("sum", lambda a, y: 2 * (a - y) * a * (1 - a),
                   "The loss averages, your error term sums: divide by the number of entries."),
            Mutant("per-example", lambda a, y: 2 * (a - y) / len(a) * a * (1 - a),
                   "You divided by the number of examples. This loss is the mean over all entries."),
            Mutant("two-missing", lambda a, y: (a - y) / a.size * a * (1 - a),
                   "The 2 is missing that comes down from the square."),
            Mutant("sign", lambda a, y: 2 * (y - a) / a.size * a * (1 - a),
                   "The sign is flipped: the inside of the square is a minus y."),
            Mutant("second-sigmoid", lambda a, y: 2 * (a - y) / a.size * sigmoid(a) * (1 - sigmoid(a)),
                   "You applied the sigmoid again, to a. The slope is a times (1 - a) with the a that you have."),
            Mutant("cross-entropy", lambda a, y: (a - y) / len(a),
                   "This is the error term of cross-entropy, in which the slope cancels. With squared error it stays."),
        ),
        variants={
            "two steps": lambda a, y: MSE().gradient(a, y) * Sigmoid().derivative(None, a),
            "expanded": lambda a, y: (2 / np.prod(a.shape)) * (a - y) * (a - a**2),
        },
        hints=("Two factors: how the loss changes with a, and how a changes with z.",
               "The first is the gradient of the mean squared error; the second is the slope of the sigmoid, made of a.",
               "Twice the difference over the number of entries, times a, times one minus a."),
    ),
    Exercise(
        id="backprop_layers.hidden_delta",
        title="The error term of a hidden layer",
        points=2,
        reference=hidden_delta,
        inputs=two_widths,
        mutants=(
            Mutant("derivative-missing", lambda delta, W, z: delta @ W.T,
                   "This is dL/da of the hidden layer. The slope of its tanh is missing."),
            Mutant("slope-of-z", lambda delta, W, z: (delta @ W.T) * (1 - z**2),
                   "The formula 1 - a^2 was given z. It wants the output of tanh."),
            Mutant("slope-at-a", lambda delta, W, z: (delta @ W.T) * (1 - np.tanh(np.tanh(z)) ** 2),
                   "The slope is taken at a instead of at z: tanh was applied twice."),
            Mutant("not-transposed", lambda delta, W, z: (delta @ W) * (1 - np.tanh(z) ** 2),
                   "delta has a column for each unit of the next layer, and so has W. To go back, W has to be turned."),
            Mutant("weights-missing", lambda delta, W, z: delta.sum(axis=1, keepdims=True) * (1 - np.tanh(z) ** 2),
                   "The errors of the next layer were added up without its weights. Each weight says how much of an error it "
                   "caused."),
            Mutant("sigmoid-slope", lambda delta, W, z: (delta @ W.T) * sigmoid(z) * (1 - sigmoid(z)),
                   "This is the slope of the sigmoid. The layer has a tanh."),
            Mutant("not-squared", lambda delta, W, z: (delta @ W.T) * (1 - np.tanh(z)),
                   "The slope of tanh is one minus the *square* of its output."),
            Mutant("upside-down", lambda delta, W, z: W @ delta.T,
                   "The examples are in the columns here, and the slope is missing. In this course examples are rows."),
        ),
        variants={
            "cosh": lambda delta, W, z: np.einsum("nk,jk->nj", delta, W) / np.cosh(z) ** 2,
            "library": lambda delta, W, z: Tanh().derivative(z, np.tanh(z)) * np.dot(delta, W.transpose()),
            "turned twice": lambda delta, W, z: (W @ delta.T).T * (1 - np.tanh(z) * np.tanh(z)),
        },
        hints=("The shapes: delta (n, 5), W (3, 5), and the result must be (n, 3), like z.",
               "Send delta back through the turned weights. That is dL/da; one factor is left to dL/dz.",
               "Multiply by one minus the square of tanh(z), entry by entry."),
    ),
    Exercise(
        id="backprop_layers.convert",
        title="From another book's convention to ours",
        points=1,
        reference=convert,
        inputs=column_gradient,
        mutants=(
            Mutant("only-transposed", lambda dW, n: dW.T,
                   "The shape is right. The losses differ by a factor, and so do their gradients."),
            Mutant("factor-two", lambda dW, n: 2 * dW.T,
                   "The 2 undoes the book's 1/2. But ours averages over n times d_out entries, the book over n only."),
            Mutant("no-two", lambda dW, n: dW.T / len(dW),
                   "The d_out is right; the book's 1/2 is still there."),
            Mutant("upside-down", lambda dW, n: dW.T * len(dW) / 2,
                   "The factor is the wrong way round: ours is the smaller gradient where d_out is more than 2."),
            Mutant("d-in", lambda dW, n: dW.T * 2 / dW.shape[1],
                   "You divided by d_in. The book's W has d_out rows and d_in columns."),
            Mutant("n-again", lambda dW, n: dW.T * 2 / (n * len(dW)),
                   "Both losses divide by n already, so n plays no part in the factor."),
            Mutant("not-transposed", lambda dW, n: dW * 2 / len(dW),
                   "The factor is right, but the array is still the book's: ours has the shape (d_in, d_out)."),
        ),
        variants={
            "loops": lambda dW, n: np.array([[2 / dW.shape[0] * dW[j, i] for j in range(dW.shape[0])]
                                             for i in range(dW.shape[1])]),
            "swapaxes": lambda dW, n: np.swapaxes(dW, 0, 1) / (len(dW) / 2),
        },
        hints=("Write both losses under each other: (1/2n) times the sum of squares, and 1/(n d_out) times the same sum.",
               "Ours is 2/d_out times theirs. A factor in the loss is the same factor in its gradient.",
               "Turn the array, and multiply by 2 over the number of rows it had."),
    ),
    Exercise(
        id="backprop_layers.layer_class",
        title="Your own layer inside a network",
        points=3,
        reference=MyLinear,
        inputs=small_network,
        run=plugged_in,
        parts=PLUGGED,
        mutants=(
            Mutant("accumulates", Accumulating,
                   "Your gradients add up from one backward to the next: they are right the first time, and wrong the second. "
                   "Put "
                   "new arrays into grads each time."),
            Mutant("stale", Stale,
                   "Your layer remembers the first batch that it saw. Each forward must keep its own input."),
            Mutant("input-changed", InPlace,
                   "Your forward changes x in place, so whoever gave it loses their data. Make a new array."),
            Mutant("returns-nothing", Silent,
                   "Your backward fills grads but returns nothing. The layer before waits for dx."),
            Mutant("bias-averaged", MeanBias,
                   "db is averaged over the examples. They add up; the loss has its 1/n in dy already."),
            Mutant("bias-not-used", NoBias,
                   "Your forward leaves the bias out."),
            Mutant("divided-by-n", WrongOrder,
                   "Your gradients are divided by the number of examples. If the loss averages, that is in dy already."),
        ),
        variants={"einsum": Slots},
        shown="Your layer works inside a network, and the gradient checker finds nothing wrong with it.",
        hints=("forward must keep what backward will need. What does dW need besides dy?",
               "Keep x as an attribute, for example self.x. In backward, set self.grads to a new dict with two new arrays.",
               "The three lines of exercise 1, with self.x for x and self.params for W; return dx."),
    ),
)
