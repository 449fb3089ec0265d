"""Judges a submitted notebook outside the learner's process.

    report = judge("submitted/ada/05_chain_rule.ipynb", chapter="05_chain_rule")
    print(report)

The learner's cells run in a process that is locked in. Where the original notebook checks an answer, the judge calls it
through that process on fresh random numbers, and compares what comes back with references that are not there. What the
check cells of the submission say plays no part. A cell that breaks the process is left out, and the rest is run again.
"""

import ast
import json
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import nbformat
import numpy as np

from classroom.limits import Limits, missing, namespaces
from classroom.process import Answer, Process, StoppedError, UnansweredError
from classroom.reading import RefusedError, read
from course.catalogue import chapter_of, chapters, find
from course.grading.core import ERROR, NOT_ATTEMPTED
from course.grading.feedback import Result

ROOT = Path(__file__).parents[1]
UNANSWERED = f"{UnansweredError.__module__}.{UnansweredError.__name__}: "  # its words are meant for people
BETWEEN = ("sh", "-c", '"$@"; exit', "sh")  # where there are no namespaces: a parent to kill that is not the judge
LONGEST_LINE = 1000  # characters


@dataclass
class Report:
    """What a submission earned.

    Attributes
    ----------
    points : by exercise id. available : the most there is, in total. lines : what to tell the learner and the teacher.
    status : "graded"; "refused" for a file that is no notebook; "failed" where the judge had no more time for it.
    seed : gives the same random numbers again.
    results : by exercise id, the `Result` with its verdict; empty for a file that was refused.
    """

    points: dict
    available: float
    lines: list = field(default_factory=list)
    status: str = "graded"
    seed: int = 0
    results: dict = field(default_factory=dict)

    @property
    def total(self):
        return sum(self.points.values())

    def __str__(self):
        return "\n".join([f"{self.total:g} of {self.available:g} points", *self.lines])


@dataclass(frozen=True)
class Task:
    """An exercise as the original notebook asks for it: the exercise, its answer's names and whether they make a tuple, its
    check cell."""

    exercise: object
    names: list
    as_tuple: bool
    grade_id: str
    source: str


def tasks(chapter):
    """The tasks of a chapter by exercise id, from the notebook that the learners were given."""
    notebook = nbformat.read(ROOT / "exercises" / chapter / f"{chapter}.ipynb", as_version=4)
    found = {}
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            call = ast.parse(cell.source).body[-1].value
            id, asked = ast.literal_eval(call.args[0]), call.args[1]
            names = [node.id for node in (asked.elts if isinstance(asked, ast.Tuple) else [asked])]
            found[id] = Task(find(id), names, isinstance(asked, ast.Tuple), cell.metadata.nbgrader.grade_id, cell.source)
    return found


def judge(path, chapter, limits=None, seed=None, hidden=None):
    """Judge the notebook in a file. Returns a `Report`, whatever the file holds.

    Parameters
    ----------
    path : the submitted file. chapter : such as "05_chain_rule". limits : `Limits`, what it may use.
    seed : for the random numbers; by default fresh ones, which the report names.
    hidden : inputs that no learner knows, {exercise id: rng -> arguments}; each is tried after the usual ones.
    """
    limits = limits or Limits()
    seed = secrets.randbits(32) if seed is None else seed
    wanted = {id: _harder(task, hidden, seed) for id, task in tasks(chapter).items()}
    report = Report(dict.fromkeys(wanted, 0.0), float(sum(task.exercise.points for task in wanted.values())), seed=seed)
    try:
        submitted = read(path, limits.size)
    except RefusedError as problem:
        report.status = "refused"
        report.lines.append(f"0 of {report.available:g} points. {problem}")
        return report
    report.lines += submitted.notes + missing()
    run = Run(submitted.cells, wanted, limits, seed, everybodys(Path(path).resolve()))
    report.results = results = run.results()
    report.lines += run.notes
    if run.late:
        report.status = "failed"
    for id, result in results.items():
        report.points[id] = float(result)
        words = f"{id}: {result.heading}. {result.message} {result.details}".replace(UNANSWERED, "")
        report.lines.append(" ".join(words.split())[:LONGEST_LINE])
    report.lines.append(f"{report.total:g} of {report.available:g} points")
    return report


