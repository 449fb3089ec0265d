"""How long `check()` takes to judge the reference answer of each exercise."""
import contextlib
import io
import os
import statistics
import tempfile
import time
from unittest import mock

from benchmarks.core import at_most, attempt
from course import check
from course.catalogue import exercises

SLOWEST = 5


def seconds(exercise):
    """How long a learner waits for the verdict on a right answer."""
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        check(exercise.id, exercise.reference)
        return time.perf_counter() - start


def rows(rounds=3):
    """The row of this group; the smallest of `rounds` times for each exercise, which are asked in turns."""
    yield attempt("`check()` of an exercise, median over all", "", "at most 50 ms", lambda: _row(rounds))


def _row(rounds):
    found = {}
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, BPLIB_PROGRESS=f"{folder}/progress.json"):
        for _ in range(rounds):
            for exercise in (exercise for group in exercises().values() for exercise in group):
                found[exercise.id] = min(found.get(exercise.id, float("inf")), 1e3 * seconds(exercise))
    slowest = sorted(found, key=found.get, reverse=True)[:SLOWEST]
    words = f"{len(found)} exercises; slowest: " + ", ".join(f"{name} {found[name]:.0f} ms" for name in slowest)
    return at_most("`check()` of an exercise, median over all", "", 50, statistics.median(found.values()), "ms", words)
