"""Is everything there that the course needs, and do browser and Python talk to each other?"""

import sys
from html import escape
from importlib import import_module

from course.labs.live import WIDGET_VIEW

NEWEST_THAT_IS_TOO_OLD = (3, 10)
PACKAGES = ("numpy", "matplotlib", "ipywidgets", "tqdm")
BEATS = 3

SILENT = (
    "Sliders: no answer from the browser. If these lines stay in JupyterLab, reload the page and run this cell again. If they"
    " stay even then, close JupyterLab, run `make lab`, and open this notebook there. On a saved page they are all there is."
)
WAITING = (
    "waiting for your browser. If this line stays for more than ten seconds, reload the page and run this cell again. If it stays"
    " even then, restart the kernel (menu Kernel), or close JupyterLab and run make lab"
)
ALIVE = f"your browser has answered {BEATS} heartbeats"


def findings():
    """Rows (what, is it fine, words) about Python, the packages, and the pictures that the course ships."""
    version = ".".join(map(str, sys.version_info[:3]))
    new_enough = sys.version_info[:2] > NEWEST_THAT_IS_TOO_OLD
    rows = [("Python", new_enough, version if new_enough else f"{version} is too old: the course needs Python 3.11 or newer")]
    for name in PACKAGES:
        try:
            rows.append((name, True, import_module(name).__version__))
        except ImportError:
            rows.append((name, False, f"missing: run pip install {name}, then restart the kernel (menu Kernel)"))
    return [*rows, _images()]


def _images():
    from bplib.datasets import fashion

    try:
        count = len(fashion().x_train)
    except (OSError, ValueError, KeyError) as problem:
        return "images", False, f"the file fashion.npz cannot be read ({problem}): install the course again"
    return "images", True, f"{count} training images"


class Doctor:
    """A table of findings with a heartbeat that the browser sends to Python: proof that sliders will work."""

    def __init__(self):
        import ipywidgets as widgets

        self.rows = findings()
        # The browser, not Python, copies the number that is sent into the one that is heard.
        self.sent, self.heard = widgets.IntText(1), widgets.IntText(0)
        self.table = widgets.HTML(self._table())
        self.heard.observe(self._beat, "value")
        self.link = widgets.jslink((self.sent, "value"), (self.heard, "value"))
        self.box = widgets.VBox([self.table])
        self.box.add_class("bplib-doctor")

    def _beat(self, change):
        self.sent.value = min(change["new"] + 1, BEATS)
        self.table.value = self._table()

    @property
    def alive(self):
        """Have all heartbeats come back?"""
        return self.heard.value >= BEATS

    def _table(self):
        rows = [*self.rows, ("sliders", self.alive, ALIVE if self.alive else WAITING)]
        gap = "style='padding-right:1.5em; white-space:nowrap'"
        lines = (f"<tr><td {gap}>{escape(what)}</td><td {gap}><strong>{'fine' if fine else 'look here'}</strong></td>"
                 f"<td>{escape(words)}</td></tr>" for what, fine, words in rows)
        return ("<table role='status' style='color:var(--jp-content-font-color1); font-size:var(--jp-content-font-size1);"
                f" line-height:1.6; text-align:left'>{''.join(lines)}</table>")

    def __repr__(self):
        wrong = [f"{what}: {words}" for what, fine, words in self.rows if not fine]
        return "\n".join([*(wrong or ["Python, packages and images: fine."]), SILENT])

    def _repr_mimebundle_(self, include=None, exclude=None):
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        return {WIDGET_VIEW: view, "text/plain": repr(self)}


def doctor():
    """Look at this computer: Python, packages, images, and whether the browser's sliders reach Python."""
    return Doctor()
