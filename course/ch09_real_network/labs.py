"""Chapter 09: a real network while it trains, and what it has learnt. Each run is made once and kept."""

from functools import cache, lru_cache

import numpy as np

from bplib import SGD, Linear, ReLU, Sequential, Sigmoid, SoftmaxCrossEntropy, Tanh, datasets, fit, trace
from bplib.training import DivergedError
from course.labs import style
from course.labs.live import Choice, Float, Int, Lab

GUIDE = 1e-3  # of the update-to-data ratio: with about this much change a step, a layer learns steadily
LOWEST, HIGHEST = 1e-6, 1e1  # of the ratio, in pictures
TALLEST = 4.0  # loss in pictures
SMALL = 196  # 14 x 14 pixels: as much as a slider can wait for


class Curves(Lab):
    """A training in three pictures: the loss of each step, the update ratio of the first layer, the accuracy of each epoch.

    A subclass says with its controls which training it is: `run(**values)` gives a `History`, whole or up to where it diverged.
    """

    size = (style.WIDTH, 3.7)

    def run(self, **values):
        """The History of the training."""
        raise NotImplementedError

    def compute(self, **values):
        """The curves of one training.

        Returns
        -------
        dict : loss and ratio (k,) of each step, ratio that of the first layer's weights; epoch (k,), when each step was, in
            epochs; accuracy and unseen (m,), shares at the end of each epoch; stopped, why training ended early.
        """
        history = self.run(**values)
        return {
            "loss": history.loss,
            "ratio": history.update_ratios["0.W"],
            "epoch": np.arange(len(history.loss)) / history.steps_per_epoch,
            "accuracy": history.accuracy,
            "unseen": history.validation_accuracy,
            "stopped": history.stopped,
        }

    def draw(self, figure, data):
        left, middle, right = figure.subplots(1, 3)
        for axes in (left, middle, right):
            axes.set(xlabel="epoch", xlim=(0, self.epochs))
        thin = {"linewidth": 0.9, "color": style.LINE}
        (loss,) = left.plot([], [], **thin)
        left.axhline(np.log(10), color=style.THEORY, linestyle=":")
        left.text(0.98, 0.97, "dotted: log 10, guessing", transform=left.transAxes, ha="right", va="top", fontsize=9)
        left.set(ylim=(0, TALLEST + 0.5), yticks=range(5), ylabel="loss of the batch", title="Loss, step by step")
        (ratio,) = middle.plot([], [], **(thin | {"color": style.GRADIENT}))
        middle.axhline(GUIDE, color=style.GOOD, linestyle="--")
        middle.text(0.98, 0.97, "dashed: guide, a thousandth", transform=middle.transAxes, ha="right", va="top", fontsize=9)
        middle.set(yscale="log", ylim=(LOWEST, 10 * HIGHEST), ylabel="|lr dW| / |W|", title="Update to data, first layer")
        middle.set_yticks([1e-6, 1e-4, 1e-2, 1])
        look = {"clip_on": False, "markersize": 5, "linewidth": 1.2}
        (own,) = right.plot([], [], "o-", color=style.LINE, label="training images", **look)
        (unseen,) = right.plot([], [], "^--", color=style.SECOND, label="unseen images", **look)
        right.set(ylim=(0, 1.3), yticks=[0, 0.25, 0.5, 0.75, 1], ylabel="share right", title="Accuracy, epoch by epoch")
        right.legend(loc="upper left", frameon=False, handlelength=1.6, borderpad=0.1)
        right.axhline(0.1, color=style.THEORY, linestyle=":")
        return {"loss": loss, "ratio": ratio, "own": own, "unseen": unseen}

    def update(self, artists, data):
        artists["loss"].set_data(data["epoch"], np.minimum(data["loss"], TALLEST))
        artists["ratio"].set_data(data["epoch"], np.clip(np.nan_to_num(data["ratio"], nan=LOWEST), LOWEST, HIGHEST))
        epochs = np.arange(1, len(data["accuracy"]) + 1)
        artists["own"].set_data(epochs, data["accuracy"])
        artists["unseen"].set_data(epochs, data["unseen"])


