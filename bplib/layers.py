"""A network is made of layers. A layer passes its input forward and sends gradients backward.

Going forward, a layer turns x into its output and keeps what it will need later. Going backward, it is given dy, the
gradient of the loss with respect to its output, and does two things: it stores the gradient of each of its parameters
in `grads`, and it returns dx, the gradient with respect to its input. The layer before takes that dx as its dy.
"""
from types import MappingProxyType

import numpy as np

from bplib import _require, init as rules


class Layer:
    """The promise that every layer keeps: `forward`, `backward`, `params`, `grads`.

    Attributes
    ----------
    params : what is learned, by name. Optimisers update these arrays in place.
    grads : dL/d(parameter), with the names and shapes of `params`; empty before the first backward. Every backward puts
        new arrays here, so a list of kept gradients stays as it was, and there is nothing to set to zero.
    buffers : state that is not learned.
    """

    _cache = None

    def __init__(self):
        self.params, self.grads, self.buffers = {}, {}, {}

    def forward(self, x, training=False):
        """The layer's output for a batch x, rows are examples. Keeps what backward needs.

        Raises
        ------
        TypeError, ValueError : x is not a batch of real numbers of the shape that the layer expects.
        """
        raise NotImplementedError

    def backward(self, dy):
        """Fill `grads` and return dx = dL/dx, of the shape of x, from dy = dL/dy, of the shape of the output.

        Raises
        ------
        RuntimeError : there was no forward.
        TypeError, ValueError : dy is not an array of real numbers of the output's shape.
        """
        raise NotImplementedError

    def __repr__(self):
        return f"{type(self).__name__}()"


class Linear(Layer):
    """Every output is a weighted sum of all inputs, plus a bias: z = x W + b.

    With delta = dL/dz coming back,

        dW = x^T delta            each weight meets every example once, so examples add up
        db = sum of delta's rows  the bias is used once by each example
        dx = delta W^T            each input feeds every output through its weight

    Parameters
    ----------
    n_in, n_out : widths d_in and d_out.
    init : the rule for W, a name in `bplib.init.RULES` or a function (n_in, n_out, rng) -> (n_in, n_out). b starts at
        zero.
    gain : W is multiplied by this number.
    bias : False leaves b out.
    rng : a seed or a numpy Generator.
    dtype : np.float64 or np.float32. Inputs of the other kind follow NumPy's rule: the wider one wins.

    Shapes: x (n, n_in), W (n_in, n_out), b (n_out,), z and delta (n, n_out).

    Raises
    ------
    TypeError, ValueError : a width is not a positive whole number, the gain is not a number, or the rule is unknown or
        gives a wrong shape.
    """

    def __init__(self, n_in, n_out, init="xavier", gain=1.0, bias=True, rng=0, dtype=np.float64):
        super().__init__()
        self.n_in = _require.whole(n_in, "Linear", "n_in")
        self.n_out = _require.whole(n_out, "Linear", "n_out")
        if dtype not in _require.FLOATS:
            raise TypeError(f"Linear: expected dtype np.float64 or np.float32, got {dtype!r}.")
        gain = _require.number(gain, "Linear", "gain")
        W = gain * rules.weights(init, self.n_in, self.n_out, rng)
        self.params["W"] = W.astype(dtype)
        if bias:
            self.params["b"] = np.zeros(self.n_out, dtype)

    def forward(self, x, training=False):
        x = _require.batch(x, self, self.n_in)
        self._cache = x
        z = x @ self.params["W"]
        if "b" in self.params:
            z += self.params["b"]
        return z

    def backward(self, dy):
        return self._fill(dy) @ self.params["W"].T

    def _fill(self, dy):
        x = _require.forward_first(self._cache, self)
        delta = _require.upstream(dy, (len(x), self.n_out), self)
        self.grads = {"W": x.T @ delta}
        if "b" in self.params:
            self.grads["b"] = delta.sum(axis=0)
        return delta

    def __repr__(self):
        return f"Linear({self.n_in}, {self.n_out})"


