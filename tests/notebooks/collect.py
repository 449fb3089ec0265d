"""Makes tests of the built notebooks, one for each cell, each notebook run once in one kernel by nbval.

- notebooks/: outputs must be those in the file, of the same kinds, texts to the letter, and every control of every lab is
  moved afterwards.
- solutions/: every check gives all its points. Then each answer is wrong in turn.
- exercises/, untouched: every check says "Not attempted" and gives 0. Then each answer alone is filled in.

Everywhere a cell fails that raises or writes to stderr.
"""

import os
import re
import tempfile
from collections import defaultdict
from pathlib import Path
from unittest import mock

import nbformat
from nbval.plugin import IPyNbCell, IPyNbFile

from tools.execute import WIDGET, environment

FOLDERS = ("notebooks", "solutions", "exercises")
# Run before and after the cells: see states.py.
FOLLOW = "from tests.notebooks.states import Run as _Run\n_run = _Run(get_ipython(), {name!r})"
STATES = {"solutions": ("Each answer wrong", "_run.each_answer_wrong()"),
          "exercises": ("Each answer alone", "_run.each_answer_alone()")}
DRIVE = Path(__file__).with_name("drive.py").read_text(encoding="utf-8") + "\nawait drive()\n"


def pytest_collect_file(file_path, parent):
    folder = (
        file_path.relative_to(parent.config.rootpath).parts[0]
        if file_path.is_relative_to(parent.config.rootpath)
        else ""
    )
    # What `make restore` and `make repair` put beside a notebook is the learner's.
    copies = re.search(r"-(fresh|before-repair)\b", file_path.stem)
    if file_path.suffix == ".ipynb" and folder in FOLDERS and ".ipynb_checkpoints" not in file_path.parts and not copies:
        return Notebook.from_parent(parent, path=file_path)
    return None


class Notebook(IPyNbFile):
    """A built notebook, run in the same environment as the build runs it."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.folder = self.path.relative_to(self.config.rootpath).parts[0]
        self.compare_outputs = self.folder == "notebooks"

    def setup(self):
        self.scratch = tempfile.TemporaryDirectory()
        with mock.patch.dict(os.environ, environment(self.scratch.name), clear=True):
            super().setup()
        if self.folder in STATES:
            self.kernel.await_reply(self.kernel.execute_cell_input(FOLLOW.format(name=self.path.name)))

    def teardown(self):
        super().teardown()
        self.scratch.cleanup()

    def collect(self):
        cells = list(super().collect())
        more = {}
        if any(".show()" in item.cell.source for item in cells):
            more["Every control"] = DRIVE
        if self.folder in STATES:
            more |= [STATES[self.folder]]
        for item in cells:
            yield Cell.from_parent(self, name=item.name, cell_num=item.cell_num, cell=item.cell, options=item.options)
        for number, (name, source) in enumerate(more.items(), len(cells)):
            cell = nbformat.v4.new_code_cell(source)
            yield Cell.from_parent(self, name=name, cell_num=number, cell=cell, options=defaultdict(bool))


def kinds(outputs):
    """What a page can show of each output, such as a picture with its words; views of widgets live in a kernel only."""
    found = [sorted(set(output.get("data", {})) - {WIDGET}) or output.output_type for output in outputs]
    found = [kind for kind, output in zip(found, outputs) if kind != output.output_type or output.output_type == "stream"]
    return [kind for kind, before in zip(found, [None, *found]) if kind != "stream" or before != "stream"]


class Cell(IPyNbCell):
    """A cell that must be silent on stderr, and give the points that its folder promises."""

    def runtest(self):
        super().runtest()
        for output in self.test_outputs:
            if output.get("name") == "stderr":
                self.raise_cell_error(f"The cell wrote to stderr: {output.text}")
        if self.parent.compare_outputs and "outputs" in self.cell:
            there, now = kinds(self.cell.outputs), kinds(self.test_outputs)
            if self.cell.execution_count is not None and there != now:
                self.raise_cell_error(f"The file shows outputs of the kinds {there}; the cell gave {now}")
        grading = self.cell.metadata.get("nbgrader", {})
        if grading.get("grade"):
            self._require_points(grading["points"] if self.parent.folder == "solutions" else 0)

    def _require_points(self, points):
        results = [output.data for output in self.test_outputs if output.output_type == "execute_result"]
        if [result.get("text/plain") for result in results] != [repr(float(points))]:
            self.raise_cell_error(f"The check should give {float(points)}; it gave {results}")
        if not points and "Not attempted" not in results[0]["text/html"]:
            self.raise_cell_error(
                f"The check of an untouched cell should say 'Not attempted'; it says {results[0]['text/html']}"
            )