class RealTraining(Curves):
    """A network 196-width-10 learns from 2,000 real images, for eight epochs: what do learning rate and batch size do?

    The images are those of the course at half their width and height, so that a slider need not wait. Unseen are 1,000 others.
    """

    title = "Which learning rate, and how many images a step?"
    controls = {
        "lr": Float(0.0001, 10.0, 0.1, label="learning rate", log=True, step=0.1, format=".2g"),
        "batch_size": Choice(8, 32, 128, 2000, default=32, label="batch size"),
        "width": Int(8, 64, 32, label="hidden units", step=8),
    }
    epochs = 8

    def run(self, lr, batch_size, width):
        return _trained(lr, batch_size, width, self.epochs)

    def describe(self, values, data):
        steps = len(data["loss"])
        start = f"{steps} steps with batches of {values['batch_size']}, rate {values['lr']:.2g}, {values['width']} units: "
        if data["stopped"]:
            return f"{start}then the numbers are no longer finite. A tenth of this rate is the next to try."
        ratio = float(np.median(data["ratio"]))
        end = _number(np.mean(data["loss"][-5:]))
        return (f"{start}the loss of a batch goes from {data['loss'][0]:.1f} to {end} at the end, "
                f"and {data['unseen'][-1]:.0%} of unseen images are right. A usual step changes W1 by {_power(ratio)} of "
                f"its length, {_beside_guide(ratio)}")


class MysteryRun(Curves):
    """Six trainings of one network, each with its own cause. Nothing is said about which is which.

    The network is that of `RealTraining`; each run has 10 epochs of 1,000 images, with batches of 25.
    """

    title = "What is going on in this run?"
    controls = {"run": Choice("A", "B", "C", "D", "E", "F", label="run")}
    epochs = 10
    causes = {"A": "labels shuffled", "B": "rate too small", "C": "fine", "D": "units dead", "E": "not shuffled",
              "F": "rate too large"}

    def run(self, run):
        return _caused(self.causes[run], self.epochs)

    def describe(self, values, data):
        end = np.mean(data["loss"][-10:])
        return (f"Run {values['run']}: the loss goes from {data['loss'][0]:.1f} to {end:.2f} (the last ten batches) "
                f"in {len(data['loss'])} steps. At the end {data['accuracy'][-1]:.0%} of the training images are right, "
                f"and {data['unseen'][-1]:.0%} of the unseen ones. A usual step changes W1 by "
                f"{_power(np.median(data['ratio']))} of its length.")


