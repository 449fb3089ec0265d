"""An update keeps every answer: from a git remote on this disk, and from a folder."""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from course.grading import cells, files
from tools import update as tool
from tools.update import UpdateError, update

ROOT = Path(__file__).parents[2]
NAME = "03_gradient_descent"
SOLVED = json.loads((ROOT / "solutions" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8"))
MINE = "def gradient(x, y, w, b):\n    return 'mine'"
WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b",
       "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def git(folder, *arguments):
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True,
                          env=os.environ | WHO).stdout


def cell(notebook, id):
    return next(cell for cell in notebook["cells"] if cell["id"] == id)


def publish(folder, solved, name=NAME):
    """Write a version of the course: solutions, exercises, a lesson, a module."""
    for part, notebook in (("solutions", solved), ("exercises", cells.release(solved))):
        (folder / part / name).mkdir(parents=True, exist_ok=True)
        files.write(folder / part / name / f"{name}.ipynb", notebook)
    (folder / "notebooks").mkdir(exist_ok=True)
    (folder / "notebooks" / "lesson.ipynb").write_text(f"{len(solved['cells'])}", encoding="utf-8")
    (folder / "bplib.py").write_text(f"version = {len(solved['cells'])}\n", encoding="utf-8")


def newer():
    """The next version: a sentence more, one task changed, one gone."""
    solved = copy.deepcopy(SOLVED)
    solved["cells"].insert(1, {"cell_type": "markdown", "id": "news", "metadata": {}, "source": ["A new sentence."]})
    changed = cell(solved, "gradient_descent-step-answer")
    changed["source"] = "".join(changed["source"]).replace("def step(x, y, w, b, lr)", "def step(x, y, w, b, rate)")
    gone = ("gradient_descent-descend-answer", "gradient_descent-descend")
    solved["cells"] = [other for other in solved["cells"] if other["id"] not in gone]
    return solved


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A learner's clone, in a folder with a space and an umlaut, of a course whose remote has gone on."""
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    author, remote, mine = tmp_path / "author", tmp_path / "remote.git", tmp_path / "mein kürs"
    author.mkdir()
    git(author, "init", "--quiet", "--initial-branch=main")
    publish(author, SOLVED)
    git(author, "add", "-A")
    git(author, "commit", "--quiet", "-m", "one")
    git(tmp_path, "clone", "--quiet", "--bare", str(author), str(remote))
    git(tmp_path, "clone", "--quiet", str(remote), str(mine))
    publish(author, newer())
    git(author, "commit", "--quiet", "-am", "two")
    git(author, "push", "--quiet", str(remote), "main")
    return mine


def work(course):
    """What a learner does: answers, an added cell, a file of their own, a lesson that was run."""
    path = course / "exercises" / NAME / f"{NAME}.ipynb"
    notebook = files.read(path)
    cell(notebook, "gradient_descent-gradient-answer")["source"] = MINE
    cell(notebook, "gradient_descent-step-answer")["source"] = "step = 'mine too'"
    cell(notebook, "gradient_descent-descend-answer")["source"] = "descend = 'mine, and gone'"
    at = notebook["cells"].index(cell(notebook, "gradient_descent-gradient")) + 1
    notebook["cells"].insert(at, {"cell_type": "code", "id": "try", "metadata": {}, "source": "gradient(1)", "outputs": [],
                                  "execution_count": None})
    files.write(path, notebook)
    (course / "exercises" / NAME / "notes ä.txt").write_text("mine", encoding="utf-8")
    (course / "notebooks" / "lesson.ipynb").write_text("run", encoding="utf-8")
    return path.read_bytes()


def test_an_update_from_git_keeps_every_answer(course):
    before, said = work(course), []
    update("origin", course, said.append)
    carried_over(course, before, "\n".join(said))
    assert git(course, "log", "-1", "--format=%s").strip() == "two"
    said.clear()
    update("origin", course, said.append)
    assert said == ["The course is up to date. Nothing was changed."]


def test_an_update_from_a_folder_keeps_every_answer(course, tmp_path):
    before, said = work(course), []
    new = tmp_path / "neue Version ü"
    publish(new, newer())
    (new / "added.py").write_text("x = 1\n", encoding="utf-8")
    (new / ".git").write_text("gitdir: elsewhere", encoding="utf-8")
    (new / ".venv").mkdir()
    (new / ".venv" / "big.py").write_text("x = 1\n", encoding="utf-8")
    (course / "old.py").write_text("left\n", encoding="utf-8")
    update(str(new), course, said.append)
    carried_over(course, before, "\n".join(said))
    assert (course / "added.py").exists()
    assert (course / "old.py").exists()
    assert not (course / ".venv").exists()
    said.clear()
    update(str(new), course, said.append)
    assert [line for line in said if "answers" in line] == [f"exercises/{NAME}/{NAME}.ipynb: 2 answers carried over."]
    assert answers(course) == [MINE, "step = 'mine too'"]


def former(solved):
    """The same notebook as it was released when the chapter's exercises were called otherwise."""
    return json.loads(json.dumps(solved).replace("gradient_descent-", "descent-").replace("gradient_descent.", "descent."))


def test_answers_of_a_chapter_that_got_another_name_are_carried_over(tmp_path, monkeypatch):
    course, new, said = tmp_path / "mine", tmp_path / "new", []
    publish(course, former(SOLVED))
    publish(new, newer())
    path = course / "exercises" / NAME / f"{NAME}.ipynb"
    notebook = files.read(path)
    cell(notebook, "descent-gradient-answer")["source"] = MINE
    cell(notebook, "descent-step-answer")["source"] = "step = 'mine too'"
    files.write(path, notebook)
    update(str(new), course, said.append)
    assert f"exercises/{NAME}/{NAME}.ipynb: 2 answers carried over." in said
    assert answers(course) == [MINE, "step = 'mine too'"]
    assert cells.faults(files.read(path), cells.release(newer())) == []


def test_answers_that_an_older_version_left_behind_are_carried_from_saved(tmp_path):
    course, said = tmp_path / "mine", []
    publish(course, newer())
    left = former(cells.release(SOLVED))
    cell(left, "descent-gradient-answer")["source"] = MINE
    place = course / "saved" / "2026-01-01" / "exercises" / NAME
    place.mkdir(parents=True)
    files.write(place / f"{NAME}.ipynb", left)
    path = course / "exercises" / NAME / f"{NAME}.ipynb"
    before = path.read_bytes()
    update(str(course / "saved" / "2026-01-01"), course, said.append)
    assert answers(course)[0] == MINE
    (kept,) = [folder for folder in (course / "saved").iterdir() if folder.name != "2026-01-01"]
    assert (kept / "exercises" / NAME / f"{NAME}.ipynb").read_bytes() == before
    assert not (kept / tool.MARK).exists()


def answers(course):
    notebook = files.read(course / "exercises" / NAME / f"{NAME}.ipynb")
    return ["".join(cell(notebook, f"gradient_descent-{name}-answer")["source"]) for name in ("gradient", "step")]


def carried_over(course, before, said):
    """The new version is there, with the answers in it, and the old files are kept."""
    notebook = files.read(course / "exercises" / NAME / f"{NAME}.ipynb")
    release = cells.release(newer())
    assert cells.faults(notebook, release) == []
    assert cell(notebook, "news")["source"] == ["A new sentence."]
    assert answers(course) == [MINE, "step = 'mine too'"]
    ids = [other["id"] for other in notebook["cells"]]
    assert ids.index("try") == ids.index("gradient_descent-gradient") + 1
    assert "gradient_descent.step: the task has changed" in said
    assert "gradient_descent.descend: there is no such task any more" in said
    (saved,) = (course / "saved").iterdir()
    assert (saved / "exercises" / NAME / f"{NAME}.ipynb").read_bytes() == before
    assert (saved / "notebooks" / "lesson.ipynb").read_text(encoding="utf-8") == "run"
    assert f"saved/{saved.name}" in said
    assert not (saved / tool.MARK).exists()
    assert (course / "exercises" / NAME / "notes ä.txt").read_text(encoding="utf-8") == "mine"
    assert (course / "notebooks" / "lesson.ipynb").read_text(encoding="utf-8") == str(len(newer()["cells"]))
    assert "version" in (course / "bplib.py").read_text(encoding="utf-8")


def test_with_nothing_changed_nothing_is_saved(course):
    said = []
    update("origin", course, said.append)
    assert not (course / "saved").exists()
    assert len(said) == 1
    assert git(course, "status", "--porcelain") == ""


def test_two_updates_on_one_day_have_a_folder_each(course):
    work(course)
    (course / "saved").mkdir()
    update("origin", course, lambda line: None)
    lesson = course / "notebooks" / "lesson.ipynb"
    author = course.parent / "author"
    lesson.write_text("run again", encoding="utf-8")
    (author / "bplib.py").write_text("version = 3\n", encoding="utf-8")
    git(author, "commit", "--quiet", "-am", "three")
    git(author, "push", "--quiet", str(course.parent / "remote.git"), "main")
    update("origin", course, lambda line: None)
    first, second = sorted((course / "saved").iterdir())
    assert second.name == f"{first.name}-2"
    assert (second / "notebooks" / "lesson.ipynb").read_text(encoding="utf-8") == "run again"
    assert answers(course)[0] == MINE


def refused(course, words, source="origin"):
    """The update is refused, and every file is what it was."""
    def everything():
        return {path: path.read_bytes() for path in course.rglob("*") if path.is_file()
                and not {".git", "saved"} & set(path.relative_to(course).parts)}

    work(course)
    before, head = everything(), git(course, "rev-parse", "HEAD")
    with pytest.raises(UpdateError, match=words):
        update(source, course, lambda line: None)
    assert everything() == before
    assert git(course, "rev-parse", "HEAD") == head


def test_a_change_outside_the_notebooks_is_not_overwritten(course):
    (course / "bplib.py").write_text("mine\n", encoding="utf-8")
    refused(course, "git merge says")


def test_commits_of_one_s_own_are_not_touched(course):
    (course / "own.txt").write_text("own", encoding="utf-8")
    git(course, "add", "own.txt")
    git(course, "commit", "--quiet", "-m", "own")
    refused(course, "has commits of its own")


def test_a_source_that_is_not_there(course):
    refused(course, "git fetch says", "nowhere")


def test_the_course_itself_is_no_new_version(course):
    refused(course, "this course itself", str(course))


def test_a_folder_without_git_says_what_to_do(tmp_path):
    with pytest.raises(UpdateError, match="make update FROM=folder"):
        update("origin", tmp_path)


def test_without_git_on_the_computer(course, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UpdateError, match="no git on this computer"):
        update("origin", course)


def test_a_notebook_that_is_broken_is_kept_and_said(course):
    path, said = course / "exercises" / NAME / f"{NAME}.ipynb", []
    path.write_text("<<<<<<< mine", encoding="utf-8")
    update("origin", course, said.append)
    assert "no answer could be carried" in "\n".join(said)
    (saved,) = (course / "saved").iterdir()
    assert (saved / "exercises" / NAME / path.name).read_text(encoding="utf-8") == "<<<<<<< mine"
    assert files.read(path) == cells.release(newer()) | {"cells": files.read(path)["cells"]}


def test_a_deleted_notebook_comes_back_and_a_staged_one_is_kept(course):
    (course / "notebooks" / "lesson.ipynb").unlink()
    before = work(course)
    git(course, "add", "-A")
    update("origin", course, lambda line: None)
    (saved,) = (course / "saved").iterdir()
    assert (saved / "exercises" / NAME / f"{NAME}.ipynb").read_bytes() == before
    assert answers(course)[0] == MINE


def test_a_chapter_that_moved_takes_its_answers_along(course):
    author = course.parent / "author"
    for part in ("solutions", "exercises"):
        shutil.rmtree(author / part)
    publish(author, newer(), "04_descent")
    git(author, "add", "-A")
    git(author, "commit", "--quiet", "-m", "moved")
    git(author, "push", "--quiet", str(course.parent / "remote.git"), "main")
    work(course)
    update("origin", course, lambda line: None)
    notebook = files.read(course / "exercises" / "04_descent" / "04_descent.ipynb")
    assert "".join(cell(notebook, "gradient_descent-gradient-answer")["source"]) == MINE


def test_a_file_in_the_way_of_a_new_one_is_kept(course):
    author = course.parent / "author"
    (author / "notebooks" / "extra.ipynb").write_text("theirs", encoding="utf-8")
    git(author, "add", "-A")
    git(author, "commit", "--quiet", "-m", "extra")
    git(author, "push", "--quiet", str(course.parent / "remote.git"), "main")
    (course / "notebooks" / "extra.ipynb").write_text("mine", encoding="utf-8")
    update("origin", course, lambda line: None)
    assert (course / "notebooks" / "extra.ipynb").read_text(encoding="utf-8") == "theirs"
    (saved,) = (course / "saved").iterdir()
    assert (saved / "notebooks" / "extra.ipynb").read_text(encoding="utf-8") == "mine"


def test_an_interrupt_in_the_middle_puts_everything_back(course, monkeypatch):
    before, run = work(course), tool._run

    def interrupted(folder, *arguments):
        if arguments[0] == "merge":
            raise KeyboardInterrupt
        return run(folder, *arguments)

    monkeypatch.setattr(tool, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        update("origin", course, lambda line: None)
    assert (course / "exercises" / NAME / f"{NAME}.ipynb").read_bytes() == before


KILLED = """
import os, signal, sys
from tools import update as tool
run = tool._run
def killed(folder, *arguments):
    if arguments[0] == "merge":
        os.kill(os.getpid(), signal.SIGKILL)
    return run(folder, *arguments)
tool._run = killed
tool.update("origin", sys.argv[1])
"""


def test_an_update_that_was_killed_is_told_of_and_has_kept_everything(course):
    before, said = work(course), []
    killed = subprocess.run([sys.executable, "-c", KILLED, str(course)], cwd=ROOT, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    (saved,) = (course / "saved").iterdir()
    assert (saved / "exercises" / NAME / f"{NAME}.ipynb").read_bytes() == before
    update("origin", course, said.append)
    assert "cut off" in said[0]
    assert str(saved) in said[0]


def test_the_command_line(capsys, monkeypatch):
    def failing(source):
        raise UpdateError(f"no {source}")

    monkeypatch.setattr(tool, "update", failing)
    assert tool.main([]) == 1
    assert capsys.readouterr().err == "no origin\n"
    monkeypatch.setattr(tool, "update", lambda source: print("done", source))
    assert tool.main(["a folder"]) == 0
    assert capsys.readouterr().out == "done a folder\n"
