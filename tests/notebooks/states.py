"""What Run All alone does not show of an exercise notebook, in the kernel in which nbval has just run its cells.

- solutions/ ran with everything filled in. Then each answer is wrong in turn, by mutants: its check fails and names the
  mistake, all others say what they said before.
- exercises/ ran with nothing filled in. Then each answer alone is filled in: full points, also where it uses an earlier
  one, and the check says that the course's own stands in for that.

In every state no cell raises, and none writes to stderr. After a wrong answer those cells are run again that can do
something else now: that use a name which may have changed. Each finds the names as they stood when nbval ran it, and of
those that may have changed the new ones.
"""

import ast
import json
import symtable
import sys
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType, NoneType
from unittest import mock

from IPython.core.displayhook import CapturingDisplayHook
from IPython.utils.capture import capture_output

MUTANTS = 1  # of each exercise, each time another in the row; tests/grading judges all of them
SEE_EVERYTHING = {"globals", "locals", "vars", "dir", "eval", "exec", "get_ipython", "progress", "dashboard", "review"}
STAY = FunctionType | BuiltinFunctionType | type | ModuleType | str | int | float | complex | NoneType


class Run:
    """A notebook in this kernel; `verdicts` holds what each check said last, `problems` what went wrong.

    It is made before the first cell is run, and follows nbval's run from then on.
    """

    def __init__(self, shell, path):
        self.shell, self.path, self.cells = shell, Path(path).resolve(), code_cells(path)
        self.cell, self.names, self.verdicts, self.problems = None, {}, {}, []
        self.events = {"pre_run_cell": self._begin, "post_run_cell": self._end}
        for event, note in self.events.items():
            shell.events.register(event, note)

    def _begin(self, info):
        self.cell = next((cell for cell in self.cells if cell.source == info.raw_cell and cell.id not in self.names), None)
        if self.cell:
            self.names[self.cell.id] = dict(self.shell.user_ns)

    def _end(self, result):
        if self.cell and self.cell.check:
            self.verdicts[self.cell.check] = result.result

    def _ran_all(self):
        """What is run from here on is no longer nbval's."""
        for event, note in self.events.items():
            self.shell.events.unregister(event, note)
        assert len(self.names) == len(self.cells), "this needs a run of all cells before"

    def each_answer_wrong(self):
        """After a run with everything filled in: AssertionError with the problems of each answer being wrong, if any."""
        self._ran_all()
        self._expect_all("everything filled in", self.cells)
        first = dict(self.verdicts)
        for position, (place, answer, check) in enumerate(graded(self.cells)):
            for mutant in chosen(check.check, position):
                self.verdicts = dict(first)
                self._wrong(f"{check.check} wrong by {mutant.name}", place, answer, check, mutant)
        assert not self.problems, "\n".join(self.problems)

    def each_answer_alone(self):
        """After a run with nothing filled in: AssertionError with the problems of each answer alone being there, if any."""
        self._ran_all()
        course, folder = self.path.parents[2], self.path.parent.name
        solved = {cell.id: cell for cell in code_cells(course / "solutions" / folder / self.path.name)}
        earlier = set()
        for _, _, check in graded(self.cells):
            self._expect("nothing filled in", check, 0, ["not attempted"])
        for _, stub, check in graded(self.cells):
            state, filled = f"only {stub.id} filled in", solved[stub.id]
            self._run(state, filled)
            self._run(state, check)
            self._expect(state, check, check.points, ["correct"])
            notes = getattr(self.verdicts[check.check], "notes", [])
            if filled.uses & earlier and not any("the course's own" in note for note in notes):
                self.problems.append(f"{state}: the check of {check.check} does not say what stands in for an earlier answer")
            self._run("emptied again", stub)
            self._run("emptied again", check)
            earlier |= stub.defines
        assert not self.problems, "\n".join(self.problems)

    def _wrong(self, state, place, answer, check, mutant):
        changed = self._run_again(state, answer, set())
        self.shell.user_ns["wrong_answer"] = mutant.answer
        self._execute(state, answer, f"{check.argument} = wrong_answer")
        later = self.cells[place + 1 :]
        for cell in later:
            if cell.can_differ(changed):
                changed |= self._run_again(state, cell, changed)
        self._expect(state, check, 0, ["wrong", "error"], mutant.name)
        self._expect_all(state, [cell for cell in later if cell is not check])

    def _run_again(self, state, cell, changed):
        """Run a cell where it stands, and give the names that it may have changed."""
        space = self.shell.user_ns
        now = {name: space[name] for name in changed & set(space)}
        space.clear()
        space.update(self.names[cell.id] | now)
        self._run(state, cell)
        return cell.may_change(space)

    def _run(self, state, cell):
        value = self._execute(state, cell, cell.source)
        if cell.check:
            self.verdicts[cell.check] = value

    def _execute(self, state, cell, source):
        """Run a text in the place of a cell, without showing anything; gives the value in its last line."""
        with capture_output() as output, mock.patch.object(self.shell, "showtraceback"):
            sys.displayhook = shown = Shown(self.shell)
            outcome = self.shell.run_cell(source, store_history=False)
        if not outcome.success:
            self.problems.append(f"{state}: cell {cell.id} raised {outcome.error_in_exec or outcome.error_before_exec!r}")
        if output.stderr:
            self.problems.append(f"{state}: cell {cell.id} wrote to stderr: {output.stderr.strip()}")
        return shown.value

    def _expect_all(self, state, cells):
        for cell in cells:
            if cell.check:
                self._expect(state, cell, cell.points, ["correct"])

    def _expect(self, state, cell, points, verdicts, mutant=None):
        """Note a problem where a check did not say this."""
        got = self.verdicts.get(cell.check)
        said = (None if got is None else float(got), getattr(got, "verdict", None), getattr(got, "mutant", None))
        if said[0] != points or said[1] not in verdicts or said[2] != mutant:
            self.problems.append(f"{state}: the check of {cell.check} gave {said}, not {(points, *verdicts, mutant)}")


