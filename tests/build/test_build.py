"""The build is deterministic, does only what is needed, and finds what differs."""

import json
import re

import nbformat
import pytest
from nbformat import v4

from tests.build.conftest import PAGE
from tools import build, source
from tools.execute import WIDGET, ExecutionError, keep_stable, require_clean

TARGETS = ["notebooks/07_slope.ipynb", "solutions/07_slope/07_slope.ipynb", "exercises/07_slope/07_slope.ipynb"]


@pytest.fixture
def executed(monkeypatch):
    """The notebooks that a kernel was started for, by name."""
    found, execute = {}, build.execute

    def keeping(notebook, name, *arguments, **settings):
        found[name] = notebook
        return execute(notebook, name, *arguments, **settings)

    monkeypatch.setattr(build, "execute", keeping)
    return found


@pytest.fixture
def lessons_rest(monkeypatch):
    """No kernel is started for a lesson."""
    execute = build.execute
    monkeypatch.setattr(build, "execute", lambda notebook, name, *more: name in TARGETS or execute(notebook, name, *more))


def edit(path, change):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_a_course_from_its_first_build_to_its_drift(course, catalogue, executed):
    """One course, built, built again, damaged and mended: together, since each build starts a kernel."""
    root = course()
    assert build.build(root, catalogue=catalogue) == (TARGETS, TARGETS)
    first = {target: (root / target).read_bytes() for target in TARGETS}

    assert list(executed) == TARGETS[:1]
    executed.clear()
    assert build.build(root, catalogue=catalogue) == ([], [])
    assert not executed, "a second build executes nothing"

    def change(notebook):
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        code[1]["outputs"][0]["text"] = ["rise 3.0\n"]
        code[1]["outputs"][1]["data"]["image/png"] = "another machine's fonts"
        code[2]["source"] = ["3 * x"]

    edit(root / TARGETS[0], change)
    (root / TARGETS[2]).unlink()
    (root / "notebooks" / "08_gone.ipynb").write_text("{}", encoding="utf-8")
    lines = build.drift(root, catalogue=catalogue)
    assert [line.splitlines()[0] for line in lines] == [
        "notebooks/07_slope.ipynb, cell 07_slope-004: output differs",
        "notebooks/07_slope.ipynb, cell 07_slope-005: source differs",
        "exercises/07_slope/07_slope.ipynb: missing",
        "notebooks/08_gone.ipynb: no chapter builds this file",
    ]
    assert 'rise 3.0\\n"' in lines[0]
    assert build.drift(root, catalogue=catalogue, run=False) == lines[1:]
    assert "picture" not in lines[0]

    (root / build.RECORD).unlink()
    assert build.build(root, "07", catalogue=catalogue) == (TARGETS, [TARGETS[0], TARGETS[2]]), (
        "without its record it builds everything again, and writes only what differs"
    )
    assert {target: (root / target).read_bytes() for target in TARGETS} == first


@pytest.mark.usefixtures("lessons_rest")
def test_only_what_changed_is_built(course, catalogue):
    root = course()
    build.build(root, catalogue=catalogue)
    course(("Two answers.", "Two answers, please."))
    assert build.build(root, catalogue=catalogue) == (TARGETS[1:], TARGETS[1:])
    (root / TARGETS[2]).unlink()
    assert build.build(root, catalogue=catalogue) == (TARGETS[1:], TARGETS[2:])


def test_a_missing_picture_is_drift(tmp_path):
    def notebook(data):
        cell = {
            "id": "a",
            "cell_type": "code",
            "source": "",
            "outputs": [{"output_type": "display_data", "data": data}],
        }
        return json.dumps({"cells": [cell], "metadata": {}})

    (tmp_path / "there").write_text(notebook({"text/plain": "a figure"}))
    (tmp_path / "fresh").write_text(notebook({"text/plain": "a figure", "image/png": "..."}))
    assert build.compare(tmp_path / "there", tmp_path / "fresh", "n")[0].startswith("n, cell a: output differs")


UNCLEAN = {
    "1 / 0": "ZeroDivisionError: division by zero",
    "import sys\nprint('careful', file=sys.stderr)": "wrote to stderr: careful",
    "import threading\nthreading.Lock()": "shows a memory address",
}


