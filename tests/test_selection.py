"""`--chapter` selects something of each kind for a chapter, and nothing of another."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import selection

ROOT = Path(__file__).parents[1]
KINDS = (
    "tests/chapters/ch05_chain_rule/",
    "notebooks/05_chain_rule.ipynb::",
    "solutions/05_chain_rule/05_chain_rule.ipynb::",
    "exercises/05_chain_rule/05_chain_rule.ipynb::",
    "tests/build/test_course.py::test_built_files_are_what_their_sources_build[05_chain_rule]",
    "tests/build/test_links.py::test_every_link_leads_to_a_file[notebooks/05_chain_rule.ipynb]",
    "tests/labs/test_grid.py::test_every_setting_gives_words[05_chain_rule-",
    "tests/browser/",
    "tests/cohort/test_same_verdicts.py::",
    "tests/grading/test_exercises.py::test_the_reference_is_accepted[chain_rule.fan_out]",
    "tests/grading/test_kill_matrix.py::",
    "tests/test_house_rules.py::test_every_file_stays_small[course.ch05_chain_rule.bank]",
    "tests/test_house_rules.py::test_a_heavy_import_is_noticed",
    "tests/test_packaging.py::test_ruff_finds_nothing_in_code_and_notebooks",
)


def config(wanted):
    return SimpleNamespace(getoption=lambda name: wanted, rootpath=ROOT)


def test_something_of_each_kind_is_selected_and_nothing_of_another_chapter(request):
    """Of the tests that were collected together with this one: when all tests run, of all."""
    ids = [item.nodeid for item in request.session.items]
    files = {id.partition("::")[0] for id in ids}
    chosen = [id for id in ids if selection.concerns(id, "05", "chain_rule")]
    for kind in KINDS:
        if any(file.startswith(kind.partition("::")[0]) for file in files):
            assert any(id.startswith(kind) for id in chosen), kind
    other = re.compile(r"(?<!\w)(?:ch)?\d\d_[a-z]")
    assert [id for id in chosen if other.search(id) and "05_" not in id and "chain_rule." not in id] == []


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("tests/chapters/ch05_chain_rule", True),
        ("notebooks/05_a_page.ipynb", True),
        ("tests/test_layers.py", True),
        ("tests/chapters/ch06_backprop_layers", False),
        ("notebooks/06_a_page.ipynb", False),
        ("exercises/15_x/15_x.ipynb", False),
    ],
)
def test_files_of_other_chapters_are_not_even_read(path, read):
    assert (selection.pytest_ignore_collect(ROOT / path, config("05")) is None) is read
    assert selection.pytest_ignore_collect(ROOT / path, config("")) is None


@pytest.mark.parametrize("wanted", ["42", "5", "05_chain_rule"])
def test_no_such_chapter_is_said(wanted):
    with pytest.raises(pytest.UsageError, match=rf"There is no chapter '{wanted}'; the chapters are 00 \(start_here\), 01"):
        selection.pytest_configure(config(wanted))


@pytest.mark.parametrize(
    ("id", "named"),
    [
        ("notebooks/05_chain_rule.ipynb::Cell 3", True),
        ("notebooks/05_a_page.ipynb::Cell 3", True),
        ("tests/chapters/ch05_chain_rule/test_labs.py::test_words[30_a]", True),
        ("tests/test_house_rules.py::test_small[course.ch05_chain_rule.bank]", True),
        ("tests/grading/test_exercises.py::test_mutant[chain_rule.fan_out-one]", True),
        ("tests/test_house_rules.py::test_all", True),
        ("tests/test_house_rules.py::test_small[bplib.layers]", False),
        ("tests/grading/test_exercises.py::test_mutant[no_chain_rule.fan_out-one]", False),
        ("tests/grading/test_exercises.py::test_mutant[neuron.chain_rule]", False),
        ("notebooks/15_a_page.ipynb::Cell 3", False),
        ("tests/test_layers.py::test_all", False),
    ],
)
def test_what_names_a_chapter(id, named):
    assert selection.concerns(id, "05", "chain_rule") is named
