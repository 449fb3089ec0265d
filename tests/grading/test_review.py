"""Reviews and the dashboard: a solved exercise comes back after days, on new inputs. No test waits: the day is a number here."""

import re
import sys
from html import unescape

import numpy as np
import pytest

from course import check, dashboard, progress, review
from course.catalogue import exercises, find
from course.grading import core
from course.grading.progress import load, record
from course.grading.review import INTERVALS, after, is_due

STORE = sys.modules["course.grading.progress"]
START = 739_000


@pytest.fixture
def day(monkeypatch):
    """A function that sets the day, counted from the first one."""
    def to(number):
        monkeypatch.setattr(STORE, "today", lambda: START + number)

    to(0)
    return to


def twice(x):
    return 2 * x


def wrong(x):
    return x**2


def test_a_solved_exercise_comes_back_after_1_3_7_and_21_days(day):
    came_back = []
    check("start_here.twice", twice)
    for number in range(1, 60):
        day(number)
        if review().due:
            came_back.append(number)
            assert "This was" in str(check("start_here.twice", twice))
            assert not review().due, "once a day is enough"
    assert came_back == list(np.cumsum(INTERVALS))
    assert "will not come back" not in str(check("start_here.twice", twice))


def test_what_a_review_says(day):
    assert "review" not in str(check("start_here.twice", twice))
    for number, words in ((1, "in 3 days"), (4, "in 7 days"), (11, "in 21 days"), (32, "the last review")):
        day(number)
        result = check("start_here.twice", twice)
        assert words in str(result)
        assert words in unescape(result._repr_html_())
        assert float(result) == 1


def test_a_failed_review_comes_back_tomorrow_and_costs_no_points(day):
    check("start_here.twice", twice)
    for number in (1, 4):
        day(number)
        check("start_here.twice", twice)
    day(11)
    result = check("start_here.twice", wrong)
    assert result.mutant == "square"
    assert "tomorrow" in str(result)
    assert load()["start_here.twice"]["points"] == 1
    assert not review().due
    assert "tomorrow" in repr(review())
    check("start_here.twice", twice)  # mended the same day: that is no review
    day(12)
    assert [exercise.id for _, exercise in review().due] == ["start_here.twice"]
    assert "in 7 days" in str(check("start_here.twice", twice))


def test_a_missed_day_changes_nothing(day):
    check("start_here.twice", twice)
    day(300)
    assert len(review().due) == 1
    assert "in 3 days" in str(check("start_here.twice", twice))


def test_a_review_runs_on_inputs_of_its_own(day):
    def seen():
        numbers = []
        check("start_here.twice", lambda x: numbers.append(x) or 2 * x)
        return np.concatenate([x.ravel() for x in numbers])

    first = seen()
    assert np.array_equal(first, seen())
    day(1)
    reviewed = seen()
    assert not np.array_equal(first, reviewed)
    assert np.array_equal(first, seen()), "no longer due: the usual inputs again"
    day(4)
    assert not np.array_equal(reviewed, seen())


def test_an_error_in_a_review_is_a_failure_and_an_empty_cell_is_nothing(day):
    check("start_here.twice", twice)
    day(1)
    assert check("start_here.twice", ...).verdict == core.NOT_ATTEMPTED
    assert len(review().due) == 1
    assert "tomorrow" in str(check("start_here.twice", lambda x: 1 / 0))


@pytest.mark.parametrize("id", [group[0].id for group in exercises().values()])
def test_every_chapter_can_be_reviewed(id, day):
    exercise = find(id)
    assert float(check(id, exercise.reference)) == exercise.points
    day(1)
    result = check(id, exercise.reference)
    assert float(result) == exercise.points
    assert "This was a review" in str(result)


def test_the_schedule_itself():
    assert after({}, False, 10) == {}
    assert after({}, True, 10) == {"stage": 0, "due": 11}
    assert after({"stage": 3, "due": 12}, True, 10) == {}
    assert after({"stage": 0, "due": 10}, False, 10) == {"stage": 0, "due": 11}
    assert after({"stage": 2, "due": 10}, False, 10) == {"stage": 1, "due": 11}
    assert after({"stage": 1, "due": 10}, True, 15) == {"stage": 2, "due": 22}
    assert not is_due(after({"stage": 3, "due": 10}, True, 10), 1_000_000)
    assert not is_due({}, 10)


def test_a_clock_that_was_set_back_or_a_stage_that_does_not_exist_breaks_nothing(day, progress_file):
    check("start_here.twice", twice)
    day(-400)
    assert float(check("start_here.twice", twice)) == 1
    assert "Days in a row" in repr(dashboard())
    progress_file.write_text('{"start_here.twice": {"points": 1, "stage": 90.5, "due": 1}}', encoding="utf-8")
    assert "last review" in str(check("start_here.twice", twice))
    progress_file.write_text('{"start_here.twice": {"points": 1, "stage": "x", "due": 1}}', encoding="utf-8")
    assert float(check("start_here.twice", twice)) == 1


def words_of(html):
    return unescape(re.sub(r"<[^>]*>", " ", html))


def test_the_dashboard_says_everything_in_words(day):
    empty = repr(dashboard())
    assert "00 Start here" in empty
    assert "0 of 1, to do" in empty
    assert "none yet" in empty
    assert "Nothing to review." in empty
    check("start_here.twice", twice)
    check("neuron.relu_slope", find("neuron.relu_slope").mutants[0].answer)
    for shown in (repr(dashboard()), words_of(dashboard()._repr_html_())):
        assert re.search(r"00 Start here .*1 of 1,? +done", shown)
        assert re.search(r"01 A neuron .*0 of \d+,? +begun", shown)
        assert re.search(r"02 Losses .*to do", shown)
        assert "Days in a row: 1, at best 1." in shown
        assert "comes tomorrow" in shown
    day(1)
    for shown in (repr(dashboard()), words_of(dashboard()._repr_html_()), repr(review()), words_of(review()._repr_html_())):
        assert "To review today: 1" in shown
        assert "00 Start here: Your first line (start_here.twice)" in shown
        assert "make restore" in shown


def test_the_dashboard_and_the_table_agree(day):
    for exercise in exercises()["01 A neuron"]:
        record(exercise.id, points=exercise.points, right=True)
    total = re.search(r"[\d.]+ of [\d.]+ points", repr(progress()))[0]
    assert total in repr(dashboard())
    assert total in dashboard()._repr_html_()
