"""How many threads a product of matrices gets: one, where the matrices are small.

Threads share a large product, and wait for each other at its end. On small matrices the waiting costs more than the sharing
brings, and far more where another program keeps a processor busy.
"""
from contextlib import nullcontext
from functools import cache

LARGE = 5e7  # multiplications in one product; below, a second thread brings little even on a machine that does nothing else


def suited_to(multiplications):
    """A `with` block with one BLAS thread if so many multiplications are few, else with as many as there are. Without
    threadpoolctl, as in a browser, it changes nothing."""
    pools = _pools() if multiplications < LARGE else None
    return pools.limit(limits=1, user_api="blas") if pools else nullcontext()


@cache
def _pools():
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()
