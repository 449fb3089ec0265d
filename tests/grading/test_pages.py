"""Where a learner is, where a right answer sends them, what it says of itself, and links that open."""

import html
import json
import pickle
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from course import check, hint, progress
from course.catalogue import chapters, exercises
from course.grading import pages
from course.grading.core import CORRECT, Exercise, Mutant
from course.grading.feedback import Notice
from course.grading.progress import record

ROOT = Path(__file__).parents[2]
GROUPS = {chapter.name: chapter for chapter in chapters() if chapter.exercises}
ALL = [exercise for chapter in GROUPS.values() for exercise in chapter.exercises]
FIRST, SECOND, *_, LAST = chapters()


def twice(x):
    return 2 * x


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A function that makes a folder the working one."""
    def go(folder):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)

    return go


# Where you are.


@pytest.mark.parametrize("name", GROUPS)
def test_the_chapter_of_the_folder_comes_first_in_progress(name, stand_in):
    usual = headings(progress())
    stand_in(f"exercises/{name}")
    assert headings(progress()) == [GROUPS[name].heading, *(h for h in usual if h != GROUPS[name].heading)]
    first = re.search(r"<th[^>]*>([^<]*)", progress()._repr_html_())[1]
    assert html.unescape(first) == GROUPS[name].heading
    assert repr(progress()).splitlines()[-1] == f"0 of {sum(e.points for e in ALL):g} points"


def headings(shown):
    """The chapters of a table in their order."""
    return [line for line in repr(shown).splitlines()[:-1] if not line.startswith(" ")]


@pytest.mark.parametrize("file", ["02_losses.ipynb", "02_losses-fresh-1.ipynb"])
def test_the_file_of_the_notebook_says_more_than_its_folder(file, stand_in, tmp_path, monkeypatch):
    stand_in("exercises/01_neuron")
    (tmp_path / file).write_text("{}", encoding="utf-8")
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / file))
    assert pages.chapter_here().name == "02_losses"
    assert headings(progress())[0] == GROUPS["02_losses"].heading


@pytest.mark.parametrize("folder", ["notebooks", "exercises", "01", "my 01_neuron", "99_more"])
def test_elsewhere_the_chapters_come_in_their_order(folder, stand_in):
    stand_in(folder)
    assert pages.chapter_here() is None
    assert headings(progress()) == list(exercises())


def test_a_folder_that_is_gone(stand_in, tmp_path):
    stand_in("gone")
    (tmp_path / "gone").rmdir()
    assert headings(progress()) == list(exercises())
    assert "No such exercise" in hint("nothing")._repr_html_()


# What a right answer says.


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
def test_a_right_answer_says_something_in_a_line_or_two(exercise):
    words = exercise.shown or exercise._tried()
    assert 20 <= len(words) <= 180
    assert words[0].isupper() or words[0].isdigit()
    assert words.endswith(".")
    assert "  " not in words


def test_many_exercises_have_a_sentence_of_their_own():
    own = [exercise.shown for exercise in ALL if exercise.shown]
    assert len(own) >= 25
    assert sum(own.count(words) == 1 for words in own) >= 25


@pytest.mark.parametrize("exercise", [e for e in ALL if e.called and not e.shown], ids=lambda exercise: exercise.id)
def test_what_is_called_random_is_random(exercise):
    drawn = [pickle.dumps(arguments) for label, arguments in exercise._cases(None) if label == "random numbers"]
    assert len(set(drawn)) == 3
    assert f"Right on {len(drawn)} random inputs" in exercise._tried()


TWO = (Mutant("one", lambda x: x, "One."), Mutant("three", lambda x: 3 * x, "Three."))
EDGES = tuple((label, (np.zeros(1),)) for label in ("zeros", "z of 1,000", "one row", "another"))


@pytest.mark.parametrize(
    ("mutants", "edges", "words"),
    [
        (TWO, 0, "Right on 3 random inputs, where each of the 2 known mistakes would have shown."),
        (TWO, 1, "Right on 3 random inputs and on a special one (zeros), where each of the 2 known mistakes would have shown."),
        (TWO[:1], 2, "Right on 3 random inputs and on 2 special ones (zeros; z of 1,000), where the one known mistake would have "
                     "shown."),
        ((), 4, "Right on 3 random inputs and on 4 special ones."),
    ],
)
def test_what_a_right_answer_was_tried_on_is_said(mutants, edges, words):
    exercise = Exercise("test.twice", "Twice", 1, twice, lambda rng: (rng.standard_normal(3),), EDGES[:edges], mutants)
    result = exercise.judge(twice)
    assert (result.verdict, result.message) == (CORRECT, words)
    assert f"<p style='margin:6px 0 0'>{words}</p>" in result._repr_html_()


def test_a_right_value_and_a_sentence_of_one_s_own():
    number = Exercise("test.number", "Number", 1, 2.0, mutants=(Mutant("half", 0.5, "Turn it round."),) * 2)
    assert number.judge(2).message == "Right, and each of the 2 known mistakes gives something else."
    assert Exercise("test.number", "Number", 1, 2.0).judge(2).message == ""
    own = Exercise("test.number", "Number", 1, 2.0, shown="Two, as it should be.")
    assert own.judge(2).message == "Two, as it should be."
    assert own.judge(3).message != own.shown


# Where it sends you.


def solved(chapter, but=()):
    """Note every exercise of a chapter as solved, but for some places."""
    for place, exercise in enumerate(chapter.exercises):
        if place not in but:
            record(exercise.id, points=exercise.points)


def right(exercise):
    return check(exercise.id, exercise.reference)


def test_after_a_right_answer_comes_the_next_that_is_not_solved():
    first, second, third, *_ = SECOND.exercises
    assert right(first).onward == f"Next: {second.title} ({second.id})."
    record(third.id, points=third.points)
    assert right(second).onward == f"Next: {SECOND.exercises[3].title} ({SECOND.exercises[3].id})."
    assert f"Next: {SECOND.exercises[3].title} (" in html.unescape(right(second)._repr_html_())
    assert str(right(second)).splitlines()[-1] == right(second).onward


def test_what_was_passed_over_comes_after_the_last():
    solved(SECOND, but=(1,))
    skipped = SECOND.exercises[1]
    assert right(SECOND.exercises[-1]).onward == f"Next: {skipped.title} ({skipped.id})."


def test_a_wrong_answer_sends_nowhere():
    for answer in (..., np.square, lambda x: 1 / 0):
        assert check("start_here.twice", answer).onward == ""


def test_when_a_chapter_is_done_the_next_lesson_is_named_and_linked(stand_in):
    stand_in("exercises/01_neuron")
    solved(SECOND, but=(0,))
    result = right(SECOND.exercises[0])
    words = f"All of chapter 01 is solved. Next: the lesson {chapters()[2].heading}, notebooks/{chapters()[2].name}.ipynb"
    assert str(result).splitlines()[-1] == words
    assert f"href='../../notebooks/{chapters()[2].name}.ipynb'" in result._repr_html_()


def test_after_the_last_chapter_comes_the_dashboard():
    solved(LAST)
    assert pages.onward(LAST.exercises[0], sys.modules["course.grading.progress"].load()) == (
        f"All of chapter {LAST.number} is solved, and it is the last one. dashboard() shows what is left in the others.")


def test_where_no_progress_is_kept_the_next_one_is_named_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setenv("BPLIB_PROGRESS", str(tmp_path))
    assert right(SECOND.exercises[0]).onward.startswith(f"Next: {SECOND.exercises[1].title}")


# Links.


def interrupted(x):
    raise KeyboardInterrupt


def unknown(x):
    return weights * x  # noqa: F821


@pytest.mark.parametrize(("folder", "href"), [("notebooks", ""), ("exercises/01_neuron", "../../notebooks/"),
                                              ("solutions/01_neuron", "../../notebooks/")])
@pytest.mark.parametrize("answer", [interrupted, unknown])
def test_the_page_that_helps_is_a_link_that_leads_there(answer, folder, href, stand_in):
    stand_in(folder)
    result = check("start_here.twice", answer)
    assert f"More: {pages.help_page()}" in str(result)
    assert result._repr_html_().count("<a href=") == 1
    address = re.search(r"<a href='([^']*)'>(.*?)</a>", result._repr_html_())
    assert address[1] == f"{href}{Path(pages.help_page()).name}"
    assert address[2] == pages.help_page()
    assert (ROOT / folder / address[1]).resolve() == ROOT / pages.help_page()
    assert (ROOT / folder / address[1]).exists()


def test_the_page_that_helps_is_the_one_about_things_that_go_wrong():
    shown = json.loads((ROOT / pages.help_page()).read_text(encoding="utf-8"))["cells"]
    assert "When something goes wrong" in "".join(shown[0]["source"])


@pytest.mark.parametrize("folder", ["elsewhere", "exercises", "a/b/c"])
def test_where_the_way_is_not_known_the_page_is_named_and_no_link(folder, stand_in):
    stand_in(folder)
    shown = check("start_here.twice", unknown)._repr_html_()
    assert "<a " not in shown
    assert f"More: {pages.help_page()}" in shown


def test_a_page_looks_the_same_wherever_it_is_built(stand_in):
    seen = set()
    for folder in ("one/notebooks", "two/of/them/notebooks"):
        stand_in(folder)
        seen.add(check("start_here.twice", unknown, keep=False)._repr_html_())
    assert len(seen) == 1


def test_only_pages_of_the_course_become_links(stand_in):
    stand_in("notebooks")
    for text in ("notebooks/../x.ipynb", "my_notebooks/a.ipynb", "notebooks/a.py", "notebooks/<b>.ipynb", "http://x/a.ipynb"):
        assert "<a " not in Notice("A", text)._repr_html_()
    assert Notice("A", "see notebooks/02_losses.ipynb.")._repr_html_().count("<a href='02_losses.ipynb'>") == 1
