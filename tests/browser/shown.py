"""How the notebooks show their labs: code for each lab of the course, and what a notebook's code shows."""

import ast
import runpy
from pathlib import Path

from course.catalogue import chapters

CHAPTERS = Path(__file__).parents[1] / "chapters"


def learners(chapter):
    """By the names of labs, the code that shows those which the lesson makes from something of the learner's."""
    file = CHAPTERS / chapter.folder.name / "learners_labs.py"
    return runpy.run_path(str(file))["SHOWN"] if file.exists() else {}


def code(chapter, name):
    """Code that shows one lab of a chapter."""
    return learners(chapter).get(name) or f"from {chapter.package} import {name}\n{name}().show()"


LABS = {f"{chapter.name}-{kind.__name__}": code(chapter, kind.__name__) for chapter in chapters() for kind in chapter.labs}


def shown(source):
    """What a notebook shows: pairs (class, is it made of something of the learner's?) for each X(...).show()."""
    nodes = list(ast.walk(ast.parse(source)))
    made = {node.targets[0].id: node.value for node in nodes
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "show":
            base = node.func.value
            lab = made.get(base.id) if isinstance(base, ast.Name) else base
            if isinstance(lab, ast.Call):
                yield ast.unparse(lab.func), bool(lab.args or lab.keywords)
