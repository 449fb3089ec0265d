"""Chapter 11, fifth part: a dropout layer of one's own, judged by what it does with a large batch."""
import numpy as np

from course.grading.arguments import Seed, array_of
from course.grading.core import Mutant
from course.grading.kinds import Watched


class Dropout:
    """Inverted dropout: some numbers are set to zero in training, the others made larger."""

    def __init__(self, p, rng):
        self.p, self.rng = p, rng

    def forward(self, x, training=False):
        """x with some numbers dropped in training, x itself otherwise."""
        self.mask = np.ones(x.shape)
        if training:
            self.mask = (self.rng.random(x.shape) >= self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, dy):
        """dL/dx."""
        return dy * self.mask


class DrawsAgain(Dropout):
    """A new mask on the way back."""

    def backward(self, dy):
        return dy * (self.rng.random(dy.shape) >= self.p) / (1 - self.p)


class Forgets(Dropout):
    """No mask on the way back."""

    def backward(self, dy):
        return dy * 1


class Unscaled(Dropout):
    """The kept numbers stay as they are, there and back."""

    def forward(self, x, training=False):
        super().forward(x, training)
        self.mask = (self.mask > 0) * 1.0
        return x * self.mask


class Standard(Unscaled):
    """The form of 2014: unscaled in training, scaled in evaluation."""

    def forward(self, x, training=False):
        y = super().forward(x, training)
        self.mask = self.mask * (1 if training else 1 - self.p)
        return y * self.mask if training else x * self.mask


class UnscaledBack(Dropout):
    """Scaled forward, not scaled back."""

    def backward(self, dy):
        return dy * (self.mask > 0)


class ScaledTwice(Dropout):
    """The mask holds the scale, and is divided once more."""

    def backward(self, dy):
        return super().backward(dy) / (1 - self.p)


class WrongScale(Dropout):
    """Divided by p."""

    def forward(self, x, training=False):
        super().forward(x, training)
        self.mask = self.mask * ((1 - self.p) / self.p if training else 1)
        return x * self.mask


class KeepsFew(Dropout):
    """p is taken for the share that is kept."""

    def forward(self, x, training=False):
        self.mask = (self.rng.random(x.shape) < self.p) / self.p if training else np.ones(x.shape)
        return x * self.mask


class Exchanged(Dropout):
    """Keeps with probability p, scaled for the other share."""

    def forward(self, x, training=False):
        self.mask = (self.rng.random(x.shape) < self.p) / (1 - self.p) if training else np.ones(x.shape)
        return x * self.mask


class Always(Dropout):
    """Drops in evaluation too."""

    def forward(self, x, training=False):
        return super().forward(x, training=True)


class Never(Dropout):
    """Never drops."""

    def forward(self, x, training=False):
        return super().forward(x)


class OneRow(Dropout):
    """One mask for all examples."""

    def forward(self, x, training=False):
        self.mask = np.ones(x.shape)
        if training:
            self.mask = np.tile(self.rng.random(x.shape[1]) >= self.p, (len(x), 1)) / (1 - self.p)
        return x * self.mask


class WholeRows(Dropout):
    """Whole examples are dropped."""

    def forward(self, x, training=False):
        self.mask = np.ones(x.shape)
        if training:
            self.mask = np.tile(self.rng.random((len(x), 1)) >= self.p, (1, x.shape[1])) / (1 - self.p)
        return x * self.mask


class FirstMask(Dropout):
    """One mask for ever."""

    kept = None

    def forward(self, x, training=False):
        y = super().forward(x, training)
        if training and self.kept is not None:
            self.mask = self.kept
            return x * self.mask
        self.kept = self.mask if training else self.kept
        return y


class OldMask(Dropout):
    """In evaluation the mask of the last training pass stays behind."""

    def forward(self, x, training=False):
        return super().forward(x, True) if training else x.copy()


class OwnGenerator(Dropout):
    """The same generator whatever it is given."""

    def __init__(self, p, rng):
        super().__init__(p, np.random.default_rng(0))


class Unseeded(Dropout):
    """A generator of its own, new each time."""

    def __init__(self, p, rng):
        super().__init__(p, np.random.default_rng())


class Silent(Dropout):
    """Returns nothing on the way back."""

    def backward(self, dy):
        super().backward(dy)


