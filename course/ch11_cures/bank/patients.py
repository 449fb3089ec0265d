"""Chapter 11, last part: what the cures cost, and four networks of thirty layers that need one each."""
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np

from bplib import (
    BatchNorm,
    LayerNorm,
    Linear,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    datasets,
)
from course.grading.core import Exercise, Mutant
from course.grading.kinds import Sealed

COSTS = (True, False, False, True, False, True, False, False)
NAMES = "ABCDEFGH"


def contrary(letters):
    """The costs with these statements judged the other way."""
    return tuple(cost != (letter in letters) for letter, cost in zip(NAMES, COSTS))


def which_statements(answer):
    """Says which letters are right, and never what the others are."""
    answer = answer.tolist() if isinstance(answer, np.ndarray) else answer
    eight = isinstance(answer, tuple | list) and len(answer) == len(COSTS)
    if not (eight and all(isinstance(a, bool | np.bool_ | int) and a in (0, 1) for a in answer)):
        return "Give eight times True or False in brackets, without quotes, for the statements A to H in this order."
    wrong = [letter for letter, a, cost in zip(NAMES, answer, COSTS) if bool(a) != cost]
    return f"{len(COSTS) - len(wrong)} of 8 are right. Look again at {', '.join(wrong)}."


DEPTH, WIDTH, IMAGES = 30, 64, 64
SMALLEST, LARGEST, DECADE = 1e-4, 1e1, 10.0  # the band in which the lab says that a layer learns; and first against last
HEALTHY = {"activation": "tanh", "rule": "Xavier", "gain": 1.0, "normalization": "none", "residual": False}
PATIENTS = {
    "A": HEALTHY | {"activation": "ReLU"},
    "B": HEALTHY | {"activation": "sigmoid"},
    "C": HEALTHY | {"gain": 2.5},
    "D": HEALTHY | {"gain": 0.3},
}
CHOICES = {
    "rule": ("Xavier", "He", "orthogonal", "normal"),
    "normalization": ("none", "batch", "layer"),
    "residual": (False, True),
}
SETTINGS = ("rule", "gain", "normalization", "residual")
CURES = {"A": ("rule", "He"), "B": ("normalization", "batch"), "C": ("gain", 1.0), "D": ("residual", True)}


@cache
def batch():
    """Images with mean 0 and spread 1, and their labels."""
    data = datasets.fashion()
    return (data.x_train[:IMAGES] - data.x_train.mean()) / data.x_train.std(), data.y_train[:IMAGES]


@cache
def gradients(activation, rule, gain, normalization, residual, seed=0):
    """The length of each layer's weight gradient, first layer first, in the untrained network."""
    kind, norm = {"ReLU": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}[activation], {"batch": BatchNorm, "layer": LayerNorm}
    rng, linears, blocks = np.random.default_rng(seed), [], []
    for place, (n_in, n_out) in enumerate(pairwise((784, *[WIDTH] * (DEPTH - 1), 10)), 1):
        linears.append(Linear(n_in, n_out, init=rule.lower(), gain=gain, rng=rng))
        if place < DEPTH:
            inner = [linears[-1], *([norm[normalization](n_out)] if normalization in norm else []), kind()]
            blocks.append((Residual if residual and place > 1 else Sequential)(*inner))
    net, loss = Sequential(*blocks, linears[-1]), SoftmaxCrossEntropy()
    x, y = batch()
    with np.errstate(all="ignore"):
        loss.forward(net.forward(x, training=True), y)
        net.backward(loss.backward())
    return tuple(float(np.linalg.norm(linear.grads["W"])) for linear in linears)


def state(lengths):
    """What is the matter with a network, in a few words."""
    first, last = lengths[0], lengths[-1]
    if not np.isfinite(lengths).all() or first > DECADE * last:
        return "explodes on the way back"
    if first < last / DECADE:
        return "vanishes on the way back"
    if min(lengths) < SMALLEST:
        return "too small in all layers" if max(lengths) < SMALLEST else "too small in some layers"
    return "cured" if max(lengths) <= LARGEST else "too large"


