"""What all benchmarks share: a row of the table, and how contenders are timed against each other.

Contenders take turns, so that whatever else the machine does hits all of them alike. A ratio is the median of the ratios
of the single turns.
"""
import importlib
import statistics
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import NamedTuple

from threadpoolctl import threadpool_limits


class Row(NamedTuple):
    """One line of the table. ok : was the goal met? None where nothing was measured; `failed`: it should have been."""

    work: str
    against: str
    goal: str
    ratio: str
    ok: bool | None
    note: str = ""
    failed: bool = False


def at_most(work, against, limit, value, unit="x", note=""):
    """A row whose measured value should not be above the limit."""
    return Row(work, against, f"at most {limit:g} {unit}", f"{value:.3g} {unit}", bool(value <= limit), note)


def at_least(work, against, limit, value, unit="x", note=""):
    """A row whose measured value should not be below the limit."""
    return Row(work, against, f"at least {limit:,g} {unit}", f"{value:,.3g} {unit}", bool(value >= limit), note)


def absent(work, against, goal, why):
    """A row that cannot be measured here, and why."""
    return Row(work, against, goal, "not measured", None, why)


def attempt(work, against, goal, measure: Callable[[], Row]):
    """The row that `measure` makes; where it raises, a row that says so, so that the others are still measured."""
    try:
        return measure()
    except Exception as problem:
        return Row(work, against, goal, "failed", None, f"{type(problem).__name__}: {problem}".split("\n")[0], failed=True)


def turns(contenders, rounds, repeat=1, warm=2):
    """Seconds of a call of each contender in each turn, {name: [seconds, ...]}; `repeat` calls are timed together."""
    times = {name: [] for name in contenders}
    for turn in range(-warm, rounds):
        for name, call in contenders.items():
            start = time.perf_counter()
            for _ in range(repeat):
                call()
            if turn >= 0:
                times[name].append((time.perf_counter() - start) / repeat)
    return times


def ratio(times, one, other):
    """Median over the turns of how many times as long `one` takes as `other`."""
    return statistics.median(a / b for a, b in zip(times[one], times[other]))


def milliseconds(times):
    """The medians in words, for a note."""
    return ", ".join(f"{name} {1e3 * statistics.median(found):.3g} ms" for name, found in times.items())


def pytorch():
    """PyTorch, or None where it is not installed."""
    try:
        return importlib.import_module("torch")
    except ImportError:
        return None


@contextmanager
def threads(count):
    """The same number of BLAS threads for NumPy and for PyTorch."""
    torch = pytorch()
    before = torch.get_num_threads() if torch else None
    if torch:
        torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        if torch:
            torch.set_num_threads(before)
