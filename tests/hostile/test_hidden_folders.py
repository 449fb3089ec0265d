"""The folder of all submissions is covered, wherever a file lies, and never what the judge itself needs."""

import shutil
import sys
from pathlib import Path

import pytest

from classroom.judge import everybodys, judge
from tests.hostile.corpus import CHAPTER, ROOT


@pytest.mark.parametrize(("path", "covered"), [
    ("/course/submitted/ada/01_neuron/01_neuron.ipynb", "/course/submitted"),
    (f"{ROOT}/submitted/ada/01_neuron/01_neuron.ipynb", f"{ROOT}/submitted"),
    (f"{ROOT}/ada.ipynb", f"{ROOT}/ada.ipynb"),
    (f"{Path(sys.prefix).resolve()}/ada.ipynb", f"{Path(sys.prefix).resolve()}/ada.ipynb"),
])
def test_what_is_covered(path, covered):
    assert everybodys(Path(path)) == Path(covered)


def test_a_file_beside_the_course_is_judged(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / "ada.ipynb"
    shutil.copy(ROOT / "solutions" / CHAPTER / f"{CHAPTER}.ipynb", path)
    report = judge(path, CHAPTER)
    assert report.total == report.available
