"""Chapter 11, second part: BatchNorm in training and in evaluation."""
import numpy as np

from bplib import BatchNorm
from course.ch11_cures.bank.parts import a_floor, columns, uneven
from course.grading.core import Mutant
from course.grading.kinds import Parted


def batch_norm(x, gamma, beta, running_mean, running_var, momentum, floor):
    """The output in training, and the running mean and variance afterwards."""
    mean, var = x.mean(axis=0), x.var(axis=0)
    y = gamma * (x - mean) / np.sqrt(var + floor) + beta
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * x.var(axis=0, ddof=1)
    return y, running_mean, running_var


def training(output=lambda x, mean, var, gamma, beta, floor: gamma * (x - mean) / np.sqrt(var + floor) + beta,
             axis=0, kept=lambda x, y: (x.mean(axis=0), x.var(axis=0, ddof=1)), share=lambda momentum: momentum, stored=False):
    """BatchNorm in training with one slip."""
    def answer(x, gamma, beta, running_mean, running_var, momentum, floor):
        mean, var = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True)
        y = output(x, *((running_mean, running_var) if stored else (mean, var)), gamma, beta, floor)
        new, m = kept(x, y), share(momentum)
        return y, (1 - m) * running_mean + m * new[0], (1 - m) * running_var + m * new[1]
    return answer


def in_place(x, gamma, beta, running_mean, running_var, momentum, floor):
    """Right, but the caller's running statistics are overwritten."""
    y, mean, var = batch_norm(x, gamma, beta, running_mean, running_var, momentum, floor)
    running_mean[...], running_var[...] = mean, var
    return y, running_mean, running_var


def trained_by_library(x, gamma, beta, running_mean, running_var, momentum, floor):
    """With the course's own layer."""
    layer = BatchNorm(x.shape[1], momentum, floor)
    layer.params, layer.buffers = {"gamma": gamma, "beta": beta}, {"mean": running_mean, "var": running_var}
    y = layer.forward(x, training=True)
    return y, layer.buffers["mean"], layer.buffers["var"]


def unit_by_unit(x, gamma, beta, running_mean, running_var, momentum, floor):
    """One feature after the other, as lists."""
    columns, means, variances = [], [], []
    for j in range(x.shape[1]):
        column = [float(value) for value in x[:, j]]
        mean = sum(column) / len(column)
        squares = sum((value - mean) ** 2 for value in column)
        columns.append([gamma[j] * (value - mean) / (squares / len(column) + floor) ** 0.5 + beta[j] for value in column])
        means.append(running_mean[j] + momentum * (mean - running_mean[j]))
        variances.append(running_var[j] + momentum * (squares / (len(column) - 1) - running_var[j]))
    return [list(row) for row in zip(*columns)], means, variances


def evaluate(x, gamma, beta, mean, var, floor, dy):
    """y and dx of BatchNorm in evaluation."""
    s = np.sqrt(var + floor)
    return gamma * (x - mean) / s + beta, dy * gamma / s


def evaluation(y=lambda x, gamma, beta, mean, s: gamma * (x - mean) / s + beta, dx=lambda x, dy, gamma, mean, s: dy * gamma / s,
               root=lambda var, floor: np.sqrt(var + floor), own=False):
    """BatchNorm in evaluation with one slip."""
    def answer(x, gamma, beta, mean, var, floor, dy):
        if own:
            mean, var = x.mean(axis=0), x.var(axis=0)
        s = root(var, floor)
        return y(x, gamma, beta, mean, s), dx(x, dy, gamma, mean, s)
    return answer


def evaluated_by_library(x, gamma, beta, mean, var, floor, dy):
    """With the course's own layer."""
    layer = BatchNorm(x.shape[1], floor=floor)
    layer.params, layer.buffers = {"gamma": gamma, "beta": beta}, {"mean": mean, "var": var}
    return layer.forward(x), layer.backward(dy)


def folded(x, gamma, beta, mean, var, floor, dy):
    """As one factor and one number to add."""
    factor = gamma / np.sqrt(var + floor)
    return x * factor + (beta - mean * factor), dy * factor


