"""An answer gets the same verdict through the border between processes as in the learner's notebook."""

import tempfile

import pytest

from classroom import judge as judging
from classroom.judge import Run, Task
from classroom.limits import Limits
from course.catalogue import chapters

SEED = 7
EVERY = 6  # of the wrong answers and of the unusual right ones, so that chapters take seconds


@pytest.fixture
def open_process(monkeypatch):
    """A process like that of a submission, but one that may import the exercises, to find their answers there."""
    monkeypatch.setattr(judging, "_banks", list)
    monkeypatch.setattr(judging, "_hidden", lambda folder: [])


def known(exercise):
    """Known answers of an exercise: (words that find it there, the answer itself)."""
    yield "known.reference", exercise.reference
    for name in list(exercise.variants)[::EVERY]:
        yield f"known.variants[{name!r}]", exercise.variants[name]
    for number in range(0, len(exercise.mutants), EVERY):
        yield f"known.mutants[{number}].answer", exercise.mutants[number].answer


def outcome(result):
    return result.verdict, float(result), result.mutant


@pytest.mark.parametrize("chapter", [c for c in chapters() if c.exercises], ids=lambda chapter: chapter.name)
@pytest.mark.usefixtures("open_process")
def test_every_chapter_gives_the_same_verdicts_both_ways(chapter, tmp_path):
    different = []
    group = chapter.exercises
    wanted = {exercise.id: Task(exercise, ["answer"], False, "", "") for exercise in group}
    run = Run([], wanted, Limits(total=600), SEED, tmp_path)
    with tempfile.TemporaryDirectory(prefix="submission-") as scratch:
        process = run._start(scratch)
        try:
            process.begin()
            for exercise in group:
                for words, answer in known(exercise):
                    source = f"from course.catalogue import find\nknown = find({exercise.id!r})\nanswer = {words}"
                    assert process.run(source) is None
                    run.judged.clear()
                    assert run._judge(process, exercise.id)
                    pair = outcome(run.judged[exercise.id]), outcome(exercise.judge(answer, SEED))
                    if pair[0] != pair[1]:
                        different.append((exercise.id, words, *pair))
        finally:
            process.end()
    assert different == []
    assert group
