"""One step of training, against its floor and against PyTorch: 784-128-10, the XOR network, and a network of 50 layers."""
import statistics
from functools import partial

import numpy as np

from benchmarks.core import absent, at_most, attempt, milliseconds, pytorch, ratio, threads, turns
from benchmarks.report import table
from bplib import MSE, SGD, Linear, ReLU, Sequential, Sigmoid, SoftmaxCrossEntropy, Tanh, datasets
from bplib.layers import fill_grads

RATE = 0.01
TORCH = "PyTorch CPU eager"
FLOOR = "five matrix products and the update, preallocated"


def image_network(dtype=np.float64):
    """784-128-10 with He's initialisation before the ReLU."""
    return Sequential(Linear(784, 128, init="he", dtype=dtype), ReLU(), Linear(128, 10, rng=1, dtype=dtype))


def xor_network():
    """2-2-1 with sigmoids, and the four points."""
    net = Sequential(Linear(2, 2), Sigmoid(), Linear(2, 1, rng=1), Sigmoid())
    return net, np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float), np.array([[0.0], [1], [1], [0]])


def step(net, loss, x, y, backward=None):
    """One step of training, as `fit` does it; `backward` may be net.backward, which works out dL/dx as well."""
    optimiser, backward = SGD(net, RATE), backward or partial(fill_grads, net)

    def run():
        loss.forward(net.forward(x, training=True), y)
        backward(loss.backward())
        optimiser.step()
    return run


def floor(x, W1, W2):
    """The products that a step of 784-128-10 cannot do without, and the update, in arrays that are made once."""
    W1, W2, n = W1.copy(), W2.copy(), len(x)
    z1, z2 = np.empty((n, W1.shape[1]), x.dtype), np.empty((n, W2.shape[1]), x.dtype)
    dz1, dz2 = np.empty_like(z1), np.full_like(z2, 1e-3)
    dW1, dW2 = np.empty_like(W1), np.empty_like(W2)

    def run():
        np.dot(x, W1, out=z1)
        np.dot(z1, W2, out=z2)
        np.dot(z1.T, dz2, out=dW2)
        np.dot(dz2, W2.T, out=dz1)
        np.dot(x.T, dz1, out=dW1)
        for W, dW in ((W1, dW1), (W2, dW2)):
            np.multiply(dW, 1e-9, out=dW)
            np.subtract(W, dW, out=W)
    return run


def torch_step(torch, net, loss, x, y):
    """The same network, weights and step in PyTorch."""
    model = torch_copy(torch, net, x.dtype)
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE)
    x, y = torch.tensor(x), torch.tensor(y)

    def run():
        optimiser.zero_grad()
        loss(model(x), y).backward()
        optimiser.step()
    return run


def torch_copy(torch, net, dtype):
    """A bplib network as a PyTorch module, with the same weights."""
    modules = []
    for layer in net:
        if isinstance(layer, Linear):
            module = torch.nn.Linear(layer.n_in, layer.n_out, dtype=getattr(torch, np.dtype(dtype).name))
            with torch.no_grad():
                module.weight.copy_(torch.tensor(layer.params["W"].T))
                module.bias.copy_(torch.tensor(layer.params["b"]))
            modules.append(module)
        else:
            modules.append(getattr(torch.nn, type(layer).__name__)())
    return torch.nn.Sequential(*modules)


