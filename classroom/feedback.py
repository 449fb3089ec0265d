"""What comes of the results of a class: two tables for the teacher, and a page for each submission."""

import csv
import io
from html import escape
from pathlib import Path

from classroom.cohort import write
from course.catalogue import find
from course.grading.core import CORRECT, NOT_ATTEMPTED, WRONG

GRADES = ("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
          "late_submission_penalty", "score", "max_score")
POINTS = ("student", "chapter", "exercise", "points", "available", "verdict", "mistake")
STYLE = ("body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em;color:#1a1a1a;background:#fff}"
         "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #bbb;padding:.5em;text-align:left;"
         "vertical-align:top}td:nth-child(2){white-space:nowrap}")


def grades(results):
    """One row a submission, with the columns of `nbgrader export`, as CSV text."""
    rows = [{"assignment": entry["chapter"], "student_id": entry["student"], "raw_score": entry["total"],
             "late_submission_penalty": 0.0, "score": entry["total"], "max_score": entry["available"]} for entry in results]
    return _csv(GRADES, rows)


def points(results):
    """One row an exercise of each submission, as CSV text: its points, its verdict and the name of the mistake."""
    rows = []
    for entry in results:
        for id, earned in entry["points"].items():
            found = entry["exercises"].get(id, {})
            rows.append({"student": entry["student"], "chapter": entry["chapter"], "exercise": id, "points": earned,
                         "available": find(id).points, "verdict": found.get("verdict", entry["status"]),
                         "mistake": found.get("mutant") or ""})
    return _csv(POINTS, rows)


def _csv(columns, rows):
    out = io.StringIO()
    table = csv.DictWriter(out, columns, lineterminator="\n")
    table.writeheader()
    table.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _harmless(value):
    # A spreadsheet would run a name such as =1+1 as a formula.
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def page(entry):
    """The page that a learner gets, as HTML. It shows no hidden input, and no right answer to one."""
    rows = []
    for id, found in entry["exercises"].items():
        rows.append(f"<tr><td>{escape(find(id).title)}<br><code>{escape(id)}</code></td>"
                    f"<td>{found['points']:g} of {found['available']:g}</td>"
                    f"<td><strong>{escape(found['verdict'])}</strong><br>{escape(advice(id, found))}</td></tr>")
    notes = [line for line in entry["lines"] if not line.startswith(tuple(f"{id}: " for id in entry["exercises"]))]
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    table = f"<table><tr><th>exercise</th><th>points</th><th>what to know</th></tr>{''.join(rows)}</table>" if rows else ""
    title = f"{entry['chapter']}: {entry['total']:g} of {entry['available']:g} points"
    return (f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title><style>{STYLE}</style>"
            f"</head><body><h1>{escape(title)}</h1>{table}<ul>{listed}</ul></body></html>\n")


def advice(id, found):
    """What to tell the learner of one exercise: the name of a mistake that is known, but no number of a hidden input."""
    if found["verdict"] in (CORRECT, NOT_ATTEMPTED) or found["mutant"]:
        return found["message"]
    if found["verdict"] == WRONG and find(id).called:
        kind = "another shape or kind than" if "should have shape" in found["message"] else "other numbers than"
        words = f"On inputs that you have not seen, your answer gives {kind} the right one."
    elif find(id).called:
        words = stopped(found["message"])
    else:
        words = found["message"]
    return f"{words} In your notebook, check({id!r}, ...) and its hints help you to find out why."


def stopped(message):
    """What an error was, without its own words: these are the learner's, and could carry a hidden input out."""
    name = message.rsplit("\n", 1)[-1].split(":")[0].strip()
    if name.isidentifier() and name != "UnansweredError":
        return f"Your answer stopped with a {name}."
    return "Your answer gave no result: it was stopped, or ended its process."


def write_all(results, folder):
    """Write grades.csv, points.csv and feedback/STUDENT/CHAPTER/CHAPTER.html."""
    write(Path(folder, "grades.csv"), grades(results))
    write(Path(folder, "points.csv"), points(results))
    for entry in results:
        write(Path(folder, "feedback", entry["student"], entry["chapter"], f"{entry['chapter']}.html"), page(entry))
