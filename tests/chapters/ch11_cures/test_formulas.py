"""The formulas of chapter 11: by the complex step, by exact sums over small distributions, and by many random numbers."""

from itertools import product

import numpy as np
import pytest

from course.ch11_cures.labs import scaled
from tests.oracles.complex_step import gradient

RNG = np.random.default_rng(11)
EPS = 1e-3  # large, so that a formula that leaves it out is seen
X, DY = RNG.normal(2, 3, (6, 4)), RNG.normal(0, 1, (6, 4))
GAMMA, BETA = RNG.normal(1, 0.5, 4), RNG.normal(0, 1, 4)
N, WIDTH = X.shape
EXACT = {"rtol": 1e-9, "atol": 1e-12}


def weighted(numbers, chances):
    """The mean of a number that takes these values with these chances."""
    return sum(number * chance for number, chance in zip(numbers, chances))


WEIGHTS, WEIGHT_CHANCES = (-3.0, 0.5, 1.0), (0.2, 0.4, 0.4)  # mean 0
INPUTS, INPUT_CHANCES = (0.0, 1.0, 4.0), (0.5, 0.3, 0.2)
VARIANCE = weighted(np.square(WEIGHTS), WEIGHT_CHANCES)
SQUARE = weighted(np.square(INPUTS), INPUT_CHANCES)


def test_gain():
    r"""\text{spread} = \frac{\text{gain}}{\sqrt{n_{in}}}"""
    for gain, n_in in ((1.0, 100), (1.4, 400)):
        W = scaled(gain)(n_in, 2000, np.random.default_rng(0))
        assert W.std() == pytest.approx(gain / np.sqrt(n_in), rel=0.01)


def test_one_term():
    r"""\mathbb{E}\left[(w a)^2\right] = \mathbb{E}\left[w^2\right] \mathbb{E}\left[a^2\right] = v\; \overline{a^2}"""
    assert weighted(WEIGHTS, WEIGHT_CHANCES) == pytest.approx(0)
    pairs = list(product(zip(WEIGHTS, WEIGHT_CHANCES), zip(INPUTS, INPUT_CHANCES)))
    found = sum((w * a) ** 2 * p * r for (w, p), (a, r) in pairs)
    assert found == pytest.approx(VARIANCE * SQUARE, rel=1e-12)


def test_sum_of_terms():
    r"""\mathbb{E}\left[\Big(\sum_i w_i a_i\Big)^2\right]
    = \sum_i \mathbb{E}\left[(w_i a_i)^2\right] = n_{in}\, v\; \overline{a^2}"""
    # Three weights, and inputs that depend on each other: the second is the first, the third its opposite in order.
    found = terms = squares = 0.0
    for draws in product(zip(WEIGHTS, WEIGHT_CHANCES), repeat=3):
        w, chance = np.array([w for w, _ in draws]), np.prod([p for _, p in draws])
        for number, r in zip(INPUTS, INPUT_CHANCES):
            a = np.array([number, number, 4.0 - number])
            found += chance * r * (w @ a) ** 2
            terms += chance * r * np.sum((w * a) ** 2)
            squares += chance * r * np.mean(a**2)
    assert found == pytest.approx(terms, rel=1e-12)
    assert found == pytest.approx(3 * VARIANCE * squares, rel=1e-12)


def mean_squares(n_in, n_out, v):
    """By how much a random linear layer multiplies the mean square of a signal, and of an error going back."""
    rng = np.random.default_rng(5)
    W = rng.normal(0, np.sqrt(v), (n_in, n_out))
    x, y = rng.normal(0.4, 1, (200, n_in)), rng.normal(-0.2, 2, (200, n_out))
    back = np.array([gradient(lambda x, row=row: np.sum(row * (x @ W)), np.zeros(n_in)) for row in y[:2]])
    return np.mean((x @ W) ** 2) / np.mean(x**2), np.mean(back**2) / np.mean(y[:2] ** 2)


def test_keep_forward():
    r"""n_{in}\, v = 1"""
    for n_in, n_out in ((400, 900), (900, 400)):
        assert mean_squares(n_in, n_out, 1 / n_in)[0] == pytest.approx(1, abs=0.05)


def test_keep_backward():
    r"""n_{out}\, v = 1"""
    for n_in, n_out in ((400, 900), (900, 400)):
        assert mean_squares(n_in, n_out, 1 / n_out)[1] == pytest.approx(1, abs=0.15)


def test_xavier():
    r"""\frac{n_{in}\, v + n_{out}\, v}{2} = 1 \quad\Rightarrow\quad v = \frac{2}{n_{in} + n_{out}}"""
    for n_in, n_out in ((400, 900), (900, 400)):
        v = 2 / (n_in + n_out)
        assert (n_in * v + n_out * v) / 2 == pytest.approx(1, rel=1e-12)
        assert np.mean(mean_squares(n_in, n_out, v)) == pytest.approx(1, abs=0.1)


