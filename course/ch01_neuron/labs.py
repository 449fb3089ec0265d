"""Chapter 01: one neuron on real data, and the activations with their slopes."""

from functools import cache

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap

from bplib import LeakyReLU, ReLU, Sigmoid, Tanh, datasets
from course.labs import style
from course.labs.live import Choice, Float, Lab

ACTIVATIONS = {"sigmoid": Sigmoid, "tanh": Tanh, "ReLU": ReLU, "leaky ReLU": LeakyReLU}
FLAT = 0.01  # a slope under a hundredth of the steepest one: the neuron hardly passes a gradient back
SHOWN = 7  # every seventh point is drawn, all are counted
EDGE, FINE = 3.2, 65  # the picture reaches from -EDGE to EDGE, the shading has FINE x FINE fields
REACH = 8.0  # how far the axis of z reaches
BINS = np.linspace(-REACH, REACH, 33)
SHADES = LinearSegmentedColormap.from_list("shades", ["#b9d6ea", "#ffffff", "#fae0b0"])


class Clothes(Lab):
    """The first pullovers and dresses, as pictures. There is nothing to move."""

    title = "What tells a dress from a pullover?"
    size = (style.WIDTH, 3.0)

    def compute(self):
        """Some images of both classes, (2, 6, 28, 28)."""
        images = datasets.fashion()
        kinds = (datasets.PULLOVER, datasets.DRESS)
        return {"images": np.stack([images.x_train[images.y_train == kind][:6] for kind in kinds]).reshape(2, 6, 28, 28)}

    def draw(self, figure, data):
        axes = figure.subplots(2, 6)
        for axis, image in zip(axes.flat, data["images"].reshape(-1, 28, 28)):
            axis.imshow(image, cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
        for axis, name in zip(axes[:, 0], ("pullovers", "dresses")):
            axis.set_ylabel(name)
        return {}

    def update(self, artists, data):
        pass

    def describe(self, values, data):
        whole = data["images"].mean(axis=(1, 2, 3))
        middle = data["images"][..., 10:18].mean(axis=(1, 2, 3))
        return (f"Six pullovers above, with a mean brightness of {whole[0]:.2f} over the whole image and {middle[0]:.2f} "
                f"in the middle. Six dresses below, with {whole[1]:.2f} and {middle[1]:.2f}: a dress is a bright stripe.")


class Neuron(Lab):
    """A neuron with two inputs, trying to tell 1,000 pullovers from 1,000 dresses. You are its training."""

    title = "Can one neuron tell a dress from a pullover?"
    controls = {
        "w1": Float(-8.0, 8.0, 1.0, label="weight w1", step=0.1, format=".1f"),
        "w2": Float(-8.0, 8.0, 0.5, label="weight w2", step=0.1, format=".1f"),
        "b": Float(-4.0, 4.0, 0.0, label="bias b", step=0.1, format=".1f"),
        "activation": Choice("sigmoid", "tanh", "ReLU", label="activation"),
    }
    size = (style.WIDTH, 4.1)

    def compute(self, w1, w2, b, activation):
        """What the neuron makes of every image.

        Returns
        -------
        dict : a (FINE, FINE), the activation over the plane, from 0 to 1 for the shading; line (2, 2), the ends of z = 0, or
            NaN where there is no line; z (2000,), accuracy and saturated, shares of the images; counts (2, bins).
        """
        x, y = _measured()
        function = ACTIVATIONS[activation]()
        W = np.array([w1, w2])
        z = x @ W + b
        slope = function.derivative(z, function.f(z)) / function.steepest
        low, high = {"sigmoid": (0, 1), "tanh": (-1, 1), "ReLU": (-3, 3)}[activation]
        plane = function.f(_plane() @ W + b)
        inside = np.clip(z, -REACH, REACH)
        return {
            "activation": activation,
            "a": np.clip((plane - low) / (high - low), 0, 1),
            "line": _border(W, b),
            "z": z,
            "accuracy": np.mean((z > 0) == (y == 1)),
            "saturated": np.mean(slope < FLAT),
            "counts": np.array([np.histogram(inside[y == label], BINS)[0] for label in (0, 1)]),
        }

    def draw(self, figure, data):
        x, y = (values[::SHOWN] for values in _measured())
        left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
        left.set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), xlabel="x1: brightness of the image",
                 ylabel="x2: brightness of its middle")
        left.set(xticks=range(-3, 4), yticks=range(-3, 4))
        left.set_title("Where the neuron draws its line")
        shade = left.imshow(np.zeros((FINE, FINE)), cmap=SHADES, vmin=0, vmax=1, origin="lower", aspect="auto",
                            extent=(-EDGE, EDGE, -EDGE, EDGE), zorder=0)
        look = {"linestyle": "none", "markersize": 4, "alpha": 0.75, "markeredgewidth": 0}
        (pullovers,) = left.plot(*x[y == 0].T, style.MARKER_A, color=style.CLASS_A, label="pullover", zorder=2, **look)
        (dresses,) = left.plot(*x[y == 1].T, style.MARKER_B, color=style.CLASS_B, label="dress", zorder=2, **look)
        (line,) = left.plot([], [], color=style.LINE, label="z = 0", zorder=3)
        legend = left.legend(loc="lower left", ncols=3, handlelength=1.2, columnspacing=1)

        right.set(xlim=(-REACH, REACH), ylim=(-1.1, 1.1), xlabel="z = w1 x1 + w2 x2 + b", ylabel="activation a = f(z)")
        right.set(xticks=range(-8, 9, 4), yticks=[-1, -0.5, 0, 0.5, 1])
        right.set_title("The images on its curve (bars: how many)")
        # Outlines tell the classes apart without colour; a hatch would take longer to draw than all the rest.
        bars = [right.add_collection(PolyCollection([], facecolor=colour, alpha=0.7, edgecolor=style.BLACK, linewidth=width))
                for colour, width in ((style.CLASS_A, 0), (style.CLASS_B, 0.8))]
        (curve,) = right.plot([], [], color=style.LINE)
        # The legend counts as moving only because the shading under it moves.
        return {"shade": shade, "points": [pullovers, dresses], "line": line, "legend": legend, "bars": bars, "curve": curve}

    def update(self, artists, data):
        artists["shade"].set_data(data["a"])
        artists["line"].set_data(data["line"])
        z = np.linspace(-REACH, REACH, 161)
        artists["curve"].set_data(z, ACTIVATIONS[data["activation"]]().f(z))
        foot = np.zeros(len(BINS) - 1)
        tallest = max(data["counts"].sum(axis=0).max(), 1)
        for bars, counts in zip(artists["bars"], data["counts"]):
            top = foot + counts / tallest
            bars.set_verts(_boxes(BINS[:-1], BINS[1:], foot, top))
            foot = top

    def describe(self, values, data):
        if not np.isfinite(data["line"]).all():
            where = "Both weights are 0, so every image gets the same z, and there is no line. "
        else:
            where = ""
        flat = {"sigmoid": "saturated", "tanh": "saturated", "ReLU": "off"}[values["activation"]]
        return (f"{where}The neuron sorts {data['accuracy']:.0%} of the 2,000 images rightly. z goes from "
                f"{data['z'].min():.1f} to {data['z'].max():.1f}. For {data['saturated']:.0%} of the images the "
                f"{values['activation']} is {flat}: its slope is under a hundredth of the steepest.")


