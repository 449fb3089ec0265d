"""What a gradient check found: a table in a terminal; in a notebook also a picture of where a gradient is wrong."""
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bplib.diagnosis import Diagnosis

MATCH, MISMATCH, KINK, PRECISION = "match", "mismatch", "kink", "precision"
FLAT, NONDETERMINISTIC = "flat", "nondeterministic"
WRONG = {MISMATCH, NONDETERMINISTIC}
MOST = 64  # rows and columns of a heatmap; a larger array is shown by the worst entry of each block
RIGHT_COLOUR, WRONG_COLOUR = np.array([240, 240, 240]), np.array([213, 94, 0])  # light grey, vermilion


class GradientError(AssertionError):
    """A gradient is wrong; the message is the report."""


@dataclass(frozen=True)
class Finding:
    """What was found for one array.

    Attributes
    ----------
    name : "0.W" for a parameter, "x" for the input.
    shape : its shape.
    verdict :
        "match" : backward says what is measured.
        "mismatch" : it does not.
        "kink" : the slopes to both sides differ here (ReLU at 0), and at two points nearby the gradient is right.
        "precision" : no contradiction, but rounding hides so much that the check shows little.
        "flat" : nothing moves and the gradient says so, a dead or saturated unit: the check has shown nothing.
        "nondeterministic" : two forward passes of one batch differ, so no slope can be measured.
    error : the largest relative error found. worst : where, an index, after a mismatch was located.
    analytic, numeric : what backward claims and what was measured, there or along a random direction.
    diagnosis : a Diagnosis, or None. message : what is wrong, in words; empty for a match.
    map : of a mismatch, the relative error of each entry; None where it was not measured entry by entry.
    """

    name: str
    shape: tuple
    verdict: str
    error: float = 0.0
    worst: tuple | None = None
    analytic: float | None = None
    numeric: float | None = None
    diagnosis: Diagnosis | None = None
    message: str = ""
    map: np.ndarray | None = field(default=None, repr=False, compare=False)


class Report(Mapping):
    """Findings by name, printed as a table. `ok` is True when no gradient is wrong, and two passes agree."""

    def __init__(self, findings):
        self._findings = {finding.name: finding for finding in findings}

    def __getitem__(self, name):
        return self._findings[name]

    def __iter__(self):
        return iter(self._findings)

    def __len__(self):
        return len(self._findings)

    @property
    def ok(self):
        return all(finding.verdict not in WRONG for finding in self.values())

    def raise_if_wrong(self):
        """Raise a GradientError with this report as its message, unless it is ok."""
        if not self.ok:
            raise GradientError(f"\n{self}")

    def __str__(self):
        rows = [("name", "shape", "verdict", "relative error"), *map(_row, self.values())]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *(f"{', '.join(names)}: {message}" for message, names in self._messages().items())])

    def _messages(self):
        """What is to be said, and for which arrays."""
        found = {}
        for finding in self.values():
            if finding.message:
                found.setdefault(finding.message, []).append(finding.name)
        return found

    __repr__ = __str__

    def _repr_html_(self):
        head = "".join(f"<th style='text-align:left'>{word}</th>" for word in ("name", "shape", "verdict", "relative error"))
        body = "".join(_html_row(finding) for finding in self.values())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(finding):
    shows = finding.verdict not in (FLAT, NONDETERMINISTIC)
    return finding.name, str(finding.shape), finding.verdict, f"{finding.error:.0e}" if shows else "-"


def _html_row(finding):
    from html import escape  # here, because a terminal needs none of it: its table of entities takes as long as a module of ours

    cells = [escape(cell) for cell in _row(finding)]
    if finding.verdict in WRONG:
        cells[2] = f"<strong>{cells[2]}</strong>"
    row = "<tr>" + "".join(f"<td style='text-align:left'>{cell}</td>" for cell in cells) + "</tr>"
    if finding.message:
        more = heatmap(finding) if finding.map is not None and finding.map.size > 1 else ""
        row += (f"<tr><td></td><td colspan='3' style='text-align:left; white-space:normal; max-width:46em'>"
                f"{escape(finding.message)}{more}</td></tr>")
    return row


def heatmap(finding):
    """An HTML picture of a finding's `map`: grey where the gradient is right, orange where it is wrong, with words."""
    from base64 import b64encode
    from html import escape

    from bplib._png import png

    errors = np.atleast_2d(finding.map)
    errors = errors.reshape(len(errors), -1)
    wrong = _pooled(np.clip(np.nan_to_num(errors, nan=1.0, posinf=1.0), 0, 1))
    shade = np.where(wrong > 0, 0.35 + 0.65 * wrong, 0)[:, :, None]  # even a small error is seen
    pixels = np.round(RIGHT_COLOUR + shade * (WRONG_COLOUR - RIGHT_COLOUR)).astype(np.uint8)
    height, width = wrong.shape
    side = max(3, min(16, 320 // max(height, width)))
    words = f"{where(finding.map)} Grey is right, orange is wrong; rows run down, columns to the right."
    return (f"<br><img alt='{escape(words, quote=True)}' width='{side * width}' height='{side * height}' "
            f"style='image-rendering:pixelated; border:1px solid #767676; margin:4px 0' "
            f"src='data:image/png;base64,{b64encode(png(pixels, 9)).decode()}'><br>{escape(words)}")


def where(errors):
    """Which entries of an array of relative errors are wrong, in words: a row, a column, all, or some."""
    wrong = ~(np.abs(errors) == 0)
    if wrong.all():
        return "Every entry is wrong."
    if wrong.ndim == 2:
        for axis, word in ((1, "row"), (0, "column")):
            whole = np.flatnonzero(wrong.all(axis=axis))
            if len(whole) and np.take(wrong, whole, axis=1 - axis).sum() == wrong.sum():
                return f"Wrong {word}{'s' if len(whole) > 1 else ''}: {_listed(whole)}, and nothing else."
    places = np.argwhere(wrong)
    first = ", ".join(map(str, places[0]))
    return f"{len(places)} of {wrong.size} entries are wrong, the first is [{first}]."


def _listed(numbers):
    shown = ", ".join(map(str, numbers[:8]))
    return shown if len(numbers) <= 8 else f"{shown} and {len(numbers) - 8} more"


def _pooled(errors):
    """At most MOST rows and columns: of each block the largest entry, so that a single wrong one is not lost."""
    for axis in (0, 1):
        starts = np.linspace(0, errors.shape[axis], min(MOST, errors.shape[axis]), endpoint=False).astype(int)
        errors = np.maximum.reduceat(errors, starts, axis=axis)
    return errors
