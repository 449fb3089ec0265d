"""The lab of chapter 05: what it shows at each step, and what it says of a node."""

import pytest

from bplib.labs import ChainRule
from bplib.labs.graph import CHAIN, FAN_OUT, LAST, NAMES, NEURON


@pytest.fixture
def lab():
    return ChainRule()


@pytest.mark.parametrize("graph", [CHAIN, FAN_OUT, NEURON])
def test_each_step_brings_one_number_more(lab, graph):
    shown = [len(data["values"]) + len(data["grads"]) for data in (lab.data(graph=graph, step=step) for step in range(LAST + 1))]
    assert shown == list(range(3, 3 + LAST + 1))


def test_nothing_is_shown_of_what_is_not_reached(lab):
    data = lab.data(step=2)
    assert set(data["values"]) == {"u", "v", "w", "a", "b"}
    assert data["grads"] == data["slopes"] == {}
    assert "has not been reached yet" in lab.describe(lab.values(step=2, node="c"), lab.data(step=2, node="c"))


def test_the_sum_over_the_users_is_spelt_out(lab):
    words = lab.describe(lab.values(step=LAST, node="a"), lab.data(step=LAST, node="a"))
    assert "a is used by b and c: dL/da = dL/db × db/da + dL/dc × dc/da = 1.000 × 0.197 + 1.000 × -1.500 = -1.303." in words


@pytest.mark.parametrize("graph", [CHAIN, FAN_OUT, NEURON])
@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_in_the_words_add_up(lab, graph, name):
    data = lab.data(graph=graph, node=name, step=LAST)
    words = lab.describe(lab.values(graph=graph, node=name, step=LAST), data)
    assert f"{data['grads'][name]:.3f}" in words or name == "L"
    if name != "L":
        numbers = words.split(" = ")[-2]
        total = sum(float(part.split(" × ")[0]) * float(part.split(" × ")[1]) for part in numbers.split(" + "))
        assert total == pytest.approx(data["grads"][name], abs=0.01)
