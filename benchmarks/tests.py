"""How long all tests take: `make test`, once, after everything else."""
import os
import re
import subprocess
import time
from pathlib import Path

from benchmarks.core import Row, at_most, attempt

ROOT = Path(__file__).parents[1]
LIMIT = 12  # minutes
CLOSING = re.compile(r"^=+ (.* in [\d.]+s.*?) =+$", flags=re.MULTILINE)


def rows(rounds=1):
    """The row of this group; EXTRAS in the environment is that of `make test`."""
    what = f"`make test`, all of it, {os.cpu_count()} cores"
    yield attempt(what, "", f"at most {LIMIT} minutes", lambda: _row(what))


def _row(what):
    start = time.perf_counter()
    run = subprocess.run(["make", "test"], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    minutes = (time.perf_counter() - start) / 60
    closing = CLOSING.findall(run.stdout)
    if not closing:
        return Row(what, "", f"at most {LIMIT} minutes", "failed", None, run.stderr.strip()[-200:], failed=True)
    return at_most(what, "", LIMIT, minutes, "minutes", closing[-1])
