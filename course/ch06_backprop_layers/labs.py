"""Chapter 06: a small network learns XOR, or does not; and you see why."""

from functools import lru_cache

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from bplib import SGD, BinaryCrossEntropy, Linear, ReLU, Sequential, Sigmoid, Tanh, datasets
from course.labs import style
from course.labs.live import Choice, Float, Int, Lab

ACTIVATIONS = {"tanh": Tanh, "sigmoid": Sigmoid, "ReLU": ReLU}
XAVIER, SMALL, ZEROS = "Xavier", "a hundredth of it", "zeros"
STARTS = {XAVIER: ("xavier", 1.0), SMALL: ("xavier", 0.01), ZEROS: ("zeros", 1.0)}
STEPS, EVERY = 1000, 20
MOST = 6  # hidden units
EDGE = np.linspace(-0.4, 1.4, 37)
SHADES = LinearSegmentedColormap.from_list("shades", ["#9cc5e3", "#ffffff", "#f6cf85"])


class XorTraining(Lab):
    """A network with one hidden layer, or none, learns the four points of XOR by gradient descent on the cross-entropy.

    The picture shows what it makes of the whole plane at one step of its training. Each line is where one hidden unit's
    pre-activation is zero.
    """

    title = "Can it tell one-or-the-other from both and neither?"
    controls = {
        "step": Int(0, STEPS, 200, label="training step", step=EVERY),
        "hidden": Int(0, MOST, 3, label="hidden units"),
        "activation": Choice(*ACTIVATIONS, label="activation"),
        "start": Choice(*STARTS, label="initial weights"),
        "lr": Float(0.05, 5.0, 0.5, label="learning rate", log=True, step=0.1),
        "seed": Int(0, 20, 2, label="seed of weights"),
    }
    size = (style.WIDTH, 4.2)

    def compute(self, step, hidden, activation, start, lr, seed):
        """The network at one step of its training.

        Returns
        -------
        dict : plane (37, 37), the probability of 1; lines (hidden, 3), w1, w2 and b of each hidden unit; loss (51,), for every
            20th step; step; p (4,), for the four points; alike, whether all hidden units are equal.
        """
        states, losses = _trained(hidden, activation, start, lr, seed)
        net = _network(hidden, activation, start, seed)
        for param, array in zip(net.params.values(), states[step // EVERY]):
            param[...] = array
        first = net.params["0.W"]
        return {
            "plane": Sigmoid().f(net.forward(_plane())).reshape(len(EDGE), len(EDGE)),
            "lines": np.column_stack([first.T, net.params["0.b"]]) if hidden else np.empty((0, 3)),
            "loss": losses,
            "step": step,
            "p": Sigmoid().f(net.forward(datasets.xor()[0]))[:, 0],
            "alike": bool(hidden > 1 and np.ptp(first, axis=1).max() < 1e-12 and np.ptp(net.params["2.W"]) < 1e-12),
        }

    def draw(self, figure, data):
        left, right = figure.subplots(1, 2, width_ratios=[1, 1.1])
        image = left.imshow(np.zeros((2, 2)), extent=(EDGE[0], EDGE[-1], EDGE[0], EDGE[-1]), origin="lower", vmin=0, vmax=1,
                            cmap=SHADES, interpolation="bilinear")
        figure.colorbar(image, ax=left, label="probability of 1", ticks=[0, 0.5, 1])
        left.set(title="What it answers", xlabel="first input", ylabel="second input", xticks=[0, 1], yticks=[0, 1])
        left.set(xlim=(EDGE[0], EDGE[-1]), ylim=(EDGE[0], EDGE[-1]))
        lines = [left.plot([], [], color=style.LINE, linewidth=1.2, linestyle="--")[0] for _ in range(MOST)]
        x, y = datasets.xor()
        points = []
        for target, color, marker in ((0, style.CLASS_A, style.MARKER_A), (1, style.CLASS_B, style.MARKER_B)):
            these = x[y[:, 0] == target]
            look = {"color": color, "markersize": 11, "markeredgecolor": style.BLACK}
            points += left.plot(*these.T, marker, label=f"should be {target}", **look)
        legend = left.legend(loc="upper center", ncols=2, fontsize=8.5, handletextpad=0.2, columnspacing=1)
        right.set(title="How it learns", xlabel="step", ylabel="loss", xlim=(0, STEPS), ylim=(0, 1.05))
        right.axhline(np.log(2), color=style.MUTED, linewidth=1, linestyle=":")
        right.text(STEPS, np.log(2) + 0.015, "log 2: it knows nothing", horizontalalignment="right", fontsize=9)
        (curve,) = right.plot([], [], color=style.SECOND)
        (dot,) = right.plot([], [], "o", color=style.LINE, markersize=8)
        return {"image": image, "lines": lines, "points": points, "curve": curve, "dot": dot, "legend": legend}

    def update(self, artists, data):
        artists["image"].set_data(data["plane"])
        for artist, line in zip(artists["lines"], [*data["lines"], *[None] * MOST]):
            artist.set_data(*_ends(line))
        shown = np.minimum(data["loss"], 1.05)
        artists["curve"].set_data(np.arange(len(shown)) * EVERY, shown)
        artists["dot"].set_data([data["step"]], [shown[data["step"] // EVERY]])

    def describe(self, values, data):
        right = int(np.sum((data["p"] - 0.5) * (2 * datasets.xor()[1][:, 0] - 1) > 0.01))
        loss = data["loss"][data["step"] // EVERY]
        units = {0: "no hidden unit", 1: "1 hidden unit"}.get(values["hidden"], f"{values['hidden']} hidden units")
        words = f"Step {data['step']}, {units}: loss {loss:.3f}, "
        words += "all four points are on the right side." if right == 4 else f"{right} of 4 points are on the right side."
        if values["hidden"] == 0:
            return words + " One straight border cannot have both points of a kind on one side, whatever you train."
        if data["alike"]:
            return words + " All hidden units are equal, and their gradients are too, so they stay one single unit."
        if right < 4 and data["step"] and loss > 0.6:
            return words + " It stands still, or nearly so: try more steps, other weights, or more units."
        return words


@lru_cache(maxsize=32)
def _trained(hidden, activation, start, lr, seed):
    """The parameters and the loss at every 20th step."""
    net, loss, (x, y) = _network(hidden, activation, start, seed), BinaryCrossEntropy(), datasets.xor()
    optimiser, states, losses = SGD(net, lr), [], []
    for step in range(STEPS + 1):
        value = loss.forward(net.forward(x), y)
        if step % EVERY == 0:
            states.append([param.copy() for param in net.params.values()])
            losses.append(value)
        net.backward(loss.backward())
        optimiser.step()
    return states, np.array(losses)


def _network(hidden, activation, start, seed):
    rule, gain = STARTS[start]
    rng = np.random.default_rng(seed)
    if not hidden:
        return Sequential(Linear(2, 1, init=rule, gain=gain, rng=rng))
    return Sequential(Linear(2, hidden, init=rule, gain=gain, rng=rng), ACTIVATIONS[activation](),
                      Linear(hidden, 1, init=rule, gain=gain, rng=rng))


@lru_cache(maxsize=1)
def _plane():
    one, other = np.meshgrid(EDGE, EDGE)
    return np.column_stack([one.ravel(), other.ravel()])


def _ends(line):
    """Where w1 x1 + w2 x2 + b = 0 runs, far beyond the picture; nothing where there is no line."""
    if line is None or np.hypot(*line[:2]) < 1e-9:
        return [], []
    w, b = line[:2], line[2]
    foot, along = -b * w / (w @ w), np.array([-w[1], w[0]]) / np.hypot(*w)
    return np.column_stack([foot - 9 * along, foot + 9 * along])