def test_half():
    r"""\overline{\text{ReLU}(z)^2} = \tfrac12\, \overline{z^2}, \qquad \overline{\text{ReLU}'(z)^2} = \tfrac12"""
    # Any symmetric numbers, not only normal ones.
    half = np.abs(np.random.default_rng(6).standard_cauchy(1000)) + 0.1
    z = np.concatenate([half, -half])
    relu = np.where(z > 0, z, 0)
    slopes = np.array([gradient(lambda z: np.where(np.real(z) > 0, z, 0), one).item() for one in z[::50]])
    assert np.mean(relu**2) == pytest.approx(0.5 * np.mean(z**2), rel=1e-12)
    assert np.mean(slopes**2) == 0.5


def test_he():
    r"""v = \frac{2}{n_{in}}, \qquad \sigma_w = \sqrt{n_{in}\, v} = \sqrt 2"""
    n, layers, rng = 800, 20, np.random.default_rng(7)
    assert np.sqrt(n * (2 / n)) == pytest.approx(np.sqrt(2), rel=1e-12)
    kept = {}
    for v in (2 / n, 1.6 / n):
        a, sizes = rng.normal(0, 1, (50, n)), []
        for _ in range(layers):
            a = np.maximum(a @ rng.normal(0, np.sqrt(v), (n, n)), 0)
            sizes.append(np.mean(a**2))
        kept[v] = sizes[-1] / sizes[0]
    assert 0.5 < kept[2 / n] < 2
    assert kept[1.6 / n] < 0.05


def test_tanh_small():
    r"""\chi = \sigma_w^2\; \mathbb{E}\left[f'(z)^2\right] \approx \sigma_w^2\, (1 - 2 q)"""
    u, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    for q in (1e-3, 1e-4):
        slopes = np.array([gradient(np.tanh, z).item() for z in np.sqrt(q) * u])
        for sigma_w in (0.7, 1.0):
            chi = sigma_w**2 * (weights @ slopes**2)
            # What is left out is of the order q^2, and so much smaller than the term 2q itself.
            assert abs(chi - sigma_w**2 * (1 - 2 * q)) < 0.01 * sigma_w**2 * 2 * q


def test_sigmoid_bound():
    r"""\chi \le \frac{\sigma_w^2}{16}"""
    rng = np.random.default_rng(8)
    for sigma_w, mean, spread in ((1.0, 0, 0.01), (4.0, 0, 1), (10.0, -2, 5)):
        z = rng.normal(mean, spread, 2000)
        slopes = np.array([gradient(lambda z: 1 / (1 + np.exp(-z)), one).item() for one in z])
        chi = sigma_w**2 * np.mean(slopes**2)
        assert chi <= sigma_w**2 / 16
    slope = gradient(lambda z: 1 / (1 + np.exp(-z)), 0.0).item()
    assert slope**2 == pytest.approx(1 / 16, rel=1e-12), "the bound is reached at 0"


def normalized(x, gamma=GAMMA, beta=BETA, axis=0):
    """y by library functions alone; complex numbers too."""
    c = x - np.mean(x, axis=axis, keepdims=True)
    return gamma * c / np.sqrt(np.mean(c * c, axis=axis, keepdims=True) + EPS) + beta


def nodes():
    """mu, c, var, s, x_hat as the lesson defines them, one example and feature at a time."""
    mu = np.array([sum(X[i, k] for i in range(N)) / N for k in range(WIDTH)])
    c = np.array([[X[i, k] - mu[k] for k in range(WIDTH)] for i in range(N)])
    var = np.array([sum(c[i, k] ** 2 for i in range(N)) / N for k in range(WIDTH)])
    s = np.sqrt(var + EPS)
    return mu, c, var, s, c / s


MU, C, VAR, S, X_HAT = nodes()
D = gradient(lambda x_hat: np.sum(DY * (GAMMA * x_hat + BETA)), X_HAT)
DX = gradient(lambda x: np.sum(DY * normalized(x)), X)
DC = gradient(lambda c: np.sum(D * c / np.sqrt(np.mean(c * c, axis=0) + EPS)), C)


