"""Every exercise of the course: right answers accepted, every mistake recognised, hints that do not give it away.

The same questions are asked of exercises that are broken on purpose, so that each can fail.
"""

import dataclasses
import html
import inspect
import re

import numpy as np
import pytest

from course.catalogue import chapters
from course.grading.core import CORRECT, NOT_ATTEMPTED, Exercise, Mutant

SEEDS = (None, 1, 2, 3, 4)
MESSAGE = 300
GROUPS = {chapter.topic: chapter.exercises for chapter in chapters() if chapter.exercises}
ALL = [exercise for group in GROUPS.values() for exercise in group]


class Known:
    """A known answer, whose outcome for the same arguments is worked out once. The judge is given answers as they are."""

    def __init__(self, answer):
        self.__wrapped__, self.outcomes = answer, {}

    def __call__(self, *arguments):
        return self.__wrapped__(*arguments)


class Sharing:
    """Added to an exercise: its inputs, and what its reference and its mutants make of them, serve all judgements."""

    def _cases(self, seed):
        if seed not in self.cases:
            self.cases[seed] = super()._cases(seed)
        return self.cases[seed]

    def _outcome(self, answer, arguments):
        if not isinstance(answer, Known):
            return super()._outcome(answer, arguments)
        if id(arguments) not in answer.outcomes:  # the arguments are kept, so no others get their id
            answer.outcomes[id(arguments)] = super()._outcome(answer.__wrapped__, arguments)
        return answer.outcomes[id(arguments)]


def sharing(exercise):
    own = {field.name: getattr(exercise, field.name) for field in dataclasses.fields(exercise)}
    if exercise.called:
        own["reference"] = Known(exercise.reference)
        own["mutants"] = tuple(dataclasses.replace(mutant, answer=Known(mutant.answer)) for mutant in exercise.mutants)
    shared = type("Shared", (Sharing, type(exercise)), {})(**own)
    object.__setattr__(shared, "cases", {})
    return shared


SHARED = {exercise.id: sharing(exercise) for exercise in ALL}


def every(items, of=lambda exercise: [()]):
    """Parameters: each exercise, or each of its (name, thing) pairs."""
    return [pytest.param(e, *thing, id="-".join([e.id, *map(str, thing[:1])])) for e in items for thing in of(e)]


def mutants(exercise):
    return [(mutant.name, mutant) for mutant in exercise.mutants]


def variants(exercise):
    return list(exercise.variants.items())


def accepted(exercise, answer):
    for seed in SEEDS:
        result = exercise.judge(answer, seed)
        assert result.verdict == CORRECT, f"{exercise.id}, seed {seed}: {result}"
        assert float(result) == exercise.points


def rejected_by_name(exercise, mutant):
    for seed in SEEDS:
        result = exercise.judge(mutant.answer, seed)
        assert result.verdict not in (CORRECT, NOT_ATTEMPTED), f"{exercise.id}, seed {seed}: {mutant.name} accepted"
        assert float(result) == 0
        assert result.mutant == mutant.name, f"{exercise.id}, seed {seed}: {mutant.name} taken for {result.mutant}"
        assert mutant.message in str(result)
        assert mutant.message in html.unescape(result._repr_html_())


def stub(exercise):
    """What a learner starts with: the signature and a docstring, or dots."""
    if not exercise.called:
        return ...
    if inspect.isclass(exercise.reference):
        methods = [name for name, f in vars(exercise.reference).items() if inspect.isfunction(f)]
        body = "".join(f"    def {name}(self, *arguments, **options):\n        '''Yours.'''\n" for name in methods)
        source = f"class answer:\n    '''Yours.'''\n{body}"
    else:
        names = [p.replace(annotation=p.empty, default=p.empty) if p.default is p.empty else p.replace(default=None)
                 for p in inspect.signature(exercise.reference).parameters.values()]
        source = f"def answer{inspect.Signature(names)}:\n    '''Yours.'''\n    # Your code here.\n"
    namespace = {}
    exec(source, namespace)
    return namespace["answer"]


def code_lines(function):
    """The lines of code of an answer, without signature, comments and what is too short to give anything away."""
    source = inspect.getsource(function).splitlines()
    bodies = [re.sub(r".*?\blambda\b[^:]*:", "", line) if "lambda" in line else line for line in source]
    lines = [re.sub(r"^(return|[\w, ]+ =)\s+", "", line.split("#")[0].strip().rstrip(",")) for line in bodies
             if not line.lstrip().startswith(("def ", "class ", "@", '"""'))]
    return [_squeezed(line) for line in lines if len(_squeezed(line)) >= 6]


