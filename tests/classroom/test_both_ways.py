"""An answer gets the same verdict outside the learner's process as in the notebook: right ones, and wrong ones by name."""

import nbformat
import pytest

from bplib.grading import find
from classroom import judge as judging

SEED = 7
# Answers of every kind: functions, values, functions as arguments, generators, classes, whole networks.
CHAPTERS = ("02_losses", "03_gradient_descent", "04_finite_differences", "05_chain_rule", "06_backprop_layers", "07_softmax")


@pytest.fixture
def open_course(monkeypatch):
    """References are not hidden, so that a cell can hand in the wrong answers that the course knows."""
    monkeypatch.setattr(judging, "_topics", list)
    monkeypatch.setattr(judging, "_hidden", lambda folder: [])


def handed_in(chapter, pick, path):
    """A notebook whose answers are picked from the exercises themselves: {id: (expression, answer)}, and its file."""
    answers, cells = {}, [nbformat.v4.new_code_cell("from bplib.grading import find")]
    for id, task in judging.tasks(chapter).items():
        expression, answer = pick(task.exercise)
        if expression and not task.as_tuple:
            answers[id] = answer
            cells.append(nbformat.v4.new_code_cell(f"{task.names[0]} = find({id!r}){expression}"))
            cells.append(nbformat.v4.new_code_cell(task.source, metadata={"nbgrader": {"grade_id": task.grade_id}}))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return answers


def a_mutant(number):
    def pick(exercise):
        if number < len(exercise.mutants):
            return f".mutants[{number}].answer", exercise.mutants[number].answer
        return None, None

    return pick


def a_variant(number):
    def pick(exercise):
        names = list(exercise.variants)[number:number + 1]
        return (f".variants[{names[0]!r}]", exercise.variants[names[0]]) if names else (".reference", exercise.reference)

    return pick


def verdicts(chapter, answers, path):
    """What the judge says, and what the check in the notebook says of the same answers, by id."""
    report = judging.judge(path, chapter, seed=SEED)
    outside = {id: (report.results[id].verdict, report.results[id].mutant) for id in answers}
    results = {id: find(id).judge(answer, SEED) for id, answer in answers.items()}
    return outside, {id: (result.verdict, result.mutant) for id, result in results.items()}


@pytest.mark.parametrize("number", [2])
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_right_answers_of_unusual_form(chapter, number, open_course, tmp_path):
    answers = handed_in(chapter, a_variant(number), tmp_path / "notebook.ipynb")
    outside, inside = verdicts(chapter, answers, tmp_path / "notebook.ipynb")
    assert outside == inside == dict.fromkeys(answers, ("correct", None))


@pytest.mark.parametrize("number", [0])
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_wrong_answers_that_people_give(chapter, number, open_course, tmp_path):
    answers = handed_in(chapter, a_mutant(number), tmp_path / "notebook.ipynb")
    outside, inside = verdicts(chapter, answers, tmp_path / "notebook.ipynb")
    assert outside == inside
    assert all(verdict in ("wrong", "error") for verdict, _ in outside.values())
