"""How long the tests take: `make test`, all of it and one chapter's, once, after everything else."""
import os
import re
import subprocess
import time
from pathlib import Path

from benchmarks.core import Row, at_most, attempt
from course.catalogue import chapters

ROOT = Path(__file__).parents[1]
EACH = 34  # seconds that all tests may take for each chapter that there is
ONE, LIMIT = "05", 90  # a chapter, and the seconds that its tests may take alone
CLOSING = re.compile(r"^=+ (.* in [\d.]+s.*?) =+$", flags=re.MULTILINE)


def rows(rounds=1):
    """The rows of this group; EXTRAS in the environment is that of `make test`."""
    cores, count = os.cpu_count(), len(chapters())
    yield _row(f"`make test`, all of it, {count} chapters, {cores} cores", count * EACH, ["make", "test"])
    yield _row(f"`make test CHAPTER={ONE}`, {cores} cores", LIMIT, ["make", "test", f"CHAPTER={ONE}"])


def _row(what, limit, command):
    return attempt(what, "", f"at most {limit} s", lambda: _measured(what, limit, command))


def _measured(what, limit, command):
    start = time.perf_counter()
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    seconds = time.perf_counter() - start
    closing = CLOSING.findall(run.stdout)
    if not closing:
        return Row(what, "", f"at most {limit} s", "failed", None, run.stderr.strip()[-200:], failed=True)
    return at_most(what, "", limit, seconds, "s", closing[-1])
