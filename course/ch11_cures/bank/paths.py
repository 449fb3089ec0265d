"""Chapter 11, fourth part: a way around a layer, and gradients cut short."""
import numpy as np

from bplib import Linear, Residual, Tanh, clip_by_global_norm, clip_by_norm, clip_by_value
from course.grading.core import Mutant
from course.grading.kinds import Parted


def residual_backward(x, W1, W2, dy):
    """dW1, dW2 and dx of y = x + tanh(x W1) W2."""
    a = np.tanh(x @ W1)
    delta = (dy @ W2.T) * (1 - a**2)
    return x.T @ delta, a.T @ dy, dy + delta @ W1.T


def block(dx=lambda dy, inner, x, delta, W1: dy + inner, slope=lambda z, a: 1 - a**2, back=lambda W1, W2: W2.T, into=1.0,
          dW2=lambda a, z, dy: a.T @ dy, dW1=lambda x, delta, dy, W1: x.T @ delta):
    """The residual block with one slip; `into` is what reaches the inner path."""
    def answer(x, W1, W2, dy):
        z = x @ W1
        a = np.tanh(z)
        delta = (into * dy @ back(W1, W2)) * slope(z, a)
        return dW1(x, delta, dy, W1), dW2(a, z, dy), dx(dy, delta @ W1.T, x, delta, W1)
    return answer


def block_by_library(x, W1, W2, dy):
    """With the course's own layers."""
    layer = Residual(Linear(*W1.shape, bias=False), Tanh(), Linear(*W2.shape, bias=False))
    layer.params["0.W"][...], layer.params["2.W"][...] = W1, W2
    layer.forward(x)
    dx = layer.backward(dy)
    return layer.grads["0.W"], layer.grads["2.W"], dx


def block_by_jacobians(x, W1, W2, dy):
    """One example after the other, with the identity written down."""
    slopes = 1 / np.cosh(x @ W1) ** 2
    dx = [up @ (np.eye(len(row)) + W1 @ np.diag(s) @ W2).T for row, s, up in zip(x, slopes, dy)]
    delta = np.einsum("nd,hd->nh", dy, W2) * slopes
    return sum(map(np.outer, x, delta)), sum(map(np.outer, np.tanh(x @ W1), dy)), np.array(dx)


def clipped_ratios(first, last, limit):
    """How many times as long the first gradient is as the last, after clipping by value, each by its norm, and together."""
    lengths = np.linalg.norm(first), np.linalg.norm(last)
    by_value = np.linalg.norm(np.clip(first, -limit, limit)) / np.linalg.norm(np.clip(last, -limit, limit))
    by_norm = min(lengths[0], limit) / min(lengths[1], limit)
    return by_value, by_norm, lengths[0] / lengths[1]


def each(*ratios):
    """Ratios from functions of (first, last, limit); a number chooses one of the right ones."""
    return lambda first, last, limit: tuple(clipped_ratios(first, last, limit)[ratio] if isinstance(ratio, int)
                                            else ratio(first, last, limit) for ratio in ratios)


def by_the_library(first, last, limit):
    """With the course's own functions."""
    ratios = []
    for clip in (clip_by_value, clip_by_norm, clip_by_global_norm):
        grads = clip({"first": first, "last": last}, limit)
        ratios.append(np.linalg.norm(grads["first"]) / np.linalg.norm(grads["last"]))
    return ratios


def in_full(first, last, limit):
    """Really clipped, with plain numbers."""
    def length(numbers):
        return sum(number**2 for number in numbers) ** 0.5

    both = [array.ravel().tolist() for array in (first, last)]
    cut = [[max(-limit, min(limit, number)) for number in numbers] for numbers in both]
    alone = [[number * min(1, limit / length(numbers)) for number in numbers] for numbers in both]
    factor = min(1, limit / length(both[0] + both[1]))
    together = [[number * factor for number in numbers] for numbers in both]
    return tuple(length(one) / length(other) for one, other in (cut, alone, together))