def rows(rounds=150):
    """The rows of this group; `rounds` turns each."""
    for dtype in (np.float32, np.float64):
        for batch in (64, 256):
            yield from _image_rows(dtype, batch, rounds)
    yield attempt("XOR network step", TORCH, "at most 0.12 x", lambda: _xor(rounds))
    yield attempt("depth 50, width 64, batch 128, forward and backward with norms", TORCH, "at most 0.6 x",
                  lambda: _deep(max(1, rounds // 3)))


def _image_rows(dtype, batch, rounds):
    work = f"training step 784-128-10, batch {batch}, {np.dtype(dtype).name}"
    data, torch = datasets.fashion(), pytorch()
    x, y = data.x_train[:batch].astype(dtype), data.y_train[:batch]
    net = image_network(dtype)
    loss = SoftmaxCrossEntropy()
    contenders = {"bplib": step(net, loss, x, y), "with dL/dx": step(net, loss, x, y, net.backward),
                  "floor": floor(x, net.params["0.W"], net.params["2.W"])}
    if torch:
        contenders["PyTorch"] = torch_step(torch, net, torch.nn.functional.cross_entropy, x, y)
    found = {}

    def against(name, peer, goal):
        if not found:
            with threads(1):
                found.update(turns(contenders, max(1, rounds // 3), repeat=10))  # a step follows a step, not another program
        return at_most(work, peer, goal, ratio(found, "bplib", name), note=milliseconds(found))

    yield attempt(work, FLOOR, "at most 1.2 x", lambda: against("floor", FLOOR, 1.2))
    if torch:
        yield attempt(work, TORCH, "at most 0.8 x", lambda: against("PyTorch", TORCH, 0.8))
    else:
        yield absent(work, TORCH, "at most 0.8 x", "PyTorch is not installed")


def _xor(rounds):
    work, torch = "XOR network step", pytorch()
    if not torch:
        return absent(work, TORCH, "at most 0.12 x", "PyTorch is not installed")
    net, x, y = xor_network()
    contenders = {"bplib": step(net, MSE(), x, y), "PyTorch": torch_step(torch, net, torch.nn.functional.mse_loss, x, y)}
    with threads(1):
        times = turns(contenders, rounds, repeat=20)
    return at_most(work, TORCH, 0.12, ratio(times, "bplib", "PyTorch"), note=milliseconds(times))


def _deep(rounds):
    work, torch = "depth 50, width 64, batch 128, forward and backward with norms", pytorch()
    if not torch:
        return absent(work, TORCH, "at most 0.6 x", "PyTorch is not installed")
    layers = [layer for seed in range(50) for layer in (Linear(64, 64, rng=seed), Tanh())]
    net, loss, rng = Sequential(*layers), MSE(), np.random.default_rng(0)
    x, y = rng.standard_normal((2, 128, 64))
    model = torch_copy(torch, net, x.dtype)
    x_torch, y_torch = torch.tensor(x), torch.tensor(y)

    def ours():
        loss.forward(net.forward(x), y)
        net.backward(loss.backward())
        return {name: float(np.linalg.norm(grad)) for name, grad in net.grads.items()}

    def theirs():
        model.zero_grad()
        torch.nn.functional.mse_loss(model(x_torch), y_torch).backward()
        return [float(param.grad.norm()) for param in model.parameters()]

    with threads(1):
        times = turns({"bplib": ours, "PyTorch": theirs}, rounds)
    return at_most(work, TORCH, 0.6, ratio(times, "bplib", "PyTorch"), note=milliseconds(times))


def sections(rounds=150):
    """What the parts of a step take, to see what stands between a step and its floor."""
    data = datasets.fashion()
    lines = []
    for dtype in (np.float32, np.float64):
        for batch in (64, 256):
            x, y = data.x_train[:batch].astype(dtype), data.y_train[:batch]
            lines.append((f"784-128-10, batch {batch}, {np.dtype(dtype).name}",
                          *_parts(image_network(dtype), SoftmaxCrossEntropy(), x, y, rounds)))
    net, x, y = xor_network()
    lines.append(("XOR, 4 points, float64", *_parts(net, MSE(), x, y, rounds)))
    yield "## Where the time of a step goes\n"
    yield ("Medians in µs, one thread. The products are those of the part before them, alone; the rest of that part is biases, "
           "activations and the checks of what comes in, each a call of NumPy that takes about a microsecond or more however "
           "small the arrays are.\n")
    yield table(["step", "forward", "its products", "loss", "backward", "its products", "update"], lines)


def _parts(net, loss, x, y, rounds):
    optimiser = SGD(net, 0.0001)
    loss.forward(net.forward(x), y)
    before, after = [], []  # the products of forward, and those of backward
    delta = loss.backward()
    for layer in reversed(net.layers):
        if isinstance(layer, Linear):
            before.append((layer._cache, layer.params["W"]))
            after.append((layer._cache.T, delta))
            if layer is not net[0]:
                after.append((delta, layer.params["W"].T))
        delta = layer.backward(delta)
    last, delta = net.forward(x), loss.backward()

    def multiply(pairs):
        for one, other in pairs:
            one @ other

    def judge():
        loss.forward(last, y)
        loss.backward()

    parts = {"forward": lambda: net.forward(x), "its products": lambda: multiply(before), "loss": judge,
             "backward": lambda: fill_grads(net, delta), "their products": lambda: multiply(after), "update": optimiser.step}
    with threads(1):
        times = turns(parts, max(1, rounds // 3), repeat=10)
    return [f"{1e6 * statistics.median(found):.0f}" for found in times.values()]
