"""Reads a chapter's text, says in plain words what is wrong with it, and makes unexecuted notebooks of it.

A chapter is a folder course/chNN_topic with a lesson.md and, where it has exercises, an exercises.md; any other text there
is a page beside the lesson. All are MyST notebook text with front matter. What can be derived is derived here and nowhere
else: the opening cell from the front matter, cell ids from chapter and position, nbgrader's metadata from the exercises
themselves.
"""

import ast
import re
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import jupytext
import nbformat
import yaml

from course.catalogue import front_matter

LESSON = {"title": str, "minutes": int, "you_will": str, "formerly": str,
          "questions": list, "objectives": list, "takeaways": list, "mistakes": list}
EXERCISES = PAGE = {"title": str, "minutes": int}
OPTIONAL = {"mistakes", "formerly"}
FORMULA = re.compile(r"\$\$(?P<latex>.+?)\$\$(?: \((?P<label>[^()\n]*)\))?", flags=re.DOTALL)
LABEL = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_CELL = 12
SUMMARY = "{summary}"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class SourceError(Exception):
    """A mistake in a chapter's text, with the place where it is."""

    def __init__(self, path, message, line=None):
        place = f"{Path(path).parent.name}/{Path(path).name}"
        super().__init__(f"{place}{f', line {line}' if line else ''}: {message}")


@dataclass(frozen=True)
class Chapter:
    """A folder with the text of one chapter."""

    folder: Path

    @property
    def name(self):
        return self.folder.name.removeprefix("ch")

    @property
    def topic(self):
        return self.name.split("_", 1)[1]

    @property
    def number(self):
        return self.name.split("_")[0]

    @property
    def lesson(self):
        return self.folder / "lesson.md"

    @property
    def exercises(self):
        return self.folder / "exercises.md"

    @property
    def heading(self):
        """Number and title, as lists of chapters show them."""
        title = front_matter(self.lesson.read_text(encoding="utf-8")).get("title", self.topic)
        return f"{self.number} {title.split(':')[0]}"

    @property
    def pages(self):
        return [path for path in sorted(self.folder.glob("*.md")) if path not in (self.lesson, self.exercises)]

    @property
    def formula_tests(self):
        return self.folder.parents[1] / "tests" / "chapters" / self.folder.name / "test_formulas.py"


def chapters(root):
    """The chapters under root, in order. FileNotFoundError where there is none: an empty build is a mistake."""
    found = [Chapter(path.parent) for path in sorted((root / "course").glob("ch[0-9][0-9]_*/lesson.md"))]
    if not found:
        raise FileNotFoundError(
            f"There is no chapter in {root / 'course'}: expected folders such as ch01_neuron with a lesson.md."
        )
    return found


def lesson(chapter):
    """The unexecuted lesson of a chapter."""
    matter, cells = read(chapter.lesson, LESSON)
    path = chapter.lesson
    for key, value in front_matter(path.read_text(encoding="utf-8")).items():
        if isinstance(matter[key], str) and matter[key] != value:
            raise SourceError(path, f"{key} in the front matter must be a text of one line, plain or in double quotes")
    if not 2 <= len(matter["objectives"]) <= 4:
        raise SourceError(path, f"a lesson has 2 to 4 objectives, this one has {len(matter['objectives'])}")
    _require_short(path, cells)
    summaries = [cell for cell, _ in cells if cell.source.strip() == SUMMARY]
    if len(summaries) != 1:
        raise SourceError(
            path, f"a lesson has one cell that is exactly {SUMMARY}, where the takeaways go; found {len(summaries)}"
        )
    summaries[0].source = "## Summary\n\n" + _list(matter["takeaways"])
    opening = [
        f"# {chapter.number} · {matter['title']}",
        f"*{matter['minutes']} minutes*",
        "**After this chapter you can**\n\n" + _list(matter["objectives"]),
        "**The questions**\n\n" + _list(matter["questions"]),
    ]
    mine = f"[the exercises of this chapter](../exercises/{chapter.name}/{chapter.name}.ipynb)"
    ways = [mine] if chapter.exercises.exists() else []
    return _notebook(chapter.name, "\n\n".join(opening), cells, [*ways, *_next(chapter, ""), *_before(chapter)])


