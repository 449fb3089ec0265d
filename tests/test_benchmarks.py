"""The benchmarks run, and say so where something is missing or fails. No test looks at the seconds."""
import importlib
import sys

import pytest

from benchmarks import __main__ as bench, core, network, report, suite, tests

QUICK = ("network", "checker", "imports", "growth")


@pytest.mark.parametrize("name", QUICK)
def test_every_row_of_a_group_is_measured(name):
    rows = list(importlib.import_module(f"benchmarks.{name}").rows(rounds=1))
    assert rows
    assert [row for row in rows if row.failed] == []
    assert all(row.ok is not None or row.note for row in rows), "a row without a figure says why"


def test_lessons_and_the_start_of_the_lab_are_measured(monkeypatch):
    served, found = suite.served, {}

    def once(command):  # the first turn only warms up: here both share one start
        who = command([])[0]
        found[who] = found.get(who) or served(command)
        return found[who]

    monkeypatch.setattr(suite, "served", once)
    rows = list(suite.rows(rounds=1, lessons=[suite.ROOT / "notebooks" / "00_debugging.ipynb"]))
    assert [row.failed for row in rows] == [False, False], rows
    assert "00 " in rows[0].note
    assert "make lab" in rows[1].note


def test_the_row_of_the_tests_has_what_pytest_said():
    row = tests._row("all", 60, [sys.executable, "-c", "print('===== 3 passed in 0.10s =====')"])
    assert (row.ok, row.note) == (True, "3 passed in 0.10s")
    assert tests._row("all", 60, [sys.executable, "-c", "print('No rule')"]).failed


def test_without_pytorch_a_row_says_so(monkeypatch):
    monkeypatch.setattr(network, "pytorch", lambda: None)
    rows = [row for row in network.rows(rounds=1) if row.against == network.TORCH]
    assert rows
    assert {(row.ok, row.failed, row.note) for row in rows} == {(None, False, "PyTorch is not installed")}


def test_what_fails_is_reported_and_the_others_go_on(monkeypatch, capsys):
    def rows(rounds=1):
        yield core.attempt("good", "peer", "at most 2 x", lambda: core.at_most("good", "peer", 2, 1.5))
        yield core.attempt("bad", "peer", "at most 2 x", lambda: 1 / 0)
        yield core.at_least("slow", "peer", 5, 3)

    monkeypatch.setattr(importlib.import_module("benchmarks.imports"), "rows", rows)
    assert bench.main(["--only", "imports"]) == 1, "a row failed to run"
    page = capsys.readouterr().out
    assert "| good | peer | at most 2 x | 1.5 x | met |" in page
    assert "| bad | peer | at most 2 x | failed | failed | ZeroDivisionError: division by zero |" in page
    assert "| slow | peer | at least 5 x | 3 x | missed |" in page


def test_a_missed_goal_is_no_failure(monkeypatch, capsys):
    missed = [core.at_most("slow", "peer", 1, 2)]
    monkeypatch.setattr(importlib.import_module("benchmarks.imports"), "rows", lambda rounds=1: missed)
    assert bench.main(["--only", "imports"]) == 0


def test_the_ratio_is_the_median_of_the_turns():
    times = {"one": [1.0, 9.0, 4.0], "other": [1.0, 3.0, 2.0]}
    assert core.ratio(times, "one", "other") == 2


def test_the_machine_is_described_without_its_name():
    import platform

    words = report.machine()
    assert "cores" in words
    assert "NumPy" in words
    assert platform.node() not in words.split()
