"""How fast every entry of a gradient is checked, and how small an error is found.

The network is 784-128-10 on eight images, 101,770 parameters. Contenders: `check_gradients`; the naive loop of central
differences, two forward passes for each parameter (a sample of its entries, extrapolated); and, where PyTorch is installed,
`torch.autograd.gradcheck(fast_mode=True)`, which checks one random projection.
"""
import numpy as np

from benchmarks.core import absent, at_least, at_most, attempt, milliseconds, pytorch, ratio, threads, turns
from benchmarks.network import image_network
from bplib import Linear, ReLU, Sequential, SoftmaxCrossEntropy, check_gradients, datasets

SAMPLE, ERROR = 100, 1e-6
WORK, NAIVE = "`check_gradients` on all parameters of 784-128-10, entry by entry", "naive loop of central differences"
FAST = "torch gradcheck, fast mode (one random projection)"
WEAK = 400  # the pixel whose row of the weight gradient is zeroed for torch
SMALLEST = "relative error of a single weight's gradient that is found in its place"


class Off(Linear):
    """A Linear of which one entry of the weight gradient is wrong by the factor 1 + ERROR."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.grads["W"][self.at] *= 1 + ERROR
        return dx


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


def torch_fast(torch, x, y, net, zeroed=False):
    """The same network's fast check in PyTorch, as a function without arguments; `zeroed` spoils a row of a gradient."""
    linear, entropy = torch.nn.functional.linear, torch.nn.functional.cross_entropy
    target = torch.tensor(y)
    inputs = [x, *(net.params[name].T if name.endswith("W") else net.params[name] for name in net.params)]
    tensors = tuple(torch.tensor(np.ascontiguousarray(array), requires_grad=True) for array in inputs)

    def spoiled(grad):
        if grad is None:  # torch also tries gradients that are not there
            return None
        grad = grad.clone()
        grad[:, WEAK] = 0
        return grad

    def value(x, W1, b1, W2, b2):
        if zeroed:
            W1 = W1.clone()
            W1.register_hook(spoiled)
        return entropy(linear(linear(x, W1, b1).relu(), W2, b2), target)
    return lambda: torch.autograd.gradcheck(value, tensors, fast_mode=True, raise_exception=not zeroed)


def located(loss, x, y, rng, tries):
    """The share of entries, wrong by the factor 1 + ERROR, that are found in their place. Entries of zero are left out."""
    right = image_network()
    wrong = Sequential(Off(784, 128, init="he"), ReLU(), Linear(128, 10, rng=1))
    loss.forward(right.forward(x), y)
    right.backward(loss.backward())
    places = rng.permutation(np.argwhere(right.grads["0.W"]))[:tries]
    hits = 0
    for place in map(tuple, places):
        wrong[0].at = place
        finding = check_gradients(wrong, loss, x, y)["0.W"]
        hits += finding.verdict == "mismatch" and finding.worst == place
    return hits / tries


def rows(rounds=30):
    """The rows of this group; `rounds` turns."""
    torch, data = pytorch(), datasets.fashion()
    x, y = data.x_train[:8].astype(np.float64), data.y_train[:8]
    net, loss, rng = image_network(), SoftmaxCrossEntropy(), np.random.default_rng(0)
    count = sum(param.size for param in net.params.values())
    indices = list(zip(rng.integers(784, size=SAMPLE), rng.integers(128, size=SAMPLE)))
    contenders = {"check_gradients": lambda: check_gradients(net, loss, x, y),
                  f"naive loop, {SAMPLE} entries": lambda: list(naive(net, loss, x, y, indices))}
    if torch:
        contenders["torch"] = torch_fast(torch, x, y, net)
    found = {}

    def times():
        if not found:
            with threads(1):
                found.update(turns(contenders, rounds))
        return found

    def against_the_loop():
        value = count / SAMPLE * ratio(times(), f"naive loop, {SAMPLE} entries", "check_gradients")
        return at_least(WORK, NAIVE, 1000, value, "x faster", f"{count:,} parameters, batch of 8; {milliseconds(found)}")

    def smallest():
        tries = max(2, rounds)
        with threads(1):
            share = located(loss, x, y, rng, tries)
        words = f"{share:.0%} of {tries} entries wrong by a factor of 1 + {ERROR:g} found and located"
        if torch:
            passed = torch_fast(torch, x, y, net, zeroed=True)()
            words += f"; torch fast mode {'passes' if passed else 'rejects'} a zeroed row"
        value = ERROR if share == 1 else float("inf")
        return at_most(SMALLEST, "torch fast mode: a zeroed row", ERROR, value, "", words)

    yield attempt(WORK, NAIVE, "at least 1,000 x faster", against_the_loop)
    if torch:
        yield attempt(WORK, FAST, "at most 2 x",
                      lambda: at_most(WORK, FAST, 2, ratio(times(), "check_gradients", "torch"), note=milliseconds(times())))
    else:
        yield absent(WORK, FAST, "at most 2 x", "PyTorch is not installed")
    yield attempt(SMALLEST, "torch fast mode: a zeroed row", "at most 1e-06", smallest)