def test_a_cell_that_is_not_clean_stops_the_build_and_is_quoted(course, catalogue, executed):
    root = course(("2 * x\n```", "\n```\n\n```{code-cell}\n".join(UNCLEAN) + "\n```"))
    with pytest.raises(ExecutionError, match="ZeroDivisionError"):
        build.build(root, catalogue=catalogue)
    assert not (root / TARGETS[0]).exists()
    # One run of all of them, looked at one by one.
    cells = {cell.source: cell for cell in executed[TARGETS[0]].cells}
    for code, message in UNCLEAN.items():
        with pytest.raises(ExecutionError) as caught:
            require_clean(v4.new_notebook(cells=[cells[code]]), "a.ipynb")
        assert message in str(caught.value)
        assert all(f"    {line}" in str(caught.value) for line in code.splitlines())


def test_a_mistake_is_found_before_anything_is_executed(course, catalogue, executed):
    root = course(('    """Rise over run."""\n', ""))
    with pytest.raises(build.source.SourceError):
        build.build(root, catalogue=catalogue)
    assert not executed


@pytest.mark.usefixtures("lessons_rest")
def test_an_untested_formula_stops_the_build_even_where_all_is_up_to_date(course, catalogue):
    root = course(("Prose first.", "$$y = 2x$$ (line)"))
    tests = root / "tests" / "chapters" / "ch07_slope" / "test_formulas.py"
    tests.parent.mkdir(parents=True)
    tests.write_text('def test_line():\n    r"""y = 2x"""\n')
    build.build(root, catalogue=catalogue)
    tests.unlink()
    with pytest.raises(build.source.SourceError, match=r"the formula \(line\) has no test"):
        build.build(root, catalogue=catalogue)


@pytest.mark.usefixtures("lessons_rest")
def test_a_page_beside_the_lesson_is_built_executed_and_checked(course, catalogue):
    root = course()
    page = root / "course" / "ch07_slope" / "trouble.md"
    page.write_text(PAGE, encoding="utf-8")
    built, _ = build.build(root, catalogue=catalogue)
    assert built[1] == "notebooks/07_trouble.ipynb"
    notebook = nbformat.read(root / built[1], as_version=4)
    assert notebook.cells[0].source == "# Trouble\n\n*3 minutes*"
    assert [cell.id for cell in notebook.cells][:2] == ["07_trouble-000", "07_trouble-001"]
    assert notebook.cells[-2].outputs[0].data["text/plain"] == "np.int64(3)"
    assert build.drift(root, catalogue=catalogue) == []
    page.write_text(PAGE.replace("arange(3)", "arange(4)"), encoding="utf-8")
    assert "output differs" in "\n".join(build.drift(root, catalogue=catalogue))
    page.unlink()
    assert build.drift(root, catalogue=catalogue) == ["notebooks/07_trouble.ipynb: no chapter builds this file"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("minutes: 3\n", "", "trouble.md: the front matter has no minutes"),
        ("np.arange(3).sum()", "1\n" * 12 + "1", "a code cell has 13 lines; at most 12"),
        ("A page", "$$y = 2x$$ A page", "a displayed formula needs a label"),
    ],
)
def test_a_mistake_in_a_page_is_named(course, catalogue, old, new, message):
    root = course()
    page = root / "course" / "ch07_slope" / "trouble.md"
    page.write_text(PAGE.replace(old, new), encoding="utf-8")
    with pytest.raises(source.SourceError, match=re.escape(message)):
        build.build(root, catalogue=catalogue)


@pytest.mark.usefixtures("lessons_rest")
def test_a_learners_copies_are_no_drift(course, catalogue):
    root = course()
    build.build(root, catalogue=catalogue)
    mine = root / "exercises" / "07_slope" / "07_slope-fresh.ipynb"
    mine.write_bytes((root / "exercises" / "07_slope" / "07_slope.ipynb").read_bytes())
    assert build.drift(root, catalogue=catalogue) == []


def test_an_unknown_chapter_is_named(course, catalogue):
    with pytest.raises(FileNotFoundError, match="starts with '42'; the chapters are 07_slope"):
        build.build(course(), "42", catalogue=catalogue)


def test_a_widget_leaves_its_picture_and_its_words():
    data = {WIDGET: {"model_id": "1"}, "image/png": "...", "text/plain": "The neuron fires."}
    cell = v4.new_code_cell(
        "lab.show()", outputs=[v4.new_output("display_data", data), v4.new_output("display_data", {WIDGET: {}})]
    )
    notebook = v4.new_notebook(
        cells=[cell], metadata={"widgets": {}, "language_info": {"name": "python", "version": "3.11.7"}}
    )
    keep_stable(notebook)
    assert notebook.metadata == {"language_info": {"name": "python"}}
    assert [output.data for output in cell.outputs] == [{"image/png": "...", "text/plain": "The neuron fires."}]
