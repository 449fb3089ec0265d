"""README's table of the chapters is made from their front matter."""

from pathlib import Path

from tools import build, readme, source

ROOT = Path(__file__).parents[2]
README = f"# A course\n\n{readme.BEGIN}\nold\n{readme.END}\n\nMore.\n"
TABLE = """| | chapter | what you will do |
|---|---|---|
| 07 | [A slope](notebooks/07_slope.ipynb) | draw a line |"""


def test_the_table_has_a_row_for_each_chapter(course):
    root = course(("title: A slope", 'title: "A slope: rise over run"'))
    assert readme.table(root) == TABLE


def test_a_build_renews_the_table_and_nothing_else(course, catalogue, monkeypatch):
    monkeypatch.setattr(build, "execute", lambda *arguments, **settings: None)
    root = course()
    path = root / "README.md"
    path.write_text(README, encoding="utf-8")
    _, written = build.build(root, catalogue=catalogue)
    assert written[-1] == "README.md"
    assert path.read_text(encoding="utf-8") == README.replace("old", TABLE)
    assert build.build(root, catalogue=catalogue) == ([], [])
    assert build.drift(root, catalogue=catalogue, run=False) == []
    path.write_text(README, encoding="utf-8")
    assert build.drift(root, catalogue=catalogue, run=False) == ["README.md: its table of the chapters differs"]


def test_a_readme_without_the_marks_stays_as_it_is(course):
    for text in ("", "# A course\n", README.replace(readme.END, "")):
        assert readme.renewed(text, course()) == text


def test_the_course_names_every_chapter_once():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.renewed(text, ROOT) == text, "run `make build`, and commit what it writes"
    assert text.count("\n| ") - 1 >= len(source.chapters(ROOT))
