"""Odd files, tampered notebooks and odd answers: each scores what it deserves, and leaves nothing behind."""

from itertools import chain

import pytest

from tests.hostile import answers, files, tampering
from tests.hostile.corpus import of
from tests.hostile.grader import lanes, problems

LANES = lanes([*of(files), *of(tampering), *of(answers)])


@pytest.mark.parametrize("submission", [*chain(*LANES)], ids=lambda submission: submission.name)
def test_hostile(submission, judgements):
    judgement = judgements[submission.name].result()
    wrong = problems(submission, judgement)
    assert not wrong, "\n".join(judgement.lines)