class Activations(Lab):
    """An activation and its derivative side by side, with the tangent at a point of your choice."""

    title = "How steep is the activation, and where is it flat?"
    controls = {
        "z": Float(-REACH, REACH, 1.0, label="z", step=0.1, format=".1f"),
        "activation": Choice(*ACTIVATIONS, label="activation"),
    }
    size = (style.WIDTH, 3.6)

    def compute(self, z, activation):
        """The curve, its slope, and both at z.

        Returns
        -------
        dict : along (k,), the axis of z; f, slope (k,); a and at, f and f' at z; share, |f'(z)| / steepest; flat, pairs of ends
            of the stretches where the slope is under FLAT of the steepest.
        """
        function = ACTIVATIONS[activation]()
        along = np.linspace(-REACH, REACH, 641)
        f = function.f(along)
        slope = function.derivative(along, f)
        here = np.array([z])
        a = function.f(here)
        at = function.derivative(here, a)[0]
        return {"along": along, "f": f, "slope": slope, "z": z, "a": a[0], "at": at, "share": abs(at) / function.steepest,
                "flat": _stretches(along, np.abs(slope) < FLAT * function.steepest)}

    def draw(self, figure, data):
        left, right = figure.subplots(1, 2)
        left.set(xlim=(-REACH, REACH), ylim=(-1.6, 2.6), xlabel="z", ylabel="a = f(z)")
        left.set_title("The activation and its tangent")
        right.set(xlim=(-REACH, REACH), ylim=(-0.1, 1.15), xlabel="z", ylabel="f'(z)")
        right.set_title("Its derivative (shaded: hardly any slope)")
        shaded = {"facecolor": style.WARNING, "alpha": 0.35, "edgecolor": style.GREY, "linestyle": ":"}
        flats = [axes.add_collection(PolyCollection([], zorder=0, **shaded)) for axes in (left, right)]
        (curve,) = left.plot([], [], color=style.LINE, label="f(z)")
        (tangent,) = left.plot([], [], "--", color=style.GRADIENT, label="tangent")
        (slope,) = right.plot([], [], color=style.GRADIENT)
        look = {"linestyle": "none", "marker": "o", "markersize": 8, "markeredgecolor": "white"}
        points = [axes.plot([], [], color=style.LINE, **look)[0] for axes in (left, right)]
        legend = left.legend(loc="lower right")
        return {"flats": flats, "curve": curve, "tangent": tangent, "slope": slope, "points": points, "legend": legend}

    def update(self, artists, data):
        z, a, at = data["z"], data["a"], data["at"]
        artists["curve"].set_data(data["along"], data["f"])
        artists["slope"].set_data(data["along"], data["slope"])
        reach = np.array([-1.5, 1.5])
        artists["tangent"].set_data(z + reach, a + at * reach)
        for point, height in zip(artists["points"], (a, at)):
            point.set_data([z], [height])
        low, high = np.array([first for first, _ in data["flat"]]), np.array([last for _, last in data["flat"]])
        for flat in artists["flats"]:
            flat.set_verts(_boxes(low, high, np.full(len(low), -10.0), np.full(len(low), 10.0)))

    def describe(self, values, data):
        words = (f"At z = {data['z']:.1f} the {values['activation']} gives a = {data['a']:.3g}, and its slope is "
                 f"{data['at']:.2g}, {100 * data['share']:.3g}% of its steepest.")
        if data["share"] < FLAT:
            return words + " It is flat here: a gradient that comes back is all but lost."
        return words


@cache
def _measured():
    """The measurements and the labels, kept: measuring them takes longer than the lab."""
    return datasets.pullover_or_dress()


@cache
def _plane():
    """The points of the shading, (FINE, FINE, 2)."""
    along = np.linspace(-EDGE, EDGE, FINE)
    return np.stack(np.meshgrid(along, along), axis=-1)


def _border(W, b):
    """Two points far out on the line z = 0, as rows of x1 and of x2."""
    square = W @ W
    if square == 0:
        return np.full((2, 2), np.nan)
    nearest, along = -b * W / square, np.array([-W[1], W[0]]) / np.sqrt(square)
    return np.stack([nearest - 100 * along, nearest + 100 * along], axis=1)


def _stretches(along, chosen):
    """The ends of the stretches of an axis that are chosen."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(int)))
    return [(along[first], along[last - 1]) for first, last in edges.reshape(-1, 2)]


def _boxes(left, right, foot, top):
    """The corners of boxes, as one artist takes them."""
    return np.stack([np.stack([left, left, right, right], axis=-1), np.stack([foot, top, top, foot], axis=-1)], axis=-1)
