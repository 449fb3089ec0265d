"""Brings the course up to date without losing an answer: `make update`, or `python -m tools.update [FROM]`.

FROM is where the new version is: a git remote or its address (by default `origin`), or a folder with the course in it; or a
folder of saved/, whose answers are then carried over once more, such as those that an older version did not know how to carry.
First every notebook of yours that would be replaced is copied to saved/DATE. Then the new version is put in place, and your
answers and added cells are carried into its exercise notebooks, by the marks of their cells. Nothing is deleted.
"""

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from course.grading import cells, files

COURSE = Path(__file__).parents[1]
WORK = ("exercises", "notebooks")
MARK = "UNFINISHED"  # lies in a folder of saved/ until its answers are carried over


class UpdateError(Exception):
    """Why the course was not updated, for people. Everything is as it was."""


def update(source, course=COURSE, say=print):
    """Bring the course in a folder up to date, from a git remote or a folder.

    Parameters
    ----------
    source : a git remote, its address, a folder with a course, or one of saved/. course : where the learner's course is.
    say : takes each line for people.

    Raises
    ------
    UpdateError : where nothing was changed, and why.
    """
    for mark in sorted(Path(course, "saved").glob(f"*/{MARK}")):
        say(f"An earlier update was cut off before it had carried your answers over. They are in {mark.parent}: copy from there.")
    if Path(source, "solutions").is_dir():
        from_folder(Path(source).resolve(), Path(course).resolve(), say)
    elif Path(source, "exercises").is_dir():
        from_saved(Path(source).resolve(), Path(course).resolve(), say)
    else:
        from_git(source, Path(course), say)


def from_git(source, course, say):
    """Fast-forward the checkout to the remote's default branch, with the learner's changed notebooks out of the way."""
    if not (course / ".git").exists():
        raise UpdateError(f"{course} is no git checkout. Unpack the new version in a folder, and run: make update FROM=folder")
    _git(course, "fetch", "--quiet", source, "HEAD")
    new = _git(course, "rev-parse", "FETCH_HEAD").strip()
    if _ancestor(course, new, "HEAD"):
        return say("The course is up to date. Nothing was changed.")
    if not _ancestor(course, "HEAD", new):
        raise UpdateError("This copy of the course has commits of its own, so it cannot simply go on to the new version. Merge "
                          "it with git, or clone the course anew beside it. Nothing was changed.")
    before = cells.releases.__wrapped__(course)
    tracked, others = _changed(course, new)
    saved = _save(course, [*tracked, *others], say)
    try:
        for name in others:  # the new version has a file of this name
            os.rename(course / name, saved / f"{name}.moved")
        if tracked:
            _git(course, "checkout", "HEAD", "--", *tracked)
        _git(course, "merge", "--quiet", "--ff-only", new)
    except BaseException:
        for name in [*tracked, *others]:
            if (saved / name).exists():
                shutil.copy2(saved / name, course / name)
        _finish(saved)
        raise
    _carry(course, saved, [name for name in tracked if name.startswith("exercises/")], before, say)
    _finish(saved)
    say(f"The course is now at {new[:10]}.")
    return None


def from_folder(source, course, say):
    """Copy what differs, exercises first: until they are carried over, solutions/ tells what was released to the learner."""
    if source == course or source in course.parents or course in source.parents:
        raise UpdateError(f"{source} is this course itself, or inside it. Give the folder of the new version.")
    before = cells.releases.__wrapped__(course)
    found = (path.relative_to(source) for path in sorted(source.rglob("*")) if path.is_file())
    names = [path.as_posix() for path in found if path.name != ".git" and not any(map(_left_out, path.parts[:-1]))]
    names = [name for name in names if not (course / name).exists()
             or not filecmp.cmp(source / name, course / name, shallow=False)]
    if not names:
        return say("The course is up to date. Nothing was changed.")
    names.sort(key=lambda name: (name.startswith("solutions/"), not name.startswith("exercises/"), name))
    saved = _save(course, [name for name in names if (course / name).exists()], say)
    exercises = [name for name in names if name.startswith("exercises/")]
    for name in exercises:
        _copy(source / name, course / name)
    mine = [name for name in exercises if saved and (saved / name).exists()]
    _carry(course, saved, mine, before, say, cells.releases.__wrapped__(source))
    for name in names[len(exercises):]:
        _copy(source / name, course / name)
    _finish(saved)
    say(f"{len(names)} files are new. Files that the new version has no more were left where they are.")
    return None