def page(chapter, path):
    """The unexecuted notebook of a page beside the lesson."""
    matter, cells = read(path, PAGE)
    _require_short(path, cells)
    name = page_name(chapter, path)
    back = f"[back to {chapter.heading}]({chapter.name}.ipynb)"
    return _notebook(name, f"# {matter['title']}\n\n*{matter['minutes']} minutes*", cells, [back])


def page_name(chapter, path):
    """What the notebook of a page is called: the number of its chapter, and the name of its file."""
    return f"{chapter.number}_{path.stem}"


def _require_short(path, cells):
    for cell, line in cells:
        count = cell.source.count("\n") + 1
        if cell.cell_type == "code" and count > LONGEST_CELL:
            raise SourceError(path, f"a code cell has {count} lines; at most {LONGEST_CELL}, one idea each", line)


def solutions(chapter, catalogue=None):
    """The unexecuted solutions of a chapter, with nbgrader's metadata.

    Parameters
    ----------
    chapter : Chapter
    catalogue : a function from a topic such as "neuron" to its exercises; by default those of the chapter's bank.
    """
    path = chapter.exercises
    matter, cells = read(path, EXERCISES)
    known, checked = _bank(chapter, catalogue), {}
    for answer, checks in _groups(path, cells):
        for cell, line in checks:
            id, names = _check_call(path, cell, line)
            if not names & _names_in_stub(answer.source):
                used = ", ".join(sorted(names)) or "no name"
                message = f"check({id!r}, ...) uses {used}, which the unfilled answer cell does not define"
                raise SourceError(path, f"{message}; give it a def, or a value `...`, outside the solution", line)
            if id not in known:
                raise SourceError(path, f"there is no exercise {id!r}; the chapter's bank has {', '.join(known)}", line)
            if id in checked:
                raise SourceError(path, f"{id!r} is checked twice", line)
            checked[id] = known[id].points
            _mark(cell, _grade_id(id), points=checked[id])
        _mark(answer, checks[0][0].metadata.nbgrader.grade_id + "-answer", solution=True)
    if missing := [id for id in known if id not in checked]:
        raise SourceError(path, f"no cell checks {', '.join(missing)}: every exercise of the bank needs a check")
    facts = f"{matter['minutes']} minutes, {len(checked)} exercises, {sum(checked.values()):g} points"
    lesson = f"../../notebooks/{chapter.name}.ipynb"
    opening = f"# {chapter.number} · {matter['title']}\n\n*{facts}* · [the lesson]({lesson})"
    ways = [f"[back to the lesson]({lesson})", *_next(chapter, "../../notebooks/")]
    return _notebook(f"{chapter.name}-exercises", opening, cells, ways)


def check_formulas(chapter):
    """Raise a SourceError where a displayed formula of a chapter is not labelled and tested.

    A formula stands as `$$latex$$ (two-paths)` in the text, and is evaluated by the function `test_two_paths` of the
    test_formulas.py in tests/chapters. The function's docstring is the LaTeX, so that nobody changes one without the other.
    """
    tests, seen = _formula_tests(chapter.formula_tests), set()
    for path in filter(Path.exists, (chapter.lesson, chapter.exercises, *chapter.pages)):
        for latex, label, line in _formulas(path):
            if not label or not LABEL.fullmatch(label):
                got = f", not ({label})" if label else ""
                raise SourceError(path, f"a displayed formula needs a label such as (two-paths) behind it{got}: {latex}", line)
            if label in seen:
                raise SourceError(path, f"the formula label ({label}) is used twice in the chapter", line)
            seen.add(label)
            name = f"test_{label.replace('-', '_')}"
            if name not in tests:
                raise SourceError(path, f"the formula ({label}) has no test: {chapter.formula_tests.name} needs a {name}", line)
            if _dense(tests[name]) != _dense(latex):
                message = f"the docstring of {name} is not the formula ({label}): {latex}"
                raise SourceError(path, f"{message} against {tests[name]}", line)
    if stale := sorted(set(tests) - {f"test_{label.replace('-', '_')}" for label in seen}):
        raise SourceError(chapter.lesson, f"{chapter.formula_tests.name} has {', '.join(stale)}, for which there is no formula")