def _squeezed(text):
    return re.sub(r"\s+", "", text)


def gives_away(text, exercise):
    """The line of the solution that a text holds, or None."""
    if callable(exercise.reference):
        return next((line for line in code_lines(exercise.reference) if line in _squeezed(text)), None)
    if isinstance(exercise.reference, str) and len(exercise.reference) > 2:  # the letter of a choice is in every sentence
        return exercise.reference if re.search(rf"\b{re.escape(exercise.reference)}\b", text) else None
    return None


def sound(exercise, topic):
    """Everything about an exercise that is text or number."""
    assert re.fullmatch(rf"{topic}\.[a-z][a-z0-9_]*", exercise.id), f"{exercise.id} does not belong to {topic}"
    assert exercise.points > 0
    assert exercise.title
    assert len(exercise.title) <= 60
    assert len(exercise.hints) >= 2, "fewer than two hints"
    assert len(set(exercise.hints)) == len(exercise.hints)
    for hint in exercise.hints:
        assert hint.strip()
        assert not gives_away(hint, exercise), f"the hint {hint!r} holds the solution"
    assert exercise.mutants, "no mutants"
    names = [mutant.name for mutant in exercise.mutants]
    messages = [mutant.message for mutant in exercise.mutants]
    assert len(set(names)) == len(names), "two mutants of one name"
    assert len(set(messages)) == len(messages), "two mutants of one message"
    for mutant in exercise.mutants:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", mutant.name), mutant.name
        assert 10 <= len(mutant.message) <= MESSAGE, f"{mutant.name}: a message of {len(mutant.message)} characters"
        assert not gives_away(mutant.message, exercise), f"{mutant.name}: the message holds the solution"


def distinct(exercise):
    """No two mutants give the same results, and none gives those of the reference."""
    for seed in SEEDS:
        cases = exercise._cases(seed)
        answers = {mutant.name: mutant.answer for mutant in exercise.mutants} | {"reference": exercise.reference}
        outcomes = {name: [exercise._outcome(f, arguments) for _, arguments in cases] for name, f in answers.items()}
        names = list(outcomes)
        for i, one in enumerate(names):
            for other in names[i + 1 :]:
                alike = all(a.same_as(b) for a, b in zip(outcomes[one], outcomes[other]))
                assert not alike, f"{exercise.id}: {one} and {other} give the same"


def telling_inputs(exercise):
    """Three examples or more in a batch, no zeros, different widths: what bugs survive depends on the inputs."""
    if not exercise.called:
        return
    for seed in SEEDS:
        for label, arguments in exercise._cases(seed)[:3]:
            assert label == "random numbers"
            for array in (value for value in arguments if isinstance(value, np.ndarray) and value.dtype.kind == "f"):
                if array.ndim == 2:
                    assert array.shape[0] != array.shape[1], f"{exercise.id}: square {array.shape}"
                spread = np.unique(array).size
                assert array.size < 3 or spread > 1, f"{exercise.id}: all entries alike"


@pytest.mark.parametrize("exercise", every(ALL))
def test_the_reference_is_accepted(exercise):
    accepted(SHARED[exercise.id], exercise.reference)


@pytest.mark.parametrize(("exercise", "name", "answer"), every(ALL, variants))
def test_a_variant_is_accepted(exercise, name, answer):
    accepted(SHARED[exercise.id], answer)


@pytest.mark.parametrize(("exercise", "name", "mutant"), every(ALL, mutants))
def test_a_mutant_is_rejected_by_its_name(exercise, name, mutant):
    rejected_by_name(SHARED[exercise.id], mutant)


@pytest.mark.parametrize("exercise", every(ALL))
def test_a_stub_is_not_attempted(exercise):
    answer = stub(exercise)
    result = SHARED[exercise.id].judge(answer)
    assert result.verdict == NOT_ATTEMPTED, str(result)
    assert float(result) == 0


@pytest.mark.parametrize("exercise", every(ALL))
def test_mutants_are_distinct(exercise):
    distinct(SHARED[exercise.id])


@pytest.mark.parametrize(("topic", "exercise"), [pytest.param(t, e, id=e.id) for t, g in GROUPS.items() for e in g])
def test_texts_and_numbers_are_sound(topic, exercise):
    sound(exercise, topic)


