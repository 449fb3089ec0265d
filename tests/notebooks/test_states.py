"""Run All is clean in the three states of every exercise notebook: nothing filled in, everything, each answer wrong in turn."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from course.grading import cells
from tools.execute import environment
from tools.source import chapters

ROOT = Path(__file__).parents[2]
CHAPTERS = [chapter.name for chapter in chapters(ROOT) if chapter.exercises.exists()]


def problems(solved, untouched, scratch):
    """What `states` says about two notebooks, in a process of its own."""
    command = [sys.executable, "-m", "tests.notebooks.states", str(solved), str(untouched)]
    run = subprocess.run(command, cwd=ROOT, env=environment(scratch), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@pytest.mark.parametrize("name", CHAPTERS)
def test_three_states(name, tmp_path):
    assert problems(*(ROOT / folder / name / f"{name}.ipynb" for folder in ("solutions", "exercises")), tmp_path) == ""


# A notebook broken on purpose: chapter 03, whose `step` calls `gradient`.

SOLVED = json.loads((ROOT / "solutions" / "03_gradient_descent" / "03_gradient_descent.ipynb").read_text(encoding="utf-8"))
ANSWER, CHECK = "gradient_descent-step-answer", "gradient_descent-step"
ALWAYS_RIGHT = "from course.catalogue import find\nstep = find('gradient_descent.step').reference\ncheck("


def broken(tmp_path, change, solved_only=False):
    """The problems of chapter 03 where `change` has put other text into its cells, a function from (id, text) to text."""
    notebook = copy.deepcopy(SOLVED)
    for cell in notebook["cells"]:
        cell["source"] = change(cell["id"], "".join(cell["source"]))
    paths = [tmp_path / "solved.ipynb", tmp_path / "untouched.ipynb"]
    for path, content in zip(paths, (notebook, cells.release(SOLVED if solved_only else notebook))):
        path.write_text(json.dumps(content), encoding="utf-8")
    return problems(*paths, tmp_path)


def at(place, old, new):
    return lambda id, text: text.replace(old, new) if id == place else text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (at(ANSWER, "def step", "1 / 0\ndef step"), "cell gradient_descent-step-answer raised ZeroDivisionError"),
        (at(CHECK, "check(", "import sys; print('boo', file=sys.stderr); check("), "gradient_descent-step wrote to stderr: boo"),
        (at(CHECK, "check(", ALWAYS_RIGHT), "gradient_descent.step wrong by"),
    ],
)
def test_a_cell_that_is_not_clean_is_noticed(change, words, tmp_path):
    assert words in broken(tmp_path, change)


def test_a_wrong_solution_is_noticed(tmp_path):
    words = broken(tmp_path, at(ANSWER, "return w - lr", "return w + lr"), solved_only=True)
    assert "everything filled in: the check of gradient_descent.step gave (0.0, 'wrong'" in words
    assert "only gradient_descent-step-answer filled in" in words


def test_a_stub_that_is_filled_in_is_noticed(tmp_path):
    def solution_left(id, text):
        return text.replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "") if id == ANSWER else text

    assert "nothing filled in: the check of gradient_descent.step" in broken(tmp_path, solution_left)


def test_a_mistake_that_costs_more_than_its_own_points_is_noticed(tmp_path):
    # Behind a method, the call of an earlier answer cannot be seen, so nothing stands in for it.
    hidden = "globals()['grad' + 'ient']"
    words = broken(tmp_path, at(ANSWER, "gradient(", f"{hidden}("))
    assert "gradient_descent.gradient wrong by" in words
    assert re.search(r"the check of gradient_descent.step gave \(0.0, '(wrong|error)'", words)
    assert "only gradient_descent-step-answer filled in" in words


def test_a_cell_that_needs_an_earlier_answer_is_noticed(tmp_path):
    def using(id, text):
        return text + "\ndw, db = gradient(x, y, 1.0, 2.0)" if id == ANSWER else text

    assert "nothing filled in: cell gradient_descent-step-answer raised" in broken(tmp_path, using)
