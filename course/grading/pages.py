"""The pages of the course as seen from the notebook that runs: its chapter, where to go next, and how a link to a page looks."""
import contextlib
import re
from html import escape
from pathlib import Path

from course.catalogue import chapter_of, chapters
from course.grading import cells

PAGE = re.compile(r"\bnotebooks/(\w+\.ipynb)")


def help_page():
    """The page for when something goes wrong, which belongs to the first chapter: a path in the folder of the course."""
    return f"notebooks/{chapters()[0].number}_debugging.ipynb"


def chapter_here():
    """The chapter of the notebook that runs here, by the name of its file or its folder; None where it has none."""
    path, folder = cells.notebook_path(), _folder()
    names = [path.stem if path else "", folder.name if folder else ""]
    return next((chapter for name in names for chapter in chapters() if name.startswith(chapter.name)), None)


def onward(exercise, known):
    """Where to go from a solved exercise: to one of its chapter that is not solved yet, else to the next lesson.

    Parameters
    ----------
    exercise : the one that was just solved. known : entries of the progress file by id.
    """
    chapter = chapter_of(exercise.id)
    place = chapter.exercises.index(exercise)
    others = [*chapter.exercises[place + 1:], *chapter.exercises[:place]]
    unsolved = next((e for e in others if known.get(e.id, {"points": 0})["points"] < e.points), None)
    if unsolved is not None:
        return f"Next: {unsolved.title} ({unsolved.id})."
    later = [other for other in chapters() if other.number > chapter.number]
    if later:
        return f"All of chapter {chapter.number} is solved. Next: the lesson {later[0].heading}, notebooks/{later[0].name}.ipynb"
    return f"All of chapter {chapter.number} is solved, and it is the last one. dashboard() shows what is left in the others."


def linked(text):
    """Text as HTML, in which each page of the course that it names is a link, where this folder is known to lie in the course."""
    up = _way_up()
    html = escape(text)
    return html if up is None else PAGE.sub(lambda found: f"<a href='{up}{found[1]}'>{found[0]}</a>", html)


def _way_up():
    # By name only, so that a page looks the same wherever the course lies when it is built.
    folder = _folder()
    if folder is None:
        return None
    return "" if folder.name == "notebooks" else "../../notebooks/" if folder.parent.name in ("exercises", "solutions") else None


def _folder():
    with contextlib.suppress(OSError):  # it may be gone
        return Path.cwd()
