"""Backpropagation computes the gradient; an optimiser uses it. That is all the two have to do with each other."""
import numpy as np

from bplib import _require


class SGD:
    """Step against the gradient: param <- param - lr * grad, for every parameter, in place.

    Parameters
    ----------
    net : anything with `params` and `grads`. lr : the learning rate, a positive number. clip : a function of the gradients,
        {name: array}, that gives those to use, for example `lambda grads: clip_by_global_norm(grads, 1.0)`.

    Raises
    ------
    TypeError, ValueError : lr is not a positive number, clip is not a function.

    Source: Robbins and Monro 1951, "A stochastic approximation method".
    """

    def __init__(self, net, lr, clip=None):
        self.net = net
        self.lr = _require.number(lr, type(self).__name__, "lr", above=0)
        if clip is not None and not callable(clip):
            raise TypeError(f"{type(self).__name__}: expected clip to be a function of the gradients, got {clip!r}.")
        self.clip = clip

    def step(self):
        """Update every parameter once; where one cannot be updated, none is.

        Raises
        ------
        RuntimeError : a parameter has no gradient yet. ValueError : a gradient has not its parameter's shape.
        """
        params, grads, who = self.net.params, self.net.grads, type(self).__name__
        for name, param in params.items():
            if name not in grads:
                raise RuntimeError(f"{who}: the parameter {name} has no gradient. Call forward and backward first.")
            if grads[name].shape != param.shape:
                raise ValueError(f"{who}: expected the gradient of {name} to have shape {param.shape}, "
                                 f"got {grads[name].shape}.")
        grads = grads if self.clip is None else self.clip(grads)
        for name, param in params.items():
            param -= self.lr * self.direction(name, grads[name])

    def direction(self, name, grad):
        """What the parameter moves against, of its gradient's shape: here the gradient itself."""
        return grad


class Momentum(SGD):
    """Step against a running sum of gradients, in which the old ones fade:

        v <- momentum * v + grad,   param <- param - lr * v

    Gradients that agree add up, to 1 / (1 - momentum) times one of them; those that alternate cancel.

    Parameters
    ----------
    net : anything with `params` and `grads`. lr : the learning rate, a positive number. momentum : from 0 to less than 1.
    clip : as for SGD.

    Raises
    ------
    TypeError, ValueError : lr is not a positive number, clip is not a function, momentum is not at least 0 and less than 1.

    Source: Polyak 1964, "Some methods of speeding up the convergence of iteration methods".
    """

    def __init__(self, net, lr, momentum=0.9, clip=None):
        super().__init__(net, lr, clip)
        self.momentum = _require.number(momentum, "Momentum", "momentum")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"Momentum: expected momentum to be at least 0 and less than 1, got {momentum}.")
        self.velocity = {}

    def direction(self, name, grad):
        """The running sum, with this gradient in it."""
        self.velocity[name] = self.momentum * self.velocity.get(name, np.zeros_like(grad)) + grad
        return self.velocity[name]


def clip_by_value(grads, limit):
    """Every entry cut to the range from -limit to limit. The direction of the step changes.

    Parameters
    ----------
    grads : {name: array}, left as they are. limit : a positive number.

    Returns
    -------
    {name: array} : new arrays of the same shapes.

    Raises
    ------
    TypeError, ValueError : the limit is not a positive number.

    Source: Mikolov 2012, "Statistical language models based on neural networks".
    """
    limit = _require.number(limit, "clip_by_value", "limit", above=0)
    return {name: np.clip(grad, -limit, limit) for name, grad in grads.items()}


def clip_by_norm(grads, limit):
    """Each array that is longer than the limit is shortened to it, by itself. Parameters, errors: as for `clip_by_value`.

    Source: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural networks".

    Raises
    ------
    TypeError, ValueError : the limit is not a positive number.
    """
    limit = _require.number(limit, "clip_by_norm", "limit", above=0)
    return {name: grad * _shrink(np.linalg.norm(grad), limit) for name, grad in grads.items()}


def clip_by_global_norm(grads, limit):
    """All arrays are shortened by the same factor where together they are longer than the limit, so that the step keeps its
    direction. Parameters, errors: as for `clip_by_value`.

    Source: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural networks".

    Raises
    ------
    TypeError, ValueError : the limit is not a positive number.
    """
    limit = _require.number(limit, "clip_by_global_norm", "limit", above=0)
    factor = _shrink(np.sqrt(sum(np.vdot(grad, grad) for grad in grads.values())), limit)
    return {name: grad * factor for name, grad in grads.items()}


def clip_weights(net, limit):
    """Every parameter cut, in place, to the range from -limit to limit: after a step, to keep weights from growing.

    Source: Arjovsky, Chintala and Bottou 2017, "Wasserstein GAN".

    Raises
    ------
    TypeError, ValueError : the limit is not a positive number.
    """
    limit = _require.number(limit, "clip_weights", "limit", above=0)
    for param in net.params.values():
        np.clip(param, -limit, limit, out=param)


def _shrink(length, limit):
    return float(limit / length) if length > limit else 1.0
