"""A grader that is killed takes the submission that it was judging along."""

import multiprocessing
import time

import psutil

from classroom.judge import judge
from tests.hostile import programs
from tests.hostile.corpus import CORPUS


def test_nothing_of_a_submission_outlives_its_grader(tmp_path):
    loop = next(submission for submission in CORPUS if submission.change is programs.loop_in_a_cell)
    path = loop.write(tmp_path / "submitted")
    grader = multiprocessing.get_context("spawn").Process(target=judge, args=(path, loop.chapter))
    grader.start()
    started = until(lambda: inside(grader.pid))
    grader.kill()
    grader.join()
    assert started
    assert not until(lambda: [process for process in started if process.is_running()], empty=True)


def inside(pid):
    """The processes that run a submission for a grader, once one of them has been computing for a while."""
    children = psutil.Process(pid).children(recursive=True)
    mine = [child for child in children if "classroom.inside" in child.cmdline()]
    return mine if any(child.cpu_times().user > 1.5 for child in mine) else []


def until(look, empty=False, patience=20):
    """What `look` finds, as soon as it finds something (or nothing any more)."""
    end = time.monotonic() + patience
    while bool(found := look()) == empty and time.monotonic() < end:
        time.sleep(0.05)
    return found
