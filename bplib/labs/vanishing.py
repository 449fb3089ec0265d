"""Chapter 10: how large is the gradient that each layer of a deep network gets?"""

from functools import cache
from itertools import pairwise

import numpy as np
from matplotlib.collections import PolyCollection

from bplib import Linear, ReLU, Sequential, Sigmoid, SoftmaxCrossEntropy, Tanh, datasets, trace
from bplib.labs import style
from bplib.labs.live import Choice, Float, Int, Lab

ACTIVATIONS = {"sigmoid": Sigmoid, "tanh": Tanh, "ReLU": ReLU}
IMAGES = 64
BOTTOM, TOP = 1e-16, 1e6  # of the picture: generous, and the same for all settings, so that bars can be compared
STILL, WILD = 1e-4, 1e1  # between them a step with a usual learning rate changes weights a little: a layer learns
SHOWN = (10, 20, 50)  # the picture has room for so many layers, the fewest that hold the depth
MARKS = {"smaller": "v", "zero": "x", "larger": "^", "no number": "$?$"}


class GradientMagnitudes(Lab):
    """One forward and one backward pass through a deep network, and the length of each layer's weight gradient.

    The network is `depth` linear layers with an activation between neighbours. It reads 64 fashion images and is asked
    for their ten classes. Nothing has been trained: this is what the first step of training has to go on.
    """

    title = "How much gradient reaches each layer?"
    controls = {
        "depth": Int(2, SHOWN[-1], 10, label="depth", unit="layers"),
        "width": Int(8, 128, 32, label="width", unit="units", step=8),
        "activation": Choice(*ACTIVATIONS, label="activation"),
        "gain": Float(0.1, 3.0, 1.0, label="weights", unit="× Xavier", step=0.05),
        "seed": Int(0, 20, 0, label="seed of weights"),
    }
    size = (style.WIDTH, 4.6)

    def compute(self, depth, width, activation, gain, seed):
        """The norm of each layer's weight gradient, and how steep its activation is.

        Returns
        -------
        dict : norms (depth,), the lengths |dL/dW|, sqrt of the sum of squares; slope and saturated (depth - 1,), for
            each activation the mean of f'(z), and the share of entries with under a hundredth of the steepest slope.
        """
        x, y = _images()
        rng = np.random.default_rng(seed)
        widths = [x.shape[1], *[width] * (depth - 1), len(datasets.FASHION_CLASSES)]
        layers = []
        for n_in, n_out in pairwise(widths):
            layers += [Linear(n_in, n_out, gain=gain, rng=rng), ACTIVATIONS[activation]()]
        net = Sequential(*layers[:-1])  # the loss takes logits, so nothing follows the last linear layer
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is shown as such
            record = trace(net, SoftmaxCrossEntropy(), x, y)
            norms = record.gradient_norms()
            steepest = ACTIVATIONS[activation].steepest
            return {
                "activation": activation,
                "norms": np.array([norms[f"{layer.name}.W"] for layer in record]),
                "slope": np.array([steepest * layer.slope.mean() for layer in record[:-1]]),
                "saturated": np.array(list(record.saturation().values())),
            }

    def draw(self, figure, data):
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        top.set(yscale="log", ylim=(BOTTOM, TOP), ylabel="|dL/dW|, log scale")
        top.set_title("Length of each layer's weight gradient")
        top.set_yticks(10.0 ** np.arange(-16, 7, 4))
        top.axhspan(STILL, WILD, facecolor=style.GOOD, alpha=0.18, edgecolor="none")
        top.axhline(STILL, color=style.GOOD, linewidth=1, linestyle="--")
        top.axhline(WILD, color=style.GOOD, linewidth=1, linestyle="--")
        right = {"transform": top.get_yaxis_transform(), "horizontalalignment": "left", "fontsize": 9}
        top.text(1.01, WILD * 10**2.5, "jumps", verticalalignment="center", **right)
        top.text(1.01, (STILL * WILD) ** 0.5, "learns", color="#00614a", verticalalignment="center", **right)
        top.text(1.01, STILL / 10**6, "stands still", verticalalignment="center", **right)
        bars = top.add_collection(PolyCollection([], facecolor=style.GRADIENT))
        marks = [
            top.plot([], [], linestyle="none", marker=marker, color=style.LINE, markersize=6, label=label)[0]
            for label, marker in MARKS.items()
        ]
        top.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=4, frameon=False, borderpad=0, handletextpad=0)

        bottom.set(ylim=(0, 1), xlabel="layer (1 reads the image, the last gives the answer)", ylabel="fraction")
        bottom.set_title("Its activation: how steep, how often flat")
        look = {"linewidth": 1, "markersize": 4, "clip_on": False}
        (slopes,) = bottom.plot([], [], "o-", color=style.GRADIENT, label="mean slope f'(z)", **look)
        (shares,) = bottom.plot([], [], "s--", color=style.LINE, label="share saturated", **look)
        bottom.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=2, frameon=False, borderpad=0)
        return {"axes": bottom, "bars": bars, "marks": marks, "shares": shares, "slopes": slopes}

    def update(self, artists, data):
        norms, depth = data["norms"], len(data["norms"])
        places = np.arange(1, depth + 1)
        room = next(shown for shown in SHOWN if shown >= depth)
        axes = artists["axes"]
        if axes.get_xlim() != (0.4, room + 0.6):
            axes.set_xlim(0.4, room + 0.6)
            axes.set_xticks([1, *range(5, room + 1, 5)] if room > SHOWN[0] else range(1, room + 1))
        artists["bars"].set_verts(_bars(np.clip(np.nan_to_num(norms, nan=BOTTOM), BOTTOM, TOP)))
        artists["shares"].set_data(places[:-1], data["saturated"])
        artists["slopes"].set_data(places[:-1], data["slope"])
        outside = [(norms > 0) & (norms < BOTTOM), norms == 0, norms > TOP, np.isnan(norms)]
        for mark, there, height in zip(artists["marks"], outside, (BOTTOM * 4, BOTTOM * 4, TOP / 4, BOTTOM * 4)):
            mark.set_data(places[there], np.full(there.sum(), height))

    def describe(self, values, data):
        norms, depth = data["norms"], len(data["norms"])
        first, last = norms[0], norms[-1]
        if not np.isfinite(norms).all():
            which = _named(~np.isfinite(norms))
            verdict = f"The gradient of {which} is not a finite number: training cannot start."
        elif (norms == 0).any():
            verdict = f"No gradient at all reaches {_named(norms == 0)}: nothing there will ever learn."
        else:
            verdict = f"Layer 1's gradient is {_short(first)}, layer {depth}'s is {_short(last)}: "
            if first < 0.01 * last:
                verdict = f"Layer 1's gradient is {_short(first)}, only {_short(first / last)} of layer {depth}'s: "
            if (norms < STILL).any():
                verdict += f"{_named(norms < STILL)} will hardly learn."
            elif (norms > WILD).any():
                verdict += f"{_named(norms > WILD)} will jump, not learn."
            else:
                verdict += f"all {depth} layers can learn."
        steep, share = np.nanmean(data["slope"]), np.nanmean(data["saturated"])
        flat = "off (slope 0)" if data["activation"] == "ReLU" else "saturated"
        mean = f"The slope of the {data['activation']} is {steep:.2f} on average"
        return f"{verdict} {mean}; {share:.0%} of them are {flat}."


