"""The engine of the labs: sliders, a picture, and what the picture says in words.

A lab is a subclass of `Lab` that says what can be varied (`controls`), works it out (`compute`), draws it once
(`draw`), changes the drawing (`update`) and puts it into words (`describe`). The engine does the rest:

- A slider sends far more values than anyone can look at. The front end waits for the kernel's "idle" before it sends
  the next value of a slider, and drops those in between; the kernel notes a change, and draws when no further one is
  waiting, so of several changes only the newest values are drawn. JupyterLab may hand the changes over in a thread of
  their own; a lab is computed and drawn where it was made, because Matplotlib is not made for several threads.
- Drawing a whole figure takes 40 ms and more. Here everything but the moving artists is drawn once and kept as a
  background; a change draws the moving artists on top of it. Matplotlib itself says when the background is out of
  date: a figure becomes stale when anything changes that does not move.
- An error in a lab is shown under the picture, and also reaches whoever runs the notebook: it is never swallowed.
"""

import asyncio
import html
import traceback
from base64 import b64encode

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bplib._png import png
from bplib._threads import suited_to
from course.labs import style
from course.labs.controls import Choice, Float, Int, Toggle, listed

__all__ = ["Choice", "Float", "Int", "Lab", "Live", "Picture", "Toggle"]

# Seconds. The kernel reads one message a turn of its event loop, about a thousand a second: a pause of PAUSE means that
# no newer value is waiting. Who drags without a pause sees a picture every LONGEST_WAIT all the same.
PAUSE, LONGEST_WAIT = 0.003, 0.05

PIN, UNPIN = "Pin this curve", "Take the pin out"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class Lab:
    """A pure function from the values of some controls to arrays, a drawing of them, and a sentence about them.

    Attributes
    ----------
    title : the lab's question, written over the picture.
    controls : what can be varied, {name: Int, Float, Choice or Toggle}.
    presets : buttons that set several controls at once, {what stands on it: {name: value}}.
    pinnable : is there a button that keeps what is shown, to compare what comes next with it? `data["pinned"]` is then the
        data that were kept, or None.
    registers : what stands on a button that adds what is shown to a list, to see many settings together; empty for no such
        button. `data["registered"]` is then the list of the data that were kept, each setting once, the newest last.
    size : of the picture, in inches; an inch is `style.CSS_DPI` pixels on the page.
    """

    title = ""
    controls = {}
    presets = {}
    pinnable = False
    registers = ""
    size = (style.WIDTH, 3.6)

    def compute(self, **values):
        """What the picture shows, as a dict of arrays and numbers. It draws nothing, and depends on nothing else."""
        raise NotImplementedError

    def draw(self, figure, data):
        """Put axes, titles and labels into an empty figure, and the artists that will move.

        Returns
        -------
        dict : the moving artists, alone or in lists, under names of your choice. Axes may stand there too, for `update`
            to find. The engine always calls `update` afterwards, so the artists may be left without data.
        """
        raise NotImplementedError

    def update(self, artists, data):
        """Make the moving artists show the data. Everything else can be changed as well, such as limits of axes, but
        then the whole figure is drawn anew, so change it only where it must change."""
        raise NotImplementedError

    def describe(self, values, data):
        """What is to be seen, in one to three plain sentences with numbers."""
        raise NotImplementedError

    def values(self, **changes):
        """A value for each control: those given, and defaults.

        Raises
        ------
        TypeError, ValueError : a name that no control has, or a value that its control does not take.
        """
        who = type(self).__name__
        for name in changes:
            if name not in self.controls:
                raise TypeError(f"{who}: there is no control {name!r}; the controls are {listed(self.controls)}.")
        return {name: control.check(changes.get(name, control.default), who, name) for name, control in self.controls.items()}

    def data(self, pinned=None, registered=(), **values):
        """What `compute` gives for the values, with defaults filled in. Raises what `values` raises.

        Parameters
        ----------
        pinned : in a lab that is pinnable, the values to compare with, a dict. registered : in a lab that registers, a list
            of such dicts. values : as for `values`.
        """
        values = self.values(**values)
        with suited_to(multiplications=0):
            data = self.compute(**values)
        if self.pinnable:
            data["pinned"] = None if pinned is None else self.data(**pinned)
        if self.registers:
            data["registered"] = [self.data(**kept) for kept in registered]
        return data

    def bundle(self, pinned=None, registered=(), **values):
        """The picture and the words for the values, as data and metadata to display. Raises what `values` raises."""
        data = self.data(pinned, registered, **values)
        return _bundle(Picture(self, data), self.describe(self.values(**values), data))

    def figure(self, pinned=None, registered=(), **values):
        """Display the picture and the words for the values, without controls; in a lab that is pinnable beside those for the
        values `pinned`, a dict, and in one that registers with the list `registered` of such dicts. Raises what `values`
        raises."""
        from IPython.display import display

        data, metadata = self.bundle(pinned, registered, **values)
        words = data["text/plain"]
        # A page shows one form of an output, the picture; the words are an output of their own, so that both are seen.
        display(data | {"text/plain": f"Picture: {self.title}"}, metadata=metadata, raw=True)
        display({"text/html": f"<p>{html.escape(words)}</p>", "text/plain": words}, raw=True)

    def show(self):
        """Display the lab: controls, picture and words. A page without a kernel shows the picture."""
        from IPython.display import display

        data, metadata = Live(self).bundle()
        display(data, metadata=metadata, raw=True)


