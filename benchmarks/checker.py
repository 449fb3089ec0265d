"""How fast every entry of a gradient is checked: `python benchmarks/checker.py`.

The network is 784-128-10 on eight images, 101,770 parameters. In one interleaved run: `check_gradients`; the naive loop of
central differences, two forward passes for each parameter (a sample of its entries, extrapolated); and, where PyTorch is
installed, `torch.autograd.gradcheck(fast_mode=True)`, which checks one random projection. One BLAS thread for all.
"""
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bplib import Linear, ReLU, Sequential, SoftmaxCrossEntropy, check_gradients, datasets  # noqa: E402

ROUNDS, SAMPLE, ERROR = 30, 100, 1e-6


class Off(Linear):
    """A Linear of which one entry of the weight gradient is wrong by the factor 1 + ERROR."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.grads["W"][self.at] *= 1 + ERROR
        return dx


def network(first=Linear):
    """784-128-10, He's initialisation before the ReLU."""
    return Sequential(first(784, 128, init="he"), ReLU(), Linear(128, 10, rng=1))


def naive(net, loss, x, y, indices):
    """Central differences of some weights, each with two passes through the whole network."""
    W, h = net.params["0.W"], 1e-5
    for index in indices:
        kept = W[index]
        W[index] = kept + h
        up = loss.forward(net.forward(x), y)
        W[index] = kept - h
        down = loss.forward(net.forward(x), y)
        W[index] = kept
        yield (up - down) / (2 * h)


def torch_fast(x, y, net):
    """The same network's fast check in PyTorch, as a function without arguments; None without PyTorch."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    linear, entropy = torch.nn.functional.linear, torch.nn.functional.cross_entropy
    target = torch.tensor(y)
    inputs = [x, *(net.params[name].T if name.endswith("W") else net.params[name] for name in net.params)]
    tensors = tuple(torch.tensor(np.ascontiguousarray(array), requires_grad=True) for array in inputs)

    def value(x, W1, b1, W2, b2):
        return entropy(linear(linear(x, W1, b1).relu(), W2, b2), target)
    return lambda: torch.autograd.gradcheck(value, tensors, fast_mode=True)


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def located(loss, x, y, rng, tries=40):
    """Of entries that are wrong by the factor 1 + ERROR, how many are found in their place? Entries of zero are left out."""
    right, wrong = network(), network(Off)
    loss.forward(right.forward(x), y)
    right.backward(loss.backward())
    places = rng.permutation(np.argwhere(right.grads["0.W"]))[:tries]
    hits = 0
    for place in map(tuple, places):
        wrong[0].at = place
        finding = check_gradients(wrong, loss, x, y)["0.W"]
        hits += finding.verdict == "mismatch" and finding.worst == place
    return hits, tries


def main():
    data = datasets.fashion()
    x, y = data.x_train[:8].astype(np.float64), data.y_train[:8]
    net, loss, rng = network(), SoftmaxCrossEntropy(), np.random.default_rng(0)
    count = sum(param.size for param in net.params.values())
    indices = [tuple(index) for index in np.column_stack([rng.integers(784, size=SAMPLE), rng.integers(128, size=SAMPLE)])]
    works = {
        "check_gradients, every entry": lambda: check_gradients(net, loss, x, y),
        "naive loop": lambda: list(naive(net, loss, x, y, indices)),
        "torch gradcheck, fast mode": torch_fast(x, y, net),
    }
    works = {name: work for name, work in works.items() if work}
    times = {name: [] for name in works}
    with threadpool_limits(1, user_api="blas"):
        for _ in tqdm(range(ROUNDS), unit="round"):
            for name, work in works.items():
                times[name].append(timed(work))
        hits, tries = located(loss, x, y, rng)
    medians = {name: statistics.median(found) for name, found in times.items()}
    medians["naive loop"] *= count / SAMPLE
    ours = medians["check_gradients, every entry"]
    print(f"{count:,} parameters, batch of 8, float64, medians of {ROUNDS} interleaved rounds")
    for name, seconds in medians.items():
        print(f"{name:30} {1e3 * seconds:10.1f} ms   check_gradients takes {ours / seconds:.2g} of it")
    print(f"one entry wrong by a factor of 1 + {ERROR:g}: found and located {hits} times of {tries}")


if __name__ == "__main__":
    main()
