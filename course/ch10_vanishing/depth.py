"""Chapter 10: what a product of random matrices does to a vector, and to the slopes that travel through it."""

from functools import lru_cache

import numpy as np

from bplib import Sigmoid, Tanh, init
from course.labs import style
from course.labs.live import Choice, Float, Int, Lab

WIDTH, DEEPEST = 48, 60
LINEAR = "none (linear)"
ACTIVATIONS = {LINEAR: None, "tanh": Tanh, "sigmoid": Sigmoid}
RULES = {"normal, spread 1/sqrt(width)": "xavier", "orthogonal": "orthogonal"}
BOTTOM, TOP = 1e-20, 1e10


class SingularValues(Lab):
    """The Jacobian from the first layer to the last, for networks of every depth up to 60, 48 units wide.

    A singular value says by how much the Jacobian stretches one direction. The largest and the smallest tell how unequally the
    error terms of different directions arrive."""

    title = "What is left of a direction after many layers?"
    controls = {
        "depth": Int(1, DEEPEST, 20, label="depth", unit="layers"),
        "gain": Float(0.5, 2.5, 1.0, label="times a gain of", step=0.05),
        "rule": Choice(*RULES, label="initial weights"),
        "activation": Choice(*ACTIVATIONS, label="activation"),
        "seed": Int(0, 20, 0, label="seed of weights"),
    }
    size = (style.WIDTH, 4.0)

    def compute(self, depth, gain, rule, activation, seed):
        """Singular values by depth.

        Returns
        -------
        dict : largest, median, smallest (60,), of the Jacobian of the first 1, 2, ... layers; values (48,), all of them at the
            depth that was chosen, largest first; depth.
        """
        table = _singular(gain, rule, activation, seed)
        return {"largest": table[:, 0], "median": np.median(table, axis=1), "smallest": table[:, -1], "values": table[depth - 1],
                "depth": depth}

    def draw(self, figure, data):
        left, right = figure.subplots(1, 2)
        left.set(title="How they grow apart", xlabel="layers", ylabel="singular value, log scale", yscale="log")
        left.set(xlim=(0, DEEPEST + 1), ylim=(BOTTOM, TOP))
        left.set_yticks(10.0 ** np.arange(-20, 11, 5))
        left.axhline(1, color=style.GOOD, linewidth=1, linestyle="--")
        looks = {"largest": (style.ORANGE, "-"), "median": (style.BLACK, "-"), "smallest": (style.BLUE, "--")}
        lines = {name: left.plot([], [], color=color, linestyle=line, label=name)[0] for name, (color, line) in looks.items()}
        (here,) = left.plot([], [], color=style.MUTED, linewidth=1)
        left.legend(loc="lower left", fontsize=8.5)
        right.set(title="All of them, at this depth", xlabel="direction, by size", yscale="log")
        right.set(ylabel="singular value, log scale", xlim=(0, WIDTH + 1), ylim=(BOTTOM, TOP))
        right.set_yticks(10.0 ** np.arange(-20, 11, 5))
        right.axhline(1, color=style.GOOD, linewidth=1, linestyle="--")
        (values,) = right.plot([], [], "o", color=style.GRADIENT, markersize=4)
        return {"lines": lines, "here": here, "values": values}

    def update(self, artists, data):
        for name, line in artists["lines"].items():
            line.set_data(np.arange(1, DEEPEST + 1), np.clip(data[name], BOTTOM, TOP))
        artists["here"].set_data([data["depth"]] * 2, [BOTTOM, TOP])
        artists["values"].set_data(np.arange(1, WIDTH + 1), np.clip(data["values"], BOTTOM, TOP))

    def describe(self, values, data):
        high, middle, low = data["values"][0], np.median(data["values"]), data["values"][-1]
        words = f"After {values['depth']} layers the Jacobian stretches its best direction by {high:.1e}, "
        words += f"a middle one by {middle:.1e}, its worst by "
        words += f"{low:.1e}. " if low > 1e-14 * high else "less than rounding lets us see. "
        if high > 100 * middle > 100:
            return words + "Everything explodes."
        if high < 1e-3:
            return words + "Even the best direction vanishes."
        if low > 0.1 * high:
            return words + "All directions arrive nearly alike."
        return words + "Some directions arrive, most are lost."


@lru_cache(maxsize=16)
def _singular(gain, rule, activation, seed):
    """(60, 48), the singular values of the Jacobian of the first 1, 2, ... layers."""
    rng, kind = np.random.default_rng(seed), ACTIVATIONS[activation]
    z, jacobian, rows = rng.standard_normal(WIDTH), np.eye(WIDTH), []
    for _ in range(DEEPEST):
        W = gain * init.weights(RULES[rule], WIDTH, WIDTH, rng)
        if kind is None:
            jacobian, z = jacobian @ W, z @ W
        else:
            a = kind().f(z)
            jacobian, z = jacobian @ (kind().derivative(z, a)[:, np.newaxis] * W), a @ W
        rows.append(np.linalg.svd(jacobian, compute_uv=False))
    return np.array(rows)
