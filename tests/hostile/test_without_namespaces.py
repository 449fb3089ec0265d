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
def reports(tmp_path_factory):
    """The reports by change, as futures, of graders on a machine without `unshare`: each in a process of its own, which a
    submission might kill."""
    folder = tmp_path_factory.mktemp("submitted")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=without_namespaces) as pool:
        found = {}
        for submission in CORPUS:
            if submission.change in HELD_BACK:
                path = submission.write(folder / submission.change.__name__)
                limited = judging.Limits(seconds=submission.seconds, memory=1000)
                found[submission.change] = submission, pool.submit(judging.judge, path, submission.chapter, limited)
        yield found


def without_namespaces():
    judging.namespaces = limits.namespaces = tuple


@pytest.mark.parametrize("change", HELD_BACK, ids=lambda change: change.__name__)
def test_it_scores_what_it_deserves(change, reports):
    submission, future = reports[change]
    report = future.result()
    assert report.points == submission.expected()
    assert any("no file system, network and process table of its own" in line for line in report.lines)