@cache
def _images():
    """Some fashion images with mean 0 and spread 1, and their labels. Kept: reading them takes longer than the lab."""
    images = datasets.fashion()
    x = (images.x_train[:IMAGES] - images.x_train.mean()) / images.x_train.std()
    return x, images.y_train[:IMAGES]


def _bars(heights):
    """The corners of bars at 1, 2, ...: one artist for all of them is drawn ten times as fast as one for each."""
    left = np.arange(1, len(heights) + 1) - 0.35
    foot = np.full(len(heights), BOTTOM)
    x = np.stack([left, left, left + 0.7, left + 0.7], axis=1)
    y = np.stack([foot, heights, heights, foot], axis=1)
    return np.stack([x, y], axis=2)


def _short(number):
    """Few digits, the same on every machine: 0.3, 20, 3e-9."""
    if 0.01 <= number < 1000:
        return f"{number:.1g}" if number < 1 else f"{number:.0f}"
    digits, power = f"{number:.0e}".split("e")
    return f"{digits}e{int(power)}"


def _named(chosen):
    """Which layers, in words: "all 9 layers", "layer 3", "layers 1 to 4", "3 layers"."""
    places = np.flatnonzero(chosen) + 1
    if len(places) == len(chosen):
        return f"all {len(chosen)} layers"
    if len(places) == 1:
        return f"layer {places[0]}"
    if places[-1] - places[0] == len(places) - 1:
        return f"layers {places[0]} to {places[-1]}"
    return f"{len(places)} layers"