def from_saved(source, course, say):
    """Carry the answers of saved notebooks into today's; answers that are there now are saved first."""
    names = [path.relative_to(source).as_posix() for path in sorted(source.glob("exercises/*/*.ipynb"))]
    known = cells.releases.__wrapped__(course)
    release = {name: cells.find_release(files.read(source / name), known) for name in names}
    saved = _save(course, [f"exercises/{today}/{today}.ipynb" for today in release.values() if today], say)
    _carry(course, source, names, known, say, known)
    _finish(saved)


def _left_out(folder):
    return folder in ("saved", "__pycache__") or (folder.startswith(".") and folder != ".ci")


def _changed(course, new):
    """The learner's changed notebooks: those that the checkout knows, and others whose name the new version needs."""
    listed = _git(course, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *WORK)
    names = [entry[3:] for entry in listed.split("\0") if entry]
    known = set(_git(course, "ls-tree", "-r", "-z", "--name-only", "HEAD", "--", *WORK).split("\0"))
    coming = set(_git(course, "ls-tree", "-r", "-z", "--name-only", new, "--", *WORK).split("\0"))
    return [name for name in names if name in known], [name for name in names if name in coming - known]


def _save(course, names, say):
    """Copy files to a folder of their own under saved/; gives the folder, None where there is nothing to save."""
    names = [name for name in names if (course / name).exists()]
    if not names:
        return None
    day, number = time.strftime("%Y-%m-%d"), 1
    while (folder := course / "saved" / (day if number == 1 else f"{day}-{number}")).exists():
        number += 1
    for name in names:
        _copy(course / name, folder / name)
    (folder / MARK).write_text("The update that made this folder did not come to its end.\n", encoding="utf-8")
    say(f"Copied {len(names)} of your files to {folder.relative_to(course).as_posix()}, as they were.")
    return folder


def _finish(saved):
    if saved:
        (saved / MARK).unlink(missing_ok=True)


def _carry(course, saved, names, before, say, after=None):
    """Carry the answers of saved notebooks into the new ones, and say of each what became of it."""
    after = after or cells.releases.__wrapped__(course)
    for name in names:
        try:
            notebook = files.read(saved / name)
        except files.FileError as problem:
            say(f"{problem} So no answer could be carried.")
            continue
        old, new = cells.find_release(notebook, before), cells.find_release(notebook, after)
        if old is None or new is None:
            say(f"{name}: the new version has no such exercises. Yours stay in {saved.relative_to(course).as_posix()}.")
            continue
        filled, carried, changed, lost = cells.carry(notebook, before[old], after[new])
        files.write(course / "exercises" / new / f"{new}.ipynb", filled)
        say(f"{name}: {len(carried)} answers carried over.")
        for keys, words in ((changed, "the task has changed, look at it again"), (lost, "there is no such task any more")):
            for key in keys:
                say(f"    {key.removesuffix('-answer').replace('-', '.', 1)}: {words}. Your answer as it was: "
                    f"{(saved / name).relative_to(course).as_posix()}")


def _copy(source, target):
    """Copy a file in one step: who interrupts it leaves the old one whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".new")
    os.close(handle)
    try:
        shutil.copy2(source, temporary)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _ancestor(course, old, new):
    return _run(course, "merge-base", "--is-ancestor", old, new).returncode == 0


def _git(course, *arguments):
    run = _run(course, *arguments)
    if run.returncode:
        raise UpdateError(f"git {arguments[0]} says: {run.stderr.strip()}\nYour notebooks are as they were.")
    return run.stdout


def _run(course, *arguments):
    command = ["git", "-C", str(course), "-c", "core.quotePath=false", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        raise UpdateError("There is no git on this computer. Unpack the new version in a folder, and run: "
                          "make update FROM=folder") from None


def main(arguments=None):
    """Update, and say what was done; 0 where all went well."""
    parser = argparse.ArgumentParser(prog="python -m tools.update", description="Update the course without losing an answer.")
    parser.add_argument("source", nargs="?", default="origin", help="a git remote, its address, or a folder; by default origin")
    try:
        update(parser.parse_args(arguments).source)
    except (UpdateError, OSError, json.JSONDecodeError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
