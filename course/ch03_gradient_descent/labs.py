"""Chapter 03: how gradient descent walks, too short, too far, or with half of the data at a time."""

from functools import lru_cache

import numpy as np

from bplib import datasets
from course.labs import style
from course.labs.live import Choice, Float, Int, Lab, Toggle

MOST = 60  # steps
W_RANGE, B_RANGE = (-1.5, 5.5), (-6.0, 6.0)
LEVELS = (0.1, 0.5, 2, 8, 30, 100, 300)
FLOOR, CEILING = 1e-6, 1e6


class LearningRate(Lab):
    """Gradient descent on the line y = 2 x: the mean squared error as a landscape over w and b, the path, and the loss."""

    title = "How long a step can you take?"
    controls = {
        "lr": Float(0.002, 0.2, 0.02, label="learning rate", log=True, step=0.02, format=".4f"),
        "steps": Int(1, MOST, 20, label="steps"),
        "w": Float(-1.0, 5.0, 0.0, label="start: weight w", step=0.5, format=".1f"),
        "b": Float(-5.0, 5.0, 4.0, label="start: bias b", step=0.5, format=".1f"),
    }
    size = (style.WIDTH, 4.2)

    def compute(self, lr, steps, w, b):
        """The path and the losses.

        Returns
        -------
        dict : path (steps + 1, 2), w and b after each step; loss (steps + 1,); curvatures (2,), the eigenvalues of the Hessian,
            smallest first; limit, 2 / lambda_max; lr.
        """
        x, y = (array[:, 0] for array in datasets.line())
        path, loss = _descent(x, y, lr, steps, w, b, [np.arange(4)] * steps)
        hessian = 2 * np.array([[np.mean(x**2), np.mean(x)], [np.mean(x), 1.0]])
        curvatures = np.linalg.eigvalsh(hessian)
        return {"path": path, "loss": loss, "curvatures": curvatures, "limit": 2 / curvatures[-1], "lr": lr}

    def draw(self, figure, data):
        left, right = figure.subplots(1, 2)
        _landscape(left, *(array[:, 0] for array in datasets.line()))
        (path,) = left.plot([], [], "o-", color=style.LINE, linewidth=1, markersize=4)
        left.plot([2], [0], "*", color=style.GOOD, markersize=15, markeredgecolor=style.BLACK)
        right.set(title="The loss on the way", xlabel="step", ylabel="loss, log scale", yscale="log")
        right.set(xlim=(0, MOST), ylim=(FLOOR, CEILING))
        right.set_yticks(10.0 ** np.arange(-6, 7, 3))
        right.minorticks_off()
        (loss,) = right.plot([], [], "o-", color=style.SECOND, markersize=3)
        bar = right.text(0.97, 0.95, "", transform=right.transAxes, horizontalalignment="right", verticalalignment="top")
        return {"path": path, "loss": loss, "bar": bar}

    def update(self, artists, data):
        artists["path"].set_data(*_within(data["path"]).T)
        artists["loss"].set_data(np.arange(len(data["loss"])), np.clip(data["loss"], FLOOR, CEILING))
        artists["bar"].set_text(f"rate {data['lr']:.4f}, limit {data['limit']:.4f}")

    def describe(self, values, data):
        share = values["lr"] / data["limit"]
        words = f"The rate is {share:.0%} of the limit 2 / {data['curvatures'][-1]:.2f} = {data['limit']:.4f}. "
        words += {"slow": "Each step is safe, and short: it creeps along the valley.",
                  "good": "It goes straight down the steep side, then along the valley.",
                  "oscillating": "It jumps from one side of the valley to the other, and still comes down.",
                  "diverging": "Each jump lands higher than the last: it climbs out."}[regime(share)]
        (w, b), loss = data["path"][-1], data["loss"][-1]
        return f"{words} After {values['steps']} steps w = {w:.3g}, b = {b:.3g}, and the loss is {loss:.2g}."


