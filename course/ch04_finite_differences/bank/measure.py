"""Chapter 04, first part: measure a slope, choose a step, and measure a whole gradient."""
from dataclasses import dataclass

import numpy as np

from bplib import numerical_gradient
from course.grading.core import Exercise, Mutant


@dataclass(frozen=True)
class Wave:
    """f(x) = a sin(x) + b x^2 + c, to be measured; of an array it is a sum in which entries have weights and meet each other."""

    a: float
    b: float
    c: float

    def __call__(self, x):
        x = np.asarray(x)
        weights = 1 + np.arange(x.size).reshape(x.shape) / 7
        return self.a * np.sum(weights * np.sin(x)) + self.b * np.sum(weights * x) ** 2 + self.c

    def __repr__(self):
        return f"{self.a:.3g} sin(x) + {self.b:.3g} x^2 + {self.c:.3g}"


def wave(rng):
    """A random function."""
    return Wave(*rng.uniform(0.5, 2, 3).round(3).tolist())


def forward_difference(f, x, h):
    """The slope of f at x, from x and one point a step h to the right."""
    return (f(x + h) - f(x)) / h


def central_difference(f, x, h):
    """The slope of f at x, from two points, a step h to the left and to the right."""
    return (f(x + h) - f(x - h)) / (2 * h)


def best_step(precision, f, second):
    """The step h that makes |second| h / 2 + precision |f| / h smallest."""
    return np.sqrt(2 * precision * abs(f) / abs(second))


def gradient(f, x, h=1e-5):
    """The central difference for each entry of x, as an array of its shape."""
    x = np.array(x, dtype=float)
    measured = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + h
        up = f(x)
        x[index] = kept - h
        measured[index] = (up - f(x)) / (2 * h)
        x[index] = kept
    return measured


def relative_error(a, b):
    """The largest |a - b| / max(|a|, |b|) of all entries; infinite where the shapes differ."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        return np.inf
    larger = np.maximum(np.abs(a), np.abs(b))
    return np.max(np.abs(a - b) / np.where(larger > 0, larger, 1))


def complex_step(f, x):
    """The slope of f at x, from one evaluation at a complex number."""
    h = 1e-30
    return f(x + 1j * h).imag / h


def whole_numbers_stay(f, x, h=1e-5):
    """The dtype of x is kept, so a step added to integers is cut off."""
    x = np.array(x)
    slopes = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + h
        up = f(x)
        x[index] = kept - h
        slopes[index] = (up - f(x)) / (2 * h)
        x[index] = kept
    return slopes


def not_put_back(f, x, h=1e-5):
    """The entry stays where the last step left it."""
    x = np.array(x, dtype=float)
    slopes = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += h * 100
        up = f(x)
        x[index] -= 2 * h * 100
        slopes[index] = (up - f(x)) / (2 * h * 100)
    return slopes


def put_back_to_zero(f, x, h=1e-5):
    """After its turn an entry is set to zero."""
    x = np.array(x, dtype=float)
    slopes = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + h
        up = f(x)
        x[index] = kept - h
        slopes[index] = (up - f(x)) / (2 * h)
        x[index] = 0
    return slopes


def all_at_once(f, x, h=1e-5):
    """Every entry moves together."""
    x = np.asarray(x, dtype=float)
    return np.full(x.shape, (f(x + h) - f(x - h)) / (2 * h))


def one_sided(f, x, h=1e-5):
    """Forward differences."""
    x = np.asarray(x, dtype=float)
    slopes = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += h
        slopes[index] = (f(moved) - f(x)) / h
    return slopes


def row_by_row(f, x, h=1e-5):
    """A whole row moves together."""
    x = np.asarray(x, dtype=float)
    slopes = np.zeros_like(x)
    for row in range(len(x)):
        up, down = x.copy(), x.copy()
        up[row] += h
        down[row] -= h
        slopes[row] = (f(up) - f(down)) / (2 * h)
    return slopes


def by_directions(f, x, h=1e-5):
    """With unit directions instead of copies."""
    x = np.asarray(x, dtype=float)
    directions = np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([(f(x + h * v) - f(x - h * v)) / (2 * h) for v in directions]).reshape(x.shape)


def by_flat_index(f, x, h=1e-5):
    """Over a flat copy."""
    flat = np.array(x, dtype=float).ravel()
    shape = np.shape(x)

    def at(i, step):
        moved = flat.copy()
        moved[i] += step
        return f(moved.reshape(shape))

    return np.array([(at(i, h) - at(i, -h)) / h / 2 for i in range(flat.size)]).reshape(shape)


def error_with(scale, combine=np.max, power=1):
    """A relative error with another yardstick, or another way to make one number of many."""
    def answer(a, b):
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        if a.shape != b.shape:
            return np.inf
        yardstick = scale(np.abs(a), np.abs(b))
        return combine(np.abs(a - b) ** power / np.where(yardstick > 0, yardstick, 1))
    return answer


def larger(a, b):
    """The usual yardstick."""
    return np.maximum(a, b)


def forgetful(a, b):
    """Divides 0 by 0."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return np.inf if a.shape != b.shape else np.max(np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)))


