"""Chapter 00: one line, to see how a check speaks."""
from course.grading.core import Exercise, Mutant

EXERCISES = (
    Exercise(
        id="start_here.twice",
        title="Your first line",
        points=1,
        reference=lambda x: 2 * x,
        inputs=lambda rng: (rng.standard_normal((3, 2)),),
        mutants=(
            Mutant("square", lambda x: x**2, "You squared x. Twice x is x + x."),
            Mutant("unchanged", lambda x: x, "You returned x as it is. It should be doubled."),
            Mutant("plus-two", lambda x: x + 2, "You added 2. To double x, multiply it by 2."),
            Mutant("half", lambda x: x / 2, "You halved x. It should be doubled."),
        ),
        variants={"sum": lambda x: x + x, "product": lambda x: x * 2.0},
        hints=("Python writes multiplication with a star.", "Return the number 2 times x."),
    ),
)
