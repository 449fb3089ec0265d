"""Unlimited small graphs to practise on: write every gradient, check, go on. Your streak is kept with your progress."""
import html

import numpy as np

from bplib.grading.feedback import COLOURS
from bplib.grading.graph_marks import gradient_marks
from bplib.grading.progress import streak
from bplib.graph import random_graph

ID = "chain_rule.drill"


class Drill:
    """A form with one random graph: a field for each gradient, and buttons to check it and to get another.

    Attributes
    ----------
    graph : the one on the form. fields : {name: widget}. check, next : the buttons. words : the verdict. box : all of it.
    """

    def __init__(self, rng=None):
        import ipywidgets as widgets

        self._widgets, self._rng, self._counted = widgets, np.random.default_rng(rng), False
        self.check = widgets.Button(description="Check", button_style="primary")
        self.next = widgets.Button(description="Another one")
        self.words, self.formulas, self.form = widgets.HTML(), widgets.HTML(), widgets.VBox()
        self.box = widgets.VBox([self.formulas, self.form, widgets.HBox([self.check, self.next]), self.words])
        self.box.add_class("bplib-drill")
        self.check.on_click(lambda _: self.judge())
        self.next.on_click(lambda _: self.renew())
        self.renew()

    def renew(self):
        """Put another graph on the form."""
        self.graph, self._counted = random_graph(self._rng), False
        values = self.graph.forward()
        lines = [f"{name} = {value:g}" for name, value in self.graph.inputs.items()]
        lines += [f"{name} = {self.graph.formula(name)} = {values[name]:g}" for name in self.graph.steps]
        self.formulas.value = f"<pre>{html.escape(chr(10).join(lines))}</pre>"
        self.fields = {name: self._widgets.Text(description=f"dL/d{name}", placeholder="a number", layout={"width": "220px"})
                       for name in reversed(self.graph.names)}
        self.form.children = tuple(self.fields.values())
        best = streak(ID)
        self.words.value = f"<p>Fill in every gradient. Right in a row so far: {best['streak']}, at best {best['best']}.</p>"

    def judge(self):
        """Mark every field. A graph counts once for the streak: its first complete answer."""
        got = {name: _read(field.value) for name, field in self.fields.items()}
        marks = gradient_marks(self.graph, got)
        right = not any(marks.values())
        if not self._counted and None not in got.values():
            self._counted = True
            streak(ID, right)
        lines = [f"dL/d{name}: {words or 'right.'}" for name, words in marks.items()]
        best = streak(ID)
        title = "All right." if right else "Not yet."
        colour = COLOURS["correct" if right else "wrong"]
        signs = [("✗", COLOURS["wrong"]) if mark else ("✓", COLOURS["correct"]) for mark in marks.values()]
        body = "<br>".join(f"<span style='color:{shade}'>{sign}</span> {html.escape(line)}"
                           for line, (sign, shade) in zip(lines, signs))
        row = f"Right in a row: {best['streak']}, at best {best['best']}."
        self.words.value = (f"<div role='status' style='border-left:5px solid {colour}; padding-left:8px'>"
                            f"<strong>{title}</strong><br>{body}<br>{row}</div>")


def _read(text):
    try:
        return float(text.strip().replace(",", ".").replace("−", "-"))
    except ValueError:
        return text.strip() or None


def drill(seed=None):
    """Show a drill: small random graphs, one after the other. With a seed the same ones come every time."""
    from IPython.display import display

    display(Drill(seed).box)
