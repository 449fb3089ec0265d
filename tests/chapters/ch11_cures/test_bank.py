"""The references of chapter 11 are right, by independent means; typical answers get the right words."""

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from bplib import (
    BatchNorm,
    Dropout,
    LayerNorm,
    Linear,
    ReLU,
    Residual,
    Sequential,
    Tanh,
    clip_by_global_norm,
    init,
    numerical_gradient,
)
from course.catalogue import exercises, find
from course.ch10_vanishing import GradientMagnitudes, labs as vanishing
from course.ch11_cures.bank import dropout, norm_back, patients
from course.grading.arguments import Seed
from course.grading.core import CORRECT, ERROR, NOT_ATTEMPTED, WRONG

CHAPTER = Path(__file__).parents[3] / "course" / "ch11_cures" / "exercises.md"


def reference(name):
    return find(f"cures.{name}").reference


def judge(name, answer):
    return find(f"cures.{name}").judge(answer)


def relu_slope(z):
    return (z > 0) * 1.0


@pytest.fixture
def batch(rng):
    """x, gamma, dy and floor."""
    return rng.normal(3, 2, (6, 4)), rng.uniform(0.5, 2, 4), rng.normal(0, 1, (6, 4)), 0.1


# Starting weights.


def test_the_gains_are_those_that_the_lesson_proves(rng):
    u = rng.normal(0, 1, 10**6)
    assert reference("gain")(relu_slope, 1.7, u) == pytest.approx(np.sqrt(2), rel=3e-3)
    assert reference("gain")(lambda z: 1 - np.tanh(z) ** 2, 1e-4, u) == pytest.approx(1, abs=1e-3)
    assert reference("gain")(lambda z: np.ones_like(z), 3.0, u) == 1


def test_the_gain_makes_chi_one(rng):
    u, slope = rng.normal(0, 1, 300), lambda z: 1 - np.tanh(z) ** 2
    variance = reference("gain")(slope, 2.3, u) ** 2
    assert find("vanishing.chi").reference(slope, 2.3, variance, u) == pytest.approx(1)


def test_the_spreads_are_those_of_the_library(rng):
    xavier, he, bound = reference("spreads")(300, 500)
    assert init.xavier(300, 500, rng).std() == pytest.approx(xavier, rel=0.01)
    assert init.he(300, 500, rng).std() == pytest.approx(he, rel=0.01)
    assert rng.uniform(-bound, bound, 10**6).std() == pytest.approx(xavier, rel=0.01)


@pytest.mark.parametrize("gain", [1.0, np.sqrt(2), 1.6])
def test_the_mean_square_is_what_a_wide_network_has(gain):
    n, layers, found = 400, 6, []
    for seed in range(8):
        net = Sequential(*[layer for place in range(layers) for layer in
                           (ReLU(), Linear(n, n, init="xavier", gain=gain, rng=100 * seed + place))])
        found.append(np.mean(net.forward(np.random.default_rng(seed).normal(0, 1.5, (1, n))) ** 2))
    assert reference("mean_square")(1.5**2, gain, layers) == pytest.approx(np.mean(found), rel=0.15)


# Normalisation, residuals, dropout, clipping.


def test_batch_norm_gives_each_feature_what_gamma_and_beta_say(rng):
    x, gamma, beta = rng.normal(4, 3, (50, 3)), np.array([0.5, 2.0, -1.0]), np.array([1.0, 0.0, -3.0])
    old_mean, old_var = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    y, mean, var = reference("batch_norm")(x, gamma, beta, old_mean, old_var, 0.25, 1e-12)
    np.testing.assert_allclose(y.mean(axis=0), beta, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), abs(gamma))
    np.testing.assert_allclose(mean, old_mean + (x.mean(axis=0) - old_mean) / 4)
    np.testing.assert_allclose(var, old_var + (np.cov(x.T).diagonal() - old_var) / 4)


