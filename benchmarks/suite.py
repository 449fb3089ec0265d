"""How long the course takes as a whole: a lesson's Run All, all tests, the start of the lab."""
from benchmarks.core import absent


def rows(rounds=1):
    """The rows of this group."""
    yield lessons(rounds)
    yield all_tests(rounds)
    yield second_start(rounds)


def lessons(rounds):
    """Each lesson, Run All."""
    return absent("each lesson, Run All", "", "at most 30 s (09 and 11: 60 s)", "this command does not measure it yet")


def all_tests(rounds):
    """`make test`, all of it."""
    return absent("`make test`, all of it, 2 cores", "", "at most 12 minutes", "this command does not measure it yet")


def second_start(rounds):
    """The second `make lab`, until the page is served."""
    return absent("second `make lab` to a served page", "plain `jupyter lab`", "at most 1.2 x",
                  "this command does not measure it yet")
