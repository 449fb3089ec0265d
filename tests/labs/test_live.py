"""The engine: what it refuses, what it draws, which values win, where errors go."""

import asyncio
import base64
import subprocess
import sys
import threading
from io import BytesIO

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

from course.labs import style
from course.labs.live import WIDGET_VIEW, Choice, Float, Int, Lab, Live, Picture, Toggle


def opened(png):
    with Image.open(BytesIO(png)) as image:
        return np.asarray(image)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"bars": "x"}, TypeError, "Waves: expected bars to be a whole number, got 'x'."),
        ({"bars": 2.5}, TypeError, "Waves: expected bars to be a whole number, got 2.5."),
        ({"bars": 31}, ValueError, "Waves: expected bars from 2 to 30, got 31."),
        ({"frequency": 0.05}, ValueError, "Waves: expected frequency from 0.1 to 10.0, got 0.05."),
        ({"frequency": None}, TypeError, "Waves: expected frequency to be a number, got None."),
        ({"frequency": float("nan")}, ValueError, "Waves: expected frequency to be a finite number, got nan."),
        ({"kind": "tan"}, ValueError, "Waves: expected kind to be one of 'sin', 'cos', got 'tan'."),
        ({"shown": 1}, TypeError, "Waves: expected shown to be True or False, got 1."),
        (
            {"bar": 3},
            TypeError,
            "Waves: there is no control 'bar'; the controls are 'frequency', 'bars', 'kind', 'shown'.",
        ),
    ],
)
def test_bad_values_are_refused_in_words(waves, values, error, message):
    for ask in (waves.values, waves.data, waves.bundle, waves.figure):
        with pytest.raises(error) as caught:
            ask(**values)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    "make",
    [
        lambda: Int(0, 5, 9),
        lambda: Float(0.0, 1.0, 0.5, log=True),
        lambda: Float(0.0, 1.0, 2.0),
        lambda: Choice(),
        lambda: Choice("a", default="b"),
    ],
)
def test_a_control_that_cannot_be_is_refused(make):
    with pytest.raises(ValueError, match="expected"):
        make()


def test_values_are_filled_in_and_cleaned(waves):
    assert waves.values(bars=np.int64(4), shown=np.bool_(False)) == {
        "frequency": 1.0,
        "bars": 4,
        "kind": "sin",
        "shown": False,
    }
    # What a logarithmic slider sends from its end.
    assert waves.values(frequency=10.000000000000002)["frequency"] == 10.0


def test_widgets_have_labels_ranges_and_defaults(waves):
    controls = Live(waves).controls
    assert [type(control).__name__ for control in controls.values()] == [
        "FloatLogSlider",
        "IntSlider",
        "Dropdown",
        "Checkbox",
    ]
    assert [control.description for control in controls.values()] == [
        "frequency [Hz]",
        "number of bars",
        "kind",
        "shown",
    ]
    assert {name: control.value for name, control in controls.items()} == waves.values()


def test_a_plain_script_sees_each_change(waves):
    live = Live(waves)
    before, words = live.image.value, live.words.value
    live.controls["kind"].value = "cos"
    assert live.image.value != before
    assert live.words.value != words
    assert "&amp; 10 bars." in live.words.value


def test_of_a_burst_only_the_newest_value_is_drawn(waves):
    async def drag():
        live = Live(waves)
        renders = live.renders
        for bars in range(2, 29):
            live.controls["bars"].value = bars
            live.controls["frequency"].value = bars / 10
        assert live.renders == renders, "drawn before the burst was over"
        await asyncio.sleep(0.05)
        assert live.renders == renders + 1
        return live

    live = asyncio.run(drag())
    expected = Picture(waves, waves.data(bars=28, frequency=2.8)).png()
    assert live.image.value == expected


def test_changes_from_another_thread_are_drawn_in_the_thread_of_the_lab(waves):
    threads = set()

    class Watched(type(waves)):
        def update(self, artists, data):
            threads.add(threading.get_ident())
            super().update(artists, data)

    async def drag():
        live = Live(Watched())
        renders = live.renders

        def slide():
            for bars in range(2, 29):
                live.controls["bars"].value = bars

        await asyncio.to_thread(slide)
        await asyncio.sleep(0.1)
        assert renders < live.renders < renders + 27
        return live

    live = asyncio.run(drag())
    assert threads == {threading.get_ident()}
    assert live.image.value == Picture(waves, waves.data(bars=28)).png()