@pytest.mark.parametrize(("name", "axis"), [("batch_norm_backward", 0), ("layer_norm_backward", 1)])
def test_the_way_back_is_what_is_measured(name, axis, batch):
    x, gamma, dy, floor = batch

    def loss(x, gamma, beta):
        s = np.sqrt(x.var(axis=axis, keepdims=True) + floor)
        return np.sum(dy * (gamma * (x - x.mean(axis=axis, keepdims=True)) / s + beta))

    dx, dgamma, dbeta = reference(name)(x, gamma, dy, floor)
    beta = np.full(4, 0.3)
    np.testing.assert_allclose(dx, numerical_gradient(lambda v: loss(v, gamma, beta), x), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(dgamma, numerical_gradient(lambda v: loss(x, v, beta), gamma), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(dbeta, numerical_gradient(lambda v: loss(x, gamma, v), beta), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(dx.sum(axis=axis), 0, atol=1e-12, err_msg="moving all alike changes nothing")


def test_evaluation_is_what_is_measured(batch, rng):
    x, gamma, dy, floor = batch
    beta, mean, var = rng.normal(0, 1, 4), rng.normal(0, 1, 4), rng.uniform(1, 2, 4)
    y, dx = reference("evaluation")(x, gamma, beta, mean, var, floor, dy)
    measured = numerical_gradient(lambda v: np.sum(dy * reference("evaluation")(v, gamma, beta, mean, var, floor, dy)[0]), x)
    np.testing.assert_allclose(dx, measured, rtol=1e-6)
    alone = reference("evaluation")(x[2:3], gamma, beta, mean, var, floor, dy[2:3])[0]
    np.testing.assert_allclose(alone, y[2:3], err_msg="an example does not depend on the others")


def test_the_residual_block_is_what_is_measured(rng):
    x, W1, W2, dy = rng.normal(0, 1, (5, 3)), rng.normal(0, 1, (3, 4)), rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (5, 3))

    def loss(x, W1, W2):
        return np.sum(dy * (x + np.tanh(x @ W1) @ W2))

    dW1, dW2, dx = reference("residual_backward")(x, W1, W2, dy)
    np.testing.assert_allclose(dx, numerical_gradient(lambda v: loss(v, W1, W2), x), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(dW1, numerical_gradient(lambda v: loss(x, v, W2), W1), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(dW2, numerical_gradient(lambda v: loss(x, W1, v), W2), rtol=1e-6, atol=1e-8)


def test_clipping_together_leaves_the_ratio_and_the_others_do_not(rng):
    first, last = rng.normal(0, 5, (4, 5)), rng.normal(0, 0.1, (3, 2))
    by_value, by_norm, together = reference("clipping")(first, last, 1.0)
    before = np.linalg.norm(first) / np.linalg.norm(last)
    assert together == pytest.approx(before)
    assert by_norm == pytest.approx(1 / np.linalg.norm(last))
    assert by_norm < by_value < before


def test_the_course_s_own_dropout_is_a_right_answer():
    assert judge("dropout", Dropout).verdict == CORRECT


def test_a_new_mask_on_the_way_back_is_named_whatever_the_code():
    class Again(Dropout):
        def backward(self, dy):
            return self.forward(dy, training=True)

    assert judge("dropout", Again).mutant == "draws-again"


@pytest.mark.parametrize(("change", "seen"), [
    (lambda mask, p: mask * 1.7, "drops p, scaled by another number"),
    (lambda mask, p: np.where(mask == 0, 0, np.arange(mask.size).reshape(mask.shape) + 1),
     "kept numbers multiplied by different factors"),
    (lambda mask, p: mask * np.eye(len(mask), mask.shape[1]), "drops another share, scaled"),
])
def test_a_mask_of_another_kind_is_told_what_is_expected(change, seen):
    class Changed(dropout.Dropout):
        def forward(self, x, training=False):
            super().forward(x, training)
            self.mask = change(self.mask, self.p)
            return x * self.mask

    assert dropout.seen_in_dropout(Changed, 0.3, Seed(4)) == seen
    result = judge("dropout", Changed)
    assert result.verdict == WRONG
    assert "Asked for is a class" in str(result)
    assert f"Seen: {seen}." in str(result)


# What the cures cost: every statement, measured.


def depends_on_others(layer, rng):
    x = rng.normal(0, 1, (6, 5))
    other = x.copy()
    other[1:] += rng.normal(0, 1, (5, 5))
    return not np.allclose(layer.forward(x, training=True)[0], layer.forward(other, training=True)[0])


def test_the_statements_about_costs_are_measured(rng):
    inner = Linear(5, 5), Tanh(), Linear(5, 5)
    linear, norm = Linear(5, 4, rng=1), BatchNorm(4)
    norm.forward(linear.forward(rng.normal(0, 1, (6, 5))), training=True)
    linear.backward(norm.backward(rng.normal(0, 1, (6, 4))))
    first, last = rng.normal(0, 5, 20), rng.normal(0, 0.1, 20)
    clipped = clip_by_global_norm({"first": first, "last": last}, 1.0)
    ratio = np.linalg.norm(clipped["first"]) / np.linalg.norm(clipped["last"])
    x = rng.normal(0, 1, (5, 4))
    found = (
        sum(param.size for param in BatchNorm(128).params.values()) == 256,
        sum(p.size for p in Residual(*inner).params.values()) > sum(p.size for layer in inner for p in layer.params.values()),
        # A step costs what its products cost: the rule is asked once, at the start, and the shapes are the same.
        [param.shape for param in Linear(8, 4, init="he").params.values()]
        != [param.shape for param in Linear(8, 4, init="xavier").params.values()],
        depends_on_others(BatchNorm(5), rng),
        depends_on_others(LayerNorm(5), rng),
        bool(np.abs(linear.grads["b"]).max() < 1e-12 * np.abs(linear.grads["W"]).max() + 1e-14),
        not np.isclose(ratio, np.linalg.norm(first) / np.linalg.norm(last)),
        not np.array_equal(Dropout(0.5).forward(x), x),
    )
    assert found == reference("costs")


def test_the_text_has_as_many_statements():
    statements = re.findall(r"^- ([A-H])\. ", CHAPTER.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert statements[: len(patients.COSTS)] == list(patients.NAMES)


@pytest.mark.parametrize(("answer", "said"), [
    (patients.contrary("AH"), "6 of 8 are right. Look again at A, H."),
    (patients.COSTS[:7], "Give eight times"),
    (("True",) * 8, "Give eight times"),
    (np.array(patients.contrary("AH")), "6 of 8 are right. Look again at A, H."),
    (tuple(map(int, patients.contrary("AH"))), "6 of 8 are right. Look again at A, H."),
    (True, "Give eight times"),
])
def test_costs_are_told_where_to_look_again(answer, said):
    result = judge("costs", answer)
    assert result.verdict == WRONG
    assert said in str(result)


# The patients.


def test_the_networks_are_those_of_the_lab():
    lab = GradientMagnitudes()
    for letter, patient in patients.PATIENTS.items():
        for change in ({}, dict([patients.CURES[letter]])):
            norms = lab.data(depth=patients.DEPTH, **patient | change)["norms"]
            np.testing.assert_allclose(patients.gradients(**patient | change), norms, rtol=1e-6)


def test_the_band_is_the_lab_s():
    assert (vanishing.STILL, vanishing.WILD) == (patients.SMALLEST, patients.LARGEST)
    assert GradientMagnitudes.controls["width"].default == patients.WIDTH
    assert GradientMagnitudes.controls["batch"].default == patients.IMAGES


@pytest.mark.parametrize("seed", range(4))
def test_every_patient_is_ill_and_its_cure_works_whatever_the_seed(seed):
    for letter, patient in patients.PATIENTS.items():
        assert patients.state(patients.gradients(**patient, seed=seed)) != "cured"
        treated = patient | dict([patients.CURES[letter]])
        assert patients.state(patients.gradients(**treated, seed=seed)) == "cured"


def test_no_other_way_of_sharing_the_settings_cures_everybody():
    helps = {letter: set() for letter in patients.PATIENTS}
    gain = GradientMagnitudes.controls["gain"]
    choices = patients.CHOICES | {"gain": np.arange(gain.low, gain.high + 0.01, 0.1).round(2).tolist()}
    for letter, patient in patients.PATIENTS.items():
        for setting in patients.SETTINGS:
            for value in choices[setting]:
                if patients.state(patients.gradients(**patient | {setting: value})) == "cured":
                    helps[letter].add(setting)
    shared = [chosen for chosen in product(*helps.values()) if len(set(chosen)) == len(chosen)]
    assert shared == [tuple(setting for setting, _ in patients.CURES.values())]


def test_a_setting_that_serves_two_is_said():
    result = judge("patients", patients.CURES | {"D": ("gain", 1.0)})
    assert result.verdict == WRONG
    assert "gain was used more than once" in str(result)
    assert "A, rule: cured" in str(result)


@pytest.mark.parametrize(("cure", "said"), [
    ("gain", "A: not a pair"), (("gain",), "A: not a pair"), (("gain", 1, 2), "A: not a pair"), (3, "A: not a pair"),
    (("gain", "1.4"), "A, gain: not a number above 0"), (("gain", -1), "A, gain: not a number above 0"),
    (("gain", float("nan")), "A, gain: not a number above 0"), (("gain", 1e300), "A, gain: not a number above 0"),
    (("gain", True), "A, gain: not a number above 0"), (("gain", np.array([1.0, 2.0])), "A, gain: not a number above 0"),
    (("rule", "LeCun"), "A, rule: none of"), (("residual", 1), "A, residual: none of"),
    (("normalization", ["batch"]), "A, normalization: none of"),
    (("activation", "tanh"), "A: the activation must stay"), (("depth", 10), "A: no such setting"),
    ((["gain"], 1.0), "A: no such setting"), (..., "A: no answer yet"),
])
def test_what_is_no_cure_is_told_what_is_expected(cure, said):
    result = judge("patients", patients.CURES | {"A": cure})
    assert result.verdict == WRONG
    assert said in str(result)


def test_patients_that_are_left_out_and_strange_ones_are_said():
    assert "B: no answer yet" in str(judge("patients", {"A": ("rule", "He")}))
    assert "E: no such patient" in str(judge("patients", patients.CURES | {"E": ("rule", "He")}))
    assert judge("patients", dict.fromkeys("ABCD", ...)).verdict == NOT_ATTEMPTED
    for answer in ([("rule", "He")], "He", 3.0, {}):
        assert judge("patients", answer).verdict == WRONG


# What people type.


GRAPH_SLIPS = {
    "half-forgotten": {"slope": -1.0}, "two-forgotten": {"twice": 1.0}, "third-term-added": {"slope": 0.5},
    "only-the-spread-left": {"direct": False}, "mean-held-fixed": {"through_mean": False}, "spread-held-fixed": {"twice": 0.0},
}


@pytest.mark.parametrize("name", GRAPH_SLIPS)
def test_a_slip_on_the_graph_is_named_as_in_the_closed_form(name):
    assert judge("batch_norm_backward", norm_back.graph(**GRAPH_SLIPS[name])).mutant == name


@pytest.mark.parametrize(("dx", "dgamma", "name"), [
    ("both-held-fixed", "dgamma-of-x", "both-held-fixed"), (None, "dgamma-of-x", "dgamma-of-x"),
    ("gamma-forgotten", "dgamma-averaged", "gamma-forgotten"),
])
def test_of_several_slips_the_first_is_named(dx, dgamma, name):
    known = {mutant.name: mutant.answer for mutant in find("cures.batch_norm_backward").mutants}

    def answer(*arguments):
        return (known.get(dx, reference("batch_norm_backward"))(*arguments)[0], known[dgamma](*arguments)[1],
                known["dbeta-one-row"](*arguments)[2])

    result = judge("batch_norm_backward", answer)
    assert result.verdict == WRONG
    assert result.mutant == name


def test_a_slip_that_nobody_knows_is_not_named():
    def answer(*arguments):
        dx, dgamma, dbeta = reference("batch_norm_backward")(*arguments)
        return dx + 0.1, dgamma, dbeta / len(dx)

    result = judge("batch_norm_backward", answer)
    assert result.mutant is None
    assert "dx has the right shape" in str(result)


def test_batch_norm_turned_into_layer_norm_by_axes_alone_is_named():
    def by_axes(x, gamma, dy, floor):
        s = np.sqrt(x.var(axis=1, keepdims=True) + floor)
        x_hat = (x - x.mean(axis=1, keepdims=True)) / s
        dgamma, dbeta = (dy * x_hat).sum(axis=1), dy.sum(axis=1)
        d = dy * gamma
        dx = (d - d.mean(axis=1, keepdims=True) - x_hat * (d * x_hat).mean(axis=1, keepdims=True)) / s
        return dx, dgamma, dbeta

    assert judge("layer_norm_backward", by_axes).mutant == "one-number-per-example"


def test_a_forgotten_keepdims_is_named_and_its_line_shown():
    def forgot(x, gamma, dy, floor):
        centred = x - x.mean(axis=1)
        return centred, gamma, gamma

    result = judge("layer_norm_backward", forgot)
    assert result.verdict == ERROR
    assert result.mutant == "keepdims-forgotten"
    assert "centred = x - x.mean(axis=1)" in str(result)


def test_running_statistics_changed_in_place_are_named():
    def in_place(x, gamma, beta, running_mean, running_var, momentum, floor):
        y = gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + floor) + beta
        running_mean *= 1 - momentum
        running_mean += momentum * x.mean(axis=0)
        running_var *= 1 - momentum
        running_var += momentum * x.var(axis=0, ddof=1)
        return y, running_mean, running_var

    assert judge("batch_norm", in_place).mutant == "in-place"


def test_weights_of_another_spread_are_told_which():
    result = judge("he", lambda n_in, n_out, rng: rng.normal(0, 0.3, (n_in, n_out)))
    assert "Seen: a spread of 0.3." in str(result)


def test_a_missing_return_is_said():
    class Half(dropout.Dropout):
        def forward(self, x, training=False):
            super().forward(x, training)

    assert "Is a return missing?" in str(judge("dropout", Half))


def test_weights_from_a_generator_of_their_own_are_named():
    assert judge("he", lambda n_in, n_out, rng: np.random.default_rng().normal(0, (2 / n_in) ** 0.5, (n_in, n_out))
                 ).mutant == "global-generator"


@pytest.mark.parametrize("answer", [
    lambda n_in, n_out, rng: "weights", lambda n_in, n_out, rng: 0.1, lambda n_in, n_out, rng: np.zeros(n_in),
    lambda n_in, n_out, rng: rng.normal(0, 0.3, (n_in, n_out)), lambda n_in, n_out, rng: np.full((n_in, n_out), np.nan),
    lambda n_in, n_out, rng: rng.normal(0, 1, (n_in, n_out)).astype(complex),
])
def test_what_are_no_such_weights_is_told_what_is_expected(answer):
    result = judge("he", answer)
    assert result.verdict == WRONG
    assert "Asked for is an array (n_in, n_out)" in str(result)


JUNK = [None, "text", float("nan"), np.zeros((0, 4)), np.full((6, 4), np.inf), 1e300, [[1, 2], [3]], object(), {"dx": 1}]


@pytest.mark.parametrize("name", [exercise.id for exercise in exercises()["11 Cures"]])
def test_junk_is_rejected_and_never_raises(name, capsys):
    exercise = find(name)
    for junk in JUNK:
        for answer in (junk, lambda *arguments, junk=junk: junk, lambda *arguments, junk=junk: (junk,) * 3):
            assert float(exercise.judge(answer)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""


def solutions():
    """The answer cells of the chapter, run one after the other."""
    cells = re.findall(r"```\{code-cell\}\n:tags: \[answer\]\n(.*?)```", CHAPTER.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = {"np": np}
    for cell in cells:
        exec(cell, found)
    return found


def test_the_solutions_in_the_text_earn_all_points():
    found = solutions()
    names = {"evaluation": "evaluate", "clipping": "clipped_ratios", "dropout": "Dropout", "patients": "cures"}
    for exercise in exercises()["11 Cures"]:
        name = exercise.id.split(".")[1]
        assert judge(name, found[names.get(name, name)]).verdict == CORRECT, name


def test_the_patients_of_the_text_are_those_of_the_check():
    text = CHAPTER.read_text(encoding="utf-8")
    for letter, patient in patients.PATIENTS.items():
        assert f"- {letter}. {patient['activation']}, gain {patient['gain']:g}\n" in text
    for values in (*patients.CHOICES.values(), patients.SETTINGS):
        assert all(f"`{value}`" in text or f'`"{value}"`' in text for value in values if value is not False)