def examined(answer):
    """What each patient's cure does, in words, by the patient's letter."""
    if not isinstance(answer, dict):
        return answer
    return {letter: _effect(PATIENTS.get(letter), cure) for letter, cure in answer.items()}


def _effect(patient, cure):
    if patient is None or cure is ...:
        return "no answer yet" if patient else "no such patient"
    if not isinstance(cure, tuple | list) or len(cure) != 2:
        return "not a pair of setting and value"
    setting, value = cure
    if setting not in SETTINGS:
        return "the activation must stay" if setting == "activation" else f"no such setting (there are {', '.join(SETTINGS)})"
    value = value.item() if isinstance(value, np.generic) else value
    if setting == "gain":
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1000:
            return "gain: not a number above 0"
    elif not isinstance(value, type(CHOICES[setting][0])) or value not in CHOICES[setting]:
        return f"{setting}: none of {', '.join(map(repr, CHOICES[setting]))}"
    if patient[setting] == value:
        return f"{setting}: nothing changed"
    return f"{setting}: {state(gradients(**patient | {setting: value}))}"


class Examined(Exercise):
    """An exercise whose answer, a dict of cures, is judged by what the networks do with them."""

    def _outcome(self, answer, arguments):
        return super()._outcome(examined(answer), arguments)

    def _recognise(self, cases, outcomes):
        # A network takes some milliseconds: a mutant that changes other settings cannot be the one, and is not run.
        effects = outcomes[0].value
        used = {letter: effect.split(":")[0] for letter, effect in effects.items()} if isinstance(effects, dict) else {}
        near = (m for m in self.mutants if used == {letter: setting for letter, (setting, _) in m.answer.items()})
        return Exercise._recognise(replace(self, mutants=tuple(near)), cases, outcomes)


def report(effects):
    """A line for each patient, and whether a setting was used twice."""
    lines = [f"{letter}{',' if ':' in effect else ':'} {effect}" for letter, effect in sorted(effects.items(), key=str)]
    lines += [f"{letter}: no answer yet" for letter in CURES if letter not in effects]
    used = [str(effect).split(":")[0] for effect in effects.values()]
    twice = sorted({setting for setting in used if setting in SETTINGS and used.count(setting) > 1})
    lines += [f"Each setting serves one patient: {', '.join(twice)} was used more than once."] if twice else []
    return "\n".join(lines)