def test_a_lab_outlives_the_loop_that_it_was_made_in(waves):
    async def made():
        return Live(waves)

    live = asyncio.run(made())
    live.controls["bars"].value = 7
    assert "7 bars" in live.words.value


def test_what_a_browser_adds_up_is_the_value_that_the_learner_reads():
    slider = Float(-5.0, 5.0, 3.0, step=0.1)
    assert slider.check(2.9999999999999996, "Lab", "weight") == 3.0
    assert Float(0.05, 5.0, 0.5, log=True).check(10**-0.30102999566398125, "Lab", "lr") == 0.5


def test_reset_restores_the_defaults(waves):
    live = Live(waves)
    start = live.image.value
    live.controls["bars"].value = 3
    live.controls["shown"].value = False
    assert live.image.value != start
    live.reset.click()
    assert {name: control.value for name, control in live.controls.items()} == waves.values()
    assert live.image.value == start


def test_only_what_is_static_redraws_the_figure(waves, monkeypatch):
    draws = []
    draw = Axes.draw
    monkeypatch.setattr(Axes, "draw", lambda axes, *arguments: draws.append(axes) or draw(axes, *arguments))
    picture = Picture(waves, waves.data())
    draws.clear()
    picture.update(waves.data(frequency=3.0, kind="cos"))
    assert not draws
    picture.update(waves.data(bars=20))
    assert len(draws) == 2


def test_a_legend_that_moves_does_not_redraw_the_figure(waves, monkeypatch):
    draw = waves.draw

    def with_legend(figure, data):
        artists = draw(figure, data)
        return artists | {"legend": artists["right"].legend(handles=[artists["curve"]], labels=["curve"])}

    monkeypatch.setattr(waves, "draw", with_legend)
    picture = Picture(waves, waves.data())
    waves.update(picture.artists, waves.data(frequency=3.0))
    assert not picture.figure.stale


def test_the_png_is_the_pixels(waves):
    picture = Picture(waves, waves.data())
    for level in (1, 9):
        np.testing.assert_array_equal(opened(picture.png(level)), picture.pixels())
    inch = style.CSS_DPI * style.DENSITY
    assert picture.pixels().shape == (3.6 * inch, 8 * inch, 3)


@pytest.mark.parametrize(("bars", "error"), [(13, ArithmeticError), (25, RuntimeError)])
def test_an_error_is_shown_and_raised_and_the_lab_recovers(broken, bars, error):
    live = Live(broken)
    with pytest.raises(error):
        live.controls["bars"].value = bars
    shown = live.words.value
    assert f"{error.__name__}: " in shown
    assert "Reset" in shown
    assert "conftest.py" in shown
    assert "live.py" not in shown
    assert "<bars>" not in shown
    live.controls["bars"].value = 5
    assert "5 bars" in live.words.value
    assert live.image.value == Picture(broken, broken.data(bars=5)).png()


def test_an_error_in_a_late_answer_reaches_the_event_loop(broken):
    seen = []

    async def change():
        live = Live(broken)
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context["exception"]))
        live.controls["bars"].value = 13
        await asyncio.sleep(0.05)
        return live

    live = asyncio.run(change())
    assert [type(error) for error in seen] == [ArithmeticError]
    assert "thirteen" in live.words.value


def test_show_and_figure_display_a_picture_and_words(waves, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, metadata=None, raw=False: shown.append((data, metadata)))
    waves.show()
    ((data, metadata),) = shown
    assert set(data) == {WIDGET_VIEW, "image/png", "text/plain"}
    assert data["text/plain"].endswith("& 10 bars.")
    assert metadata == {"image/png": {"width": 800, "height": 360}}
    assert opened(base64.b64decode(data["image/png"])).shape == (720, 1600, 3)
    shown.clear()
    waves.figure(bars=4)
    assert [set(data) for data, _ in shown] == [{"image/png", "text/plain"}, {"text/html", "text/plain"}]
    assert shown[1][0]["text/plain"].endswith("4 bars.")
    assert "&amp; 4 bars." in shown[1][0]["text/html"]


def test_the_users_settings_are_neither_used_nor_changed(waves):
    before = Picture(waves, waves.data()).png()
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black", "figure.dpi": 50}):
        settings = dict(matplotlib.rcParams)
        assert Picture(waves, waves.data()).png() == before
        assert dict(matplotlib.rcParams) == settings


