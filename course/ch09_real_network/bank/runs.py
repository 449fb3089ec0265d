"""Chapter 09, third part: train a network to the end, and say from its curves what is wrong with another."""

from functools import cache

import numpy as np

from bplib import datasets
from course.ch09_real_network.bank.passes import backward, relu
from course.grading.core import Exercise, Mutant
from course.grading.kinds import Sealed

GOAL = 0.8  # of the unseen images
GIVEN = 3000  # images to learn from


@cache
def small_images():
    """The images at half their width and height, standardised: training images sorted by class, and the first 1,000 to test."""
    data = datasets.fashion()
    x_train, x_test = (x.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196) for x in (data.x_train, data.x_test[:1000]))
    mean, spread = x_train.mean(), x_train.std()
    by_class = np.argsort(data.y_train, kind="stable")
    return (x_train[by_class] - mean) / spread, data.y_train[by_class], (x_test - mean) / spread, data.y_test[:1000]


def train(x, y, rng, lr=0.1, epochs=10, batch_size=25, scale=1.0, order=None, labels=None):
    """W1, b1, W2, b2 of a network with 32 hidden units; the learning rate falls from epoch to epoch."""
    h, k = 32, 10
    W1, b1 = scale * rng.normal(0, np.sqrt(2 / x.shape[1]), (x.shape[1], h)), np.zeros(h)
    W2, b2 = scale * rng.normal(0, np.sqrt(1 / h), (h, k)), np.zeros(k)
    for done in range(epochs):
        step = lr * (1 - done / epochs)
        rows = rng.permutation(len(x)) if order is None else order
        targets = y[rows] if labels is None else y[labels]
        for start in range(0, len(x), batch_size):
            batch = slice(start, start + batch_size)
            _, dW2, db2, _, dW1, db1 = backward(x[rows[batch]], targets[batch], W1, b1, W2, b2)
            W1, b1, W2, b2 = W1 - step * dW1, b1 - step * db1, W2 - step * dW2, b2 - step * db2
    return W1, b1, W2, b2


def trained(x, y, seed):
    """The same with the usual settings."""
    return train(x, y, np.random.default_rng(seed))


def trained_with(**settings):
    """The same with other settings; "as given" stands for the order in which the images came."""

    def answer(x, y, seed):
        ready = {name: np.arange(len(x)) if value == "as given" else value for name, value in settings.items()}
        return train(x, y, np.random.default_rng(seed), **ready)

    return answer


