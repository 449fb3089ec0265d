"""The teacher's commands: `python -m classroom grade SUBMISSIONS` and `python -m classroom generate COUNT FOLDER`."""

import argparse
import os
import sys
import time
from pathlib import Path

from classroom import cohort, feedback, generate
from classroom.judge import ROOT
from classroom.limits import Limits, missing


def parser():
    """What the commands take."""
    top = argparse.ArgumentParser(prog="python -m classroom", description="Grades a class outside the learners' processes.")
    commands = top.add_subparsers(dest="command", required=True)
    grade = commands.add_parser("grade", help="judge all submissions, and go on where an earlier run stopped")
    grade.add_argument("submissions", type=Path, help="folder with STUDENT/CHAPTER/CHAPTER.ipynb, as nbgrader collects them")
    grade.add_argument("--results", type=Path, default=Path("graded"), help="folder for what comes of it (graded)")
    grade.add_argument("--chapter", action="append", help="such as 05_chain_rule; may be repeated (all)")
    where = grade.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, default=os.cpu_count(), help="processes of this machine (one a core)")
    where.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler, such as tcp://host:8786")
    grade.add_argument("--seed", type=int, help="of the random numbers (a secret one, kept in the results)")
    grade.add_argument("--hidden", type=Path, help="Python file with HIDDEN = {exercise id: rng -> arguments}")
    grade.add_argument("--seconds", type=float, default=Limits.seconds, help="for one cell or one answer")
    grade.add_argument("--total", type=float, default=Limits.total, help="seconds for one submission")
    grade.add_argument("--memory", type=int, default=Limits.memory, help="MB for one process")
    grade.add_argument("--processes", type=int, default=Limits.processes, help="that a submission may start")
    make = commands.add_parser("generate", help="make up submissions, to try and to measure the grader")
    make.add_argument("count", type=int, help="submissions to each chapter")
    make.add_argument("folder", type=Path)
    make.add_argument("--chapter", action="append", help="may be repeated (all)")
    return top


def run_grade(options):
    """Grade, write tables and pages, and print a line for each submission."""
    if options.workers is not None and options.workers < 1:
        raise cohort.CohortError("--workers should be 1 or more.")
    if options.hidden:
        cohort.hidden_inputs(options.hidden)
    found = cohort.submissions(options.submissions.resolve(), options.chapter)
    limits = Limits(seconds=options.seconds, total=options.total, memory=options.memory, processes=options.processes)
    hidden = str(options.hidden.resolve()) if options.hidden else None
    settings = cohort.Settings(limits, cohort.seed_of(options.results, options.seed), hidden)
    executor = cohort.dask(options.dask) if options.dask else cohort.local(options.workers)
    begun = time.monotonic()
    with cohort.bar(len(found)) as progress:
        results = cohort.grade(found, options.results, settings, executor, lambda entry: progress.update())
    feedback.write_all(results, options.results)
    for line in missing():
        print(line)
    for entry in results:
        word = "" if entry["status"] == "graded" else f" ({entry['status']})"
        print(f"{entry['student']} {entry['chapter']}: {entry['total']:g} of {entry['available']:g} points{word}")
    print(f"{len(results)} submissions in {time.monotonic() - begun:.1f} s. Tables and feedback: {options.results}")
    return 1 if any(entry["status"] == "failed" for entry in results) else 0


def run_generate(options):
    """Write made-up submissions."""
    chapters = options.chapter or [path.name for path in sorted((ROOT / "exercises").iterdir()) if path.is_dir()]
    kinds = generate.generate(options.count, options.folder, chapters)
    print(f"{len(kinds)} submissions in {options.folder}")
    return 0


def main(arguments=None):
    """Run one command. Returns 0, or 1 where it could not do all of its work."""
    options = parser().parse_args(arguments)
    try:
        return run_grade(options) if options.command == "grade" else run_generate(options)
    except cohort.CohortError as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
