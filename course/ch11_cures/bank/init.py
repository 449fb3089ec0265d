"""Chapter 11, first part: the gain that an activation needs, and starting weights that have it."""
import numpy as np

from bplib import init
from course.grading.arguments import Seed, Slope, array_of
from course.grading.core import Exercise, Mutant
from course.grading.kinds import Parted, Watched


def gain(derivative, q, u):
    """The factor on weights of spread 1 / sqrt(n) for which chi is 1."""
    return 1 / np.sqrt(np.mean(derivative(np.sqrt(q) * u) ** 2))


def spreads(n_in, n_out):
    """Xavier's and He's standard deviation, and the bound of uniform numbers that have Xavier's."""
    xavier = np.sqrt(2 / (n_in + n_out))
    return xavier, np.sqrt(2 / n_in), np.sqrt(3) * xavier


def mean_square(q, gain, layers):
    """The mean square of z after so many times ReLU and then weights of spread gain / sqrt(n)."""
    return q * (gain**2 / 2) ** layers


def he(n_in, n_out, rng):
    """A weight matrix by He's rule."""
    return np.sqrt(2 / n_in) * rng.standard_normal((n_in, n_out))


def bisection(derivative, q, u):
    """Search for the gain that makes chi 1."""
    low, high = 0.0, 1e4
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if middle**2 * np.mean(derivative(np.sqrt(q) * u) ** 2) < 1 else (low, middle)
    return low


def spreads_but(place, other):
    """The three numbers with another one at a place, from (n_in, n_out)."""
    def answer(n_in, n_out):
        numbers = list(spreads(n_in, n_out))
        numbers[place] = other(n_in, n_out)
        return tuple(numbers)
    return answer


def drawn(spread, turned=False, shift=0.0):
    """Normal weights of another spread, (n_in, n_out) -> number."""
    def answer(n_in, n_out, rng):
        W = rng.normal(shift * spread(n_in, n_out), spread(n_in, n_out), (n_in, n_out))
        return W.T if turned else W
    return answer


def truncated(width, correction):
    """Normal weights without those further out than `width` spreads, by drawing again."""
    def answer(n_in, n_out, rng):
        u = rng.standard_normal((n_in, n_out))
        while (far := np.abs(u) > width).any():
            u[far] = rng.standard_normal(far.sum())
        return u * np.sqrt(2 / n_in) / correction
    return answer


def one_by_one(n_in, n_out, rng):
    """A list of rows."""
    return [list(rng.normal(0, (2 / n_in) ** 0.5, n_out)) for _ in range(n_in)]


def one_row(n_in, n_out, rng):
    """The same row again and again."""
    return np.tile(rng.normal(0, np.sqrt(2 / n_in), n_out), (n_in, 1))


RULES = {  # what a spread may be taken for, from (n_in, n_out)
    "He's spread": lambda n_in, n_out: np.sqrt(2 / n_in),
    "a spread of 2 / n_in": lambda n_in, n_out: 2 / n_in,
    "Xavier's spread": lambda n_in, n_out: np.sqrt(2 / (n_in + n_out)),
    "a spread of sqrt(2 / n_out)": lambda n_in, n_out: np.sqrt(2 / n_out),
    "a spread of 1 / sqrt(n_in)": lambda n_in, n_out: np.sqrt(1 / n_in),
    "a spread of 2 / sqrt(n_in)": lambda n_in, n_out: 2 / np.sqrt(n_in),
    "a spread of 1": lambda n_in, n_out: 1.0,
    "a bound in place of the spread": lambda n_in, n_out: np.sqrt(2 / n_in / 3),
    "numbers far from 0 left out": lambda n_in, n_out: 0.8796 * np.sqrt(2 / n_in),
}


def seen_in_weights(answer, n_in, n_out, seed):
    """What the drawn weights are like, in words; twice with the same seed, and with another."""
    given = answer(n_in, n_out, np.random.default_rng(int(seed)))
    if given is None or given is ...:
        return given
    W, again, other = (array_of(one) for one in (given, answer(n_in, n_out, np.random.default_rng(int(seed))),
                                                 answer(n_in, n_out, np.random.default_rng(int(seed) + 1))))
    if W is None or W.shape != (n_in, n_out):
        return "an array (n_out, n_in)" if W is not None and W.shape == (n_out, n_in) else "no array of that shape"
    if not np.isfinite(W).all():
        return "nan or infinity"
    if not np.ptp(W):
        return "all weights are equal"
    if np.ptp(W, axis=0).max() == 0 or np.ptp(W, axis=1).max() == 0:
        return "all rows, or all columns, are equal"
    if not np.array_equal(W, again):
        return "the same rng gives other weights each time"
    if np.array_equal(W, other):
        return "another rng gives the same weights"
    if abs(W.mean()) > 0.05 * W.std():
        return "a mean far from 0"
    near = (name for name, spread in RULES.items() if abs(W.std() / spread(n_in, n_out) - 1) < 0.03)
    return next(near, f"a spread of {W.std():.2g}")


