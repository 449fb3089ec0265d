"""What is still a stub, and what somebody has written something in, however they wrote it."""

import functools
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import pytest

from bplib import Layer, Linear
from course.grading.core import CORRECT, NOT_ATTEMPTED, Exercise, Outcome, _untouched


def doubled(self, x):
    return 2 * x


def loud(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


class Base:
    """A learner's own, such as one that all their layers share."""

    def forward(self, x):
        return 2 * x


class OnlyInherits(Base):
    """Nothing of its own."""


class InheritsThroughTwo(OnlyInherits):
    def __init__(self, scale=2):
        self.scale = scale


class OverridesPartly(Base):
    def backward(self, dy):
        """Still to come."""


class Partial:
    forward = functools.partialmethod(doubled)


class PartialFunction:
    forward = functools.partial(np.multiply, 2)


class Ufunc:
    forward = np.tanh


class Builtin:
    forward = math.tanh


class Lambda:
    forward = lambda self, x: 2 * x  # noqa: E731


class Borrowed:
    forward = doubled


class Static:
    @staticmethod
    def forward(x):
        return 2 * x


class OfClass:
    @classmethod
    def forward(cls, x):
        return 2 * x


class Property:
    @property
    def forward(self):
        return lambda x: 2 * x


class Cached:
    @functools.cached_property
    def forward(self):
        return lambda x: 2 * x


class Decorated:
    @loud
    def forward(self, x):
        """Called by what stands around it."""
        return 2 * x


class Callable:
    def __call__(self, x):
        return 2 * x

    def forward(self, x):
        """Not needed."""


class OnlyInit:
    def __init__(self, x):
        self.x = x


class Nested:
    class Inner:
        def forward(self, x):
            return 2 * x


class Constant:
    scale = 2


@dataclass
class Data:
    scale: float = 2.0


@dataclass
class DataWithoutDefault:
    scale: float


class OfALibrary(Linear):
    def forward(self, x, training=False):
        return 2 * x


WRITTEN = [OnlyInherits, InheritsThroughTwo, OverridesPartly, Partial, PartialFunction, Ufunc, Builtin, Lambda, Borrowed, Static,
           OfClass, Property, Cached, Decorated, Callable, OnlyInit, Nested, Constant, Data, DataWithoutDefault, OfALibrary,
           Linear, Base, functools.partial(np.multiply, 2), np.tanh, math.tanh, Callable(), Base().forward, loud(doubled),
           functools.lru_cache(doubled), np.vectorize(lambda x: 2 * x), type("Made", (Base,), {}), print]


@pytest.mark.parametrize("answer", WRITTEN)
def test_where_something_was_written_the_answer_is_judged(answer):
    assert not _untouched(answer, Outcome(0))
    exercise = Exercise("test.any", "Any", 1, lambda x: 2 * x, lambda rng: (rng.standard_normal(3),))
    assert exercise.judge(answer).verdict != NOT_ATTEMPTED


def test_a_class_that_only_inherits_can_be_right():
    exercise = Exercise("test.layer", "Layer", 1, Base, lambda rng: (rng.standard_normal(3),),
                        run=lambda answer, x: answer().forward(x))
    assert exercise.judge(OnlyInherits).verdict == CORRECT


class Empty:
    """Nothing."""


class Passing:
    def forward(self, x):
        pass

    def backward(self, dy):
        ...


class GivenInit:
    def __init__(self, scale=2):
        self.scale = scale

    def forward(self, x):
        """The output."""


class StubOfALayer(Layer):
    """A layer."""

    def forward(self, x, training=False):
        """The output."""


class EmptyLayer(Linear):
    """Nothing of its own."""


class StubOfAStub(GivenInit):
    """Nothing more."""


class StaticStub:
    @staticmethod
    def forward(x):
        """Nothing."""

    @classmethod
    def backward(cls, dy):
        """Nothing."""

    @property
    def slope(self):
        """Nothing."""

    @slope.setter
    def slope(self, value):
        pass


class Dotted:
    forward = ...


class Abstract(ABC):
    @abstractmethod
    def forward(self, x):
        """Nothing."""


def documented(x):
    """Nothing."""


@pytest.mark.parametrize("stub", [Empty, Passing, GivenInit, StubOfALayer, EmptyLayer, StubOfAStub, StaticStub, Dotted, Abstract,
                                  type("Made", (), {}), documented, lambda x: None, lambda x: ..., GivenInit().forward])
def test_a_stub_is_still_one(stub):
    assert _untouched(stub, Outcome(0))
