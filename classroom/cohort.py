"""Judges all submissions of a class: on the processes of this machine, or on a Dask cluster.

Submissions lie as nbgrader collects them, `submitted/STUDENT/CHAPTER/*.ipynb`. What a submission earned is written to a
file of its own as soon as it is known, so a run that was interrupted goes on where it stopped: whatever has a result for
the same file, seed, limits and version of the course is not judged again.
"""

import contextlib
import functools
import hashlib
import importlib.util
import json
import multiprocessing
import os
import secrets
import stat
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from classroom.judge import ROOT, judge
from course.catalogue import find

RETRIES = 3
_ONE_AT_A_TIME = threading.Lock()  # a check silences the whole process, so two threads may not judge at once


class CohortError(Exception):
    """What keeps a whole class from being graded, in words for the teacher."""


@dataclass(frozen=True)
class Submission:
    """One learner's file for one chapter. note: what was odd about the folder, for the report."""

    student: str
    chapter: str
    path: Path
    note: str = ""


@dataclass(frozen=True)
class Settings:
    """What is the same for all: `Limits`, the seed of the random numbers, the teacher's file of hidden inputs or None."""

    limits: object
    seed: int
    hidden: str | None = None

    def key(self, submission):
        """Names this judgement: it changes with the file, the seed, the limits, the hidden inputs and the course."""
        parts = [_content(submission.path), str(self.seed), repr(asdict(self.limits)), submission.note, course_version()]
        parts.append(_content(self.hidden) if self.hidden else "")
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def submissions(folder, chapters=None):
    """All `Submission`s under a folder STUDENT/CHAPTER/*.ipynb, in order; those of some chapters only, where these are named.

    Raises
    ------
    CohortError : where the folder holds none.
    """
    known = {path.name for path in (ROOT / "exercises").iterdir() if path.is_dir()}
    unknown = set(chapters or ()) - known
    if unknown:
        raise CohortError(f"There is no chapter {', '.join(sorted(unknown))}. There are: {', '.join(sorted(known))}.")
    found = []
    for place in sorted(Path(folder).glob("*/*")):
        if place.is_dir() and place.name in known and (not chapters or place.name in chapters):
            found.append(_submission(place))
    if not found:
        raise CohortError(f"There are no submissions in {folder}. Expected STUDENT/CHAPTER/CHAPTER.ipynb there, "
                          "as nbgrader collects them, with a chapter such as 05_chain_rule.")
    return found


def _submission(place):
    files = sorted(place.glob("*.ipynb"))
    usual = place / f"{place.name}.ipynb"
    path = usual if usual in files or not files else files[0]
    notes = []
    if path != usual:
        notes.append(f"The notebook is called {path.name}; it was taken for {usual.name}.")
    if len(files) > 1:
        notes.append(f"There are {len(files)} notebooks; {path.name} was graded.")
    return Submission(place.parent.name, place.name, path, " ".join(notes))


