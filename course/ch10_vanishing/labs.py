"""Chapters 10 and 11: how large is the gradient that each layer of a deep network gets, and what do the cures change?"""

from functools import cache
from itertools import pairwise

import numpy as np
from matplotlib.collections import PolyCollection

from bplib import (
    GELU,
    MSE,
    SGD,
    BatchNorm,
    LayerNorm,
    LeakyReLU,
    Linear,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    datasets,
)
from course.ch10_vanishing.theory import Expected, expected
from course.labs import style
from course.labs.live import Choice, Float, Int, Lab, Toggle

ACTIVATIONS = {"sigmoid": Sigmoid, "tanh": Tanh, "ReLU": ReLU, "leaky ReLU": LeakyReLU, "GELU": GELU}
RULES = {"Xavier": "xavier", "He": "he", "orthogonal": "orthogonal", "normal": "normal"}
VARIANCES = {  # of one weight of a layer from n_in to n_out
    "Xavier": lambda n_in, n_out: 2 / (n_in + n_out),
    "He": lambda n_in, n_out: 2 / n_in,
    "orthogonal": lambda n_in, n_out: 1 / max(n_in, n_out),
    "normal": lambda n_in, n_out: 1.0,
}
NORMALIZATIONS = {"none": None, "batch": BatchNorm, "layer": LayerNorm}
LOSSES = {"cross-entropy": SoftmaxCrossEntropy, "squared error": MSE}
PLAIN = {"gain": 1.0, "normalization": "none", "residual": False}
LR = 0.1
IMAGES = 1024  # kept at hand for batches
PAIRED = 32  # examples whose products the theory follows
BOTTOM, TOP = 1e-16, 1e6  # of the picture: generous, and the same for all settings, so that bars can be compared
STILL, WILD = 1e-4, 1e1  # between them a step with a usual learning rate changes weights a little: a layer learns
SHOWN = (10, 20, 50, 100)  # the picture has room for so many layers, the fewest that hold the depth
TICKS, SPARSE = {10: 1, 20: 5, 50: 5, 100: 10}, {10: 1, 20: 5, 50: 10, 100: 20}  # the distance between numbers of layers
FLAT = 0.01  # a unit passes hardly any gradient where its slope is below this share of the steepest
MARKS = {"smaller": "v", "zero": "x", "larger": "^", "no number": "$?$"}


