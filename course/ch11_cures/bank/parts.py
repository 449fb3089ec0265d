"""Inputs that several exercises of chapter 11 take."""


def columns(rng, n=6, d=4):
    """A batch whose features lie far apart and are spread differently."""
    return rng.normal(0, 1, (n, d)) * rng.permutation([0.5, 1.2, 2.5, 4.0]) + rng.permutation([-3.0, -1.0, 2.0, 5.0])


def uneven(rng, d=4):
    """Numbers that are neither 0 nor 1."""
    return rng.uniform(0.4, 2.5, d) * rng.choice([-1, 1], d)


def a_floor(rng):
    """Large enough to be seen."""
    return round(float(rng.uniform(0.1, 0.4)), 2)
