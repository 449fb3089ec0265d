"""The drill: random graphs on a form, marked at once, the streak kept in the progress file."""

import json
import os
from html import unescape
from pathlib import Path

import pytest

from course.ch05_chain_rule.drills import EVERY, ID, LARGEST, SMALLEST, Drill, drill
from course.grading.progress import load, record, streak, streaks


@pytest.fixture
def form():
    return Drill(3)


def fill(form, **changes):
    grads = form.graph.backward(form.graph.forward()) | changes
    for name, field in form.fields.items():
        field.value = f"{grads[name]:g}"
    form.check.click()


def said(form):
    return unescape(form.words.value)


def test_right_answers_count_and_the_next_graph_is_another(form):
    first = form.graph
    fill(form)
    assert "All right." in said(form)
    assert form.drawing.value.count("✓") == len(first.names)
    assert streak(ID) == {"streak": 1, "best": 1}
    form.next.click()
    assert form.graph is not first
    assert all(field.value == "" for field in form.fields.values())
    assert "✓" not in form.drawing.value
    fill(form)
    assert streak(ID) == {"streak": 2, "best": 2}
    assert "Right in a row: 2, at best 2." in said(form)


def test_a_graph_counts_once(form):
    fill(form)
    fill(form)
    assert streak(ID)["streak"] == 1
    form.next.click()
    fill(form, x=999.0)
    assert streak(ID) == {"streak": 0, "best": 1}
    fill(form)
    assert "All right." in said(form)
    assert streak(ID) == {"streak": 0, "best": 1}, "only the first answer counts"


def test_graphs_grow_with_the_streak_and_shrink_again(form):
    sizes = []
    for _ in range(4 * EVERY):
        sizes.append(len(form.graph.steps))
        fill(form)
        form.next.click()
    assert sizes == [SMALLEST] * EVERY + [SMALLEST + 1] * EVERY + [LARGEST] * (2 * EVERY)
    fill(form, L=2.0)
    form.next.click()
    assert len(form.graph.steps) == SMALLEST


def test_an_unfinished_answer_does_not_count(form):
    form.check.click()
    assert "nothing is there yet" in said(form)
    assert "?" in form.drawing.value
    assert ID not in load()
    form.next.click()
    assert ID not in load()


def with_two_paths():
    """A form, and a node on it that is used twice, with what the last and the first of its paths bring: both not 0."""
    for seed in range(50):
        form = Drill(seed)
        graph = form.graph
        slopes, grads = graph.slopes(graph.forward()), graph.backward(graph.forward())
        for name in graph.names:
            parts = [grads[user] * slope for user, slope in graph.terms(name, slopes)]
            if len(parts) == 2 and 0 not in parts:
                yield form, name, parts


def test_overwriting_is_named_whichever_path_is_kept():
    count = 0
    for form, name, parts in with_two_paths():
        for part in parts:
            fill(form, **{name: part})
            assert f"dL/d{name}: this is the path through" in said(form)
            assert "the paths add up: overwritten instead of added" in said(form)
            assert "✗" in form.drawing.value
            count += 1
    assert count > 30


@pytest.mark.parametrize("text", ["four", "<b>", "1/2", "nan", "inf", "1e400"])
def test_what_is_no_number_is_said(form, text):
    fill(form)
    form.fields["x"].value = text
    form.check.click()
    assert "Not yet." in said(form)
    assert "<b>" not in form.words.value + form.drawing.value


def test_a_comma_and_a_long_minus_are_read(form):
    grads = form.graph.backward(form.graph.forward())
    for name, field in form.fields.items():
        field.value = f" {grads[name]:.1f} ".replace(".", ",").replace("-", "\N{MINUS SIGN}")
    form.check.click()
    assert "All right." in said(form)


def test_the_right_numbers_are_not_given_away():
    form = Drill(3)
    assert len(form.graph.names) == 5
    for name, field in form.fields.items():
        field.value = "777" if name != "L" else "1"
    form.check.click()
    grads = form.graph.backward(form.graph.forward())
    assert all(f"{grads[name]:g}" not in said(form).split("Right in a row")[0].replace("dL/d", "") for name in ("x", "y"))


def test_a_streak_leaves_points_alone_and_bad_files_are_survived(progress_file):
    record("start_here.twice", points=1.0)
    streak(ID, True)
    assert load()["start_here.twice"] == {"points": 1.0, "attempts": 1, "hints": 0}
    record(ID, hint=1)
    assert streak(ID) == {"streak": 1, "best": 1}, "a hint leaves the streak alone"
    for bad in ("many", -1, None, True, [1]):
        stored = json.loads(progress_file.read_text(encoding="utf-8"))
        stored[ID]["streak"] = bad
        progress_file.write_text(json.dumps(stored), encoding="utf-8")
        assert streak(ID) == {"streak": 0, "best": 0}
        assert load()["start_here.twice"]["points"] == 1.0
        assert streak(ID, True) == {"streak": 1, "best": 1}
    assert list(progress_file.parent.glob("*.new")) == []


def test_a_file_of_before_there_was_a_drill_is_read(progress_file):
    progress_file.write_text('{"start_here.twice": {"points": 1, "attempts": 2, "hints": 0}}', encoding="utf-8")
    assert streak(ID) == {"streak": 0, "best": 0}
    assert streak(ID, True) == {"streak": 1, "best": 1}
    assert load()["start_here.twice"]["attempts"] == 2


def test_the_file_is_replaced_in_one_step(progress_file, monkeypatch):
    streak(ID, True)
    before = progress_file.read_text(encoding="utf-8")

    def interrupted(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        streak(ID, True)
    assert progress_file.read_text(encoding="utf-8") == before
    assert list(progress_file.parent.glob("*.new")) == []


def test_where_nothing_can_be_written_the_drill_works_all_the_same(tmp_path, monkeypatch, capfd):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("BPLIB_PROGRESS", str(Path(tmp_path) / "file" / "below.json"))
    form = Drill(1)
    fill(form)
    assert "All right." in said(form)
    assert capfd.readouterr() == ("", "")


def test_the_streak_is_told_with_the_progress():
    from course import progress

    assert "Drill" not in repr(progress())
    for right in (True, True, False, True):
        streak(ID, right)
    assert streaks({ID: {"streak": 1, "best": 2}}) == ["Drill of chapter 05: 1 right in a row, at best 2"]
    assert repr(progress()).splitlines()[-1] == "Drill of chapter 05: 1 right in a row, at best 2"
    assert "1 right in a row, at best 2" in progress()._repr_html_()


def test_a_seed_gives_the_same_graphs_and_no_seed_others():
    one, other = Drill(5), Drill(5)
    assert (one.graph.steps, one.graph.inputs) == (other.graph.steps, other.graph.inputs)
    assert len({str((form.graph.steps, form.graph.inputs)) for form in (Drill() for _ in range(20))}) > 15


def test_it_is_shown_by_its_function(capsys):
    assert drill(1) is None
    assert "VBox" in capsys.readouterr().out
