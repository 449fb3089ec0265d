"""Chapter 11: which weights keep the gradient's size, and how a network of thirty layers trains with each cure."""

from functools import cache, lru_cache

import numpy as np
from matplotlib.collections import PolyCollection

from bplib import (
    SGD,
    Linear,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    clip_by_global_norm,
    evaluate,
)
from course.ch09_real_network import labs as network
from course.ch10_vanishing import labs as vanishing
from course.ch10_vanishing.theory import hermite
from course.labs import style
from course.labs.live import Choice, Float, Int, Lab, Toggle

ACTIVATIONS = {"ReLU": ReLU, "tanh": Tanh, "sigmoid": Sigmoid}
MARKERS = {"ReLU": ("^", style.RED), "tanh": ("o", style.BLUE), "sigmoid": ("s", style.BLACK)}
WIDTH, BATCH, DEEPEST = 128, 32, 50
LOW, HIGH = 0.1, 10.0  # a decade either way
BOTTOM, TOP = 1e-12, 1e12  # of the picture
LOWEST, HIGHEST = 0.3, 20.0  # losses in the picture of the race
GAINS = np.linspace(0.2, 3.0, 281)


class GainLaw(Lab):
    """How much smaller or larger is the error term at the first hidden layer than at the last one, and for which weights?

    The network reads 32 images and is asked for their classes. All its hidden layers have 128 units. A weight of a layer with
    n_in inputs is a normal number of spread gain / sqrt(n_in): the gain is sigma_w in the formulas of chapters 10 and 11. The
    learner registers settings that keep the ratio within a decade; the law that they follow can be shown over them.
    """

    title = "Which gain brings the gradient to the first layer?"
    controls = {
        "activation": Choice(*ACTIVATIONS, label="activation"),
        "gain": Float(0.2, 3.0, 1.0, label="gain", step=0.05),
        "depth": Int(2, DEEPEST, 30, label="depth", unit="layers"),
        "seed": Int(0, 20, 0, label="seed of weights"),
        "law": Toggle(False, label="show the law"),
    }
    registers = "Register this setting"
    size = (style.WIDTH, 4.0)

    def compute(self, activation, gain, depth, seed, law):
        """The sizes of error terms, measured and expected.

        Returns
        -------
        dict : activation, gain, depth; sizes and theory (depth,), |dL/dz| of each hidden layer over that of the last, measured
            and the root of the product of chi; ratio, the first of the sizes; within, is it in the decade; band, None, or
            (lowest, highest, balance): arrays (depths,) of the gains between which theory expects the ratio in the decade,
            nan where no gain does it, and the gain at which chi = 1 for small z, nan where it is above 3.
        """
        sizes = _error_terms(activation, gain, depth, seed)
        chi = _log_chi(activation, (gain,))[0]
        theory = np.exp(np.append(np.cumsum(chi[:depth - 1][::-1])[::-1], 0) / 2)
        return {"activation": activation, "gain": gain, "depth": depth, "sizes": sizes, "theory": theory, "ratio": sizes[0],
                "within": bool(LOW <= sizes[0] <= HIGH), "band": _band(activation) if law else None}

    def draw(self, figure, data):
        left, right = figure.subplots(1, 2)
        left.set(title="Error terms, beside the last layer's", xlabel="hidden layer", ylabel="|dL/dz|, log scale", yscale="log")
        left.set(xlim=(0, DEEPEST + 1), ylim=(BOTTOM, TOP))
        left.set_yticks(10.0 ** np.arange(-12, 13, 4))
        left.axhspan(LOW, HIGH, facecolor=style.GOOD, alpha=0.18, edgecolor="none")
        left.text(0.98, 0.56, "within a decade", transform=left.transAxes, ha="right", va="bottom", color="#00614a", fontsize=9)
        (sizes,) = left.plot([], [], "o", color=style.GRADIENT, markersize=3.5, label="measured")
        (theory,) = left.plot([], [], ":", color=style.THEORY, linewidth=2.5, label="theory")
        left.legend(loc="upper right", ncols=2, frameon=False, handlelength=1.4, columnspacing=1.0)
        right.set(title="Registered (filled: within a decade); + is here", xlabel="depth (hidden layers)", ylabel="gain")
        right.set(xlim=(0, DEEPEST + 2), ylim=(0, 3.9), yticks=np.arange(0, 3.1, 0.5))
        band = right.add_collection(PolyCollection([], facecolor=style.GOOD, alpha=0.25, edgecolor="none"))
        (balance,) = right.plot([], [], ":", color=style.THEORY, linewidth=2.5)
        points = {}
        for name, (marker, color) in MARKERS.items():
            look = {"linestyle": "none", "marker": marker, "color": color, "markersize": 7}
            points[name] = [right.plot([], [], label=name, **look)[0], right.plot([], [], fillstyle="none", **look)[0]]
        right.legend(handles=[filled for filled, _ in points.values()], loc="upper left", ncols=3, frameon=False,
                     handletextpad=0.1, columnspacing=1.0)
        (here,) = right.plot([], [], "+", color=style.MUTED, markersize=13, markeredgewidth=2)
        return {"sizes": sizes, "theory": theory, "band": band, "balance": balance, "points": points, "here": here}

    def update(self, artists, data):
        layers = np.arange(1, data["depth"] + 1)
        artists["sizes"].set_data(layers, np.clip(data["sizes"], BOTTOM, TOP))
        artists["theory"].set_data(layers, np.clip(data["theory"], BOTTOM, TOP))
        artists["here"].set_data([data["depth"]], [data["gain"]])
        for name, pair in artists["points"].items():
            for within, line in zip((True, False), pair):
                kept = [one for one in data["registered"] if one["activation"] == name and one["within"] == within]
                line.set_data([one["depth"] for one in kept], [one["gain"] for one in kept])
        corners, line = [], ([], [])
        if data["band"] is not None:
            lowest, highest, balance = data["band"]
            depths = np.arange(2, DEEPEST + 1)
            there = np.isfinite(lowest)
            edge = np.concatenate([np.stack([depths[there], lowest[there]], axis=1),
                                   np.stack([depths[there], highest[there]], axis=1)[::-1]])
            corners = [edge] if there.any() else []
            line = ([0, DEEPEST + 2], [balance, balance])
        artists["band"].set_verts(corners)
        artists["balance"].set_data(*line)

    def describe(self, values, data):
        words = (f"{values['activation']}, {values['depth']} hidden layers, spread {values['gain']:.2f}/sqrt(n_in): "
                 f"layer 1's error term is {_two(data['ratio'])} times the last one's, ")
        words += "within a decade." if data["within"] else "too small." if data["ratio"] < LOW else "too large."
        if data["registered"]:
            good = sum(one["within"] for one in data["registered"])
            words += f" Registered: {good} within a decade, {len(data['registered']) - good} outside."
        if data["band"] is not None:
            lowest, highest, balance = data["band"]
            place = values["depth"] - 2
            if np.isnan(lowest[place]):
                return words + " The theory knows no gain up to 3 for this depth."
            words += f" The theory: from {lowest[place]:.2f} to {highest[place]:.2f}"
            words += "." if np.isnan(balance) else f"; for small z, chi is 1 at {balance:.2f}, the dotted line."
        return words