@pytest.mark.parametrize("exercise", every(ALL))
def test_inputs_are_telling(exercise):
    telling_inputs(SHARED[exercise.id])


def test_ids_are_unique_and_every_topic_has_exercises():
    ids = [exercise.id for exercise in ALL]
    assert len(set(ids)) == len(ids)
    assert [topic for topic, group in GROUPS.items() if not group] == []
    titles = [exercise.title for exercise in ALL]
    assert len(set(titles)) == len(titles)


# Exercises broken on purpose.

SOUND = Exercise(
    id="test.scale",
    title="Scale",
    points=1,
    reference=lambda x, factor: factor * x.sum(axis=0),
    inputs=lambda rng: (rng.standard_normal((4, 3)), 2.5),
    mutants=(
        Mutant("mean", lambda x, factor: factor * x.mean(axis=0), "You took the mean of the rows, not their sum."),
        Mutant("wrong-axis", lambda x, factor: factor * x.sum(axis=1), "You added up each row. Add up each column."),
    ),
    variants={"loop": lambda x, factor: factor * sum(x)},
    hints=("Which axis counts the examples?", "Add up the rows, then scale."),
)


def broken(**changes):
    return dataclasses.replace(SOUND, **changes)


def test_a_sound_exercise_passes_every_question():
    accepted(SOUND, SOUND.reference)
    accepted(SOUND, SOUND.variants["loop"])
    for mutant in SOUND.mutants:
        rejected_by_name(SOUND, mutant)
    sound(SOUND, "test")
    distinct(SOUND)
    telling_inputs(SOUND)
    assert SOUND.judge(stub(SOUND)).verdict == NOT_ATTEMPTED


MEAN, AXIS = SOUND.mutants
TWIN = Mutant("twin", lambda x, factor: factor * sum(x) / len(x), "The mean again.")


def reworded(text):
    return broken(mutants=(dataclasses.replace(MEAN, message=text),))


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda: accepted(SOUND, MEAN.answer), "Not yet"),
        (lambda: rejected_by_name(SOUND, Mutant("right", SOUND.reference, "Nothing wrong.")), "accepted"),
        (lambda: rejected_by_name(SOUND, Mutant("other", MEAN.answer, "Another.")), "taken for mean"),
        (lambda: rejected_by_name(broken(mutants=(MEAN,)), AXIS), "taken for None"),
        (lambda: distinct(broken(mutants=(MEAN, TWIN))), "mean and twin"),
        (lambda: distinct(broken(mutants=(Mutant("same", SOUND.variants["loop"], "M"),))), "same and reference"),
        (lambda: distinct(broken(inputs=lambda rng: (np.ones((1, 1)), 1.0))), "give the same"),
        (lambda: telling_inputs(broken(inputs=lambda rng: (rng.standard_normal((3, 3)), 1.0))), "square"),
        (lambda: telling_inputs(broken(inputs=lambda rng: (np.ones((4, 3)), 1.0))), "all entries alike"),
        (lambda: sound(SOUND, "neuron"), "does not belong"),
        (lambda: sound(broken(points=0), "test"), ""),
        (lambda: sound(broken(title=""), "test"), ""),
        (lambda: sound(broken(hints=("One.",)), "test"), "fewer than two hints"),
        (lambda: sound(broken(hints=("One.", "Return factor * x.sum(axis=0).")), "test"), "holds the solution"),
        (lambda: sound(broken(mutants=()), "test"), "no mutants"),
        (lambda: sound(broken(mutants=(MEAN, dataclasses.replace(AXIS, name="mean"))), "test"), "of one name"),
        (lambda: sound(broken(mutants=(MEAN, dataclasses.replace(TWIN, message=MEAN.message))), "test"), "one message"),
        (lambda: sound(reworded("x" * 301), "test"), "301 characters"),
        (lambda: sound(reworded(""), "test"), "0 characters"),
        (lambda: sound(reworded("It is factor*x.sum(axis=0)."), "test"), "holds the solution"),
        (lambda: sound(broken(mutants=(dataclasses.replace(MEAN, name="The Mean"),)), "test"), "The Mean"),
    ],
)
def test_a_broken_exercise_is_caught(question, message):
    with pytest.raises(AssertionError) as caught:
        question()
    assert message in str(caught.value)
