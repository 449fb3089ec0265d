"""The kill matrix: does each exercise reject every wrong answer by its name, and accept every right one?

    python -m course.grading.kill_matrix            prints it
    python -m course.grading.kill_matrix FILE.md    writes it
"""
import sys
from pathlib import Path
from typing import NamedTuple

from course.catalogue import exercises
from course.grading.core import CORRECT

SEEDS = (None, 1, 2)


class Row(NamedTuple):
    """One answer to one exercise: its kind is "reference", "variant" or "mutant"; ok says whether it was judged rightly."""

    exercise: str
    kind: str
    name: str
    verdict: str
    named: str
    ok: bool


def rows():
    """Judge every known answer of every exercise, on the usual inputs and on those of other seeds."""
    for group in exercises().values():
        for exercise in group:
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
    return Row(exercise.id, kind, name, shown.verdict, shown.mutant or "", all(good))


def table():
    """The matrix as Markdown, with totals."""
    everything = list(rows())
    lines = ["# Kill matrix", "",
             "Made by `make kill-matrix`. Every known wrong answer, the *mutants*, is given to its check and must be rejected",
             "and recognised by name. Every right answer of unusual form, the *variants*, must be accepted.", ""]
    for kind in ("reference", "variant", "mutant"):
        some = [row for row in everything if row.kind == kind]
        what = "rejected and named" if kind == "mutant" else "accepted"
        lines.append(f"- {kind}s: {sum(row.ok for row in some)} of {len(some)} {what}")
    lines += [f"- exercises: {len({row.exercise for row in everything})}", "",
              "| exercise | answer | kind | verdict | recognised as |", "|---|---|---|---|---|"]
    lines += [f"| {row.exercise} | {row.name} | {row.kind} | {row.verdict}{'' if row.ok else ' (WRONG)'} | {row.named} |"
              for row in everything]
    return "\n".join(lines) + "\n", all(row.ok for row in everything)


def main(arguments):
    """Print the matrix, write it where a file is named, and return 1 where an answer was judged wrongly."""
    text, ok = table()
    if arguments:
        Path(arguments[0]).parent.mkdir(parents=True, exist_ok=True)
        Path(arguments[0]).write_text(text, encoding="utf-8")
    print(text)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