class CureRace(Lab):
    """A network of 30 layers learns from 3,000 real images, with the cures that are chosen; test images are 2,000 others.

    A layer is linear, then normalisation, then activation; hidden layers have 32 units, and a residual leads around each of
    those that keep the width. Every run takes 200 steps with batches of 50 from the same starting seed. Put runs on the board
    to compare their accuracies.
    """

    title = "Which cures let thirty layers learn?"
    starts = {"Xavier": ("xavier", 1.0), "He": ("he", 1.0), "He, doubled": ("he", 2.0), "spread 0.1": ("normal", 0.1)}
    controls = {
        "activation": Choice("sigmoid", "tanh", "ReLU", label="activation"),
        "start": Choice(*starts, label="initial weights"),
        "normalization": Choice("none", "batch", "layer", label="normalisation"),
        "lr": Choice(0.01, 0.05, 0.2, default=0.05, label="learning rate"),
        "residual": Toggle(False, label="residual"),
        "clip": Toggle(False, label="clip at length 1"),
    }
    presets = {
        "He 2015": {"activation": "ReLU", "start": "He", "normalization": "none", "residual": False},
        "Batch norm 2015": {"activation": "sigmoid", "start": "Xavier", "normalization": "batch", "residual": False},
        "Residual": {"activation": "tanh", "start": "Xavier", "normalization": "none", "residual": True},
        "ResNet 2015": {"activation": "ReLU", "start": "He", "normalization": "batch", "residual": True},
    }
    registers = "Put on the board"
    depth, width, steps, batch, rows = 30, 32, 200, 50, 8
    size = (style.WIDTH, 4.2)

    def compute(self, activation, start, normalization, lr, residual, clip):
        """One training.

        Returns
        -------
        dict : recipe, what it was; loss (k,), of each step's batch, up to where it was no longer finite; accuracy, the share of
            test images that are right; stopped, did it break off; clipped, the share of steps that were shortened.
        """
        loss, accuracy, clipped = _race(activation, start, normalization, lr, residual, clip)
        parts = [activation, start, *([] if normalization == "none" else [f"{normalization} norm"]),
                 *(["residual"] if residual else []), *(["clip"] if clip else []), f"lr {lr}"]
        return {"recipe": ", ".join(parts), "loss": loss, "accuracy": accuracy, "stopped": len(loss) < self.steps,
                "clipped": clipped}

    def draw(self, figure, data):
        left, right = figure.subplots(1, 2, width_ratios=[1, 1.05])
        left.set(title="Loss (mean of the last ten steps)", xlabel="step", ylabel="loss, log scale", yscale="log")
        left.set(xlim=(0, self.steps), ylim=(LOWEST, 3 * HIGHEST))
        left.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
        left.minorticks_off()
        left.axhline(np.log(10), color=style.THEORY, linestyle=":")
        left.text(0.98, 0.97, "dotted: log 10, guessing", transform=left.transAxes, ha="right", va="top", fontsize=9)
        (loss,) = left.plot([], [], color=style.LINE, linewidth=2)
        (others,) = left.plot([], [], color=style.SKY, linewidth=1)
        right.set(title="Test accuracy: this run (dark) and the board", xlabel="share right", xlim=(0, 1))
        right.set(ylim=(self.rows + 0.6, -0.7), yticks=[])
        right.set_xticks([0.1, 0.5, 1], ["guess 0.1", "0.5", "1"])
        right.grid(visible=False)
        bars = right.add_collection(PolyCollection([]))
        here = {"fontsize": 8.5, "va": "center"}
        labels = [right.text(0.01, row - 0.21, "", **here) for row in range(self.rows + 1)]
        shares = [right.text(0, row + 0.16, "", **here) for row in range(self.rows + 1)]
        return {"others": others, "loss": loss, "bars": bars, "labels": labels, "shares": shares}

    def update(self, artists, data):
        shown = [data, *data["registered"][-self.rows:][::-1]]
        artists["loss"].set_data(*_smooth(data["loss"]))
        lines = [_smooth(run["loss"]) for run in shown[1:]]
        artists["others"].set_data(*(np.concatenate(axis) for axis in zip(*lines)) if lines else ([], []))
        corners = [[(0, row + 0.02), (run["accuracy"], row + 0.02), (run["accuracy"], row + 0.32), (0, row + 0.32)]
                   for row, run in enumerate(shown)]
        artists["bars"].set_verts(corners)
        artists["bars"].set_facecolor([style.BLUE, *[style.SKY] * (len(shown) - 1)])
        for row, (label, share) in enumerate(zip(artists["labels"], artists["shares"])):
            there = row < len(shown)
            label.set_text(shown[row]["recipe"] if there else "")
            share.set_text(_share(shown[row]) if there else "")
            share.set_x(shown[row]["accuracy"] + 0.015 if there else 0)

    def describe(self, values, data):
        words = f"{data['recipe']}: "
        if data["stopped"]:
            words += "the numbers are no longer finite and the training breaks off."
        else:
            right = _rounded(data["accuracy"])
            words += f"after {self.steps} steps about {right}% of the test images are right"
            words += ", no more than by guessing." if right <= 15 else "."
        if values["clip"]:
            words += f" Clipping shortened {_most(data['clipped'])} of the steps."
        if data["registered"]:
            shares = [run["accuracy"] for run in data["registered"]]
            words += f" On the board: {len(shares)}, the best about {_rounded(max(shares))}%."
        return words


