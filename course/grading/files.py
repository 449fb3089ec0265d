"""A learner's notebooks as files: looked at, repaired in one step with a copy kept, and given empty neighbours."""
import contextlib
import json
import os
import tempfile
import time
from pathlib import Path

from course.grading import cells
from course.grading.progress import kept_aside, location

CLOSED = "If it is open in JupyterLab, close it there without saving, and open it again."


class FileError(Exception):
    """What is wrong with a file, and what to do, for people."""


def read(path):
    """A notebook from a file, in today's format with an id for every cell.

    Raises
    ------
    FileError : where it is missing, no file, not readable, or no notebook.
    """
    import nbformat

    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileError(f"There is no file {path}.") from None
    except UnicodeDecodeError:
        raise FileError(f"{path} is not text in UTF-8, so it is no notebook.") from None
    except OSError as problem:
        raise FileError(f"{path} cannot be read: {problem.strerror}.") from None
    try:
        notebook = json.loads(text)
        if notebook["nbformat"] != 4:
            notebook = json.loads(json.dumps(nbformat.convert(nbformat.from_dict(notebook), 4)))
        _identify(notebook)
    except Exception as problem:  # nbformat meets a broken file with errors of many kinds
        raise FileError(f"{path} is not a notebook ({type(problem).__name__}). Was it saved half, or merged by git? An older "
                          "copy may be in the folder .ipynb_checkpoints beside it.") from None
    return notebook


def _identify(notebook):
    """Give every cell an id of its own, and make sure that it looks like a cell."""
    notebook["nbformat_minor"] = max(notebook["nbformat_minor"], 5)
    taken = set()
    for position, cell in enumerate(notebook["cells"]):
        cells.source(cell), cell["cell_type"], cell["metadata"].get("nbgrader", {})
        if cell.get("id") in taken | {None}:
            cell["id"] = next(id for n in range(1000) if (id := f"cell-{position}-{n}") not in taken)
        taken.add(cell["id"])


def write(path, notebook):
    """Write a notebook in one step: the old file stays whole until the new one is."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, path.stat().st_mode if path.exists() else 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def free(path, word):
    """A name beside `path` that no file has: name-word.ipynb, name-word-2.ipynb, ..."""
    endings = ("", *(f"-{number}" for number in range(2, 1000)))
    candidates = (path.with_name(f"{path.stem}-{word}{ending}{path.suffix}") for ending in endings)
    return next(name for name in candidates if not name.exists())


def restore(chapter, course=cells.COURSE):
    """Put an empty copy of a chapter's exercises beside the learner's, under a new name; gives its path."""
    known = _known(course)
    names = [name for name in known if name.startswith(str(chapter))]
    if len(names) != 1:
        raise FileError(f"{'No' if not names else 'More than one'} chapter's exercises begin with {chapter!r}. "
                          f"There are {', '.join(known)}.")
    path = Path(course, "exercises", names[0], f"{names[0]}.ipynb")
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = free(path, "fresh")
        write(fresh, known[names[0]])
    return fresh


def repair(notebook, course=cells.COURSE):
    """Put the graded cells of a notebook right, in its file, and keep a copy of it; gives what was done, line by line."""
    path = _find(notebook, course)
    before, known = read(path), _known(course)
    name = cells.find_release(before, known)
    if name is None:
        raise FileError(f"{path} has no cell of the course's exercises, so there is nothing to compare it with.")
    fixed, lines = cells.repair(before, known[name])
    if not lines:
        return [f"{path}: every check cell is as released. Nothing was changed."]
    with _writing(path):
        kept = free(path, time.strftime("before-repair-%Y-%m-%d"))
        kept.write_bytes(path.read_bytes())
        write(path, fixed)
    return [*lines, f"Wrote {path}, with every answer as it was. The old file is kept as {kept.name}.", CLOSED]


def doctor(notebooks=(), course=cells.COURSE):
    """What is well and what is not with the progress file and some notebooks, and what to do; and whether all is well."""
    words, well = _progress_file()
    there = sorted(path for path in Path(course, "exercises").glob("*/*.ipynb") if path.stem == path.parent.name)
    paths = [_find(name, course) for name in notebooks] or there
    lines, known = [words], _known(course)
    for path in paths:
        try:
            notebook = read(path)
        except FileError as problem:
            lines, well = [*lines, str(problem)], False
            continue
        name = cells.find_release(notebook, known)
        wrong = cells.faults(notebook, known[name]) if name else []
        lines += [f"{path}: {fault}" for fault in wrong]
        if wrong:
            lines.append(f'    To put that right and keep every answer: make repair NOTEBOOK="{path}"')
            well = False
    lines.append("All is well." if well else "See above for what to do.")
    return [*lines[:-1], f"{len(paths)} notebooks looked at.", lines[-1]], well


def _progress_file():
    try:
        path = location()
        if aside := kept_aside():
            words = f"Progress file {path}: in order. A damaged one was kept as {aside[-1].name}."
        else:
            words = f"Progress file {path}: {'in order' if path.exists() else 'not there yet; the first check makes it'}."
        folder = next(parent for parent in path.parents if parent.exists())
    except (RuntimeError, StopIteration):
        return "There is no home folder, so your progress is not kept. Set BPLIB_PROGRESS to a file of yours.", False
    if not os.access(folder, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.R_OK)):
        return (f"Progress file {path}: it cannot be read and written, so your progress is not kept. "
                "Set BPLIB_PROGRESS to a file in a folder of yours."), False
    return words, True


def _known(course):
    known = cells.releases(course)
    if not known:
        raise FileError(f"The course's notebooks are not in {course}. Run this in the folder of the course.")
    return known


def _find(notebook, course):
    """A notebook by its path, or by its name anywhere in exercises/."""
    path = Path(notebook)
    if path.exists():
        return path
    there = sorted(Path(course, "exercises").rglob(path.name)) if path.name == str(notebook) else []
    if len(there) != 1:
        raise FileError(f"There is no file {notebook}." if not there else
                          f"There are several {notebook}; give the path: {', '.join(map(str, there))}")
    return there[0]


@contextlib.contextmanager
def _writing(path):
    try:
        yield
    except OSError as problem:
        raise FileError(f"Nothing was changed: in {path.parent} nothing can be written ({problem.strerror}).") from None