@functools.cache
def course_version():
    """A digest of what decides over points: the exercises and the package, as they are on this disk."""
    digest = hashlib.sha256()
    paths = [*(ROOT / "exercises").rglob("*.ipynb"), *(ROOT / "bplib").rglob("*.py"), *(ROOT / "course").rglob("*.py"),
             *(ROOT / "classroom").glob("*.py")]
    for path in sorted(paths):
        if ".ipynb_checkpoints" not in path.parts:
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def hidden_inputs(path):
    """The teacher's own inputs, {exercise id: rng -> arguments}: the dict HIDDEN in a Python file.

    Raises
    ------
    CohortError : for a file that is not there, cannot be run, or holds no such dict.
    """
    if path is None:
        return {}
    try:
        spec = importlib.util.spec_from_file_location("hidden_inputs", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        hidden = module.HIDDEN
        if not all(isinstance(id, str) and callable(inputs) for id, inputs in hidden.items()):
            raise TypeError("HIDDEN holds something else")
        for id, inputs in hidden.items():
            if not find(id).called or not isinstance(inputs(np.random.default_rng(0)), tuple):
                raise TypeError(f"{id} is an answer that is not called, or its inputs are no tuple")
    except Exception as problem:  # a teacher's file may hold any mistake
        raise CohortError(f"{path} should define HIDDEN = {{exercise id: function of a random generator that returns the "
                          f"arguments}}; {type(problem).__name__}: {problem}") from problem
    return hidden


def seed_of(results, seed=None):
    """The seed of a class: as given; else that of the run before, from the results; else a new secret one.

    Raises
    ------
    CohortError : where the file that keeps it does not hold a number.
    """
    kept = Path(results) / "seed"
    if seed is None and kept.exists():
        try:
            return int(kept.read_text(encoding="ascii"))
        except ValueError:
            raise CohortError(f"{kept} should hold the seed, a number. Restore it, or delete it to begin anew.") from None
    seed = secrets.randbits(32) if seed is None else seed
    write(kept, f"{seed}\n")
    return seed


def judged(submission, settings):
    """What a submission earned, as plain data. Runs in a worker; an error of the judge itself becomes status "failed"."""
    entry = {"student": submission.student, "chapter": submission.chapter, "file": submission.path.name}
    begun = time.monotonic()
    try:
        with _ONE_AT_A_TIME:
            report = judge(submission.path, submission.chapter, settings.limits, settings.seed, hidden_inputs(settings.hidden))
    except Exception as problem:  # one submission must not end the grading of the others
        entry |= {"status": "failed", "points": {}, "available": 0.0, "total": 0.0, "exercises": {},
                  "lines": [f"The judge failed, which is not the learner's fault: {type(problem).__name__}: {problem}"]}
    else:
        lines = [submission.note, *report.lines] if submission.note else report.lines
        entry |= {"status": report.status, "points": report.points, "available": report.available, "total": report.total,
                  "lines": lines, "exercises": {id: _plain(result) for id, result in report.results.items()}}
    return entry | {"seconds": round(time.monotonic() - begun, 3)}


def _plain(result):
    return {"points": float(result), "available": result.available, "verdict": result.verdict, "mutant": result.mutant,
            "message": result.message}


def grade(found, results, settings, executor, done=None):
    """Judge what has no result yet, and write each result at once. Returns all results, in order.

    Parameters
    ----------
    found : `Submission`s. results : a folder. settings : `Settings`. done : called after each, with the result.
    executor : a function that makes a context manager with `submit`, such as `local` or `dask` give.
    """
    waiting = {}
    for submission in found:
        entry = kept(results, submission, settings)
        if entry is None:
            waiting[submission] = settings.key(submission)
        elif done:
            done(entry)
    for attempt in range(RETRIES + 1):
        if not waiting:
            break
        with contextlib.suppress(BrokenProcessPool), executor() as workers:
            _through(workers, waiting, results, settings, done)
        if waiting and attempt == RETRIES:
            names = ", ".join(f"{submission.student}/{submission.chapter}" for submission in waiting)
            raise CohortError(f"The workers died {RETRIES + 1} times; there is no result for {names}. Start again to go on.")
    return [entry for entry in (kept(results, submission) for submission in found) if entry]


def _through(workers, waiting, results, settings, done):
    running = {workers.submit(judged, submission, settings): submission for submission in waiting}
    while running:
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            entry = future.result()
            submission = running.pop(future)
            write(_place(results, submission), json.dumps(entry | {"key": waiting.pop(submission)}, indent=1))
            if done:
                done(entry)


def kept(results, submission, settings=None):
    """The result of an earlier run, or None where there is none, or none for this file and these settings."""
    try:
        entry = json.loads(_place(results, submission).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if settings and (entry.get("status") == "failed" or entry.get("key") != settings.key(submission)):
        return None
    return entry


def _place(results, submission):
    return Path(results) / "results" / submission.student / f"{submission.chapter}.json"


def write(path, text):
    """Write a file so that it is there whole or not at all, whenever the power goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with open(unfinished, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def _content(path):
    try:
        if stat.S_ISREG(os.lstat(path).st_mode):  # a pipe or a link to a device could be read for ever
            with open(path, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        pass
    return "unreadable"


# Where the work is done: each gives a context manager with `submit`, which returns a Future.


def local(workers):
    """Processes of this machine."""
    for library in ("OMP", "OPENBLAS", "MKL"):  # as many threads as processes would wait for each other
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    context = multiprocessing.get_context("spawn")
    return lambda: ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent():
    """A worker waits for work for ever, also where the grader was killed; this ends it."""
    parent = multiprocessing.parent_process()

    def watch():
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def dask(address):
    """A Dask cluster. Its workers need this course at the same place, and the folder of submissions."""

    @contextlib.contextmanager
    def connected():
        try:
            from distributed import Client
        except ImportError as problem:
            raise CohortError('Dask is not installed. Install it with: pip install -e ".[teaching]"') from problem
        try:
            client = Client(address, set_as_default=False, timeout="10s")
        except OSError as problem:
            raise CohortError(f"There is no Dask scheduler at {address}: {problem}") from problem
        with client:
            yield DaskWorkers(client)

    return connected


class DaskWorkers:
    """A Dask client as an executor. Dask itself gives the work of a worker that died to another."""

    def __init__(self, client):
        self.client = client

    def submit(self, function, *arguments):
        """A `concurrent.futures.Future` of function(*arguments)."""
        future = Future()
        theirs = self.client.submit(function, *arguments, pure=False, retries=RETRIES)

        def finished(theirs):
            try:
                future.set_result(theirs.result())
            except Exception as problem:
                future.set_exception(problem)

        theirs.add_done_callback(finished)
        return future


def bar(count, quiet=False):
    """A progress bar that says whose work was judged last."""
    return tqdm(total=count, unit=" submissions", disable=quiet, smoothing=0)
