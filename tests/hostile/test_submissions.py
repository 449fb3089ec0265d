"""Odd files, tampered notebooks and odd answers: each scores what it deserves, and leaves nothing behind."""

import pytest

from tests.hostile import answers, files, tampering
from tests.hostile.corpus import of
from tests.hostile.grader import problems, with_honest_ones

SUBMISSIONS = [*of(files), *of(tampering), *of(answers)]


@pytest.mark.parametrize("submission", with_honest_ones(SUBMISSIONS), ids=lambda submission: submission.name)
def test_hostile(submission, grader):
    judgement = grader.judge(submission)
    wrong = problems(submission, judgement)
    assert not wrong, "\n".join(judgement.lines)
