"""`--chapter 05`: of all tests those that concern one chapter, as `make test CHAPTER=05` runs them.

A test concerns a chapter where its file or its id names it: the folder ch05_chain_rule, the notebook 05_chain_rule, or an
exercise such as chain_rule.fan_out.
"""

import re

import pytest

# What these ask of all files at once, they ask of a chapter's too.
ALWAYS = ("tests/test_house_rules.py", "tests/test_packaging.py", "tests/build/test_course.py", "tests/build/test_readme.py",
          "tests/grading/test_kill_matrix.py", "tests/notebooks/test_folders.py")
NUMBERED = re.compile(r"(?:ch)?(\d\d)_\w+")


def pytest_addoption(parser):
    parser.addoption("--chapter", default="", metavar="05", help="only the tests that concern this chapter")


def pytest_configure(config):
    wanted = config.getoption("chapter")
    if wanted and wanted not in (known := chapters(config)):
        names = ", ".join(f"{number} ({topic})" for number, topic in known.items())
        raise pytest.UsageError(f"There is no chapter {wanted!r}; the chapters are {names}.")


def pytest_ignore_collect(collection_path, config):
    wanted, root = config.getoption("chapter"), config.rootpath
    if wanted and collection_path.is_relative_to(root):
        numbers = [found[1] for part in collection_path.relative_to(root).parts if (found := NUMBERED.match(part))]
        return True if any(number != wanted for number in numbers) else None
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("chapter")
    if wanted:
        topic = chapters(config)[wanted]
        kept = [item for item in items if concerns(item.nodeid, wanted, topic)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept


def chapters(config):
    """The topics of the chapters by their numbers, {"05": "chain_rule"}."""
    folders = sorted(config.rootpath.glob("course/ch[0-9][0-9]_*"))
    return {folder.name[2:4]: folder.name[5:] for folder in folders}


def concerns(id, number, topic):
    """Is this the id of a test that concerns a chapter?"""
    named = re.search(rf"(?<!\w)(?:ch)?{number}_[a-z]|(?<![\w.]){topic}\.\w", id)
    return bool(named) or (id.startswith(ALWAYS) and "[" not in id)
