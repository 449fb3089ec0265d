"""Runs the notebooks of one chapter in three states, and prints what is not as it should be, one line each.

    python -m tests.notebooks.states SOLVED.ipynb UNTOUCHED.ipynb

- Nothing filled in: every check says "not attempted" and gives 0. Then each answer alone is filled in: full points, also
  where it uses an earlier one, and the check says that the course's own stands in for that.
- Everything filled in: full points.
- Each answer wrong in turn, by mutants: its check fails and names the mistake, all others say what they said before.

In every state no cell raises, and none writes to stderr. All states of a notebook are run in one process: only the cells
from the wrong answer on can say something else than before, so they are run again with the names as they stood there.
"""

import ast
import json
import symtable
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course.catalogue import find

MUTANTS = 1  # of each exercise, each time another in the row; tests/grading judges all of them


class Run:
    """A shell with the code cells of a notebook; `verdicts` holds what each check said last, `problems` what went wrong."""

    def __init__(self, path):
        cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        self.cells = [Cell(cell) for cell in cells if cell["cell_type"] == "code"]
        self.shell, self.verdicts, self.problems, self.names = InteractiveShell(), {}, [], {}

    def run(self, cells, state, replaced=None):
        """Run some cells; `replaced` maps the id of an answer cell to what is run after it."""
        for cell in cells:
            self.names.setdefault(cell.id, dict(self.shell.user_ns))
            self._run(cell.source, cell, state)
            if replaced and cell.id in replaced:
                self._run(replaced[cell.id], cell, state)

    def back_to(self, cell):
        """Give every name the value that it had before this cell was run first."""
        self.shell.user_ns.clear()
        self.shell.user_ns.update(self.names[cell.id])

    def _run(self, source, cell, state):
        with capture_output() as output:
            outcome = self.shell.run_cell(source, store_history=False)
        if not outcome.success:
            self.problems.append(f"{state}: cell {cell.id} raised {outcome.error_in_exec or outcome.error_before_exec!r}")
        if output.stderr:
            self.problems.append(f"{state}: cell {cell.id} wrote to stderr: {output.stderr.strip()}")
        if cell.check:
            self.verdicts[cell.check] = outcome.result

    def expect(self, state, check, points, verdicts, mutant=None):
        """Note a problem where a check did not say this."""
        got = self.verdicts.get(check)
        said = (None if got is None else float(got), getattr(got, "verdict", None), getattr(got, "mutant", None))
        if said[0] != points or said[1] not in verdicts or said[2] != mutant:
            self.problems.append(f"{state}: the check of {check} gave {said}, not {(points, *verdicts, mutant)}")


class Cell:
    """A code cell: its id and source, for a check the exercise and its argument, for an answer the names it defines and uses."""

    def __init__(self, cell):
        self.id, self.source = cell["id"], "".join(cell["source"])
        marks = cell["metadata"].get("nbgrader", {})
        self.answer, self.points, self.check = bool(marks.get("solution")), marks.get("points"), None
        tree = ast.parse(self.source)
        if marks.get("grade"):
            call = tree.body[-1].value
            self.check, self.argument = call.args[0].value, ast.unparse(call.args[1])
        self.defines = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        self.uses = names_used(self.source)


def names_used(source):
    """The names of the notebook that a cell uses, in its functions too; a parameter of the same name is another thing."""
    found, waiting = set(), [symtable.symtable(source, "cell", "exec")]
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        found |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return found


def groups(cells):
    """Each answer cell with its place and its check cells."""
    found = []
    for place, cell in enumerate(cells):
        if cell.answer:
            found.append((place, cell, []))
        elif cell.check:
            found[-1][2].append(cell)
    return found


def chosen(id, position):
    """Some mutants of an exercise, at other places in each exercise."""
    mutants = find(id).mutants
    return [mutants[(position + step) % len(mutants)] for step in range(min(MUTANTS, len(mutants)))]


def untouched(path, solved):
    """Nothing filled in, then one answer alone."""
    run = Run(path)
    run.run(run.cells, "nothing filled in")
    for cell in filter(lambda cell: cell.check, run.cells):
        run.expect("nothing filled in", cell.check, 0, ["not attempted"])
    earlier = set()
    filled = {cell.id: cell for cell in solved if cell.answer}
    for _, stub, checks in groups(run.cells):
        state = f"only {stub.id} filled in"
        run.run([filled[stub.id], *checks], state)
        for check in checks:
            run.expect(state, check.check, check.points, ["correct"])
            notes = getattr(run.verdicts[check.check], "notes", [])
            if filled[stub.id].uses & earlier and not any("the course's own" in note for note in notes):
                run.problems.append(f"{state}: the check of {check.check} does not say what stands in for an earlier answer")
        run.run([stub, *checks], "emptied again")
        earlier |= stub.defines
    return run.problems


def filled_in(path):
    """Everything filled in, then each answer wrong in turn."""
    run = Run(path)
    run.run(run.cells, "everything filled in")
    for cell in filter(lambda cell: cell.check, run.cells):
        run.expect("everything filled in", cell.check, cell.points, ["correct"])
    position = 0
    for place, answer, checks in groups(run.cells):
        for check in checks:
            for mutant in chosen(check.check, position):
                state = f"{check.check} wrong by {mutant.name}"
                run.back_to(answer)
                run.shell.user_ns["wrong_answer"] = mutant.answer
                run.run(run.cells[place:], state, {answer.id: f"{check.argument} = wrong_answer"})
                run.expect(state, check.check, 0, ["wrong", "error"], mutant.name)
                for other in (cell for cell in run.cells[place:] if cell.check and cell is not check):
                    run.expect(state, other.check, other.points, ["correct"])
            position += 1
    return run.problems


def main(solved, empty):
    """The problems of a chapter's two notebooks."""
    return filled_in(solved) + untouched(empty, Run(solved).cells)


if __name__ == "__main__":
    print("\n".join(main(*sys.argv[1:])))
