"""Chapter 10, Vanishing and exploding gradients: its exercises, from one factor to a prediction of the decade."""
import math
from itertools import pairwise

import numpy as np

from course.grading.arguments import Slope
from course.grading.core import Exercise, Mutant


def sigmoid(z):
    """The sigmoid."""
    return 1 / (1 + np.exp(-z))


def chain_slope(z, w, layers):
    """dz_L/dz_1 of a chain z_{l+1} = w sigmoid(z_l) with so many layers."""
    product = 1.0
    for _ in range(layers - 1):
        a = sigmoid(z)
        product *= w * a * (1 - a)
        z = w * a
    return product


def jacobian(z, Ws):
    """dz_last/dz_first for one example: tanh, then a matrix, again and again."""
    J = np.eye(len(z))
    for W in Ws:
        a = np.tanh(z)
        J = J @ ((1 - a**2)[:, np.newaxis] * W)
        z = a @ W
    return J


def chi(derivative, q, variance, u):
    """What one layer multiplies the mean square of the error by: variance times the mean of f'(z)^2, z = sqrt(q) u."""
    return variance * np.mean(derivative(np.sqrt(q) * u) ** 2)


def deepest(last, factor, threshold):
    """How many layers at most, if the last has the gradient `last`, each one before it `factor` of the next, and the first is to
    have at least `threshold`."""
    return 1 + math.floor(math.log(threshold / last) / math.log(factor))


def saturated(z):
    """The share of sigmoids with less than a hundredth of the steepest slope."""
    a = sigmoid(z)
    return np.mean(a * (1 - a) < 0.01 * 0.25)


def diagnose(norms):
    """One word for the gradient norms of all layers, first layer first."""
    norms = np.asarray(norms, dtype=float)
    if not np.isfinite(norms).all() or norms[0] > 1000 * norms[-1] > 0:
        return "exploding"
    if (norms == 0).any():
        return "dead"
    return "vanishing" if norms[0] < norms[-1] / 1000 else "fine"


def clip(grads, limit):
    """All arrays shortened by one factor where together they are longer than the limit."""
    length = np.sqrt(sum(np.sum(grad**2) for grad in grads))
    return tuple(grad * min(1.0, limit / length) for grad in grads)


def chained(step, start=1.0, more=0):
    """The chain with another factor, (w, z, a) -> number, or another number of them."""
    def answer(z, w, layers):
        product = start
        for _ in range(layers - 1 + more):
            a = sigmoid(z)
            product = product * step(w, z, a)
            z = w * a
        return product
    return answer


def jacobian_with(slope=lambda z, a: 1 - a**2, turn=False, forward=lambda z, a, W: a @ W):
    """The product with another slope, or in the other order."""
    def answer(z, Ws):
        J = np.eye(len(z))
        for W in Ws:
            a = np.tanh(z)
            J = (slope(z, a)[:, np.newaxis] * W).T @ J if turn else J @ (slope(z, a)[:, np.newaxis] * W)
            z = forward(z, a, W)
        return J
    return answer


def rule(vanishing=lambda n: n[0] < n[-1] / 1000, exploding=lambda n: n[0] > 1000 * n[-1] > 0, finite=True, dead=True):
    """The diagnosis with another rule."""
    def answer(norms):
        norms = np.asarray(norms, dtype=float)
        with np.errstate(all="ignore"):
            if (finite and not np.isfinite(norms).all()) or exploding(norms):
                return "exploding"
            if dead and (norms == 0).any():
                return "dead"
            return "vanishing" if vanishing(norms) else "fine"
    return answer


def whole_length(grads):
    """The length of all arrays together."""
    return np.sqrt(sum(np.sum(grad**2) for grad in grads))


def clipped(length=whole_length, factor=lambda limit, length: min(1.0, limit / length)):
    """Clipping with another length or another factor."""
    return lambda grads, limit: tuple(grad * factor(limit, length(grads)) for grad in grads)


def a_chain(rng):
    """A start, a weight, a number of layers."""
    return round(float(rng.uniform(-1, 2)), 2), round(float(rng.uniform(0.7, 3)), 2), int(rng.integers(4, 9))


def some_layers(rng):
    """A pre-activation and matrices, all widths different."""
    widths = (3, 5, 4, 2)
    return rng.normal(0, 1, 3), [rng.normal(0, 0.8, shape) for shape in pairwise(widths)]


