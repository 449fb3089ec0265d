"""What the size of signals and gradients should be, layer by layer, before any weight is drawn.

A layer adds up many small random contributions, so by the central limit theorem its pre-activations are normal numbers. How
alike two examples are is then all there is to know of them. Let K (`alike`) be the matrix of the mean products a_i a_j of every
two examples, and D (`deltas`) that of their error terms. Going forward through weights of variance v, and back,

    z-products = n_in v K,   K <- E[f(z_i) f(z_j)]
    D <- n_out v D * E[f'(z_i) f'(z_j)],   |dL/dW|^2 = sum over i, j of (n_in K_ij) (n_out D_ij)

so no weight, only its variance, is needed. Batch normalisation centres K and divides it, layer normalisation only divides it,
a residual adds the K that it was given. The expectations are sums over Hermite polynomials: with h_k the coefficients of f,
E[f(z_i) f(z_j)] = sum h_k^2 c^k for two normal numbers of correlation c.
Sources: Neal 1996, "Bayesian learning for neural networks"; Poole, Lahiri, Raghu, Sohl-Dickstein and Ganguli 2016,
"Exponential expressivity in deep neural networks through transient chaos"; Schoenholz, Gilmer, Ganguli and Sohl-Dickstein
2017, "Deep information propagation"; Yang, Pennington, Rao, Sohl-Dickstein and Schoenholz 2019, "A mean field theory of
batch normalization".
"""
from functools import cache

import numpy as np

NODES, TERMS = 120, 24


@cache
def hermite():
    """Points and weights for means over a standard normal u, and the normalised Hermite polynomials there."""
    u, weights = np.polynomial.hermite_e.hermegauss(NODES)
    rows = [np.ones(NODES), u]
    for k in range(1, TERMS - 1):
        rows.append((u * rows[k] - np.sqrt(k) * rows[k - 1]) / np.sqrt(k + 1))
    return u, weights / weights.sum(), np.array(rows)


class Curve:
    """Means of products of f, and of its slope, over normal numbers of variance q."""

    def __init__(self, activation, q):
        u, weights, polynomials = hermite()
        z = np.sqrt(q) * u
        a = activation.f(z)
        self._values, self.square = _series(polynomials, weights, a)
        self._slopes, self.slope_square = _series(polynomials, weights, activation.derivative(z, a))
        self.mean = self._values[0][0]

    def products(self, c):
        """E[f(z_i) f(z_j)] for correlations c."""
        return _summed(*self._values[1:], c)

    def slope_products(self, c):
        """E[f'(z_i) f'(z_j)] for correlations c."""
        return _summed(*self._slopes[1:], c)


def _series(polynomials, weights, values):
    h = polynomials @ (weights * values)
    square = float(weights @ values**2)
    return (h, h**2, max(0.0, square - float((h**2).sum()))), square


def _summed(squares, rest, c):
    total = np.full_like(c, rest)  # what the series leaves out belongs to high powers of c
    for square in squares[::-1]:
        total = total * c + square
    return total


def expected(x, delta, layers, batch=None):
    """The length of each layer's weight gradient, and the spread of each layer's activations, as the theory expects them.

    Parameters
    ----------
    x : (m, d) some examples of a batch. delta : (m, k) their dL/dz of the last layer. layers : Expected, first to last; the
        last has no activation. batch : the size n of the whole batch that they stand for, by default m.

    Returns
    -------
    norms : (L,) of dL/dW for the whole batch. spreads : (L - 1,) sqrt of the mean square of the activations.
    """
    m, n = len(x), len(x) if batch is None else batch
    # How many pairs of the batch each pair here stands for. Of centred error terms the others cancel all but one in m.
    centred = any(layer.normalization == "batch" for layer in layers)
    counts = np.full((m, m), n / m if centred else n * (n - 1) / (m * (m - 1)))
    np.fill_diagonal(counts, n / m)
    alike, mean = x @ x.T / x.shape[1], np.full(len(x), x.mean())
    kept, spreads = [], []
    for layer in layers[:-1]:
        before = alike
        z, scale = layer.normalized(layer.n_in * layer.variance * alike)
        q = float(np.diag(z).mean())
        sizes = np.sqrt(np.diag(z))
        c = np.clip(z / np.maximum(np.outer(sizes, sizes), np.finfo(float).tiny), -1, 1)
        curve = Curve(layer.activation, q)
        alike = curve.products(c)
        np.fill_diagonal(alike, curve.square)
        slopes = curve.slope_products(c)
        np.fill_diagonal(slopes, curve.slope_square)
        if layer.residual:
            alike = alike + before + curve.mean * (mean[:, np.newaxis] + mean)
            mean = mean + curve.mean
        else:
            mean = np.full(len(x), curve.mean)
        kept.append((layer, before, slopes, scale))
        spreads.append(np.sqrt(np.diag(alike).mean()))
    last = layers[-1]
    deltas = delta @ delta.T / last.n_out
    norms = [_length(last, alike * counts, deltas)]
    at_a = last.n_out * last.variance * deltas
    for layer, before, slopes, scale in reversed(kept):
        deltas = layer.back(at_a * slopes, scale)
        norms.append(_length(layer, before * counts, deltas))
        at_a = layer.n_out * layer.variance * deltas + (at_a if layer.residual else 0)
    return np.array(norms[::-1]), np.array(spreads)


class Expected:
    """A layer as the theory sees it: widths, the variance of its weights, and what follows its sum."""

    def __init__(self, n_in, n_out, variance, activation=None, normalization="none", residual=False):
        self.n_in, self.n_out, self.variance = n_in, n_out, variance
        self.activation, self.normalization, self.residual = activation, normalization, residual

    def normalized(self, z):
        """The products of normalised pre-activations, and the products of their spreads."""
        if self.normalization == "none":
            return z, 1.0
        if self.normalization == "batch":
            z = _centred(z)
            square = float(np.diag(z).mean()) + 1e-5
            return z / square, square
        sizes = np.sqrt(np.diag(z) + 1e-5)
        return z / np.outer(sizes, sizes), np.outer(sizes, sizes)

    def back(self, deltas, scale):
        """The products of error terms before the normalisation, from those behind it."""
        return (_centred(deltas) if self.normalization == "batch" else deltas) / scale


def _centred(products):
    rows = products.mean(axis=0)
    return products - rows - rows[:, np.newaxis] + rows.mean()


def _length(layer, alike, deltas):
    return np.sqrt(max(0.0, layer.n_in * layer.n_out * float((alike * deltas).sum())))
