"""Chapter 07: how every logit moves every probability, and why loss and accuracy part company."""

from functools import lru_cache

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from bplib import Linear, ReLU, Sequential, Softmax, SoftmaxCrossEntropy, datasets, evaluate, fit
from course.labs import style
from course.labs.live import Choice, Float, Int, Lab

CLASSES = ("A", "B", "C", "D")
BOTH_WAYS = LinearSegmentedColormap.from_list("both ways", [style.BLUE, "#ffffff", style.ORANGE])
EPOCHS, SHOWN_EVERY = 120, 2
TRAIN, TEST = 300, 1000


class SoftmaxJacobian(Lab):
    """Four logits, a temperature and a true class: the probabilities, how each one moves with each logit, and what the
    cross-entropy tells the logits."""

    title = "Which logit moves which probability?"
    controls = {
        **{f"z{name}": Float(-5.0, 5.0, start, label=f"logit of {name}", step=0.1, format=".1f")
           for name, start in zip(CLASSES, (1.0, 0.5, -1.0, 0.0))},
        "temperature": Float(0.1, 10.0, 1.0, label="temperature T", log=True, step=0.05),
        "true": Choice(*CLASSES, label="true class"),
    }
    size = (style.WIDTH, 3.9)

    def compute(self, zA, zB, zC, zD, temperature, true):
        """Probabilities, Jacobian and gradient.

        Returns
        -------
        dict : p (4,); jacobian (4, 4), dp_i/dz_j; gradient (4,), of the cross-entropy along the logits; loss, a number; true,
            the place of the true class.
        """
        z, place = np.array([zA, zB, zC, zD]), CLASSES.index(true)
        p = Softmax().f(z / temperature)
        return {
            "p": p,
            "jacobian": (np.diag(p) - np.outer(p, p)) / temperature,
            "gradient": (p - np.eye(4)[place]) / temperature,
            "loss": float(np.logaddexp.reduce(z / temperature) - z[place] / temperature),
            "true": place,
        }

    def draw(self, figure, data):
        left, middle, right = figure.subplots(1, 3, width_ratios=[1, 1.35, 1])
        bars = left.barh(range(4), np.zeros(4), color=style.ACTIVATION, height=0.7)
        left.set(title="Probabilities p", xlim=(0, 1), xlabel="p", ylabel="class")
        left.set_yticks(range(4), CLASSES)
        left.invert_yaxis()
        left.set_xticks([0, 0.5, 1])
        image = middle.imshow(np.zeros((4, 4)), cmap=BOTH_WAYS, vmin=-0.25, vmax=0.25)
        middle.set(title="Their slopes dp/dz", xlabel="when this logit rises", ylabel="this p changes")
        middle.set_xticks(range(4), CLASSES)
        middle.set_yticks(range(4), CLASSES)
        middle.grid(visible=False)
        numbers = [[middle.text(j, i, "", horizontalalignment="center", verticalalignment="center", fontsize=9)
                    for j in range(4)] for i in range(4)]
        pulls = right.barh(range(4), np.zeros(4), color=style.GRADIENT, height=0.7)
        right.axvline(0, color=style.LINE, linewidth=1)
        right.set(title="Gradient (p - y) / T", xlim=(-1, 1), xlabel="dL/dz")
        right.set_yticks(range(4), CLASSES)
        right.invert_yaxis()
        return {"bars": list(bars), "image": image, "numbers": numbers, "pulls": list(pulls), "right": right}

    def update(self, artists, data):
        for bar, p in zip(artists["bars"], data["p"]):
            bar.set_width(p)
        artists["image"].set_data(data["jacobian"])
        top = max(0.25, np.abs(data["jacobian"]).max())
        artists["image"].set_clim(-top, top)
        for i in range(4):
            for j in range(4):
                value = data["jacobian"][i, j]
                artists["numbers"][i][j].set_text(f"{value:.2f}".replace("-0.00", "0.00"))
                artists["numbers"][i][j].set_color("#ffffff" if value < -0.7 * top else style.BLACK)
        for bar, pull in zip(artists["pulls"], data["gradient"]):
            bar.set_width(pull)
        reach = next(limit for limit in (1, 2, 5, 10) if limit >= np.abs(data["gradient"]).max() - 1e-9)
        if artists["right"].get_xlim() != (-reach, reach):
            artists["right"].set_xlim(-reach, reach)

    def describe(self, values, data):
        best, true = int(data["p"].argmax()), data["true"]
        words = f"{CLASSES[best]} gets {data['p'][best]:.3f}, the true class {CLASSES[true]} gets {data['p'][true]:.3f}: "
        words += f"loss {data['loss']:.3f}. Raising the logit of {CLASSES[best]} by a little moves its p by "
        words += f"{data['jacobian'][best, best]:.3f} of it, and takes the same from the others. "
        return words + f"The gradient of {CLASSES[true]} is {data['gradient'][true]:.3f}; all four add up to 0."


