"""The build says in plain words what is wrong with a chapter's text, and where."""

import nbformat
import pytest

from tools import source

ANSWER = """```{code-cell}
:tags: [answer]
steepest = ..."""


def read(root, catalogue, kind="lesson"):
    (chapter,) = source.chapters(root)
    return source.lesson(chapter) if kind == "lesson" else source.solutions(chapter, catalogue)


LESSON_MISTAKES = {
    "unknown key": ("minutes: 5", "minutes: 5\nminuts: 5", "unknown key 'minuts'; the keys are title, minutes"),
    "missing key": ("minutes: 5\n", "", "the front matter has no minutes"),
    "wrong kind": ("minutes: 5", "minutes: five", "minutes in the front matter must be a int, not 'five'"),
    "colon without quotes": ('"draw one: by hand"', "{draw one: by hand}", "put quotes around one that has a colon"),
    "not YAML": ("title: A slope", "title: [", "the front matter is not YAML"),
    "no front matter": ("---\ntitle: A slope", "title: A slope", "no front matter"),
    "one objective": ('[read a slope, "draw one: by hand"]', "[read a slope]", "2 to 4 objectives, this one has 1"),
    "no summary": ("{summary}", "The end.", "exactly {summary}, where the takeaways go; found 0"),
    "long cell": ("2 * x\n```", "2 * x\n" * 13 + "```", "line 28: a code cell has 13 lines; at most 12"),
    "not Python": ("2 * x\n```", "2 x\n```", "line 28: a code cell is not Python: invalid syntax"),
    "escape": ("2 * x\n```", "'$\\sigma$'\n```", "invalid escape sequence"),
    "import star": ("import numpy as np", "from numpy import *", "a code cell imports *; import by name"),
    "imports later": (
        "import matplotlib.pyplot as plt\nimport numpy as np",
        "x = 1",
        "the first code cell must import",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), LESSON_MISTAKES.values(), ids=LESSON_MISTAKES)
def test_mistakes_in_a_lesson_are_named(course, catalogue, old, new, message):
    with pytest.raises(source.SourceError) as caught:
        read(course((old, new)), catalogue)
    assert message in str(caught.value)
    assert str(caught.value).startswith("ch07_slope/lesson.md")


EXERCISE_MISTAKES = {
    "no docstring": ('    """Rise over run."""\n', "", "slope in an answer cell has no docstring"),
    "unknown exercise": (
        "slope.steepest",
        "slope.steapest",
        "no exercise 'slope.steapest'; the chapter's bank has slope.slope, slope.steepest",
    ),
    "another chapter's": ('check("slope.steepest"', 'check("neuron.sigmoid"', "no exercise 'neuron.sigmoid'; the chapter's"),
    "twice": ('check("slope.steepest", steepest)', 'check("slope.slope", steepest)', "'slope.slope' is checked twice"),
    "value not set": ("steepest = ...\n", "", "uses steepest, which the unfilled answer cell does not define"),
    "no solution": (
        "### BEGIN SOLUTION\nsteepest = 3.0\n### END SOLUTION\n",
        "",
        "an answer cell needs a solution between the lines",
    ),
    "solution not ended": (
        "steepest = 3.0\n### END SOLUTION",
        "steepest = 3.0",
        "an answer cell needs a solution between the lines",
    ),
    "solution in a plain cell": (
        "import check",
        "import check\n### BEGIN SOLUTION\n### END SOLUTION",
        "a cell that is not tagged [answer]",
    ),
    "unknown tag": ("[check]", "[chekc]", "a cell is tagged ['chekc']; a cell has no tag"),
    "not a check": ('check("slope.steepest", steepest)', "print(steepest)", 'one line check("topic.exercise", answer)'),
    "unchecked exercise": (
        f"{ANSWER}\n### BEGIN SOLUTION\nsteepest = 3.0\n### END SOLUTION\n```\n\n```{{code-cell}}\n"
        ':tags: [check]\ncheck("slope.steepest", steepest)\n```\n',
        "",
        "no cell checks slope.steepest",
    ),
    "answer without check": (
        '```{code-cell}\n:tags: [check]\ncheck("slope.slope", slope)\n```\n',
        "",
        "an answer cell has no check after it",
    ),
    "check without answer": (
        "```{code-cell}\n:tags: [answer]\ndef slope",
        "```{code-cell}\ndef slope",
        "not tagged [answer]",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), EXERCISE_MISTAKES.values(), ids=EXERCISE_MISTAKES)
