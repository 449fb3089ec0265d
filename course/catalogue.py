"""The chapters of the course, found by their folders: what each is called, its exercises and its labs.

A chapter is a folder chNN_topic beside this file. Its lesson's front matter has its title; its bank, a module or a package,
has `EXERCISES`, whose ids begin with the topic.
"""
import difflib
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

HOUSE = Path(__file__).parent
FOLDER = re.compile(r"ch(\d\d)_(\w+)")
LINE = re.compile(r"(\w+): *(.+)")


class Chapter(NamedTuple):
    """One chapter.

    Attributes
    ----------
    number, topic : "05" and "chain_rule", of the folder ch05_chain_rule. title : as in the front matter. formerly : what its
    exercise ids began with before, or an empty text.
    """

    number: str
    topic: str
    title: str
    formerly: str = ""

    @property
    def name(self):
        """What its notebooks are called: "05_chain_rule"."""
        return f"{self.number}_{self.topic}"

    @property
    def package(self):
        """Where its Python is: "course.ch05_chain_rule"."""
        return f"{HOUSE.name}.ch{self.name}"

    @property
    def heading(self):
        """Number and title, without what stands behind a colon: "05 The chain rule"."""
        return f"{self.number} {self.title.split(':')[0]}"

    @property
    def folder(self):
        """The folder that holds all of it."""
        return HOUSE / f"ch{self.name}"

    @property
    def exercises(self):
        """Its exercises in order; none where it has no bank."""
        has_bank = any((self.folder / name).exists() for name in ("bank.py", "bank"))
        return import_module(f"{self.package}.bank").EXERCISES if has_bank else ()

    @property
    def labs(self):
        """Its labs, classes: of what its package gives to notebooks, those that can be shown with settings."""
        package = import_module(self.package)
        given = (getattr(package, name) for name in package.__all__)
        return [thing for thing in given if hasattr(thing, "controls")]


@cache
def chapters():
    """All chapters in the order of the course."""
    found = []
    for folder in sorted(HOUSE.glob("ch*_*")):
        named, lesson = FOLDER.fullmatch(folder.name), folder / "lesson.md"
        if named and lesson.exists():
            facts = front_matter(lesson.read_text(encoding="utf-8"))
            found.append(Chapter(*named.groups(), facts.get("title", named[2]), facts.get("formerly", "")))
    return tuple(found)


def front_matter(text):
    """The entries of a lesson's front matter that take one line: a browser has no reader of YAML, and the build makes sure
    that YAML reads the same."""
    head = text.split("\n---\n")[0]
    return {found[1]: found[2].strip().strip("\"'") for line in head.splitlines() if (found := LINE.fullmatch(line))}


def exercises():
    """All exercises by the heading of their chapter, in the order of the course."""
    return {chapter.heading: chapter.exercises for chapter in chapters() if chapter.exercises}


def chapter_of(id):
    """The chapter whose exercise ids begin as this one, or None."""
    return next((chapter for chapter in chapters() if chapter.topic == str(id).partition(".")[0]), None)


def renamed(id):
    """An exercise's id as it is today, where its chapter was called otherwise before."""
    topic, dot, name = id.partition(".")
    today = next((chapter.topic for chapter in chapters() if dot and topic == chapter.formerly != ""), topic)
    return f"{today}{dot}{name}"


def find(id):
    """The exercise of this id; a KeyError that names the nearest ones where there is none."""
    chapter = chapter_of(id) if isinstance(id, str) else None
    for exercise in chapter.exercises if chapter else ():
        if exercise.id == id:
            return exercise
    known = [exercise.id for group in exercises().values() for exercise in group]
    near = [today] if (today := renamed(str(id))) in known else difflib.get_close_matches(str(id), known, n=3)
    more = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"The check cells have their ids, such as {known[0]!r}."
    raise KeyError(f"There is no exercise {id!r}. {more}")
