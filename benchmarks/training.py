"""How well and how fast lesson 09's network learns, beside PyTorch.

The training is that of the lesson: 784-128-10, 50,000 images (10,000 and their shifted copies), eight epochs with batches of
128, momentum, a falling rate. Both programs start from the same weights and see the same batches; what is timed is the
training alone, without `fit`'s record of each step. One thread each.
"""
import statistics
import time

import numpy as np

from benchmarks.core import absent, at_most, attempt, pytorch, threads
from bplib import Linear, Momentum, ReLU, Sequential, SoftmaxCrossEntropy, datasets, evaluate
from bplib.layers import fill_grads

EPOCHS, BATCH, RATE = 8, 128, 0.02
MOVES = ((0, 1), (0, -1), (1, 0), (-1, 0))
WORK, PEER = "the whole training of lesson 09, without fit's record", "PyTorch CPU eager"
NAMES = ("0.W", "0.b", "2.W", "2.b")


def images():
    """Training images with their shifted copies, and test images, standardised."""
    data = datasets.fashion()
    mean, spread = data.x_train.mean(), data.x_train.std()
    pictures = ((data.x_train - mean) / spread).reshape(-1, 28, 28)
    copies = [pictures, *(np.roll(pictures, move, axis=(1, 2)) for move in MOVES)]
    x = np.concatenate(copies).reshape(-1, 784)
    return x, np.tile(data.y_train, len(copies)), (data.x_test - mean) / spread, data.y_test


def network(seed):
    """784-128-10 with random weights."""
    rng = np.random.default_rng(seed)
    return Sequential(Linear(784, 128, init="he", rng=rng), ReLU(), Linear(128, 10, init="he", rng=rng))


def batches(n, seed):
    """The learning rate and the rows of every step."""
    rng = np.random.default_rng(seed)
    for epoch in range(EPOCHS):
        order = rng.permutation(n)
        for start in range(0, n, BATCH):
            yield RATE * (1 - epoch / EPOCHS), order[start:start + BATCH]


def ours(net, x, y, seed):
    """Train with bplib's layers."""
    loss, optimiser = SoftmaxCrossEntropy(), Momentum(net, RATE)
    for optimiser.lr, rows in batches(len(x), seed):
        loss.forward(net.forward(x[rows], training=True), y[rows])
        fill_grads(net, loss.backward())
        optimiser.step()


def theirs(torch, net, x, y, seed):
    """Train a copy of the network with PyTorch; its weights go into `net` at the end. Returns the seconds."""
    model = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)).double()
    with torch.no_grad():
        for param, name in zip(model.parameters(), NAMES):
            param.copy_(torch.tensor(net.params[name].T))
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
    images, labels = torch.tensor(x), torch.tensor(y)
    start = time.perf_counter()
    for rate, rows in batches(len(x), seed):
        optimiser.param_groups[0]["lr"] = rate
        optimiser.zero_grad()
        rows = torch.from_numpy(rows)
        torch.nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
        optimiser.step()
    seconds = time.perf_counter() - start
    for param, name in zip(model.parameters(), NAMES):
        net.params[name][...] = param.detach().numpy().T
    return seconds


def rows(rounds=1):
    """The row of this group; `rounds` trainings of each program, one seed after the other."""
    yield attempt(WORK, PEER, "at most 0.8 x", lambda: _row(rounds))


def _row(rounds):
    torch = pytorch()
    if not torch:
        return absent(WORK, PEER, "at most 0.8 x", "PyTorch is not installed")
    x, y, x_test, y_test = images()
    ratios, shares, gaps = [], [], []
    with threads(1):
        for seed in range(rounds):
            net, twin = network(seed), network(seed)
            start = time.perf_counter()
            ours(net, x, y, seed)
            seconds = time.perf_counter() - start
            ratios.append(seconds / theirs(torch, twin, x, y, seed))
            shares.append([evaluate(each, SoftmaxCrossEntropy(), x_test, y_test)[1] for each in (net, twin)])
            gaps += [np.abs(net.params[name] - twin.params[name]).max() for name in NAMES]
    words = (f"{seconds:.1f} s; test accuracy {np.mean(shares, axis=0)[0]:.2%}, PyTorch {np.mean(shares, axis=0)[1]:.2%}; "
             f"largest difference of a weight {max(gaps):.0e}")
    return at_most(WORK, PEER, 0.8, statistics.median(ratios), note=words)
