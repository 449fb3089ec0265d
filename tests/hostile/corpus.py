"""Submissions that mean harm, or had bad luck: each a change to a solved notebook, with the points that it deserves.

Where an attack would give points, its answer is right only if the attack worked, so a leak shows as a point too many.
Every program here is bounded by itself too: a judge that fails to stop it does the machine no harm.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat

from course.catalogue import find

ROOT = Path(__file__).parents[2]
CHAPTER = "01_neuron"
MARKER = "hostile-litter"  # in the name of every file and process that must not outlive its submission
SECRET = "answers-of-next-year"  # what a teacher might have in the environment

RIGHT_SIGMOID = "0.5 * (1 + np.tanh(z / 2))"
WRONG_SIGMOID = "def sigmoid(z):\n    return z"

CORPUS = []


@dataclass(frozen=True)
class Submission:
    """One submission.

    Attributes
    ----------
    name : what is odd about it.
    change : (notebook, path) -> None, or the path of the file to submit where it wrote one of its own.
    lost : the exercises that honest work does not earn; the others give their full points.
    says : regular expressions, each of which the report's lines must match.
    chapter : whose notebook is changed.
    contained : only namespaces hold it back; where a machine has none, the report must say that it has none.
    seconds : how long a cell or an answer may take; short for those that use them up.
    """

    name: str
    change: Callable
    lost: tuple
    says: tuple
    chapter: str
    contained: bool
    seconds: float

    def write(self, folder):
        """The file to submit, in a folder of its own."""
        notebook = solved(self.chapter)
        path = Path(folder) / f"{self.chapter}.ipynb"
        path.parent.mkdir(parents=True)
        own = self.change(notebook, path)
        if own is None:
            path.write_text(nbformat.v4.writes(notebook), encoding="utf-8")  # nbformat.write would mend it
        return own or path

    def expected(self):
        """The points that each exercise deserves, by id."""
        return {id: 0.0 if id in self.lost else points for id, points in available(self.chapter).items()}


def submission(name, lost=(), says=(), chapter=CHAPTER, contained=False, seconds=2):
    """Put a change into the corpus. `lost` holds the names of exercises without their topic, or is "everything"."""

    def keep(change):
        ids = list(available(chapter))
        mine = ids if lost == "everything" else [id for id in ids if id.partition(".")[2] in lost.split()] if lost else []
        words = (says,) if isinstance(says, str) else says
        CORPUS.append(Submission(name, change, tuple(mine), words, chapter, contained, seconds))
        return change

    return keep


def of(module):
    """The submissions that a module of the corpus adds."""
    return [submission for submission in CORPUS if submission.change.__module__ == module.__name__]


def solved(chapter=CHAPTER):
    """The chapter's exercises with every answer filled in, as a learner would hand them in."""
    notebook = nbformat.read(ROOT / "exercises" / chapter / f"{chapter}.ipynb", as_version=4)
    solutions = nbformat.read(ROOT / "solutions" / chapter / f"{chapter}.ipynb", as_version=4)
    for mine, theirs in zip(notebook.cells, solutions.cells):
        mine.source = re.sub(r"^ *### (BEGIN|END) SOLUTION\n?", "", theirs.source, flags=re.MULTILINE)
    return notebook


def available(chapter=CHAPTER):
    """The points of each exercise of a chapter, by id."""
    notebook = nbformat.read(ROOT / "solutions" / chapter / f"{chapter}.ipynb", as_version=4)
    checks = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    ids = [re.search(r'check\("([\w.]+)"', cell.source).group(1) for cell in checks]
    return {id: float(find(id).points) for id in ids}


def answer(notebook, name):
    """The cell in which the exercise of this name is answered."""
    return next(cell for cell in notebook.cells if cell.id.endswith(f"-{name}-answer"))


def checking(notebook, name):
    """The cell that checks the exercise of this name."""
    return next(cell for cell in notebook.cells if cell.id.endswith(f"-{name}"))


def replace(notebook, name, source):
    """Give another answer."""
    answer(notebook, name).source = source


def add(notebook, source, before=None):
    """A cell of the learner's own: before the answer of this name, or at the end."""
    place = notebook.cells.index(answer(notebook, before)) if before else len(notebook.cells)
    notebook.cells.insert(place, nbformat.v4.new_code_cell(source))