def square_layers():
    """The same with equal widths, where a wrong order fits."""
    rng = np.random.default_rng(4)
    return rng.normal(0, 1, 3), [rng.normal(0, 0.8, (3, 3)) for _ in range(3)]


def a_layer(rng):
    """A slope, two variances, and standard normal numbers."""
    return (Slope(str(rng.choice(["tanh", "sigmoid"]))), round(float(rng.uniform(2, 6)), 2), round(float(rng.uniform(1.5, 3)), 2),
            rng.normal(0, 1, 500))


def a_decline(rng):
    """The last layer's gradient, a factor below 1, a threshold."""
    return round(float(rng.uniform(0.5, 2)), 2), round(float(rng.uniform(0.2, 0.7)), 2), float(10.0 ** -rng.integers(4, 9))


def two_gradients(rng):
    """Arrays that are together longer than the limit."""
    return (rng.normal(0, 3, (4, 3)), rng.normal(0, 2, 3), rng.normal(0, 0.01, (3, 2))), 1.5


RUNS = tuple((label, (np.array(norms),)) for label, norms in (
    ("a fine run", [0.3, 0.2, 0.5]), ("a vanishing run", [1e-9, 1e-5, 0.3]), ("an exploding run", [1e7, 1e3, 0.2]),
    ("nan in it", [np.nan, 2.0, 0.1]), ("a dead layer", [0.0, 0.0, 0.1]), ("infinity and a zero", [np.inf, 0.0, 0.2]),
    ("a mild decline", [0.01, 0.1, 1.0]), ("a dip in the middle", [0.2, 1e-6, 0.4]), ("small everywhere", [2e-7, 3e-7, 1e-7])))

DECADES = (-11, 0, -5, 4)