def ratio_of(clip, length=np.linalg.norm):
    """The ratio of the lengths after clipping each array, (array, limit) -> array."""
    return lambda first, last, limit: length(clip(first, limit)) / length(clip(last, limit))


def together_then(first, last, limit):
    """Only the array that is too long is shortened, by the factor of both."""
    both = np.hypot(np.linalg.norm(first), np.linalg.norm(last))
    return np.linalg.norm(first) * min(1, limit / both) / np.linalg.norm(last)


def a_block(rng):
    """x, W1, W2 and an upstream gradient; all widths differ."""
    return rng.normal(0, 1, (5, 3)), rng.normal(0, 0.8, (3, 4)), rng.normal(0, 0.8, (4, 3)), rng.normal(0, 1, (5, 3))


def unequal_gradients(rng):
    """A long gradient, a short one that has entries over the limit, and the limit."""
    last = rng.uniform(0.05, 0.2, (3, 2)) * rng.choice([-1, 1], (3, 2))
    last[0, 0] = 0.9
    return rng.normal(0, 4, (4, 5)), last, round(float(rng.uniform(0.4, 0.6)), 2)


RNG = np.random.default_rng(5)
SHORT = RNG.normal(0, 0.2, (4, 3)), RNG.normal(0, 0.1, (3, 2)), 5.0
BOTH_LONG = RNG.normal(0, 4, (4, 3)), RNG.normal(0, 2, (3, 2)), 0.5

RESIDUAL = Parted(
    id="cures.residual_backward",
    title="A residual block, backward",
    points=2,
    reference=residual_backward,
    inputs=a_block,
    parts=("dW1", "dW2", "dx"),
    mutants=(
        Mutant("way-around-forgotten", block(dx=lambda dy, inner, x, delta, W1: inner),
               "dx lacks the way around. x reaches y straight as well as through the layers, and two ways add up."),
        Mutant("way-through-forgotten", block(dx=lambda dy, inner, x, delta, W1: dy),
               "dx is dy alone: that is the way around. What comes back through the layers is missing."),
        Mutant("multiplied", block(dx=lambda dy, inner, x, delta, W1: dy * inner),
               "You multiplied the two ways. Factors along one way multiply; ways that meet add up."),
        Mutant("one-added", block(dx=lambda dy, inner, x, delta, W1: 1 + inner),
               "You added 1. The slope of the way around is 1, so what arrives along it is 1 times dy."),
        Mutant("x-added", block(dx=lambda dy, inner, x, delta, W1: x + inner),
               "You added x. That is what the way *forward* adds; backward, the gradient dy goes along the same way."),
        Mutant("averaged", block(dx=lambda dy, inner, x, delta, W1: (dy + inner) / 2),
               "You took the mean of the two ways. They add up."),
        Mutant("dy-through-the-weights", block(dx=lambda dy, inner, x, delta, W1: inner + dy @ W1 @ W1.T),
               "The way around was sent through weights. There are none on it: dy arrives as it is."),
        Mutant("upstream-doubled", block(into=2.0),
               "What goes into the layers is not dy. Their sum with x gives y, so each of the two gets dy once, whole."),
        Mutant("half-for-each", block(into=0.5, dx=lambda dy, inner, x, delta, W1: 0.5 * dy + inner),
               "You divided dy between the two ways. A sum passes the whole of dy to each of its terms."),
        Mutant("slope-missing", block(slope=lambda z, a: 1.0), "The slope of tanh is missing on the way through the layers."),
        Mutant("slope-of-z", block(slope=lambda z, a: 1 - z**2), "The slope 1 - a^2 was given z. It wants the output of tanh."),
        Mutant("slope-at-a", block(slope=lambda z, a: 1 - np.tanh(a) ** 2),
               "The slope of tanh is taken at a instead of at z: tanh was applied twice."),
        Mutant("first-weights", block(back=lambda W1, W2: W1),
               "Going back, dy meets W1 first. Forward, W2 came last; the shapes happen to fit."),
        Mutant("way-around-in-the-weights", block(dW1=lambda x, delta, dy, W1: x.T @ (delta + dy @ W1)),
               "dW1 has a share of the way around in it. There are no weights on that way."),
        Mutant("input-for-activation", block(dW2=lambda a, z, dy: z.T @ dy),
               "dW2 is made with z. What W2 was multiplied with is a."),
        Mutant("order", lambda x, W1, W2, dy: residual_backward(x, W1, W2, dy)[::-1],
               "The results come in the opposite order. Asked for are dW1, dW2, dx."),
    ),
    variants={"library": block_by_library, "with options": block(), "Jacobians": block_by_jacobians,
              "cosh": block(slope=lambda z, a: 1 / np.cosh(z) ** 2),
              "list": lambda *arguments: [array.tolist() for array in residual_backward(*arguments)]},
    hints=("Draw it: x splits into two ways, which meet again in a sum. What does a sum give back to each of its terms?",
           "The way through the layers is chapter 06's: dy back through W2, times the slope of tanh, back through W1.",
           "dW1 and dW2 are those of the layers, with dy at their output. dx is what comes back through W1, and dy."),
)

