"""Your progress, kept in one small file on your own computer. Nothing is ever sent anywhere.

The file is `progress.json` in the folder `trust-no-gradient` of your home's data folder; the environment variable
BPLIB_PROGRESS names another place. It is replaced in one step, so a crash cannot leave half a file. Where nothing can be
written, checks work all the same and progress is not kept.
"""
import contextlib
import json
import math
import os
import tempfile
from html import escape
from pathlib import Path

from bplib.grading.feedback import COLOURS

EMPTY = {"points": 0.0, "attempts": 0, "hints": 0}
DRILL = "chain_rule.drill"
# RuntimeError: there is no home folder, or the file is nested deeper than Python reads.
UNREADABLE = (OSError, ValueError, RuntimeError)


def location():
    """The path of the progress file."""
    if os.environ.get("BPLIB_PROGRESS"):
        return Path(os.environ["BPLIB_PROGRESS"])
    data = os.environ.get("APPDATA") or os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "trust-no-gradient" / "progress.json"


def load():
    """What is known about each exercise by id: `points` (the best so far), `attempts`, `hints` seen. Empty where there is
    no readable file; an entry that makes no sense is left out."""
    try:
        stored = json.loads(location().read_text(encoding="utf-8"))
    except UNREADABLE:
        return {}
    entries = stored.items() if isinstance(stored, dict) else ()
    return {id: EMPTY | entry for id, entry in entries if isinstance(entry, dict) and _sensible(entry)}


def _sensible(entry):
    numbers = (entry.get(key, 0) for key in (*EMPTY, "streak", "best"))
    return all(type(number) in (int, float) and 0 <= number < math.inf for number in numbers)


def record(id, points=None, hint=None):
    """Note a check (with its points) or a hint (with its number) of the exercise `id`. Never raises for want of a file."""
    everything = load()
    entry = EMPTY | everything.get(id, {})
    if points is not None:
        entry["points"] = max(entry["points"], float(points))
        entry["attempts"] += 1
    if hint is not None:
        entry["hints"] = max(entry["hints"], hint)
    everything[id] = entry
    with contextlib.suppress(*UNREADABLE):  # a read-only home must not cost anyone their verdict
        _replace(location(), json.dumps(everything, indent=1, sort_keys=True))


def streak(id, right=None):
    """How many right answers in a row, `streak`, and how many at `best`; with `right`, after one more answer. Kept beside the
    points. Never raises for want of a file."""
    everything = load()
    entry = EMPTY | {"streak": 0, "best": 0} | everything.get(id, {})
    if right is not None:
        entry["attempts"] += 1
        entry["streak"] = entry["streak"] + 1 if right else 0
        entry["best"] = max(entry["best"], entry["streak"])
        everything[id] = entry
        with contextlib.suppress(*UNREADABLE):
            _replace(location(), json.dumps(everything, indent=1, sort_keys=True))
    return {key: entry[key] for key in ("streak", "best")}


def _replace(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def progress_line(known):
    """The streak of the drill in words; empty where it has not been tried."""
    entry = {"streak": 0} | known.get(DRILL, {})
    return f"Drill of chapter 05: {entry['streak']:g} right in a row, at best {entry['best']:g}" if "best" in entry else ""


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
        return "\n".join(filter(None, [*lines, self._total(), progress_line(self.known)]))

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
        drill = progress_line(self.known)
        more = f"<p>{drill}</p>" if drill else ""
        return f"<table>{''.join(body)}</table><p><strong>{self._total()}</strong></p>{more}"
