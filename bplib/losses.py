"""A loss says in one number how wrong the predictions are. Its gradient is where backpropagation begins.

Each loss is two pure functions that stand side by side, `value` and `gradient`; `forward` and `backward` check what they
are given and call them.
"""
import numpy as np

from bplib import _require
from bplib.activations import Sigmoid, Softmax


class Loss:
    """L = value(y_hat, y), one number for the batch; dL/dy_hat = gradient(y_hat, y), of y_hat's shape."""

    _cache = None

    def value(self, y_hat, y):
        """The loss, by its formula."""
        raise NotImplementedError

    def gradient(self, y_hat, y):
        """dL/dy_hat, by its formula."""
        raise NotImplementedError

    def check(self, y_hat, y):
        """Both as arrays that fit each other; a TypeError or ValueError where they do not."""
        return _require.same_shape(y_hat, y, self)

    def forward(self, y_hat, y):
        """The loss as a float. Keeps what backward needs.

        Raises
        ------
        TypeError, ValueError : prediction and target are not real numbers of the shapes that the loss expects.
        """
        self._cache = self.check(y_hat, y)
        return float(self.value(*self._cache))

    def backward(self):
        """dL/dy_hat for the last forward, a new array. RuntimeError where there was no forward."""
        return self.gradient(*_require.forward_first(self._cache, self))

    def __repr__(self):
        return f"{type(self).__name__}()"


class MSE(Loss):
    """Mean squared error, L = (1/N) sum (y_hat - y)^2 over all N entries; dL/dy_hat = (2/N) (y_hat - y).

    Parameters
    ----------
    half : True puts 1/2 in front, so that the 2 of the derivative cancels: dL/dy_hat = (1/N) (y_hat - y).

    Shapes: y_hat and y alike, for example (n, 1). Never broadcast.
    Source: the method of least squares, Legendre 1805 and Gauss 1809.
    """

    def __init__(self, half=False):
        self.half = bool(half)
        self.scale = 0.5 if half else 1.0

    def value(self, y_hat, y):
        return self.scale * ((y_hat - y)**2).sum() / y_hat.size

    def gradient(self, y_hat, y):
        return self.scale * 2 * (y_hat - y) / y_hat.size

    def __repr__(self):
        return f"MSE(half={self.half})"


class BinaryCrossEntropy(Loss):
    """How surprised a yes-or-no prediction is by the truth, from the logit z (no sigmoid before it).

    With p = sigmoid(z) the probability of "yes",

        L = -(1/n) sum (y log p + (1 - y) log(1 - p)) = (1/n) sum (log(1 + e^z) - y z)
        dL/dz = (p - y) / n

    The second form never takes the log of zero; it is finite for logits of 10,000 and more.

    Shapes: z and y alike, (n,) or (n, k); the mean is over the n examples, several outputs of one example add up.
    y holds 0 and 1, or probabilities between them. Source: Cox 1958, "The regression analysis of binary sequences".

    Raises
    ------
    ValueError : y is not between 0 and 1.
    """

    def check(self, y_hat, y):
        z, y = super().check(y_hat, y)
        if not (y.min() >= 0 and y.max() <= 1):
            raise ValueError(f"{self}: expected targets y from 0 to 1, got values from {y.min()} to {y.max()}.")
        return z, y

    def value(self, y_hat, y):
        z = y_hat
        top = np.maximum(z, 0)
        rest = np.log1p(np.exp(z - 2 * top))  # log(1 + e^z) = top + rest, the exponent is -|z|
        return np.sum((top - y * z) + rest) / len(z)  # where y = 1 the large numbers cancel first, and the rest is exact

    def gradient(self, y_hat, y):
        return (Sigmoid().f(y_hat) - y) / len(y_hat)


class SoftmaxCrossEntropy(Loss):
    """How surprised a prediction among k classes is by the true class, from the logits z (no softmax before it).

    With p = softmax(z) and c the true class of an example,

        L = -(1/n) sum log p_c = (1/n) sum (log sum_j e^(z_j) - z_c)
        dL/dz = (p - one_hot(y)) / n

    The largest logit of each row is taken off first, so no exponential overflows (the log-sum-exp trick).

    Shapes: logits (n, k); y (n,), integer class labels from 0 to k - 1.
    Source: Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs".

    Raises
    ------
    TypeError, ValueError : y does not hold integers, is one-hot, or names a class that is not there.
    """

    def check(self, y_hat, y):
        return _require.labels(y_hat, y, self)

    def value(self, y_hat, y):
        z = y_hat - y_hat.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(z).sum(axis=1))
        return (log_sum - z[np.arange(len(z)), y]).sum() / len(z)

    def gradient(self, y_hat, y):
        delta = Softmax().f(y_hat)
        delta[np.arange(len(y)), y] -= 1
        return delta / len(y)