def signed(a, b):
    """Without the absolute value of the difference."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        return np.inf
    yardstick = np.maximum(np.abs(a), np.abs(b))
    return np.max((a - b) / np.where(yardstick > 0, yardstick, 1))


def broadcasting(a, b):
    """Whatever fits is compared."""
    try:
        a, b = np.broadcast_arrays(a, b)
    except ValueError:
        return np.inf
    return relative_error(a, b)


def looped_error(a, b):
    """Entry by entry."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        return float("inf")
    worst = 0.0
    for one, other in zip(a.ravel().tolist(), b.ravel().tolist()):
        if one != other:
            worst = max(worst, abs(one - other) / max(abs(one), abs(other)))
    return worst


def a_slope(rng):
    """A function, a place, and a step that is large enough for its own error to show."""
    return wave(rng), round(float(rng.uniform(0.5, 2)), 3), round(float(rng.uniform(0.05, 0.2)), 3)


def errors_of_a_step(rng):
    """The precision, f and f''."""
    return 2.0 ** int(rng.integers(-52, -20)), float(-rng.uniform(2, 9)), float(rng.uniform(0.1, 0.9))


def an_array(rng):
    """A function of a table that is wider than high."""
    return wave(rng), rng.uniform(0.5, 2, (2, 3)) * rng.choice([-1, 1], (2, 3))


def two_arrays(rng):
    """An array and one that is a little off, with zeros in both."""
    a = rng.normal(0, 1, (3, 4)) * 10.0 ** rng.integers(-3, 3, (3, 4))
    b = a * (1 + rng.uniform(0.001, 0.2, a.shape) * rng.choice([-1, 1], a.shape))
    b[1, 2] = -3.0 * a[1, 2]
    a[0, 0] = b[0, 0] = 0.0
    return a, b


def complex_place(rng):
    """A function with a large constant, in which differences of values lose their digits, and a place."""
    f = wave(rng)
    return Wave(f.a, f.b, 1e7 * f.c), round(float(rng.uniform(0.5, 2)), 3)


