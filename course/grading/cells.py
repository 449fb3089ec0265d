"""The cells of a learner's notebook beside those that the course released: what was edited, lost or doubled, and how it is
put back without touching an answer.

A notebook is a dict here, as it lies in the file. What was released is read from solutions/, without its solutions, so that it
is known also to a learner who writes into exercises/ itself.
"""
import contextlib
import copy
import hashlib
import json
import os
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from course.catalogue import renamed

COURSE = Path(__file__).parents[2]
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION", flags=re.DOTALL | re.MULTILINE)
STUB = "# Your code here."
LOST, EDITED, TWICE, UNMARKED = "is missing", "was edited", "is there twice", "lost its marks"
_seen = {}  # path -> (when it was changed, what was found)


class Fault(NamedTuple):
    """What is wrong with a cell: its key, "check cell of ..." or "answer cell of ...", and one of the words above."""

    key: str
    cell: str
    what: str

    def __str__(self):
        return f"The {self.cell} {self.what}."


def source(cell):
    """The text of a cell, which a file may hold as lines."""
    return "".join(cell["source"])


@lru_cache(None)
def releases(course=COURSE):
    """The notebooks that the course gives to learners, by name. Empty where bplib lies without its course."""
    return {path.stem: release(json.loads(path.read_text(encoding="utf-8")))
            for path in sorted(Path(course, "solutions").glob("[0-9][0-9]_*/*.ipynb")) if path.stem == path.parent.name}


def release(solved):
    """What is released of a notebook with solutions: a comment in their place, graded cells locked."""
    notebook = copy.deepcopy(solved)
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        if marks:
            cell["metadata"]["deletable"] = False
        if marks.get("locked"):
            cell["metadata"]["editable"] = False
        if marks.get("solution"):
            cell["source"] = SOLUTION.sub(lambda found: found[1] + STUB, source(cell)).splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        if marks:
            marks |= {"cell_type": cell["cell_type"], "checksum": _checksum(cell, marks)}
    return notebook


def _checksum(cell, marks):
    """nbgrader's own, so that a cell that was put back is the one that a teacher released."""
    parts = [source(cell), cell["cell_type"], *(str(marks[key]) for key in ("grade", "solution", "locked")), marks["grade_id"]]
    parts += [str(float(marks["points"]))] if marks["grade"] else []
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def graded(released):
    """The answer and check cells of a released notebook by key."""
    return {cell["id"]: cell for cell in released["cells"] if "nbgrader" in cell["metadata"]}


def _keys(notebook, released):
    """For each cell of a notebook the id of the released cell that it is, or None: by its mark, its id, or a check's text.
    A cell that was released under its chapter's former name is known by both."""
    texts = {source(cell).strip(): id for id, cell in graded(released).items() if cell["metadata"]["nbgrader"]["grade"]}
    ids = {cell["id"] for cell in released["cells"]}
    found = []
    for cell in notebook["cells"]:
        named = [cell.get("metadata", {}).get("nbgrader", {}).get("grade_id"), cell.get("id")]
        candidates = (*named, *map(_today, filter(None, named)), texts.get(source(cell).strip()))
        found.append(next((key for key in candidates if key in ids), None))
    return found


def _today(key):
    """The key that a graded cell has today, where its chapter was called otherwise before: as exercise ids, with a dash."""
    return renamed(str(key).replace("-", ".", 1)).replace(".", "-", 1)


def find_release(notebook, known):
    """The name of the release that a notebook comes from: the one with which it shares most graded cells; None without any."""
    shared = {name: len(set(_keys(notebook, released)) & set(graded(released))) for name, released in known.items()}
    best = max(shared, key=shared.get, default=None)
    return best if best and shared[best] else None


def faults(notebook, released):
    """What is wrong with the graded cells of a notebook, in the order of the release."""
    keys, found = _keys(notebook, released), []
    for key, right in graded(released).items():
        mine = [cell for cell, other in zip(notebook["cells"], keys) if other == key]
        locked = right["metadata"]["nbgrader"]["locked"]
        what = (LOST if not mine else TWICE if len(mine) > 1
                else EDITED if locked and not _same(mine[0], right)
                else UNMARKED if not _marked(mine[0], right) else None)
        if what:
            found.append(Fault(key, _called(key, right, released), what))
    return found


def _same(cell, right):
    return cell["cell_type"] == right["cell_type"] and source(cell).strip() == source(right).strip()


def _marked(cell, right):
    marks, expected = cell["metadata"].get("nbgrader", {}), right["metadata"]["nbgrader"]
    return all(marks.get(key) == expected[key] for key in ("grade_id", "grade", "locked", "solution"))


def _called(key, right, released):
    if right["metadata"]["nbgrader"]["grade"]:
        return "check cell of " + re.search(r"\w+\.\w+", source(right))[0]
    return "answer cell of " + key.removesuffix("-answer").replace("-", ".", 1)


