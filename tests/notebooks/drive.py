"""The source of the cell that moves every control of every lab in a notebook. It runs in that notebook's kernel."""

import asyncio

import ipywidgets
from ipywidgets.widgets.widget import _instances
from ipywidgets.widgets.widget_selection import _Selection

from course.labs.live import PAUSE


async def drive():
    """Move everything there is, over its whole range and back; an error in a callback is an error of this cell."""
    moves = 0
    for control in [widget for widget in _instances.values() if isinstance(widget, ipywidgets.DOMWidget)]:
        for move in positions(control):
            move()
            moves += 1
            # A lab asks the event loop to answer after a pause. Turns of the loop come in the order in which they were asked
            # for: one that is asked for after that, with the same pause, comes after the answer.
            await asyncio.sleep(0)
            await asyncio.sleep(PAUSE)
    assert moves, "this notebook shows a lab, but no control could be found"


def positions(control):
    """The moves that one control can make, as functions; the last one puts it back. None for what is no control."""
    if getattr(control, "disabled", False):
        return []
    if isinstance(control, ipywidgets.Button):
        return [control.click]
    if isinstance(control, ipywidgets.IntSlider | ipywidgets.FloatSlider | ipywidgets.FloatLogSlider):
        values = [control.min, control.max, type(control.value)((control.min + control.max) / 2), control.value]
        if isinstance(control, ipywidgets.FloatLogSlider):
            values = [control.base**power for power in values[:3]] + values[3:]
        return [lambda value=value: setattr(control, "value", value) for value in values]
    if isinstance(control, ipywidgets.Checkbox | ipywidgets.ToggleButton):
        return [lambda value=value: setattr(control, "value", value) for value in (not control.value, control.value)]
    if isinstance(control, _Selection) and control.options:
        return [
            lambda index=index: setattr(control, "index", index)
            for index in [*range(len(control.options)), control.index]
        ]
    return []