class Picture:
    """The figure of a lab, drawn in memory. `update(data)` changes it, `png()` is what it looks like."""

    def __init__(self, lab, data):
        self._lab = lab
        start = lab.data()
        with style.context():
            # Not through pyplot: its figures are global, and a lab's figure is its own.
            self.figure = Figure(figsize=lab.size)
            self._canvas = FigureCanvasAgg(self.figure)
            self.figure.suptitle(lab.title, x=0.01, horizontalalignment="left")
            self.artists = lab.draw(self.figure, start)
            lab.update(self.artists, start)
            self._moving = list(_artists(self.artists))
            for artist in self._moving:
                artist.set_animated(True)  # left out of the background, and its changes do not make the figure stale
                artist.set_in_layout(False)
            # Where the axes are is decided once, for the defaults, so that nothing jumps while a slider moves.
            self.figure.get_layout_engine().execute(self.figure)
            self.figure.set_layout_engine("none")
        self.update(data)

    def update(self, data):
        """Show the data."""
        with style.context():
            self._lab.update(self.artists, data)
            if self.figure.stale:
                self._canvas.draw()
                self._background = self._canvas.copy_from_bbox(self.figure.bbox)
            else:
                self._canvas.restore_region(self._background)
            for artist in sorted(self._moving, key=lambda artist: artist.zorder):
                artist.draw(self._canvas.get_renderer())
            self.figure.stale = False  # drawing a legend moves its box, which would count as a change

    def pixels(self):
        """What it looks like, (height, width, 3) bytes."""
        rgba = np.asarray(self._canvas.buffer_rgba())
        return np.stack([rgba[:, :, channel] for channel in range(3)], axis=2)  # five times as fast as copying three at a time

    def png(self, level=1):
        """The same as a file. Level 1 is for speed, 9 for size."""
        return png(self.pixels(), level)


