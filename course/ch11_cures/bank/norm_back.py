"""Chapter 11, third part: the way back through both normalisations, with a mutant for each classic slip."""
import numpy as np

from bplib import BatchNorm, LayerNorm
from course.ch11_cures.bank.parts import a_floor, columns, uneven
from course.grading.core import Mutant
from course.grading.kinds import Parted


def three_terms(d, x_hat, s, mean, axis=0, second=1.0, third=1.0):
    """dL/dx of a normalisation, from d = dL/dx_hat; a factor may be a function of how many numbers are normalised together."""
    third = third(d.shape[axis]) if callable(third) else third
    return (d - second * mean(d, axis) - third * x_hat * mean(d * x_hat, axis)) / s


def mean_over(array, axis):
    """The mean along an axis, kept as an axis."""
    return array.mean(axis=axis, keepdims=True)


def sum_over(array, axis):
    """The sum along an axis, kept as an axis."""
    return array.sum(axis=axis, keepdims=True)


def batch_norm_backward(x, gamma, dy, floor):
    """dx, dgamma and dbeta of BatchNorm in training."""
    s = np.sqrt(x.var(axis=0) + floor)
    x_hat = (x - x.mean(axis=0)) / s
    d = dy * gamma
    dx = (d - d.mean(axis=0) - x_hat * (d * x_hat).mean(axis=0)) / s
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def backward(dx=three_terms, root=lambda var, floor: np.sqrt(var + floor), axis=0, ddof=0, scaled=True,
             dgamma=lambda dy, x_hat, x, gamma: (dy * x_hat).sum(axis=0), dbeta=lambda dy, gamma: dy.sum(axis=0)):
    """The backward of a normalisation with one slip; dx is a function of d, x_hat, s and a mean."""
    def answer(x, gamma, dy, floor):
        s = root(x.var(axis=axis, ddof=ddof, keepdims=True), floor)
        x_hat = (x - mean_over(x, axis)) / s
        d = dy * gamma if scaled else dy
        return dx(d, x_hat, s, mean_over, axis), dgamma(dy, x_hat, x, gamma), dbeta(dy, gamma)
    return answer


def by_terms(**changes):
    """The three terms, some of them changed."""
    return lambda d, x_hat, s, mean, axis: three_terms(d, x_hat, s, **({"mean": mean, "axis": axis} | changes))


def on_the_graph(x, gamma, dy, floor, slope=-0.5, twice=2.0, direct=True, through_mean=True, mean_once=False):
    """Back along the graph x -> mean, centred, var, 1/s, x_hat, y; each slip is an option."""
    n = len(x)
    centred = x - x.sum(axis=0) / n
    var = (centred**2).sum(axis=0) / n
    one_over_s = (var + floor) ** -0.5
    d = dy * gamma
    dvar = (d * centred).sum(axis=0) * slope * (var + floor) ** -1.5
    dcentred = (d * one_over_s if direct else 0) + twice * centred / n * dvar
    dmean = -(d * one_over_s if mean_once else dcentred).sum(axis=0)
    dx = dcentred + (dmean / n if through_mean else 0)
    return dx, (dy * centred * one_over_s).sum(axis=0), dy.sum(axis=0)


def graph(**slip):
    """The way along the graph with one slip."""
    return lambda x, gamma, dy, floor: on_the_graph(x, gamma, dy, floor, **slip)


def by_jacobian(x, gamma, dy, floor):
    """A matrix of slopes for each feature."""
    n, s = len(x), np.sqrt(x.var(axis=0) + floor)
    x_hat = (x - x.mean(axis=0)) / s
    columns = [(np.eye(n) - 1 / n - np.outer(h, h) / n) / s_j @ (g * up) for h, s_j, g, up in zip(x_hat.T, s, gamma, dy.T)]
    return np.array(columns).T, np.einsum("nj,nj->j", dy, x_hat), np.einsum("nj->j", dy)


def by_library(layer):
    """With one of the course's own layers."""
    def answer(x, gamma, dy, floor):
        norm = layer(x.shape[1], floor=floor)
        norm.params["gamma"] = gamma
        norm.forward(x, training=True)
        return norm.backward(dy), norm.grads["gamma"], norm.grads["beta"]
    return answer


def n_in_one_fraction(x, gamma, dy, floor):
    """The form of many papers: gamma / (n s) in front, sums inside; as lists."""
    s = np.sqrt(np.mean(x**2, axis=0) - np.mean(x, axis=0) ** 2 + floor)
    x_hat = (x - x.mean(axis=0)) / s
    dgamma, dbeta = np.diag(dy.T @ x_hat), np.ones(len(x)) @ dy
    return (gamma / (len(x) * s) * (len(x) * dy - dbeta - x_hat * dgamma)).tolist(), dgamma.tolist(), dbeta.tolist()


