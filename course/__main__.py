"""The course's commands for learners: `python -m course doctor`, progress, review, reset, restore, repair.

Each says what it did. None of them deletes anything: what is changed is copied first.
"""
import argparse
import sys

from course import dashboard, reset, review
from course.grading import files
from course.grading.feedback import Notice


def _parser():
    parser = argparse.ArgumentParser(prog="python -m course", description="Commands for learners.")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name, help):
        return commands.add_parser(name, help=help, description=help)

    notebooks = add("doctor", "Look at your progress file and at the check cells of your notebooks.")
    notebooks.add_argument("notebooks", nargs="*", help="notebooks; those in exercises/ by default")
    add("progress", "Show your points by chapter, days in a row, and what to review.")
    add("review", "Show what to review today.")
    resetting = add("reset", "Forget the points of one exercise, or of all; a copy is kept.")
    resetting.add_argument("id", nargs="?", help="an exercise such as start_here.twice; all by default")
    resetting.add_argument("--confirm", action="store_true", help="really do it")
    restoring = add("restore", "Put an empty copy of a chapter's exercises beside yours.")
    restoring.add_argument("chapter", help="the beginning of a chapter's name, such as 01")
    repairing = add("repair", "Put the check cells of a notebook right; every answer stays, and a copy of the old file.")
    repairing.add_argument("notebook", help="a path, or the name of a notebook in exercises/")
    return parser


def main(arguments=None):
    """Run one command; 0 where all is well, 1 where something needs care."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except (files.FileError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1


def _run(options):
    if options.command == "doctor":
        lines, well = files.doctor(options.notebooks)
        print("\n".join(lines))
        return 0 if well else 1
    if options.command in ("progress", "review"):
        print(dashboard() if options.command == "progress" else review())
    elif options.command == "reset":
        notice = reset(options.id, options.confirm)
        if not options.confirm:
            words = f" {options.id}" if options.id else ""
            notice = Notice(notice.heading, f"{notice.text}\nFrom here: python -m course reset{words} --confirm")
        print(notice)
    elif options.command == "restore":
        print(f"Put an empty copy beside yours: {files.restore(options.chapter)}")
    else:
        print("\n".join(files.repair(options.notebook)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
