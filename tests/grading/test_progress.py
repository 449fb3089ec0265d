"""The progress file: never half written, never in the way, forgiving about what it finds."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import filelock
import pytest

from course import check, dashboard, hint, progress, reset
from course.grading.core import Exercise
from course.grading.progress import Progress, kept_aside, load, location, record, streak

STORE = sys.modules["course.grading.progress"]  # the function of this name hides the module


def twice(x):
    return 2 * x


def beside(path):
    """The files of the folder, without the empty one that holds the lock."""
    return sorted(file.name for file in path.parent.iterdir() if file.name != f"{path.name}.lock")


def test_the_best_points_and_all_attempts_are_kept(progress_file):
    record("a.b", points=0)
    record("a.b", points=2)
    record("a.b", points=1.5)
    record("a.b", hint=2)
    record("a.b", hint=1)
    record("c.d", hint=1)
    assert load() == {
        "a.b": {"points": 2.0, "attempts": 3, "hints": 2},
        "c.d": {"points": 0.0, "attempts": 0, "hints": 1},
    }
    assert json.loads(progress_file.read_text(encoding="utf-8")) == load()
    assert beside(progress_file) == [progress_file.name]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"3",
        b'"text"',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"start_here.twice": 3}',
        b'{"start_here.twice": {"points": "many"}}',
        b'{"start_here.twice": {"points": null, "attempts": 1, "hints": 0}}',
        b'{"start_here.twice": {"points": NaN}}',
        b'{"start_here.twice": {"points": Infinity}}',
        b'{"start_here.twice": {"points": -1}}',
        b'{"start_here.twice": {"attempts": []}}',
        b'{"start_here.twice": {"points": true}}',
    ],
)
def test_a_corrupt_file_costs_what_it_held_and_nothing_else(content, progress_file, capfd):
    progress_file.write_bytes(content)
    assert load() == {}
    assert "0 of" in repr(progress())
    assert float(check("start_here.twice", twice)) == 1
    hint("start_here.twice")
    assert load()["start_here.twice"].items() >= {"points": 1.0, "attempts": 1, "hints": 1}.items()
    (aside,) = kept_aside()
    assert aside.read_bytes() == content
    assert aside.name in repr(dashboard())
    assert capfd.readouterr() == ("", "")


def test_one_corrupt_entry_does_not_take_the_others_with_it(progress_file):
    progress_file.write_text('{"a.b": {"points": "x"}, "c.d": {"points": 3}}', encoding="utf-8")
    assert load() == {"c.d": {"points": 3, "attempts": 0, "hints": 0}}


def test_every_damaged_file_is_kept(progress_file):
    for content in ("{", "[", "{"):
        progress_file.write_text(content, encoding="utf-8")
        record("a.b", points=1)
    assert [path.read_text(encoding="utf-8") for path in kept_aside()] == ["{", "[", "{"]
    assert load()["a.b"]["attempts"] == 1


def test_where_nothing_can_be_written_checks_work_all_the_same(tmp_path, monkeypatch, capfd):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    for place in (tmp_path / "file" / "below" / "progress.json", tmp_path):
        monkeypatch.setenv("BPLIB_PROGRESS", str(place))
        assert float(check("start_here.twice", twice)) == 1
        assert "Hint 1" in repr(hint("start_here.twice"))
        assert load() == {}
        assert "0 of" in repr(progress())
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_where_there_is_no_home_checks_work_all_the_same(monkeypatch, capfd):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    for name in ("BPLIB_PROGRESS", "APPDATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    assert float(check("start_here.twice", twice)) == 1
    assert load() == {}
    assert "0 of" in repr(progress())
    assert capfd.readouterr() == ("", "")


def test_the_file_is_replaced_in_one_step(progress_file, monkeypatch):
    record("a.b", points=1)
    before = progress_file.read_text(encoding="utf-8")
    seen = []

    def interrupted(source, target):
        seen.append((Path(target), json.loads(Path(source).read_text(encoding="utf-8"))))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record("a.b", points=2)
    assert seen == [(progress_file, {"a.b": {"points": 2.0, "attempts": 2, "hints": 0}})]
    assert progress_file.read_text(encoding="utf-8") == before
    assert beside(progress_file) == [progress_file.name]


LINES = """
import sys
from course.grading.progress import record
for i in range(25):
    record(f"{sys.argv[1]}.x{i}", points=1, right=True)
    record("all.together", points=1)
"""


def test_notebooks_at_once_lose_nothing_of_each_other(progress_file):
    names = ["a", "b", "c", "d"]
    writers = [subprocess.Popen([sys.executable, "-c", LINES, name]) for name in names]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 4
    known = load()
    assert known["all.together"]["attempts"] == 100
    assert set(known) == {"all.together"} | {f"{name}.x{i}" for name in names for i in range(25)}


ENDLESS = """
import itertools
from course.grading.progress import record
for i in itertools.count():
    record(f"a.x{i % 300}", points=1)
    print(i, flush=True)