class GradientMagnitudes(Lab):
    """One forward and one backward pass through a deep network, and the length of each layer's weight gradient.

    The network is `depth` linear layers with an activation between neighbours. It reads fashion images and is asked for their
    ten classes. With a normalisation, it stands before each activation. With residuals, each layer from one hidden width to
    the next adds to what it was given. The dotted line is what the theory expects, knowing the sizes of the layers and the
    spread of the weights but no weight; it starts from the error at the output. The first picture is of an untrained network:
    what the first step of training has to go on.
    """

    title = "How much gradient reaches each layer?"
    controls = {
        "depth": Int(2, SHOWN[-1], 20, label="depth", unit="layers"),
        "width": Int(8, 256, 64, label="width", unit="units", step=8),
        "activation": Choice(*ACTIVATIONS, label="activation"),
        "rule": Choice(*RULES, label="initial weights"),
        "gain": Float(0.1, 3.0, 1.0, label="times a gain of", step=0.05),
        "normalization": Choice(*NORMALIZATIONS, label="normalisation"),
        "residual": Toggle(False, label="residual"),
        "loss": Choice(*LOSSES, label="loss"),
        "batch": Int(16, 256, 64, label="batch", unit="images", step=16),
        "steps": Int(0, 20, 0, label="trained for", unit="steps"),
        "seed": Int(0, 20, 0, label="seed of weights"),
    }
    presets = {
        "The 1990s": PLAIN | {"activation": "sigmoid", "rule": "normal", "gain": 0.1},
        "Xavier 2010": PLAIN | {"activation": "tanh", "rule": "Xavier"},
        "He 2015": PLAIN | {"activation": "ReLU", "rule": "He"},
        "Batch norm 2015": PLAIN | {"activation": "ReLU", "rule": "He", "normalization": "batch"},
        "ResNet 2015": PLAIN | {"activation": "ReLU", "rule": "He", "normalization": "batch", "residual": True},
    }
    pinnable = True
    size = (style.WIDTH, 5.4)

    def compute(self, depth, width, activation, rule, gain, normalization, residual, loss, batch, steps, seed):
        """The norm of each layer's weight gradient, measured and expected, and what its activation does.

        Returns
        -------
        dict : norms and theory (depth,), the lengths |dL/dW|, sqrt of the sum of squares; for each activation, (depth - 1,):
            spread, the root of the mean square of what goes on to the next layer; slope, the mean of f'(z); flat, the share of
            entries with under a hundredth of the steepest slope; dead, the share of units for which all images are so.
        """
        kind = ACTIVATIONS[activation]
        blocks, theory = _network(depth, width, kind, rule, gain, normalization, residual, seed)
        net, loss = Sequential(*blocks), LOSSES[loss]()
        with np.errstate(all="ignore"):  # what overflows is shown as such
            _train(net, loss, batch, steps)
            x, y = _batch(batch, steps, loss)
            found = _hidden(blocks[:-1], x, kind())
            loss.forward(blocks[-1].forward(found.pop("a"), training=True), y)
            delta = loss.backward()
            net.backward(delta)
            norms = np.array([np.linalg.norm(_linear(block).grads["W"]) for block in blocks])
            some = min(PAIRED, batch)
            lengths, _ = expected(x[:some], delta[:some], theory, batch)
        return {"activation": activation, "norms": norms, "theory": lengths, "steps": steps, **found}

    def draw(self, figure, data):
        axes = figure.subplot_mosaic([["norms", "norms"], ["spread", "flat"]], height_ratios=[2.6, 1])
        top = axes["norms"]
        top.set(yscale="log", ylim=(BOTTOM, TOP), ylabel="length |dL/dW|, log scale")
        top.set_xlabel("layer (1 reads the image, the last answers)")
        top.set_title("Weight gradients")
        top.set_yticks(10.0 ** np.arange(-16, 7, 4))
        top.axhspan(STILL, WILD, facecolor=style.GOOD, alpha=0.18, edgecolor="none")
        top.axhline(STILL, color=style.GOOD, linewidth=1, linestyle="--")
        top.axhline(WILD, color=style.GOOD, linewidth=1, linestyle="--")
        right = {"transform": top.get_yaxis_transform(), "horizontalalignment": "left", "fontsize": 9}
        top.text(1.01, WILD * 10**2.5, "jumps", verticalalignment="center", **right)
        top.text(1.01, (STILL * WILD) ** 0.5, "learns", color="#00614a", verticalalignment="center", **right)
        top.text(1.01, STILL / 10**6, "stands still", verticalalignment="center", **right)
        bars = top.add_collection(PolyCollection([], facecolor=style.GRADIENT, label="measured"))
        (theory,) = top.plot([], [], ":", color=style.THEORY, linewidth=2.5, label="theory")
        (pinned,) = top.plot([], [], "-o", color=style.LINE, linewidth=1, markersize=3, label="pinned")
        marks = [
            top.plot([], [], linestyle="none", marker=marker, color=style.LINE, markersize=6, label=label)[0]
            for label, marker in MARKS.items()
        ]
        top.legend(loc="lower right", bbox_to_anchor=(1.12, 0.98), ncols=7, frameon=False, borderpad=0, handletextpad=0.2,
                   columnspacing=0.9, handlelength=1.4)

        look = {"linewidth": 1, "markersize": 3, "clip_on": True}
        spread, flat = axes["spread"], axes["flat"]
        spread.set(yscale="log", ylim=(1e-4, 1e4), xlabel="layer", ylabel="spread, log scale")
        spread.set_yticks(10.0 ** np.arange(-4, 5, 2))
        spread.set_title("Spread of its activations")
        (spreads,) = spread.plot([], [], "o-", color=style.ACTIVATION, **look)
        (spreads_pinned,) = spread.plot([], [], "-", color=style.LINE, linewidth=1)
        flat.set(ylim=(-0.03, 1.03), xlabel="layer", ylabel="fraction")
        flat.set_title("Its slope f'(z)")
        (slopes,) = flat.plot([], [], "o-", color=style.GRADIENT, label="mean", **look)
        (shares,) = flat.plot([], [], "s--", color=style.LINE, label="flat", **look)
        (dead,) = flat.plot([], [], "x:", color=style.BLUE, label="dead", **look)
        flat.legend(loc="lower right", bbox_to_anchor=(1.02, 0.97), ncols=3, frameon=False, borderpad=0, handletextpad=0.3,
                    columnspacing=0.8, handlelength=1.5)
        return {"axes": list(axes.values()), "bars": bars, "marks": marks, "theory": theory, "pinned": pinned, "spread": spreads,
                "spread pinned": spreads_pinned, "slope": slopes, "flat": shares, "dead": dead}

    def update(self, artists, data):
        norms, depth, pinned = data["norms"], len(data["norms"]), data["pinned"]
        places = np.arange(1, depth + 1)
        longest = max(depth, len(pinned["norms"]) if pinned else 0)
        room = next(shown for shown in SHOWN if shown >= longest)
        for ax, steps in zip(artists["axes"], (TICKS, SPARSE, SPARSE)):
            if ax.get_xlim() != (0.4, room + 0.6):
                ax.set_xlim(0.4, room + 0.6)
                ax.set_xticks([1, *range(steps[room], room + 1, steps[room])] if steps[room] > 1 else range(1, room + 1))
        artists["bars"].set_verts(_bars(np.clip(np.nan_to_num(norms, nan=BOTTOM), BOTTOM, TOP)))
        artists["theory"].set_data(places, _shown(data["theory"], BOTTOM, TOP))
        for name in ("spread", "slope", "flat", "dead"):
            artists[name].set_data(places[:-1], data[name])
        artists["spread"].set_data(places[:-1], _shown(data["spread"], 1e-4, 1e4))
        for name, key, low, high in (("pinned", "norms", BOTTOM, TOP), ("spread pinned", "spread", 1e-4, 1e4)):
            shown = _shown(pinned[key], low, high) if pinned else np.empty(0)
            artists[name].set_data(np.arange(1, len(shown) + 1), shown)
        outside = [(norms > 0) & (norms < BOTTOM), norms == 0, norms > TOP, np.isnan(norms)]
        for mark, there, height in zip(artists["marks"], outside, (BOTTOM * 4, BOTTOM * 4, TOP / 4, BOTTOM * 4)):
            mark.set_data(places[there], np.full(there.sum(), height))

    def describe(self, values, data):
        norms = data["norms"]
        taken = f"{data['steps']} training step{'s' if data['steps'] > 1 else ''}"
        words = (f"After {taken}: " if data["steps"] else "") + _verdict(norms)
        if np.isfinite(data["slope"]).all():
            steep, share, dead = (data[name].mean() for name in ("slope", "flat", "dead"))
            words += f" The slope of the {data['activation']} is {steep:.2f} on average; {share:.0%} are flat"
            words += f", {dead:.0%} of the units dead." if dead else "."
        if data["pinned"]:
            words += f" Pinned: layer 1's gradient is {_short(data['pinned']['norms'][0])}."
        return words


