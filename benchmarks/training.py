"""How well and how fast chapter 09's network learns, beside PyTorch: `python benchmarks/network.py`.

The training is that of the lesson: 784-128-10, 50,000 images (10,000 and their shifted copies), eight epochs with batches of
128, momentum, a falling rate. Both programs start from the same weights and see the same batches, one seed after the other;
what is timed is the training alone, without `fit`'s record of each step. One thread each.
"""
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bplib import Linear, Momentum, ReLU, Sequential, SoftmaxCrossEntropy, datasets, evaluate, fit  # noqa: E402

EPOCHS, BATCH, RATE, SEEDS = 8, 128, 0.02, 3
MOVES = ((0, 1), (0, -1), (1, 0), (-1, 0))
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
        net.backward(loss.backward())
        optimiser.step()


def recorded(net, x, y, seed):
    """Train with `fit`, which writes down every step and evaluates after each epoch."""
    optimiser = Momentum(net, RATE)

    def slower(history, epoch):
        optimiser.lr = RATE * (1 - (epoch + 1) / EPOCHS)

    fit(net, SoftmaxCrossEntropy(), x, y, EPOCHS, BATCH, optimiser=optimiser, rng=seed, on_epoch=slower, progress=False)


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


def main():
    """Print accuracy and seconds of each program, and how far their weights are apart."""
    try:
        import torch
        torch.set_num_threads(1)
    except ImportError:
        torch = None
    x, y, x_test, y_test = images()
    results, gaps = {}, []
    with threadpool_limits(1):
        for seed in range(SEEDS):
            nets = {}
            for name, train in (("bplib", ours), ("bplib, fit", recorded), ("PyTorch", theirs)):
                if train is theirs and torch is None:
                    continue
                nets[name] = net = network(seed)
                start = time.perf_counter()
                seconds = theirs(torch, net, x, y, seed) if train is theirs else train(net, x, y, seed)
                seconds = seconds or time.perf_counter() - start
                share = evaluate(net, SoftmaxCrossEntropy(), x_test, y_test)[1]
                results.setdefault(name, []).append((share, seconds))
            gaps += [max(np.abs(nets["bplib"].params[name] - net.params[name]).max() for name in NAMES)
                     for net in nets.values()]
    for name, runs in results.items():
        shares, seconds = zip(*runs)
        print(f"{name:10s}  test accuracy {statistics.mean(shares):.2%} (spread {statistics.stdev(shares):.2%}, lowest "
              f"{min(shares):.2%})   {statistics.median(seconds):.1f} s a training")
    print(f"largest difference between the programs' weights after training: {max(gaps):.0e}")


if __name__ == "__main__":
    main()
