"""What the exercises of chapter 11 share: answers that are judged by what they do, and a seed that says what it is."""
from dataclasses import dataclass

import numpy as np

from bplib.grading.compare import same
from bplib.grading.core import Exercise


@dataclass(frozen=True)
class Watched(Exercise):
    """An exercise whose `run` says in a few words what an answer does; a right one does what the reference does.

    Attributes
    ----------
    wanted : what is asked for, in words; said of every answer that does something else, before what was seen.
    """

    wanted: str = ""

    def _complaint(self, answer, case, outcome, right):
        words = super()._complaint(answer, case, outcome, right)
        if not words or outcome.error is not None or outcome.value == right.value:
            return words
        seen = "nothing came back. Is a return missing?" if outcome.value is None else f"{outcome.value}."
        return f"{self.wanted}\nSeen: {seen}"


class Parted(Exercise):
    """An exercise with a result of several parts. Where no known mistake explains all of them, because two were made, the
    first part that is wrong is explained by itself."""

    def _recognise(self, cases, outcomes):
        known = super()._recognise(cases, outcomes)
        got = self._parts(outcomes)
        if known is not None or got is None:
            return known
        right = self._parts([self._outcome(self.reference, arguments) for _, arguments in cases])
        place = next((k for k, parts in enumerate(got) if not same(parts, right[k])), None)
        found = []
        for mutant in self.mutants if place is not None else ():
            theirs = self._parts([self._outcome(mutant.answer, arguments) for _, arguments in cases])
            if theirs is not None and same(got[place], theirs[place]):
                found.append((sum(not same(mine, parts) for mine, parts in zip(theirs, right)), mutant))
        return min(found, key=lambda pair: pair[0], default=(0, None))[1]

    def _parts(self, outcomes):
        """For each part of a result, what all the calls gave for it; None where one of them gave something else."""
        values = [outcome.value for outcome in outcomes]
        if all(isinstance(value, tuple | list) and len(value) == len(self.parts) for value in values):
            return list(zip(*values))
        return None


class Seed(int):
    """A seed for a Generator, that says so in a message."""

    def __repr__(self):
        return f"a Generator with seed {int(self)}"

    def __reduce__(self):  # elsewhere, where nothing of this module is known, it is a number
        return int, (int(self),)


def array_of(value):
    """What an answer returned as an array of numbers, or None where it is something else."""
    try:
        array = np.asarray(value)
    except Exception:  # __array__ of a foreign object may raise anything
        return None
    return array.astype(float) if array.dtype.kind in "biuf" else None


def columns(rng, n=6, d=4):
    """A batch whose features lie far apart and are spread differently."""
    return rng.normal(0, 1, (n, d)) * rng.permutation([0.5, 1.2, 2.5, 4.0]) + rng.permutation([-3.0, -1.0, 2.0, 5.0])


def uneven(rng, d=4):
    """Numbers that are neither 0 nor 1."""
    return rng.uniform(0.4, 2.5, d) * rng.choice([-1, 1], d)


def a_floor(rng):
    """Large enough to be seen."""
    return round(float(rng.uniform(0.1, 0.4)), 2)