EXERCISES = (
    Exercise(
        id="vanishing.chain_slope",
        title="The slope through a thin chain",
        points=1,
        reference=chain_slope,
        inputs=a_chain,
        mutants=(
            Mutant("bound", lambda z, w, layers: 0.25 ** (layers - 1),
                   "That is a bound, for w = 1. The slope of the sigmoid is 1/4 only at z = 0: use the real one at each z."),
            Mutant("weights-missing", chained(lambda w, z, a: a * (1 - a)),
                   "The weights are missing: each step back multiplies by w as well."),
            Mutant("slopes-missing", chained(lambda w, z, a: w), "The slopes of the sigmoid are missing."),
            Mutant("one-too-many", chained(lambda w, z, a: w * a * (1 - a), more=1),
                   "There is one factor too many: between L layers lie L - 1 steps."),
            Mutant("slope-of-z", chained(lambda w, z, a: w * z * (1 - z)),
                   "The formula a (1 - a) was given z."),
            Mutant("first-slope-for-all", lambda z, w, layers: (w * sigmoid(z) * (1 - sigmoid(z))) ** (layers - 1),
                   "You used the slope at the first z for every layer. z changes from layer to layer."),
            Mutant("added", lambda z, w, layers: sum(chain_slope(z, w, n) for n in range(2, layers + 1)),
                   "You added where the factors multiply."),
        ),
        variants={
            "recursion": lambda z, w, layers: 1.0 if layers == 1 else w * sigmoid(z) * (1 - sigmoid(z)) * chain_slope(
                w * sigmoid(z), w, layers - 1),
            "product": lambda z, w, layers: np.prod([w * s for s in _slopes(z, w, layers)]),
        },
        hints=("Go forward, layer by layer. What does each step multiply dz/dz_1 by?",
               "z_{l+1} = w sigmoid(z_l), so the factor is w times the slope of the sigmoid at z_l.",
               "Begin with 1; for each of the L - 1 steps multiply by w a (1 - a), then move z on to w a."),
    ),
    Exercise(
        id="vanishing.jacobian",
        title="The product of Jacobians",
        points=2,
        reference=jacobian,
        inputs=some_layers,
        edge_cases=(("equal widths", square_layers()),),
        mutants=(
            Mutant("slopes-missing", jacobian_with(slope=lambda z, a: np.ones_like(z)),
                   "This is the product of the weight matrices. The slopes of tanh are missing."),
            Mutant("slope-of-z", jacobian_with(slope=lambda z, a: 1 - z**2), "The slope 1 - a^2 was given z."),
            Mutant("slope-at-a", jacobian_with(slope=lambda z, a: 1 - np.tanh(a) ** 2),
                   "The slope is taken at a instead of at z: tanh was applied twice."),
            Mutant("transposed", jacobian_with(turn=True),
                   "This is the transposed matrix. For rows, a change of z is multiplied from the right: dz_last = dz_first J."),
            Mutant("no-activation", jacobian_with(forward=lambda z, a, W: z @ W),
                   "Going on to the next layer, the tanh was left out: its input is a, not z."),
            Mutant("last-only", lambda z, Ws: (1 - np.tanh(_through(z, Ws[:-1])) ** 2)[:, np.newaxis] * Ws[-1],
                   "This is the last layer's Jacobian alone. Multiply those of all layers."),
            Mutant("slope-behind", lambda z, Ws: _behind(z, Ws),
                   "The slopes stand on the wrong side: a slope belongs to the *input* of its layer, in front of the weights."),
        ),
        variants={
            "columns": lambda z, Ws: np.array([_push(z, Ws, row) for row in np.eye(len(z))]),
            "diagonals": lambda z, Ws: _by_diagonals(z, Ws),
        },
        hints=("One layer: a = tanh(z), then a @ W. Its Jacobian has the slope of each unit in front of that unit's row of W.",
               "Multiply the Jacobians in the order of the layers, each new one from the right.",
               "Start with the identity; for each W: J times (slopes as a column, times W); then z moves on."),
    ),
    Exercise(
        id="vanishing.chi",
        title="What one layer does to the gradient",
        points=1,
        reference=chi,
        inputs=a_layer,
        mutants=(
            Mutant("root-missing", lambda derivative, q, variance, u: variance * np.mean(derivative(q * u) ** 2),
                   "q is a variance: standard normal numbers get it when multiplied by its *square root*."),
            Mutant("not-squared", lambda derivative, q, variance, u: variance * np.mean(derivative(np.sqrt(q) * u)),
                   "The slopes must be squared: it is the mean *square* of the error that is multiplied."),
            Mutant("mean-first", lambda derivative, q, variance, u: variance * np.mean(derivative(np.sqrt(q) * u)) ** 2,
                   "You averaged first and squared afterwards. Square each slope, then average."),
            Mutant("weights-missing", lambda derivative, q, variance, u: np.mean(derivative(np.sqrt(q) * u) ** 2),
                   "The variance of the weights is missing."),
            Mutant("variance-squared", lambda derivative, q, variance, u: variance**2 * np.mean(derivative(np.sqrt(q) * u) ** 2),
                   "The variance of the weights is a square already: it stands there once."),
            Mutant("spread-ignored", lambda derivative, q, variance, u: variance * np.mean(derivative(u) ** 2),
                   "The pre-activations have the variance q, not 1."),
            Mutant("at-zero", lambda derivative, q, variance, u: variance * float(derivative(np.zeros(1))[0]) ** 2,
                   "You took the slope at 0 only. The pre-activations are spread over many values."),
        ),
        variants={
            "loop": lambda derivative, q, variance, u: variance / len(u) * sum(
                float(derivative(np.array([q**0.5 * v]))[0]) ** 2 for v in u),
            "dot": lambda derivative, q, variance, u: variance * np.dot(s := derivative(u * q**0.5), s) / len(u),
        },
        hints=("Pre-activations of variance q are sqrt(q) times the standard normal numbers u.",
               "Take the slope at each of them, square it, and average.",
               "Multiply that mean by the variance that the weights bring."),
    ),
    Exercise(
        id="vanishing.deepest",
        title="How deep can it be?",
        points=1,
        reference=deepest,
        inputs=a_decline,
        mutants=(
            Mutant("layers-and-steps", lambda last, factor, threshold: deepest(last, factor, threshold) - 1,
                   "That is how many *steps* back there may be. With that many steps there is one layer more."),
            Mutant("rounded-up", lambda last, factor, threshold: 1 + math.ceil(math.log(threshold / last) / math.log(factor)),
                   "You rounded up, so the first layer falls just below the threshold."),
            Mutant("last-ignored", lambda last, factor, threshold: 1 + math.floor(math.log(threshold * 1e-3) / math.log(factor)),
                   "The last layer's own gradient must be taken into account: the decline starts there."),
            Mutant("not-whole", lambda last, factor, threshold: 1 + math.log(threshold / last) / math.log(factor),
                   "A number of layers is whole: round down."),
            Mutant("straight-line", lambda last, factor, threshold: 1 + math.floor((last - threshold) / (1 - factor)),
                   "You took off the same amount for each layer. Each layer *multiplies* by the factor."),
        ),
        variants={
            "loop": lambda last, factor, threshold: _counted(last, factor, threshold),
            "log10": lambda last, factor, threshold: int(math.log10(threshold / last) / math.log10(factor)) + 1,
        },
        hints=("With L layers the first one has last * factor ** (L - 1).",
               "Ask for which L this is still at least the threshold: take logarithms. The log of the factor is negative.",
               "1 plus the whole part of log(threshold / last) / log(factor)."),
    ),
    Exercise(
        id="vanishing.saturated",
        title="The share of saturated units",
        points=1,
        reference=saturated,
        inputs=lambda rng: (rng.normal(0, 5, (6, 7)),),
        edge_cases=(("one side only", (np.array([[-9.0, -8.0, 0.0, 1.0]]),)),),
        mutants=(
            Mutant("steepest-forgotten", lambda z: np.mean(sigmoid(z) * (1 - sigmoid(z)) < 0.01),
                   "A hundredth of the *steepest* slope, which is 1/4: compare with 0.0025."),
            Mutant("high-side-only", lambda z: np.mean((z > 0) & (sigmoid(z) * (1 - sigmoid(z)) < 0.0025)),
                   "You counted the units near 1 only. Near 0 a sigmoid is just as flat."),
            Mutant("count", lambda z: float(np.sum(sigmoid(z) * (1 - sigmoid(z)) < 0.0025)),
                   "That is how many they are. Asked for is their share."),
            Mutant("mean-slope", lambda z: np.mean(sigmoid(z) * (1 - sigmoid(z))),
                   "That is the mean slope. Asked for is the share of units that are flat."),
            Mutant("others", lambda z: np.mean(sigmoid(z) * (1 - sigmoid(z)) >= 0.0025),
                   "That is the share of those that are *not* saturated."),
            Mutant("slope-of-z", lambda z: np.mean(z * (1 - z) < 0.0025), "The formula a (1 - a) was given z."),
        ),
        variants={
            "by z": lambda z: np.mean(np.abs(z) > math.log((1 + math.sqrt(0.99)) / (1 - math.sqrt(0.99)))),
            "relative": lambda z: np.count_nonzero(4 * sigmoid(z) * sigmoid(-z) < 0.01) / z.size,
        },
        hints=("Compute a, then the slope a (1 - a) of every unit.",
               "The steepest slope of the sigmoid is 1/4. A hundredth of it is 0.0025.",
               "The mean of a comparison is the share for which it is true."),
    ),
    Exercise(
        id="vanishing.diagnose",
        title="A diagnosis from norms",
        points=2,
        reference=diagnose,
        inputs=lambda rng: (10.0 ** rng.uniform(-1, 1, 4),),
        edge_cases=RUNS,
        mutants=(
            Mutant("turned-round", rule(lambda n: n[-1] < n[0] / 1000, lambda n: n[-1] > 1000 * n[0] > 0),
                   "First and last layer have changed places: the list begins with layer 1, which is the last on the way back."),
            Mutant("nan-missed", rule(finite=False),
                   "nan or infinity was missed: comparisons with nan are never true. Ask np.isfinite first."),
            Mutant("dead-missed", rule(dead=False),
                   "A gradient of exactly 0 was called vanishing or fine: nothing at all gets through there, and there is a "
                   "word for it."),
            Mutant("smallest", rule(lambda n: n.min() < n[-1] / 1000),
                   "You looked for the smallest norm anywhere. Asked for is layer 1 against the last."),
            Mutant("absolute", rule(lambda n: n[0] < 1e-3),
                   "You compared layer 1 with a fixed number. If all layers are small, nothing vanishes on the way."),
            Mutant("factor-ten", rule(lambda n: n[0] < n[-1] / 10),
                   "A factor of 10 was called vanishing. The limit asked for is 1,000."),
            Mutant("always-fine", lambda norms: "fine", "Some of these runs are not fine."),
        ),
        variants={"capitals": lambda norms: diagnose(norms).upper(), "list": lambda norms: diagnose(list(norms))},
        hints=("Ask in this order: is everything finite? is anything exactly 0? and then compare layer 1 with the last.",
               "np.isfinite(norms).all() is False where there is nan or infinity.",
               "Not finite, or layer 1 more than 1,000 times the last: exploding. A zero: dead. Layer 1 under a thousandth: "
               "vanishing."),
    ),
    Exercise(
        id="vanishing.clip",
        title="Clipping by the global norm",
        points=1,
        reference=clip,
        inputs=two_gradients,
        edge_cases=(("a short gradient", ((np.array([[0.3, 0.1]]), np.array([0.2, 0.0]), np.array([[0.1]])), 1.5)),),
        parts=("the first array", "the second array", "the third array"),
        mutants=(
            Mutant("each-by-itself", lambda grads, limit: tuple(grad * min(1.0, limit / np.linalg.norm(grad)) for grad in grads),
                   "Each array was shortened by itself, so the direction of the whole step changed. One factor for all."),
            Mutant("entries", lambda grads, limit: tuple(np.clip(grad, -limit, limit) for grad in grads),
                   "You cut the entries. Asked for is the length of all arrays together."),
            Mutant("short-ones-stretched", clipped(factor=lambda limit, length: limit / length),
                   "A gradient that is short enough was stretched to the limit. It should stay as it is."),
            Mutant("squared-length", clipped(length=lambda grads: sum(np.sum(grad**2) for grad in grads)),
                   "The root is missing: that is the squared length."),
            Mutant("sum-of-lengths", clipped(length=lambda grads: sum(np.linalg.norm(grad) for grad in grads)),
                   "You added the lengths. The squares of all entries add up, then comes one root."),
            Mutant("divided-by-limit", clipped(factor=lambda limit, length: 1 / limit if length > limit else 1.0),
                   "You divided by the limit. The factor is the limit over the length."),
            Mutant("unchanged", lambda grads, limit: tuple(grad.copy() for grad in grads), "Nothing was clipped."),
        ),
        variants={
            "concatenated": lambda grads, limit: tuple(
                grad / max(1.0, np.linalg.norm(np.concatenate([g.ravel() for g in grads])) / limit) for grad in grads),
            "list": lambda grads, limit: list(clip(grads, limit)),
        },
        hints=("The length of all arrays together: the root of the sum of all squared entries.",
               "If it is at most the limit, the factor is 1; otherwise the limit over the length.",
               "Multiply every array by the same factor, min(1, limit / length)."),
    ),
    Exercise(
        id="vanishing.decades",
        title="Predict the decade",
        points=2,
        reference=DECADES,
        within=1,
        parts=("Setting 1", "Setting 2", "Setting 3", "Setting 4"),
        mutants=(
            Mutant("bound", (-11, -11, -17, -3),
                   "You used the sigmoid's factor for tanh as well. Near 0 the slope of tanh is 1, not 1/4."),
            Mutant("no-change", (0, 0, 0, 0), "In three of these settings the gradient is far from the last layer's size."),
            Mutant("halves", (-5, 0, -2, 2),
                   "You lose, and gain, too little: a factor for each layer, and so twice the decades for twice the layers."),
            Mutant("signs", (11, 0, 5, -4), "The signs are turned round: a negative power is a small gradient."),
        ),
        variants={"one off": (-10, 1, -6, 5), "list": [-12, -1, -5, 4]},
        shown="Depth, activation and gain tell the size of a gradient, to a factor of ten, before anything is run.",
        hints=("A sigmoid layer with Xavier weights keeps about 0.23 of the gradient. How many decades are 19 of them?",
               "Tanh near zero keeps everything if the weights do. Half the weights: half for each layer, forward and back "
               "alike."),
    ),
)


def _slopes(z, w, layers):
    found = []
    for _ in range(layers - 1):
        a = sigmoid(z)
        found.append(a * (1 - a))
        z = w * a
    return found


def _through(z, Ws):
    for W in Ws:
        z = np.tanh(z) @ W
    return z


def _behind(z, Ws):
    J = np.eye(len(z))
    for W in Ws:
        z = np.tanh(z) @ W
        J = J @ (W * (1 - np.tanh(z) ** 2))
    return J


def _push(z, Ws, dz):
    for W in Ws:
        dz = (dz * (1 - np.tanh(z) ** 2)) @ W
        z = np.tanh(z) @ W
    return dz


def _by_diagonals(z, Ws):
    J = np.eye(len(z))
    for W in Ws:
        J = J @ np.diag(1 / np.cosh(z) ** 2) @ W
        z = np.tanh(z) @ W
    return J


def _counted(last, factor, threshold):
    depth = 0
    while last >= threshold:
        depth, last = depth + 1, last * factor
    return depth
