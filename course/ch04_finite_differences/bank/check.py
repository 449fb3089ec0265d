"""Chapter 04, second part: a checker of one's own, two weak checkers to break, and what checking costs."""
import numpy as np

from bplib import Layer, check_gradients
from course.ch04_finite_differences.bank.measure import gradient, relative_error, wave
from course.grading.core import Exercise, Mutant

RIGHT, ROUNDED = "the right gradient", "a gradient that is right to eight digits"
CANDIDATES = (RIGHT, ROUNDED, "the sign flipped", "one entry 1 % too large", "two entries exchanged", "the factor 2",
              "a row of shape (1, 4) instead of (4,)", "nan in one entry", "all zeros", "half of a tiny gradient")
PARTS = tuple(f"Your checker, given {candidate}:" for candidate in CANDIDATES)


def checker(f, x, claimed):
    """True where the claimed gradient is that of f at x, to four digits."""
    return bool(relative_error(gradient(f, x), claimed) < 1e-4)


def trial(answer, f, x):
    """What a checker says of right and wrong gradients, in the order of CANDIDATES."""
    true = gradient(f, x)
    one, exchanged, missing = true.copy(), true.copy(), true.copy()
    one[2] *= 1.01
    exchanged[[0, 3]] = exchanged[[3, 0]]
    missing[1] = np.nan

    def small(x):
        return 1e-12 * f(x)

    first = answer(f, x.copy(), true.copy())  # an error here is the learner's to see
    said = [first]
    wrong = (true * (1 + 1e-8), -true, one, exchanged, 2 * true, true[np.newaxis], missing, np.zeros_like(true))
    for function, claimed in [*((f, claimed) for claimed in wrong), (small, 0.5e-12 * true)]:
        try:
            said.append(answer(function, x.copy(), claimed.copy()))
        except Exception:
            said.append(False)  # to refuse loudly is to reject
    return tuple(_verdict(value) for value in said)


def _verdict(value):
    array = np.asarray(value)
    if array.ndim or array.dtype.kind not in "biuf":
        return f"no True or False, but {type(value).__name__}"
    return "accepted" if array else "rejected"


def a_function(rng):
    """A function of four numbers."""
    return wave(rng), rng.uniform(0.5, 2, 4)


def close_enough(test):
    """A checker that compares the measured and the claimed gradient by `test`."""
    return lambda f, x, claimed: bool(test(gradient(f, x), claimed))


def loose(tolerance):
    """Relative error below a tolerance of another size."""
    return close_enough(lambda true, claimed: relative_error(true, claimed) < tolerance)


def not_larger(true, claimed):
    """NaN is not larger than anything."""
    if true.shape != claimed.shape:
        return False
    return not (np.abs(true - claimed) > 1e-4 * np.maximum(np.abs(true), np.abs(claimed))).any()


def same_direction(true, claimed):
    """The angle only."""
    if true.shape != claimed.shape:
        return False
    lengths = np.linalg.norm(true) * np.linalg.norm(claimed)
    return bool(lengths > 0 and np.vdot(true, claimed) > (1 - 1e-6) * lengths)


def tanh_backward(z, dy):
    """The right one."""
    return dy * (1 - np.tanh(z) ** 2)


class Tried(Layer):
    """A tanh layer with somebody's backward."""

    def __init__(self, backward):
        super().__init__()
        self._backward = backward

    def forward(self, x, training=False):
        self._z = x
        return np.tanh(x)

    def backward(self, dy):
        return np.asarray(self._backward(self._z.copy(), dy.copy()), dtype=float)


def judged_with_ones(answer, z, dy):
    """Does the checker with upstream ones accept it? And is it really wrong?"""
    measured = (np.tanh(z + 1e-5) - np.tanh(z - 1e-5)) / 2e-5
    got = np.asarray(answer(z.copy(), np.ones_like(z)), dtype=float)
    passed = got.shape == z.shape and bool(np.allclose(got, measured, rtol=1e-6, atol=0))
    return ("accepted" if passed else "rejected", _truth(answer, z))


def _truth(answer, z):
    return "right" if check_gradients(Tried(answer), z).ok else "wrong"


def of_a_layer(rng):
    """A batch and an upstream gradient."""
    return rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (4, 3))


def bias_backward(x, dy):
    """db of a linear layer."""
    return dy.sum(axis=0)


