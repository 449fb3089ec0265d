"""The notebooks lead to each other, from a lesson to its exercises, on and back; and every link leads to a file."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tools import source

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?:|#|attachment:)([^()\s]+)\)")
BUILT = [path for pattern in ("notebooks/[0-9][0-9]_*.ipynb", "solutions/*/*.ipynb", "exercises/*/*.ipynb")
         for path in sorted(ROOT.glob(pattern)) if path.parent.name in ("notebooks", path.stem)]


def links(text):
    """Where a text leads within the course."""
    return LINK.findall(text)


@pytest.mark.parametrize("path", BUILT, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = [link for cell in cells if cell["cell_type"] == "markdown" for link in links("".join(cell["source"]))]
    assert found
    assert [link for link in found if not (path.parent / link).exists()] == []


def test_a_link_is_found():
    assert links("see [this](05_x.ipynb), [that](../a/b.ipynb), [there](https://example.org)") == ["05_x.ipynb", "../a/b.ipynb"]


def test_lessons_lead_on_and_back(course, catalogue):
    """Three chapters, the middle one without exercises."""
    root = course()
    first = root / "course" / "ch07_slope"
    for name in ("ch08_middle", "ch12_end"):
        shutil.copytree(first, first.with_name(name))
    (root / "course" / "ch08_middle" / "exercises.md").unlink()
    start, middle, end = source.chapters(root)
    last = [source.lesson(chapter).cells[-1].source for chapter in (start, middle, end)]
    assert [links(text) for text in last] == [
        ["../exercises/07_slope/07_slope.ipynb", "08_middle.ipynb"],
        ["12_end.ipynb", "07_slope.ipynb"],
        ["../exercises/12_end/12_end.ipynb", "08_middle.ipynb"],
    ]
    assert "[the next lesson, 08 A slope](08_middle.ipynb)" in last[0]
    exercises = source.solutions(start, catalogue).cells
    assert links(exercises[0].source) == ["../../notebooks/07_slope.ipynb"]
    assert links(exercises[-1].source) == ["../../notebooks/07_slope.ipynb", "../../notebooks/08_middle.ipynb"]