class Sequential(Layer):
    """Layers in a row: forward goes through them first to last, backward last to first.

    `net[0]` is the first layer, `len(net)` counts them, and `params` and `grads` show those of all layers under names
    such as "0.W": the layer's place, then its own name.

    Shapes: x as the first layer expects it, dy of the shape of the last layer's output.

    Raises
    ------
    TypeError : something that is not a layer. ValueError : no layer at all, or the same layer twice.
    """

    def __init__(self, *layers):
        if not layers:
            raise ValueError("Sequential: expected at least one layer, got none.")
        for layer in layers:
            if not (hasattr(layer, "forward") and hasattr(layer, "backward")) or isinstance(layer, type):
                raise TypeError(f"Sequential: expected layers, got {layer!r}.")
        inner = [id(layer) for _, layer in flat(layers)]
        if len(set(inner)) < len(inner):
            raise ValueError("Sequential: the same layer stands at two places. A layer remembers one forward only; "
                             "make two.")
        self.layers = tuple(layers)

    def forward(self, x, training=False):
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    @property
    def params(self):
        return self._gather("params")

    @property
    def grads(self):
        return self._gather("grads")

    @property
    def buffers(self):
        return self._gather("buffers")

    def _gather(self, kind):
        # Read-only, because a new key here would reach no layer; the arrays themselves can be updated in place.
        return MappingProxyType({f"{place}.{name}": array for place, layer in enumerate(self.layers)
                                 for name, array in getattr(layer, kind).items()})

    def __iter__(self):
        return iter(self.layers)

    def __len__(self):
        return len(self.layers)

    def __getitem__(self, place):
        return self.layers[place]

    def __repr__(self):
        return f"Sequential({', '.join(map(repr, self.layers))})"


class Residual(Sequential):
    """Layers in a row, with a way around them: y = x + f(x), where f is what the layers do.

    Going back, dx = dy + f's own dx: whatever happens on the way through f, dy itself arrives undiminished.

    Shapes: f must give x's shape, for example (n, d) to (n, d). Parameters are named as in a Sequential, "0.W".
    Source: He, Zhang, Ren and Sun 2015, "Deep residual learning for image recognition".

    Raises
    ------
    ValueError : the layers change the shape of x.
    """

    def forward(self, x, training=False):
        x = _require.batch(x, self)
        fx = super().forward(x, training)
        if fx.shape != x.shape:
            raise ValueError(f"{self}: expected layers that keep x's shape {x.shape}, so that x can be added; got {fx.shape}.")
        return x + fx

    def backward(self, dy):
        return dy + super().backward(dy)

    def __repr__(self):
        return f"Residual({', '.join(map(repr, self.layers))})"


def fill_grads(net, dy):
    """Fill `grads` as `net.backward(dy)` does, and return nothing: nobody trains the input, so a `Linear` at the very front
    leaves out its dx, which is a quarter of the work of 784-128-10. A layer with a backward of its own is asked for all of it.

    Raises
    ------
    What `net.backward(dy)` raises.
    """
    # The very functions are compared: a subclass that overrides backward must not be passed over.
    while type(net).backward is Sequential.backward:
        for layer in reversed(net.layers[1:]):
            dy = layer.backward(dy)
        net = net.layers[0]
    (net._fill if type(net).backward is Linear.backward else net.backward)(dy)


def in_a_row(model):
    """Is the model nothing but its layers, one after the other?"""
    return isinstance(model, Sequential) and not isinstance(model, Residual)


def flat(layers, prefix=""):
    """Pairs (name, layer) of all layers, those inside a nested Sequential in its place: "0", "1.0", "1.1", "2"."""
    for place, layer in enumerate(layers):
        if in_a_row(layer):
            yield from flat(layer, f"{prefix}{place}.")
        else:
            yield f"{prefix}{place}", layer
