"""Your progress, kept in one small file on your own computer. Nothing is ever sent anywhere.

The file is `progress.json` in the folder `trust-no-gradient` of your home's data folder; the environment variable
BPLIB_PROGRESS names another place. Whoever changes it holds a lock first, so two notebooks lose nothing of each other's,
and replaces it in one step, so a crash cannot leave half a file. A file that makes no sense is kept under another name.
Where nothing can be written, checks work all the same and progress is not kept.
"""
import contextlib
import json
import math
import os
import shutil
import tempfile
from datetime import date
from html import escape
from pathlib import Path

from course.catalogue import chapter_of, renamed
from course.grading import review
from course.grading.feedback import COLOURS

EMPTY = {"points": 0.0, "attempts": 0, "hints": 0}
DAYS = "days"  # beside the exercises, whose ids have a dot: on how many days in a row there was work
NUMBERS = (*EMPTY, "streak", "best", "last", *review.KEYS)
# RuntimeError: there is no home folder, or the file is nested deeper than Python reads.
UNREADABLE = (OSError, ValueError, RuntimeError)
PATIENCE = 10  # seconds for another notebook to finish its own update


def location():
    """The path of the progress file."""
    if os.environ.get("BPLIB_PROGRESS"):
        return Path(os.environ["BPLIB_PROGRESS"])
    data = os.environ.get("APPDATA") or os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "trust-no-gradient" / "progress.json"


def today():
    """The day as a number, which tests replace."""
    return date.today().toordinal()


def load():
    """What is known about each exercise by id: `points` (the best so far), `attempts`, `hints` seen, and for a solved one
    when it comes back (see `review`). Empty where there is no readable file; an entry that makes no sense is left out."""
    return {id: EMPTY | entry for id, entry in _stored().items() if "." in id}


def days_in_a_row():
    """How many days in a row there was work, up to today or yesterday, and how many at best."""
    entry = {"streak": 0, "best": 0, "last": 0} | _stored().get(DAYS, {})
    current = entry["streak"] if today() - entry["last"] <= 1 else 0
    return {"streak": int(current), "best": int(entry["best"])}


def record(id, points=None, hint=None, right=None):
    """Note a check (with its points, and whether it was right) or a hint (with its number) of the exercise `id`. Never raises
    for want of a file."""
    def change(everything):
        entry = everything[id] = EMPTY | everything.get(id, {})
        if points is not None:
            entry["points"] = max(entry["points"], float(points))
            entry["attempts"] += 1
        if right is not None:
            entry |= review.after(entry, right, today())
            _count_day(everything)
        if hint is not None:
            entry["hints"] = max(entry["hints"], hint)

    _update(change)


def streak(id, right=None):
    """How many right answers in a row, `streak`, and how many at `best`; with `right`, after one more answer. Kept beside the
    points. Never raises for want of a file."""
    def change(everything):
        entry = everything[id] = EMPTY | {"streak": 0, "best": 0} | everything.get(id, {})
        entry["attempts"] += 1
        entry["streak"] = entry["streak"] + 1 if right else 0
        entry["best"] = max(entry["best"], entry["streak"])
        _count_day(everything)

    everything = _stored() if right is None else _update(change)
    entry = {"streak": 0, "best": 0} | everything.get(id, {})
    return {key: entry[key] for key in ("streak", "best")}


def forget(ids):
    """Forget these exercises; what was known stays in a copy beside the file, whose path is returned, or None where there is
    no file.

    Raises
    ------
    OSError : where nothing can be written; then nothing is forgotten.
    """
    path = location()
    with _alone(path):
        if not path.exists():
            return None
        everything, _ = _read(path)
        copy = _free_name(path, "before-reset")
        shutil.copy2(path, copy)
        _replace(path, {id: entry for id, entry in everything.items() if id not in ids})
    return copy


def kept_aside():
    """The damaged files that were kept under another name, as paths."""
    path = location()
    return sorted(path.parent.glob(f"{path.stem}-damaged-*{path.suffix}"))


def _stored():
    with contextlib.suppress(*UNREADABLE):
        path = location()
        if path.exists():
            with _alone(path):
                return _read(path)[0]
    return {}


def _update(change):
    """What is stored, after the change; written, where it can be."""
    everything = None
    with contextlib.suppress(*UNREADABLE):  # a read-only home must not cost anyone their verdict
        path = location()
        with _alone(path) as alone:
            everything, damaged = _read(path)
            change(everything)
            for left in path.parent.glob(f"{path.name}.*.new") if alone else ():
                left.unlink()  # of a notebook that was killed while it wrote
            if damaged:
                os.replace(path, _free_name(path, "damaged"))
            _replace(path, everything)
    if everything is None:
        change(everything := {})
    return everything