def _verdict(norms):
    depth, first, last = len(norms), norms[0], norms[-1]
    if not np.isfinite(norms).all():
        return f"The gradient of {_named(~np.isfinite(norms))} is not a finite number: training cannot go on."
    if (norms == 0).any():
        return f"No gradient at all reaches {_named(norms == 0)}: nothing there will ever learn."
    said = f"Layer 1's gradient is {_short(first)}, layer {depth}'s is {_short(last)}: "
    if first < 0.01 * last:
        said = f"Layer 1's gradient is {_short(first)}, only {_short(first / last)} of layer {depth}'s: "
    if (norms < STILL).any():
        return said + f"{_named(norms < STILL)} will hardly learn."
    if (norms > WILD).any():
        return said + f"{_named(norms > WILD)} will jump at a learning rate of {LR}."
    return said + f"all {depth} layers can learn."


def _network(depth, width, kind, rule, gain, normalization, residual, seed):
    """The blocks of the network, linear, normalisation and activation, the last only linear; and the same for the theory."""
    rng = np.random.default_rng(seed)
    widths = [28 * 28, *[width] * (depth - 1), len(datasets.FASHION_CLASSES)]
    blocks, theory = [], []
    for place, (n_in, n_out) in enumerate(pairwise(widths), 1):
        linear, variance = Linear(n_in, n_out, init=RULES[rule], gain=gain, rng=rng), gain**2 * VARIANCES[rule](n_in, n_out)
        if place == depth:
            return [*blocks, linear], [*theory, Expected(n_in, n_out, variance)]
        norm = NORMALIZATIONS[normalization]
        around = residual and place > 1
        layers = linear, *([norm(n_out)] if norm else []), kind()
        blocks.append(Residual(*layers) if around else Sequential(*layers))
        theory.append(Expected(n_in, n_out, variance, layers[-1], normalization, around))
    raise AssertionError("a network has at least one layer")


def _linear(block):
    return block if isinstance(block, Linear) else block[0]


def _hidden(blocks, x, activation):
    """Forward through the hidden blocks, layer by layer as they would do it themselves, and what each activation did."""
    found = {"spread": [], "slope": [], "flat": [], "dead": []}
    a = x
    for block in blocks:
        h = a
        for layer in block:
            z, h = h, layer.forward(h, training=True)
        slope = activation.derivative(z, h)
        a = a + h if isinstance(block, Residual) else h
        flat = np.abs(slope) < FLAT * activation.steepest
        for name, value in (("spread", np.sqrt(np.mean(a**2))), ("slope", slope.mean()), ("flat", flat.mean()),
                            ("dead", flat.all(axis=0).mean())):
            found[name].append(value)
    return {name: np.array(values) for name, values in found.items()} | {"a": a}


def _train(net, loss, batch, steps):
    optimiser = SGD(net, LR)
    for step in range(steps):
        x, y = _batch(batch, step, loss)
        loss.forward(net.forward(x, training=True), y)
        net.backward(loss.backward())
        optimiser.step()


def _batch(size, number, loss):
    """One batch after the other of the images at hand, from the start again at their end."""
    x, y = images()
    rows = np.arange(number * size, (number + 1) * size) % IMAGES
    return x[rows], np.eye(len(datasets.FASHION_CLASSES))[y[rows]] if isinstance(loss, MSE) else y[rows]


@cache
def images():
    """Some fashion images with mean 0 and spread 1, and their labels. Kept: reading them takes longer than the lab."""
    data = datasets.fashion()
    return (data.x_train[:IMAGES] - data.x_train.mean()) / data.x_train.std(), data.y_train[:IMAGES]


def _shown(values, low, high):
    """A line within the picture; where there is no number it has a gap."""
    return np.clip(values, low, high)


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
