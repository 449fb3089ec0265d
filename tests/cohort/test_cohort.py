"""A class is graded whole: on processes or on Dask, through kills and restarts, and with tables and pages that are true."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest
from distributed import Client, LocalCluster

from classroom import cohort, feedback
from classroom.__main__ import main
from classroom.generate import generate
from classroom.judge import tasks
from classroom.limits import Limits

ROOT = Path(__file__).parents[2]
CHAPTER = "01_neuron"
SETTINGS = cohort.Settings(Limits(), seed=11)
PATIENCE = 240  # seconds after which a grader that hangs is given up


@pytest.fixture(scope="module")
def submitted(tmp_path_factory):
    """Four submissions of a made-up class, and what kind each is."""
    folder = tmp_path_factory.mktemp("submitted")
    kinds = generate(4, folder, [CHAPTER], seed=17)
    return folder, {path.parts[-3]: kind for path, kind in kinds.items()}


@pytest.fixture(scope="module")
def graded(submitted, tmp_path_factory):
    """The results of the class, judged by two processes through the command."""
    folder = tmp_path_factory.mktemp("graded")
    assert main(["grade", str(submitted[0]), "--results", str(folder), "--workers", "2", "--seed", "11"]) == 0
    return folder


def totals(folder):
    with open(folder / "grades.csv", newline="", encoding="utf-8") as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


def stamps(folder):
    """When each result was written: a result that is judged again is written again."""
    return {path.parent.name: path.stat().st_mtime_ns for path in (folder / "results").glob("*/*.json")}


def test_each_submission_gets_what_it_earned(submitted, graded):
    scores, full = totals(graded), sum(task.exercise.points for task in tasks(CHAPTER).values())
    for student, kind in submitted[1].items():
        if kind == "right":
            assert scores[student] == full
        elif kind == "untouched":
            assert scores[student] == 0
        else:
            assert scores[student] < full
    assert len(scores) == 4
    assert len(set(submitted[1].values())) > 2


def test_the_points_of_exercises_add_up_to_the_grade(graded):
    with open(graded / "points.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for student, score in totals(graded).items():
        assert sum(float(row["points"]) for row in rows if row["student"] == student) == score


def test_a_second_run_judges_nothing_again(submitted, graded):
    before = stamps(graded)
    assert main(["grade", str(submitted[0]), "--results", str(graded), "--workers", "1"]) == 0
    assert stamps(graded) == before


def test_dask_gives_the_same_points_also_when_a_worker_dies(submitted, graded, tmp_path):
    found = cohort.submissions(submitted[0])
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path)) as cluster:
        with Client(cluster, set_as_default=False) as client:
            pids = client.run(os.getpid)
        killed = []

        def kill_one(entry):
            if not killed:
                killed.append(psutil.Process(next(iter(pids.values()))))
                killed[0].kill()

        results = cohort.grade(found, tmp_path / "dask", SETTINGS, cohort.dask(cluster.scheduler_address), kill_one)
    assert killed
    assert {entry["student"]: entry["total"] for entry in results} == totals(graded)


def test_a_kill_in_the_middle_loses_nothing_and_nothing_is_graded_twice(submitted, graded, tmp_path):
    command = ["grade", str(submitted[0]), "--results", str(tmp_path), "--workers", "2", "--seed", "11"]
    with subprocess.Popen([sys.executable, "-m", "classroom", *command], cwd=ROOT, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as grader:
        begun = time.monotonic()
        while not stamps(tmp_path):
            assert grader.poll() is None
            assert time.monotonic() - begun < PATIENCE
            time.sleep(0.02)
        workers = psutil.Process(grader.pid).children(recursive=True)
        grader.send_signal(signal.SIGKILL)
    first = stamps(tmp_path)
    assert 0 < len(first) < 4
    gone, alive = psutil.wait_procs(workers, timeout=60)
    assert gone
    assert alive == []

    assert main(command) == 0
    after = stamps(tmp_path)
    assert {student: after[student] for student in first} == first
    assert totals(tmp_path) == totals(graded)


def test_a_result_that_was_cut_off_is_no_result(submitted, tmp_path):
    submission = cohort.submissions(submitted[0])[0]
    place = tmp_path / "results" / submission.student / f"{CHAPTER}.json"
    cohort.write(place, json.dumps({"key": SETTINGS.key(submission), "status": "graded"})[:-4])
    assert cohort.kept(tmp_path, submission, SETTINGS) is None


@pytest.mark.parametrize("change", ["file", "seed", "limits", "hidden"])
def test_another_file_seed_limit_or_hidden_input_is_judged_anew(change, tmp_path):
    generate(1, tmp_path, [CHAPTER])
    (submission,) = cohort.submissions(tmp_path)
    before, settings = SETTINGS.key(submission), SETTINGS
    if change == "file":
        submission.path.write_text("{}")
    if change == "seed":
        settings = replace(SETTINGS, seed=12)
    if change == "limits":
        settings = replace(SETTINGS, limits=Limits(seconds=3))
    if change == "hidden":
        (tmp_path / "hidden.py").write_text("HIDDEN = {}")
        settings = replace(SETTINGS, hidden=str(tmp_path / "hidden.py"))
    assert settings.key(submission) != before


@pytest.mark.parametrize("said", ["ValueError: x is [0.123, 4.56]", "x = 0.123: y", "UnansweredError: 0.123"])
def test_an_error_carries_no_hidden_input_out(said):
    found = {"verdict": "error", "mutant": None, "points": 0, "available": 2, "message": f"Tried with hidden inputs.\n{said}"}
    words = feedback.advice("neuron.weighted_sum", found)
    assert not set("123456") & set(words)
    assert ("ValueError" in words) == said.startswith("ValueError")


HIDDEN = '''
HIDDEN = {"neuron.weighted_sum": lambda rng: (rng.normal(size=(1, 40)), rng.normal(size=(40, 2)), rng.normal(size=2))}
'''


def test_hidden_inputs_find_what_the_usual_ones_do_not(tmp_path):
    """An answer that is wrong for wide inputs only fails on the hidden one, and its page tells no number."""
    notebook = nbformat.read(ROOT / "solutions" / CHAPTER / f"{CHAPTER}.ipynb", as_version=4)
    (cell,) = [cell for cell in notebook.cells if cell.id == "neuron-weighted_sum-answer"]
    cell.source += """