def _harder(task, hidden, seed):
    if task.exercise.id not in (hidden or {}):
        return task
    case = "hidden inputs", hidden[task.exercise.id](np.random.default_rng(seed))
    return replace(task, exercise=replace(task.exercise, edge_cases=(*task.exercise.edge_cases, case)))


class Run:
    """One submission, from its first cell to its last."""

    def __init__(self, cells, wanted, limits, seed, folder):
        self.cells, self.wanted, self.limits, self.seed, self.folder = cells, wanted, limits, seed, folder
        self.notes, self.judged, self.spent = [], {}, 0.0
        self.deadline, self.late = time.monotonic() + limits.wall, False
        self.errors, self.left_out = {}, {}  # by cell number, in words
        self.places = self._places()

    def _places(self):
        """After which cells each exercise is judged, {cell number: [id, ...]}; the ids that have no check cell come where
        their name is given a value for the last time."""
        places, by_check = {}, {task.grade_id: id for id, task in self.wanted.items()}
        for number, cell in enumerate(self.cells):
            ids = [by_check[cell.grade_id]] if cell.grade_id in by_check else re.findall(r'check\(\s*["\']([\w.]+)', cell.source)
            places[number] = [id for id in ids if id in self.wanted]
        found = {id for ids in places.values() for id in ids}
        for id, task in self.wanted.items():
            if id not in found:
                self.notes.append(f"{id}: its check cell is missing or was deleted; the original was used.")
                giving = [number for number, cell in enumerate(self.cells) if _gives(cell, task)]
                if giving:
                    places[giving[-1]].append(id)
        for cell in self.cells:
            id = by_check.get(cell.grade_id)
            if id and cell.source.strip() != self.wanted[id].source.strip():
                self.notes.append(f"{id}: its check cell was edited; the original was used.")
        return places

    def results(self):
        """The `Result` of each exercise by id."""
        for _ in range(self.limits.restarts + 1):
            with tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True) as scratch:
                process = self._start(scratch)
                try:
                    finished = self._run(process)
                finally:
                    self.spent += process.end()
            self.late = time.monotonic() > self.deadline
            if finished or self.late or self.spent > self.limits.total:
                break
        else:
            self.notes.append(f"The notebook broke its process {self.limits.restarts + 1} times; the rest was not run.")
        if self.late:
            self.notes.append(f"It was not finished in {self.limits.wall / 60:g} minutes: the machine is too busy, or the "
                              "notebook makes itself wait. The next run of the grader judges it again.")
        elif self.spent > self.limits.total:
            self.notes.append(f"The notebook used up its {self.limits.total:g} seconds; the rest was not run.")
        for number, words in sorted((self.left_out | self.errors).items()):
            done = "was left out, because" if number in self.left_out else "stopped with an error:"
            self.notes.append(f"Cell {number + 1} of those with code ({_first_line(self.cells[number])}) {done} {words}")
        return {id: self.judged[id] if id in self.judged else self._unanswered(id, task) for id, task in self.wanted.items()}

    def _unanswered(self, id, task):
        words = [words for number, words in (self.errors | self.left_out).items() if _gives(self.cells[number], task)]
        message = f"Its cell was stopped: {words[-1]}" if words else "There is no answer of this name; is its cell missing?"
        return Result(id, ERROR if words else NOT_ATTEMPTED, 0, task.exercise.points, message)

    def _start(self, scratch):
        mine, theirs = socket.socketpair()
        separate = bool(namespaces())
        settings = {"hidden": [str(path) for path in _hidden(self.folder)], "limits": asdict(self.limits), "separate": separate,
                    "banks": _banks()}
        command = [*(namespaces() or BETWEEN), sys.executable, "-P", "-m", "classroom.inside", str(theirs.fileno()), scratch,
                   json.dumps(settings)]
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": scratch, "TMPDIR": scratch, "LANG": "C.UTF-8",
                       "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg", "MPLCONFIGDIR": scratch,
                       "IPYTHONDIR": scratch, "BPLIB_PROGRESS": f"{scratch}/progress.json", "TQDM_DISABLE": "1",
                       "CLASSROOM_NUMBER": str(theirs.fileno() + 1000 * (_number() % 1000))}
        environment |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        popen = subprocess.Popen(command, env=environment, cwd=scratch, pass_fds=[theirs.fileno()], start_new_session=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        theirs.close()
        return Process(popen, mine, self.limits, self.limits.total - self.spent, self.deadline)

    def _run(self, process):
        """Run the cells and judge; False where the process broke, and has to be started again."""
        process.begin()
        for number, cell in enumerate(self.cells):
            if number not in self.left_out and cell.source.strip() and not self._is_check(cell):
                try:
                    error = process.run(cell.source)
                except StoppedError as problem:
                    self.left_out[number] = str(problem)
                    return False
                if error:
                    self.errors[number] = error
            for id in self.places[number]:
                if not self._settled(id) and not self._judge(process, id):
                    return False
        return all(self._judge(process, id) for id in self.wanted if id not in self.judged)

    def _is_check(self, cell):
        return cell.grade_id in {task.grade_id for task in self.wanted.values()}

    def _settled(self, id):
        return id in self.judged and (float(self.judged[id]) > 0 or self.judged[id].broke)

    def _judge(self, process, id):
        """Judge one exercise; False where the process broke."""
        task = self.wanted[id]
        answer = process.answer(task.names, task.as_tuple)
        try:
            value = answer.look()
        except (UnansweredError, ValueError) as problem:
            self._keep(id, Result(id, ERROR, 0, task.exercise.points, str(problem)), answer.problem is not None)
            return process.close(answer)
        if value is Answer.MISSING:
            return process.close(answer)
        exercise = task.exercise
        if isinstance(exercise.reference, type) or exercise.beside:
            real = exercise.run
            exercise = replace(exercise, run=lambda answer, *arguments: answer.inside(id, _sources(id), arguments)
                               if isinstance(answer, Answer) else real(answer, *arguments))
        self._keep(id, exercise.judge(value, self.seed), answer.problem is not None)
        return process.close(answer)

    def _keep(self, id, result, broke):
        result.broke = broke
        if id not in self.judged or float(result) >= float(self.judged[id]):
            self.judged[id] = result
        return True


def _banks():
    """The modules that hold right answers: of each chapter its bank."""
    return [f"{chapter.package}.bank" for chapter in chapters()]


def _sources(id):
    """The bank of an exercise as {module: (source, is it a package)}."""
    chapter = chapter_of(id)
    files = [*chapter.folder.glob("bank.py"), *chapter.folder.glob("bank/*.py")]
    found = {}
    for path in files:
        parts = path.relative_to(chapter.folder).with_suffix("").parts
        package = parts[-1] == "__init__"
        name = ".".join([chapter.package, *(parts[:-1] if package else parts)])
        found[name] = path.read_text(encoding="utf-8"), package
    return found


def _hidden(folder):
    """What a submission must not read: answers, and the submissions of others."""
    answers = ("bank", "bank.py", "exercises.md", "__pycache__")
    return [*(ROOT / name for name in ("solutions", "tests", "docs", ".git", ".build")),
            *(chapter.folder / name for chapter in chapters() for name in answers), folder]


def everybodys(path):
    """The folder of all submissions, for a file in STUDENT/CHAPTER below it; else the highest folder above the file, or the
    file itself, that holds nothing that the process needs."""
    needed = [Path(place).resolve() for place in (ROOT, sys.prefix, sys.base_prefix, tempfile.gettempdir())]
    above = [place for place in path.parents[:3] if not any(need.is_relative_to(place) for need in needed)]
    return above[-1] if above else path


def _gives(cell, task):
    """Does this cell give the name of the answer its value?"""
    if cell.grade_id == f"{task.grade_id}-answer":
        return True
    try:
        tree = ast.parse(re.sub(r"^[%!].*", "", cell.source, flags=re.MULTILINE))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for node in tree.body:
        given = [getattr(node, "name", None), *(getattr(target, "id", None) for target in getattr(node, "targets", ()))]
        if set(given) & set(task.names):
            return True
    return False


def _first_line(cell):
    return cell.source.strip().splitlines()[0][:60]


def _number():
    return secrets.randbits(20)