def _formulas(path):
    """The displayed formulas of a text as (LaTeX, label or None, line), code left out."""
    text = re.sub(r"^```.*?^```", lambda code: "\n" * code[0].count("\n"), path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for found in FORMULA.finditer(text):
        yield found["latex"].strip(), found["label"], text.count("\n", 0, found.start()) + 1


def _formula_tests(path):
    """The test functions of a file by name, with their docstrings."""
    body = ast.parse(path.read_text(encoding="utf-8")).body if path.exists() else []
    functions = [node for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return {node.name: ast.get_docstring(node, clean=False) or "no docstring" for node in functions}


def _dense(latex):
    return "".join(latex.split())


def _groups(path, cells):
    """The answer cells, each with the check cells that follow it as (cell, line); tags are read here and taken off."""
    groups, lines = [], []
    for cell, line in cells:
        tags = cell.metadata.pop("tags", [])
        if tags == ["answer"]:
            _require_answerable(path, cell, line)
            groups.append((cell, []))
            lines.append(line)
        elif tags == ["check"]:
            if not groups:
                raise SourceError(path, "a check has no answer cell before it", line)
            groups[-1][1].append((cell, line))
        elif tags:
            raise SourceError(path, f"a cell is tagged {tags}; a cell has no tag, or [answer], or [check]", line)
        elif BEGIN in cell.source or END in cell.source:
            first = cell.source.splitlines()[0]
            raise SourceError(path, f"a solution stands in a cell that is not tagged [answer]: {first}", line)
    for (_, checks), line in zip(groups, lines, strict=True):
        if not checks:
            raise SourceError(path, "an answer cell has no check after it", line)
    if not groups:
        raise SourceError(path, "there is no answer cell and no check cell")
    return groups


def read(path, expected):
    """The front matter of a chapter's text and its cells, each with its line.

    Raises
    ------
    SourceError : for front matter that is missing, unknown, or of the wrong kind; for a code cell that is not Python.
    """
    text = path.read_text(encoding="utf-8")
    match = re.match(r"---\n(.*?\n)---\n", text, flags=re.DOTALL)
    if not match:
        raise SourceError(path, "no front matter: the file must open with a line ---, the data, and a line ---", 1)
    matter = _front_matter(path, match[1], expected)
    notebook = jupytext.reads(text[match.end() :], "md:myst")
    lines = _fence_lines(text)
    cells = []
    for cell in notebook.cells:
        if not cell.source.strip():
            continue
        line = next(lines, None) if cell.cell_type == "code" else None
        if cell.cell_type == "code":
            _require_python(path, cell, line)
        else:
            cell.source = FORMULA.sub(lambda formula: f"$${formula['latex']}$$", cell.source)
        cells.append((cell, line))
    code = [(cell, line) for cell, line in cells if cell.cell_type == "code"]
    if not code:
        raise SourceError(path, "there is no code cell; open one with ```{code-cell}")
    first, line = code[0]
    if not any(isinstance(node, ast.ImportFrom | ast.Import) for node in ast.parse(first.source).body):
        raise SourceError(path, "the first code cell must import what the notebook uses, by name", line)
    return matter, cells


def _front_matter(path, text, expected):
    try:
        matter = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise SourceError(path, f"the front matter is not YAML: {problem}") from problem
    if not isinstance(matter, dict):
        raise SourceError(path, f"the front matter must be keys with values: {', '.join(expected)}")
    for key, value in matter.items():
        if key not in expected:
            raise SourceError(path, f"the front matter has an unknown key {key!r}; the keys are {', '.join(expected)}")
        if not isinstance(value, expected[key]):
            raise SourceError(path, f"{key} in the front matter must be a {expected[key].__name__}, not {value!r}")
        if expected[key] is list and not all(isinstance(entry, str) for entry in value):
            raise SourceError(path, f"{key} in the front matter must be a list of texts; put quotes around one that has a colon")
    for key in expected:
        if not matter.get(key) and key not in OPTIONAL:
            raise SourceError(path, f"the front matter has no {key}")
    return matter


def _fence_lines(text):
    return (number for number, line in enumerate(text.splitlines(), 1) if line.startswith("```{code-cell}"))


def _require_python(path, cell, line):
    try:
        # A string that is not raw but holds LaTeX warns at every start: refused here, where its author sees it.
        with warnings.catch_warnings():
            warnings.simplefilter("error", SyntaxWarning)
            warnings.simplefilter("error", DeprecationWarning)
            tree = ast.parse(cell.source)
    except (SyntaxError, SyntaxWarning, DeprecationWarning) as problem:
        raise SourceError(path, f"a code cell is not Python: {getattr(problem, 'msg', problem)}", line) from problem
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree)):
        raise SourceError(path, "a code cell imports *; import by name", line)