def _two(number):
    """Two digits: 0.83, 1.2e-3."""
    if 0.01 <= number < 100:
        return f"{number:.2g}"
    digits, power = f"{number:.1e}".split("e")
    return f"{digits}e{int(power)}"


def _smooth(loss):
    """Steps and mean losses, the last one a gap, so that several curves can be one line."""
    sums = np.cumsum(np.append(0, loss))
    steps = np.arange(1, len(loss) + 1)
    start = np.maximum(steps - 10, 0)
    return np.append(steps, np.nan), np.append(np.clip((sums[steps] - sums[start]) / (steps - start), LOWEST, HIGHEST), np.nan)


def _rounded(share):
    """In percent, to the nearest five: training amplifies rounding, so more digits would differ between machines."""
    return 5 * round(20 * share)


def _share(run):
    return "broke off" if run["stopped"] else f"{run['accuracy']:.0%}"


def _most(share):
    """A share in words that do not hang on a single step."""
    return "none" if share == 0 else "few" if share < 0.25 else "some" if share < 0.75 else "most"


def scaled(gain):
    """A rule for weights of spread gain / sqrt(n_in)."""
    return lambda n_in, n_out, rng: gain / np.sqrt(n_in) * rng.standard_normal((n_in, n_out))


@lru_cache(maxsize=256)
def _error_terms(activation, gain, depth, seed):
    """(depth,) |dL/dz| of each hidden layer, divided by that of the last one."""
    rng, rule, (x, y) = np.random.default_rng(seed), scaled(gain), vanishing.images()
    linears = [Linear(x.shape[1] if place == 0 else WIDTH, WIDTH, init=rule, rng=rng) for place in range(depth)]
    activations = [ACTIVATIONS[activation]() for _ in range(depth)]
    last, loss, a = Linear(WIDTH, 10, init=scaled(1.0), rng=rng), SoftmaxCrossEntropy(), x[:BATCH]
    for linear, act in zip(linears, activations):
        a = act.forward(linear.forward(a))
    loss.forward(last.forward(a), y[:BATCH])
    back, sizes = last.backward(loss.backward()), []
    for linear, act in zip(linears[::-1], activations[::-1]):
        delta = act.backward(back)
        sizes.append(np.linalg.norm(delta))
        back = linear.backward(delta)
    return np.array(sizes[::-1]) / sizes[0]


