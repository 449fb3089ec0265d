"""What is not installed is skipped with a way to get it; in CI, where everything must be there, it fails."""

import pytest

from tests import conftest


@pytest.mark.parametrize(("ci", "outcome"), [(False, pytest.skip.Exception), (True, pytest.fail.Exception)])
def test_a_missing_layer_says_how_to_get_it(monkeypatch, ci, outcome):
    monkeypatch.setattr(conftest, "CI", ci)
    with pytest.raises(outcome, match=r"PyTorch is not here. To run this test: pip install torch"):
        conftest.missing("PyTorch", "pip install torch")


def test_a_tests_progress_is_its_own(progress_file):
    from course import check
    from course.grading.progress import location

    assert location() == progress_file
    check("start_here.twice", lambda x: 2 * x)
    assert progress_file.exists()
