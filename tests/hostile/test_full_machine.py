"""On a full machine honest work keeps its points, and what sleeps is stopped all the same; the judge itself comes to an end."""

import os
import subprocess
import sys
from contextlib import ExitStack

import nbformat
import psutil
import pytest

from classroom import idle
from classroom.judge import Run, judge, tasks
from classroom.limits import Limits
from classroom.reading import Cell
from tests.hostile import programs
from tests.hostile.corpus import CHAPTER, CORPUS, add, solved

SPINNERS = 16
SECONDS = 0.2
SPIN = """import os, sys, time
end = time.monotonic() + 300
while os.getppid() == int(sys.argv[1]) and time.monotonic() < end:
    pass"""


@pytest.fixture
def full_machine():
    """Many processes that compute, on the one processor that is left to this process and to all that it starts."""
    pinned = hasattr(os, "sched_setaffinity")  # not on macOS
    allowed = os.sched_getaffinity(0) if pinned else ()
    with ExitStack() as stack:
        if pinned:
            stack.callback(os.sched_setaffinity, 0, allowed)
            os.sched_setaffinity(0, {max(allowed)})
        for _ in range(SPINNERS):  # in sessions of their own, since Linux may share the processor out by session
            command = [sys.executable, "-I", "-S", "-c", SPIN, str(os.getpid())]
            spinner = stack.enter_context(subprocess.Popen(command, start_new_session=True))
            stack.callback(spinner.kill)
        yield


CELLS = ["import threading, time\nimport numpy as np", """
# The first thread only waits for one that is seldom on the processor.
def work():
    while time.thread_time() < 0.1:
        pass
    found.append(True)
found = []
worker = threading.Thread(target=work)
worker.start()
worker.join()""", """
def central_difference(f, x, h):
    return found[0] * (f(x + h) - f(x - h)) / (2 * h)""", """
# The judge answers late, as it waits for the processor too.
def gradient(f, x):
    steps = 1e-5 * np.eye(x.size).reshape(-1, *x.shape)
    return np.array([(f(x + step) - f(x - step)) / 2e-5 for step in steps]).reshape(x.shape)""", """
def best_step(precision, f, second):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()""", """
def relative_error(a, b):
    while True:
        time.sleep(0.01)"""]


@pytest.mark.usefixtures("full_machine")
def test_honest_work_keeps_its_points_and_what_sleeps_is_stopped(tmp_path):
    asked = tasks("04_finite_differences")
    wanted = {id: asked[id] for id in map("finite_differences.{}".format, ("central", "gradient", "best_step", "relative_error"))}
    results = list(Run([Cell(source) for source in CELLS], wanted, Limits(seconds=SECONDS), 1, tmp_path).results().values())
    for honest in results[:2]:
        assert float(honest) == honest.available, honest.message
    for sleeping in results[2:]:
        assert f"did nothing for more than {SECONDS} seconds" in sleeping.message
        assert float(sleeping) == 0


@pytest.mark.parametrize("counted", sorted({False, idle.WAITING_IS_COUNTED}))
@pytest.mark.parametrize(("does", "idles"), [("time.sleep(300)", True), ("while True: pass", False)])
def test_idleness_is_told_from_work_on_every_system(does, idles, counted, monkeypatch):
    monkeypatch.setattr(idle, "WAITING_IS_COUNTED", counted)
    with subprocess.Popen([sys.executable, "-c", f"import time\nprint(flush=True)\n{does}"], stdout=subprocess.PIPE) as popen:
        assert popen.stdout.read(1)
        process, watch = psutil.Process(popen.pid), idle.Idleness()
        while process.status() not in (psutil.STATUS_SLEEPING if idles else psutil.STATUS_RUNNING,):
            pass
        for _ in range(5):
            watch.look([process], sum(process.cpu_times()[:2]), 2.0)
        popen.kill()
    assert (watch.seconds > 4) == idles
    assert idles or watch.seconds == 0


def test_the_time_of_a_whole_submission_ends_it_and_what_came_before_counts(tmp_path):
    notebook = solved()
    slow = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end:\n    pass"
    for _ in range(3):
        add(notebook, slow, before="distance")
    path = tmp_path / f"{CHAPTER}.ipynb"
    nbformat.write(notebook, path)
    report = judge(path, CHAPTER, Limits(seconds=0.5, total=0.6))
    assert report.status == "graded"
    assert 0 < report.total < report.available
    assert "The notebook used up its 0.6 seconds; the rest was not run." in report.lines


def test_a_judge_that_has_no_more_time_stops_and_says_that_it_is_not_finished(tmp_path):
    """However busy a submission seems, a class comes to its end."""
    loop = next(submission for submission in CORPUS if submission.change is programs.loop_in_an_answer)
    report = judge(loop.write(tmp_path / "submitted"), loop.chapter, Limits(seconds=100, wall=0.6))
    assert report.status == "failed"
    assert any(line.startswith("It was not finished in 0.01 minutes") for line in report.lines)
