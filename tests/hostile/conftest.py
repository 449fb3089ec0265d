"""Several graders at a time for a file of tests: most submissions wait, until they are stopped."""

import pytest

from tests.hostile.grader import judging


@pytest.fixture(scope="module")
def judgements(request, tmp_path_factory):
    """The judgements of a file's submissions by name, as futures; of those only that are tested."""
    tested = {item.callspec.params["submission"].name for item in request.session.items if item.path == request.path}
    lanes = [[submission for submission in lane if submission.name in tested] for lane in request.module.LANES]
    with judging([lane for lane in lanes if lane], tmp_path_factory.mktemp("graders")) as judgements:
        yield judgements