def _count_day(everything):
    entry = {"streak": 0, "best": 0, "last": 0} | everything.get(DAYS, {})
    if entry["last"] != today():
        entry["streak"] = entry["streak"] + 1 if today() - entry["last"] == 1 else 1
        entry |= {"best": max(entry["best"], entry["streak"]), "last": today()}
    everything[DAYS] = entry


@contextlib.contextmanager
def _alone(path):
    """Hold the lock beside the file; gives whether it is held. The system frees it when its holder is killed. Where there can
    be no lock, as in a folder that cannot be written or in a browser, go on without: there the file is read only, or this is
    the one process."""
    held = False
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError, OSError, RuntimeError):
            from filelock import FileLock

            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(f"{path}.lock", timeout=PATIENCE))
            held = True
        yield held


def _read(path):
    """The entries of the file, and whether something in it makes no sense. OSError where it is there and cannot be read."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, False
    except (ValueError, RecursionError):
        return {}, True
    if not isinstance(stored, dict):
        return {}, True
    good = {id: entry for id, entry in stored.items() if isinstance(entry, dict) and _sensible(entry)}
    return _by_todays_names(good), len(good) < len(stored)


def _by_todays_names(entries):
    """The entries under the ids that exercises have today. Where one is there under both names, the better one stays."""
    found = {}
    for id, entry in entries.items():
        today = renamed(id)
        if today not in found or _worth(entry) > _worth(found[today]):
            found[today] = entry
    return found


def _worth(entry):
    return tuple(entry.get(key, 0) for key in ("points", "best", "stage", "attempts"))


def _sensible(entry):
    numbers = (entry.get(key, 0) for key in NUMBERS)
    return all(type(number) in (int, float) and 0 <= number < math.inf for number in numbers)


def _free_name(path, word):
    number = 1
    while (name := path.with_name(f"{path.stem}-{word}-{number}{path.suffix}")).exists():
        number += 1
    return name


def _replace(path, everything):
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(everything, indent=1, sort_keys=True))
            file.flush()
            os.fsync(file.fileno())  # else a power cut could leave the new name with nothing in it
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def streaks(known):
    """What is practised in rows, such as the drill of a chapter, in words: a line each."""
    found = [(id.partition(".")[2], chapter_of(id), entry) for id, entry in known.items() if "best" in entry]
    return [f"{name.capitalize()} of chapter {chapter.number}: {entry.get('streak', 0):g} right in a row, "
            f"at best {entry['best']:g}" for name, chapter, entry in found if chapter]


class Progress:
    """A table of the exercises by chapter, with your points; text in a terminal, a table in a notebook."""

    def __init__(self, chapters):
        self.chapters, self.known = chapters, load()

    def _rows(self):
        for chapter, exercises in self.chapters.items():
            for exercise in exercises:
                entry = self.known.get(exercise.id)
                points = entry["points"] if entry else 0.0
                state = "done" if points >= exercise.points else "tried" if entry and entry["attempts"] else "to do"
                yield chapter, exercise, points, state

    def __repr__(self):
        lines, last = [], None
        for chapter, exercise, points, state in self._rows():
            lines += [chapter] if chapter != last else []
            lines.append(f"  {state:5}  {points:g} of {exercise.points:g}  {exercise.title}")
            last = chapter
        return "\n".join([*lines, self._total(), *streaks(self.known)])

    def _total(self):
        rows = list(self._rows())
        return f"{sum(row[2] for row in rows):g} of {sum(row[1].points for row in rows):g} points"

    def _repr_html_(self):
        colours = {"done": COLOURS["correct"], "tried": COLOURS["wrong"], "to do": COLOURS["not attempted"]}
        body, last = [], None
        for chapter, exercise, points, state in self._rows():
            if chapter != last:
                body.append(f"<tr><th colspan='3' style='text-align:left; padding-top:8px'>{escape(chapter)}</th></tr>")
            body.append(f"<tr><td style='text-align:left; border-left:5px solid {colours[state]}'>{state}</td>"
                        f"<td style='text-align:left'>{escape(exercise.title)}</td>"
                        f"<td>{points:g} of {exercise.points:g}</td></tr>")
            last = chapter
        more = "".join(f"<p>{line}</p>" for line in streaks(self.known))
        return f"<table>{''.join(body)}</table><p><strong>{self._total()}</strong></p>{more}"