@lru_cache(maxsize=256)
def _log_chi(activation, gains):
    """(gains, 50) the logarithm of chi at each hidden layer, as the mean squares of chapter 10 have it."""
    u, weights, _ = hermite()
    act, squares = ACTIVATIONS[activation](), np.square(gains)
    x, _ = vanishing.images()
    q, rows = squares * np.mean(x[:BATCH] ** 2), []
    for _ in range(DEEPEST):
        z = np.sqrt(q)[:, np.newaxis] * u
        a = act.f(z)
        rows.append(np.log(squares * (act.derivative(z, a) ** 2 @ weights)))
        q = squares * (a**2 @ weights)
    return np.array(rows).T


@cache
def _band(activation):
    """For depths 2 to 50 the lowest and the highest gain that keep the ratio within a decade; and where small z have chi = 1."""
    chi = _log_chi(activation, tuple(GAINS))
    ratio = np.exp(np.cumsum(chi, axis=1) / 2)[:, :DEEPEST - 1]  # column L - 2: of depth L, which has L - 1 factors
    within = (ratio >= LOW) & (ratio <= HIGH)
    lowest = np.where(within.any(axis=0), GAINS[within.argmax(axis=0)], np.nan)
    highest = np.where(within.any(axis=0), GAINS[::-1][within[::-1].argmax(axis=0)], np.nan)
    u, weights, _ = hermite()
    small, act = 1e-6 * u, ACTIVATIONS[activation]()
    balance = (act.derivative(small, act.f(small)) ** 2 @ weights) ** -0.5
    return lowest, highest, float(balance) if balance <= GAINS[-1] else np.nan


def thirty(activation, start, normalization, residual, depth=CureRace.depth, width=CureRace.width, seed=0):
    """The network of the race, untrained."""
    rng, (rule, gain) = np.random.default_rng(seed), CureRace.starts[start]
    parts = []
    for place in range(depth - 1):
        norm = vanishing.NORMALIZATIONS[normalization]
        linear = Linear(width if place else network.SMALL, width, init=rule, gain=gain, rng=rng)
        layers = linear, *([norm(width)] if norm else []), ACTIVATIONS[activation]()
        parts.append(Residual(*layers) if residual and place else Sequential(*layers))
    return Sequential(*parts, Linear(width, 10, init=rule, gain=gain, rng=rng))


@lru_cache(maxsize=256)
def _race(activation, start, normalization, lr, residual, clip):
    """The loss of each step, the test accuracy, and the share of steps that were clipped."""
    x, y, x_test, y_test = network.images()
    net, loss, rng = thirty(activation, start, normalization, residual), SoftmaxCrossEntropy(), np.random.default_rng(1)
    clipped, losses, order = [], [], np.empty(0, int)

    def limited(grads):
        clipped.append(np.sqrt(sum(np.vdot(grad, grad) for grad in grads.values())) > 1.0)
        return clip_by_global_norm(grads, 1.0)

    optimiser = SGD(net, lr, clip=limited if clip else None)
    with np.errstate(all="ignore"):
        for _ in range(CureRace.steps):
            if len(order) < CureRace.batch:
                order = rng.permutation(len(x))
            rows, order = order[:CureRace.batch], order[CureRace.batch:]
            value = loss.forward(net.forward(x[rows], training=True), y[rows])
            net.backward(loss.backward())
            if not np.isfinite(value) or not all(np.isfinite(grad).all() for grad in net.grads.values()):
                break
            losses.append(value)
            optimiser.step()
        finite = len(losses) == CureRace.steps
        accuracy = evaluate(net, loss, x_test, y_test)[1] if finite else 0.0
    return np.array(losses), accuracy, float(np.mean(clipped)) if clipped else 0.0