class TrainingDiagnostics(Lab):
    """Inside a network 196-64-64-10 during 300 steps: activations, gradients, saturation, update ratios.

    What is shown belongs to 200 images that are always the same. The learning rate is 0.1, a step takes 50 images.
    """

    title = "What happens inside while it trains?"
    activations = {"ReLU": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}
    scales = {"as they should be": 1.0, "20 times too small": 0.05, "5 times too large": 5.0}
    controls = {
        "step": Int(0, 300, 100, label="step", step=10),
        "activation": Choice(*activations, label="activation"),
        "start": Choice(*scales, label="first weights"),
    }
    size = (style.WIDTH, 5.0)
    bins = np.linspace(-1.1, 3.1, 43)
    decades = np.linspace(-10, 2, 37)

    def compute(self, step, activation, start):
        """The recorded run at this step; steps between two records show the earlier one.

        Returns
        -------
        dict : step; loss of the 200 images; values (2, 42) and gradients (3, 36), the shares of a layer's activations and of
            its weight gradient's entries, by size, in each bin; off (2, 31), the share of activations that pass hardly any
            gradient, at every tenth step; ratios (3, 301), the update ratio of each layer's weights at every step.
        """
        record = _recorded(activation, self.scales[start])
        place = step // 10
        return {"step": step, "loss": record["loss"][place], "values": record["values"][place],
                "gradients": record["gradients"][place], "off": record["off"], "ratios": record["ratios"]}

    def draw(self, figure, data):
        (values, gradients), (off, ratios) = figure.subplots(2, 2)
        looks = [{"color": style.LINE, "linestyle": "-"}, {"color": style.SECOND, "linestyle": "--"},
                 {"color": style.RED, "linestyle": "-."}]
        lines = {}
        for name, axes, count in (("values", values, 2), ("gradients", gradients, 3), ("off", off, 2), ("ratios", ratios, 3)):
            thin = {"linewidth": 1.0} if name == "ratios" else {"linewidth": 1.6}
            lines[name] = [axes.plot([], [], label=f"layer {i + 1}", **looks[i], **thin)[0] for i in range(count)]
        values.set(xlim=(-1.1, 3.1), ylim=(0, 1), xlabel="activation a (3 and more at the right end)", ylabel="share")
        values.set_title("How large are the activations?")
        gradients.set(xlim=(1e-10, 1e2), xscale="log", ylim=(0, 0.5), ylabel="share")
        gradients.set_xlabel("size of an entry of dW (left end: 0)")
        gradients.set_title("How large are the gradients?")
        off.set(xlim=(0, 300), ylim=(0, 1.02), xlabel="step", ylabel="share", title="How many activations are flat?")
        ratios.set(xlim=(0, 300), yscale="log", ylim=(1e-7, 1e1), xlabel="step", ylabel="|lr dW| / |W|")
        ratios.set_title("How much does a step change?")
        ratios.axhline(GUIDE, color=style.GOOD, linestyle="--", linewidth=1.5)
        gradients.legend(loc="upper left", frameon=False)
        now = [axes.axvline(0, color=style.MUTED, linewidth=1.2, linestyle=":") for axes in (off, ratios)]
        return lines | {"now": now}

    def update(self, artists, data):
        middles = [(edges[:-1] + edges[1:]) / 2 for edges in (self.bins, self.decades)]
        for line, shares in zip(artists["values"], data["values"]):
            line.set_data(middles[0], shares)
        for line, shares in zip(artists["gradients"], data["gradients"]):
            line.set_data(10 ** middles[1], np.minimum(shares, 0.5))
        for line, shares in zip(artists["off"], data["off"]):
            line.set_data(np.arange(0, 301, 10), shares)
        for line, ratios in zip(artists["ratios"], data["ratios"]):
            line.set_data(np.arange(len(ratios)), np.clip(ratios, 1e-7, 1e1))
        for line in artists["now"]:
            line.set_xdata([data["step"]] * 2)

    def describe(self, values, data):
        place = data["step"] // 10
        flat = [f"{share:.0%}" for share in data["off"][:, place]]
        ratio = [_power(float(ratios[data["step"]])) for ratios in data["ratios"]]
        word = "off" if values["activation"] == "ReLU" else "saturated"
        return (f"Step {data['step']}, {values['activation']}, first weights {values['start']}: the loss is {data['loss']:.2f}. "
                f"In layer 1, {flat[0]} of the activations are {word}, in layer 2 {flat[1]}. "
                f"This step changes W1 by {ratio[0]} of its length, W2 by {ratio[1]}, W3 by {ratio[2]}.")


def _number(loss):
    return f"{loss:.2f}" if loss < 100 else f"{loss:.0e}"


def _power(ratio):
    """In words that do not depend on rounding: 1e-3, 0, 3e+00 as 3."""
    if ratio == 0:
        return "0"
    return f"{ratio:.0e}".replace("e-0", "e-").replace("e+00", "").replace("e+0", "e")


def _beside_guide(ratio):
    if ratio == 0:
        return "that is, not at all: its units are dead."
    if ratio < GUIDE / 5:
        return "far below the guide line: it learns slowly."
    if ratio > GUIDE * 5:
        return "above the guide line: fast, and it jumps."
    return "near the guide line."


