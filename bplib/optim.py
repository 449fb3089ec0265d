"""Backpropagation computes the gradient; an optimiser uses it. That is all the two have to do with each other."""
import numpy as np

from bplib import _require


class SGD:
    """Step against the gradient: param <- param - lr * grad, for every parameter, in place.

    Parameters
    ----------
    net : anything with `params` and `grads`. lr : the learning rate, a positive number.

    Raises
    ------
    TypeError, ValueError : lr is not a positive number.

    Source: Robbins and Monro 1951, "A stochastic approximation method".
    """

    def __init__(self, net, lr):
        self.net = net
        self.lr = _require.number(lr, type(self).__name__, "lr", above=0)

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

    Raises
    ------
    TypeError, ValueError : lr is not a positive number, momentum is not at least 0 and less than 1.

    Source: Polyak 1964, "Some methods of speeding up the convergence of iteration methods".
    """

    def __init__(self, net, lr, momentum=0.9):
        super().__init__(net, lr)
        self.momentum = _require.number(momentum, "Momentum", "momentum")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"Momentum: expected momentum to be at least 0 and less than 1, got {momentum}.")
        self.velocity = {}

    def direction(self, name, grad):
        """The running sum, with this gradient in it."""
        v = self.momentum * self.velocity.get(name, np.zeros_like(grad)) + grad
        self.velocity[name] = v
        return v
