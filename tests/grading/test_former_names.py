"""A progress file from before some chapters were renamed: nothing of it is lost, and the next change writes today's names."""

import json
import subprocess
import sys

import pytest

from course import check, dashboard, progress, reset, review
from course.catalogue import chapters, find, renamed
from course.grading.progress import days_in_a_row, kept_aside, load, record, streak

STORE = sys.modules["course.grading.progress"]  # the function of this name hides the module
RENAMED = {chapter.formerly: chapter for chapter in chapters() if chapter.formerly}
FORMER = {"start": "start_here", "descent": "gradient_descent", "slopes": "finite_differences", "backprop": "backprop_layers",
          "hunt": "gradient_checking", "network": "real_network"}
TODAY = 740_000
SOLVED = {"points": 1.0, "attempts": 2, "hints": 1, "stage": 1, "due": TODAY + 3}


def twice(x):
    return 2 * x


@pytest.fixture
def written(progress_file, monkeypatch):
    """A function that writes the progress file, and one that reads it as it lies there."""
    monkeypatch.setattr(STORE, "today", lambda: TODAY)

    def write(everything):
        progress_file.write_text(json.dumps(everything), encoding="utf-8")

    return write, lambda: json.loads(progress_file.read_text(encoding="utf-8"))


def test_the_chapters_that_were_called_otherwise():
    assert {old: chapter.topic for old, chapter in RENAMED.items()} == FORMER
    assert not set(FORMER) & {chapter.topic for chapter in chapters()}


@pytest.mark.parametrize("former", FORMER)
def test_every_exercise_of_a_renamed_chapter_is_carried_over(former, written):
    write, _ = written
    exercises = RENAMED[former].exercises
    old = {f"{former}.{exercise.id.partition('.')[2]}": SOLVED | {"points": exercise.points} for exercise in exercises}
    write(old)
    assert load() == {exercise.id: SOLVED | {"points": exercise.points} for exercise in exercises}
    assert f"{sum(e.points for e in exercises):g} of" in repr(progress()).splitlines()[-1]
    assert repr(progress()).count("done ") == len(exercises)


@pytest.mark.parametrize("id", ["days", "start", "neuron.sigmoid", "start_here.twice", "chain_rule.descent", "", "a.start.b"])
def test_other_names_stay(id):
    assert renamed(id) == id


def test_reading_changes_nothing_and_the_next_change_writes_todays_names(written, progress_file):
    write, read = written
    write({"start.twice": SOLVED, "neuron.sigmoid": SOLVED, "gone.exercise": SOLVED})
    before = progress_file.read_bytes()
    repr(dashboard()), repr(progress()), repr(review()), load(), streak("start.twice")
    assert progress_file.read_bytes() == before
    record("descent_of.man", hint=1)
    assert set(read()) == {"start_here.twice", "neuron.sigmoid", "gone.exercise", "descent_of.man"}
    assert read()["start_here.twice"] == SOLVED
    assert kept_aside() == []


def test_a_check_goes_on_from_the_former_entry(written):
    write, read = written
    write({"start.twice": SOLVED})
    check("start_here.twice", lambda x: x)
    assert read()["start_here.twice"] == SOLVED | {"attempts": 3}
    assert "start.twice" not in read()


BETTER = [
    ({"points": 1.0}, {"points": 0.0, "attempts": 9}),
    ({"points": 0.0, "streak": 2, "best": 12, "attempts": 20}, {"points": 0.0, "streak": 3, "best": 3, "attempts": 40}),
    ({"points": 1.0, "stage": 2, "due": TODAY + 7}, {"points": 1.0, "stage": 0, "due": TODAY, "attempts": 9}),
    ({"points": 1.0, "attempts": 2}, {"points": 1.0, "attempts": 1}),
    ({"points": 0.5}, {}),
]


@pytest.mark.parametrize(("better", "worse"), BETTER)
@pytest.mark.parametrize("names", [("start.twice", "start_here.twice"), ("start_here.twice", "start.twice")])
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_entries_the_better_one_stays(better, worse, names, turned, written):
    """Whichever name it has, and whichever stands first in the file."""
    write, read = written
    pairs = list(zip(names, (better, worse)))
    write(dict(reversed(pairs) if turned else pairs))
    assert load() == {"start_here.twice": {"points": 0.0, "attempts": 0, "hints": 0} | better}
    record("neuron.sigmoid", hint=1)
    assert read()["start_here.twice"] == better


