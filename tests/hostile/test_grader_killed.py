"""A grader that is killed takes the submission that it was judging along."""

import multiprocessing
import time
from contextlib import suppress

import psutil

from classroom.judge import judge
from tests.hostile import programs
from tests.hostile.corpus import CORPUS


def test_nothing_of_a_submission_outlives_its_grader(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    loop = next(submission for submission in CORPUS if submission.change is programs.loop_in_a_cell)
    path = loop.write(tmp_path / "submitted")
    grader = multiprocessing.get_context("spawn").Process(target=judge, args=(path, loop.chapter))
    grader.start()
    started = until(lambda: inside(grader.pid))
    grader.kill()
    grader.join()
    assert started
    assert not until(lambda: [process for process in started if lives(process)], empty=True)


def inside(pid):
    """The processes that run a submission for a grader, once one of them has been computing for a while."""
    mine, computed = [], 0
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.Error):  # one that ended meanwhile
            if "classroom.inside" in child.cmdline():
                mine.append(child)
                computed = max(computed, child.cpu_times().user)
    return mine if computed > 1.5 else []


def lives(process):
    with suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def until(look, empty=False, patience=240):
    """What `look` finds, as soon as it finds something (or nothing any more)."""
    end = time.monotonic() + patience
    while bool(found := look()) == empty and time.monotonic() < end:
        time.sleep(0.05)
    return found