def trained_in_one_go(x, y, seed):
    """Shuffled once, with momentum."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(x))
    weights = [rng.normal(0, 0.1, (196, 40)), np.zeros(40), rng.normal(0, 0.15, (40, 10)), np.zeros(10)]
    velocity = [np.zeros_like(W) for W in weights]
    for step in range(1500):
        batch = rows[(32 * step + np.arange(32)) % len(x)]
        _, dW2, db2, _, dW1, db1 = backward(x[batch], y[batch], *weights)
        for v, W, dW in zip(velocity, weights, (dW1, db1, dW2, db2)):
            v[...] = 0.8 * v + dW
            W -= 0.03 * (1 - step / 1500) * v
    return weights


def seen_from_outside(answer, x, y, seed):
    """What the trained network does with unseen images, in words."""
    weights = answer(x, y, seed)
    if weights is None or weights is ...:
        return weights
    if not _fits(weights, x.shape[1]):
        return "four arrays"
    W1, b1, W2, b2 = (np.asarray(W, float) for W in weights)
    _, _, unseen, labels = small_images()
    a1 = relu(unseen @ W1 + b1)
    z = a1 @ W2 + b2
    predicted = z.argmax(axis=1)
    share = np.mean(predicted == labels)
    if not np.isfinite(z).all():
        return "not finite"
    if share >= GOAL:
        return "learnt"
    if not b1.any() and not b2.any():
        return "still at the start"
    if np.ptp(W1, axis=1).max() == 0:
        return "units alike"
    if np.mean((a1 > 0).any(axis=0)) < 0.5:
        return "units off"
    if np.bincount(predicted).max() > 0.8 * len(predicted):
        return "one class"
    if share < 0.25:
        return "guessing"
    early = (labels == 0) | (labels == 2)  # trousers, class 1, are never mistaken for long
    return "forgets" if np.mean(predicted[early] == labels[early]) < 0.5 * share else "too early"


def _fits(weights, d):
    try:
        W1, b1, W2, b2 = map(np.shape, weights)
    except (TypeError, ValueError):
        return False
    return W1[:1] == (d,) and b1 == W1[1:] and (*b1, 10) == W2 and b2 == (10,)


class Trained(Exercise):
    """An exercise whose answer is judged by what a network does in the end."""

    def _complaint(self, answer, case, outcome, right):
        words = super()._complaint(answer, case, outcome, right)
        if words and outcome.error is None and outcome.value != right.value:
            return ("The result should be four arrays: W1 (196, h), b1 (h,), W2 (h, 10), b2 (10,)."
                    if outcome.value == "four arrays" else
                    f"Asked for are {GOAL:.0%} of a thousand images that your function never saw.")
        return words


def sorted_images(rng):
    """Some of the small images, sorted by class, and a seed."""
    x, y, _, _ = small_images()
    rows = np.sort(rng.choice(len(x), GIVEN, replace=False))
    return x[rows], y[rows], int(rng.integers(1000))


CAUSES = ("labels shuffled", "rate too small", "fine", "units dead", "not shuffled", "rate too large")  # of runs A to F


def exchanged(one, other):
    """The causes with two of them exchanged."""
    swap = {one: other, other: one}
    return tuple(swap.get(cause, cause) for cause in CAUSES)


def which_runs(answer):
    """Says which letters are right, and never what the others are."""
    if not (isinstance(answer, tuple | list) and len(answer) == len(CAUSES) and all(isinstance(a, str) for a in answer)):
        return "Give six texts in brackets, for the runs A to F in this order."
    unknown = sorted({a for a in answer if a.strip().lower() not in CAUSES})
    if unknown:
        return f"{unknown[0]!r} is not in the list of causes."
    wrong = [letter for letter, a, cause in zip("ABCDEF", answer, CAUSES) if a.strip().lower() != cause]
    return f"{len(CAUSES) - len(wrong)} of 6 are right. Look again at {', '.join(wrong)}."


EXERCISES = (
    Trained(
        id="real_network.train",
        title="Train it yourself",
        points=3,
        reference=trained,
        inputs=sorted_images,
        run=seen_from_outside,
        mutants=(
            Mutant("not-shuffled", trained_with(order="as given"),
                   "Your network has forgotten the first classes. The images come sorted by class, and the last batches hold "
                   "nothing but the last classes. Shuffle before each epoch."),
            Mutant("labels-left-behind", trained_with(labels="as given"),
                   "Your network answers with the last class, whatever it sees. Are the images shuffled and their labels not? "
                   "Then all that the steps can learn is which label came last."),
            Mutant("same-start-for-all-units", trained_with(scale=0.0),
                   "All hidden units are the same. They started with equal weights, get equal gradients, and stay equal. Start "
                   "with random weights."),
            Mutant("one-class-for-all", trained_with(lr=8.0),
                   "Your network gives nearly every image the same class: its hidden units are off for good. That is what a "
                   "learning rate does that is much too large."),
            Mutant("not-finite", trained_with(lr=-1.0),
                   "There are numbers in your network that are infinite or nan. The learning rate is far too large, or the steps "
                   "go uphill."),
            Mutant("never-stepped", trained_with(epochs=0),
                   "The biases are still 0, so no step was ever taken. Does the update change the arrays that you return?"),
            Mutant("as-good-as-guessing", trained_with(lr=1e-5),
                   "Your network is about as good as guessing. The steps are too few or too small, or the images have not "
                   "the labels that belong to them."),
            Mutant("stopped-too-early", trained_with(epochs=1),
                   "It has learnt something, and could learn more: too few epochs, a learning rate that is too small, or last "
                   "steps so large that they throw it about. Print the loss after each epoch; let the learning rate fall."),
        ),
        variants={
            "momentum": trained_in_one_go,
            "large batches": trained_with(batch_size=100, lr=0.3, epochs=20),
            "as a tuple of lists": lambda x, y, seed: tuple(W.tolist() for W in trained(x, y, seed)),
        },
        shown="In each of three trainings, at least 80% of a thousand images came out right, which no network had seen before.",
        hints=("Everything is there: random weights, the loop over epochs, a new order for each, your `epoch` inside.",
               "Weights need a spread of about the square root of 2 over the number of inputs; biases start at 0. "
               "rng.permutation(len(x)) is an order.",
               "32 hidden units, batches of 25 and ten epochs are enough, with a learning rate that falls from 0.1 to nearly 0."),
    ),
    Sealed(
        id="real_network.diagnose",
        title="Six runs, six causes",
        points=2,
        reference=CAUSES,
        words=which_runs,
        mutants=(
            Mutant("slow-for-dead", exchanged("units dead", "rate too small"),
                   "Two of your runs hardly move. In one of them small steps are taken, in the other no step at all: look at the "
                   "update ratio."),
            Mutant("sorted-for-wild", exchanged("not shuffled", "rate too large"),
                   "Two of your runs jump. One jumps at random, the other once each epoch. Which cause has a rhythm?"),
            Mutant("wrong-labels-for-slow", exchanged("labels shuffled", "rate too small"),
                   "Two of your runs are bad on unseen images. One of them gets better and better on its own images: it has "
                   "something to learn by heart."),
            Mutant("wrong-labels-for-fine", exchanged("labels shuffled", "fine"),
                   "A training loss that falls is not enough. Compare the accuracy on training images with that on unseen ones."),
            Mutant("dead-for-wild", exchanged("units dead", "rate too large"),
                   "A learning rate that is too large can kill units, and then nothing moves any more. Which of the two runs "
                   "still moves?"),
            Mutant("slow-for-fine", exchanged("rate too small", "fine"),
                   "Two of your runs fall without a jump. Look how far each has come at the end, and at the update ratio beside "
                   "its guide line."),
        ),
        variants={"as a list": list(CAUSES), "capitals": tuple(cause.capitalize() for cause in CAUSES)},
        shown="You can tell six trainings apart by what they show, without a look at their code.",
        hints=("Begin with the easy ones: which run ends best on unseen images? Which does not move at all?",
               "Then read the update ratio: a thousandth is usual, and far below or above says something about the rate.",
               "Two are left. One has a rhythm of an epoch. The other learns its own images and no others."),
    ),
)