class AccuracyAgainstLoss(Lab):
    """A small network learns 300 images of clothes; its loss and its accuracy on 1,000 others, every second epoch."""

    title = "Can the loss get worse while the accuracy gets better?"
    controls = {
        "epoch": Int(SHOWN_EVERY, EPOCHS, 20, label="epoch", step=SHOWN_EVERY),
        "hidden": Choice("8", "32", default="32", label="hidden units"),
        "lr": Float(0.015, 1.5, 0.15, label="learning rate", log=True, step=0.1),
        "seed": Int(0, 5, 0, label="seed of weights"),
    }
    size = (style.WIDTH, 3.7)

    def compute(self, epoch, hidden, lr, seed):
        """The curves of one training, and the state at one epoch.

        Returns
        -------
        dict : loss, accuracy, on the test images, and training, the loss on the training images, each (60,), measured after
            every second epoch; epoch; now, the place of that epoch in them.
        """
        return {"epoch": epoch, "now": epoch // SHOWN_EVERY - 1, **_trained(int(hidden), lr, seed)}

    def draw(self, figure, data):
        left, right = figure.subplots(1, 2)
        epochs = np.arange(SHOWN_EVERY, EPOCHS + 1, SHOWN_EVERY)
        left.set(title="Loss", xlabel="epoch", ylabel="mean cross-entropy", xlim=(0, EPOCHS + 1), ylim=(0, 2.5))
        right.set(title="Accuracy on new images", xlabel="epoch", ylabel="share that is right", xlim=(0, EPOCHS + 1), ylim=(0, 1))
        left.axhline(np.log(10), color=style.MUTED, linewidth=1, linestyle=":")
        left.text(EPOCHS, np.log(10) - 0.03, "log 10", horizontalalignment="right", verticalalignment="top", fontsize=9)
        (loss,) = left.plot(epochs, epochs * 0, color=style.LINE, label="new images")
        (training,) = left.plot(epochs, epochs * 0, "--", color=style.SECOND, label="training images")
        (accuracy,) = right.plot(epochs, epochs * 0, color=style.LINE)
        dots = [axes.plot([], [], "o", color=style.GRADIENT, markersize=8, clip_on=False)[0] for axes in (left, right)]
        left.legend(loc="upper center", bbox_to_anchor=(0.5, 0.88), ncols=2, fontsize=8.5)
        return {"loss": loss, "training": training, "accuracy": accuracy, "dots": dots}

    def update(self, artists, data):
        for name in ("loss", "training", "accuracy"):
            artists[name].set_ydata(np.minimum(data[name], 2.5))
        for dot, name in zip(artists["dots"], ("loss", "accuracy")):
            dot.set_data([data["epoch"]], [min(data[name][data["now"]], 2.5)])

    def describe(self, values, data):
        now, best = data["now"], int(data["loss"].argmin())
        loss, right = data["loss"], data["accuracy"]
        words = f"After epoch {data['epoch']} the loss on new images is {loss[now]:.3f}, {right[now]:.1%} are right. "
        words += f"The loss was smallest after epoch {SHOWN_EVERY * (best + 1)}: {loss[best]:.3f}, with {right[best]:.1%} right."
        if now > best and loss[now] > loss[best] + 0.02 and right[now] >= right[best]:
            words += " Since then the loss has risen and the accuracy has not fallen: it is surer, also where it is wrong."
        return words


@lru_cache(maxsize=16)
def _trained(hidden, lr, seed):
    x_train, y_train, x_test, y_test = _small_images()
    net = Sequential(Linear(196, hidden, init="he", rng=seed), ReLU(), Linear(hidden, 10, rng=seed + 1))
    loss, training, found = SoftmaxCrossEntropy(), [], []

    def note(history, epoch):
        if len(history.epoch_loss) % SHOWN_EVERY == 0:
            training.append(history.epoch_loss[-1])
            found.append(evaluate(net, loss, x_test, y_test))

    fit(net, loss, x_train, y_train, epochs=EPOCHS, batch_size=30, lr=lr, rng=seed, progress=False, on_epoch=note)
    return {"loss": np.array([value for value, _ in found]), "accuracy": np.array([share for _, share in found]),
            "training": np.array(training)}


@lru_cache(maxsize=1)
def _small_images():
    """Images of half the side, so that a training takes a fraction of a second."""
    data = datasets.fashion(np.float32)
    halves = [x[:count].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196)
              for x, count in ((data.x_train, TRAIN), (data.x_test, TEST))]
    return halves[0], data.y_train[:TRAIN], halves[1], data.y_test[:TEST]