def judged_on_one(answer, x, dy):
    """Does the checker with a batch of one accept it? And is it right for the whole batch?"""
    got = np.asarray(answer(x[:1].copy(), dy[:1].copy()), dtype=float)
    passed = got.shape == dy.shape[1:] and bool(np.allclose(got, dy[0], rtol=1e-6, atol=0))
    whole = np.asarray(answer(x.copy(), dy.copy()), dtype=float)
    right = whole.shape == dy.shape[1:] and bool(np.allclose(whole, dy.sum(axis=0), rtol=1e-6, atol=0))
    return ("accepted" if passed else "rejected", "right" if right else "wrong")


BROKEN = ("The weak checker's verdict on your backward,", "A good checker's verdict: your backward is",)


def fooled(*_):
    """Stands for every answer that the weak checker accepts and a good one does not."""
    return "accepted", "wrong"


EXERCISES = (
    Exercise(
        id="finite_differences.checker",
        title="Your own gradient checker",
        points=3,
        reference=checker,
        inputs=a_function,
        run=trial,
        parts=PARTS,
        mutants=(
            Mutant("sums", close_enough(lambda true, claimed: np.isclose(true.sum(), claimed.sum(), rtol=1e-4, atol=0)),
                   "You compared the sums, so two entries that have changed places go unnoticed. Compare entry by entry."),
            Mutant("first-entry",
                   close_enough(lambda true, claimed: np.isclose(true[0], claimed.ravel()[0], rtol=1e-4, atol=0)),
                   "You compared the first entries only. Every entry counts."),
            Mutant("absolute-tolerance",
                   close_enough(lambda true, claimed: true.shape == claimed.shape and np.max(np.abs(true - claimed)) < 1e-4),
                   "Your tolerance is absolute, so for a tiny gradient everything passes. Divide by the size of the numbers."),
            Mutant("allclose", close_enough(lambda true, claimed: np.allclose(true, claimed, rtol=1e-4)),
                   "np.allclose broadcasts shapes, and it adds an absolute tolerance of 1e-8, which is more than a tiny gradient "
                   "has. Compare the shapes first, and set atol=0."),
            Mutant("broadcast", close_enough(lambda true, claimed: np.allclose(true, claimed, rtol=1e-4, atol=0)),
                   "A gradient of another shape passed: shapes (1, 4) and (4,) broadcast. Compare the shapes first."),
            Mutant("sizes", close_enough(lambda true, claimed: relative_error(np.abs(true), np.abs(claimed)) < 1e-4),
                   "You compared sizes without signs, so a gradient that points the wrong way passes."),
            Mutant("nan-passes", close_enough(not_larger),
                   "A gradient with nan in it passed: a comparison with nan is never true, so \"no error is too large\" holds. "
                   "Ask whether every error is small enough."),
            Mutant("direction", close_enough(same_direction),
                   "You compared directions only, so twice the gradient, or half of it, passes."),
            Mutant("too-loose", loose(0.05),
                   "An error of 1 % passed. Central differences are right to about ten digits: ask for four at least."),
            Mutant("too-strict", loose(1e-14),
                   "The right gradient was rejected: a measurement has an error of its own, about 1e-10. Leave room for it."),
            Mutant("always", lambda f, x, claimed: True,
                   "Your checker accepts everything. A check that cannot fail shows nothing."),
            Mutant("never", lambda f, x, claimed: False,
                   "Your checker rejects everything, the right gradient too."),
            Mutant("upside-down", lambda f, x, claimed: not checker(f, x, claimed),
                   "Your checker says True for wrong gradients and False for right ones. It should be the other way round."),
        ),
        variants={
            "tolerance 1e-6": loose(1e-6),
            "numpy bool": lambda f, x, claimed: np.bool_(relative_error(gradient(f, x), claimed) < 1e-5),
            "allclose with care": close_enough(
                lambda true, claimed: true.shape == claimed.shape and np.allclose(true, claimed, rtol=1e-5, atol=0)),
            "all": close_enough(lambda true, claimed: true.shape == claimed.shape and bool(
                (np.abs(true - claimed) <= 1e-5 * np.maximum(np.abs(true), np.abs(claimed))).all())),
            "library": lambda f, x, claimed: check_gradients(f, x, claimed).ok if claimed.shape == x.shape else False,
        },
        shown="This is a gradient checker of your own. It accepts what is right up to rounding, and rejects a single entry that "
              "is off by 1 %.",
        hints=("You have both parts already: the measured gradient, and the relative error of two arrays.",
               "Ask for an error that is *small enough*. With nan every comparison is false, so this way round it is rejected.",
               "Measure the gradient of f at x, take its relative error against the claimed one, and compare it with a tolerance "
               "such as 1e-5."),
    ),
    Exercise(
        id="finite_differences.break_ones",
        title="Break the checker with upstream ones",
        points=2,
        reference=lambda z, dy: 1 - np.tanh(z) ** 2,
        inputs=of_a_layer,
        run=judged_with_ones,
        parts=BROKEN,
        mutants=(
            Mutant("right", tanh_backward,
                   "This backward is right, so there is nothing to break. Write one that is wrong for other upstream gradients."),
            Mutant("caught", lambda z, dy: dy * (1 - z**2),
                   "This is wrong, and the weak checker noticed. Find a mistake that makes no difference when every dy is 1."),
            Mutant("right-but-caught", lambda z, dy: tanh_backward(z, dy) * (1 + 1e-5 * (dy == 1)),
                   "This one is wrong only where every dy is 1, which is just where the weak checker looks."),
        ),
        variants={
            "squared upstream": lambda z, dy: dy**2 * (1 - np.tanh(z) ** 2),
            "mean upstream": lambda z, dy: dy.mean() * (1 - np.tanh(z) ** 2),
            "size of upstream": lambda z, dy: np.abs(dy) * (1 - np.tanh(z) ** 2),
            "turned upstream": lambda z, dy: dy[::-1] * (1 - np.tanh(z) ** 2),
            "divided": lambda z, dy: (1 - np.tanh(z) ** 2) / dy,
            "list": lambda z, dy: (1 - np.tanh(z) ** 2).tolist(),
        },
        shown="A wrong backward has passed that checker. So use random upstream gradients when you check one.",
        hints=("The weak checker calls your function with dy = 1 everywhere. What could you do to a 1 that leaves it a 1?",
               "For example: leave it out. Which function then comes back?",
               "Return the slope of tanh alone, as if nothing came from above."),
    ),
    Exercise(
        id="finite_differences.break_single",
        title="Break the checker with a batch of one",
        points=2,
        reference=lambda x, dy: dy.mean(axis=0),
        inputs=of_a_layer,
        run=judged_on_one,
        parts=BROKEN,
        mutants=(
            Mutant("right", bias_backward,
                   "This is the right gradient of a bias: nothing to break. Write one that is wrong for more than one example."),
            Mutant("caught", lambda x, dy: 2 * dy.sum(axis=0),
                   "This is wrong, and the weak checker noticed. Find a mistake that makes no difference for a single example."),
            Mutant("wrong-for-one-only", lambda x, dy: dy.sum(axis=0) * (len(dy) > 1),
                   "This one is wrong for a single example and right for more: just the other way round."),
        ),
        variants={
            "first row": lambda x, dy: dy[0],
            "last row": lambda x, dy: dy[-1].tolist(),
            "product": lambda x, dy: dy.prod(axis=0),
            "largest": lambda x, dy: dy.max(axis=0),
            "times n": lambda x, dy: len(dy) * dy.sum(axis=0),
        },
        shown="A wrong db has passed that checker. So use several examples when you check a gradient.",
        hints=("For one example the right answer is its own row of dy. Which other rules give that row, too?",
               "What are the sum, the mean and the first of a single number?",
               "Average over the examples, where they should be added up."),
    ),
    Exercise(
        id="finite_differences.cost",
        title="What a naive check costs",
        points=1,
        reference=203540,
        mutants=(
            Mutant("forward-differences", 101771,
                   "That is for forward differences: one run for each parameter, and one where nothing moves. Central "
                   "differences need two for each."),
            Mutant("weights-only", 203264, "You forgot the biases: 128 and 10 of them."),
            Mutant("one-each", 101770, "That is the number of parameters. Each needs two runs, one for each side."),
            Mutant("first-layer", 200960, "You counted the first layer only. The second one has 1,290 parameters."),
            Mutant("three-each", 305310, "Three runs for each parameter: the middle one is not needed."),
        ),
        variants={"float": 203540.0, "computed": 2 * (784 * 128 + 128 + 128 * 10 + 10)},
        shown="203,540 runs of the network for a single gradient. Backpropagation needs one run forward and one sweep back.",
        hints=("Count the parameters first: a layer from d_in to d_out has a weight for each pair and a bias for each output.",
               "784 times 128 and 128 more, then 128 times 10 and 10 more.",
               "Two runs of the network for each parameter."),
    ),
)
