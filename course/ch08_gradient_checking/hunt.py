"""The scoreboard of the bug hunt: which programs you have located and repaired, which claims you have settled."""

from html import escape

from course.catalogue import chapter_of
from course.grading.feedback import COLOURS
from course.grading.progress import load

PARTS = {"line": "located", "repair": "repaired", "claim": "settled"}


class Scoreboard:
    """A row for each bug, with what was done; text in a terminal, a table in a notebook.

    Parameters
    ----------
    exercises : those of the chapter, whose ids end as "m3_line", "m3_repair" and "m14_claim" do.
    """

    def __init__(self, exercises):
        known, self.rows = load(), {}
        for exercise in exercises:
            bug, part = exercise.id.split(".")[1].split("_")
            done = known.get(exercise.id, {"points": 0.0})["points"] >= exercise.points
            title = exercise.title.removeprefix(f"{bug} ").split(":")[0]
            self.rows.setdefault(bug, (title, {}))[1][PARTS[part]] = done

    def __repr__(self):
        lines = [f"{bug:4} {title:24} {'  '.join(_words(parts))}".rstrip() for bug, (title, parts) in self.rows.items()]
        return "\n".join([*lines, self._total()])

    def _total(self):
        counts = {word: [parts[word] for _, parts in self.rows.values() if word in parts] for word in PARTS.values()}
        return ", ".join(f"{sum(done)} of {len(done)} {word}" for word, done in counts.items())

    def _repr_html_(self):
        body = []
        for bug, (title, parts) in self.rows.items():
            cells = "".join(f"<td style='text-align:left; border-left:5px solid {COLOURS[_colour(done)]}'>{words}</td>"
                            for words, done in zip(_words(parts), parts.values()))
            body.append(f"<tr><td style='text-align:left'>{bug}</td><td style='text-align:left'>{escape(title)}</td>{cells}</tr>")
        return f"<table>{''.join(body)}</table><p><strong>{self._total()}</strong></p>"


def _words(parts):
    return [word if done else f"not {word}" for word, done in parts.items()]


def _colour(done):
    return "correct" if done else "not attempted"


def scoreboard():
    """The bug hunt: what you have located, repaired and settled."""
    return Scoreboard(chapter_of("gradient_checking.hunt").exercises)
