"""Exercises that say less, or look closer, than the usual one: values that stay secret, answers judged by what they do, results
of several parts."""
from collections.abc import Callable
from dataclasses import dataclass

from course.grading.compare import same
from course.grading.core import Exercise


@dataclass(frozen=True)
class Sealed(Exercise):
    """An exercise whose answer is a value that its messages never say.

    Attributes
    ----------
    words : a function of the learner's value; what is said of it where it is wrong.
    """

    words: Callable | None = None

    def _complaint(self, answer, case, outcome, right):
        return self.words(outcome.value) if super()._complaint(answer, case, outcome, right) else None


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
