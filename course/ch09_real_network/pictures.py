"""Chapter 09, second part: what a trained network takes for what, and what its first layer looks for."""

from functools import cache
from math import isqrt

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from bplib import Linear, ReLU, Sequential, SoftmaxCrossEntropy, datasets, fit
from course.ch09_real_network.labs import SMALL, images
from course.labs import style
from course.labs.live import Choice, Int, Lab

CLASSES = datasets.FASHION_CLASSES
ANY = "any class"
SHOWN = 6
BLUES = LinearSegmentedColormap.from_list("blues", ["#ffffff", style.SKY])
BOTH_WAYS = LinearSegmentedColormap.from_list("both ways", [style.BLUE, "#ffffff", style.ORANGE])


class Mistakes(Lab):
    """The confusion matrix of a trained network, and the images that it gets wrong, the largest loss first.

    Parameters
    ----------
    net, x, y : a network, images as rows of pixels and their labels, to look at your own. By default a network 196-32-10,
        trained on 3,000 images of half size, and the 2,000 test images.
    """

    title = "What does the network take for what?"
    controls = {
        "true": Choice(ANY, *CLASSES, default="shirt", label="true class"),
        "first": Int(1, 31, 1, label="from number", step=SHOWN),
    }
    size = (style.WIDTH, 4.9)

    def __init__(self, net=None, x=None, y=None):
        if net is None:
            _, net = _small_network()
            _, _, x, y = images()
        logits = net.forward(x)
        self._x, self._y, self._guess = x, y, logits.argmax(axis=1)
        log_sum = logits.max(axis=1) + np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1))
        self._loss = log_sum - logits[np.arange(len(y)), y]
        self._counts = np.zeros((len(CLASSES), len(CLASSES)), int)
        np.add.at(self._counts, (y, self._guess), 1)

    def compute(self, true, first):
        """The counts, and up to six mistakes.

        Returns
        -------
        dict : counts (10, 10), row i the images of class i, column j those taken for j; row, the true class or None; rows,
            which images are shown; pictures, guess, labels, loss, the same for each of them; mistakes, how many there are.
        """
        row = None if true == ANY else CLASSES.index(true)
        wrong = np.flatnonzero(self._guess != self._y)
        if row is not None:
            wrong = wrong[self._y[wrong] == row]
        wrong = wrong[np.argsort(-self._loss[wrong], kind="stable")]
        rows = wrong[first - 1:first - 1 + SHOWN]
        side = isqrt(self._x.shape[1])
        return {"counts": self._counts, "row": row, "rows": rows, "pictures": self._x[rows].reshape(-1, side, side),
                "guess": self._guess[rows], "labels": self._y[rows], "loss": self._loss[rows], "mistakes": len(wrong)}

    def draw(self, figure, data):
        layout = [["counts", *range(3)], ["counts", *range(3, 6)]]
        axes = figure.subplot_mosaic(layout, width_ratios=[4.1, 1, 1, 1])
        table, counts = axes["counts"], data["counts"]
        table.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap=BLUES, vmin=0, vmax=1)
        for (i, j), count in np.ndenumerate(counts):
            if count:
                table.text(j, i, str(count), ha="center", va="center", fontsize=8.5)
        table.set_xticks(range(10), CLASSES, rotation=90)
        table.set_yticks(range(10), CLASSES)
        table.set(xlabel="taken for", title="How often a class (row) was taken for another")
        table.grid(visible=False)
        frame = table.add_patch(Rectangle((-0.5, -0.5), 10, 1, fill=False, edgecolor=style.RED, linewidth=2.2, clip_on=False))
        pictures, captions = [], []
        blank = np.zeros_like(self._x[0]).reshape(isqrt(self._x.shape[1]), -1)
        for place in range(SHOWN):
            pictures.append(axes[place].imshow(blank, cmap="gray", interpolation="nearest"))
            axes[place].set_axis_off()
            below = {"transform": axes[place].transAxes, "ha": "center", "va": "top", "fontsize": 8.5}
            captions.append(axes[place].text(0.5, -0.05, "", **below))
        axes[0].set_title("Mistakes, worst first", fontsize=10.5)
        return {"frame": frame, "pictures": pictures, "captions": captions}

    def update(self, artists, data):
        artists["frame"].set_visible(data["row"] is not None)
        artists["frame"].set_y((data["row"] or 0) - 0.5)
        for place, (picture, caption) in enumerate(zip(artists["pictures"], artists["captions"])):
            there = place < len(data["rows"])
            picture.set_visible(there)
            caption.set_visible(there)
            if there:
                picture.set_data(data["pictures"][place])
                picture.autoscale()
                caption.set_text(f"{CLASSES[data['labels'][place]]}, seen\nas {CLASSES[data['guess'][place]]}")

    def describe(self, values, data):
        counts, row = data["counts"], data["row"]
        mistakes = counts - np.diag(np.diag(counts))
        if row is None:
            i, j = np.unravel_index(mistakes.argmax(), mistakes.shape)
            words = (f"{np.trace(counts):,} of {counts.sum():,} images are right. The commonest mistake: "
                     f"{CLASSES[i]} taken for {CLASSES[j]}, {mistakes[i, j]} times.")
        else:
            j = mistakes[row].argmax()
            words = (f"Of {counts[row].sum()} images of class {CLASSES[row]}, {counts[row, row]} are right. Most often they are "
                     f"taken for {CLASSES[j]}: {mistakes[row, j]} times.")
        if not len(data["rows"]):
            return f"{words} There are only {data['mistakes']} mistakes, so there is none to show."
        end = values["first"] + len(data["rows"]) - 1
        return (f"{words} Shown are mistakes {values['first']} to {end} of {data['mistakes']}; to the true class of the first of "
                f"them the network gave the probability {np.exp(-data['loss'][0]):.1g}.")


