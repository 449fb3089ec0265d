"""Measure the course against its limits, and write docs/performance.md.

    python -m benchmarks                     everything
    python -m benchmarks --only network      one group, or several; printed, not written
"""
import argparse
import importlib
import sys
from pathlib import Path

from tqdm import tqdm

from benchmarks import report
from benchmarks.core import attempt

GROUPS = ("network", "training", "checker", "labs", "browser", "imports", "grading", "suite", "growth", "tests")
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def measured(groups, rounds=None):
    """The rows of some groups, and the sections of text that groups add; a group that raises becomes a row that says so."""
    rows, sections = [], []
    options = {} if rounds is None else {"rounds": rounds}
    for name in tqdm(groups, unit="group"):
        def collect(name=name):
            module = importlib.import_module(f"benchmarks.{name}")
            for row in module.rows(**options):
                tqdm.write(report.line(row))
                rows.append(row)
            if hasattr(module, "sections"):
                sections.extend(module.sections(**options))
        problem = attempt(f"benchmarks/{name}.py", "", "", collect)
        if problem is not None:
            rows.append(problem)
    return rows, sections


def main(arguments=None):
    """Measure, print, write; the exit code is 1 where something that should have been measured failed to run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=GROUPS, metavar="GROUP", help=f"some of: {', '.join(GROUPS)}")
    parser.add_argument("--rounds", type=int, help="turns of each measurement, instead of each group's own number")
    options = parser.parse_args(arguments)
    rows, sections = measured(options.only or GROUPS, options.rounds)
    page = report.page(rows, sections)
    print(page)
    if not options.only:
        PAGE.write_text(page)
    return int(any(row.failed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