def test_days_and_rows_are_kept(written):
    write, read = written
    days = {"streak": 4, "best": 6, "last": TODAY - 1}
    write({"days": days, "start.twice": SOLVED, "chain_rule.drill": {"points": 0, "streak": 2, "best": 9}})
    assert days_in_a_row() == {"streak": 4, "best": 6}
    assert "Days in a row: 4, at best 6." in repr(dashboard())
    assert "Drill of chapter 05: 2 right in a row, at best 9" in repr(dashboard())
    check("start_here.twice", twice)
    assert days_in_a_row() == {"streak": 5, "best": 6}
    assert read()["days"] == {"streak": 5, "best": 6, "last": TODAY}


def test_a_row_of_a_renamed_chapter_goes_on(written):
    write, _ = written
    write({"descent.drill": {"points": 0.0, "attempts": 5, "hints": 0, "streak": 4, "best": 4}})
    assert streak("gradient_descent.drill") == {"streak": 4, "best": 4}
    assert streak("gradient_descent.drill", right=True) == {"streak": 5, "best": 5}
    assert "Drill of chapter 03: 5 right in a row, at best 5" in repr(dashboard())


def test_reviews_come_when_they_would_have_come(written):
    write, _ = written
    write({"start.twice": SOLVED | {"due": TODAY}, "hunt.m1_line": SOLVED | {"due": TODAY + 2}})
    assert [exercise.id for _, exercise in review().due] == ["start_here.twice"]
    assert "It comes back in 7 days." in str(check("start_here.twice", twice))
    assert review().due == []
    assert review().next == 2


@pytest.mark.parametrize("broken", [{"points": "many"}, {"attempts": -1}, 3, None, {"stage": []}, {"due": True}])
def test_a_damaged_entry_costs_itself_only(broken, written, progress_file):
    write, read = written
    write({"start.twice": broken, "descent.gradient": SOLVED, "days": {"streak": 1, "best": 2, "last": TODAY}})
    before = progress_file.read_bytes()
    assert set(load()) == {"gradient_descent.gradient"}
    record("neuron.sigmoid", points=1)
    assert set(read()) == {"gradient_descent.gradient", "neuron.sigmoid", "days"}
    (aside,) = kept_aside()
    assert aside.read_bytes() == before


def test_a_damaged_entry_does_not_hide_the_sound_one_of_the_other_name(written):
    write, _ = written
    for pair in (("start.twice", "start_here.twice"), ("start_here.twice", "start.twice")):
        write(dict(zip(pair, ({"points": "many"}, SOLVED))))
        assert load() == {"start_here.twice": SOLVED}


def test_a_reset_forgets_what_is_there_under_either_name(written, progress_file):
    write, read = written
    both = {"start.twice": SOLVED, "start_here.twice": SOLVED | {"points": 0.0}, "hunt.m1_line": SOLVED}
    write(both)
    assert "Did you mean 'start_here.twice'" in repr(reset("start.twice", confirm=True))
    told = repr(reset("start_here.twice", confirm=True))
    assert set(read()) == {"gradient_checking.m1_line"}
    copy = progress_file.with_name("progress-before-reset-1.json")
    assert str(copy) in told
    assert json.loads(copy.read_text(encoding="utf-8")) == both
    reset(confirm=True)
    assert load() == {}
    assert read() == {}


WRITER = """
import sys
from course.grading.progress import load, record
for i in range(40):
    record(f"{sys.argv[1]}.x{i}", points=1, right=True)
    record("start_here.twice", points=0)
    assert load()["start_here.twice"]["points"] == 1 and load()["gradient_checking.m1_line"]["points"] == 1
"""


def test_two_notebooks_at_once_carry_an_old_file_over_together(written):
    write, read = written
    write({"start.twice": {"points": 1.0, "attempts": 2}, "hunt.m1_line": {"points": 1.0}, "days": {"streak": 1, "best": 1}})
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name], stderr=subprocess.PIPE) for name in ("a", "b")]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors.decode()
    known = read()
    assert known["start_here.twice"]["attempts"] == 2 + 2 * 40
    added = {f"{name}.x{i}" for name in "ab" for i in range(40)}
    assert set(known) == {"start_here.twice", "gradient_checking.m1_line", "days"} | added
    assert kept_aside() == []


def test_an_older_course_beside_this_one_loses_nothing(written):
    """It writes its own names into the file that has today's; what it adds counts when this one reads."""
    write, read = written
    write({"start.twice": {"points": 0.0, "attempts": 1}})
    check("start_here.twice", lambda x: x)
    write(read() | {"start.twice": SOLVED})
    assert load()["start_here.twice"] == SOLVED


def test_a_check_by_the_former_name_says_todays():
    assert "Did you mean 'start_here.twice'" in check("start.twice", twice).message
    with pytest.raises(KeyError, match=r"start_here\.twice"):
        find("start.twice")
