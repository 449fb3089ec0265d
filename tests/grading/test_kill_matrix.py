"""The pages of the kill matrix are those of today's exercises, and a judgement that goes wrong shows in them."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from course.catalogue import chapters
from course.grading import kill_matrix
from course.grading.core import Exercise, Mutant
from course.grading.kill_matrix import Row

DOCS = Path(__file__).parents[2] / "docs"
ADVICE = "run `make kill-matrix`, and commit what it writes"
WITH_EXERCISES = [chapter for chapter in chapters() if chapter.exercises]


def listed(chapter):
    """The page of a chapter as rows."""
    return kill_matrix.read((DOCS / "kill-matrix" / f"{chapter.name}.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("chapter", WITH_EXERCISES, ids=lambda chapter: chapter.name)
def test_a_chapter_s_page_shows_its_answers_and_no_others(chapter):
    """Each judgement is a test of its own, in test_exercises.py."""
    known = []
    for e in chapter.exercises:
        known += [(e.id, "reference", "reference"), *((e.id, name, "variant") for name in e.variants)]
        known += [(e.id, mutant.name, "mutant") for mutant in e.mutants]
    found = listed(chapter)
    assert [row[:3] for row in found] == known, ADVICE
    for row in found:
        expected = ("wrong", "error") if row.kind == "mutant" else ("correct",)
        assert row.ok
        assert row.verdict in expected
        assert row.named == (row.name if row.kind == "mutant" else "")


def test_the_summary_counts_what_the_pages_hold(capsys):
    found = {(chapter.name, chapter.heading): listed(chapter) for chapter in WITH_EXERCISES}
    text = (DOCS / "kill-matrix.md").read_text(encoding="utf-8")
    assert text == kill_matrix.summary(found), ADVICE
    with capsys.disabled():
        print("\n" + "\n".join(line for line in text.splitlines() if line.startswith("- ")))


def test_there_is_a_page_for_each_chapter_and_no_more():
    assert {path.stem for path in (DOCS / "kill-matrix").glob("*.md")} == {chapter.name for chapter in WITH_EXERCISES}, ADVICE


ROWS = [Row("a.b", "reference", "reference", "correct", "", True), Row("a.b", "odd form", "variant", "wrong", "twice", False),
        Row("a.b", "twice", "mutant", "wrong", "twice", True), Row("a.c", "half", "mutant", "correct", "", False)]


def test_a_page_reads_as_it_was_written():
    assert kill_matrix.read(kill_matrix.page("07 Letters", ROWS)) == ROWS


def test_what_was_judged_wrongly_is_counted():
    text = kill_matrix.summary({("07_letters", "07 Letters"): ROWS})
    assert "- references: 1 of 1 accepted" in text
    assert "- variants: 0 of 1 accepted" in text
    assert "- mutants: 1 of 2 rejected and named" in text
    assert "| **[07 Letters](kill-matrix/07_letters.md)** | 1 of 2 | 1 of 2 |" in text
    assert "| a.c | 0 of 0 | 0 of 1 |" in text


def exercise(id, *mutants):
    return Exercise(id=id, title="A scale", points=1, reference=lambda x: 3 * x, inputs=lambda rng: (rng.standard_normal(3),),
                    mutants=(Mutant("twice", lambda x: 2 * x, "Doubled."), *mutants), variants={"sum": lambda x: x + x + x})


@pytest.fixture
def small(monkeypatch):
    """A course of two chapters; in the second one a wrong answer is right."""
    survivor = Mutant("survivor", lambda x: 3 * x, "Right, in fact.")
    two = [SimpleNamespace(name="07_letters", heading="07 Letters", exercises=(exercise("letters.a"),)),
           SimpleNamespace(name="08_words", heading="08 Words", exercises=(exercise("words.a", survivor),))]
    monkeypatch.setattr(kill_matrix, "chapters", lambda: two)


@pytest.mark.usefixtures("small")
def test_a_surviving_mutant_shows(tmp_path, capsys):
    assert kill_matrix.main([str(tmp_path)]) == 1
    assert "words.a: survivor was judged correct, as no known mistake" in capsys.readouterr().out
    assert "| words.a | survivor | mutant | correct (WRONG) |  |" in (tmp_path / "kill-matrix" / "08_words.md").read_text("utf-8")
    assert "- mutants: 2 of 3 rejected and named" in (tmp_path / "kill-matrix.md").read_text("utf-8")


@pytest.mark.usefixtures("small")
def test_one_chapter_is_judged_alone_and_the_page_is_of_all(tmp_path, capsys):
    assert kill_matrix.main([str(tmp_path), "07"]) == 0
    assert "- exercises: 1" in capsys.readouterr().out
    first = tmp_path / "kill-matrix" / "07_letters.md"
    first.write_text(first.read_text("utf-8").replace("| sum |", "| kept as it is |"), encoding="utf-8")
    assert kill_matrix.main([str(tmp_path), "08"]) == 1
    assert "- exercises: 2" in capsys.readouterr().out
    assert "kept as it is" in first.read_text("utf-8")