class Shown(CapturingDisplayHook):
    """Formats what a cell shows, as a page would, and keeps the last value."""

    value = None

    def __call__(self, result=None):
        self.value = result
        super().__call__(result)


class Cell:
    """A code cell: its id and source, the names it uses and binds, the functions and classes among these; whether it is an
    answer; for a check the exercise and its argument."""

    def __init__(self, cell):
        self.id, self.source = cell["id"], "".join(cell["source"])
        marks = cell["metadata"].get("nbgrader", {})
        self.answer, self.points, self.check = bool(marks.get("solution")), marks.get("points"), None
        tree = ast.parse(self.source)
        if marks.get("grade"):
            call = tree.body[-1].value
            self.check, self.argument = call.args[0].value, ast.unparse(call.args[1])
        self.defines = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        self.uses, self.binds = names(self.source)

    def can_differ(self, changed):
        """Can it do something else than before, where these names have changed? Also where it gives one of them a value: that
        is what cells find that come after it."""
        return bool(changed & self.binds or self.uses & (changed | SEE_EVERYTHING))

    def may_change(self, space):
        """The names that it binds, and those whose values it may have changed in place."""
        return self.binds | {name for name in self.uses if not isinstance(space.get(name), STAY)}


def code_cells(path):
    """The code cells of a notebook's file."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    return [Cell(cell) for cell in cells if cell["cell_type"] == "code"]


def names(source):
    """The names of the notebook that a cell uses and that it binds, in its functions too; a parameter of the same name is
    another thing."""
    uses, binds, waiting = set(), set(), [symtable.symtable(source, "cell", "exec")]
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        for symbol in table.get_symbols():
            # Before a class binds a name, the same name is the notebook's.
            if symbol.is_global() or table.get_type() == "class":
                uses |= {symbol.get_name()} if symbol.is_referenced() else set()
                binds |= {symbol.get_name()} if symbol.is_assigned() or symbol.is_imported() else set()
    return uses, binds


def graded(cells):
    """Each check with its place, as (place of the answer, answer, check)."""
    found = None
    for place, cell in enumerate(cells):
        if cell.answer:
            found = place
        elif cell.check:
            yield found, cells[found], cell


def chosen(id, position):
    """Some mutants of an exercise, at other places in each exercise."""
    from course.catalogue import find  # not before the notebook itself imports the course

    mutants = find(id).mutants
    return [mutants[(position + step) % len(mutants)] for step in range(min(MUTANTS, len(mutants)))]
