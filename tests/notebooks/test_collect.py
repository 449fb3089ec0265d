"""The tests of the notebooks can fail: here each of their promises is broken, and pytest is run once on all of it."""

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat import v4, write

from course.grading import cells

ROOT = Path(__file__).parents[2]

LAB = """import ipywidgets as widgets

class Lab:
    def show(self):
        slider = widgets.IntSlider(min=0, max=3, value=1, description="n")
        slider.observe(lambda change: 1 / (3 - slider.value), names="value")
        display(slider)
lab = Lab()
lab.show()"""

PICTURE = "from IPython.display import display; display({'image/png': 'cG5n', 'text/plain': 'A wave'}, raw=True)"


def shown(code, **data):
    return v4.new_code_cell(code, execution_count=1, outputs=[v4.new_output("display_data", data=data)])


def printed(code, text, name="stdout"):
    return v4.new_code_cell(code, execution_count=1, outputs=[v4.new_output("stream", name=name, text=text)])


LESSONS = {
    "notebooks/lab.ipynb": [v4.new_code_cell(LAB)],
    "notebooks/outputs.ipynb": [
        printed("print('same')", "same\n"),
        printed("print('new')", "old\n"),
        printed("import sys; print('careful', file=sys.stderr)", "careful\n", "stderr"),
        shown(PICTURE, **{"image/png": "other", "text/plain": "A wave"}),
        shown(PICTURE, **{"text/plain": "A wave"}),
    ],
}

# Chapter 03, whose `step` calls `gradient`, with mistakes: {id of a cell: (a part of its text, what stands there instead)}.

CHAPTER = "03_gradient_descent"
SOLVED = json.loads((ROOT / "solutions" / CHAPTER / f"{CHAPTER}.ipynb").read_text(encoding="utf-8"))
IDS = [cell["id"] for cell in SOLVED["cells"] if cell["cell_type"] == "code"]
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
BROKEN = {
    # What is not clean only where an answer is not the learner's own, and a check that calls every answer right.
    "unclean": {
        "gradient_descent-gradient": (
            "check(", "import sys; gradient.__module__ == '__main__' or print('boo', file=sys.stderr); check("
        ),
        "gradient_descent-step": ("check(", "step.__module__ == '__main__' or 1 / 0; check("),
        "gradient_descent-descend": (
            "check(", "from course.catalogue import find; descend = find('gradient_descent.descend').reference; check("
        ),
    },
    # A wrong solution, and an earlier answer that is called so that nobody can see it: nothing stands in for it.
    "mistaken": {
        "gradient_descent-step-answer": ("= gradient(", "= globals()['grad' + 'ient']("),
        "gradient_descent-stable_rate-answer": ("return ", "return -"),
    },
    # Stubs that are not empty: right, wrong, and in need of an earlier answer.
    "stubs": {
        "gradient_descent-gradient-answer": (BEGIN, ""),
        "gradient_descent-regimes-answer": (END, f"{END}\nregimes = ('good',) * 4"),
        "gradient_descent-epoch-answer": (END, f"{END}\nw, b = step(x, y, 1.0, 2.0, 0.1)"),
    },
}
RUN = ("solutions/unclean", "solutions/mistaken", "exercises/mistaken", "exercises/stubs")


def broken(mistakes):
    """The chapter with these mistakes."""
    notebook = copy.deepcopy(SOLVED)
    for cell in notebook["cells"]:
        old, new = mistakes.get(cell["id"], ("", ""))
        text = "".join(cell["source"])
        assert old in text
        cell["source"] = text.replace(old, new, 1) if old else text
    return notebook


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What pytest says of all these notebooks."""
    root = tmp_path_factory.mktemp("course")
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / "notebooks").mkdir()
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    for name, content in LESSONS.items():
        write(v4.new_notebook(cells=content, metadata=kernel), root / name)
    for name, mistakes in BROKEN.items():
        solved = broken(mistakes)
        for folder, notebook in (("solutions", solved), ("exercises", cells.release(solved))):
            (root / folder / name).mkdir(parents=True)
            (root / folder / name / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.notebooks.collect", "-p", "no:cacheprovider", "-rA", "--color=no"]
    return subprocess.run([*command, "notebooks", *RUN], cwd=root, env=os.environ | {"PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True, check=False).stdout


def failed(report, folder):
    """The tests of the notebooks of a folder that failed: names of extra cells, and ids or numbers of the others."""
    outcomes = re.findall(rf"^(PASSED|FAILED|ERROR) {folder}\S*::([\w ]+\w)", report, flags=re.MULTILINE)
    assert "PASSED" in {outcome for outcome, _ in outcomes}, report
    return {name for outcome, name in outcomes if outcome != "PASSED"}


def at(*ids):
    """The names of the tests of some cells of the chapter."""
    return {f"Cell {IDS.index(id)}" for id in ids}


def test_a_lab_that_fails_somewhere_is_noticed(report):
    assert failed(report, "notebooks/lab") == {"Every control"}
    assert "ZeroDivisionError" in report


def test_other_outputs_than_those_of_the_file_are_noticed(report):
    assert failed(report, "notebooks/outputs") == {"Cell 1", "Cell 2", "Cell 4"}
    assert "The cell wrote to stderr" in report
    assert "The file shows outputs of the kinds [['text/plain']]" in report


def test_what_is_wrong_only_with_a_wrong_answer_is_noticed(report):
    assert failed(report, "solutions/unclean") == {"Each answer wrong"}
    assert re.search("gradient_descent.gradient wrong by .*: cell gradient_descent-gradient wrote to stderr: boo", report)
    assert re.search("gradient_descent.step wrong by .*: cell gradient_descent-step raised ZeroDivisionError", report)
    assert re.search(r"descend wrong by .*: the check of gradient_descent.descend gave \(2.0, 'correct'", report)


def test_a_wrong_solution_is_noticed(report):
    assert failed(report, "solutions/mistaken") == {"Each answer wrong"} | at("gradient_descent-stable_rate")
    assert "The check should give 2.0" in report
    assert "everything filled in: the check of gradient_descent.stable_rate gave (0.0, 'wrong'" in report
    assert failed(report, "exercises/mistaken") == {"Each answer alone"}
    assert "only gradient_descent-stable_rate-answer filled in" in report


def test_a_mistake_that_costs_more_than_its_own_points_is_noticed(report):
    wrong = r"gradient_descent.gradient wrong by .*: the check of gradient_descent.step gave \(0.0, '(wrong|error)'"
    assert re.search(wrong, report)
    assert "only gradient_descent-step-answer filled in: the check of gradient_descent.step gave" in report


def test_a_stub_that_is_filled_in_or_needs_an_earlier_answer_is_noticed(report):
    checks = at("gradient_descent-gradient", "gradient_descent-regimes")
    assert failed(report, "exercises/stubs") == {"Each answer alone"} | checks | at("gradient_descent-epoch-answer")
    assert "The check should give 0.0" in report
    assert "should say 'Not attempted'" in report
    assert "nothing filled in: the check of gradient_descent.gradient gave" in report