class InPlace(Dropout):
    """Drops the caller's numbers."""

    def forward(self, x, training=False):
        x[...] = super().forward(x, training)
        return x


class ByIndex:
    """With where and a list of booleans."""

    def __init__(self, share, generator):
        self.share, self.generator, self.kept = share, generator, []

    def forward(self, x, training=False):
        """Forward, with numbers chosen one by one."""
        self.kept = [[self.generator.uniform() > self.share or not training for _ in row] for row in x]
        self.factor = 1 / (1 - self.share) if training else 1
        return np.where(self.kept, x * self.factor, 0.0)

    def backward(self, dy):
        """Back, as a list."""
        return [[d * self.factor if kept else 0.0 for d, kept in zip(*rows)] for rows in zip(dy.tolist(), self.kept)]


def binomial(p, rng):
    """A factory in place of a class."""
    layer = Dropout(p, rng)
    layer.rng = type("Draws", (), {"random": lambda self, shape: rng.binomial(1, 1 - p, shape)})()
    return layer


def seen_in_dropout(answer, p, seed):
    """What the layer does with a large batch, in words: in training, back, in evaluation, and again."""
    draw = np.random.default_rng(int(seed) + 1)
    x, dy = draw.uniform(1, 2, (60, 50)) * draw.choice([-1, 1], (60, 50)), draw.uniform(1, 2, (60, 50))
    layer = answer(p, np.random.default_rng(int(seed)))
    handed = x.copy()
    given = layer.forward(handed, training=True)
    if given is None or given is ...:
        return given
    y, dx = array_of(given), array_of(layer.backward(dy))
    if y is None or y.shape != x.shape:
        return "forward returns no array of x's shape"
    if not np.array_equal(handed, x):
        return "x itself was changed"
    if dx is None or dx.shape != x.shape:
        return "backward returns no array of x's shape"
    words = _forward(y / x, p)
    if words == "drops p, unscaled":
        return "unscaled in training, scaled in evaluation" if _near(layer.forward(x.copy()), x * (1 - p)) else words
    if words != "drops p, scaled":
        return words
    return _back(y / x, dx / dy) or _evaluation(layer, x, dy) or _draws(answer, layer, x, y, p, seed) or "dropout"


def _near(got, expected):
    got = array_of(got)
    return got is not None and got.shape == expected.shape and np.allclose(got, expected)


def _forward(mask, p):
    """How many numbers of a training pass were kept, and by what they were multiplied."""
    kept = mask != 0
    if kept.all():
        return "nothing dropped"
    if (kept == kept[0]).all():
        return "the same mask for all examples"
    if (kept == kept[:, :1]).all():
        return "whole examples dropped"
    factor, share = float(np.median(mask[kept])), kept.mean()
    if not np.allclose(mask[kept], factor):
        return "kept numbers multiplied by different factors"
    drops = "keeps p" if abs(share - p) < 0.05 else "drops p" if abs(share - 1 + p) < 0.05 else "drops another share"
    scales = {"unscaled": 1.0, "scaled": 1 / (1 - p), "scaled by p": 1 / p}
    scaled = next((name for name, value in scales.items() if np.isclose(factor, value)), "scaled by another number")
    return f"{drops}, {scaled}"


def _back(mask, back):
    """What is wrong with the factors on the way back; None where they are those of the way forward."""
    kept = mask != 0
    if np.allclose(back, mask):
        return None
    if np.allclose(back, 1):
        return "no mask on the way back"
    if not np.array_equal(back != 0, kept):
        return "another mask on the way back"
    if np.allclose(back, kept):
        return "unscaled on the way back"
    return "scaled twice on the way back" if np.allclose(back, mask**2) else "other factors on the way back"


def _evaluation(layer, x, dy):
    """What is wrong outside training; None where x and dy pass as they are."""
    tested = array_of(layer.forward(x.copy()))
    if not _near(tested, x):
        return "numbers dropped in evaluation" if tested is not None and (tested == 0).any() else "numbers changed in evaluation"
    return None if _near(layer.backward(dy), dy) else "dy changed in evaluation"


