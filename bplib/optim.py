"""Backpropagation computes the gradient; an optimiser uses it. That is all the two have to do with each other."""
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
        self.lr = _require.number(lr, "SGD", "lr", above=0)

    def step(self):
        """Update every parameter once; where one cannot be updated, none is.

        Raises
        ------
        RuntimeError : a parameter has no gradient yet. ValueError : a gradient has not its parameter's shape.
        """
        params, grads = self.net.params, self.net.grads
        for name, param in params.items():
            if name not in grads:
                raise RuntimeError(f"SGD: the parameter {name} has no gradient. Call forward and backward first.")
            if grads[name].shape != param.shape:
                raise ValueError(f"SGD: expected the gradient of {name} to have shape {param.shape}, "
                                 f"got {grads[name].shape}.")
        for name, param in params.items():
            param -= self.lr * grads[name]
