"""Graders in processes of their own, which judge submission after submission, and are searched for traces after each."""

import ctypes
import os
import re
import resource
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import psutil

from classroom.limits import missing, namespaces
from tests.hostile.corpus import CORPUS, MARKER, ROOT, SECRET
from tests.hostile.tampering import honest

PATIENCE = 600  # seconds after which a submission that hangs the grader itself is given up; on a full machine others take minutes
LINGER = 30  # seconds in which processes may go that were told to
GRADERS = 3 if namespaces() else 1  # at a time; without namespaces one would see what the submission of another left
OWN_MEMORY = 1000  # MB that a grader may need itself, whatever is submitted
PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Judgement:
    """What the judge said of a submission, and what was found after it."""

    points: dict
    lines: list
    status: str
    traces: list


class Grader:
    """Judges in a process of its own, since some submissions would kill it; it starts again where one did."""

    def __init__(self, folder):
        self.folder, self.pool, self.count = folder, None, 0

    def judge(self, submission):
        """A `Judgement`. A grader that died raises BrokenProcessPool, one that hangs TimeoutError."""
        self.count += 1
        path = submission.write(self.folder / "submitted" / str(self.count))
        if self.pool is None:
            self.pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin, initargs=(self.folder,))
        try:
            return self.pool.submit(_judge, path, submission, self.folder).result(PATIENCE)
        except Exception:
            self.end()
            raise

    def end(self):
        if self.pool is not None:
            for process in [process for child in self._processes() for process in (*child.children(recursive=True), child)]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self.pool.shutdown(cancel_futures=True)
            self.pool = None

    def _processes(self):
        with suppress(psutil.NoSuchProcess):
            for pid in list(self.pool._processes or ()):
                yield psutil.Process(pid)


@contextmanager
def judging(lanes, folder):
    """The judgements by the names of their submissions, as futures: each lane is judged one after the other by a grader of its
    own. What is not yet begun at the end is left out."""
    found = {submission.name: Future() for lane in lanes for submission in lane}
    graders = [Grader(folder / str(number)) for number in range(len(lanes))]
    with ThreadPoolExecutor(max(len(lanes), 1)) as threads:
        for grader, lane in zip(graders, lanes):
            threads.submit(_judge_all, grader, lane, found)
        try:
            yield found
        finally:
            for judgement in found.values():
                judgement.cancel()


def _judge_all(grader, lane, found):
    try:
        for submission in lane:
            if found[submission.name].set_running_or_notify_cancel():
                try:
                    found[submission.name].set_result(grader.judge(submission))
                except BaseException as problem:
                    found[submission.name].set_exception(problem)
    finally:
        grader.end()


def _begin(folder):
    # Whatever a submission starts, and whoever its parent was, becomes a child of this process when the parent ends.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for name in ("home", "tmp", "run"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    os.environ.update(HOME=str(folder / "home"), TMPDIR=str(folder / "tmp"), JUPYTER_RUNTIME_DIR=str(folder / "run"),
                      TEACHER_SECRET=SECRET)


def _judge(path, submission, folder):
    from classroom.judge import Limits, judge

    before = _files(path, folder)
    report = judge(path, chapter=submission.chapter, limits=Limits(seconds=submission.seconds, memory=1000))
    traces = [f"left in {place}: {', '.join(sorted(names - before[place]))}"
              for place, names in _files(path, folder).items() if names - before[place]]
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    traces += [f"the grader itself used {used:.0f} MB"] if used > OWN_MEMORY else []
    return Judgement(dict(report.points), list(report.lines), report.status, traces + _processes())


def _files(path, folder):
    """The names in every place where a submission might leave something."""
    places = ("/tmp", "/var/tmp", "/dev/shm", Path.home(), ROOT, ROOT / "bplib", ROOT / "course", ROOT / "solutions")
    watched = {place: {name.name for name in Path(place).glob(f"{MARKER}*")} for place in places}
    own = {place: {name.relative_to(place).as_posix() for name in place.rglob("*")}
           for place in (path.parent, folder / "home", folder / "tmp", folder / "run")}
    return watched | own


def _processes():
    """Processes that live on, after a moment to go; what died is buried."""
    end = time.monotonic() + LINGER
    while True:
        living = [child for child in psutil.Process().children(recursive=True) if _lives(child)]
        if not living or time.monotonic() > end:
            break
        time.sleep(0.05)
    traces = [f"left running: {' '.join(child.cmdline())[:200]}" for child in living]
    for child in living:
        child.kill()
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return traces


def _lives(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def problems(submission, judgement):
    """What is wrong with a judgement, in words; empty where it is right."""
    if submission.contained and not namespaces():
        return [] if set(missing()) <= set(judgement.lines) else ["no line says that nothing holds it back"]
    expected, text = submission.expected(), "\n".join(judgement.lines)
    wrong = [f"{id}: {judgement.points.get(id)} points, deserves {points}"
             for id, points in expected.items() if judgement.points.get(id) != points]
    wrong += [f"{id}: no exercise of this chapter" for id in judgement.points.keys() - expected.keys()]
    wrong += [f"no line says {pattern!r}" for pattern in submission.says if not re.search(pattern, text)]
    return wrong + judgement.traces


def lanes(submissions, every=8):
    """The submissions, dealt out to graders; and in each lane, between them, honest ones, which must get full points whatever
    came before, since what a submission changes would spoil the next one's points."""
    return [_with_honest_ones(submissions[number::GRADERS], every) for number in range(GRADERS)]


def _with_honest_ones(submissions, every):
    solved = next(submission for submission in CORPUS if submission.change is honest)
    mixed = []
    for number, submission in enumerate(submissions, 1):
        mixed.append(submission)
        if number % every == 0 or number == len(submissions):
            mixed.append(replace(solved, name=f"honest work after {submission.name}"))
    return mixed