EXERCISES = (
    Sealed(
        id="cures.costs",
        title="What the cures cost",
        points=2,
        reference=COSTS,
        words=which_statements,
        mutants=(
            Mutant("all-true", (True,) * 8, "Not all of them are true. Each can be measured in one cell."),
            Mutant("all-false", (False,) * 8, "Not all of them are false. Each can be measured in one cell."),
            Mutant("parameters", contrary("A"), "Seven are right. Print the params of BatchNorm(128): what has it to learn?"),
            Mutant("parameters-of-a-shortcut", contrary("B"),
                   "Seven are right. Print the params of a Residual, and those of the layers inside it."),
            Mutant("start-and-step", contrary("C"),
                   "Seven are right. When are He's weights drawn, and how often? Then think of a training step."),
            Mutant("neighbours-in-batch-norm", contrary("D"),
                   "Seven are right. In training, what is BatchNorm's mean taken over? Change the other examples and look."),
            Mutant("neighbours-in-layer-norm", contrary("E"),
                   "Seven are right. What is LayerNorm's mean taken over? Change the other examples and look."),
            Mutant("bias-before-batch-norm", contrary("F"),
                   "Seven are right. What does BatchNorm do with a number that is added to a feature of all examples alike?"),
            Mutant("clipping-cures", contrary("G"),
                   "Seven are right. Clip two gradients together, and compare their ratio with what it was."),
            Mutant("dropout-in-evaluation", contrary("H"),
                   "Seven are right. Which of its two states pays for dropout, in the inverted form?"),
            Mutant("batch-for-layer", contrary("DE"),
                   "You took BatchNorm and LayerNorm for each other: one looks along the batch, the other along an example."),
        ),
        variants={"list": list(COSTS), "of NumPy": tuple(np.array(COSTS))},
        shown="All eight are right: you know what each cure costs, and what it does not cost.",
        hints=("Every statement can be tried out: build the layer, run it, print shapes or numbers.",
               "For D and E change one example of a batch, and look at the output for another. For F look at the Linear's grads.",
               "B: what would a sum have to learn? C and H: when does it act, and how often? G: a factor that two lengths "
               "share."),
    ),
    Examined(
        id="cures.patients",
        title="Four patients, one cure each",
        points=3,
        reference=CURES,
        explain=report,
        mutants=(
            Mutant("orthogonal-for-relu", CURES | {"A": ("rule", "orthogonal")},
                   "Orthogonal weights keep the length of what they get. But patient A's ReLU takes half of it away first, "
                   "thirty times."),
            Mutant("nineties", CURES | {"A": ("rule", "normal")},
                   "Patient A explodes now: with weights of spread 1 each sum of 64 terms is eight times as large as one of "
                   "them."),
            Mutant("gain-for-relu", CURES | {"A": ("gain", 1.4), "C": ("rule", "orthogonal")},
                   "The root of 2 cures patient A, as a gain too. But then no gain is left for C, whom nothing else helps. Which "
                   "*rule* has the root of 2 in it?"),
            Mutant("layer-norm-for-sigmoid", CURES | {"B": ("normalization", "layer")},
                   "Patient B's sigmoids give positive numbers, nearly the same for all images. Dividing each image by its own "
                   "spread leaves them alike. What takes off what all images have in common?"),
            Mutant("layer-norm-for-relu", CURES | {"A": ("normalization", "layer"), "B": ("rule", "He")},
                   "LayerNorm helps patient A. But now B still vanishes: 1.4 does not make up for a slope of 1/4. Who needs the "
                   "normalisation more?"),
            Mutant("shortcut-for-sigmoid", CURES | {"B": ("residual", True), "D": ("normalization", "batch")},
                   "A shortcut in patient B lets each layer add positive numbers, so that all grows forward. Is there something "
                   "that sets mean and spread right in each layer?"),
            Mutant("shortcut-for-the-exploding", CURES | {"C": ("residual", True), "D": ("gain", 1.0)},
                   "A shortcut *adds* a way. Patient C already gets too much through the layers; more cannot cure it."),
            Mutant("batch-norm-for-the-exploding", CURES | {"B": ("gain", 3.0), "C": ("normalization", "batch")},
                   "BatchNorm makes C better, not well: with tanh each normalised layer still costs a little more than it "
                   "should. And a gain of 3 is not enough for B's thirty slopes of 1/4."),
            Mutant("too-little-for-c", CURES | {"C": ("gain", 0.5)},
                   "Patient C had too much, and now has too little: half for each layer, thirty times. For tanh near zero, chi "
                   "is the square of the gain."),
            Mutant("still-too-much-for-c", CURES | {"C": ("gain", 1.6)},
                   "Patient C explodes more slowly now. For tanh near zero, chi is the square of the gain: where is it 1?"),
            Mutant("nothing-changed", {letter: (setting, PATIENTS[letter][setting]) for letter, (setting, _) in CURES.items()},
                   "These are the settings that the patients have. One of them has to change."),
            Mutant("batch-norm-for-all", dict.fromkeys(CURES, ("normalization", "batch")),
                   "BatchNorm for everybody cures one of four, and each setting may serve one patient only. Ask for each: what "
                   "does a layer multiply by, forward and back?"),
        ),
        variants={
            "lists": {letter: list(cure) for letter, cure in CURES.items()},
            "another gain": CURES | {"C": ("gain", 1.1)},
            "a whole number": CURES | {"C": ("gain", 1)},
            "of NumPy": CURES | {"C": ("gain", np.float64(0.98)), "D": ("residual", np.bool_(True))},
            "in another order": dict(reversed(CURES.items())),
        },
        shown="All four are cured, each by a single change.",
        hints=("Set the lab to a patient and look: does the gradient shrink on its way back, or grow? Or is it small everywhere, "
               "because the signal has died on its way forward?",
               "For each patient, try the four settings one after the other. Begin with those for whom only one of them helps: B "
               "and C.",
               "B needs something that takes off what all images share. C has weights that are too large for tanh. A and D get "
               "through the layers too little: one by its activation, one by its weights."),
    ),
)
