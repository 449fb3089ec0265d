"""What each cure of chapter 11 brings in the same time: `python benchmarks/cures.py [--seconds 2]`.

Every entrant is the lesson's network of 30 layers on 3,000 real images, with the best of its three learning rates. They take
turns, some steps each, so that whatever else the machine does hits all alike, until each has had the same number of seconds. The
table shows accuracy on 2,000 test images then, the steps that fitted in, and what a step costs beside one of the plain
network of sigmoids. One thread; the median and the range over seeds of weights and batches.
"""
import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bplib import SGD, SoftmaxCrossEntropy, clip_by_global_norm, evaluate  # noqa: E402
from course.ch09_real_network import labs as network  # noqa: E402
from course.ch11_cures import CureRace  # noqa: E402
from course.ch11_cures.labs import thirty  # noqa: E402

RATES, SEEDS, TURN = (0.01, 0.05, 0.2), 3, 10
RECIPES = {  # activation, start, normalisation, residual, clip
    "sigmoid": ("sigmoid", "Xavier", "none", False, False),
    "sigmoid, clip": ("sigmoid", "Xavier", "none", False, True),
    "tanh, Xavier": ("tanh", "Xavier", "none", False, False),
    "ReLU, He": ("ReLU", "He", "none", False, False),
    "ReLU, He, clip": ("ReLU", "He", "none", False, True),
    "sigmoid, batch norm": ("sigmoid", "Xavier", "batch", False, False),
    "sigmoid, layer norm": ("sigmoid", "Xavier", "layer", False, False),
    "sigmoid, residual": ("sigmoid", "Xavier", "none", True, False),
    "tanh, residual": ("tanh", "Xavier", "none", True, False),
    "ReLU, He, batch norm, residual": ("ReLU", "He", "batch", True, False),
    "ReLU, He, layer norm, residual": ("ReLU", "He", "layer", True, False),
}


class Entrant:
    """A network in training, with the seconds and steps that it has had; `finite` says that it has not broken off."""

    def __init__(self, recipe, lr, seed):
        activation, start, normalization, residual, clip = recipe
        self.net, self.loss = thirty(activation, start, normalization, residual, seed=seed), SoftmaxCrossEntropy()
        self.optimiser = SGD(self.net, lr, clip=(lambda grads: clip_by_global_norm(grads, 1.0)) if clip else None)
        self.rng, self.order = np.random.default_rng(seed + 100), np.empty(0, int)
        self.seconds, self.steps, self.finite = 0.0, 0, True

    def turn(self, x, y):
        """Take some steps; time that others need does not count."""
        start = time.perf_counter()
        for _ in range(TURN):
            if len(self.order) < CureRace.batch:
                self.order = self.rng.permutation(len(x))
            rows, self.order = self.order[:CureRace.batch], self.order[CureRace.batch:]
            value = self.loss.forward(self.net.forward(x[rows], training=True), y[rows])
            self.net.backward(self.loss.backward())
            self.optimiser.step()
            self.finite = self.finite and np.isfinite(value)
        self.seconds += time.perf_counter() - start
        self.steps += TURN

    def accuracy(self, x, y):
        """The share of right answers; 0 where the numbers are no longer finite."""
        finite = self.finite and all(np.isfinite(param).all() for param in self.net.params.values())
        return evaluate(self.net, self.loss, x, y)[1] if finite else 0.0


def main():
    """Train all side by side, and print the table."""
    parser = argparse.ArgumentParser(description="Accuracy of each cure of chapter 11 after the same time.")
    parser.add_argument("--seconds", type=float, default=2.0, help="training time of each entrant and learning rate")
    seconds = parser.parse_args().seconds
    x, y, x_test, y_test = network.images()
    entrants = {(name, lr, seed): Entrant(recipe, lr, seed)
                for name, recipe in RECIPES.items() for lr in RATES for seed in range(SEEDS)}
    with threadpool_limits(1), np.errstate(all="ignore"), tqdm(total=len(entrants)) as bar:
        waiting = dict(entrants)
        while waiting:
            for key, entrant in list(waiting.items()):
                entrant.turn(x, y)
                if entrant.seconds >= seconds or not entrant.finite:
                    del waiting[key]
                    bar.update()
        shares = {key: entrant.accuracy(x_test, y_test) for key, entrant in entrants.items()}
    plain = statistics.median(entrants["sigmoid", lr, seed].seconds / entrants["sigmoid", lr, seed].steps
                              for lr in RATES for seed in range(SEEDS))
    print(f"after {seconds:g} s of training each; accuracy: median (lowest to highest) of {SEEDS} seeds, at the best rate")
    for name in RECIPES:
        best = max(RATES, key=lambda lr, name=name: statistics.median(shares[name, lr, seed] for seed in range(SEEDS)))
        found = sorted(shares[name, best, seed] for seed in range(SEEDS))
        steps = statistics.median(entrants[name, best, seed].steps for seed in range(SEEDS))
        cost = statistics.median(entrants[name, lr, seed].seconds / entrants[name, lr, seed].steps / plain
                                 for lr in RATES for seed in range(SEEDS))
        print(f"{name:32s} {statistics.median(found):4.0%} ({found[0]:.0%} to {found[-1]:.0%})   lr {best:<5}"
              f"{steps:6.0f} steps   a step costs {cost:.1f} x")


if __name__ == "__main__":
    main()
