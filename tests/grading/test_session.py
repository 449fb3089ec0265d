"""What a learner is told after a cell that failed, and after a restart: in an IPython shell, and in a real kernel."""

import json
import os
import re

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbclient import NotebookClient
from traitlets.config import Config

from course.grading import session, standin
from course.grading.core import CORRECT, NOT_ATTEMPTED, WRONG
from tools.execute import environment

STUB = 'def twice(x):\n    """Return twice x."""\n    # Your code here.'
RIGHT = "def twice(x):\n    return 2 * x"
BROKEN = "def twice(x):\n    return 2 * * x"
CHECK = 'check("start_here.twice", twice)'


class Notebook:
    """A shell that is followed, with the functions of the course imported."""

    def __init__(self):
        settings = Config()
        settings.HistoryManager.enabled = False
        settings.InteractiveShell.colors = "nocolor"
        self.shell = InteractiveShell(config=settings)
        session.watch(self.shell)
        self.run("from course import check, hint, progress")

    def run(self, *sources):
        """What the last of some cells gave, or what it printed where it failed."""
        for source in sources:
            with capture_output() as output:
                outcome = self.shell.run_cell(source)
            assert output.stderr == ""
        return outcome.result if outcome.success else output.stdout


@pytest.fixture
def notebook(monkeypatch):
    monkeypatch.setattr(session, "_watched", [])
    monkeypatch.setattr(standin, "_last", {})
    return Notebook()


# A cell that failed.


def test_a_syntax_error_over_the_stub_is_said_instead_of_nothing_here_yet(notebook):
    result = notebook.run(STUB, BROKEN, CHECK)
    assert (result.verdict, float(result)) == (NOT_ATTEMPTED, 0)
    assert str(result).splitlines()[1:] == [
        "The last run of the cell that defines twice failed in line 2 (`return 2 * * x`) with SyntaxError: invalid syntax. "
        "So there is nothing to check yet. Correct that cell, run it, then check again."]
    assert "return 2 * * x" in result._repr_html_()


def test_any_other_verdict_is_said_to_be_about_the_older_code(notebook):
    for older, verdict in ((RIGHT, CORRECT), ("def twice(x):\n    return x", WRONG)):
        result = notebook.run(older, BROKEN, CHECK)
        assert result.verdict == verdict
        assert len(result.notes) == 1
        assert "The last run of the cell that defines twice failed in line 2" in str(result)
        assert "What was checked here is older." in result._repr_html_()


BETTER = [RIGHT, f"%time 1\n{RIGHT}", "twice = lambda x: 2 * x", "from operator import pos as twice", f"exec({RIGHT!r})"]


@pytest.mark.parametrize("better", BETTER)
def test_once_the_name_has_a_new_value_nothing_is_said(better, notebook):
    result = notebook.run(STUB, BROKEN, better, CHECK)
    assert "The last run" not in str(result)


def test_the_same_value_once_more_is_new_too(notebook):
    """Small numbers and short texts are the same objects each time."""
    checked = 'check("backprop_layers.symmetry", units)'
    assert "The last run" in str(notebook.run("units = 1", "units = 1 +", checked))
    assert "The last run" not in str(notebook.run("units = 1", checked))


@pytest.mark.parametrize(
    ("source", "older"),
    [
        (f"{RIGHT}\n1 / 0", False),
        (f"1 / 0\n{RIGHT}", True),
        ("twice = (\n    1 / 0\n)", True),
        (f"{RIGHT}\nraise KeyboardInterrupt", False),
        (f"raise KeyboardInterrupt\n{RIGHT}", True),
        (f"{RIGHT}\nreturn 3", False),
        (f"return 3\n{RIGHT}", True),
        (f"%%time\n1 / 0\n{RIGHT}", True),
        ("for _ in range(2):\n    twice = lambda x: x * 2\n    1 / 0", False),
        ("for _ in range(2):\n    1 / 0\n    twice = lambda x: x * 2", True),
        ("  x = 1\n y = 2\ntwice = 3", True),
        ("twice: object = 1 +", True),
        ("once, twice = 1, 2 +", True),
        ("class twice(", True),
        ("twice == 3 +", False),
        ("other = twice(", False),
        ("def other():\n    twice = 1\n1 / 0", False),
        ("x = '\x00'", False),
        ("(" * 300, False),
        ("", False),
    ],
)
def test_which_failures_leave_the_answer_as_it_was(source, older, notebook):
    result = notebook.run("def twice(x):\n    return x + x", source, CHECK)
    assert ("What was checked here is older." in str(result)) == older


