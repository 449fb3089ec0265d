"""What all of the bug hunt shares: a line to find, a repair, a claim; and the sigmoid."""
import numpy as np

from bplib import Sigmoid
from course.grading.core import Exercise, Mutant
from course.grading.kinds import Sealed

sigmoid = Sigmoid().f


def line(bug, name, right, count, near, hints):
    """Which line of a program is the cause?

    Parameters
    ----------
    bug : such as "m1". name : of the program. right : the number of the line. count : how many lines there are.
    near : {line: (name, message)}, the lines that only show the mistake, or that are suspected without reason.
    """

    def words(answer):
        if _is_line(answer) and 1 <= answer <= count:
            return f"Line {answer:g} is not where it goes wrong."
        return f"Give the number of one line, from 1 to {count}, such as 3."

    return Sealed(
        id=f"gradient_checking.{bug}_line", title=f"{bug} {name}: the line", points=1, reference=right, words=words, hints=hints,
        shown="This is the line where it goes wrong, not one that only shows it.",
        mutants=tuple(Mutant(mutant, number, message) for number, (mutant, message) in near.items()),
        variants={"as a float": float(right), "of NumPy": np.int64(right), "of NumPy, in an array": np.array(right)},
    )


def _is_line(answer):
    number = isinstance(answer, int | float | np.integer | np.floating) and not isinstance(answer, bool)
    return number and answer == np.floor(answer)


def repair(bug, name, **parts):
    """The repair of a program, judged by what it does."""
    return Exercise(id=f"gradient_checking.{bug}_repair", title=f"{bug} {name}: the repair", points=1, **parts)


def claim(bug, title, reference, what, mutants, hints, variants=None, rtol=2e-3):
    """True or false, and a measurement that shows it.

    Parameters
    ----------
    bug : such as "m15". reference : (True or False, what was measured). what : in words, what must be measured.
    rtol : how exactly; by default three digits are enough.
    """

    def words(answer):
        if not (isinstance(answer, tuple | list) and len(answer) == 2):
            return f"Give two things: True or False, and {what}."
        verdict, _ = answer
        if not isinstance(verdict, bool | np.bool_):
            return "The first part is True or False, without quotes."
        if bool(verdict) != reference[0]:
            return f"Look again at what you claim, and at {what}: do they agree?"
        return f"Your verdict is right, but a verdict needs its proof: the second part should be {what}."

    return Sealed(id=f"gradient_checking.{bug}_claim", title=f"{bug} {title}", points=1, reference=reference, words=words,
                  shown=f"The sentence is {str(reference[0]).lower()}, and you have the evidence.",
                  mutants=mutants, hints=hints, variants=variants or {"as a list": list(reference)}, rtol=rtol)
