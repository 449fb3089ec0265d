"""How many threads a product of matrices gets: one, where the matrices are small.

Threads share a product, and wait for each other at its end. Small products end often; where another program keeps a processor
busy, the waiting then costs far more than the sharing brings.
"""
from contextlib import nullcontext
from functools import cache

# Multiplications in one product. Below, a second thread saves up to two fifths of a step's time on an idle machine, and makes it
# two to three times as long where another program keeps a processor busy (docs/performance.md).
LARGE = 5e7


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
