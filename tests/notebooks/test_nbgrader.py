"""nbgrader itself, as a teacher would use it, gives a solved notebook full marks and an untouched one none."""

import os
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from tools import release, source

ROOT = Path(__file__).parents[2]
CHAPTER = next(chapter.name for chapter in reversed(source.chapters(ROOT)) if chapter.exercises.exists())


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course with one assignment, released from the committed solutions."""
    # nbgrader calls alembic by name.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    shutil.copytree(ROOT / "solutions" / CHAPTER, tmp_path / "solutions" / CHAPTER)
    api = release.course(tmp_path)
    outcome = api.generate_assignment(CHAPTER, force=True)
    assert outcome["success"], outcome["log"]
    return api


def submit(folder, student, source):
    target = folder / "submitted" / student / CHAPTER / f"{CHAPTER}.ipynb"
    target.parent.mkdir(parents=True)
    shutil.copy(source / CHAPTER / f"{CHAPTER}.ipynb", target)


# nbgrader's own use of SQLAlchemy 2, seen whenever it creates a submission.
@pytest.mark.filterwarnings("ignore:Object of type <Submitted(Assignment|Notebook)> not in session")
def test_solved_gets_full_marks_and_untouched_gets_none(course, tmp_path):
    submit(tmp_path, "solved", ROOT / "solutions")
    submit(tmp_path, "untouched", ROOT / "exercises")
    for student in ("solved", "untouched"):
        outcome = course.autograde(CHAPTER, student, force=True)
        assert outcome["success"], outcome["log"]
    notebook = nbformat.read(ROOT / "solutions" / CHAPTER / f"{CHAPTER}.ipynb", as_version=4)
    points = sum(
        cell.metadata.nbgrader.points for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")
    )
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", "trust-no-gradient") as gradebook:
        scores = {student: gradebook.find_submission(CHAPTER, student).score for student in ("solved", "untouched")}
    assert scores == {"solved": points, "untouched": 0}
    assert points