def repair(notebook, released):
    """A notebook with its graded cells put right: checks as released, all answers and all added cells kept. With what was done,
    one line each."""
    fixed, wrong = copy.deepcopy(notebook), faults(notebook, released)
    right = graded(released)
    for fault in wrong:
        places = [i for i, key in enumerate(_keys(fixed, released)) if key == fault.key]
        if not places:
            fixed["cells"].insert(_place(fixed, released, fault.key), copy.deepcopy(right[fault.key]))
            continue
        locked = right[fault.key]["metadata"]["nbgrader"]["locked"]
        original = [place for place in places if fixed["cells"][place].get("id") == fault.key]
        keep = (original or places)[0] if locked else places[-1]  # of an answer, the one that was run last
        for place in places:
            cell = fixed["cells"][place]
            if place != keep:
                for mark in ("nbgrader", "deletable", "editable"):
                    cell["metadata"].pop(mark, None)
                cell["id"] = _free_id(fixed, fault.key)
                if locked:  # a second check is recognised by its text: it is no cell of its own any more
                    cell["source"] = ["# A copy, which counts no more:\n", *("# " + line for line in
                                                                            source(cell).splitlines(keepends=True))]
            elif locked:
                fixed["cells"][place] = copy.deepcopy(right[fault.key])
            else:
                cell["metadata"] |= copy.deepcopy(right[fault.key]["metadata"])
                cell["id"], cell["cell_type"] = fault.key, "code"
                cell.setdefault("outputs", [])
                cell.setdefault("execution_count", None)
    return fixed, [f"The {fault.cell} {fault.what}: {_done(fault)}." for fault in wrong]


def _done(fault):
    return {LOST: "put back", EDITED: "as released again", UNMARKED: "marked again",
            TWICE: "one is marked, the other kept as an ordinary cell"}[fault.what]


def _free_id(notebook, key):
    taken = {cell.get("id") for cell in notebook["cells"]}
    return next(id for number in range(2, 1000) if (id := f"{key}-copy-{number}"[-64:]) not in taken)


def _place(notebook, released, key):
    """Where a lost cell belongs: behind the nearest cell before it that is still there."""
    keys, order = _keys(notebook, released), [cell["id"] for cell in released["cells"]]
    for before in reversed(order[: order.index(key)]):
        if before in keys:
            return len(keys) - keys[::-1].index(before)
    return 0


def carry(notebook, old, new):
    """A new release with the answers and the added cells of a notebook that came from an old one.

    Returns
    -------
    notebook : the new release, filled in.
    carried : keys of the answers that were carried.
    changed : those among them whose task has changed. lost : those for which there is no cell any more.
    """
    filled, before, after = copy.deepcopy(new), graded(old), graded(new)
    places = {cell["id"]: cell for cell in filled["cells"]}
    carried, changed, lost, previous = [], [], [], None
    for cell, former in zip(notebook["cells"], _keys(notebook, old)):
        key = former if former is None or former in places else _today(former)
        is_answer = former in before and before[former]["metadata"]["nbgrader"]["solution"]
        if is_answer and source(cell).strip() != source(before[former]).strip():
            if key not in after:
                lost.append(key)
            else:
                places[key]["source"] = cell["source"]
                carried.append(key)
                if source(before[former]) != source(after[key]):
                    changed.append(key)
        elif key is None and source(cell).strip():
            added = copy.deepcopy(cell)
            added["metadata"].pop("nbgrader", None)
            added["id"] = cell.get("id") if cell.get("id") not in places else _free_id(filled, "added")
            at = next((i for i, other in enumerate(filled["cells"]) if other is previous), -1)
            filled["cells"].insert(at + 1, added)
            previous = added
            continue
        previous = places.get(key, previous)
    unique = list(dict.fromkeys(carried))
    return filled, unique, [key for key in unique if key in changed], lost


def notebook_path():
    """The file of the notebook that runs here, where its editor says so: JupyterLab and VS Code do. Else None."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    named = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    path = Path(named) if named else None
    return path if path and path.suffix == ".ipynb" and path.is_file() else None


def complaints(course=COURSE):
    """What a check says about edited, missing and doubled cells of the notebook it stands in; read again only when the file has
    changed. Empty where nothing is known."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        path = notebook_path()
        if path is None:
            return []
        stamp = path.stat().st_mtime_ns, path.stat().st_size
        if _seen.get(path, (None,))[0] != stamp:
            _seen[path] = stamp, _look(path, releases(course))
        return _seen[path][1]
    return []


def _look(path, known):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    name = find_release(notebook, known)
    wrong = [fault for fault in faults(notebook, known[name]) if fault.what != UNMARKED] if name else []
    # Somebody who took a few cells into a notebook of their own misses none of the others.
    if not wrong or sum(fault.what == LOST for fault in wrong) > len(graded(known[name])) / 2:
        return []
    shown = " ".join(map(str, wrong[:3])) + (f" And {len(wrong) - 3} more." if len(wrong) > 3 else "")
    return [f"{shown} To put that right and keep every answer: save and close this notebook, then run in the course's folder: "
            f'make repair NOTEBOOK="{path}"']
