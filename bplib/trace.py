"""One forward and one backward pass, written down layer by layer.

`trace` walks the loop that you derive in chapter 06 and keeps a copy of everything it sees. What it returns never
changes afterwards, whatever the network does next.
"""
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LayerRecord:
    """What one layer with parameters did, up to the next layer with parameters.

    Attributes
    ----------
    name : the layer's place in the network, such as "0".
    z : its output, the pre-activation (n, d_out).
    a : what the layers without parameters behind it made of z; z itself where there are none.
    delta : dL/dz, the error term, of z's shape.
    grads : dL/d(parameter) by name.
    slope : f'(z) / steepest of the activation behind it, of z's shape: 1 at its steepest, 0 where it is flat. None
        where no activation follows.
    """

    name: str
    z: np.ndarray
    a: np.ndarray
    delta: np.ndarray
    grads: dict
    slope: np.ndarray | None


class Trace(tuple):
    """LayerRecords, first layer first, and the `loss`."""

    loss: float

    def gradient_norms(self):
        """The length of each parameter's gradient, sqrt of the sum of its squares, by names such as "0.W"."""
        return {f"{record.name}.{name}": float(np.linalg.norm(grad))
                for record in self for name, grad in record.grads.items()}

    def saturation(self, eps=0.01):
        """By layer, the share of activations whose slope is below eps times the steepest one: they pass hardly any
        gradient back. Layers without an activation are left out."""
        return {record.name: float(np.mean(np.abs(record.slope) < eps)) for record in self if record.slope is not None}


def trace(net, loss, x, y, training=False):
    """Run net and loss forward and backward on the batch x, y and return a `Trace` of copies.

    The gradients of `net` are those of this pass afterwards, as after any backward.

    Parameters
    ----------
    net : a Sequential. loss : a Loss. x : (n, d). y : the targets, as the loss expects them.

    Raises
    ------
    What the layers and the loss raise when x and y do not fit.
    """
    outputs = []
    a = x
    for layer in net:
        a = layer.forward(a, training)
        outputs.append(a.copy())
    value = loss.forward(a, y)

    deltas = []
    d = loss.backward()
    for layer in reversed(net.layers):
        deltas.append(d.copy())
        d = layer.backward(d)
    deltas.reverse()

    places = [place for place, layer in enumerate(net) if layer.params]
    ends = [*places[1:], len(net)]
    record = Trace(_record(net, place, end, outputs, deltas) for place, end in zip(places, ends))
    record.loss = value
    return record


def _record(net, place, end, outputs, deltas):
    z = outputs[place]
    grads = {name: grad.copy() for name, grad in net[place].grads.items()}
    slope = None
    if place + 1 < end and hasattr(net[place + 1], "derivative"):
        activation = net[place + 1]
        slope = activation.derivative(z, outputs[place + 1]) / activation.steepest
    return LayerRecord(str(place), z, outputs[end - 1], deltas[place], grads, slope)
