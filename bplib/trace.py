"""One forward and one backward pass, written down layer by layer.

`trace` walks the loop that you derive in chapter 06 and keeps a copy of everything it sees. What it returns never
changes afterwards, whatever the network does next.
"""
from dataclasses import dataclass

import numpy as np

from bplib.layers import flat


@dataclass(frozen=True)
class LayerRecord:
    """What one layer with parameters did, up to the next layer with parameters.

    Attributes
    ----------
    name : the layer's place in the network, such as "0", or "1.0" inside a nested Sequential.
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
    names, layers = zip(*flat(net))
    outputs = []
    a = x
    for layer in layers:
        a = layer.forward(a, training)
        outputs.append(a.copy())
    value = loss.forward(a, y)

    deltas = []
    d = loss.backward()
    for layer in reversed(layers):
        deltas.append(d.copy())
        d = layer.backward(d)
    deltas.reverse()

    places = [place for place, layer in enumerate(layers) if layer.params]
    ends = [*places[1:], len(layers)]
    record = Trace(_record(names[place], layers[place:end], outputs[place:end], deltas[place])
                   for place, end in zip(places, ends))
    record.loss = value
    return record


def _record(name, layers, outputs, delta):
    first, z = layers[0], outputs[0]
    slope = None
    if len(layers) > 1 and hasattr(layers[1], "derivative"):
        slope = layers[1].derivative(z, outputs[1]) / layers[1].steepest
    return LayerRecord(name, z, outputs[-1], delta, {key: grad.copy() for key, grad in first.grads.items()}, slope)