class Live:
    """A lab on the page: one widget for each control, the picture, the words.

    Attributes
    ----------
    controls : the widgets by the names of their controls. reset : the button. presets : the buttons by what stands on them.
    pin : the button that keeps what is shown, or None. register : the one that adds it to the list, or None.
    image, words : what answers. renders : how many pictures have been drawn.
    """

    def __init__(self, lab):
        import ipywidgets as widgets

        self._lab, self._picture, self._due, self._pinned, self.renders = lab, None, None, None, 0
        self._registered = {}  # by values: a setting is kept once
        self._loop = _running_loop()
        self.controls = {name: control.widget(name) for name, control in lab.controls.items()}
        self.reset = widgets.Button(description="Reset", tooltip="Put every control back to where it started")
        width = f"{round(lab.size[0] * style.CSS_DPI)}px"
        # The page offers no text for an image widget (a tooltip makes JupyterLab refuse to show it): the words are the text.
        self.image = widgets.Image(layout={"width": width, "max_width": "100%", "height": "auto"})
        self.words = widgets.HTML(layout={"width": width, "max_width": "100%"})
        grid = {"width": width, "max_width": "100%", "grid_template_columns": "repeat(auto-fill, minmax(340px, 1fr))"}
        self.presets = {name: widgets.Button(description=name, layout={"width": "auto"}) for name in lab.presets}
        self.pin = widgets.Button(description=PIN, layout={"width": "auto"}) if lab.pinnable else None
        self.register = widgets.Button(description=lab.registers, layout={"width": "auto"}) if lab.registers else None
        more = [*self.presets.values(), *(button for button in (self.pin, self.register) if button)]
        row = widgets.HBox([*more, self.reset], layout={"width": width, "max_width": "100%", "flex_flow": "row wrap"})
        top = widgets.GridBox([*self.controls.values(), *([] if more else [self.reset])], layout=grid)
        self.box = widgets.VBox([top, *([row] if more else []), self.image, self.words])
        self.box.add_class("bplib-lab")
        self.refresh()
        for control in self.controls.values():
            control.observe(self._changed, "value")
        self.reset.on_click(self._reset)
        for name, button in self.presets.items():
            button.on_click(lambda _, name=name: self._set(lab.presets[name]))
        if self.pin:
            self.pin.on_click(self._pin)
        if self.register:
            self.register.on_click(self._register)

    def refresh(self):
        """Answer the values of the controls now. What the lab raises is shown, and raised."""
        lab = self._lab
        try:
            values = lab.values(**{name: control.value for name, control in self.controls.items()})
            data = lab.data(**values)
            if lab.pinnable:
                data["pinned"] = self._pinned
            if lab.registers:
                data["registered"] = list(self._registered.values())
            words = lab.describe(values, data)
            if self._picture is None:
                self._picture = Picture(lab, data)
            else:
                self._picture.update(data)
        except Exception as error:
            self._picture = None  # it may be half changed
            self.words.value = _apology(error)
            raise
        self.renders += 1
        self.image.value = self._picture.png()
        self.words.value = _spoken(words)

    def bundle(self):
        """The view with its picture and words, as data and metadata to display."""
        values = {name: control.value for name, control in self.controls.items()}
        data, metadata = self._lab.bundle(**values)
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        return {WIDGET_VIEW: view} | data, metadata

    def _changed(self, change):
        if self._loop is None or not self._loop.is_running():  # a plain script
            self.refresh()
        else:
            self._loop.call_soon_threadsafe(self._wait)

    def _wait(self):
        now = self._loop.time()
        latest = now + LONGEST_WAIT
        if self._due is not None:
            timer, latest = self._due
            timer.cancel()
        self._due = self._loop.call_at(min(now + PAUSE, latest), self._answer), latest

    def _answer(self):
        self._due = None
        try:
            self.refresh()
        except Exception:
            # Nobody waits for this call, so an error would end in a log that no one reads. The kernel's own way to
            # show one reaches the front end, and tests that run the notebook.
            shell = _shell()
            if shell is None:
                raise
            shell.showtraceback()

    def _set(self, values):
        for name, value in values.items():
            self.controls[name].value = value

    def _reset(self, button):
        if self._pinned is not None:
            self._pin(button)
        if self._registered:
            self._registered = {}
            self._changed(None)
        self._set({name: control.default for name, control in self._lab.controls.items()})

    def _pin(self, button):
        values = {name: control.value for name, control in self.controls.items()}
        self._pinned = self._lab.data(**values) if self._pinned is None else None
        self.pin.description = PIN if self._pinned is None else UNPIN
        self._changed(None)

    def _register(self, button):
        values = {name: control.value for name, control in self.controls.items()}
        self._registered[tuple(values.values())] = self._lab.data(**values)
        self._changed(None)


def _artists(found):
    if isinstance(found, dict):
        found = found.values()
    elif isinstance(found, Axes):
        return
    elif isinstance(found, Artist):
        yield found
        return
    for part in found:
        yield from _artists(part)


def _bundle(picture, words):
    height, width = (side // style.DENSITY for side in picture.pixels().shape[:2])
    png = b64encode(picture.png(level=9)).decode()
    return {"image/png": png, "text/plain": words}, {"image/png": {"width": width, "height": height}}


def _spoken(words, border="--jp-brand-color1", more=""):
    """Words for a screen and for a screen reader, in the colours of the theme."""
    look = (
        "color: var(--jp-content-font-color1); font-family: var(--jp-content-font-family);"
        "font-size: var(--jp-content-font-size1); line-height: 1.5; padding: 0 12px;"
        f"border-left: 4px solid var({border})"
    )
    return f'<div role="status" aria-live="polite" style="{look}">{html.escape(words)}{more}</div>'


def _apology(error):
    trace = traceback.TracebackException.from_exception(error)
    own = [frame for frame in trace.stack if frame.filename != __file__]
    trace.stack = traceback.StackSummary.from_list(own[-3:])
    words = (
        f"This lab stumbled over these values: {type(error).__name__}: {error}. The picture is the last good one. "
        "Move a control to go on, or press Reset."
    )
    full = html.escape("".join(trace.format()))
    details = f"<details><summary>Where it happened</summary><pre>{full}</pre></details>"
    return _spoken(words, "--jp-error-color1", details)


def _running_loop():
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _shell():
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return get_ipython()