def test_a_value_that_the_failed_cell_gave_again_is_not_older(notebook):
    result = notebook.run("units = 1", "units = 1\n1 / 0", 'check("backprop_layers.symmetry", units)')
    assert "The last run" not in str(result)


def test_only_the_names_of_this_check_count(notebook):
    notebook.run(RIGHT, BROKEN, "def mine(x):\n    return 2 * x")
    for call in ('check("start_here.twice", mine)', 'check("start_here.twice", answer=mine)', 'f = check\nf("x", twice)'):
        assert "The last run" not in str(notebook.run(call))
    for call in ('check("start_here.twice", answer=twice)', 'check(id="start_here.twice", answer=lambda x: twice(x))'):
        assert "The last run" in str(notebook.run(call))
    result = notebook.run('check("losses.convention", "mean")\ncheck("start_here.twice", twice)')
    assert str(result).count("The last run") == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("\n\n  \ndef twice(x:\n    pass", "failed in line 1 (`def twice(x:`) with SyntaxError: '(' was never closed."),
        ("1 / 0\ntwice = 2", "failed in line 1 (`1 / 0`) with ZeroDivisionError: division by zero."),
        ("raise ValueError('What is this?')\ntwice = 2", "with ValueError: What is this? So"),
        ("raise KeyboardInterrupt\ntwice = 2", "failed in line 1 (`raise KeyboardInterrupt`) with KeyboardInterrupt."),
        ("def f():\n    1 / 0\n\nx = f()\ntwice = 2", "failed in line 4 (`x = f()`) with"),
        ("raise ValueError('x' * 100_000)\ntwice = 2", "(and more)"),
        (f"raise ValueError('{'x' * 200}')\ntwice = 2", f"(`raise ValueError('{'x' * 42}...`)"),
        ("class Mute(Exception):\n    def __str__(self):\n        1 / 0\nraise Mute\ntwice = 2", "with Mute: <exception str()"),
    ],
)
def test_what_stopped_the_cell_is_quoted(source, words, notebook):
    assert words in notebook.run(STUB, source, CHECK).message


def test_python_warns_no_more_often_than_without_the_course(notebook, recwarn):
    counts = []
    for registered in (True, False):
        if not registered:
            notebook.shell.events.unregister("post_run_cell", session._watched[0].end)
        before = len(recwarn)
        notebook.run("path = '\\d'\ntwice = 1 +")
        counts.append(len(recwarn) - before)
    assert counts[0] == counts[1] > 0


# A name that Python does not know.


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """A function that saves code cells as the notebook that runs here."""
    path = tmp_path / "here.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))

    def save(*sources):
        made = [{"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": source.splitlines(keepends=True)}
                for i, source in enumerate(sources)]
        path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": "twice = 1"}, *made]}), encoding="utf-8")
        return path

    return save


def last_words(said):
    """What stands behind the usual message."""
    head, _, rest = said.partition(" is not defined\n")
    assert "NameError: name '" in head
    assert "Traceback (most recent call last)" in head
    assert all(line.endswith(".") for line in rest.strip().splitlines())
    return " ".join(rest.strip().splitlines())


def test_the_cell_above_that_defines_a_name_is_quoted(notebook, saved):
    saved("import numpy as np", STUB, "print(twice(3))", RIGHT)
    assert last_words(notebook.run("print(twice(3))")) == (
        "twice comes from the cell that begins with `def twice(x):`. Run that cell, then this one. "
        "After a restart of the kernel, choose Run All Above Selected Cell in the menu Run.")
    assert "begins with `import numpy as np`" in last_words(notebook.run("np.ones(3)"))


def test_the_cell_that_imports_a_name_of_the_course_is_quoted(notebook, saved):
    saved("# Begin here.\nfrom course import (\n    check,\n    dashboard,\n)", CHECK)
    assert last_words(notebook.run("dashboard()")).startswith("dashboard comes from the cell that begins with `# Begin here.`.")


def test_a_cell_further_down_is_said_to_be_there(notebook, saved):
    saved("print(rate)", "%matplotlib inline\nrate = 3")
    assert last_words(notebook.run("print(rate)")) == (
        "rate comes from a cell further down, which begins with `%matplotlib inline`. Run that cell, then this one.")


def test_the_cell_that_runs_is_not_named(notebook, saved):
    saved("total = total + 1")
    assert last_words(notebook.run("total = total + 1")).startswith("Run the cell that defines total, then this one.")