@cache
def images():
    """The training and the test images at half their size, standardised with the training images, and their labels."""
    data = datasets.fashion()
    x_train, x_test = (x.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, SMALL)
                       for x in (data.x_train[:3000], data.x_test))
    mean, spread = x_train.mean(), x_train.std()
    return (x_train - mean) / spread, data.y_train[:3000], (x_test - mean) / spread, data.y_test


def _net(width, seed=0):
    rng = np.random.default_rng(seed)
    return Sequential(Linear(SMALL, width, init="he", rng=rng), ReLU(), Linear(width, 10, rng=rng))


def _history(net, x, y, epochs, batch_size, lr, **options):
    """What `fit` tells, also where it stops because numbers are no longer finite."""
    _, _, x_test, y_test = images()
    with np.errstate(all="ignore"):
        try:
            return fit(net, SoftmaxCrossEntropy(), x, y, epochs, batch_size, lr, validation=(x_test[:1000], y_test[:1000]),
                       progress=False, **options)
        except DivergedError as stopped:
            return stopped.history


@lru_cache(maxsize=256)
def _trained(lr, batch_size, width, epochs):
    x, y, _, _ = images()
    return _history(_net(width), x[:2000], y[:2000], epochs, batch_size, lr)


@cache
def _caused(cause, epochs):
    x, y, _, _ = images()
    x, y, net = x[:1000], y[:1000], _net(32)
    lr = {"rate too small": 1e-4, "rate too large": 1.0}.get(cause, 0.1)
    if cause == "labels shuffled":
        y = np.random.default_rng(1).permutation(y)
    if cause == "not shuffled":
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    if cause == "units dead":
        net[0].params["b"] -= 30.0
    return _history(net, x, y, epochs, 25, lr, shuffle=cause != "not shuffled")


@cache
def _recorded(activation, scale):
    x, y, x_test, y_test = images()
    rng = np.random.default_rng(0)
    act = TrainingDiagnostics.activations[activation]
    net = Sequential(Linear(SMALL, 64, init="he" if activation == "ReLU" else "xavier", gain=scale, rng=rng), act(),
                     Linear(64, 64, init="he" if activation == "ReLU" else "xavier", gain=scale, rng=rng), act(),
                     Linear(64, 10, gain=scale, rng=rng))
    loss, optimiser = SoftmaxCrossEntropy(), SGD(net, 0.1)
    record = {"loss": [], "values": [], "gradients": [], "off": [], "ratios": []}
    for step in range(301):
        if step % 10 == 0:
            seen = trace(net, loss, x_test[:200], y_test[:200])
            record["loss"].append(seen.loss)
            record["values"].append([_shares(layer.a, TrainingDiagnostics.bins) for layer in seen[:2]])
            record["gradients"].append([_shares(_decade(layer.grads["W"]), TrainingDiagnostics.decades) for layer in seen])
            record["off"].append(list(seen.saturation().values()))
        batch = rng.integers(0, len(x), 50)
        loss.forward(net.forward(x[batch]), y[batch])
        net.backward(loss.backward())
        record["ratios"].append([0.1 * np.linalg.norm(net.grads[name]) / np.linalg.norm(net.params[name])
                                 for name in ("0.W", "2.W", "4.W")])
        optimiser.step()
    return {name: np.array(values) for name, values in record.items()} | {
        "off": np.array(record["off"]).T, "ratios": np.array(record["ratios"]).T}


def _decade(array):
    return np.log10(np.maximum(np.abs(array), 1e-300))


def _shares(array, edges):
    """The share of the entries in each bin; what lies outside counts in the first or last one."""
    inside = np.clip(array, (edges[0] + edges[1]) / 2, (edges[-2] + edges[-1]) / 2)
    return np.histogram(inside, edges)[0] / array.size