def layer_norm_backward(x, gamma, dy, floor):
    """dx, dgamma and dbeta of LayerNorm."""
    s = np.sqrt(x.var(axis=1, keepdims=True) + floor)
    x_hat = (x - x.mean(axis=1, keepdims=True)) / s
    d = dy * gamma
    dx = (d - d.mean(axis=1, keepdims=True) - x_hat * (d * x_hat).mean(axis=1, keepdims=True)) / s
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def gamma_again(answer):
    """An answer, with dx multiplied by gamma at the end."""
    def multiplied(x, gamma, dy, floor):
        dx, dgamma, dbeta = answer(x, gamma, dy, floor)
        return gamma * dx, dgamma, dbeta
    return multiplied


def example_by_example(x, gamma, dy, floor):
    """One row after the other."""
    dx, dgamma, dbeta = [], 0, 0
    for row, up in zip(x, dy):
        s = np.sqrt(np.var(row) + floor)
        h = (row - np.mean(row)) / s
        d = gamma * up
        dx.append((d - d.mean() - h * np.dot(d, h) / len(row)) / s)
        dgamma, dbeta = dgamma + up * h, dbeta + up
    return np.array(dx), dgamma, dbeta


def a_way_back(rng):
    """x, gamma, dy, floor."""
    return columns(rng), uneven(rng), rng.normal(0.5, 1, (6, 4)), a_floor(rng)


def exchanged(x, gamma, dy, floor):
    """Right for BatchNorm, in another order."""
    dx, dgamma, dbeta = batch_norm_backward(x, gamma, dy, floor)
    return dx, dbeta, dgamma


def exchanged_rows(x, gamma, dy, floor):
    """Right for LayerNorm, in another order."""
    dx, dgamma, dbeta = layer_norm_backward(x, gamma, dy, floor)
    return dx, dbeta, dgamma


def without_keepdims(x, gamma, dy, floor):
    """The mean of each row, as a row."""
    return x - x.mean(axis=1), None, None


