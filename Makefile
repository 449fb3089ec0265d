# Two commands for learners: `make lab` and `make test`. The rest is for contributors (CONTRIBUTING.md).
PYTHON ?= python3
EXTRAS ?= test
LABFLAGS ?=
CHAPTER ?=
# Of one chapter there is so little to test that starting more processes takes longer.
PYTESTFLAGS ?= -n $(if $(CHAPTER),2,4) --no-loadscope-reorder
NOTEBOOK ?=
NUMBER ?=
NAME ?=
FROM ?=
SUBMISSIONS ?= submitted
GRADEFLAGS ?=

BIN := .venv/bin
comma := ,
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt
LAB := .venv/.installed
TOOLS := .venv/.installed-$(subst $(comma),-,$(EXTRAS))
# IPython reads what lies there when a kernel of this environment starts.
STARTUP := .venv/etc/ipython/startup
# A file as an argument would make its folder the root; and the file browser would show the folder of the notebook that is open.
START := "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb?file-browser-path=/"
# JupyterLab refuses to run as root unless told; containers have no other user.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help lab test doctor progress restore repair update chapter build check bench grade kill-matrix confusion screenshot animation clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

lab: $(LAB) ## Open the course in JupyterLab (the first run installs it into .venv)
	$(BIN)/python -m jupyterlab --ServerApp.ip=localhost $(START) $(AS_ROOT) $(LABFLAGS)

test: $(TOOLS) ## Run every test; CHAPTER=05 those of one chapter; EXTRAS=test,torch adds the comparison with PyTorch
	@# Every worker imports the same files: where their byte code may not be kept, each of them compiles all of it.
	PYTHONDONTWRITEBYTECODE= PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest $(PYTESTFLAGS) $(if $(CHAPTER),--chapter "$(CHAPTER)")

doctor: $(LAB) ## Look at your progress file and at the check cells of your notebooks
	@$(BIN)/python -m course doctor

progress: $(LAB) ## Show your points, days in a row, and what to review
	@$(BIN)/python -m course progress

restore: $(LAB) ## Put an empty copy of a chapter's exercises beside yours: CHAPTER=01
	@$(BIN)/python -m course restore "$(CHAPTER)"

repair: $(LAB) ## Put back edited or lost check cells, every answer stays: NOTEBOOK=01_neuron.ipynb
	@$(BIN)/python -m course repair "$(NOTEBOOK)"

update: $(LAB) ## Bring the course up to date, every answer stays; FROM=folder takes a new version from there
	@$(BIN)/python -m tools.update $(if $(FROM),"$(FROM)")

chapter: $(TOOLS) ## Write a new chapter that builds as it stands: NUMBER=23 NAME=example
	$(BIN)/python -m tools.chapter "$(NUMBER)" "$(NAME)"

build: $(TOOLS) ## Build notebooks, solutions and exercises from the chapters; CHAPTER=01 builds one
	$(BIN)/python -m tools.build $(CHAPTER)

check: $(TOOLS) ## Say which built files differ from what their sources build
	$(BIN)/python -m tools.build --check $(CHAPTER)

bench: $(TOOLS) ## Write docs/performance.md: speed against peers and limits; EXTRAS=test,torch adds PyTorch
	$(BIN)/python -m benchmarks
	$(BIN)/python benchmarks/cures.py

grade: $(TOOLS) ## Grade a class outside the learners' processes; SUBMISSIONS=folder GRADEFLAGS="--workers 2"
	$(BIN)/python -m classroom grade $(SUBMISSIONS) $(GRADEFLAGS)

kill-matrix: $(LAB) ## Write docs/kill-matrix.md: is every wrong answer rejected by its name? CHAPTER=01 judges one
	$(BIN)/python -m course.grading.kill_matrix docs $(CHAPTER)

confusion: $(TOOLS) ## Write docs/diagnosis.md: which mistakes the gradient checker finds and names
	$(BIN)/python -m tools.confusion docs/diagnosis.md

screenshot: $(TOOLS) ## Take docs/gradient-lab.png in a real JupyterLab (needs Chromium)
	$(BIN)/python -m tools.screenshot

animation: $(TOOLS) ## Take docs/gradient-lab.gif: the depth of the gradient lab being moved (needs Chromium)
	$(BIN)/python -m tools.screenshot --moving

clean: ## Remove the virtual environment and everything that tools left behind
	rm -rf .venv .build .pytest_cache .ruff_cache .hypothesis *.egg-info gradebook.db
	find . -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "This course needs Python 3.11 or newer, found as '$(PYTHON)'. Another one: make lab PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || \
	  { echo "$(PYTHON) has no venv or no pip. On Debian or Ubuntu: sudo apt-get install python3-venv python3-pip"; exit 1; }
	$(PYTHON) -m venv .venv

$(STARTUP)/import-course.py: tools/startup.py | $(BIN)/python
	@mkdir -p $(STARTUP) && cp $< $@

$(LAB): pyproject.toml constraints.txt $(STARTUP)/import-course.py | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(TOOLS): pyproject.toml constraints.txt $(STARTUP)/import-course.py | $(BIN)/python
	$(PIP) --editable ".[$(EXTRAS)]"
	@touch $@ $(LAB)
