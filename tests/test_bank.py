"""Every mistake of the bank is found and named, and its right twin is neither."""
from pathlib import Path

import numpy as np
import pytest

from bplib import check_gradients
from tests.bank import BANK
from tools import confusion

ROOT = Path(__file__).parents[1]
CASES = [pytest.param(entry, shape, id=f"{entry.mistake} {shape}") for entry in BANK for shape in entry.shapes]


@pytest.mark.parametrize(("entry", "shape"), CASES)
def test_a_mistake_is_found(entry, shape):
    model, data = entry.make(np.random.default_rng(1), *shape)
    assert not check_gradients(model, *data).ok


@pytest.mark.parametrize(("entry", "shape"), CASES)
def test_the_right_twin_is_not_accused(entry, shape):
    model, data = entry.twin(np.random.default_rng(1), *shape)
    assert check_gradients(model, *data).ok


def test_the_bank_is_large_and_its_mistakes_are_different():
    assert len(BANK) >= 40
    assert len({entry.mistake for entry in BANK}) == len(BANK)


def test_nearly_all_mistakes_are_named_and_the_table_is_up_to_date():
    runs = list(confusion.runs(seed=1))
    assert sum(run.named for run in runs) >= 0.95 * len(runs)
    written = (ROOT / "docs" / "diagnosis.md").read_text(encoding="utf-8")
    for line in confusion.totals(list(confusion.runs())):
        assert line in written


def test_a_mistake_that_is_missed_is_counted():
    run = confusion.Run("a mistake", (3, 2, 1), (), ("sign-flipped",))
    assert not run.found
    assert not run.named
    assert not confusion.Run("a mistake", (3, 2, 1), ("sign-flipped", "none"), ("sign-flipped",)).named
    assert confusion.totals([run])[0] == "- mistakes found: 0 of 1"