_right = weighted_sum
def weighted_sum(x, W, b):
    z = _right(x, W, b)
    return z * 3 if len(W) == 40 else z"""
    path = tmp_path / "submitted" / "ada" / CHAPTER / "renamed.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    (tmp_path / "hidden.py").write_text(HIDDEN)
    (submission,) = cohort.submissions(tmp_path / "submitted")
    usual = cohort.judged(submission, SETTINGS)
    harder = cohort.judged(submission, replace(SETTINGS, hidden=str(tmp_path / "hidden.py")))
    assert usual["total"] == usual["available"]
    assert {id for id, points in usual["points"].items() if points != harder["points"][id]} == {"neuron.weighted_sum"}
    assert any("renamed.ipynb" in line for line in usual["lines"])
    page = feedback.page(harder)
    assert "should be" in harder["exercises"]["neuron.weighted_sum"]["message"]
    assert "should be" not in page
    assert "inputs that you have not seen" in page


@pytest.mark.parametrize("text", ["", "HIDDEN = {", "HIDDEN = {'neuron.none': lambda rng: (1,)}", "HIDDEN = 3",
                                  "HIDDEN = {'neuron.weighted_sum': lambda rng: 1}"])
def test_a_mistake_in_the_hidden_inputs_is_explained(text, submitted, tmp_path, capsys):
    (tmp_path / "hidden.py").write_text(text)
    assert main(["grade", str(submitted[0]), "--results", str(tmp_path), "--hidden", str(tmp_path / "hidden.py")]) == 1
    assert "should define HIDDEN" in capsys.readouterr().err


def test_a_file_that_is_no_notebook_gets_nothing_and_a_reason(tmp_path):
    path = tmp_path / "ada" / CHAPTER / f"{CHAPTER}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    (submission,) = cohort.submissions(tmp_path)
    entry = cohort.judged(submission, SETTINGS)
    assert (entry["status"], entry["total"]) == ("refused", 0)
    assert "no valid JSON" in feedback.page(entry)
    assert all(row["verdict"] == "refused" for row in csv.DictReader(feedback.points([entry]).splitlines()))


def test_a_pipe_in_place_of_a_notebook_does_not_stop_the_class(tmp_path):
    path = tmp_path / "ada" / CHAPTER / f"{CHAPTER}.ipynb"
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    (submission,) = cohort.submissions(tmp_path)
    assert SETTINGS.key(submission)
    assert cohort.judged(submission, SETTINGS)["status"] == "refused"


def test_a_judge_that_fails_is_no_fault_of_the_learner(submitted, tmp_path, monkeypatch):
    def broken(*arguments):
        raise RuntimeError("no more processes")

    monkeypatch.setattr(cohort, "judge", broken)
    submission = cohort.submissions(submitted[0])[0]
    entry = cohort.judged(submission, SETTINGS)
    assert entry["status"] == "failed"
    assert "not the learner's fault" in entry["lines"][0]
    cohort.write(tmp_path / "results" / submission.student / f"{CHAPTER}.json",
                 json.dumps(entry | {"key": SETTINGS.key(submission)}))
    assert cohort.kept(tmp_path, submission, SETTINGS) is None


def test_nothing_to_grade_and_unknown_chapters_are_explained(tmp_path, capsys):
    assert main(["grade", str(tmp_path)]) == 1
    assert "STUDENT/CHAPTER" in capsys.readouterr().err
    assert main(["grade", str(tmp_path), "--chapter", "99_none"]) == 1
    assert "99_none" in capsys.readouterr().err


def test_a_name_is_no_formula_in_a_spreadsheet_and_no_tag_in_a_page():
    entry = {"student": "=1+1", "chapter": CHAPTER, "total": 0.0, "available": 1.0, "points": {}, "exercises": {},
             "lines": ["<script>"], "status": "refused"}
    assert "'=1+1" in feedback.grades([entry])
    assert "<script>" not in feedback.page(entry)
