"""What a learner sees: short, kind and exact. Every message also reads well as plain text."""
import inspect
import linecache
import sysconfig
import traceback
from html import escape
from pathlib import Path

from course.grading.pages import help_page, linked

OURS = tuple(str(Path(__file__).parents[2] / folder) for folder in ("bplib", "course", "classroom"))
LIBRARY = tuple(dict.fromkeys(sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")))
HEADINGS = {"correct": "Correct", "wrong": "Not yet", "error": "Your code stopped with an error",
            "not attempted": "Not attempted", "unknown": "No such exercise"}
COLOURS = {"correct": "var(--jp-success-color1, #2e7d32)", "wrong": "var(--jp-warn-color1, #b26a00)",
           "error": "var(--jp-error-color1, #c62828)", "not attempted": "var(--jp-border-color1, #9e9e9e)",
           "unknown": "var(--jp-warn-color1, #b26a00)"}
PRINTED = 600  # characters of what an answer printed, or of its error message
STOPPED = "You stopped the check while your code was running."
CALLS = 6  # lines of a traceback


class Result(float):
    """A verdict. Its value is the points earned, so its plain-text form is a number; a notebook shows it as a card.

    Attributes
    ----------
    id, verdict, available, message, details, printed, mutant : the exercise, one of "correct", "wrong", "error", "not
        attempted" and "unknown" (there is no such exercise), the points there are, what to tell the learner (first the message,
        then the numbers that show it), what their code printed, and the name of the mistake where it was recognised.
    picture : HTML that a notebook shows under the words; empty for most.
    notes : sentences about the circumstances: a review, a stand-in for an earlier answer, a check cell that was edited.
    onward : where to go from here, a sentence; empty where the answer is not right yet.
    """

    def __new__(cls, id, verdict, points, available, message, details="", printed="", mutant=None):
        self = super().__new__(cls, points)
        self.id, self.verdict, self.available, self.mutant = id, verdict, float(available), mutant
        self.message, self.details = message, details
        self.printed, self.picture, self.notes, self.onward = shortened(printed), "", [], ""
        return self

    def __getnewargs__(self):  # so that it can be copied, and sent from one process to another
        return self.id, self.verdict, float(self), self.available, self.message, self.details, self.printed, self.mutant

    @property
    def heading(self):
        """The verdict and the points, in words."""
        words = HEADINGS[self.verdict]
        return words if self.verdict == "unknown" else f"{words}: {float(self):g} of {self.available:g} points"

    def __str__(self):
        lines = [f"{self.heading}. [{self.id}]", self.message, self.details]
        if self.printed:
            lines.append(f"Your code printed:\n{self.printed}")
        lines += [*self.notes, self.onward]
        return "\n".join(line for line in lines if line)

    def _repr_html_(self):
        prose = self.mutant or self.verdict in ("correct", "not attempted", "unknown")
        body = (_paragraph if prose else _pre)(self.message) + _pre(self.details)
        if self.printed:
            body += _paragraph("Your code printed:") + _pre(self.printed)
        body += self.picture + "".join(map(_paragraph, [*self.notes, self.onward]))
        return card(self.heading, self.id, COLOURS[self.verdict], body)


class Hint:
    """A hint, shown as a card in a notebook and as a line of text elsewhere."""

    def __init__(self, id, number, count, text):
        self.id, self.number, self.count, self.text = id, number, count, text

    def __repr__(self):
        more = f'\nMore help: hint("{self.id}", {self.number + 1})' if self.number < self.count else ""
        return f"Hint {self.number} of {self.count}. {self.text}{more}"

    def _repr_html_(self):
        body = _paragraph(self.text)
        if self.number < self.count:
            body += _paragraph(f'More help: hint("{self.id}", {self.number + 1})')
        return card(f"Hint {self.number} of {self.count}", self.id, "var(--jp-info-color1, #0277bd)", body)


class Notice:
    """What a command did, or what it needs; a card in a notebook and text elsewhere."""

    def __init__(self, heading, text):
        self.heading, self.text = heading, text

    def __repr__(self):
        return f"{self.heading}. {self.text}"

    def _repr_html_(self):
        return card(self.heading, "", "var(--jp-info-color1, #0277bd)", _paragraph(self.text))


def card(heading, id, colour, body):
    """A box with a coloured edge; the heading says in words what the colour means."""
    return (f"<div style='border-left:5px solid {colour}; padding:6px 12px; margin:4px 0; max-width:52em'>"
            f"<strong>{escape(heading)}</strong> <span style='opacity:.65; font-size:85%'>{escape(id)}</span>{body}</div>")


def learner_lines(error, answer, arguments):
    """An error with the learner's own lines only: what they wrote, where it stopped, and what Python said."""
    if isinstance(error, KeyboardInterrupt):
        return f"{STOPPED} Is there a loop that never ends? More: {help_page()}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith((*OURS, *LIBRARY))]
    lines = [f"line {f.lineno} of {f.name}:  {(f.line or linecache.getline(f.filename, f.lineno)).strip()}" for f in frames]
    if len(lines) > CALLS:
        lines[CALLS // 2:-CALLS // 2] = [f"(and {len(lines) - CALLS} more calls)"]
    takes = _unfit_signature(answer, arguments)
    if not lines and isinstance(error, TypeError) and takes:
        count = f"{len(arguments)} argument{'s' if len(arguments) != 1 else ''}"
        return f"Your function was called with {count}, and takes {takes}."
    lines.append(shortened("".join(traceback.format_exception_only(error)).strip()))
    if isinstance(error, NameError):
        lines.append(f"Was the cell that defines it run? More: {help_page()}")
    return "\n".join(lines)


def _unfit_signature(answer, arguments):
    """The signature of an answer that cannot be called with these arguments; None where it can, or where it is unknown."""
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*arguments)
    except TypeError:
        return str(signature)
    return None


def shortened(text):
    """A text, cut where it is long."""
    return text if len(text) <= PRINTED else text[:PRINTED] + "\n(and more)"


def _paragraph(text):
    return f"<p style='margin:6px 0 0'>{linked(text)}</p>" if text else ""


def _pre(text):
    style = "margin:6px 0 0; white-space:pre-wrap; word-break:normal; overflow-wrap:anywhere; font-size:92%; background:none"
    return f"<pre style='{style}'>{linked(text)}</pre>" if text else ""
