"""Adding a chapter is adding folders: in a copy of the course, one is written, built and tested, and no other file changes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import chapter as tool, source
from tools.chapter import ChapterError

ROOT = Path(__file__).parents[2]
OWN = ("course/ch23_trial_run/", "docs/kill-matrix/23_trial_run.md", "exercises/23_trial_run/", "notebooks/23_trial_run.ipynb",
       "solutions/23_trial_run/", "tests/chapters/ch23_trial_run/")
LISTS = {"README.md", "docs/kill-matrix.md"}  # made from all chapters; nobody edits what these commands write
WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b",
       "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the course, committed in a repository of its own."""
    folder = tmp_path_factory.mktemp("copy")
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True,
                           text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for arguments in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "one"]):
        subprocess.run(["git", *arguments], cwd=folder, env=os.environ | WHO, check=True)
    return folder


def run(folder, *arguments):
    """A Python module in a folder; gives what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, env=environment, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def changed(folder):
    """The files that differ from what was committed, and the folders that are new."""
    listed = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True).stdout
    return {line[3:] for line in listed.splitlines()}


def test_a_new_chapter_builds_and_passes_its_tests_and_nothing_else_changes(copy):
    run(copy, "tools.chapter", "23", "trial_run")
    assert changed(copy) == {name for name in OWN if name.startswith(("course/", "tests/"))}
    run(copy, "tools.build", "23")
    assert "mutants: 1" in run(copy, "course.grading.kill_matrix", "docs", "23")
    assert changed(copy) == {*OWN, *LISTS}
    run(copy, "ruff", "check", *OWN[:1], *OWN[-1:])
    said = run(copy, "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "--chapter", "23")
    assert int(re.search(r"(\d+) passed", said)[1]) > 30
    assert changed(copy) == {*OWN, *LISTS}


def test_the_neighbours_only_learn_the_way_to_it(copy):
    """What a build of everything would write beside the new chapter: the link to it at the end of the last one."""
    tool.write(copy, "24", "after_all")
    try:
        before, last = source.chapters(copy)[-3:-1]
        assert "24_after_all" in source.lesson(last).cells[-1].source
        assert "24_after_all" not in source.lesson(before).cells[-1].source
    finally:
        for name in ("course/ch24_after_all", "tests/chapters/ch24_after_all"):
            shutil.rmtree(copy / name)


@pytest.mark.parametrize(
    ("number", "name", "words"),
    [
        ("7", "example", "two digits"),
        ("abc", "example", "two digits"),
        ("", "", "two digits"),
        ("23", "", "small letters"),
        ("23", "Big", "small letters"),
        ("23", "two words", "small letters"),
        ("23", "../evil", "small letters"),
        ("23", "class", "small letters"),
        ("23", "a__b", "small letters"),
        ("05", "example", "There is ch05_chain_rule already"),
        ("23", "chain_rule", "There is ch05_chain_rule already"),
        ("23", "slopes", "There is ch04_finite_differences already"),
    ],
)
def test_a_number_or_name_that_cannot_be_is_refused(number, name, words, copy):
    before = changed(copy)
    with pytest.raises(ChapterError, match=words):
        tool.write(copy, number, name)
    assert changed(copy) == before


def test_the_command_says_what_is_wrong(capsys):
    assert tool.main(["05", "example"]) == 1
    assert "There is ch05_chain_rule already" in capsys.readouterr().err