def test_batch_norm():
    r"""\mu = \frac1n \sum_i x_i, \quad c_i = x_i - \mu, \quad \text{var} = \frac1n \sum_i c_i^2,
    \quad s = \sqrt{\text{var} + \epsilon}, \quad \hat x_i = \frac{c_i}{s}, \quad y_i = \gamma\, \hat x_i + \beta"""
    np.testing.assert_allclose(GAMMA * X_HAT + BETA, normalized(X), **EXACT)
    np.testing.assert_allclose(X_HAT.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(X_HAT.var(axis=0), X.var(axis=0) / (X.var(axis=0) + EPS), rtol=1e-12)


def test_gamma_beta():
    r"""d\gamma = \sum_i dy_i\, \hat x_i, \qquad d\beta = \sum_i dy_i,
    \qquad d_i = \frac{\partial L}{\partial \hat x_i} = \gamma\, dy_i"""
    dgamma = gradient(lambda gamma: np.sum(DY * normalized(X, gamma=gamma)), GAMMA)
    dbeta = gradient(lambda beta: np.sum(DY * normalized(X, beta=beta)), BETA)
    np.testing.assert_allclose(sum(DY[i] * X_HAT[i] for i in range(N)), dgamma, **EXACT)
    np.testing.assert_allclose(sum(DY[i] for i in range(N)), dbeta, **EXACT)
    np.testing.assert_allclose(GAMMA * DY, D, **EXACT)


def test_through_division():
    r"""\text{first path into } c:\ \frac{d_i}{s}, \qquad ds = -\frac1s \sum_i d_i\, \hat x_i"""
    np.testing.assert_allclose(D / S, gradient(lambda c: np.sum(D * c / S), C), **EXACT)
    ds = gradient(lambda s: np.sum(D * C / s), S)
    np.testing.assert_allclose(-sum(D[i] * X_HAT[i] for i in range(N)) / S, ds, **EXACT)


def test_through_spread():
    r"""d\text{var} = \frac{ds}{2 s}, \qquad dc_i = \frac{d_i}{s} + \frac{2 c_i}{n}\, d\text{var}"""
    ds = gradient(lambda s: np.sum(D * C / s), S)
    dvar = gradient(lambda var: np.sum(D * C / np.sqrt(var + EPS)), VAR)
    np.testing.assert_allclose(ds / (2 * S), dvar, **EXACT)
    np.testing.assert_allclose(D / S + 2 * C / N * dvar, DC, **EXACT)


def test_through_mean():
    r"""d\mu = -\sum_i dc_i, \qquad dx_i = dc_i + \frac{d\mu}{n}"""
    dmu = gradient(lambda mu: np.sum(DC * (X - mu)), MU)
    np.testing.assert_allclose(-sum(DC[i] for i in range(N)), dmu, **EXACT)
    np.testing.assert_allclose(DC + dmu / N, DX, **EXACT)


def test_closed_centred():
    r"""dc_i = \frac1s \Big(d_i - \hat x_i\, \frac1n \sum_j d_j\, \hat x_j\Big)"""
    np.testing.assert_allclose((D - X_HAT * sum(D[j] * X_HAT[j] for j in range(N)) / N) / S, DC, **EXACT)


def test_closed_form():
    r"""dx_i = \frac1s \Big(d_i - \overline{d} - \hat x_i\; \overline{d\, \hat x}\Big)"""
    np.testing.assert_allclose((D - D.mean(axis=0) - X_HAT * (D * X_HAT).mean(axis=0)) / S, DX, **EXACT)


def test_layer_norm():
    r"""dx_{k} = \frac1s \Big(d_{k} - \frac1m \sum_j d_j - \hat x_k\, \frac1m \sum_j d_j\, \hat x_j\Big)"""
    measured = gradient(lambda x: np.sum(DY * normalized(x, axis=1)), X)
    for row, dy, dx in zip(X, DY, measured):
        s = np.sqrt(row.var() + EPS)
        x_hat, d = (row - row.mean()) / s, GAMMA * dy
        for k in range(WIDTH):
            claimed = (d[k] - sum(d) / WIDTH - x_hat[k] * sum(d * x_hat) / WIDTH) / s
            assert claimed == pytest.approx(dx[k], rel=1e-9, abs=1e-12)


def test_residual():
    r"""\frac{dy}{dx} = 1 + J"""
    rng = np.random.default_rng(9)
    x, W = rng.normal(0, 1, 3), rng.normal(0, 1, (3, 3))
    for k in range(3):
        whole = gradient(lambda x, k=k: (x + np.tanh(x @ W))[k], x)
        np.testing.assert_allclose(np.eye(3)[k] + gradient(lambda x, k=k: np.tanh(x @ W)[k], x), whole, **EXACT)


def test_identity_path():
    r"""(1 + J_1)(1 + J_2)(1 + J_3) = 1 + (J_1 + J_2 + J_3) + (J_1 J_2 + J_1 J_3 + J_2 J_3) + J_1 J_2 J_3"""
    rng = np.random.default_rng(10)
    A, B, C3 = rng.normal(0, 1, (3, 4, 4))
    eye = np.eye(4)
    claimed = eye + (A + B + C3) + (A @ B + A @ C3 + B @ C3) + A @ B @ C3
    np.testing.assert_allclose((eye + A) @ (eye + B) @ (eye + C3), claimed, **EXACT)
    # With linear blocks the Jacobian of the three residuals in a row is this product.
    x = rng.normal(0, 1, 4)

    def three(x, k):
        for block in (C3, B, A):
            x = x + block @ x
        return x[k]

    np.testing.assert_allclose([gradient(lambda x, k=k: three(x, k), x) for k in range(4)], claimed, **EXACT)
