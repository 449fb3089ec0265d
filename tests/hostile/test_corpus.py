"""The corpus itself: it is large, its honest submissions are honest, and the others would earn more if nobody looked."""

import contextlib
import io

import pytest

from course.catalogue import find
from tests.hostile import answers, files, programs, tampering
from tests.hostile.corpus import CORPUS, available, of, solved

HARMLESS = (tampering.honest, tampering.half_solved, tampering.other_order, tampering.name_used_again, answers.unusual,
            answers.misleading, answers.in_place, answers.random_answers)


def points_in_the_notebook(notebook):
    """What the check cells say, run from top to bottom in this process."""
    points = {}

    def check(id, answer):
        points[id] = float(find(id).judge(answer))

    names = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(cell.source, names)
            names["check"] = check
    return points


def test_there_are_many_and_no_two_alike():
    assert len({submission.name for submission in CORPUS}) == len(CORPUS) >= 36
    assert all(of(module) for module in (answers, files, programs, tampering))


@pytest.mark.parametrize("chapter", sorted({submission.chapter for submission in CORPUS}))
def test_what_they_start_from_is_solved(chapter):
    assert points_in_the_notebook(solved(chapter)) == available(chapter)


@pytest.mark.parametrize("change", HARMLESS, ids=lambda change: change.__name__)
def test_a_learner_sees_the_points_that_the_corpus_expects(change, tmp_path):
    submission = next(submission for submission in CORPUS if submission.change is change)
    notebook = solved(submission.chapter)
    change(notebook, tmp_path)
    assert points_in_the_notebook(notebook) == submission.expected()


def test_every_submission_can_be_written(tmp_path):
    for number, submission in enumerate(CORPUS):
        path = submission.write(tmp_path / str(number))
        assert path.parent == tmp_path / str(number)
        assert set(submission.lost) <= available(submission.chapter).keys()
