"""The page that shows what was measured, and on what machine."""
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

HEAD = """# Performance

Made by `make bench`. The contenders of a row take turns in one run, with the same number of threads, and a ratio is the median
over the turns; so the ratios hold on another machine, while the times do not.
"""


def line(row):
    """A row in one line of text."""
    return f"{word(row):8} {row.ratio:>14}  ({row.goal})  {row.work}{' against ' + row.against if row.against else ''}"


def word(row):
    """Was the goal met?"""
    return "failed" if row.failed else {True: "met", False: "missed", None: "-"}[row.ok]


def machine():
    """Processor, cores, versions."""
    def of(package):
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            return f"no {package}"

    blas = sorted({f"{pool['internal_api']} {pool['version']}" for pool in threadpool_info() if pool["user_api"] == "blas"})
    return (f"{_processor()}, {os.cpu_count()} cores; {platform.system()}, Python {platform.python_version()}, "
            f"NumPy {np.__version__} with {', '.join(blas)}, {of('torch')}, {of('matplotlib')}, {of('jupyterlab')}.")


def _processor():
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")] \
        if info.exists() else []
    return names[0] if names else platform.machine()


def table(head, rows):
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |" for cells in lines) + "\n"


def page(rows, sections=()):
    """The whole page."""
    cells = [(row.work, row.against, row.goal, row.ratio, word(row), row.note) for row in rows]
    parts = [HEAD, f"Machine: {machine()}\n", table(["work", "against", "goal", "measured", "goal met", "details"], cells)]
    return "\n".join([*parts, *sections])
