"""The dashboard: chapters, points, days in a row, and what to review."""
from html import escape

from course.grading import progress
from course.grading.feedback import COLOURS
from course.grading.review import Reviews

EDGE = "border:1px solid var(--jp-border-color1, #9e9e9e)"
BAR = 20  # characters of a bar in plain text


class Dashboard:
    """A row for each chapter with a bar of its points, then streaks and reviews. Every colour is said in words too."""

    def __init__(self, chapters):
        known = progress.load()
        self.rows = [(title, *_points(exercises, known)) for title, exercises in chapters.items()]
        self.reviews = Reviews(chapters, known, progress.today())
        self.facts = [_days(progress.days_in_a_row()), *progress.streaks(known)]
        if aside := progress.kept_aside():
            self.facts.append(f"A damaged progress file was kept as {aside[-1].name}, beside the new one.")

    def _total(self):
        return f"{sum(row[1] for row in self.rows):g} of {sum(row[2] for row in self.rows):g} points"

    def __repr__(self):
        width = max(len(title) for title, *_ in self.rows)
        lines = [f"{title:{width}}  {'#' * round(BAR * got / of):{BAR}}  {got:g} of {of:g}, {_state(got, of, tried)}"
                 for title, got, of, tried in self.rows]
        return "\n".join(filter(None, [*lines, self._total(), *self.facts, repr(self.reviews)]))

    def _repr_html_(self):
        body = "".join(
            f"<tr><td style='text-align:left'>{escape(title)}</td>"
            f"<td style='width:12em'><div aria-hidden='true' style='height:.8em; {EDGE}'>"
            f"<div style='height:100%; width:{100 * got / of:.0f}%; background:{COLOURS['correct']}'></div></div></td>"
            f"<td>{got:g} of {of:g}</td><td style='text-align:left'>{_state(got, of, tried)}</td></tr>"
            for title, got, of, tried in self.rows)
        facts = "".join(f"<p>{escape(fact)}</p>" for fact in self.facts if fact)
        head = "<tr><th style='text-align:left'>chapter</th><th></th><th>points</th><th style='text-align:left'>state</th></tr>"
        return f"<table>{head}{body}</table><p><strong>{self._total()}</strong></p>{facts}{self.reviews._repr_html_()}"


def _points(exercises, known):
    got = sum(min(known[e.id]["points"], e.points) for e in exercises if e.id in known)
    return got, sum(e.points for e in exercises), any(known[e.id]["attempts"] for e in exercises if e.id in known)


def _state(got, of, tried):
    return "done" if got >= of else "begun" if tried else "to do"


def _days(days):
    if not days["best"]:
        return "Days in a row: none yet. A day counts when you run a check."
    return f"Days in a row: {days['streak']}, at best {days['best']}."
