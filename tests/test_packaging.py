"""The routes to install the course agree with each other, and pin what they should."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course.catalogue import chapters

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
RUNTIME = {"jupyterlab", "numpy", "matplotlib", "ipywidgets", "tqdm", "threadpoolctl", "filelock"}


def test_learners_install_seven_packages_and_no_more():
    assert {Requirement(line).name for line in PROJECT["dependencies"]} == RUNTIME


def test_the_conda_route_has_the_same_requirements():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    plain = [line for line in conda if isinstance(line, str)]
    assert plain == [f"python{PROJECT['requires-python']}", "pip", *PROJECT["dependencies"]]
    assert conda[-1] == {"pip": ["-e ."]}


def test_constraints_are_plain_pins_in_order():
    assert PINS
    assert [pin for pin in PINS if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin)] == []
    names = [canonicalize_name(pin.split("==")[0]) for pin in PINS]
    assert len(set(names)) == len(names)
    assert [name for name in names if name.startswith(("nvidia", "cuda", "triton"))] == []


def needed(extras):
    """The names of all packages that the project needs with these extras here, found by following their metadata."""
    found, waiting = set(), [(Requirement(f"trust-no-gradient[{extras}]"))]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, frozenset(requirement.extras)) in found:
            continue
        found.add((name, frozenset(requirement.extras)))
        for line in distribution(name).requires or []:
            child = Requirement(line)
            environments = [default_environment() | {"extra": extra} for extra in ("", *requirement.extras)]
            if child.marker is None or any(map(child.marker.evaluate, environments)):
                waiting.append(child)
    return {name for name, _ in found} - {"trust-no-gradient"}


def test_everything_that_the_tests_install_is_pinned():
    pinned = {canonicalize_name(pin.split("==")[0]): pin.split("==")[1] for pin in PINS}
    names = needed("test,teaching")
    assert sorted(names - set(pinned)) == []
    # Whoever runs the tests with other versions has chosen to; only a version that is too old for us is an error.
    for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]:
        requirement = Requirement(line)
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier
    assert "torch" in pinned


@pytest.mark.parametrize("extra", ["teaching", "test", "torch"])
def test_each_extra_is_there(extra):
    assert PROJECT["optional-dependencies"][extra]


def test_the_package_carries_its_code_its_data_and_their_licence():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert tool["packages"]["find"]["include"] == ["bplib*", "course*"]
    # setuptools takes a folder for a package where it has an __init__.py; bplib/data is data, its script stays.
    folders = {path.parent for name in ("bplib", "course") for path in (ROOT / name).rglob("*.py")} - {ROOT / "bplib" / "data"}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
    shipped = {path.name for pattern in tool["package-data"]["bplib"] for path in (ROOT / "bplib").glob(pattern)}
    data = {path.name for path in (ROOT / "bplib" / "data").iterdir() if path.is_file() and path.suffix != ".py"}
    assert shipped == data
    assert any(name.startswith("LICENSE") for name in shipped)
    titles = {path.parent for pattern in tool["package-data"]["course"] for path in (ROOT / "course").glob(pattern)}
    assert titles == {chapter.folder for chapter in chapters()}


def test_make_alone_lists_every_public_target():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, flags=re.MULTILINE)
    listed = subprocess.run(["make", "--silent"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^  make (\S+) ", listed, flags=re.MULTILINE) == phony.split()


def test_both_licences_are_named():
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert "CC BY 4.0" in (ROOT / "LICENSE-prose").read_text(encoding="utf-8")


def test_ruff_finds_nothing_in_code_and_notebooks():
    run = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
