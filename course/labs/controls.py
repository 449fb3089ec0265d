"""What a lab can ask the learner to vary: a number on a slider, a choice from a menu, a box to tick.

A control knows its range and its default, refuses values that are not in it, and makes the widget for it.
"""

from dataclasses import dataclass
from math import log10

import numpy as np

from bplib import _require


@dataclass(frozen=True)
class Int:
    """A slider over whole numbers from `low` to `high`.

    Parameters
    ----------
    low, high, default : the range and where the slider starts.
    label : what stands beside the slider; the control's name where it is left out. unit : shown behind the label.
    step : the distance between neighbouring values.

    Raises
    ------
    TypeError, ValueError : the default is not one of the slider's values.
    """

    low: int
    high: int
    default: int
    label: str = ""
    unit: str = ""
    step: int = 1

    def __post_init__(self):
        self.check(self.default, "Int", "default")

    def check(self, value, who, name):
        """The value as an int, or an error that says who expected what."""
        return _within(self, _require.whole(value, who, name, least=-np.inf), who, name)

    def widget(self, name):
        """A new slider."""
        import ipywidgets as widgets

        return widgets.IntSlider(self.default, self.low, self.high, self.step, **_look(self, name))

    def samples(self):
        """The ends and the default: what tests try."""
        return self.low, self.default, self.high


@dataclass(frozen=True)
class Float:
    """A slider over numbers from `low` to `high`, on a logarithmic scale if `log`.

    Parameters
    ----------
    low, high, default, label, unit : as for `Int`; with `log`, `low` is above 0.
    step : the distance between neighbouring values, with `log` in powers of ten; a hundredth of the range by default.
    log : does the slider run over powers of ten?
    format : how the value is written beside the slider, as in Python's format strings.

    Raises
    ------
    TypeError, ValueError : the default is not in the range, or the range has no logarithm.
    """

    low: float
    high: float
    default: float
    label: str = ""
    unit: str = ""
    step: float | None = None
    log: bool = False
    format: str = ".2f"

    def __post_init__(self):
        if self.log and not self.low > 0:
            raise ValueError(f"Float: expected low above 0 for a logarithmic slider, got {self.low}.")
        self.check(self.default, "Float", "default")

    def check(self, value, who, name):
        """The value as a float, or an error that says who expected what."""
        value = _within(self, _require.number(value, who, name), who, name)
        # A browser adds up steps and takes powers of ten in its own way: without this, 3 may come back as 2.9999999999999996.
        return float(f"{value:.13g}") if self.log else round(value, 13)

    def widget(self, name):
        """A new slider."""
        import ipywidgets as widgets

        kind, low, high = widgets.FloatSlider, self.low, self.high
        if self.log:
            kind, low, high = widgets.FloatLogSlider, log10(low), log10(high)
        look = {"min": low, "max": high, "step": self.step or (high - low) / 100, "readout_format": self.format}
        return kind(self.default, **look, **_look(self, name))

    def samples(self):
        """The ends and the default: what tests try."""
        return self.low, self.default, self.high


class Choice:
    """A menu of options.

    Parameters
    ----------
    options : what can be chosen. default : one of them, the first where it is left out. label : as for `Int`.

    Raises
    ------
    ValueError : there is no option, or the default is not one of them.
    """

    unit = ""

    def __init__(self, *options, default=None, label=""):
        if not options:
            raise ValueError("Choice: expected at least one option, got none.")
        self.options, self.label = options, label
        self.default = self.check(options[0] if default is None else default, "Choice", "default")

    def check(self, value, who, name):
        """The value, or an error that says who expected what."""
        if value not in self.options:
            raise ValueError(f"{who}: expected {name} to be one of {listed(self.options)}, got {value!r}.")
        return value

    def widget(self, name):
        """A new menu."""
        import ipywidgets as widgets

        return widgets.Dropdown(options=self.options, value=self.default, **_look(self, name))

    def samples(self):
        """All options: what tests try."""
        return self.options


@dataclass(frozen=True)
class Toggle:
    """A box to tick. Parameters: `default` and `label`, as for `Int`."""

    default: bool = False
    label: str = ""
    unit = ""

    def check(self, value, who, name):
        """The value as a bool, or an error that says who expected what."""
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{who}: expected {name} to be True or False, got {value!r}.")
        return bool(value)

    def widget(self, name):
        """A new box."""
        import ipywidgets as widgets

        return widgets.Checkbox(self.default, **_look(self, name))

    def samples(self):
        """Both: what tests try."""
        return False, True


def _within(control, value, who, name):
    # The ends of a logarithmic slider come back from the front end with a rounding error.
    slack = 1e-9 * max(abs(control.low), abs(control.high))
    if not control.low - slack <= value <= control.high + slack:
        raise ValueError(f"{who}: expected {name} from {control.low} to {control.high}, got {value}.")
    return min(max(value, control.low), control.high)


def _look(control, name):
    label = control.label or name
    return {
        "description": f"{label} [{control.unit}]" if control.unit else label,
        "style": {"description_width": "140px"},
        "layout": {"width": "auto"},
    }


def listed(names):
    """Names for a message."""
    return ", ".join(map(repr, names))
