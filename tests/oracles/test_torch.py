"""Against PyTorch in float64, to 1e-10: layers, nets, losses, and the extremes."""

import numpy as np
import pytest

from bplib import (
    ELU,
    GELU,
    MSE,
    SGD,
    BatchNorm,
    BinaryCrossEntropy,
    Dropout,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    Loss,
    Momentum,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
)
from bplib.layers import flat
from tests.battery import close
from tests.exported import exported

SHAPES = [(1, 3, 2), (4, 5, 3), (7, 2, 6), (3, 1, 1), (16, 9, 4)]
ACTIVATIONS = {
    "Sigmoid": (Sigmoid, lambda torch: torch.nn.Sigmoid()),
    "Tanh": (Tanh, lambda torch: torch.nn.Tanh()),
    "ReLU": (ReLU, lambda torch: torch.nn.ReLU()),
    "LeakyReLU": (LeakyReLU, lambda torch: torch.nn.LeakyReLU(0.01)),
    "ELU": (ELU, lambda torch: torch.nn.ELU()),
    "GELU": (GELU, lambda torch: torch.nn.GELU(approximate="tanh")),
    "Softmax": (Softmax, lambda torch: torch.nn.Softmax(dim=1)),
}
LOSSES = {
    "MSE": (MSE, lambda torch: torch.nn.MSELoss(), lambda rng, n, k: rng.standard_normal((n, k))),
    "BinaryCrossEntropy": (
        BinaryCrossEntropy,
        # PyTorch's mean is over every entry, ours over the examples.
        lambda torch: lambda z, y: torch.nn.BCEWithLogitsLoss(reduction="sum")(z, y) / len(z),
        lambda rng, n, k: rng.uniform(0, 1, (n, k)),
    ),
    "SoftmaxCrossEntropy": (
        SoftmaxCrossEntropy,
        lambda torch: torch.nn.CrossEntropyLoss(),
        lambda rng, n, k: rng.integers(0, k, n),
    ),
}
CLOSE = 1e-10


def tensor(torch, array, grad=False):
    return torch.tensor(array, requires_grad=grad)


def theirs(torch, ours):
    """The same net in PyTorch, with our weights (theirs are stored transposed)."""
    modules = []
    for _, layer in flat(ours):
        if isinstance(layer, Linear):
            module = torch.nn.Linear(layer.n_in, layer.n_out, dtype=torch.float64)
            with torch.no_grad():
                module.weight.copy_(torch.tensor(layer.params["W"].T))
                module.bias.copy_(torch.tensor(layer.params["b"]))
        else:
            module = ACTIVATIONS[type(layer).__name__][1](torch)
        modules.append(module)
    return torch.nn.Sequential(*modules)


def test_every_activation_and_loss_is_compared():
    below = {"Linear", "Sequential", "BatchNorm", "LayerNorm", "Residual", "Dropout"}
    assert set(exported(Layer)) - below == set(ACTIVATIONS)
    assert set(exported(Loss)) == set(LOSSES)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(torch, rng, name, shape):
    n, d, _ = shape
    x = 3 * rng.standard_normal((n, d))
    dy = rng.standard_normal((n, d))
    ours, x_theirs = ACTIVATIONS[name][0](), tensor(torch, x, grad=True)
    y = ACTIVATIONS[name][1](torch)(x_theirs)
    y.backward(tensor(torch, dy))
    close(ours.forward(x), y.detach().numpy(), "output", CLOSE)
    close(ours.backward(dy), x_theirs.grad.numpy(), "dx", CLOSE)


@pytest.mark.parametrize("value", [0.0, -0.0])
@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU"])
def test_the_convention_at_the_corner_is_pytorchs(torch, name, value):
    x = tensor(torch, np.array([[value]]), grad=True)
    ACTIVATIONS[name][1](torch)(x).sum().backward()
    ours = ACTIVATIONS[name][0]()
    ours.forward(np.array([[value]]))
    assert ours.backward(np.ones((1, 1))).item() == x.grad.item()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["Sigmoid", "Tanh", "ReLU", "LeakyReLU"])
