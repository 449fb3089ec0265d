"""Small labs to test the engine with."""

import numpy as np
import pytest

from course.labs.live import Choice, Float, Int, Lab, Toggle


class Waves(Lab):
    """A curve and some bars, with one control of each kind; the limits of the axes follow the number of bars."""

    title = "How does a wave change?"
    controls = {  # noqa: RUF012
        "frequency": Float(0.1, 10.0, 1.0, unit="Hz", log=True),
        "bars": Int(2, 30, 10, label="number of bars"),
        "kind": Choice("sin", "cos"),
        "shown": Toggle(True),
    }

    def compute(self, frequency, bars, kind, shown):
        x = np.linspace(0, 6, 100)
        return {"x": x, "y": getattr(np, kind)(frequency * x) * shown, "heights": np.arange(bars) / bars}

    def draw(self, figure, data):
        left, right = figure.subplots(1, 2)
        left.set(xlim=(0, 6), ylim=(-1.1, 1.1), title="Curve", xlabel="x", ylabel="y")
        right.set(ylim=(0, 1), title="Bars", xlabel="i", ylabel="height")
        (curve,) = left.plot([], [])
        return {"curve": curve, "bars": right.bar(range(30), np.zeros(30)), "right": right}

    def update(self, artists, data):
        artists["curve"].set_data(data["x"], data["y"])
        count = len(data["heights"])
        for place, bar in enumerate(artists["bars"]):
            bar.set_height(data["heights"][place] if place < count else 0)
        if artists["right"].get_xlim() != (-1, count):
            artists["right"].set_xlim(-1, count)

    def describe(self, values, data):
        return f"A {values['kind']} with mean {data['y'].mean():.3f} & {len(data['heights'])} bars."


class Broken(Waves):
    """It cannot show 13 bars, and from 20 bars on it fails half way through a drawing."""

    def compute(self, bars, **others):
        if bars == 13:
            raise ArithmeticError("thirteen <bars>")
        return super().compute(bars=bars, **others)

    def update(self, artists, data):
        artists["curve"].set_data([], [])
        if len(data["heights"]) >= 20:
            raise RuntimeError("half drawn")
        super().update(artists, data)


@pytest.fixture
def waves():
    return Waves()


@pytest.fixture
def broken():
    return Broken()
