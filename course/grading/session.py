"""What the cells of a notebook did before: which of them failed, so that a check judges something older, and where a name comes
from that Python does not know.

IPython tells before and after each cell. Elsewhere nothing is known, and nothing is said.
"""
import ast
import contextlib
import json
import re
import symtable
import sys
import traceback
import warnings
from typing import NamedTuple

from course.grading import cells
from course.grading.feedback import shortened

BLANK = re.compile(r"\A(?:[ \t]*\n)+")  # lines at the beginning of a cell, which IPython does not count
MAGIC = re.compile(r"^[%!?].*", flags=re.MULTILINE)
GIVES = re.compile(r"^(?:async +)?(?:def|class) +(\w+)|^(\w+(?: *, *\w+)*) *(?::[^=\n]+)?=(?!=)", flags=re.MULTILINE)
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
LINE = 60  # characters of a line that is quoted
RESTARTED = "After a restart of the kernel, choose Run All Above Selected Cell in the menu Run."
_nothing = object()
_watched = []  # the session of this process, where there is one


class Failure(NamedTuple):
    """A run that gave a name no value: the value that the name had and still has, and what stopped the cell, in words."""

    value: object
    words: str


class Session:
    """The cells that ran in an IPython shell, as far as checks need to know them.

    Attributes
    ----------
    source, cell_id : the cell that runs, or ran last. failures : name -> `Failure`, for each name whose cell failed last time.
    """

    def __init__(self, shell):
        self.shell, self.source, self.cell_id, self.failures, self._before = shell, "", None, {}, {}

    def begin(self, info):
        """IPython's event before a cell."""
        self.source, self.cell_id = info.raw_cell or "", getattr(info, "cell_id", None)
        self._before = dict(self.shell.user_ns)

    def end(self, result):
        """IPython's event after a cell."""
        source, now = BLANK.sub("", result.info.raw_cell or ""), self.shell.user_ns
        error = result.error_in_exec if result.error_before_exec is None else result.error_before_exec
        if error is not None:
            line = error.lineno if error is result.error_before_exec and isinstance(error, SyntaxError) else self._line(error)
            words = _words(error, line, source)
            for name in gives(source) - gives(_before_line(source, line)):
                if now.get(name, _nothing) is self._before.get(name, _nothing):
                    self.failures[name] = Failure(now.get(name, _nothing), words)
        elif self.failures:
            for name in gives(source):
                self.failures.pop(name, None)
        self._before = {}

    def _line(self, error):
        """The line of the cell itself at which it stopped, or None."""
        places = traceback.walk_tb(error.__traceback__)
        return next((number for frame, number in places if frame.f_globals is self.shell.user_ns), None)

    def unknown(self, error):
        """What to do about a NameError: which cell to run, a sentence on each line. Empty where it is not about the notebook."""
        name, frames = error.name, list(traceback.walk_tb(error.__traceback__))
        if not name or frames[-1][0].f_globals is not self.shell.user_ns:
            return ""
        if name in self.failures:
            return f"{_failed(name, self.failures[name])}\nCorrect that cell and run it, then this one."
        place = self._cell_that_gives(name)
        if place:
            return f"{name} comes from {place}"
        if getattr(getattr(sys.modules.get("course"), name, None), "__module__", None) == "course":
            return f"{name} belongs to the course.\nRun the first code cell of the notebook, or `from course import {name}`."
        return f"Run the cell that defines {name}, then this one.\nIf there is no such cell, the name is misspelt."

    def _cell_that_gives(self, name):
        """Which cell of the notebook's file defines or imports a name, and what to run, in words; None where none is known."""
        known = _code_cells()
        running = (i for i, (id, source) in enumerate(known) if source == self.source or (id and id == self.cell_id))
        here = next(running, len(known))
        giving = [i for i, (_, source) in enumerate(known) if i != here and name in gives(source)]
        if not giving:
            return None
        beginning = f"begins with `{_quoted(known[giving[0]][1].strip().splitlines()[0])}`.\nRun that cell, then this one."
        return f"the cell that {beginning}\n{RESTARTED}" if giving[0] < here else f"a cell further down, which {beginning}"


def _code_cells():
    """The id and the text of each code cell in the notebook's file; none where that is not known."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        if path := cells.notebook_path():
            everything = json.loads(path.read_text(encoding="utf-8"))["cells"]
            return [(cell.get("id"), cells.source(cell)) for cell in everything if cell["cell_type"] == "code"]
    return []


def watch(shell):
    """Follow the cells of an IPython shell, and explain its NameErrors; once, and not where somebody else does that."""
    if shell is None or _watched:
        return
    session = Session(shell)
    _watched.append(session)
    shell.events.register("pre_run_cell", session.begin)
    shell.events.register("post_run_cell", session.end)
    if not shell.custom_exceptions:
        shell.set_custom_exc((NameError,), _explain)


def _explain(shell, kind, error, trace, tb_offset=None):
    with contextlib.suppress(Exception):  # the learner's own error must be shown, whatever happens here
        words = _watched[0].unknown(error)
        if words and words not in getattr(error, "__notes__", ()):
            error.add_note(words)
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def older(id):
    """Why a check of this exercise, called in the cell that runs, sees something older than the page shows; empty where it
    does not, as far as is known."""
    session = _watched[0] if _watched else None
    if session is None or not session.failures:
        return ""
    return " ".join(_failed(name, session.failures[name]) for name in sorted(_checked(session.source, id) & set(session.failures))
                    if session.shell.user_ns.get(name, _nothing) is session.failures[name].value)


def _failed(name, failure):
    return f"The last run of the cell that defines {name} failed {failure.words}"


def _words(error, line, source):
    """What stopped a cell: "in line 3 (return 2 * * x) with SyntaxError: invalid syntax."."""
    lines = source.splitlines()
    place = f"in line {line} (`{_quoted(lines[line - 1])}`) " if line and line <= len(lines) and lines[line - 1].strip() else ""
    said = f"{type(error).__name__}: {error.msg}" if isinstance(error, SyntaxError) \
        else shortened(traceback.format_exception_only(error)[0].strip())
    return f"{place}with {said}{'' if said.endswith(('.', '?', '!')) else '.'}"


def _quoted(line):
    line = line.strip()
    return line if len(line) <= LINE else f"{line[:LINE]}..."


def gives(source):
    """The names to which a cell gives a value: definitions, assignments and imports. Of a cell that is no Python, those that
    begin a line."""
    source = MAGIC.sub("", source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = symtable.symtable(source, "cell", "exec")
    except UNREADABLE:
        return {name for found in GIVES.findall(source) for name in re.findall(r"\w+", "".join(found))}
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}


def _before_line(source, line):
    """The statements of a cell that are over before a line."""
    tree = _parsed(source)
    end = max((node.end_lineno for node in tree.body if line and node.end_lineno < line), default=0) if tree else 0
    return "\n".join(MAGIC.sub("", source).split("\n")[:end])


def _checked(source, id):
    """The names that a call is given beside this id, such as `twice` in check("start_here.twice", twice)."""
    tree, found = _parsed(source), set()
    for call in ast.walk(tree) if tree else ():
        given = [*call.args, *(keyword.value for keyword in call.keywords)] if isinstance(call, ast.Call) else []
        if any(isinstance(part, ast.Constant) and part.value == id for part in given):
            found |= {node.id for part in given for node in ast.walk(part) if isinstance(node, ast.Name)}
    return found


def _parsed(source):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(MAGIC.sub("", source))
    except UNREADABLE:
        return None
