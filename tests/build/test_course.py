"""The built files in the repository are what their sources build, and give nothing away."""

import json
from pathlib import Path

import pytest

from tools import build, source

ROOT = Path(__file__).parents[2]
CHAPTERS = [chapter.name for chapter in source.chapters(ROOT)]
WITH_EXERCISES = [chapter.name for chapter in source.chapters(ROOT) if chapter.exercises.exists()]


def cells(folder, name):
    return json.loads((ROOT / folder / name / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


@pytest.fixture(scope="module")
def drift(pytestconfig):
    """The lines of a build; what cells show is compared where they run anyway, in tests/notebooks."""
    return build.drift(ROOT, pytestconfig.getoption("chapter"), run=False)


def of_chapter(line, name):
    return any(line.startswith(target) for job in build.jobs(ROOT, name) for target in job.targets)


@pytest.mark.parametrize("name", CHAPTERS)
def test_built_files_are_what_their_sources_build(name, drift):
    lines = [line for line in drift if of_chapter(line, name)]
    assert not lines, f"run `make build CHAPTER={name[:2]}`, and commit what it writes:\n" + "\n".join(lines)


def test_nothing_else_differs(drift):
    assert [line for line in drift if not any(of_chapter(line, name) for name in CHAPTERS)] == []


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
