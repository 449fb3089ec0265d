"""The drill: random graphs on a form, marked at once, the streak kept in the progress file."""

import json

import pytest

from bplib.grading.drill import ID, Drill
from bplib.grading.progress import load, record, streak
from bplib.graph import random_graph


@pytest.fixture
def form():
    return Drill(3)


def fill(form, **changes):
    grads = form.graph.backward(form.graph.forward()) | changes
    for name, field in form.fields.items():
        field.value = f"{grads[name]:g}"
    form.check.click()


def test_right_answers_count_and_the_next_graph_is_another(form, progress_file):
    first = form.graph
    fill(form)
    assert "All right." in form.words.value
    assert streak(ID) == {"streak": 1, "best": 1}
    form.next.click()
    assert form.graph is not first
    assert all(field.value == "" for field in form.fields.values())
    fill(form)
    assert streak(ID) == {"streak": 2, "best": 2}


def test_a_graph_counts_once(form, progress_file):
    fill(form)
    fill(form)
    assert streak(ID)["streak"] == 1
    form.next.click()
    fill(form, x=999.0)
    assert streak(ID) == {"streak": 0, "best": 1}
    fill(form)
    assert "All right." in form.words.value
    assert streak(ID) == {"streak": 0, "best": 1}, "only the first answer counts"


def test_an_unfinished_answer_does_not_count(form, progress_file):
    form.check.click()
    assert "nothing is there yet" in form.words.value
    assert streak(ID) == {"streak": 0, "best": 0}


def test_overwriting_is_named(form, progress_file):
    graph = form.graph
    slopes, grads = graph.slopes(graph.forward()), graph.backward(graph.forward())
    name = next(name for name in graph.names if len(graph.terms(name, slopes)) > 1)
    user, slope = graph.terms(name, slopes)[0]
    if grads[user] * slope == grads[name]:
        pytest.skip("in this graph the other path is 0")
    fill(form, **{name: grads[user] * slope})
    assert "overwritten where it should be added" in form.words.value


@pytest.mark.parametrize("text", ["four", "<b>", "1/2", "nan"])
def test_what_is_no_number_is_said(form, text, progress_file):
    fill(form)
    form.fields["x"].value = text
    form.check.click()
    assert "Not yet." in form.words.value
    assert "<b>" not in form.words.value


def test_a_comma_and_a_long_minus_are_read(form, progress_file):
    grads = form.graph.backward(form.graph.forward())
    for name, field in form.fields.items():
        field.value = f" {grads[name]:.1f} ".replace(".", ",").replace("-", "−")
    form.check.click()
    assert "All right." in form.words.value


def test_a_streak_leaves_points_alone_and_bad_files_are_survived(progress_file):
    record("start.twice", points=1.0)
    streak(ID, True)
    assert load()["start.twice"]["points"] == 1.0
    stored = json.loads(progress_file.read_text())
    stored[ID]["streak"] = "many"
    progress_file.write_text(json.dumps(stored))
    assert streak(ID) == {"streak": 0, "best": 0}
    assert streak(ID, True) == {"streak": 1, "best": 1}


def test_a_seed_gives_the_same_graphs():
    one, other = Drill(5), Drill(5)
    assert one.graph.steps == other.graph.steps
    assert one.graph.inputs == other.graph.inputs
    assert random_graph(1).names[-1] == "L"