def test_nothing_goes_through_pyplot_and_compute_needs_no_widgets():
    code = """
import sys, bplib
assert not [name for name in sys.modules if name.startswith(("matplotlib", "ipywidgets", "course"))]
from course.ch10_vanishing import GradientMagnitudes
GradientMagnitudes().bundle(depth=3)
assert not [name for name in ("matplotlib.pyplot", "ipywidgets") if name in sys.modules]
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_a_lab_works_without_threadpoolctl(waves, monkeypatch):
    from bplib import _threads

    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    _threads._pools.cache_clear()
    try:
        assert _threads._pools() is None
        assert waves.data()["y"].shape == (100,)
    finally:
        _threads._pools.cache_clear()


def test_one_blas_thread_while_computing():
    import threadpoolctl

    class Counting(Lab):
        def compute(self):
            return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]

    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        assert set(Counting().data()) == {1}


def test_toggle_refuses_what_is_not_a_bool():
    with pytest.raises(TypeError, match="True or False"):
        Toggle().check("yes", "Lab", "box")


def test_a_preset_sets_its_controls_and_leaves_the_others(waves):
    class Preset(type(waves)):
        presets = {"Fast": {"frequency": 5.0, "kind": "cos"}}  # noqa: RUF012

    live = Live(Preset())
    live.controls["bars"].value = 4
    live.presets["Fast"].click()
    assert {name: control.value for name, control in live.controls.items()} == {
        "frequency": 5.0, "bars": 4, "kind": "cos", "shown": True,
    }
    assert live.image.value == Picture(waves, waves.data(frequency=5.0, bars=4, kind="cos")).png()


class Pinnable:
    """Added to a lab: it says what is pinned."""

    pinnable = True

    def describe(self, values, data):
        return f"{values['bars']} bars, pinned {'nothing' if data['pinned'] is None else len(data['pinned']['y'])}."


def test_what_is_pinned_stays_until_the_pin_is_taken_out(waves):
    lab = type("Pinned", (Pinnable, type(waves)), {})()
    live = Live(lab)
    live.controls["bars"].value = 4
    live.pin.click()
    live.controls["bars"].value = 9
    shown = len(lab.data(bars=4)["y"])
    assert f"9 bars, pinned {shown}." in live.words.value
    assert live.pin.description == "Take the pin out"
    live.pin.click()
    assert "9 bars, pinned nothing." in live.words.value
    live.pin.click()
    live.reset.click()
    assert "10 bars, pinned nothing." in live.words.value
    assert live.pin.description == "Pin this curve"
    assert f"pinned {shown}." in lab.bundle({"bars": 4}, bars=9)[0]["text/plain"]


class Registering:
    """Added to a lab: it says what is registered."""

    registers = "Keep this one"

    def describe(self, values, data):
        return f"{values['bars']} bars, kept {[len(kept['heights']) for kept in data['registered']]}."


def test_settings_are_registered_once_each_until_the_reset(waves):
    lab = type("Registering", (Registering, type(waves)), {})()
    live = Live(lab)
    assert live.register.description == "Keep this one"
    for bars in (4, 9, 9, 4):
        live.controls["bars"].value = bars
        live.register.click()
    assert "4 bars, kept [4, 9]." in live.words.value
    live.controls["bars"].value = 7
    assert "7 bars, kept [4, 9]." in live.words.value
    assert live.image.value == Picture(lab, lab.data(registered=[{"bars": 4}, {"bars": 9}], bars=7)).png()
    live.reset.click()
    assert "10 bars, kept []." in live.words.value
    assert "kept [3, 5]." in lab.bundle(registered=[{"bars": 3}, {"bars": 5}])[0]["text/plain"]


def test_what_cannot_be_registered_is_refused(waves):
    lab = type("Registering", (Registering, type(waves)), {})()
    with pytest.raises(ValueError, match="expected bars from 2 to 30, got 99"):
        lab.data(registered=[{"bars": 99}])


def test_a_lab_without_presets_and_pins_has_no_such_buttons(waves):
    live = Live(waves)
    assert live.pin is None
    assert live.register is None
    assert live.presets == {}
    assert not {"pinned", "registered"} & set(waves.data())
