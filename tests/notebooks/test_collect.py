"""The tests of the notebooks can fail: here each of their promises is broken once."""

import os
import re
import subprocess
import sys
from pathlib import Path

from nbformat import v4, write

ROOT = Path(__file__).parents[2]

LAB = """import ipywidgets as widgets

class Lab:
    def show(self):
        slider = widgets.IntSlider(min=0, max=3, value=1, description="n")
        slider.observe(lambda change: 1 / (3 - slider.value), names="value")
        display(slider)
lab = Lab()
lab.show()"""

CHECK = """class Result(float):
    def _repr_html_(self): return "%s"
Result(%s)"""


def check(points, words):
    metadata = {"nbgrader": {"grade": True, "points": 2}}
    return v4.new_code_cell(CHECK % (words, points), metadata=metadata)


PICTURE = "from IPython.display import display; display({'image/png': 'cG5n', 'text/plain': 'A wave'}, raw=True)"


def shown(code, **data):
    return v4.new_code_cell(code, execution_count=1, outputs=[v4.new_output("display_data", data=data)])


def printed(code, text, name="stdout"):
    return v4.new_code_cell(code, execution_count=1, outputs=[v4.new_output("stream", name=name, text=text)])


NOTEBOOKS = {
    "notebooks/lab.ipynb": [v4.new_code_cell(LAB)],
    "notebooks/outputs.ipynb": [
        printed("print('same')", "same\n"),
        printed("print('new')", "old\n"),
        printed("import sys; print('careful', file=sys.stderr)", "careful\n", "stderr"),
        shown(PICTURE, **{"image/png": "other", "text/plain": "A wave"}),
        shown(PICTURE, **{"text/plain": "A wave"}),
    ],
    "solutions/points.ipynb": [check(2, "Correct"), check(1, "Not yet")],
    "exercises/points.ipynb": [check(0, "Not attempted"), check(0, "Not yet"), check(2, "Correct")],
}


def test_every_broken_promise_is_a_failure(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for name, cells in NOTEBOOKS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(
            v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}),
            tmp_path / name,
        )
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.notebooks.collect",
            "-p",
            "no:cacheprovider",
            "-rA",
            "--color=no",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    outcomes = re.findall(r"^(PASSED|FAILED|ERROR) (\S+::[\w ]+\w)", run.stdout, flags=re.MULTILINE)
    passed = {name for outcome, name in outcomes if outcome == "PASSED"}
    assert passed == {
        "notebooks/lab.ipynb::Cell 0",
        "notebooks/outputs.ipynb::Cell 0",
        "notebooks/outputs.ipynb::Cell 3",
        "solutions/points.ipynb::Cell 0",
        "exercises/points.ipynb::Cell 0",
    }, run.stdout
    assert {name for _, name in outcomes} - passed == {
        "notebooks/lab.ipynb::Every control",
        "notebooks/outputs.ipynb::Cell 1",
        "notebooks/outputs.ipynb::Cell 2",
        "notebooks/outputs.ipynb::Cell 4",
        "solutions/points.ipynb::Cell 1",
        "exercises/points.ipynb::Cell 1",
        "exercises/points.ipynb::Cell 2",
    }
    for words in (
        "ZeroDivisionError",
        "The cell wrote to stderr",
        "The file shows outputs of the kinds [['text/plain']]",
        "The check should give 2.0",
        "should say 'Not attempted'",
    ):
        assert words in run.stdout
