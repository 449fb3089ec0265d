"""Unlimited small graphs to practise on: write every gradient, check, go on. Your streak is kept with your progress."""
from html import escape

import numpy as np

from bplib.graph import random_graph
from course.grading.feedback import COLOURS
from course.grading.graph_marks import EMPTY, gradient_marks
from course.grading.graph_picture import picture
from course.grading.progress import streak

ID = "chain_rule.drill"
SMALLEST, LARGEST, EVERY = 3, 5, 3  # computed nodes; a graph has one more for every so many right in a row


class Drill:
    """A form with one random graph: a picture of it, a field for each gradient, and buttons to check it and to go on.

    Attributes
    ----------
    graph : the one on the form. fields : {name: widget}. check, next : the buttons. drawing, words : the graph with marks on
        its nodes, and the verdict. box : all of it.
    """

    def __init__(self, rng=None):
        import ipywidgets as widgets

        self._widgets, self._rng = widgets, np.random.default_rng(rng)
        self.check = widgets.Button(description="Check", button_style="primary", tooltip="Mark every gradient")
        self.next = widgets.Button(description="Next graph", tooltip="Put another graph here")
        self.drawing, self.words = widgets.HTML(), widgets.HTML()
        self.form = widgets.Box(layout={"flex_flow": "row wrap"})
        self.box = widgets.VBox([self.drawing, self.form, widgets.HBox([self.check, self.next]), self.words])
        self.box.add_class("bplib-drill")
        self.check.on_click(lambda _: self.judge())
        self.next.on_click(lambda _: self.renew())
        self.renew()

    def renew(self):
        """Put another graph on the form, a larger one after some that were right in a row."""
        best = streak(ID)
        size = min(SMALLEST + int(best["streak"]) // EVERY, LARGEST)
        self.graph, self._counted = random_graph(self._rng, size), False
        self.fields = {name: self._widgets.Text(description=f"dL/d{name}", placeholder="a number", layout={"width": "190px"},
                                                style={"description_width": "60px"}) for name in reversed(self.graph.names)}
        self.form.children = tuple(self.fields.values())
        self.drawing.value = picture(self.graph, self.graph.forward(), {})
        self.words.value = f"<p>Write the gradient of every node, from L back. {_told(best)}</p>"

    def judge(self):
        """Mark every field, in the picture and in words. A graph counts once for the streak: its first complete answer."""
        got = {name: _read(field.value) for name, field in self.fields.items()}
        marks = gradient_marks(self.graph, got)
        right = all(mark.right for mark in marks.values())
        if not self._counted and EMPTY not in [mark.kind for mark in marks.values()]:
            self._counted = True
            streak(ID, right)
        self.drawing.value = picture(self.graph, self.graph.forward(), got, marks)
        lines = [f"dL/d{name}: {mark.words}" for name, mark in marks.items() if not mark.right]
        body = "".join(f"<br>{escape(line)}" for line in lines)
        self.words.value = (f"<div role='status' style='border-left:5px solid {COLOURS['correct' if right else 'wrong']}; "
                            f"padding-left:8px; max-width:52em; line-height:1.5'><strong>{'All right.' if right else 'Not yet.'}"
                            f"</strong>{body}<br>{_told(streak(ID))}</div>")


def _told(best):
    return f"Right in a row: {best['streak']:g}, at best {best['best']:g}."


def _read(text):
    text = text.strip()
    try:
        return float(text.replace(",", ".").replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return text or None


def drill(seed=None):
    """Show a drill: small random graphs, one after the other. With a seed the same ones come every time."""
    from IPython.display import display

    display(Drill(seed).box)