def slips(axis):
    """The mistakes that both normalisations invite, for the one along this axis."""
    def wrong(dx=three_terms, **more):
        return backward(dx, axis=axis, **more)

    def combined(second, third):
        return wrong(lambda d, x_hat, s, mean, axis: (d - second(d, axis) - x_hat * third(d * x_hat, axis)) / s)

    return (
        Mutant("mean-held-fixed", wrong(by_terms(second=0.0)),
               "You treated the mean as a fixed number. Every x moves it: one of the three terms of dx is missing."),
        Mutant("spread-held-fixed", wrong(by_terms(third=0.0)),
               "You treated the spread s as a fixed number. Every x changes it: one of the three terms of dx is missing."),
        Mutant("both-held-fixed", wrong(by_terms(second=0.0, third=0.0)),
               "You treated mean and spread as fixed numbers. Here both are made of x, so there are two more ways from x to y."),
        Mutant("gamma-forgotten", wrong(scaled=False),
               "dx lacks gamma: before the gradient comes to x_hat, it goes through the product with gamma."),
        Mutant("gamma-twice", gamma_again(wrong()),
               "gamma is in dx twice. The gradient goes through it once."),
        Mutant("sums-for-means", combined(sum_over, sum_over),
               "In dx you added up where means belong: the mean and the variance each divide by how many numbers they have."),
        Mutant("sum-in-the-second-term", combined(sum_over, mean_over),
               "The term of dx that comes from the mean is too large: a mean divides by how many numbers it has."),
        Mutant("sum-in-the-third-term", combined(mean_over, sum_over),
               "The term of dx that comes from the spread is too large: a variance divides by how many numbers it has."),
        Mutant("second-term-added", wrong(by_terms(second=-1.0)),
               "The term of dx from the mean has the wrong sign: raising an x raises the mean, and the mean is taken *off*."),
        Mutant("third-term-added", wrong(by_terms(third=-1.0)),
               "The term of dx from the spread has the wrong sign: s stands below the fraction bar."),
        Mutant("half-forgotten", wrong(by_terms(third=2.0)),
               "The term of dx from the spread is twice too large. The derivative of a root has a 1/2, which cancels the 2 of "
               "the square."),
        Mutant("two-forgotten", wrong(by_terms(third=0.5)),
               "The term of dx from the spread is half of what it should be: where is the 2 that comes down from the square?"),
        Mutant("third-term-without-x-hat", wrong(lambda d, x_hat, s, mean, axis: (d - mean(d, axis) - mean(d * x_hat, axis)) / s),
               "The term of dx from the spread lacks a factor: an x far from the mean changes the spread more than a near one."),
        Mutant("third-term-half-scaled", wrong(lambda d, x_hat, s, mean, axis: three_terms(d, x_hat, s, mean, axis, third=s)),
               "In the term of dx from the spread, one s is missing: is one of its two x_hats still x - mean?"),
        Mutant("third-term-unscaled", wrong(lambda d, x_hat, s, mean, axis: three_terms(d, x_hat, s, mean, axis, third=s**2)),
               "In the term of dx from the spread, two powers of s are missing: both x_hats are x - mean, or the slope of "
               "1 / sqrt(v) has the wrong power."),
        Mutant("not-divided", wrong(lambda d, x_hat, s, mean, axis: three_terms(d, x_hat, s, mean, axis) * s),
               "dx is not divided by s. x_hat moves by 1/s when x moves by 1."),
        Mutant("divided-twice", wrong(lambda d, x_hat, s, mean, axis: three_terms(d, x_hat, s, mean, axis) / s),
               "dx is divided by s twice, that is, by the variance. Once is enough."),
        Mutant("straight-path-lost", wrong(lambda d, x_hat, s, mean, axis: three_terms(d, x_hat, s, mean, axis) - d / s),
               "Only the ways through mean and spread are in your dx. The straight one, from x to x_hat, is missing: all add "
               "up."),
        Mutant("only-the-spread-left", wrong(lambda d, x_hat, s, mean, axis: -x_hat * mean(d * x_hat, axis) / s),
               "Only the way through the spread is in your dx. x - mean is used twice, for the variance and for x_hat: what "
               "comes back from both adds up, and the second must not replace the first."),
        Mutant("dx-is-d", wrong(lambda d, x_hat, s, mean, axis: d),
               "Your dx is the gradient of x_hat. It still has to go back through the normalisation."),
        Mutant("floor-outside-the-root", wrong(root=lambda var, floor: np.sqrt(var) + floor),
               "You added the floor to the root. It stands under the root, beside the variance."),
        Mutant("floor-forgotten", wrong(root=lambda var, floor: np.sqrt(var)), "The floor under the root is missing."),
        Mutant("root-forgotten", wrong(root=lambda var, floor: var + floor),
               "You divided by the variance where its root belongs, in x_hat already."),
        Mutant("n-minus-one-in-s", wrong(ddof=1),
               "Your s is made with the variance that divides by n - 1. To normalise, it divides by how many numbers there are."),
        Mutant("n-minus-one-in-dx", wrong(by_terms(third=lambda n: n / (n - 1))),
               "In the term of dx from the spread you divided by one less than there are numbers. The variance that was "
               "normalised with does not."),
        Mutant("dgamma-of-x", wrong(dgamma=lambda dy, x_hat, x, gamma: (dy * x).sum(axis=0)),
               "dgamma is made with x. gamma never met x: what it multiplies is x_hat."),
        Mutant("dgamma-centred-only", wrong(dgamma=lambda dy, x_hat, x, gamma: (dy * (x - mean_over(x, axis))).sum(axis=0)),
               "dgamma is made with x - mean, before the division by s. What gamma multiplies is x_hat."),
        Mutant("dgamma-of-d", wrong(dgamma=lambda dy, x_hat, x, gamma: (dy * gamma * x_hat).sum(axis=0)),
               "dgamma has gamma in it. y = gamma x_hat + beta is a straight line in gamma: its slope does not depend on gamma."),
        Mutant("dgamma-averaged", wrong(dgamma=lambda dy, x_hat, x, gamma: (dy * x_hat).mean(axis=0)),
               "dgamma is averaged over the examples. Each example uses gamma once, so their shares add up."),
        Mutant("dbeta-of-d", wrong(dbeta=lambda dy, gamma: (dy * gamma).sum(axis=0)),
               "dbeta has gamma in it. beta is added after the product with gamma."),
        Mutant("dbeta-averaged", wrong(dbeta=lambda dy, gamma: dy.mean(axis=0)),
               "dbeta is averaged over the examples. Each example uses beta once, so their shares add up."),
        Mutant("both-averaged", wrong(dgamma=lambda dy, x_hat, x, gamma: (dy * x_hat).mean(axis=0),
                                      dbeta=lambda dy, gamma: dy.mean(axis=0)),
               "dgamma and dbeta are averaged over the examples. Each example uses both once, so their shares add up."),
        Mutant("dbeta-one-row", wrong(dbeta=lambda dy, gamma: dy[0]),
               "dbeta is the first example's row of dy. Every example uses beta, so all rows count."),
        Mutant("keeps-a-row", wrong(dgamma=lambda dy, x_hat, x, gamma: (dy * x_hat).sum(axis=0, keepdims=True),
                                    dbeta=lambda dy, gamma: dy.sum(axis=0, keepdims=True)),
               "dgamma and dbeta have the shape (1, d), but gamma and beta have (d,). A gradient has the shape of its thing."),
        Mutant("one-number-per-example", wrong(dgamma=lambda dy, x_hat, x, gamma: (dy * x_hat).sum(axis=1),
                                               dbeta=lambda dy, gamma: dy.sum(axis=1)),
               "dgamma and dbeta have one number for each example. There is one gamma, and one beta, for each feature."),
        Mutant("dy-passed-on", wrong(lambda d, x_hat, s, mean, axis: d, scaled=False),
               "dx is dy unchanged. It has to go back through gamma and through the normalisation."),
    )


