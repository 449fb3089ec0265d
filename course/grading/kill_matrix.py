"""The kill matrix: does each exercise reject every wrong answer by its name, and accept every right one?

    python -m course.grading.kill_matrix docs        judges everything, writes docs/kill-matrix/05_chain_rule.md and so on,
                                                     a file for each chapter, and the page docs/kill-matrix.md
    python -m course.grading.kill_matrix docs 05     judges one chapter; the page is made of all the files there are
"""
import argparse
import sys
from pathlib import Path
from typing import NamedTuple

from course.catalogue import chapters
from course.grading.core import CORRECT

SEEDS = (None, 1, 2)
KINDS = ("reference", "variant", "mutant")
HEAD = ["| exercise | answer | kind | verdict | recognised as |", "|---|---|---|---|---|"]
BAD = " (WRONG)"
WORDS = """# Kill matrix

Does each check do what it is for? Every known wrong answer, a *mutant*, is given to its check: it must be rejected, and
recognised by its name, so that a learner reads which mistake it was. Every right answer must be accepted: the course's own,
the *reference*, and those of unusual form, the *variants*. Each is judged on three draws of random numbers. Made by
`make kill-matrix`; the answers themselves, one by one, are in the pages of the chapters.
"""


class Row(NamedTuple):
    """One answer to one exercise: its kind is "reference", "variant" or "mutant"; ok says whether it was judged rightly."""

    exercise: str
    name: str
    kind: str
    verdict: str
    named: str
    ok: bool


def rows(exercise):
    """Judge every known answer of an exercise, on the usual inputs and on those of other seeds."""
    yield _row(exercise, "reference", "reference", exercise.reference)
    for name, answer in exercise.variants.items():
        yield _row(exercise, "variant", name, answer)
    for mutant in exercise.mutants:
        yield _row(exercise, "mutant", mutant.name, mutant.answer)


def _row(exercise, kind, name, answer):
    results = [exercise.judge(answer, seed) for seed in SEEDS]
    if kind == "mutant":
        good = [result.verdict != CORRECT and float(result) == 0 and result.mutant == name for result in results]
    else:
        good = [result.verdict == CORRECT and float(result) == exercise.points for result in results]
    shown = results[good.index(False)] if False in good else results[0]
    return Row(exercise.id, name, kind, shown.verdict, shown.mutant or "", all(good))


def page(heading, found):
    """The rows of a chapter as Markdown."""
    lines = [f"| {row.exercise} | {row.name} | {row.kind} | {row.verdict}{'' if row.ok else BAD} | {row.named} |"
             for row in found]
    return "\n".join([f"# {heading}: every known answer", "", "Made by `make kill-matrix`.", "", *HEAD, *lines]) + "\n"


def read(text):
    """The rows of a chapter's page."""
    lines = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [Row(exercise, name, kind, verdict.removesuffix(BAD), named, not verdict.endswith(BAD))
            for exercise, name, kind, verdict, named in lines[1:]]


def summary(found):
    """The page for people: totals, and a line for each chapter and each exercise.

    Parameters
    ----------
    found : rows by chapter, {(name, heading): rows}.
    """
    everything = [row for some in found.values() for row in some]
    lines = [f"- exercises: {len({row.exercise for row in everything})}"]
    for kind in KINDS:
        good = "rejected and named" if kind == "mutant" else "accepted"
        lines.append(f"- {kind}s: {_count(everything, kind)} {good}")
    lines += ["", "| exercise | right answers accepted | wrong answers rejected by name |", "|---|---|---|"]
    for (name, heading), some in found.items():
        lines.append(f"| **[{heading}](kill-matrix/{name}.md)** | {_count(some, *KINDS[:2])} | {_count(some, KINDS[2])} |")
        for id in dict.fromkeys(row.exercise for row in some):
            mine = [row for row in some if row.exercise == id]
            lines.append(f"| {id} | {_count(mine, *KINDS[:2])} | {_count(mine, KINDS[2])} |")
    return "\n".join([WORDS, *lines]) + "\n"


def _count(found, *kinds):
    some = [row for row in found if row.kind in kinds]
    return f"{sum(row.ok for row in some)} of {len(some)}"


def write(docs, only=""):
    """Judge the chapters whose name begins with `only`, write their pages and the page of all; gives the rows by chapter."""
    folder, found = Path(docs, "kill-matrix"), {}
    folder.mkdir(parents=True, exist_ok=True)
    for chapter in chapters():
        path = folder / f"{chapter.name}.md"
        if chapter.name.startswith(only):
            some = [row for exercise in chapter.exercises for row in rows(exercise)]
            path.write_text(page(chapter.heading, some), encoding="utf-8", newline="\n")
        if path.exists():
            found[chapter.name, chapter.heading] = read(path.read_text(encoding="utf-8"))
    Path(docs, "kill-matrix.md").write_text(summary(found), encoding="utf-8", newline="\n")
    return found


def main(arguments=None):
    """Write the pages and print the totals; 1 where an answer was judged wrongly."""
    parser = argparse.ArgumentParser(prog="python -m course.grading.kill_matrix", description="Judge every known answer.")
    parser.add_argument("docs", help="the folder to write to")
    parser.add_argument("chapter", nargs="?", default="", help="the beginning of a chapter's name, such as 05; all by default")
    options = parser.parse_args(arguments)
    found = write(options.docs, options.chapter)
    wrong = [row for some in found.values() for row in some if not row.ok]
    totals = [line for line in summary(found).splitlines() if line.startswith("- ")]
    print("\n".join(totals + [f"{row.exercise}: {row.name} was judged {row.verdict}, as {row.named or 'no known mistake'}"
                              for row in wrong]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