def a_training_batch(rng):
    """x, gamma, beta, the running statistics, momentum, floor."""
    return (columns(rng), uneven(rng), uneven(rng), uneven(rng), rng.uniform(0.5, 3, 4), round(float(rng.uniform(0.1, 0.4)), 2),
            a_floor(rng))


def an_evaluation(rng):
    """x, gamma, beta, the running statistics, floor, dy."""
    return columns(rng), uneven(rng), uneven(rng), uneven(rng), rng.uniform(0.5, 3, 4), a_floor(rng), rng.normal(0, 1, (6, 4))


RNG = np.random.default_rng(3)
ONE_EXAMPLE = (columns(RNG, n=1), uneven(RNG), uneven(RNG), uneven(RNG), RNG.uniform(0.5, 3, 4), 0.2, RNG.normal(0, 1, (1, 4)))

TRAINING = Parted(
    id="cures.batch_norm",
    title="BatchNorm in training",
    points=2,
    reference=batch_norm,
    inputs=a_training_batch,
    parts=("y", "The running mean", "The running variance"),
    mutants=(
        Mutant("wrong-axis", training(axis=1),
               "You normalised each example over its features: that is LayerNorm. BatchNorm takes each feature over the "
               "examples."),
        Mutant("one-mean-for-all", training(axis=None),
               "You took one mean and one variance for the whole array. Each feature has its own."),
        Mutant("running-statistics-used", training(stored=True),
               "You normalised with the running statistics. In training the batch's own are used; the running ones only take "
               "notes."),
        Mutant("n-minus-one", training(
            lambda x, mean, var, gamma, beta, floor: gamma * (x - mean) / np.sqrt(x.var(axis=0, ddof=1) + floor) + beta),
               "You normalised with the variance that divides by n - 1. To normalise, it is n; n - 1 is for the running one."),
        Mutant("floor-outside-the-root", training(
            lambda x, mean, var, gamma, beta, floor: gamma * (x - mean) / (np.sqrt(var) + floor) + beta),
               "You added the floor to the root. It stands under the root, beside the variance."),
        Mutant("floor-forgotten", training(lambda x, mean, var, gamma, beta, floor: gamma * (x - mean) / np.sqrt(var) + beta),
               "The floor under the root is missing. A feature that is the same for all examples would be divided by 0."),
        Mutant("root-forgotten", training(lambda x, mean, var, gamma, beta, floor: gamma * (x - mean) / (var + floor) + beta),
               "You divided by the variance. A spread of 1 comes from dividing by its root."),
        Mutant("not-centred", training(lambda x, mean, var, gamma, beta, floor: gamma * x / np.sqrt(var + floor) + beta),
               "The mean was not taken off."),
        Mutant("gamma-forgotten", training(lambda x, mean, var, gamma, beta, floor: (x - mean) / np.sqrt(var + floor) + beta),
               "gamma is missing from y."),
        Mutant("beta-forgotten", training(lambda x, mean, var, gamma, beta, floor: gamma * (x - mean) / np.sqrt(var + floor)),
               "beta is missing from y."),
        Mutant("x-hat-returned", training(lambda x, mean, var, gamma, beta, floor: (x - mean) / np.sqrt(var + floor)),
               "That is x_hat. y comes from it with gamma and beta."),
        Mutant("beta-inside", training(
            lambda x, mean, var, gamma, beta, floor: gamma * ((x - mean) / np.sqrt(var + floor) + beta)),
               "beta was added before the product with gamma. It comes after."),
        Mutant("shares-exchanged", training(share=lambda momentum: 1 - momentum),
               "The shares have changed places: momentum is the share of the *newest* batch. Some texts have it the other way."),
        Mutant("only-the-newest", training(share=lambda momentum: 1.0),
               "You kept this batch's statistics alone. The running ones are only moved towards them, by the share momentum."),
        Mutant("not-updated", training(share=lambda momentum: 0.0),
               "The running statistics are as they were. Each training batch moves them."),
        Mutant("running-n", training(kept=lambda x, y: (x.mean(axis=0), x.var(axis=0))),
               "The running variance got the one that divides by n. As an estimate for all data, it takes n - 1 (ddof=1)."),
        Mutant("running-spread", training(kept=lambda x, y: (x.mean(axis=0), x.std(axis=0, ddof=1))),
               "The running variance got a standard deviation. Leave the root for when it is used."),
        Mutant("statistics-of-y", training(kept=lambda x, y: (y.mean(axis=0), y.var(axis=0, ddof=1))),
               "The running statistics got those of y, after normalising. They are for x."),
        Mutant("in-place", in_place,
               "Right, but the arrays of whoever called you were changed on the way. Make new ones."),
    ),
    variants={"library": trained_by_library, "unit by unit": unit_by_unit, "with options": training(),
              "single precision": lambda *arguments: [array.astype(np.float32) for array in batch_norm(*arguments)]},
    hints=("Which axis counts the examples? Mean and variance run along it, and there is one of each for every feature.",
           "x_hat is x less its mean, over the root of variance plus floor. Then gamma and beta.",
           "A running number keeps the share 1 - momentum of itself and takes the share momentum of the new one; the new "
           "variance divides by n - 1."),
)

