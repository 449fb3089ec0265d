"""The tests in the browser try each lab as the notebooks show it."""

from pathlib import Path

import nbformat
import pytest

from course.catalogue import chapters
from tests.browser.shown import LABS, learners, shown

ROOT = Path(__file__).parents[2]
KINDS = {kind.__name__ for chapter in chapters() for kind in chapter.labs}


def test_there_are_labs():
    assert LABS


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name)
def test_labs_are_tried_as_the_notebooks_show_them(chapter):
    notebooks = [ROOT / "notebooks" / f"{chapter.name}.ipynb", ROOT / "exercises" / chapter.name / f"{chapter.name}.ipynb"]
    cells = [cell for path in notebooks if path.exists() for cell in nbformat.read(path, as_version=4).cells]
    found = set(shown("\n".join(cell.source for cell in cells if cell.cell_type == "code")))
    assert {kind for kind, _ in found} <= KINDS
    assert {kind for kind, theirs in found if theirs} == set(learners(chapter))