RNG = np.random.default_rng(3)
OTHER_SIZES = (RNG.normal(2, 3, (7, 3)), uneven(RNG, 3), RNG.normal(0, 1, (7, 3)), 1e-5)

BATCH = Parted(
    id="cures.batch_norm_backward",
    title="BatchNorm, the way back",
    points=3,
    reference=batch_norm_backward,
    inputs=a_way_back,
    edge_cases=(("another size and a small floor", OTHER_SIZES),),
    parts=("dx", "dgamma", "dbeta"),
    mutants=(
        *slips(0),
        Mutant("wrong-axis", backward(axis=1),
               "You normalised each example over its features: that is LayerNorm. BatchNorm takes each feature over the "
               "examples."),
        Mutant("means-along-the-features", backward(by_terms(axis=1)),
               "x_hat is right, but the means in dx run along the features. They run along the examples, as mean and variance "
               "do."),
        Mutant("n-minus-one-throughout", backward(by_terms(third=lambda n: n / (n - 1)), ddof=1),
               "Everything fits a variance that divides by n - 1. BatchNorm normalises with n; n - 1 is for the running "
               "variance."),
        Mutant("order", exchanged, "dgamma and dbeta have changed places in what you return: the order is dx, dgamma, dbeta."),
    ),
    variants={
        "graph": on_the_graph,
        "graph, shorter": graph(mean_once=True),
        "gamma in front": gamma_again(backward(scaled=False)),
        "matrices": by_jacobian,
        "one fraction": n_in_one_fraction,
        "library": by_library(BatchNorm),
        "single precision": lambda *arguments: [array.astype(np.float32) for array in batch_norm_backward(*arguments)],
    },
    hints=("dbeta and dgamma are those of y = gamma x_hat + beta, with rows of examples that add up. Then d, the gradient of "
           "x_hat, is dy times gamma.",
           "There are three ways from an x to the outputs: straight, through the mean, and through the spread. Each gives a "
           "term, and the terms add up.",
           "d, less its mean over the batch, less x_hat times the mean over the batch of d times x_hat; all of it over s."),
)

LAYER = Parted(
    id="cures.layer_norm_backward",
    title="LayerNorm, the way back",
    points=2,
    reference=layer_norm_backward,
    inputs=a_way_back,
    edge_cases=(("another size and a small floor", OTHER_SIZES),),
    parts=("dx", "dgamma", "dbeta"),
    mutants=(
        *slips(1),
        Mutant("gamma-in-front", gamma_again(backward(axis=1, scaled=False)),
               "gamma was multiplied on at the end. In BatchNorm that is the same; here the means run over features, which have "
               "different gammas, so gamma has to be inside."),
        Mutant("wrong-axis", backward(axis=0),
               "You normalised each feature over the examples: that is BatchNorm. LayerNorm takes each example over its "
               "features."),
        Mutant("means-along-the-batch", backward(by_terms(axis=0), axis=1),
               "x_hat is right, but the means in dx run along the examples. They run along the features, as mean and variance "
               "do."),
        Mutant("divided-by-examples", backward(
            lambda d, x_hat, s, mean, axis: three_terms(d, x_hat, s, lambda a, axis: sum_over(a, axis) / len(a), axis), axis=1),
               "In dx you divided by the number of examples. The means run over the features."),
        Mutant("keepdims-forgotten", without_keepdims,
               "The mean of each row has the shape (n,), and NumPy lines shapes up from the right: keep the axis, so that it is "
               "(n, 1)."),
        Mutant("order", exchanged_rows,
               "dgamma and dbeta have changed places in what you return: the order is dx, dgamma, dbeta."),
    ),
    variants={
        "example by example": example_by_example,
        "BatchNorm turned": lambda x, gamma, dy, floor: (
            backward()(x.T, gamma[:, np.newaxis], dy.T, floor)[0].T, *layer_norm_backward(x, gamma, dy, floor)[1:]),
        "library": by_library(LayerNorm),
        "list": lambda *arguments: [array.tolist() for array in layer_norm_backward(*arguments)],
    },
    hints=("The same three ways as in BatchNorm. What mean and variance are taken over has changed, so the means in dx change "
           "too.",
           "gamma and beta still belong to features and are shared by all examples. So their gradients add up over what?",
           "Inside dx everything runs along axis 1, with keepdims; gamma comes first, before any mean. dgamma and dbeta run "
           "along axis 0."),
)

EXERCISES = (BATCH, LAYER)
