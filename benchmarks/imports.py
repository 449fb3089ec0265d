"""How long `import bplib` takes, against `import numpy`: each in a fresh interpreter, in turns."""
import subprocess
import sys
from pathlib import Path

from benchmarks.core import at_most, attempt, milliseconds, ratio

ROOT = Path(__file__).parents[1]
CODE = "import time; start = time.perf_counter(); import {0}; print(time.perf_counter() - start)"


def seconds(module):
    """How long a fresh interpreter takes to import a module."""
    run = subprocess.run([sys.executable, "-c", CODE.format(module)], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(run.stdout)


def rows(rounds=40):
    """The row of this group."""
    yield attempt("`import bplib`", "`import numpy`", "at most 1.15 x", lambda: _row(rounds))


def _row(rounds):
    seconds("bplib")  # writes the byte code, reads the files
    times = {"numpy": [], "bplib": []}
    for _ in range(rounds):
        for module, found in times.items():
            found.append(seconds(module))
    return at_most("`import bplib`", "`import numpy`", 1.15, ratio(times, "bplib", "numpy"), note=milliseconds(times))
