"""The commands and settings in docs/teaching.md work as they stand, and both graders give the same points."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from traitlets.config import PyFileConfigLoader

from classroom import cohort
from classroom.__main__ import main
from classroom.generate import generate
from classroom.limits import Limits

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
CHAPTER = "05_chain_rule"


def blocks(name):
    """The blocks of code under each comment of this name."""
    found = re.findall(rf"<!-- {name} -->\n```\w*\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found
    return found


def run(commands, folder):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
                                "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(["bash", "-euc", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def scores(path):
    with open(path, newline="", encoding="utf-8") as file:
        return {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}


def test_the_page_leads_through_nbgrader_and_both_graders_agree(tmp_path):
    for folder in ("solutions", "exercises"):
        shutil.copytree(ROOT / folder / CHAPTER, tmp_path / folder / CHAPTER)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    release, grade = blocks("run: nbgrader")
    run(release, tmp_path)
    course = tmp_path / "class"
    released = (course / "exercises" / CHAPTER / f"{CHAPTER}.ipynb").read_text(encoding="utf-8")
    assert "BEGIN SOLUTION" not in released

    kinds = generate(4, course / "submitted", [CHAPTER], seed=17)  # others hand in beside her whom the page names
    assert len(set(kinds.values())) == 4
    run(grade, course)
    theirs = scores(course / "grades.csv")
    full, most = theirs["ada"]
    assert full == most > 0
    assert (course / "feedback" / "ada" / CHAPTER / f"{CHAPTER}.html").stat().st_size
    settings = cohort.Settings(Limits(), seed=5)
    judged = [cohort.judged(submission, settings) for submission in cohort.submissions(course / "submitted")]
    ours = {entry["student"]: (entry["total"], entry["available"]) for entry in judged}
    assert ours == theirs
    assert len(ours) == 5
    assert len(set(ours.values())) > 2


def test_the_page_leads_through_the_grading_of_a_class(tmp_path):
    (commands,) = blocks("run: classroom")
    said = run(commands, tmp_path)
    assert "2 submissions in" in said
    assert set(scores(tmp_path / "graded" / "grades.csv")) == {"student-000", "student-001"}
    assert len(list((tmp_path / "graded" / "feedback").glob("*/*/*.html"))) == 2
    assert len(list((tmp_path / "graded" / "results").glob("*/*.json"))) == 2


def test_the_hidden_inputs_on_the_page_are_read(tmp_path):
    (tmp_path / "hidden.py").write_text("".join(blocks("hidden")), encoding="utf-8")
    assert list(cohort.hidden_inputs(tmp_path / "hidden.py")) == ["neuron.weighted_sum"]


@pytest.mark.parametrize(("name", "section"), [("jupyterhub", "JupyterHub"), ("exchange", "Exchange")])
def test_the_configurations_on_the_page_are_read(name, section, tmp_path):
    (tmp_path / "config.py").write_text("".join(blocks(name)), encoding="utf-8")
    assert section in PyFileConfigLoader("config.py", path=str(tmp_path)).load_config()


def test_every_option_on_the_page_exists(capsys):
    with pytest.raises(SystemExit):
        main(["grade", "--help"])
    used = set(re.findall(r"`(--[a-z]+)", PAGE)) | set(re.findall(r"classroom grade .*?(--[a-z]+)", PAGE))
    assert used
    assert used <= set(re.findall(r"--[a-z]+", capsys.readouterr().out))