CLIPPING = Parted(
    id="cures.clipping",
    title="What clipping does to a ratio",
    points=1,
    reference=clipped_ratios,
    inputs=unequal_gradients,
    edge_cases=(("gradients that are short enough", SHORT), ("two long gradients", BOTH_LONG)),
    parts=("By value", "By norm", "Together"),
    mutants=(
        Mutant("never-changes", each(2, 2, 2),
               "You let the ratio be the same for all three. Two of them treat the long gradient and the short one differently."),
        Mutant("together-is-each", each(0, 1, 1),
               "Together, there is *one* factor for both arrays. What does that do to the ratio of their lengths?"),
        Mutant("by-value-is-by-norm", each(1, 1, 2),
               "By value, every *entry* is cut to the range from -limit to limit; lengths are measured afterwards."),
        Mutant("exchanged", each(1, 0, 2), "By value and by norm have changed places: the order is by value, by norm, together."),
        Mutant("upside-down", lambda first, last, limit: clipped_ratios(last, first, limit),
               "The ratios are upside down. Asked for is the first to the last."),
        Mutant("stretched", each(0, lambda first, last, limit: 1.0, 2),
               "By norm, a gradient that is shorter than the limit was stretched to it. It should stay as it is."),
        Mutant("largest-entry", each(0, ratio_of(lambda array, limit: array * min(1, limit / np.abs(array).max())), 2),
               "By norm, you compared the largest entry with the limit. It is the length of the array that counts."),
        Mutant("squares", lambda first, last, limit: tuple(
            ratio**2 for ratio in clipped_ratios(first, last, limit)),
               "These are ratios of sums of squares. A length is the root of one."),
        Mutant("one-sided", each(ratio_of(np.minimum), 1, 2),
               "By value, you cut the entries above the limit only. Those below -limit are just as long."),
        Mutant("one-shortened", each(0, 1, together_then),
               "Together, only the first array was shortened. Both are multiplied by the factor."),
        Mutant("largest-entries", each(*[ratio_of(clip, lambda array: np.abs(array).max()) for clip in (
            lambda array, limit: np.clip(array, -limit, limit),
            lambda array, limit: array * min(1, limit / np.linalg.norm(array)),
            lambda array, limit: array)]),
               "You compared the largest entries. The length of an array is the root of the sum of all squared entries."),
    ),
    variants={"library": by_the_library, "in full": in_full,
              "array": lambda *arguments: np.array(clipped_ratios(*arguments))},
    hints=("np.linalg.norm gives the length of an array of any shape. Clip, then measure, then divide.",
           "By value: np.clip cuts each entry. By norm: an array longer than the limit is made as long as the limit, the other "
           "stays.",
           "Together both are multiplied by the same factor, and a common factor of two lengths leaves their ratio alone."),
)

EXERCISES = (RESIDUAL, CLIPPING)
