"""Check cells that were edited, lost or doubled: noticed, named and put back, and no answer is touched."""

import copy
import json
import os
import stat
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from jupyter_server.services.sessions.sessionmanager import SessionManager
from nbgrader.utils import compute_checksum

from course import check
from course.__main__ import main
from course.grading import cells, files

ROOT = Path(__file__).parents[2]
KNOWN = cells.releases()
NAME = "03_gradient_descent"
MINE = "def gradient(x, y, w, b):\n    return 'mine, with an ä and a \\\\'\n"


def twice(x):
    return 2 * x


@pytest.fixture
def learners():
    """A notebook of chapter 03 with an answer and an added cell."""
    notebook = copy.deepcopy(KNOWN[NAME])
    cell(notebook, "gradient_descent-gradient-answer")["source"] = MINE
    added = {"cell_type": "code", "id": "a1", "metadata": {}, "source": ["2 + 2\n", "3"], "outputs": [], "execution_count": 3}
    notebook["cells"].insert(place(notebook, "gradient_descent-gradient") + 1, added)
    return notebook


def place(notebook, id):
    return [cell["id"] for cell in notebook["cells"]].index(id)


def cell(notebook, id):
    return notebook["cells"][place(notebook, id)]


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_released_is_what_nbgrader_released(name):
    shipped = json.loads((ROOT / "exercises" / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert KNOWN[name] == shipped
    assert cells.faults(shipped, KNOWN[name]) == []
    assert cells.find_release(shipped, KNOWN) == name
    for graded in nbformat.reads(json.dumps(shipped), as_version=4).cells:
        if "nbgrader" in graded.metadata:
            assert graded.metadata.nbgrader.checksum == compute_checksum(graded)


def edited(notebook):
    cell(notebook, "gradient_descent-step")["source"] = 'check("gradient_descent.step", gradient)'


def deleted(notebook):
    notebook["cells"].pop(place(notebook, "gradient_descent-step"))


def turned_to_prose(notebook):
    target = cell(notebook, "gradient_descent-step")
    target["cell_type"] = "markdown"
    for key in ("outputs", "execution_count"):
        del target[key]


def pasted_twice(notebook):
    notebook["cells"].insert(3, copy.deepcopy(cell(notebook, "gradient_descent-step")) | {"id": "pasted"})


def answer_pasted_twice(notebook):
    at = place(notebook, "gradient_descent-gradient-answer")
    notebook["cells"].insert(at, copy.deepcopy(notebook["cells"][at]) | {"id": "pasted", "source": "def gradient(x): pass"})


def answer_deleted(notebook):
    notebook["cells"].pop(place(notebook, "gradient_descent-step-answer"))


def marks_lost(notebook):
    for other in notebook["cells"]:
        other["metadata"] = {}


def marks_and_ids_lost(notebook):
    marks_lost(notebook)
    for i, other in enumerate(notebook["cells"]):
        other["id"] = f"new-{i}"


def first_half_lost(notebook):
    del notebook["cells"][: place(notebook, "gradient_descent-step") + 1]


DAMAGES = {
    edited: ["The check cell of gradient_descent.step was edited."],
    deleted: ["The check cell of gradient_descent.step is missing."],
    turned_to_prose: ["The check cell of gradient_descent.step was edited."],
    pasted_twice: ["The check cell of gradient_descent.step is there twice."],
    answer_pasted_twice: ["The answer cell of gradient_descent.gradient is there twice."],
    answer_deleted: ["The answer cell of gradient_descent.step is missing."],
    marks_lost: None,
    marks_and_ids_lost: None,
    first_half_lost: None,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_and_put_right(damage, learners):
    damage(learners)
    before, found = copy.deepcopy(learners), cells.faults(learners, KNOWN[NAME])
    assert found
    assert DAMAGES[damage] in (None, list(map(str, found)))
    fixed, lines = cells.repair(learners, KNOWN[NAME])
    assert learners == before
    assert len(lines) == len(found)
    assert cells.faults(fixed, KNOWN[NAME]) == []
    nbformat.validate(nbformat.from_dict(fixed))
    for key, right in cells.graded(KNOWN[NAME]).items():
        (mine,) = [other for other in fixed["cells"] if other["metadata"].get("nbgrader", {}).get("grade_id") == key]
        if right["metadata"]["nbgrader"]["locked"]:
            assert mine == right
    kept = ["".join(other["source"]) for other in fixed["cells"]]
    if damage is not first_half_lost:
        assert MINE in kept
        assert "2 + 2\n3" in kept
    order = [other["id"] for other in fixed["cells"] if other["id"] in cells.graded(KNOWN[NAME])]
    if damage is not marks_and_ids_lost:
        assert order == list(cells.graded(KNOWN[NAME]))
    assert cells.repair(fixed, KNOWN[NAME]) == (fixed, [])


def test_a_sound_notebook_has_no_faults(learners):
    assert cells.faults(learners, KNOWN[NAME]) == []
    cell(learners, "gradient_descent-step")["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    cell(learners, "gradient_descent-step")["execution_count"] = 7
    assert cells.repair(learners, KNOWN[NAME]) == (learners, [])


# What a check says.


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A function that writes a notebook as the one that runs here."""
    path = tmp_path / "ein Übungsheft mit Leerzeichen.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))

    def write(notebook):
        path.write_text(json.dumps(notebook), encoding="utf-8")
        os.utime(path, ns=(time.time_ns(), time.time_ns()))
        return path

    return write


@pytest.mark.parametrize("damage", [edited, deleted, pasted_twice, answer_pasted_twice])
def test_a_check_says_what_was_edited_and_how_to_put_it_right(damage, learners, opened):
    opened(learners)
    assert check("start_here.twice", twice).notes == []
    damage(learners)
    path = opened(learners)
    result = check("start_here.twice", twice)
    assert float(result) == 1
    assert DAMAGES[damage][0] in str(result)
    assert f'make repair NOTEBOOK="{path}"' in str(result)
    assert DAMAGES[damage][0] in result._repr_html_()
    opened(cells.repair(learners, KNOWN[NAME])[0])
    assert check("start_here.twice", twice).notes == []


def test_many_faults_are_said_in_few_words(learners, opened):
    for other in learners["cells"]:
        if other["metadata"].get("nbgrader", {}).get("grade"):
            other["source"] = "check()"
    opened(learners)
    assert "And 5 more." in str(check("start_here.twice", twice))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"3", b'{"cells": 3}', b'{"cells": [{}]}', b"[" * 100_000])
def test_what_is_no_notebook_is_passed_over(content, opened, capfd):
    opened({}).write_bytes(content)
    result = check("start_here.twice", twice)
    assert (float(result), result.notes) == (1.0, [])
    assert capfd.readouterr() == ("", "")


def test_a_notebook_of_somebody_s_own_is_passed_over(learners, opened):
    few = learners | {"cells": [cell(learners, id) for id in ("gradient_descent-gradient-answer", "gradient_descent-gradient")]}
    opened(few)
    assert check("start_here.twice", twice).notes == []
    opened(learners | {"cells": []})
    assert check("start_here.twice", twice).notes == []


def test_where_the_editor_does_not_say_which_notebook_it_is(monkeypatch, tmp_path):
    for name in ("", str(tmp_path / "gone.ipynb"), "a-session-without-a-file", str(tmp_path)):
        monkeypatch.setenv("JPY_SESSION_NAME", name)
        assert cells.complaints() == []
    monkeypatch.delenv("JPY_SESSION_NAME")
    assert cells.complaints() == []
    assert cells.complaints(tmp_path) == []


def test_the_server_tells_a_kernel_its_notebook(tmp_path, monkeypatch):
    """Jupyter's own code gives the variable that `notebook_path` reads."""
    path = tmp_path / "ein Heft.ipynb"
    path.write_text("{}", encoding="utf-8")
    server = SimpleNamespace(kernel_manager=SimpleNamespace(cwd_for_path=lambda path: str(tmp_path)))
    told = SessionManager.get_kernel_env(server, "ein Heft.ipynb", "ein Heft.ipynb")["JPY_SESSION_NAME"]
    monkeypatch.setenv("JPY_SESSION_NAME", told)
    assert cells.notebook_path() == path


def test_the_other_editor_s_name_for_the_file(learners, tmp_path, monkeypatch):
    path = tmp_path / "code.ipynb"
    deleted(learners)
    path.write_text(json.dumps(learners), encoding="utf-8")
    shell = SimpleNamespace(user_ns={"__vsc_ipynb_file__": str(path)})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert "gradient_descent.step is missing" in cells.complaints()[0]


def test_a_notebook_is_read_again_only_when_it_has_changed(learners, opened, monkeypatch):
    reads = []
    monkeypatch.setattr(cells, "_look", lambda path, known: reads.append(path) or [])
    opened(learners)
    for _ in range(3):
        check("start_here.twice", twice)
    assert len(reads) == 1


# The commands.


@pytest.fixture
def course(tmp_path, learners):
    """A folder of the course with chapter 03, whose name is long and not in ASCII, and the learner's notebook in it."""
    root = tmp_path / ("kurs größe " + "x" * 150)
    for folder in ("solutions", "exercises"):
        (root / folder / NAME).mkdir(parents=True)
    (root / "solutions" / NAME / f"{NAME}.ipynb").write_bytes((ROOT / "solutions" / NAME / f"{NAME}.ipynb").read_bytes())
    files.write(root / "exercises" / NAME / f"{NAME}.ipynb", learners)
    yield root
    cells.releases.cache_clear()


def mine(course):
    return course / "exercises" / NAME / f"{NAME}.ipynb"


def test_restore_never_overwrites(course):
    before = mine(course).read_bytes()
    fresh = [files.restore("03", course) for _ in range(3)]
    assert [path.name for path in fresh] == [f"{NAME}-fresh{ending}.ipynb" for ending in ("", "-2", "-3")]
    assert all(json.loads(path.read_text(encoding="utf-8")) == KNOWN[NAME] for path in fresh)
    assert mine(course).read_bytes() == before
    for wrong in ("04", "x", "3"):
        with pytest.raises(files.FileError, match="There are 03_gradient_descent"):
            files.restore(wrong, course)


def test_repair_keeps_the_old_file_and_every_answer(course, learners):
    deleted(learners)
    files.write(mine(course), learners)
    mine(course).chmod(0o640)
    before = mine(course).read_bytes()
    lines = files.repair(mine(course), course)
    assert lines[0] == "The check cell of gradient_descent.step is missing: put back."
    kept = next(path for path in mine(course).parent.iterdir() if "before-repair" in path.name)
    assert kept.name in "\n".join(lines)
    assert kept.read_bytes() == before
    fixed = files.read(mine(course))
    assert "".join(cell(fixed, "gradient_descent-gradient-answer")["source"]) == MINE
    assert cells.faults(fixed, KNOWN[NAME]) == []
    assert stat.S_IMODE(mine(course).stat().st_mode) == 0o640
    assert "Nothing was changed" in files.repair(f"{NAME}.ipynb", course)[0]
    assert len(list(mine(course).parent.iterdir())) == 2


def test_an_old_format_without_ids_is_repaired(course, learners):
    for other in learners["cells"]:
        del other["id"]
    deletable = [other for other in learners["cells"] if "gradient_descent.step" not in cells.source(other)]
    mine(course).write_text(json.dumps(learners | {"nbformat_minor": 2, "cells": deletable}), encoding="utf-8")
    assert "gradient_descent.step is missing" in files.repair(mine(course), course)[0]
    fixed = nbformat.read(mine(course), as_version=4)
    nbformat.validate(fixed)
    assert MINE in [other.source for other in fixed.cells]


def test_an_interrupted_repair_leaves_the_file_whole(course, learners, monkeypatch):
    deleted(learners)
    files.write(mine(course), learners)
    before = mine(course).read_bytes()

    def interrupted(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.repair(mine(course), course)
    assert mine(course).read_bytes() == before
    assert not list(mine(course).parent.glob(".*"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a notebook"),
        (b"<<<<<<< HEAD\n{", "merged by git"),
        (b"\xff\xfe\x00", "is not text in UTF-8"),
        (b"[]", "is not a notebook"),
        (b'{"cells": 3, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "is not a notebook"),
        (b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "has no cell of the course"),
        (b"[" * 100_000, "is not a notebook"),
    ],
)
def test_what_is_no_notebook_is_left_alone_and_said(content, words, course):
    mine(course).write_bytes(content)
    with pytest.raises(files.FileError, match=words):
        files.repair(mine(course), course)
    assert mine(course).read_bytes() == content
    assert len(list(mine(course).parent.iterdir())) == 1
    if "no cell" not in words:
        lines, well = files.doctor(course=course)
        assert not well
        assert words in "\n".join(lines)


def test_the_doctor_names_each_fault(course, learners):
    lines, well = files.doctor(course=course)
    assert well
    assert lines[-1] == "All is well."
    deleted(learners)
    files.write(mine(course), learners)
    lines, well = files.doctor([f"{NAME}.ipynb"], course)
    assert not well
    assert "gradient_descent.step is missing" in "\n".join(lines)
    assert "make repair" in "\n".join(lines)
    with pytest.raises(files.FileError, match="There is no file"):
        files.doctor(["nowhere.ipynb"], course)
    with pytest.raises(files.FileError, match="Run this in the folder of the course"):
        files.doctor(course=course / "exercises")


def test_a_folder_that_cannot_be_written(course, learners, monkeypatch):
    deleted(learners)
    files.write(mine(course), learners)
    before = mine(course).read_bytes()

    def refused(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.tempfile, "mkstemp", refused)
    monkeypatch.setattr(Path, "write_bytes", refused)
    for command in (lambda: files.repair(mine(course), course), lambda: files.restore("03", course)):
        with pytest.raises(files.FileError, match=r"nothing can be written \(Permission denied\)"):
            command()
    assert mine(course).read_bytes() == before


def test_the_command_line(capsys, course, monkeypatch, progress_file):
    for module in (files.restore, files.repair, files.doctor):
        monkeypatch.setattr(module, "__defaults__", (*module.__defaults__[:-1], course))
    for arguments, code, words in (
        (["doctor"], 0, "All is well."),
        (["progress"], 0, "00 Start here"),
        (["review"], 0, "Nothing to review."),
        (["reset"], 0, "reset --confirm"),
        (["reset", "start_here.twcie", "--confirm"], 0, "Did you mean"),
        (["reset", "--confirm"], 0, "no progress yet"),
        (["restore", "03"], 0, f"{NAME}-fresh.ipynb"),
        (["restore", "77"], 1, "No chapter's exercises begin with '77'"),
        (["repair", f"{NAME}.ipynb"], 0, "Nothing was changed"),
        (["repair", "nowhere.ipynb"], 1, "There is no file"),
    ):
        assert main(arguments) == code, arguments
        said = capsys.readouterr()
        assert words in (said.err if code else said.out)
    check("start_here.twice", twice)
    assert main(["reset", "start_here.twice", "--confirm"]) == 0
    assert "before-reset" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["erase"])
    assert "invalid choice" in capsys.readouterr().err


def test_the_doctor_says_where_progress_is_not_kept(monkeypatch, tmp_path, progress_file):
    check("start_here.twice", twice)
    assert "in order" in files.doctor()[0][0]
    monkeypatch.setattr(files.os, "access", lambda *arguments: False)
    lines, well = files.doctor()
    assert not well
    assert "cannot be read and written" in lines[0]
    monkeypatch.delenv("BPLIB_PROGRESS")
    for name in ("APPDATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)

    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    assert "no home folder" in files.doctor()[0][0]