def test_a_cell_that_failed_is_named_with_its_error(notebook):
    assert last_words(notebook.run(BROKEN, CHECK)) == (
        "The last run of the cell that defines twice failed in line 2 (`return 2 * * x`) with SyntaxError: invalid syntax. "
        "Correct that cell and run it, then this one.")


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"cells": [{}]}', '{"cells": 3}'])
def test_without_a_notebook_that_can_be_read(content, notebook, saved):
    if content is not None:
        saved().write_text(content, encoding="utf-8")
    assert last_words(notebook.run("print(weights)")) == (
        "Run the cell that defines weights, then this one. If there is no such cell, the name is misspelt.")
    assert last_words(notebook.run("del check\n" + CHECK)) == (
        "check belongs to the course. Run the first code cell of the notebook, or `from course import check`.")


def test_a_name_inside_a_function_of_the_notebook(notebook, saved):
    saved("rate = 3", "def shrink(w):\n    return rate * w", "shrink(1)")
    said = notebook.run("def shrink(w):\n    return rate * w", "shrink(1)")
    assert "begins with `rate = 3`" in last_words(said)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    print(y)\n    y = 1\nf()",
        "raise NameError('mine')",
        "import json\nexec('weights', {})",
        "1 / 0",
        "nothing.at_all = 3\n".replace("nothing", "json"),
        "{}['weights']",
    ],
)
def test_all_other_errors_are_as_they_were(source, notebook):
    notebook.run("import json\njson = 3")
    said = notebook.run(source)
    notebook.shell.set_custom_exc((), None)
    bare = notebook.run(source)
    assert re.sub(r"\[\d+\]|-{20,}", "", said) == re.sub(r"\[\d+\]|-{20,}", "", bare)


def test_an_error_that_is_raised_twice_is_explained_once(notebook):
    said = notebook.run("try:\n    weights\nexcept NameError as problem:\n    kept = problem", "raise kept", "raise kept")
    assert said.count("Run the cell that defines weights") == 1


def test_somebody_elses_handler_stays(monkeypatch):
    monkeypatch.setattr(session, "_watched", [])
    shell, seen = InteractiveShell(), []
    shell.set_custom_exc((NameError,), lambda shell, kind, error, trace, tb_offset=None: seen.append(error.name))
    session.watch(shell)
    shell.run_cell("weights")
    assert seen == ["weights"]


def test_a_shell_is_followed_once(notebook):
    before = {name: list(registered) for name, registered in notebook.shell.events.callbacks.items()}
    session.watch(notebook.shell)
    session.watch(None)
    assert notebook.shell.events.callbacks == before
    assert sum(getattr(f, "__self__", None) is session._watched[0] for f in before["pre_run_cell"]) == 1


def test_elsewhere_nothing_is_said_and_nothing_is_loaded(monkeypatch):
    monkeypatch.setattr(session, "_watched", [])
    session.watch(None)
    assert session._watched == []
    assert session.older("start_here.twice") == ""


# A real kernel.


def test_in_a_kernel_the_reply_is_an_error_and_the_words_are_in_the_traceback(tmp_path):
    sources = ["twice(3)", "from course import check", "twice(3)", STUB, BROKEN, CHECK, RIGHT, CHECK, "%time 1 + unknown"]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    made, replies = nbformat.v4.new_notebook(cells=cells), []
    nbformat.write(made, tmp_path / "here.ipynb")
    client = NotebookClient(made, kernel_name="python3", allow_errors=True, timeout=120,
                            on_cell_executed=lambda cell, cell_index, execute_reply: replies.append(execute_reply["content"]))
    client.execute(env=environment(tmp_path) | {"JPY_SESSION_NAME": str(tmp_path / "here.ipynb"), "PATH": os.environ["PATH"]})
    assert [reply["status"] for reply in replies] == ["error", "ok", "error", "ok", "error", "ok", "ok", "ok", "error"]
    (error,) = cells[2].outputs
    assert (error.output_type, error.ename, error.evalue) == ("error", "NameError", "name 'twice' is not defined")
    assert error.traceback[-1] == replies[2]["traceback"][-1]
    assert "twice comes from a cell further down, which begins with `def twice(x):`." in "\n".join(error.traceback)
    assert "The last run of the cell that defines twice failed in line 2" in cells[5].outputs[0].data["text/html"]
    assert [cells[place].outputs[0].data["text/plain"] for place in (5, 7)] == ["0.0", "1.0"]
    assert "The last run" not in cells[7].outputs[0].data["text/html"]
    assert "Run the cell that defines unknown" in "\n".join(cells[8].outputs[-1].traceback)
    assert not [output for cell in cells for output in cell.outputs if output.get("name") == "stderr"]