EVALUATION = Parted(
    id="cures.evaluation",
    title="BatchNorm in evaluation, there and back",
    points=1,
    reference=evaluate,
    inputs=an_evaluation,
    edge_cases=(("a single example", ONE_EXAMPLE),),
    parts=("y", "dx"),
    mutants=(
        Mutant("batch-statistics", evaluation(own=True),
               "You used the mean and variance of this batch. Then an example's answer depends on the others, and a single one "
               "has no spread. In evaluation the stored ones are used."),
        Mutant("way-back-of-training", evaluation(
            dx=lambda x, dy, gamma, mean, s: (lambda d, h: (d - d.mean(axis=0) - h * (d * h).mean(axis=0)) / s)(
                dy * gamma, (x - mean) / s)),
               "dx is the one of training, with three terms. Here mean and variance are fixed numbers, which no x moves."),
        Mutant("floor-outside-the-root", evaluation(root=lambda var, floor: np.sqrt(var) + floor),
               "You added the floor to the root. It stands under the root, beside the variance."),
        Mutant("floor-forgotten", evaluation(root=lambda var, floor: np.sqrt(var)), "The floor under the root is missing."),
        Mutant("root-forgotten", evaluation(root=lambda var, floor: var + floor),
               "You divided by the variance. It is its root that x is divided by."),
        Mutant("gamma-forgotten", evaluation(y=lambda x, gamma, beta, mean, s: (x - mean) / s + beta),
               "gamma is missing from y."),
        Mutant("beta-forgotten", evaluation(y=lambda x, gamma, beta, mean, s: gamma * (x - mean) / s), "beta is missing from y."),
        Mutant("gamma-forgotten-on-the-way-back", evaluation(dx=lambda x, dy, gamma, mean, s: dy / s), "dx lacks gamma."),
        Mutant("spread-forgotten-on-the-way-back", evaluation(dx=lambda x, dy, gamma, mean, s: dy * gamma),
               "dx lacks the division by s: when x moves by 1, x_hat moves by 1/s."),
        Mutant("dy-passed-on", evaluation(dx=lambda x, dy, gamma, mean, s: dy),
               "dx is dy unchanged. How far does y move when x moves by 1?"),
        Mutant("dx-of-y", evaluation(dx=lambda x, dy, gamma, mean, s: dy * gamma * (x - mean) / s),
               "dx has x in it. In evaluation y is a straight line in x, so its slope does not depend on where x is."),
    ),
    variants={"library": evaluated_by_library, "folded": folded, "list": lambda *arguments: list(evaluate(*arguments))},
    hints=("In evaluation mean and variance are given, the same for every batch.",
           "So for each feature y is a straight line in x. What is its slope?",
           "gamma over the root of variance plus floor: y uses it on x less the mean, and dx uses it on dy."),
)

EXERCISES = (TRAINING, EVALUATION)
