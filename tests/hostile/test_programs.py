"""Submissions that misuse the computer: each scores what it deserves, and leaves nothing behind."""

from itertools import chain

import pytest

from tests.hostile import programs
from tests.hostile.corpus import of
from tests.hostile.grader import lanes, problems

LANES = lanes(of(programs))


@pytest.mark.parametrize("submission", [*chain(*LANES)], ids=lambda submission: submission.name)
def test_hostile(submission, judgements):
    judgement = judgements[submission.name].result()
    wrong = problems(submission, judgement)
    assert not wrong, "\n".join(judgement.lines)
