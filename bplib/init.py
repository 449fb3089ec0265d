"""Where the weights of a layer start. Each rule is one line: a matrix (n_in, n_out) drawn with a certain spread.

The right spread keeps the size of the signal about the same from layer to layer. Chapter 11 derives these rules.
"""
import numpy as np

from bplib import _require


def zeros(n_in, n_out, rng):
    """All zero: every unit of a layer then computes and learns the same thing."""
    return np.zeros((n_in, n_out))


def constant(n_in, n_out, rng):
    """All one (the layer's gain sets the number): as with zeros, every unit computes and learns the same thing."""
    return np.ones((n_in, n_out))


def uniform(n_in, n_out, rng):
    """Even between -1 / sqrt(n_in) and 1 / sqrt(n_in), so a spread of 1 / sqrt(3 n_in): the common habit before 2010.
    Source: LeCun, Bottou, Orr and Mueller 1998, "Efficient backprop"."""
    return rng.uniform(-1, 1, (n_in, n_out)) / np.sqrt(n_in)


def normal(n_in, n_out, rng):
    """Standard normal numbers, spread 1 whatever the width: the habit of the 1990s."""
    return rng.standard_normal((n_in, n_out))


def xavier(n_in, n_out, rng):
    """Spread sqrt(2 / (n_in + n_out)). Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep
    feedforward neural networks"."""
    return rng.standard_normal((n_in, n_out)) * np.sqrt(2 / (n_in + n_out))


def he(n_in, n_out, rng):
    """Spread sqrt(2 / n_in), which makes up for the half that ReLU sets to zero. Source: He, Zhang, Ren and Sun 2015,
    "Delving deep into rectifiers"."""
    return rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)


def orthogonal(n_in, n_out, rng):
    """Columns (or rows, where there are fewer) of length 1 at right angles: no direction is stretched or shrunk.
    Source: Saxe, McClelland and Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks"."""
    tall = rng.standard_normal((max(n_in, n_out), min(n_in, n_out)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diag(r))  # without this the draw would not be uniform over all rotations
    return q if n_in >= n_out else q.T


RULES = {rule.__name__: rule for rule in (zeros, constant, uniform, normal, xavier, he, orthogonal)}


def weights(rule, n_in, n_out, rng):
    """A starting matrix by the name of a rule, or by a function of the same form as the rules.

    Parameters
    ----------
    rule : a key of RULES, or a function (n_in, n_out, rng) -> array (n_in, n_out). rng : a seed or a Generator.

    Raises
    ------
    ValueError : the name is unknown, or the function gave another shape.
    """
    if not callable(rule):
        if not isinstance(rule, str) or rule not in RULES:
            raise ValueError(f"init: expected one of {', '.join(RULES)} or a function, got {rule!r}.")
        rule = RULES[rule]
    W = _require.real(rule(n_in, n_out, _require.generator(rng)), "init", "the starting weights")
    if W.shape != (n_in, n_out):
        raise ValueError(f"init: expected starting weights of shape ({n_in}, {n_out}), got {W.shape}.")
    return W