EXERCISES = (
    Exercise(
        id="finite_differences.forward",
        title="The forward difference",
        points=1,
        reference=forward_difference,
        inputs=a_slope,
        mutants=(
            Mutant("backward", lambda f, x, h: (f(x) - f(x - h)) / h,
                   "This is the backward difference: its second point lies to the left. Asked for is a step to the right."),
            Mutant("central", lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h),
                   "This is the central difference, which is the next exercise. Asked for are x and one point to the right."),
            Mutant("not-divided", lambda f, x, h: f(x + h) - f(x),
                   "This is how much f rises. A slope is the rise divided by the step."),
            Mutant("precedence", lambda f, x, h: f(x + h) - f(x) / h,
                   "Only f(x) is divided by h here: division comes before subtraction. Put brackets around the difference."),
            Mutant("sign", lambda f, x, h: (f(x) - f(x + h)) / h,
                   "The sign is flipped: the value on the right comes first, then the value that it is compared with."),
            Mutant("twice-the-step", lambda f, x, h: (f(x + h) - f(x)) / (2 * h),
                   "You divided by 2h, but the two points are only h apart."),
        ),
        variants={
            "rise over run": lambda f, x, h: np.divide(np.subtract(f(x + h), f(x)), (x + h) - x),
            "each divided": lambda f, x, h: f(x + h) / h - f(x) / h,
            "other order": lambda f, x, h: (f(x) - f(h + x)) / -h,
            "diff": lambda f, x, h: float(np.diff([f(x), f(x + h)])[0]) / h,
        },
        hints=("A slope is rise over run. Which two points of the curve do you know?",
               "The points lie at x and at x + h, so the run is h.",
               "Take the value at the right point, subtract the value at x, and divide all of it by the step."),
    ),
    Exercise(
        id="finite_differences.central",
        title="The central difference",
        points=1,
        reference=central_difference,
        inputs=a_slope,
        mutants=(
            Mutant("over-h", lambda f, x, h: (f(x + h) - f(x - h)) / h,
                   "You divided by h, but the two points are 2h apart."),
            Mutant("precedence", lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h,
                   "Python reads this from left to right: divided by 2, then multiplied by h. Put brackets around 2 * h."),
            Mutant("forward", lambda f, x, h: (f(x + h) - f(x)) / h,
                   "This is the forward difference. Asked for are two points, one to each side of x."),
            Mutant("sign", lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h),
                   "The sign is flipped: the value on the right comes first."),
            Mutant("half-steps", lambda f, x, h: (f(x + h / 2) - f(x - h / 2)) / h,
                   "You went half a step to each side. That is a right slope, with a smaller error; asked for are whole steps."),
            Mutant("not-divided", lambda f, x, h: f(x + h) - f(x - h),
                   "This is how much f rises between the two points. Divide it by their distance."),
        ),
        variants={
            "mean of two": lambda f, x, h: ((f(x + h) - f(x)) / h + (f(x) - f(x - h)) / h) / 2,
            "half": lambda f, x, h: 0.5 * (f(x + h) - f(x - h)) / h,
            "library": lambda f, x, h: float(numerical_gradient(f, x, step=h / max(1.0, abs(x)))),
        },
        hints=("Draw x and the two points a step to the left and to the right. How far apart are they?",
               "Rise over run again: the rise is the difference of the two outer values.",
               "The value on the right, minus the value on the left, divided by twice the step; mind the brackets."),
    ),
    Exercise(
        id="finite_differences.best_step",
        title="The best step",
        points=2,
        reference=best_step,
        inputs=errors_of_a_step,
        mutants=(
            Mutant("no-root", lambda precision, f, second: 2 * precision * abs(f) / abs(second),
                   "This is the square of the best step. The derivative of the sum is zero where h squared is this."),
            Mutant("without-two", lambda precision, f, second: np.sqrt(precision * abs(f) / abs(second)),
                   "The 2 is missing: the first term has a 1/2 in front, which the derivative keeps."),
            Mutant("half", lambda precision, f, second: np.sqrt(precision * abs(f) / abs(second) / 2),
                   "The 2 is on the wrong side of the fraction."),
            Mutant("upside-down", lambda precision, f, second: np.sqrt(2 * precision * abs(second) / abs(f)),
                   "f and its second derivative have changed places: a larger f means more rounding, so a longer step."),
            Mutant("rule-of-thumb", lambda precision, f, second: np.sqrt(precision),
                   "That is the rule of thumb, for an f and a second derivative of about the same size. Here they differ."),
            Mutant("cube-root", lambda precision, f, second: np.cbrt(2 * precision * abs(f) / abs(second)),
                   "The cube root belongs to central differences, whose error grows with h squared. Here it grows with h."),
            Mutant("sign-kept", lambda precision, f, second: np.sqrt(complex(2 * precision * f / second)).real,
                   "Without absolute values this is the root of a negative number wherever f and f'' differ in sign."),
        ),
        variants={
            "power": lambda precision, f, second: (2.0 * precision * np.abs(f / second)) ** 0.5,
            "two roots": lambda precision, f, second: np.sqrt(2 * precision) * np.sqrt(abs(f)) / np.sqrt(abs(second)),
            "logarithms": lambda precision, f, second: np.exp((np.log(2 * precision) + np.log(abs(f)) - np.log(abs(second))) / 2),
        },
        hints=("The sum is smallest where its derivative with respect to h is zero. What is the derivative of 1 / h?",
               "The derivative is |f''| / 2 - precision |f| / h^2. Set it to zero and solve for h.",
               "Twice the precision times the size of f, over the size of the second derivative; then the square root."),
    ),
    Exercise(
        id="finite_differences.gradient",
        title="The gradient of an array, entry by entry",
        points=2,
        reference=gradient,
        inputs=an_array,
        edge_cases=(("whole numbers", (Wave(1.0, 0.5, 0.0), np.array([[1, 2, 3], [-1, 4, 2]]))),
                    ("a list of numbers", (Wave(1.0, 0.5, 2.0), np.array([0.5, -1.5, 2.0, 1.0]))),
                    ("three axes", (Wave(0.7, 1.5, 1.0), np.linspace(-1, 2, 12).reshape(2, 3, 2)))),
        mutants=(
            Mutant("integer-trap", whole_numbers_stay,
                   "Right for fractions, but an array of whole numbers stays one of whole numbers: x + 1e-5 is cut off to x, "
                   "and the difference is lost. Make a copy that holds floats."),
            Mutant("not-put-back", not_put_back,
                   "Each entry must be back in its place before the next one moves; here it stays where the last step left "
                   "it. A step of 1e-5 was asked for, too."),
            Mutant("put-back-to-zero", put_back_to_zero,
                   "After its turn each entry is set to 0. Keep its old value, and put that back."),
            Mutant("all-at-once", all_at_once,
                   "You moved all entries at the same time, so you have the sum of all slopes. Move one entry at a time."),
            Mutant("row-by-row", row_by_row,
                   "You moved a whole row at a time. Each single entry has a slope of its own."),
            Mutant("one-sided", one_sided,
                   "These are forward differences: right to four or five digits. Step to both sides."),
            Mutant("flat", lambda f, x, h=1e-5: gradient(f, x, h).ravel(),
                   "The numbers are right, but in a row. A gradient has the shape of its array."),
            Mutant("over-h", lambda f, x, h=1e-5: 2 * gradient(f, x, h),
                   "Everything is twice as large as it should be: the two points are 2h apart."),
            Mutant("sign", lambda f, x, h=1e-5: -gradient(f, x, h),
                   "The sign is flipped: the value after the step to the right comes first."),
        ),
        variants={
            "copies": by_flat_index,
            "unit directions": by_directions,
            "library": lambda f, x, h=1e-5: numerical_gradient(f, x),
            "complex step": lambda f, x, h=1e-5: numerical_gradient(f, x, method="complex"),
        },
        hints=("The loop `for index in np.ndindex(x.shape)` gives you the place of every entry, whatever the shape.",
               "Work on a copy that holds floats, whatever x holds. Keep an entry's value before you move it.",
               "For each place: move it up and note f, move it down and note f, put it back, and write the difference over "
               "twice the step into an array of zeros."),
    ),
    Exercise(
        id="finite_differences.relative_error",
        title="The relative error of two gradients",
        points=1,
        reference=relative_error,
        inputs=two_arrays,
        edge_cases=(("a smaller first array", (np.array([1.0, 2.0]), np.array([-3.0, 2.2]))),
                    ("a larger first array", (np.array([-5.0, 2.2]), np.array([1.0, 2.0]))),
                    ("two zeros", (np.array([0.0, 2.0]), np.array([0.0, 2.5]))),
                    ("the same numbers", (np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]))),
                    ("a row against a list", (np.array([[1.0, 2.0, 3.0]]), np.array([1.0, 2.0, 3.0])))),
        mutants=(
            Mutant("absolute", error_with(lambda a, b: np.ones_like(a)),
                   "This is the absolute error. An error of 0.001 is nothing for a gradient of 1000, and all for one of 0.001."),
            Mutant("first-only", error_with(lambda a, b: a),
                   "You divided by the first number only, so the result depends on which gradient comes first."),
            Mutant("second-only", error_with(lambda a, b: b),
                   "You divided by the second number only, so the result depends on which gradient comes first."),
            Mutant("sum", error_with(lambda a, b: a + b),
                   "You divided by the sum of both sizes. Asked for is the larger of the two."),
            Mutant("smaller", error_with(np.minimum),
                   "You divided by the smaller of the two sizes. Asked for is the larger one."),
            Mutant("mean", error_with(larger, np.mean),
                   "You averaged over all entries, so one wrong entry among many hides. Take the largest."),
            Mutant("zero-by-zero", forgetful,
                   "Where both numbers are 0 you divide 0 by 0 and get nan. Two equal numbers have the error 0."),
            Mutant("signed", signed,
                   "The size of the difference is missing, so an error on one side does not count."),
            Mutant("broadcast", broadcasting,
                   "Shapes (1, 3) and (3,) were compared as if they were alike. Look at the shapes first."),
            Mutant("largest-by-largest", error_with(lambda a, b: np.full_like(a, np.maximum(a, b).max())),
                   "You divided by the largest entry of all, so errors in small entries hide. Each entry has its own yardstick."),
        ),
        variants={
            "loop": looped_error,
            "masked": lambda a, b: (np.inf if np.shape(a) != np.shape(b) else
                                    np.max(np.nan_to_num(np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))))),
            "float": lambda a, b: float(relative_error(a, b)),
        },
        hints=("Three steps: are the shapes equal? then each entry's error; then one number for all.",
               "np.maximum takes the larger of two arrays entry by entry; np.max takes the largest entry of one.",
               "Where both entries are zero, divide by 1 instead: np.where chooses between two values."),
    ),
    Exercise(
        id="finite_differences.complex_step",
        title="The complex step",
        points=1,
        reference=complex_step,
        inputs=complex_place,
        rtol=1e-9,
        mutants=(
            Mutant("real-part", lambda f, x: f(x + 1e-30j).real / 1e-30,
                   "You took the real part, which is f itself. The slope is in the imaginary part."),
            Mutant("not-divided", lambda f, x: f(x + 1e-30j).imag,
                   "The imaginary part is h times the slope. The division by h is missing."),
            Mutant("central", lambda f, x: (f(x + 1e-5) - f(x - 1e-5)) / 2e-5,
                   "This is a central difference. Beside the large constant in f its digits are lost; an imaginary step "
                   "keeps all of them."),
            Mutant("step-too-long", lambda f, x: f(x + 0.1j).imag / 0.1,
                   "The formula is right, the step too long: its error is of the size of h squared. There is no subtraction, "
                   "so h may be tiny, such as 1e-30."),
            Mutant("real-step", lambda f, x: np.imag(f(x + 1e-8)) / 1e-8,
                   "The step went along the real axis, so nothing has an imaginary part. Add h times 1j."),
        ),
        variants={
            "np.imag": lambda f, x: np.imag(f(complex(x, 1e-20))) / 1e-20,
            "shorter step": lambda f, x: f(x + 1j * 1e-100).imag / 1e-100,
            "library": lambda f, x: float(numerical_gradient(f, x, method="complex")),
        },
        hints=("Python writes the imaginary unit as 1j, so x + 1j * h is a step along the imaginary axis.",
               "f gives a complex number there. `.imag` is its imaginary part.",
               "Take a tiny step such as 1e-30; the imaginary part, divided by the step, is the slope."),
    ),
)
