"""The built files in the repository are what their sources build, and give nothing away."""

import json
from pathlib import Path

import pytest

from tools import build, source

ROOT = Path(__file__).parents[2]
WITH_EXERCISES = [chapter.name for chapter in source.chapters(ROOT) if chapter.exercises.exists()]


def cells(folder, name):
    return json.loads((ROOT / folder / name / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


def test_built_files_are_what_their_sources_build():
    """What their cells show is compared where they run anyway, in tests/notebooks."""
    lines = build.drift(ROOT, run=False)
    assert not lines, "run `make build`, and commit what it writes:\n" + "\n".join(lines)


def test_there_are_exercises():
    assert WITH_EXERCISES


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_exercises_hold_no_solution_and_no_output(name):
    released = cells("exercises", name)
    text = "\n".join("".join(cell["source"]) for cell in released)
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in released)
    for solved in cells("solutions", name):
        if "### BEGIN SOLUTION" in "".join(solved["source"]):
            (mine,) = [cell for cell in released if cell["id"] == solved["id"]]
            unfilled = source.stub("".join(solved["source"])).split()
            assert "".join(mine["source"]).replace("# Your code here.", "").split() == unfilled


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_check_cells_are_locked_and_answer_cells_are_not(name):
    graded = [cell["metadata"] for cell in cells("exercises", name) if "nbgrader" in cell["metadata"]]
    checks = [data for data in graded if data["nbgrader"]["grade"]]
    answers = [data for data in graded if data["nbgrader"]["solution"]]
    assert checks
    assert answers
    assert all(data["editable"] is False and data["deletable"] is False for data in checks)
    assert all("editable" not in data and data["deletable"] is False for data in answers)
