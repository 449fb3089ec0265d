"""Makes up a class, to try the grader on and to measure it: right, wrong, half and untouched submissions."""

import ast
import random
from pathlib import Path

import nbformat

from classroom.judge import ROOT

KINDS = ("right", "wrong", "half", "untouched", "raises")
WEIGHTS = (8, 6, 3, 1, 2)
OTHER = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.MatMult: ast.Mult}


def generate(count, folder, chapters, seed=0):
    """Write count submissions to each chapter, folder/student-NNN/CHAPTER/CHAPTER.ipynb. Returns {path: kind}."""
    random_numbers = random.Random(seed)
    kinds = {}
    for chapter in chapters:
        solved, empty = (nbformat.read(ROOT / where / chapter / f"{chapter}.ipynb", as_version=4)
                         for where in ("solutions", "exercises"))
        for number in range(count):
            kind = random_numbers.choices(KINDS, WEIGHTS)[0]
            notebook = _submission(kind, solved, empty, random_numbers)
            path = Path(folder, f"student-{number:03d}", chapter, f"{chapter}.ipynb")
            path.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, path)
            kinds[path] = kind
    return kinds


def _submission(kind, solved, empty, random_numbers):
    notebook = nbformat.from_dict(empty if kind == "untouched" else solved)
    notebook = nbformat.reads(nbformat.writes(notebook), as_version=4)
    answers = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    if kind == "half":
        stubs = {cell.id: cell.source for cell in empty.cells}
        for cell in random_numbers.sample(answers, len(answers) // 2):
            cell.source = stubs[cell.id]
    if kind in ("wrong", "raises"):
        cell = random_numbers.choice(answers)
        cell.source = mistaken(cell.source) if kind == "wrong" else f"raise ValueError('I am stuck here')\n{cell.source}"
    return notebook


def mistaken(source):
    """The same code with its last operator taken for another one; code without an operator loses what it returns."""
    tree = ast.parse(source)
    operations = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and type(node.op) in OTHER]
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return)]
    if operations:
        operations[-1].op = OTHER[type(operations[-1].op)]()
    elif returns:
        returns[-1].value = None
    return ast.unparse(tree)