class BatchNoise(Lab):
    """The same line with 64 noisy points: descent with all of them, with some, or with one at a time."""

    title = "What does a step with few examples cost?"
    controls = {
        "batch": Choice("1", "4", "16", "64", default="4", label="examples in a batch"),
        "lr": Float(0.002, 0.1, 0.02, label="learning rate", log=True, step=0.05, format=".4f"),
        "epochs": Int(1, 20, 4, label="epochs"),
        "same": Toggle(False, label="equal number of steps"),
        "seed": Int(0, 20, 0, label="seed of the order"),
    }
    size = (style.WIDTH, 4.2)

    def compute(self, batch, lr, epochs, same, seed):
        """The path of this batch size beside that of all examples.

        Returns
        -------
        dict : path, full (k + 1, 2); loss, full_loss, on all 64 examples, and seen, full_seen, how many examples were looked
            at, for each step; spread, the standard deviation of a batch's slope along w, near the end.
        """
        x, y = _noisy()
        rng, size = np.random.default_rng(seed), int(batch)
        rows = [order[start:start + size] for order in (rng.permutation(64) for _ in range(epochs))
                for start in range(0, 64, size)]
        path, loss = _descent(x, y, lr, len(rows), 0.0, 4.0, rows)
        count = len(rows) if same else epochs
        full, full_loss = _descent(x, y, lr, count, 0.0, 4.0, [np.arange(64)] * count)
        w, b = path[-1]
        slopes = [2 * np.mean((w * x[r] + b - y[r]) * x[r]) for r in rows[-(64 // size):]]
        return {"path": path, "loss": loss, "seen": np.arange(len(loss)) * size, "full": full, "full_loss": full_loss,
                "full_seen": np.arange(len(full_loss)) * 64, "spread": float(np.std(slopes)), "same": same, "size": size}

    def draw(self, figure, data):
        left, right = figure.subplots(1, 2)
        _landscape(left, *_noisy())
        (full,) = left.plot([], [], "s--", color=style.SECOND, linewidth=1, markersize=4, label="all at once")
        (path,) = left.plot([], [], "o-", color=style.LINE, linewidth=0.8, markersize=2, label="in batches")
        legend = left.legend(loc="lower right", fontsize=8.5)
        right.set(title="The loss on all examples", ylabel="loss, log scale", yscale="log", ylim=(0.1, 1000), xlim=(0, 1280))
        right.set_xlabel("step, or examples looked at")
        right.set_yticks([0.1, 1, 10, 100, 1000])
        right.minorticks_off()
        (full_loss,) = right.plot([], [], "s--", color=style.SECOND, linewidth=1, markersize=4)
        (loss,) = right.plot([], [], color=style.LINE, linewidth=1)
        return {"full": full, "path": path, "full_loss": full_loss, "loss": loss, "right": right, "legend": legend}

    def update(self, artists, data):
        artists["path"].set_data(*_within(data["path"]).T)
        artists["full"].set_data(*_within(data["full"]).T)
        for name, x, y in (("loss", "seen", "loss"), ("full_loss", "full_seen", "full_loss")):
            places = np.arange(len(data[y])) if data["same"] else data[x]
            artists[name].set_data(places, np.clip(data[y], 0.1, 1000))
        right, end = artists["right"], len(data["loss"]) if data["same"] else data["seen"][-1]
        reach = next(limit for limit in (20, 80, 320, 1300) if limit >= end)
        label = "step" if data["same"] else "examples looked at"
        if right.get_xlim() != (0, reach) or right.get_xlabel() != label:
            right.set(xlim=(0, reach), xlabel=label)

    def describe(self, values, data):
        steps, tail = len(data["loss"]) - 1, data["loss"][-max(2, len(data["loss"]) // 4):]
        examples = "1 example" if data["size"] == 1 else f"{data['size']} examples"
        words = f"{steps} steps with {examples} each: loss {data['loss'][-1]:.3g}. "
        words += f"All 64 at once, {len(data['full_loss']) - 1} steps: {data['full_loss'][-1]:.3g}. "
        if not np.isfinite(data["loss"]).all() or data["loss"][-1] > 1e3:
            return words + "The rate is too large for so few examples: it runs away."
        if data["size"] == 64:
            return words + "This is the same thing: there is no noise."
        return words + (f"In the last quarter the loss varied between {tail.min():.3g} and {tail.max():.3g}: "
                        f"the slope along w differs from batch to batch by {data['spread']:.2g}.")


def regime(share):
    """What a learning rate does, from its share of the limit 2 / lambda_max."""
    return "slow" if share < 0.1 else "good" if share <= 0.5 else "oscillating" if share < 1 else "diverging"


def _descent(x, y, lr, steps, w, b, batches):
    """The path, and the loss on all points, of one step for each batch of rows."""
    path, loss = [(w, b)], [np.mean((w * x + b - y) ** 2)]
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in batches:
            error = w * x[rows] + b - y[rows]
            w, b = w - lr * 2 * np.mean(error * x[rows]), b - lr * 2 * np.mean(error)
            path.append((w, b))
            loss.append(np.mean((w * x + b - y) ** 2))
    return np.array(path), np.array(loss)


def _landscape(axes, x, y):
    w, b = np.meshgrid(np.linspace(*W_RANGE, 71), np.linspace(*B_RANGE, 71))
    loss = np.mean((w[..., np.newaxis] * x + b[..., np.newaxis] - y) ** 2, axis=2)
    axes.contour(w, b, loss, LEVELS, colors=style.MUTED, linewidths=0.8)
    axes.set(title="The loss as a landscape", xlabel="weight w", ylabel="bias b", xlim=W_RANGE, ylim=B_RANGE)
    axes.grid(visible=False)


def _within(path):
    """Points far outside the picture are brought near it, so that a line to them still points there."""
    return np.clip(np.nan_to_num(path, nan=1e3, posinf=1e3, neginf=-1e3), -1e3, 1e3)


@lru_cache(maxsize=1)
def _noisy():
    rng = np.random.default_rng(12)
    x = rng.uniform(1, 4, 64)
    return x, 2 * x + rng.normal(0, 1, 64)