def _draws(answer, layer, x, y, p, seed):
    """What is wrong with where the masks come from; None where each pass draws a new one from rng."""
    if _near(layer.forward(x.copy(), training=True), y):
        return "the same mask again"
    if not _near(answer(p, np.random.default_rng(int(seed))).forward(x.copy(), training=True), y):
        return "the same rng gives other masks each time"
    other = answer(p, np.random.default_rng(int(seed) + 1))
    return "another rng gives the same mask" if _near(other.forward(x.copy(), training=True), y) else None


def a_share(rng):
    """A share to drop, never a half: then kept and dropped would be alike. And a seed."""
    return float(rng.choice([0.2, 0.25, 0.3, 0.35, 0.65, 0.7])), Seed(rng.integers(1000))


DROPOUT = Watched(
    id="cures.dropout",
    title="Dropout, with the mask kept",
    points=3,
    reference=Dropout,
    inputs=a_share,
    run=seen_in_dropout,
    wanted="Asked for is a class with forward(x, training) and backward(dy), both of which return an array of x's shape. In "
           "training each number is dropped by itself with probability p.",
    mutants=(
        Mutant("draws-again", DrawsAgain,
               "On the way back a new mask was drawn. The gradient has to go back through the numbers that were kept, and no "
               "others: forward must remember its mask."),
        Mutant("forgets-the-mask", Forgets,
               "On the way back there is no mask. A number that was dropped had no part in the loss, so its gradient is 0."),
        Mutant("unscaled", Unscaled,
               "The kept numbers are as they were, so in training the next layer gets less than in evaluation. Make up for what "
               "was dropped."),
        Mutant("scaled-in-evaluation", Standard,
               "Your evaluation makes up for what training dropped. In inverted dropout training does that itself, so evaluation "
               "costs nothing."),
        Mutant("unscaled-on-the-way-back", UnscaledBack,
               "The way forward divides the kept numbers, the way back does not. What multiplies x multiplies dy."),
        Mutant("scaled-twice-on-the-way-back", ScaledTwice,
               "On the way back the scale is applied twice. Is it in your mask already?"),
        Mutant("scaled-by-p", WrongScale,
               "The right share is dropped, but the others are divided by p. What share of the numbers is left?"),
        Mutant("keeps-p", KeepsFew,
               "You keep the share p and drop the rest. In this course p is the share that is dropped; the first papers had it "
               "the other way."),
        Mutant("mask-upside-down", Exchanged,
               "The scale is right, but the mask is upside down: it keeps the share p. Random numbers below p are to be "
               "dropped."),
        Mutant("always", Always, "Numbers are dropped in evaluation too. There everybody is needed: x passes as it is."),
        Mutant("never", Never, "In training nothing was dropped. Does forward look at training?"),
        Mutant("same-for-all-examples", OneRow,
               "All examples lost the same features. Each number is dropped by itself: the mask has the shape of x."),
        Mutant("whole-examples", WholeRows,
               "Whole examples were dropped. Each number is dropped by itself: the mask has the shape of x."),
        Mutant("one-mask-for-ever", FirstMask,
               "The second pass has the mask of the first. Draw a new one for each training pass."),
        Mutant("mask-left-behind", OldMask,
               "In evaluation your backward still uses the mask of the last training pass. What would the slope be there?"),
        Mutant("own-generator", OwnGenerator,
               "Your masks are the same whatever rng is given. Draw from rng, and not from a generator of your own."),
        Mutant("not-repeatable", Unseeded,
               "The same rng gives different masks each time, so nobody can repeat your run. Draw from rng only."),
        Mutant("returns-nothing", Silent,
               "Your backward returns nothing that has the shape of x. The layer before waits for dx."),
        Mutant("x-changed", InPlace, "Your forward changes x in place, so whoever gave it loses their data. Make a new array."),
    ),
    variants={"one by one": ByIndex, "binomial": binomial},
    hints=("Two things must outlive forward: which numbers were kept, and by what they were multiplied. One array holds both.",
           "rng.random(shape) gives numbers even between 0 and 1; a share p of them is below p. Kept numbers are divided by the "
           "share that is kept.",
           "In training keep a mask of zeros and 1 / (1 - p), in evaluation a mask of ones. forward multiplies x by it, backward "
           "multiplies dy by it."),
)

EXERCISES = (DROPOUT,)
