"""Chapter 02: what a loss tells a neuron that is badly wrong, and what it tells the logits of four classes."""

import numpy as np

from bplib import Sigmoid, Softmax
from course.labs import style
from course.labs.live import Choice, Float, Int, Lab

SQUARED, CROSS = "squared error", "cross-entropy"
CLASSES = ("A", "B", "C", "D")


class SlowStart(Lab):
    """One sigmoid neuron with input 1 that should answer 0: how hard each loss pulls it, and how fast it learns.

    The neuron computes z = weight + bias and a = sigmoid(z). Squared error is a^2, its gradient dL/dz = 2 a a (1 - a);
    cross-entropy is log(1 + e^z), its gradient a. Gradient descent changes weight and bias.
    """

    title = "Which loss wakes up a neuron that is badly wrong?"
    controls = {
        "weight": Float(-5.0, 5.0, 3.0, label="starting weight", step=0.1, format=".1f"),
        "bias": Float(-5.0, 5.0, 2.0, label="starting bias", step=0.1, format=".1f"),
        "lr": Float(0.05, 5.0, 0.5, label="learning rate", log=True, step=0.1),
        "steps": Int(20, 400, 120, label="steps", step=20),
    }
    size = (style.WIDTH, 4.8)

    def compute(self, weight, bias, lr, steps):
        """Loss and gradient of both losses at the start and along z, and the activation during training.

        Returns
        -------
        dict : z, a, the start; loss, gradient, {name: number} at the start; path, {name: (steps + 1,)}, the activation
            after each step; half, {name: the first step at which a is at most half of what it was, or None}.
        """
        z = weight + bias
        path = {name: _trained(name, weight, bias, lr, steps) for name in (SQUARED, CROSS)}
        below = {name: np.flatnonzero(a <= a[0] / 2) for name, a in path.items()}
        start = np.array([z])
        return {
            "z": z,
            "a": float(Sigmoid().f(start)[0]),
            "loss": {name: float(_loss(name, start)[0]) for name in path},
            "gradient": {name: float(_gradient(name, start)[0]) for name in path},
            "path": path,
            "half": {name: int(first[0]) if len(first) else None for name, first in below.items()},
        }

    def draw(self, figure, data):
        axes = figure.subplot_mosaic([["loss", "path"], ["slope", "path"]], width_ratios=[1, 1.05])
        z = np.linspace(-10, 10, 401)
        looks = {
            SQUARED: {"color": style.LINE, "linestyle": "-"},
            CROSS: {"color": style.SECOND, "linestyle": "--"},
        }
        marks = {SQUARED: "o", CROSS: "s"}
        dots, paths = {}, {}
        for name, look in looks.items():
            dot = {"color": look["color"], "marker": marks[name], "markersize": 8, "linestyle": "", "clip_on": False}
            axes["loss"].plot(z, _loss(name, z), **look)
            axes["slope"].plot(z, _gradient(name, z), **look)
            dots[name] = axes["loss"].plot([], [], **dot)[0], axes["slope"].plot([], [], **dot)[0]
            legend = {"marker": marks[name], "markersize": 6, "markevery": [0], "clip_on": False}
            (paths[name],) = axes["path"].plot([], [], label=name, **look, **legend)
        axes["loss"].set(xlim=(-10, 10), ylim=(0, 10.5), ylabel="loss L", title="Loss: one goes flat, one keeps rising")
        axes["slope"].set(xlim=(-10, 10), ylim=(0, 1.05), ylabel="gradient dL/dz")
        axes["slope"].set_xlabel("z: the further right, the more wrong")
        axes["slope"].set_title("Gradient: no slope, no push")
        axes["path"].set(ylim=(0, 1.02), ylabel="activation a", xlabel="step of gradient descent")
        axes["path"].set_title("Training: the answer a, target 0")
        # Wrong answers lie on the right, so the upper left corner stays empty; ticks are fixed because the layout is.
        axes["loss"].legend(handles=list(paths.values()), loc="upper left")
        axes["loss"].set_yticks([0, 5, 10])
        axes["slope"].set_yticks([0, 0.5, 1])
        for name in ("loss", "slope"):
            axes[name].set_xticks([-10, -5, 0, 5, 10])
        return {"axes": axes["path"], "dots": dots, "paths": paths}

    def update(self, artists, data):
        for name, path in data["path"].items():
            on_loss, on_slope = artists["dots"][name]
            on_loss.set_data([data["z"]], [data["loss"][name]])
            on_slope.set_data([data["z"]], [data["gradient"][name]])
            artists["paths"][name].set_data(np.arange(len(path)), path)
        steps = len(data["path"][CROSS]) - 1
        if artists["axes"].get_xlim() != (0, steps):
            artists["axes"].set_xlim(0, steps)

    def describe(self, values, data):
        squared, cross = data["gradient"][SQUARED], data["gradient"][CROSS]
        late = f"more than {values['steps']}"
        needs = {name: late if step is None else step for name, step in data["half"].items()}
        return (f"At z = {data['z']:.1f} the neuron says {_digits(data['a'])} and should say 0. "
                f"The gradient of {SQUARED} is {_digits(squared)}, that of {CROSS} {_digits(cross)}, "
                f"{_times(cross / squared)}. "
                f"With learning rate {values['lr']:.2g}, {SQUARED} needs {_steps(needs[SQUARED])} to halve the answer, "
                f"{CROSS} {needs[CROSS]}.")