"""


def test_a_kill_in_mid_write_leaves_a_whole_file(progress_file, rng):
    written = 0
    for _ in range(12):
        writer = subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE)
        for _ in range(rng.integers(1, 30)):
            writer.stdout.readline()
        time.sleep(rng.uniform(0, 0.01))  # somewhere between two updates
        writer.kill()
        written += writer.communicate()[0].count(b"\n") + 1
        assert set(json.loads(progress_file.read_text(encoding="utf-8"))) == set(load())
        assert sum(entry["attempts"] for entry in load().values()) >= written
    record("b.last", points=1)  # the lock of a dead process holds nobody up, and what it left is swept away
    assert load()["b.last"]["points"] == 1
    assert beside(progress_file) == [progress_file.name]


def test_without_the_lock_library_progress_is_kept_all_the_same(progress_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "filelock", None)
    record("a.b", points=1)
    assert load()["a.b"]["points"] == 1
    assert list(progress_file.parent.iterdir()) == [progress_file]


def test_a_lock_that_is_never_free_holds_nobody_up_for_ever(progress_file, monkeypatch):
    monkeypatch.setattr(STORE, "PATIENCE", 0.01)
    with filelock.FileLock(f"{progress_file}.lock"):
        other = subprocess.run([sys.executable, "-c", IMPATIENT], check=False)
    assert other.returncode == 0
    assert load()["a.b"]["points"] == 1


IMPATIENT = """
from course.grading.progress import record
import sys
sys.modules["course.grading.progress"].PATIENCE = 0.01
record("a.b", points=1)
"""


def test_a_file_that_cannot_be_read_is_left_alone(progress_file, monkeypatch):
    record("a.b", points=1)
    before = progress_file.read_bytes()

    def refused(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refused)
        record("c.d", points=1)
        assert streak("e.f", right=True) == {"streak": 1, "best": 1}
    assert progress_file.read_bytes() == before
    assert kept_aside() == []


def test_days_in_a_row(progress_file, monkeypatch):
    seen = []
    for day in (100, 100, 101, 102, 104, 105):
        monkeypatch.setattr(STORE, "today", lambda day=day: day)
        record("a.b", points=0, right=False)
        seen.append(STORE.days_in_a_row())
    assert [(days["streak"], days["best"]) for days in seen] == [(1, 1), (1, 1), (2, 2), (3, 3), (1, 3), (2, 3)]
    for day, current in ((105, 2), (106, 2), (107, 0)):  # until the end of tomorrow, the row can go on
        monkeypatch.setattr(STORE, "today", lambda day=day: day)
        assert STORE.days_in_a_row() == {"streak": current, "best": 3}
    record("a.b", hint=1)
    assert STORE.days_in_a_row() == {"streak": 0, "best": 3}  # reading a hint is no work yet


def test_a_reset_asks_first_and_keeps_a_copy(progress_file):
    assert "no progress yet" in repr(reset(confirm=True))
    check("start_here.twice", twice)
    record("neuron.relu_slope", points=1, right=True)
    before = progress_file.read_bytes()
    for answer in (reset(), reset("start_here.twice"), reset("start_here.twice", confirm=False)):
        assert "Nothing was reset yet" in repr(answer)
        assert "confirm=True" in answer._repr_html_()
    assert "Did you mean" in repr(reset("start_here.twcie", confirm=True))
    assert progress_file.read_bytes() == before
    told = repr(reset("start_here.twice", confirm=True))
    assert set(load()) == {"neuron.relu_slope"}
    copy = progress_file.with_name("progress-before-reset-1.json")
    assert str(copy) in told
    assert copy.read_bytes() == before
    reset(confirm=True)
    assert load() == {}
    assert STORE.days_in_a_row()["best"] == 0
    assert beside(progress_file) == ["progress-before-reset-1.json", "progress-before-reset-2.json", "progress.json"]


WRITER = """
import sys
from course.grading.progress import load, record
for i in range(100):
    record(sys.argv[1], points=i)
    assert all(set(entry) == {"points", "attempts", "hints"} for entry in load().values())
    assert sys.argv[1] in load() or sys.argv[2] in load()
"""


def test_two_notebooks_at_once_never_break_the_file(progress_file):
    names = [("a.b", "c.d"), ("c.d", "a.b")]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, *pair], stderr=subprocess.PIPE) for pair in names]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors.decode()
    stored = json.loads(progress_file.read_text(encoding="utf-8"))
    assert set(stored) <= {"a.b", "c.d"}
    assert max(entry["points"] for entry in stored.values()) == 99
    assert beside(progress_file) == [progress_file.name]


def test_where_the_file_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("BPLIB_PROGRESS", str(tmp_path / "mine.json"))
    assert location() == tmp_path / "mine.json"
    monkeypatch.setenv("BPLIB_PROGRESS", "")
    monkeypatch.delenv("APPDATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert location() == tmp_path / "data" / "trust-no-gradient" / "progress.json"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert location() == tmp_path / ".local" / "share" / "trust-no-gradient" / "progress.json"
    monkeypatch.setenv("APPDATA", str(tmp_path / "roaming"))
    assert location() == tmp_path / "roaming" / "trust-no-gradient" / "progress.json"


def test_folders_are_made(tmp_path, monkeypatch):
    monkeypatch.setenv("BPLIB_PROGRESS", str(tmp_path / "a" / "b" / "progress.json"))
    record("a.b", points=1)
    assert load()["a.b"]["points"] == 1


def test_the_table_adds_up_and_escapes():
    chapters = {
        "01 <A>": [Exercise(id=f"a.{i}", title="<b>", points=2, reference=1) for i in range(3)],
        "02 B": [Exercise(id="b.1", title="last", points=1.5, reference=1)],
    }
    record("a.0", points=2)
    record("a.1", points=0.5)
    record("a.2", hint=1)
    table = Progress(chapters)
    assert repr(table).splitlines() == [
        "01 <A>",
        "  done   2 of 2  <b>",
        "  tried  0.5 of 2  <b>",
        "  to do  0 of 2  <b>",
        "02 B",
        "  to do  0 of 1.5  last",
        "2.5 of 7.5 points",
    ]
    html = table._repr_html_()
    assert "<b>" not in html
    assert "<A>" not in html
    assert html.count("<tr>") == 6
    rows = re.findall(r"<th[^>]*>([^<]*)</th>|>(done|tried|to do)<", html)
    assert ["".join(row) for row in rows] == ["01 &lt;A&gt;", "done", "tried", "to do", "02 B", "to do"]
    assert "2.5 of 7.5 points" in html