class FirstLayer(Lab):
    """The weights of the first layer as pictures: a column of W1 has a weight for each pixel, so it can be looked at.

    Parameters
    ----------
    net, start : a trained network that begins with a Linear and reads square images, and its first weights W1 before
        training, to look at your own. By default a network 196-32-10, trained on 3,000 images of half size.
    """

    title = "What does a hidden unit look for?"
    when = ("what training changed", "after training", "before training")
    controls = {"unit": Int(1, 32, 1, label="unit"), "shown": Choice(*when, label="weights")}
    size = (style.WIDTH, 3.4)

    def __init__(self, net=None, start=None):
        if net is None:
            start, net = _small_network()
        self._after, self._before = net.params["0.W"].copy(), np.array(start)
        self._votes = net[-1].params["W"].copy()
        width = self._after.shape[1]
        self.controls = FirstLayer.controls | {"unit": Int(1, width, 1, label="unit")}

    def compute(self, unit, shown):
        """Weights as pictures, scaled so that the largest of each unit is 1.

        Returns
        -------
        dict : weights (side, side) of the unit; all, (rows, columns, side, side); votes (10,), the unit's weights to the
            classes; place, (row, column) of the unit among all; alike, the
            correlation of neighbouring pixels, over all units.
        """
        W = {self.when[0]: self._after - self._before, self.when[1]: self._after, self.when[2]: self._before}[shown]
        d, width = W.shape
        side, columns = isqrt(d), 8 if width <= 64 else 16
        rows = -(-width // columns)
        tiles = np.zeros((rows * columns, side, side))
        tiles[:width] = (W / np.abs(W).max(axis=0)).T.reshape(width, side, side)
        return {"weights": tiles[unit - 1], "all": tiles.reshape(rows, columns, side, side), "votes": self._votes[unit - 1],
                "place": divmod(unit - 1, columns), "alike": _alike(tiles[:width])}

    def draw(self, figure, data):
        left, middle, right = figure.subplots(1, 3, width_ratios=[2.1, 1.1, 1])
        rows, columns, side, _ = data["all"].shape
        look = {"cmap": BOTH_WAYS, "vmin": -1, "vmax": 1, "interpolation": "nearest"}
        tiles = left.imshow(np.zeros((rows * (side + 1), columns * (side + 1))), **look)
        left.set_title("All units: orange adds, blue subtracts")
        frame = left.add_patch(Rectangle((-0.5, -0.5), side, side, fill=False, edgecolor=style.LINE, linewidth=2.2))
        one = middle.imshow(np.zeros((side, side)), **look)
        middle.set_title("This unit's weights")
        for axes in (left, middle):
            axes.set_axis_off()
            axes.set_anchor("N")
        bars = right.barh(range(10), np.zeros(10), color=style.ACTIVATION, edgecolor=style.LINE, linewidth=0.8)
        right.axvline(0, color=style.LINE, linewidth=1)
        right.set_yticks(range(10), CLASSES)
        right.invert_yaxis()
        limit = 1.05 * np.abs(self._votes).max()
        right.set(xlim=(-limit, limit), xlabel="weight in W2", title="What it votes for")
        right.xaxis.set_major_locator(_three(limit))
        return {"tiles": tiles, "frame": frame, "one": one, "bars": list(bars)}

    def update(self, artists, data):
        rows, columns, side, _ = data["all"].shape
        page = np.zeros((rows, side + 1, columns, side + 1))
        page[:, :side, :, :side] = data["all"].transpose(0, 2, 1, 3)
        artists["tiles"].set_data(page.reshape(rows * (side + 1), columns * (side + 1)))
        artists["one"].set_data(data["weights"])
        row, column = data["place"]
        artists["frame"].set_xy((column * (side + 1) - 0.5, row * (side + 1) - 0.5))
        for bar, vote in zip(artists["bars"], data["votes"]):
            bar.set_width(vote)

    def describe(self, values, data):
        up, down = data["votes"].argmax(), data["votes"].argmin()
        return (f"Unit {values['unit']}, {values['shown']}: bright pixels under orange make it fire, under blue keep it off. "
                f"Trained, it speaks most for {CLASSES[up]} and most against {CLASSES[down]}. In these pictures, neighbouring "
                f"pixels have a correlation of {abs(data['alike']):.1f}: 0 is noise, 1 is smooth.")


def _three(limit):
    from matplotlib.ticker import FixedLocator

    return FixedLocator([-round(0.7 * limit, 1), 0, round(0.7 * limit, 1)])


def _alike(tiles):
    """The correlation of pixels that lie side by side: 0 for noise, near 1 for smooth pictures."""
    return np.corrcoef(tiles[:, :, :-1].ravel(), tiles[:, :, 1:].ravel())[0, 1]


@cache
def _small_network():
    """First weights before training, and a trained network 196-32-10."""
    x, y, _, _ = images()
    rng = np.random.default_rng(0)
    net = Sequential(Linear(SMALL, 32, init="he", rng=rng), ReLU(), Linear(32, 10, rng=rng))
    start = net.params["0.W"].copy()
    fit(net, SoftmaxCrossEntropy(), x, y, epochs=15, batch_size=50, lr=0.05, progress=False)
    return start, net