def test_net_and_loss(torch, rng, activation, loss, shape):
    n, d, k = shape
    make = ACTIVATIONS[activation][0]
    net = Sequential(Linear(d, 6, rng=rng), make(), Sequential(Linear(6, 5, rng=rng), make()), Linear(5, k, rng=rng))
    for name, param in net.params.items():
        if name.endswith("b"):
            param[...] = rng.standard_normal(param.shape)
    x, (ours, oracle, targets) = rng.standard_normal((n, d)), LOSSES[loss]
    y, ours = targets(rng, n, k), ours()
    value = ours.forward(net.forward(x), y)
    dx = net.backward(ours.backward())

    other, x_theirs = theirs(torch, net), tensor(torch, x, grad=True)
    expected = oracle(torch)(other(x_theirs), tensor(torch, y))
    expected.backward()
    assert value == pytest.approx(expected.item(), rel=CLOSE)
    close(dx, x_theirs.grad.numpy(), "dx", CLOSE)
    modules = [module for module in other if isinstance(module, torch.nn.Linear)]
    layers = [layer for _, layer in flat(net) if isinstance(layer, Linear)]
    for layer, module in zip(layers, modules, strict=True):
        close(layer.grads["W"], module.weight.grad.numpy().T, "dW", CLOSE)
        close(layer.grads["b"], module.bias.grad.numpy(), "db", CLOSE)


@pytest.mark.parametrize("size", [30.0, 1e2, 1e4])
@pytest.mark.parametrize("loss", ["BinaryCrossEntropy", "SoftmaxCrossEntropy"])
def test_losses_at_extreme_logits(torch, rng, loss, size):
    make, oracle, _ = LOSSES[loss]
    z = size * rng.choice([-1.0, 1.0], (12, 3))
    y = rng.integers(0, 3, 12) if loss == "SoftmaxCrossEntropy" else rng.integers(0, 2, (12, 3)).astype(float)
    ours, z_theirs = make(), tensor(torch, z, grad=True)
    value = ours.forward(z, y)
    expected = oracle(torch)(z_theirs, tensor(torch, y))
    expected.backward()
    assert np.isfinite(value)
    assert value == pytest.approx(expected.item(), rel=CLOSE)
    close(ours.backward(), z_theirs.grad.numpy(), "gradient", CLOSE)


@pytest.mark.parametrize("momentum", [None, 0.0, 0.9])
def test_steps_of_sgd_and_momentum(torch, rng, momentum):
    net = Sequential(Linear(4, 3, rng=1), Tanh(), Linear(3, 2, rng=2))
    x, y = rng.standard_normal((5, 4)), np.arange(5) % 2
    other, loss = theirs(torch, net), SoftmaxCrossEntropy()
    ours = SGD(net, 0.3) if momentum is None else Momentum(net, 0.3, momentum)
    optimiser = torch.optim.SGD(other.parameters(), lr=0.3, momentum=momentum or 0)
    for _ in range(5):
        loss.forward(net.forward(x), y)
        net.backward(loss.backward())
        ours.step()
        optimiser.zero_grad()
        torch.nn.CrossEntropyLoss()(other(tensor(torch, x)), tensor(torch, y)).backward()
        optimiser.step()
    close(net.params["0.W"], other[0].weight.detach().numpy().T, "W", CLOSE)
    close(net.params["2.b"], other[2].bias.detach().numpy(), "b", CLOSE)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", ["BatchNorm", "LayerNorm"])