class SoftmaxLogits(Lab):
    """Four scores become probabilities; the loss looks at one of them, its gradient p - y pulls on all four.

    The same number can be added to every logit. It changes nothing, which is how softmax is kept from overflowing.
    """

    title = "What does cross-entropy tell the logits?"
    controls = {
        **{f"z_{name.lower()}": Float(-5.0, 5.0, start, label=f"logit of {name}", step=0.1, format=".1f")
           for name, start in zip(CLASSES, (1.0, 2.0, 0.0, -1.0))},
        "true": Choice(*CLASSES, label="true class"),
        "shift": Int(-1000, 1000, 0, label="added to all logits", step=50),
    }
    size = (style.WIDTH, 3.7)

    def compute(self, z_a, z_b, z_c, z_d, true, shift):
        """Probabilities, loss and gradient of one example.

        Returns
        -------
        dict : z, p, gradient (4,), the logits, p and p - y; true, the index of the true class; loss, -log p of the true
            class; overflow, whether e^z itself is infinite for some logit, or 0 for all of them.
        """
        z = np.array([z_a, z_b, z_c, z_d]) + shift
        p = Softmax().f(z)
        true = CLASSES.index(true)
        y = np.eye(len(CLASSES))[true]
        top = z.max()
        with np.errstate(over="ignore"):
            powers = np.exp(z)
        return {
            "z": z,
            "p": p,
            "gradient": p - y,
            "true": true,
            "loss": float(top + np.log(np.exp(z - top).sum()) - z[true]),
            "overflow": bool(powers.max() == np.inf or powers.max() == 0),
        }

    def draw(self, figure, data):
        left, middle, right = figure.subplots(1, 3, width_ratios=[1.2, 1, 1])
        stripes = []
        places = np.arange(len(CLASSES))
        left.set(ylim=(0, 1.15), xlabel="class, striped: the true one", ylabel="p")
        left.set_title("Probabilities p, with the\nlogits written above")
        share = left.bar(places, np.zeros(len(CLASSES)), color=style.ACTIVATION, edgecolor=style.LINE, linewidth=1)

        logits = [left.text(place, 1.08, "", ha="center", va="center", fontsize=9) for place in places]

        p = np.geomspace(1e-5, 1, 400)
        middle.plot(p, -np.log(p), color=style.LINE)
        middle.set(xlim=(0, 1), ylim=(0, 11.5), xlabel="p of the true class", ylabel="L = -log p")
        middle.set_title("Loss: the surprise\nat the true class")
        (dot,) = middle.plot([], [], "o", color=style.LINE, markersize=9, clip_on=False)

        left.set_yticks([0, 0.5, 1])
        middle.set_yticks([0, 5, 10])
        middle.set_xticks([0, 0.5, 1])
        right.set(ylim=(-1.05, 1.05), yticks=[-1, -0.5, 0, 0.5, 1], xlabel="class", ylabel="dL/dz = p - y")
        right.set_title("Gradient p - y: one below\n0, the others above")
        right.axhline(0, color=style.LINE, linewidth=1)
        pull = right.bar(places, np.zeros(len(CLASSES)), color=style.GRADIENT, edgecolor=style.LINE, linewidth=1)
        for axes in (left, right):
            stripes.append(axes.bar(places, np.zeros(len(CLASSES)), color="none", edgecolor=style.LINE, hatch="///"))
            axes.set_xticks(places, CLASSES)
            axes.grid(axis="x", visible=False)
        return {"share": share, "pull": pull, "stripes": stripes, "dot": dot, "logits": logits}

    def update(self, artists, data):
        pairs = zip((data["p"], data["gradient"]), (artists["share"], artists["pull"]), artists["stripes"])
        for heights, bars, stripes in pairs:
            for place, height in enumerate(heights):
                bars[place].set_height(height)
                stripes[place].set_height(height)
                stripes[place].set_visible(place == data["true"])
        for text, z in zip(artists["logits"], data["z"]):
            text.set_text(f"{z:.4g}".replace("-", "\N{MINUS SIGN}"))
        artists["dot"].set_data([data["p"][data["true"]]], [data["loss"]])

    def describe(self, values, data):
        true, p = data["true"], data["p"]
        others = ", ".join(f"{name} by {data['gradient'][i]:.2f}" for i, name in enumerate(CLASSES) if i != true)
        words = (f"The truth is {CLASSES[true]}, which gets p = {_digits(p[true])}: the loss is {data['loss']:.2f}. "
                 f"A step against the gradient pulls the logit of {CLASSES[true]} up by "
                 f"{-data['gradient'][true]:.2f} and pushes {others} down, times the learning rate. "
                 "The four sum to zero.")
        if values["shift"]:
            words += f" Adding {values['shift']} to every logit changes nothing here"
            words += ", though e^z alone leaves the range of floats." if data["overflow"] else "."
        return words


def _loss(name, z):
    """The loss for the target 0, for each z."""
    return Sigmoid().f(z) ** 2 if name == SQUARED else np.logaddexp(0, z)


def _gradient(name, z):
    """dL/dz for the target 0, for each z."""
    a = Sigmoid().f(z)
    return 2 * a * a * (1 - a) if name == SQUARED else a


def _trained(name, weight, bias, lr, steps):
    """The activation before training and after each step."""
    z = [np.float64(weight + bias)]
    for _ in range(steps):
        z.append(z[-1] - 2 * lr * _gradient(name, z[-1]))  # weight and bias move alike, because the input is 1
    return Sigmoid().f(np.array(z))


def _digits(number):
    """Three decimals, or two digits where that would show nothing."""
    return f"{number:.3f}" if number >= 0.0095 else f"{number:.1e}"


def _times(ratio):
    return f"{ratio:.0f} times as much" if ratio >= 9.5 else f"{ratio:.1f} times as much"


def _steps(count):
    return "1 step" if count == 1 else f"{count} steps"
