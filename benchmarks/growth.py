"""How the cost of a step grows with batch, width and depth; what activations weigh; what threads bring under load."""
import statistics
import subprocess
import sys
import tracemalloc

import numpy as np

from benchmarks.core import Row, attempt, threads, turns
from benchmarks.network import image_network, step
from benchmarks.report import table
from bplib import MSE, Linear, Sequential, SoftmaxCrossEntropy, Tanh, datasets
from bplib._threads import LARGE

# What is varied, over which values while the others rest, and the powers that time and memory of activations should follow.
GROWTH = {"batch": ((256, 512, 1024, 2048), 1, 1), "width": ((128, 256, 512, 1024), 2, 1), "depth": ((4, 8, 16, 32), 1, 1)}
BATCHES = (64, 128, 256, 512, 1024)
ROWS = 40_000  # that each number of threads puts through the network in one go: half a second
REST = {"batch": 256, "width": 128, "depth": 4}
SPIN = "while True: pass"


def problem(batch, width, depth):
    """A network of equal layers, its loss and its data."""
    layers = [layer for seed in range(depth) for layer in (Linear(width, width, rng=seed), Tanh())]
    x, y = np.random.default_rng(0).standard_normal((2, batch, width))
    return Sequential(*layers), MSE(), x, y


def slope(values, costs):
    """The power that the costs follow: the slope of the line through log cost over log value."""
    return np.polyfit(np.log(values), np.log(costs), 1)[0]


def stored(net, x):
    """Bytes that forward keeps for backward, measured; and the sum of the sizes of what each layer must keep."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        net.forward(x)
        measured = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    return measured, sum(2 * len(x) * layer.n_out * x.itemsize for layer in net if isinstance(layer, Linear))


def rows(rounds=15):
    """One row: stored activations against the sum of their sizes."""
    yield attempt("memory of stored activations, depth 16", "the sum of their sizes", "1 x, within 5 %", _activations)


def _activations():
    net, _, x, _ = problem(256, 128, 16)
    measured, expected = stored(net, x)
    value = measured / expected
    return Row("memory of stored activations, depth 16", "the sum of their sizes", "1 x, within 5 %", f"{value:.3f} x",
               abs(value - 1) <= 0.05, f"{measured:,} bytes; z and a of each layer")


def sections(rounds=15):
    """Tables of growth, of forward and backward, and of threads."""
    yield "## How cost grows\n"
    yield ("Slopes of log cost over log value, of a step with forward and backward through equal `Linear` and `Tanh` layers, "
           f"while the others rest at batch {REST['batch']}, width {REST['width']}, depth {REST['depth']}; one thread, the "
           f"smallest of {rounds} times. The width's power is 2 in the products and 1 in the activations.\n")
    yield table(["varied", "from", "to", "time: power", "expected", "memory: power", "expected"],
                [_grown(name, rounds) for name in GROWTH])
    yield f"Backward takes {_backward(rounds):.2f} times as long as forward (expected about 2: two products for one).\n"
    yield "## Threads\n"
    yield ("A step of 784-128-10, float64, in ms (medians), by BLAS threads; and the same with another process spinning. "
           "`fit` gives one thread to steps whose largest product has fewer than "
           f"{LARGE:.0e} multiplications, here those of up to {LARGE / 784 / 128:.0f} rows, and the labs give one to all.\n")
    yield table(["batch", "1 thread", "2 threads", "1 thread, under load", "2 threads, under load"],
                [(batch, *_threads(batch, max(1, rounds // 3))) for batch in BATCHES])


def _grown(name, rounds):
    values, time_power, memory_power = GROWTH[name]
    problems = [problem(**REST | {name: value}) for value in values]
    calls = {value: (lambda net=net, loss=loss, x=x, y=y: _pass(net, loss, x, y))
             for value, (net, loss, x, y) in zip(values, problems)}
    with threads(1):
        times = [min(found) for found in turns(calls, rounds, warm=1).values()]
    memory = [stored(net, x)[0] for net, _, x, _ in problems]
    return (name, values[0], values[-1], f"{slope(values, times):.2f}", time_power, f"{slope(values, memory):.2f}", memory_power)


def _pass(net, loss, x, y):
    loss.forward(net.forward(x), y)
    net.backward(loss.backward())


def _backward(rounds):
    net, loss, x, y = problem(256, 512, 4)
    loss.forward(net.forward(x), y)
    dy = loss.backward()
    with threads(1):
        times = turns({"forward": lambda: net.forward(x), "backward": lambda: net.backward(dy)}, rounds)
    return statistics.median(b / a for a, b in zip(times["forward"], times["backward"]))


def _threads(batch, rounds):
    data = datasets.fashion()
    x, y = data.x_train[:batch].astype(np.float64), data.y_train[:batch]
    run = step(image_network(), SoftmaxCrossEntropy(), x, y)

    def medians():
        found = {1: [], 2: []}
        for _ in range(rounds):
            for count, spans in found.items():
                with threads(count):  # not timed: it takes as long as a small step
                    # So long that a process beside it gets its share of the processors.
                    spans += turns({count: run}, 1, repeat=ROWS // batch)[count]
        return [f"{1e3 * statistics.median(spans):.2f}" for spans in found.values()]

    idle = medians()
    spinning = subprocess.Popen([sys.executable, "-c", SPIN])
    try:
        return idle + medians()
    finally:
        spinning.kill()
        spinning.wait()