@pytest.mark.parametrize("shape", [(2, 3), (7, 4), (16, 2)])
def test_normalisation(torch, rng, name, training, shape):
    n, d = shape
    if name == "LayerNorm":
        ours, module = LayerNorm(d), torch.nn.LayerNorm(d, dtype=torch.float64)
    else:
        ours, module = BatchNorm(d, momentum=0.3), torch.nn.BatchNorm1d(d, momentum=0.3, dtype=torch.float64)
    for ours_name, theirs_name in (("gamma", "weight"), ("beta", "bias")):
        ours.params[ours_name][...] = rng.standard_normal(d)
        getattr(module, theirs_name).data = torch.tensor(ours.params[ours_name].copy())
    for _ in range(3):  # so that the running statistics have a history
        first = 2 + 3 * rng.standard_normal((n, d))
        ours.forward(first, training=True)
        module(tensor(torch, first))
    module.train(training)
    x, dy = 1 + 2 * rng.standard_normal((n, d)), rng.standard_normal((n, d))
    x_theirs = tensor(torch, x, grad=True)
    y = module(x_theirs)
    y.backward(tensor(torch, dy))
    close(ours.forward(x, training=training), y.detach().numpy(), "output", CLOSE)
    close(ours.backward(dy), x_theirs.grad.numpy(), "dx", CLOSE)
    close(ours.grads["gamma"], module.weight.grad.numpy(), "dgamma", CLOSE)
    close(ours.grads["beta"], module.bias.grad.numpy(), "dbeta", CLOSE)
    if name == "BatchNorm":
        close(ours.buffers["mean"], module.running_mean.numpy(), "running mean", CLOSE)
        close(ours.buffers["var"], module.running_var.numpy(), "running variance", CLOSE)


def test_residual(torch, rng):
    block = Residual(Linear(4, 6, rng=1), Tanh(), Linear(6, 4, rng=2))
    module = theirs(torch, Sequential(*block))
    x, dy = rng.standard_normal((5, 4)), rng.standard_normal((5, 4))
    x_theirs = tensor(torch, x, grad=True)
    y = x_theirs + module(x_theirs)
    y.backward(tensor(torch, dy))
    close(block.forward(x), y.detach().numpy(), "output", CLOSE)
    close(block.backward(dy), x_theirs.grad.numpy(), "dx", CLOSE)
    close(block.grads["0.W"], module[0].weight.grad.numpy().T, "dW", CLOSE)


def test_dropout_with_its_own_mask(torch, rng):
    layer, x, dy = Dropout(0.3, rng=4), rng.standard_normal((6, 5)), rng.standard_normal((6, 5))
    y = layer.forward(x, training=True)
    x_theirs = tensor(torch, x, grad=True)
    theirs_y = x_theirs * tensor(torch, (y != 0) / 0.7)
    theirs_y.backward(tensor(torch, dy))
    close(y, theirs_y.detach().numpy(), "output", CLOSE)
    close(layer.backward(dy), x_theirs.grad.numpy(), "dx", CLOSE)


@pytest.mark.parametrize("limit", [0.01, 1.0, 1e3])
def test_clipping(torch, rng, limit):
    grads = {"0.W": 3 * rng.standard_normal((4, 3)), "0.b": rng.standard_normal(3)}

    def of_theirs(clip):
        params = [torch.nn.Parameter(torch.zeros(grad.shape, dtype=torch.float64)) for grad in grads.values()]
        for param, grad in zip(params, grads.values()):
            param.grad = tensor(torch, grad.copy())
        clip(params)
        return [param.grad.numpy() for param in params]

    def alone(params):
        for param in params:
            torch.nn.utils.clip_grad_norm_([param], limit)

    pairs = (
        (clip_by_value, lambda params: torch.nn.utils.clip_grad_value_(params, limit), CLOSE),
        # PyTorch adds 1e-6 to the norm before it divides.
        (clip_by_global_norm, lambda params: torch.nn.utils.clip_grad_norm_(params, limit), 2e-6),
        (clip_by_norm, alone, 2e-6),
    )
    for ours, clip, tolerance in pairs:
        for got, expected in zip(ours(grads, limit).values(), of_theirs(clip)):
            close(got, expected, ours.__name__, tolerance)


def test_the_comparison_sees_a_transposed_weight(torch):
    net = Sequential(Linear(3, 3, rng=1))
    other = theirs(torch, net)
    with pytest.raises(AssertionError):
        close(net.params["0.W"], other[0].weight.detach().numpy(), "W", CLOSE)