def test_mistakes_in_exercises_are_named(course, catalogue, old, new, message):
    with pytest.raises(source.SourceError) as caught:
        read(course((old, new)), catalogue, "exercises")
    assert message in str(caught.value)


FORMULA = "A second cell, with $y = 2x$.\n\n$$\\frac{dy}{dx}\n= 2$$ (the-slope)"
TEST = '''def test_the_slope():
    r"""\\frac{dy}{dx} = 2"""
'''
FORMULA_MISTAKES = {
    "no label": (" (the-slope)", "", TEST, "line 15: a displayed formula needs a label such as (two-paths)"),
    "bad label": ("the-slope", "The slope", TEST, "such as (two-paths) behind it, not (The slope)"),
    "twice": ("{summary}", "$$y = 2x$$ (the-slope)\n\n+++\n\n{summary}", TEST, "label (the-slope) is used twice"),
    "no test": ("", "", "", "the formula (the-slope) has no test: test_formulas.py needs a test_the_slope"),
    "other formula": ("= 2$$", "= 3$$", TEST, "line 15: the docstring of test_the_slope is not the formula (the-slope)"),
    "no docstring": ("", "", "def test_the_slope():\n    pass\n", "against no docstring"),
    "stale test": ("", "", f"{TEST}\ndef test_old():\n    pass\n", "has test_old, for which there is no formula"),
}


def with_formula(course, old="", new="", tests=TEST):
    """The chapter of a course with a formula, and with its test."""
    text = FORMULA if old not in FORMULA or not old else FORMULA.replace(old, new)
    root = course(("A second cell, with $y = 2x$.", text), *([(old, new)] if old == "{summary}" else []))
    (root / "tests" / "chapters" / "ch07_slope").mkdir(parents=True)
    (root / "tests" / "chapters" / "ch07_slope" / "test_formulas.py").write_text(tests, encoding="utf-8")
    return source.chapters(root)[0]


@pytest.mark.parametrize(("old", "new", "tests", "message"), FORMULA_MISTAKES.values(), ids=FORMULA_MISTAKES)
def test_a_formula_that_is_not_tested_is_named(course, old, new, tests, message):
    with pytest.raises(source.SourceError) as caught:
        source.check_formulas(with_formula(course, old, new, tests))
    assert message in str(caught.value)


def test_a_tested_formula_is_shown_without_its_label(course):
    chapter = with_formula(course)
    source.check_formulas(chapter)
    assert source.lesson(chapter).cells[2].source == "A second cell, with $y = 2x$.\n\n$$\\frac{dy}{dx}\n= 2$$"


def test_dollars_in_code_are_no_formula(course):
    (chapter,) = source.chapters(course(("2 * x\n```", "'$$2x$$'\n```")))
    source.check_formulas(chapter)


def test_a_folder_without_chapters_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no chapter in"):
        source.chapters(tmp_path)


def test_a_lesson_opens_with_its_front_matter_and_closes_with_its_takeaways(course, catalogue):
    cells = read(course(), catalogue).cells
    assert cells[0].source.startswith(
        "# 07 · A slope\n\n*5 minutes*\n\n**After this chapter you can**\n\n- read a slope"
    )
    assert "- What is a slope?" in cells[0].source
    assert cells[-2].source == "## Summary\n\n- A slope is rise over run."
    assert [cell.cell_type for cell in cells] == ["markdown"] * 3 + ["code"] * 3 + ["markdown"] * 2


def test_nbgraders_metadata_come_from_the_exercises(course, catalogue):
    notebook = read(course(), catalogue, "exercises")
    nbformat.validate(notebook)
    graded = {cell.id: cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata}
    assert list(graded) == ["slope-slope-answer", "slope-slope", "slope-steepest-answer", "slope-steepest"]
    assert [data.get("points") for data in graded.values()] == [None, 2, None, 1]
    assert [data.locked for data in graded.values()] == [False, True, False, True]
    assert notebook.cells[0].source.startswith("# 07 · Slopes, by you\n\n*10 minutes, 2 exercises, 3 points*")


def test_a_cell_keeps_its_id_when_other_cells_change(course, catalogue):
    before = [cell.id for cell in read(course(), catalogue, "exercises").cells if "nbgrader" in cell.metadata]
    after = read(course(("Two answers.", "Two answers.\n\n+++\n\nMore words.")), catalogue, "exercises").cells
    assert before == [cell.id for cell in after if "nbgrader" in cell.metadata]
