"""Files that are no notebook, or a notebook in a form that nobody expects. Honest work in an odd form keeps its points."""

import json
import os
import shutil

import nbformat
from nbformat import v4

from tests.hostile.corpus import CHAPTER, RIGHT_SIGMOID, ROOT, replace, submission

REFUSED = "(notebook|JSON|file|read)"


def written(text, path, encoding="utf-8", errors="strict"):
    path.write_bytes(text.encode(encoding, errors))
    return path


@submission("an empty file", lost="everything", says="empty")
def zero_bytes(notebook, path):
    return written("", path)


@submission("a truncated file", lost="everything", says=REFUSED)
def truncated(notebook, path):
    return written(v4.writes(notebook)[:-500], path)


@submission("a Word document", lost="everything", says=REFUSED)
def word(notebook, path):
    return written("PK\x03\x04\x14\x00\x06\x00\x08\x00" + "\x00\xff" * 5000, path, "latin-1")


@submission("conflict markers in the file", lost="everything", says=REFUSED)
def merge_conflict(notebook, path):
    text = v4.writes(notebook)
    return written(f"<<<<<<< HEAD\n{text}\n=======\n{text}\n>>>>>>> mine\n", path)


@submission("JSON that is no notebook", lost="everything", says=REFUSED)
def other_json(notebook, path):
    return written('{"answers": [1, 2, 3]}', path)


@submission("JSON of one number", lost="everything", says=REFUSED)
def one_number(notebook, path):
    return written("1e999", path)


@submission("JSON a hundred thousand levels deep", lost="everything", says=REFUSED)
def deep_json(notebook, path):
    return written('{"cells": ' + "[" * 100_000 + "]" * 100_000 + "}", path)


@submission("a version number of 6,000 digits", lost="everything", says=REFUSED)
def long_number(notebook, path):
    return written('{"nbformat": ' + "4" * 6000 + ', "nbformat_minor": 5, "metadata": {}, "cells": []}', path)


@submission("cells that are no cells", lost="everything", says=REFUSED)
def odd_cells(notebook, path):
    data = json.loads(v4.writes(notebook))
    data["cells"] = ["text", 7, None, {"cell_type": "code"}, {"cell_type": ["code"], "source": {"a": 1}, "metadata": []}]
    return written(json.dumps(data), path)


@submission("no cells", lost="everything", says="([Nn]ot attempted|[Nn]othing|no cells|empty)")
def no_cells(notebook, path):
    notebook.cells = []


@submission("untouched", lost="everything", says="[Nn]ot attempted")
def untouched(notebook, path):
    shutil.copy(ROOT / "exercises" / CHAPTER / f"{CHAPTER}.ipynb", path)
    return path


@submission("another chapter's notebook", lost="everything", says="([Nn]ot attempted|chapter)")
def other_chapter(notebook, path):
    shutil.copy(ROOT / "solutions" / "00_start_here" / "00_start_here.ipynb", path)
    return path


@submission("a folder in place of a file", lost="everything", says="folder|directory")
def folder(notebook, path):
    path.mkdir()
    return path


@submission("nothing at the path", lost="everything", says="no file|not there|missing|does not exist|not found")
def nothing(notebook, path):
    return path


@submission("a named pipe", lost="everything", says="file")
def pipe(notebook, path):
    os.mkfifo(path)
    return path


@submission("a link to the solutions", lost="everything", says="link")
def link_to_solutions(notebook, path):
    path.symlink_to(ROOT / "solutions" / CHAPTER / f"{CHAPTER}.ipynb")
    return path


@submission("a link to an endless file", lost="everything", says="link")
def link_to_zero(notebook, path):
    path.symlink_to("/dev/zero")
    return path


@submission("a file of 3 GB", lost="everything", says="MB|GB|big|large")
def three_gigabytes(notebook, path):
    path.touch()
    os.truncate(path, 3 * 10**9)  # a hole: it takes no room
    return path


@submission("an old notebook, version 3")
def version_3(notebook, path):
    return written(nbformat.writes(nbformat.convert(notebook, 3), version=3), path)


@submission("a notebook of a version to come")
def version_to_come(notebook, path):
    return written(v4.writes(notebook).replace('"nbformat_minor": 5', '"nbformat_minor": 99'), path)


@submission("another kernel", says="kernel|language|R ")
def other_kernel(notebook, path):
    notebook.metadata = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}, "language_info": {"name": "R"}}


@submission("UTF-16")
def utf16(notebook, path):
    notebook.cells[1].source += "\n# Lösung"
    return written(v4.writes(notebook), path, "utf-16")


@submission("a byte order mark, and Windows line ends")
def byte_order_mark(notebook, path):
    return written(v4.writes(notebook).replace("\n", "\r\n"), path, "utf-8-sig")


@submission("latin-1")
def latin1(notebook, path):
    replace(notebook, "sigmoid", f"# für später\ndef sigmoid(z):\n    return {RIGHT_SIGMOID}")
    return written(v4.writes(notebook), path, "latin-1")


@submission("characters that no cell can hold", lost="sigmoid distance", says="sigmoid")
def bad_characters(notebook, path):
    replace(notebook, "sigmoid", "text = '\0'\ndef sigmoid(z):\n    return z")
    replace(notebook, "distance", "text = 'SURROGATE'")
    return written(v4.writes(notebook).replace("SURROGATE", "\\ud800"), path)
