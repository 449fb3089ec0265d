"""A grader for each file of tests, and the honest submissions between the others."""

import pytest

from tests.hostile.grader import grader as working_grader


@pytest.fixture(scope="module")
def grader(tmp_path_factory):
    """One grader judges all submissions of a file, so that what one of them changes would spoil the next."""
    with working_grader(tmp_path_factory.mktemp("grader")) as grader:
        yield grader
