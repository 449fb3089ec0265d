"""Chapter 09's network beside PyTorch's: the same weights, the same batches, the same steps."""

import re
from pathlib import Path

import numpy as np
import pytest

from bplib import SGD, Linear, Momentum, ReLU, Sequential, SoftmaxCrossEntropy, datasets
from tests.battery import close

LESSON = Path(__file__).parents[3] / "course" / "ch09_real_network" / "lesson.md"
NAMES = ("0.W", "0.b", "2.W", "2.b")


@pytest.fixture(scope="module")
def images():
    data = datasets.fashion()
    return (data.x_train[:1280] - data.x_train.mean()) / data.x_train.std(), data.y_train[:1280]


def network():
    rng = np.random.default_rng(0)
    return Sequential(Linear(784, 128, init="he", rng=rng), ReLU(), Linear(128, 10, rng=rng))


def ported(torch, net):
    """The network in PyTorch, with our weights; theirs are stored transposed."""
    theirs = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)).double()
    with torch.no_grad():
        for param, name in zip(theirs.parameters(), NAMES):
            param.copy_(torch.tensor(net.params[name].T))
    return theirs


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_twenty_steps_side_by_side(torch, images, momentum):
    x, y = images
    net, loss = network(), SoftmaxCrossEntropy()
    optimiser = Momentum(net, 0.02, momentum) if momentum else SGD(net, 0.02)
    theirs = ported(torch, net)
    other = torch.optim.SGD(theirs.parameters(), lr=0.02, momentum=momentum)
    for start in range(0, len(x), 64):
        batch, labels = x[start:start + 64], y[start:start + 64]
        value = loss.forward(net.forward(batch), labels)
        net.backward(loss.backward())
        expected = torch.nn.functional.cross_entropy(theirs(torch.tensor(batch)), torch.tensor(labels))
        other.zero_grad()
        expected.backward()
        assert value == pytest.approx(expected.item(), rel=1e-12)
        for param, name in zip(theirs.parameters(), NAMES):
            close(net.grads[name], param.grad.numpy().T, f"gradient of {name}", 1e-11)
        optimiser.step()
        other.step()
        for param, name in zip(theirs.parameters(), NAMES):
            close(net.params[name], param.detach().numpy().T, name, 1e-11)


def lesson_functions():
    """The functions that the lesson writes by hand, and its comparison with PyTorch."""
    cells = re.findall(r"```\{code-cell\}\n(.*?)```", LESSON.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = {"np": np}
    for name in ("forward", "softmax", "backward", "gap_to_pytorch"):
        cell = next(cell for cell in cells if f"def {name}(" in cell)
        exec(cell.split("\nz2 = ")[0], found)
    return found


def test_the_lesson_s_comparison_finds_no_gap_and_would_find_one(torch, images):
    x, y = images
    found = lesson_functions()
    weights = found["fresh"](0)
    assert 0 < found["gap_to_pytorch"](weights, x[:64], y[:64]) < 1e-12
    right = found["backward"]
    found["backward"] = lambda *all: [1.001 * gradient for gradient in right(*all)]
    assert found["gap_to_pytorch"](weights, x[:64], y[:64]) > 1e-6


def test_without_pytorch_the_comparison_gives_none(images, monkeypatch):
    x, y = images
    found = lesson_functions()
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    assert found["gap_to_pytorch"](found["fresh"](0), x[:8], y[:8]) is None
