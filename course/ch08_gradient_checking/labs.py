"""Chapter 08: a wrong gradient, entry by entry. Where the errors lie says what kind of mistake it is."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from bplib import MSE, Linear, ReLU, Tanh, numerical_gradient
from course.labs import style
from course.labs.live import Choice, Int, Lab

NONE, SIGN, ROW, COLUMN, TRANSPOSED = "none", "sign flipped", "one row left out", "one column left out", "transposed"
MASK, SLOPE, BIAS = "mask from the wrong array", "slope at the activation", "bias averaged"
WEIGHTS, DELTA = "dW with db below", "dL/dz, a row for each example"
EXAMPLES = 6
WRONG = 1e-6  # a relative error above this is no rounding
BOTH_WAYS = LinearSegmentedColormap.from_list("both ways", [style.BLUE, "#ffffff", style.ORANGE])
ERROR = LinearSegmentedColormap.from_list("error", ["#ffffff", style.YELLOW, style.RED])


class BugHeatmap(Lab):
    """The gradient of a hidden layer as a backward with a bug computes it, as measured, and where the two differ.

    The network is a linear layer, a tanh, and another linear layer, with the mean squared error. The bug sits in the backward
    of the first layer or of the tanh. For the wrong mask, a ReLU takes the place of the tanh: a tanh has no mask.
    """

    title = "Where is a wrong gradient wrong?"
    controls = {
        "bug": Choice(NONE, SIGN, ROW, COLUMN, TRANSPOSED, MASK, SLOPE, BIAS, default=ROW, label="bug"),
        "shown": Choice(WEIGHTS, DELTA, label="gradient shown"),
        "size": Int(3, 8, 5, label="inputs and units"),
        "seed": Int(0, 20, 0, label="seed"),
    }
    size = (style.WIDTH, 3.9)

    def compute(self, bug, shown, size, seed):
        """What backward claims, what is measured, and the relative error of each entry.

        Returns
        -------
        dict : claimed, measured, error, arrays of one shape: (size + 1, size) for the weights with the bias as last row,
            (6, size) for dL/dz; wrong, where the error is no rounding; weights, whether they are shown.
        """
        rng = np.random.default_rng(seed)
        x, y = rng.normal(0, 1, (EXAMPLES, size)), rng.normal(0, 1, (EXAMPLES, 2))
        first, last = Linear(size, size, gain=0.7, rng=rng), Linear(size, 2, rng=rng)
        first.params["b"][...] = rng.normal(0, 0.5, size)
        activation, loss = ReLU() if bug == MASK else Tanh(), MSE()

        def measure(z):
            return loss.forward(last.forward(activation.f(z)), y)

        def layer(Wb):
            return x @ Wb[:-1] + Wb[-1]

        Wb = np.vstack([first.params["W"], first.params["b"]])
        z = layer(Wb)
        measure(z)
        claimed = _claimed(bug, shown, x, z, activation, last.backward(loss.backward()))
        value, at = (lambda Wb: measure(layer(Wb)), Wb) if shown == WEIGHTS else (measure, z)
        measured = numerical_gradient(value, at)
        gap, scale = np.abs(claimed - measured), np.maximum(np.abs(claimed), np.abs(measured))
        noise = 1e-8 * np.abs(measured).max()
        error = np.where(gap > noise, gap / np.maximum(scale, noise), 0.0)
        return {"claimed": claimed, "measured": measured, "error": error, "wrong": error > WRONG, "weights": shown == WEIGHTS}

    def draw(self, figure, data):
        axes = figure.subplots(1, 3)
        titles = ("What backward says", "What is measured", "Relative error, × = wrong")
        looks = [{"cmap": BOTH_WAYS, "vmin": -1, "vmax": 1}] * 2 + [{"cmap": ERROR, "vmin": 0, "vmax": 2}]
        labels = ("1 = the largest measured", "1 = the largest measured", "2 = the sign is flipped")
        images = []
        for ax, title, look, label in zip(axes, titles, looks, labels):
            image = ax.imshow(np.zeros((2, 2)), aspect="auto", interpolation="nearest", **look)
            ax.set(title=title, xlabel="unit")
            ax.grid(visible=False)
            bar = figure.colorbar(image, ax=ax, orientation="horizontal", label=label)
            bar.set_ticks([-1, 0, 1] if look["vmin"] else [0, 1, 2])
            images.append(image)
        (crosses,) = axes[2].plot([], [], "x", color=style.LINE, markersize=6, markeredgewidth=1.2)
        return {"images": images, "crosses": crosses, "axes": axes.tolist()}

    def update(self, artists, data):
        rows, columns = data["error"].shape
        scale = np.abs(data["measured"]).max()
        for image, array in zip(artists["images"], (data["claimed"] / scale, data["measured"] / scale, data["error"])):
            image.set_data(array)
            image.set_extent((-0.5, columns - 0.5, rows - 0.5, -0.5))
        artists["crosses"].set_data(np.argwhere(data["wrong"])[:, ::-1].T)
        names = [str(row) for row in range(rows)]
        if data["weights"]:
            names[-1] = "b"
        label = "input, and b" if data["weights"] else "example"
        for ax in artists["axes"]:
            if ax.get_ylim() != (rows - 0.5, -0.5) or ax.get_xlim() != (-0.5, columns - 0.5) or ax.get_ylabel() != label:
                ax.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), ylabel=label)
                ax.set_xticks(range(columns))
                ax.set_yticks(range(rows), names)

    def describe(self, values, data):
        largest = np.abs(data["measured"]).max()
        count = f"{data['wrong'].sum()} of {data['wrong'].size} entries are wrong; the largest measured one is {largest:.3f}."
        return f"{count} {meaning(data)}"


def meaning(data):
    """What the pattern of wrong entries says, in a sentence; it looks at the numbers, and does not know which bug was chosen."""
    wrong, error, weights = data["wrong"], data["error"], data["weights"]
    rows, columns = np.flatnonzero(wrong.any(axis=1)), np.flatnonzero(wrong.any(axis=0))
    table = wrong[:-1] if weights else wrong
    if not wrong.any():
        return "Backward and measurement agree everywhere." + (
            "" if weights else " If dW is wrong all the same, the mistake comes after dL/dz.")
    if np.allclose(error[error > 0], 2):
        return "Every error is 2: the right size with the wrong sign, so look for a difference taken the wrong way round."
    if weights and rows.tolist() == [len(wrong) - 1]:
        ratio = np.median(data["claimed"][-1] / data["measured"][-1])
        return (f"Only the bias is wrong, by the factor {ratio:.3f} everywhere, and there are {EXAMPLES} examples: "
                "a mean where a sum belongs.")
    if weights and len(rows) == 1:
        return f"Only row {rows[0]} is wrong: all weights of one input. Look for an index, or a loop that ends too early."
    if weights and len(columns) == 1 and not wrong[-1].any():
        return f"Only column {columns[0]} is wrong: all weights of one unit. Look for an index, or a loop that ends too early."
    if weights and not np.diag(table).any() and not wrong[-1].any():
        return "The diagonal and the bias are right: the array is mirrored at its diagonal, so it is transposed."
    if not weights and not wrong.all() and np.allclose(error[wrong], 1):
        return "The errors are scattered, and each is 1: kept or set to zero by a mask, but not by the right one."
    if wrong.mean() > 0.7:
        return ("Errors of many sizes everywhere: a factor is wrong that differs from entry to entry. "
                + ("Look at dL/dz next." if weights else "A slope taken at the wrong place does that."))
    return "Some columns are wrong from top to bottom, b included: the dL/dz of these units is wrong. Look at that next."


def _claimed(bug, shown, x, z, activation, da):
    """What a backward with the bug gives: dL/dz, or dW with db as its last row."""
    a = activation.f(z)
    delta = da * activation.derivative(z, a)
    if bug == MASK:
        delta = da * (da > 0)
    if bug == SLOPE:
        delta = da * activation.derivative(a, activation.f(a))
    if bug == SIGN:
        delta = -delta
    if shown == DELTA:
        return delta
    dW, db = x.T @ delta, delta.sum(axis=0)
    middle = len(dW) // 2
    if bug == ROW:
        dW[middle] = 0
    if bug == COLUMN:
        dW[:, middle] = 0
    if bug == TRANSPOSED:
        dW = dW.T
    if bug == BIAS:
        db = delta.mean(axis=0)
    return np.vstack([dW, db])
