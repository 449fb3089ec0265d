"""Without namespaces, the limits on time, memory and a dead process hold all the same, and the report says what is missing."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from classroom import judge as judging, limits
from tests.hostile import programs, tampering
from tests.hostile.corpus import CORPUS

HELD_BACK = (tampering.half_solved, programs.loop_in_an_answer, programs.memory_hog, programs.leaves, programs.kills_its_parent,
             programs.references)


@pytest.fixture(scope="module")
def grader():
    """A grader on a machine that has no `unshare`, in a process of its own, which a submission might kill."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=without_namespaces) as pool:
        yield pool


def without_namespaces():
    judging.namespaces = limits.namespaces = tuple


@pytest.mark.parametrize("change", HELD_BACK, ids=lambda change: change.__name__)
def test_it_scores_what_it_deserves(change, grader, tmp_path):
    submission = next(submission for submission in CORPUS if submission.change is change)
    path = submission.write(tmp_path / "submitted")
    limited = judging.Limits(seconds=submission.seconds, memory=1000)
    report = grader.submit(judging.judge, path, submission.chapter, limited).result()
    assert report.points == submission.expected()
    assert any("no file system, network and process table of its own" in line for line in report.lines)