def a_slope(rng):
    """The slope of an activation, a variance, standard normal numbers."""
    return Slope(str(rng.choice(["tanh", "sigmoid"]))), round(float(rng.uniform(2, 6)), 2), rng.normal(0, 1, 500)


def two_widths(rng):
    """Inputs and outputs of a layer."""
    return int(rng.integers(30, 60)), int(rng.integers(70, 200))


def a_signal(rng):
    """A mean square, a gain, a number of layers."""
    return round(float(rng.uniform(0.6, 3)), 2), round(float(rng.uniform(0.7, 1.9)), 2), int(rng.integers(4, 9))


def a_large_layer(rng):
    """Widths that are large enough to measure a spread, and a seed."""
    return int(rng.integers(280, 310)), int(rng.integers(190, 220)), Seed(rng.integers(1000))


EXERCISES = (
    Exercise(
        id="cures.gain",
        title="The gain that an activation needs",
        points=1,
        reference=gain,
        inputs=a_slope,
        edge_cases=(("ReLU", (Slope("ReLU"), 1.7, np.random.default_rng(7).normal(0, 1, 500))),),
        mutants=(
            Mutant("not-rooted", lambda derivative, q, u: 1 / np.mean(derivative(np.sqrt(q) * u) ** 2),
                   "That is the *variance* that the weights need, gain squared. The gain multiplies the weights themselves."),
            Mutant("upside-down", lambda derivative, q, u: np.sqrt(np.mean(derivative(np.sqrt(q) * u) ** 2)),
                   "That is what the activation takes away. The gain has to give it back."),
            Mutant("chi", lambda derivative, q, u: np.mean(derivative(np.sqrt(q) * u) ** 2),
                   "That is chi at a gain of 1. Asked for is the gain at which chi would be 1."),
            Mutant("not-squared", lambda derivative, q, u: 1 / np.sqrt(np.mean(derivative(np.sqrt(q) * u))),
                   "The slopes must be squared before they are averaged."),
            Mutant("mean-first", lambda derivative, q, u: 1 / np.mean(derivative(np.sqrt(q) * u)),
                   "You averaged first and squared afterwards. Square each slope, then average."),
            Mutant("root-missing", lambda derivative, q, u: 1 / np.sqrt(np.mean(derivative(q * u) ** 2)),
                   "q is a variance: standard normal numbers get it when multiplied by its *square root*."),
            Mutant("spread-ignored", lambda derivative, q, u: 1 / np.sqrt(np.mean(derivative(u) ** 2)),
                   "The pre-activations have the variance q, not 1."),
            Mutant("at-zero", lambda derivative, q, u: 1 / np.float64(derivative(np.zeros(1))[0]),
                   "You took the slope at 0 only. The pre-activations are spread over many values."),
            Mutant("always-he", lambda derivative, q, u: np.sqrt(2.0),
                   "That is the gain of ReLU. Other activations need other ones."),
        ),
        variants={
            "search": bisection,
            "norm": lambda derivative, q, u: np.sqrt(len(u)) / np.linalg.norm(derivative(u * q**0.5)),
            "loop": lambda derivative, q, u: (sum(float(derivative(np.array([q**0.5 * v]))[0]) ** 2 for v in u) / len(u)) ** -0.5,
            "single precision": lambda derivative, q, u: np.float32(gain(derivative, q, u)),
        },
        hints=("Weights of spread gain / sqrt(n) bring the variance gain squared to chi. The rest is chapter 10's formula.",
               "chi is gain squared, times the mean of the squared slopes at sqrt(q) u. Set it to 1.",
               "Solve for the gain: one over the root of that mean."),
    ),
    Parted(
        id="cures.spreads",
        title="Xavier's spread, He's, and a bound",
        points=1,
        reference=spreads,
        inputs=two_widths,
        parts=("Xavier's standard deviation", "He's standard deviation", "The bound"),
        mutants=(
            Mutant("variances", lambda n_in, n_out: (2 / (n_in + n_out), 2 / n_in, 6 / (n_in + n_out)),
                   "These are variances. A standard deviation is the root of one, and so is a bound."),
            Mutant("he-by-outputs", spreads_but(1, lambda n_in, n_out: np.sqrt(2 / n_out)),
                   "For He you divided by the outputs. A pre-activation is a sum with one term for each *input*."),
            Mutant("xavier-by-inputs", lambda n_in, n_out: (np.sqrt(1 / n_in), np.sqrt(2 / n_in), np.sqrt(3 / n_in)),
                   "For Xavier you used the inputs only. That keeps the signal going forward; going back, the outputs count, and "
                   "Xavier stands between the two."),
            Mutant("two-missing", lambda n_in, n_out: (
                (n_in + n_out) ** -0.5, np.sqrt(2 / n_in), ((n_in + n_out) / 3) ** -0.5),
                   "For Xavier you divided by the sum of both widths. It is their *mean* that n stands for."),
            Mutant("he-is-xavier", spreads_but(1, lambda n_in, n_out: np.sqrt(1 / n_in)),
                   "He's is meant for ReLU, which sets half of the signal to zero. Where do you make up for that?"),
            Mutant("he-doubled", spreads_but(1, lambda n_in, n_out: 2 / np.sqrt(n_in)),
                   "For He you doubled the standard deviation. It is the *variance* that must be doubled."),
            Mutant("he-of-both", spreads_but(1, lambda n_in, n_out: np.sqrt(4 / (n_in + n_out))),
                   "For He you used the mean of both widths, as Xavier does. He looks at one direction only."),
            Mutant("bound-is-spread", spreads_but(2, lambda n_in, n_out: np.sqrt(2 / (n_in + n_out))),
                   "The bound is the standard deviation itself. Numbers that are even between -c and c are spread by less than "
                   "c."),
            Mutant("bound-times-three", spreads_but(2, lambda n_in, n_out: 3 * np.sqrt(2 / (n_in + n_out))),
                   "The *variance* of numbers that are even between -c and c is c squared over 3: mind the root."),
            Mutant("bound-of-he", spreads_but(2, lambda n_in, n_out: np.sqrt(6 / n_in)),
                   "That is the bound that goes with He's rule. Asked for is the one that goes with Xavier's."),
            Mutant("bound-of-one-side", spreads_but(2, lambda n_in, n_out: np.sqrt(12) * np.sqrt(2 / (n_in + n_out))),
                   "That is how wide the whole range is, from -c to c. Asked for is c."),
        ),
        variants={
            "powers": lambda n_in, n_out: [((n_in + n_out) / 2) ** -0.5, (n_in / 2) ** -0.5, (6 / (n_in + n_out)) ** 0.5],
            "array": lambda n_in, n_out: np.sqrt(np.array([2 / (n_in + n_out), 2 / n_in, 6 / (n_in + n_out)])),
        },
        hints=("Each rule is a variance first: one over the number of terms of a sum, times what must be made up for.",
               "Xavier's variance is one over the mean of both widths. He's is two over the inputs.",
               "Take roots. Numbers even between -c and c have the variance c squared over 3; solve for c."),
    ),
    Exercise(
        id="cures.mean_square",
        title="The signal after many ReLU layers",
        points=1,
        reference=mean_square,
        inputs=a_signal,
        edge_cases=(("no layer", (1.5, 0.9, 0)), ("thirty layers", (1.0, 1.0, 30))),
        mutants=(
            Mutant("half-forgotten", lambda q, gain, layers: q * gain ** (2 * layers),
                   "ReLU is missing: it sets half of the signal to zero, and with it half of the mean square."),
            Mutant("gain-not-squared", lambda q, gain, layers: q * (gain / 2) ** layers,
                   "The weights are multiplied by the gain, so their *squares* are multiplied by its square."),
            Mutant("one-too-many", lambda q, gain, layers: q * (gain**2 / 2) ** (layers + 1),
                   "There is one factor too many: z is given before the first of these layers."),
            Mutant("one-too-few", lambda q, gain, layers: q * (gain**2 / 2) ** (layers - 1),
                   "There is one factor too few: each of the layers counts, the last one too."),
            Mutant("added-up", lambda q, gain, layers: q * (gain**2 / 2) * max(layers, 1),
                   "You multiplied by the number of layers. Each layer *multiplies* by its factor: that is a power."),
            Mutant("length", lambda q, gain, layers: q * (gain / np.sqrt(2)) ** layers,
                   "That factor is the one for the length, the root of the mean square. Asked for is the mean square."),
            Mutant("variance", lambda q, gain, layers: q * (gain**2 * (0.5 - 0.5 / np.pi)) ** layers,
                   "You took the variance of what ReLU gives. Its mean is not 0, and what the next sum adds up are the "
                   "*squares*."),
            Mutant("doubled", lambda q, gain, layers: q * (2 * gain**2) ** layers,
                   "You doubled where ReLU halves. The 2 in He's rule is the remedy; here you are asked for what happens."),
            Mutant("start-forgotten", lambda q, gain, layers: (gain**2 / 2) ** layers,
                   "The mean square at the start, q, is missing."),
        ),
        variants={
            "loop": lambda q, gain, layers: q if layers == 0 else gain**2 / 2 * mean_square(q, gain, layers - 1),
            "logarithms": lambda q, gain, layers: np.exp(np.log(q) + layers * (2 * np.log(gain) - np.log(2))),
        },
        hints=("Follow one layer: ReLU first, then the weights. What does each do to the mean square?",
               "z is as often positive as negative, so ReLU halves the mean square. The sum of n products with weights of "
               "variance gain squared over n multiplies it by gain squared.",
               "The start times the factor of one layer, to the power of the number of layers."),
    ),
    Watched(
        id="cures.he",
        title="Draw He's weights",
        points=2,
        reference=he,
        inputs=a_large_layer,
        run=seen_in_weights,
        wanted="Asked for is an array (n_in, n_out) of independent random numbers from rng, with mean 0 and He's spread.",
        mutants=(
            Mutant("turned", drawn(RULES["He's spread"], turned=True),
                   "Your matrix is (n_out, n_in). In this course z = x W with examples in rows, so W is (n_in, n_out)."),
            Mutant("variance-for-spread", drawn(RULES["a spread of 2 / n_in"]),
                   "Your weights have He's *variance* as their spread. normal(0, s) wants the standard deviation: mind the "
                   "root."),
            Mutant("xavier", drawn(RULES["Xavier's spread"]),
                   "This is Xavier's rule. He's makes up for the half that ReLU sets to zero."),
            Mutant("by-outputs", drawn(RULES["a spread of sqrt(2 / n_out)"]),
                   "You divided by the outputs. A pre-activation is a sum with one term for each *input*."),
            Mutant("no-two", drawn(RULES["a spread of 1 / sqrt(n_in)"]),
                   "That spread would do without an activation. ReLU sets half of the signal to zero: make up for it."),
            Mutant("doubled", drawn(RULES["a spread of 2 / sqrt(n_in)"]),
                   "You doubled the spread. It is the *variance* that must be doubled."),
            Mutant("standard-normal", drawn(RULES["a spread of 1"]),
                   "The spread is 1 whatever the width: that was the habit of the 1990s. The more inputs, the smaller the "
                   "weights."),
            Mutant("bound-for-spread", lambda n_in, n_out, rng: rng.uniform(-np.sqrt(2 / n_in), np.sqrt(2 / n_in), (n_in, n_out)),
                   "You drew even numbers up to He's spread. Numbers that are even between -c and c are spread by less than c."),
            Mutant("truncated", truncated(2, 1.0),
                   "You left out the numbers far from 0, and with them some of the spread: the rest has too little. Make up for "
                   "it."),
            Mutant("one-sided", lambda n_in, n_out, rng: rng.uniform(0, np.sqrt(6 / n_in), (n_in, n_out)),
                   "The mean of your weights is not 0. Then the terms of a sum do not cancel, and the signal grows with the "
                   "width."),
            Mutant("constant", lambda n_in, n_out, rng: np.full((n_in, n_out), np.sqrt(2 / n_in)),
                   "All your weights are equal. Then all units of the layer compute and learn the same thing."),
            Mutant("one-row-again", one_row,
                   "Your weights are copies of one row or column. Draw a number for each of the n_in times n_out weights."),
            Mutant("own-generator", lambda n_in, n_out, rng: he(n_in, n_out, np.random.default_rng(0)),
                   "Your weights are the same whatever rng is given: draw from rng, and not from a generator of your own."),
            Mutant("global-generator", lambda n_in, n_out, rng: he(n_in, n_out, np.random.default_rng()),
                   "The same rng gives different weights each time, so nobody can repeat your run. Draw from rng only."),
        ),
        variants={
            "normal": drawn(RULES["He's spread"]),
            "uniform": lambda n_in, n_out, rng: rng.uniform(-1, 1, (n_in, n_out)) * (6 / n_in) ** 0.5,
            "truncated": truncated(2, 0.8796),
            "signs": lambda n_in, n_out, rng: rng.choice([-1.0, 1.0], (n_in, n_out)) * np.sqrt(2 / n_in),
            "orthogonal": lambda n_in, n_out, rng: np.sqrt(2) * init.orthogonal(n_in, n_out, rng),
            "rows": one_by_one,
            "library": init.he,
            "single precision": lambda n_in, n_out, rng: rng.standard_normal((n_in, n_out), dtype=np.float32) * np.sqrt(2 / n_in),
        },
        hints=("Two things: how many numbers, and how far they are spread.",
               "rng.normal and rng.standard_normal take a shape, (n_in, n_out). He's spread is in the exercise before last.",
               "Standard normal numbers of that shape, times the square root of two over the inputs."),
    ),
)