def _require_answerable(path, cell, line):
    """An answer cell must still run, and say what is asked, when its solution is gone."""
    if cell.source.count(BEGIN) != cell.source.count(END) or not _solution(cell.source).strip():
        raise SourceError(path, f"an answer cell needs a solution between the lines {BEGIN} and {END}", line)
    for node in ast.walk(ast.parse(cell.source)):
        public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("__")
        if public and ast.get_docstring(node) is None:
            raise SourceError(
                path,
                f"{node.name} in an answer cell has no docstring, so nothing is left of it without the solution",
                line,
            )
    try:
        ast.parse(stub(cell.source))
    except SyntaxError as problem:
        raise SourceError(path, f"an answer cell is not Python without its solution: {problem}", line) from problem


def stub(source):
    """An answer cell's source without its solutions, as a learner gets it (nbgrader adds a comment in their place)."""
    return _SOLUTION.sub("", source)


_SOLUTION = re.compile(rf"^[ ]*{BEGIN}\n(.*?)^[ ]*{END}\n?", flags=re.DOTALL | re.MULTILINE)


def _solution(source):
    return "".join(_SOLUTION.findall(source))


def _names_in_stub(source):
    names = set()
    for node in ast.parse(stub(source)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return names


def _check_call(path, cell, line):
    """The id in a check cell, and the names that its answer uses."""
    body = ast.parse(cell.source).body
    call = body[-1].value if len(body) == 1 and isinstance(body[-1], ast.Expr) else None
    right = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check" and len(call.args) == 2
    if not right or not (isinstance(call.args[0], ast.Constant) and re.fullmatch(r"\w+\.\w+", str(call.args[0].value))):
        raise SourceError(path, f'a check cell is one line check("topic.exercise", answer), not {cell.source!r}', line)
    return call.args[0].value, {node.id for node in ast.walk(call.args[1]) if isinstance(node, ast.Name)}


def _bank(chapter, catalogue):
    """The exercises of a chapter by id; all begin with its topic, so that a chapter has one name everywhere."""
    path = chapter.exercises
    try:
        found = catalogue(chapter.topic) if catalogue else import_module(f"course.{chapter.folder.name}.bank").EXERCISES
    except (ImportError, KeyError, AttributeError) as problem:
        raise SourceError(path, f"the chapter has no bank of exercises ({problem})") from problem
    if strange := [exercise.id for exercise in found if exercise.id.split(".")[0] != chapter.topic]:
        raise SourceError(path, f"the ids of the bank begin with {chapter.topic}, not {', '.join(strange)}")
    return {exercise.id: exercise for exercise in found}


def _grade_id(id):
    return id.replace(".", "-")


def _mark(cell, grade_id, points=None, solution=False):
    """Write nbgrader's metadata: an answer is a solution, a check is a locked test with points."""
    cell.metadata["nbgrader"] = {
        "grade": not solution,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if points is not None:
        cell.metadata["nbgrader"]["points"] = points


def _next(chapter, where):
    """A link to the next lesson; none in the last chapter."""
    later = [other for other in chapters(chapter.folder.parents[1]) if other.name > chapter.name]
    return [f"[the next lesson, {later[0].heading}]({where}{later[0].name}.ipynb)"] if later else []


def _before(chapter):
    """A link to the lesson before; none in the first chapter."""
    earlier = [other for other in chapters(chapter.folder.parents[1]) if other.name < chapter.name]
    return [f"[the lesson before, {earlier[-1].heading}]({earlier[-1].name}.ipynb)"] if earlier else []


def _notebook(name, opening, cells, ways):
    """Opening and closing cell round the others, ids from name and position, or from the mark of a graded cell."""
    body = [nbformat.v4.new_markdown_cell(opening), *(cell for cell, _ in cells)]
    if ways:
        body.append(nbformat.v4.new_markdown_cell("**Where to go now:** " + " · ".join(ways)))
    for position, cell in enumerate(body):
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        # nbformat allows 64 letters, digits, - and _.
        cell.id = grade_id or f"{name}-{position:03d}"
    return nbformat.v4.new_notebook(cells=body, metadata=METADATA)


def _list(entries):
    return "\n".join(f"- {entry}" for entry in entries)
