"""Reads a submitted file that may be anything, and finds the cells in it."""

import json
import os
import stat
import warnings
from dataclasses import dataclass, field

import nbformat


class RefusedError(Exception):
    """A file that holds no notebook; the words say why, and what to do."""


@dataclass
class Cell:
    """A code cell: its source, and the id that nbgrader gave it, or None."""

    source: str
    grade_id: str | None = None


@dataclass
class Submitted:
    """The code cells of a submission, and what was odd about its file."""

    cells: list
    notes: list = field(default_factory=list)


def read(path, most):
    """The cells of the notebook in a file of at most `most` MB. RefusedError, with words for people, where there are none."""
    notes = []
    data = _parsed(_bytes(path, most), notes)
    if not isinstance(data, dict) or not isinstance(data.get("nbformat"), int):
        raise RefusedError("The file is JSON, but not a notebook. Hand in the .ipynb file itself.")
    if data["nbformat"] < 4:
        data = _upgraded(data)
        notes.append("The notebook has an old format and was converted.")
    cells = data.get("cells")
    if not isinstance(cells, list):
        raise RefusedError("The file is a notebook without a list of cells. Open it in Jupyter, save it, and hand it in again.")
    if any(not isinstance(cell, dict) or not isinstance(_text(cell), str) for cell in cells):
        notes.append("Some entries of the notebook are no cells and were left out: the file is damaged.")
    language = _at(data, "metadata", "kernelspec", "name")
    if isinstance(language, str) and not language.startswith(("python", "conda")):
        notes.append(f"The notebook asks for the kernel {language[:40]!r}; it was run with Python.")
    found = [Cell(_text(cell), _grade_id(cell)) for cell in cells
             if isinstance(cell, dict) and cell.get("cell_type") == "code" and isinstance(_text(cell), str)]
    if not found:
        notes.append("The notebook has no cells with code.")
    return Submitted(found, notes)


def _bytes(path, most):
    try:
        kind = os.lstat(path)
    except OSError:
        raise RefusedError("There is no file at this place.") from None
    if stat.S_ISLNK(kind.st_mode):
        raise RefusedError("This is a link to another file, which is not followed. Hand in the file itself.")
    if stat.S_ISDIR(kind.st_mode):
        raise RefusedError("This is a folder, not a file.")
    if not stat.S_ISREG(kind.st_mode):
        raise RefusedError("This is not a regular file.")
    if kind.st_size == 0:
        raise RefusedError("The file is empty.")
    if kind.st_size > most * 10**6:
        raise RefusedError(f"The file has {kind.st_size / 10**6:.0f} MB; {most} MB is the most. "
                      "Clear its outputs, save it, and hand it in again.")
    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            return file.read(most * 10**6 + 1)
    except OSError as problem:
        raise RefusedError(f"The file cannot be read: {problem.strerror}.") from None


def _parsed(content, notes):
    try:
        text = content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        text = content.decode("latin-1")
        notes.append("The file is not encoded in UTF-8; it was read as Latin-1.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        place = f" (line {problem.lineno})" if isinstance(problem, json.JSONDecodeError) else ""
        raise RefusedError(f"The file is not a notebook: it holds no valid JSON{place}. It may be cut off, or have been merged. "
                      "Open it in Jupyter, save it, and hand it in again.") from None


def _upgraded(data):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return nbformat.reads(json.dumps(data), as_version=4)
    except Exception:  # the converter trusts the file, and may stumble anywhere
        raise RefusedError("The notebook has an old format and cannot be converted.") from None


def _text(cell):
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source


def _grade_id(cell):
    found = _at(cell, "metadata", "nbgrader", "grade_id")
    return found if isinstance(found, str) else None


def _at(value, *keys):
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
