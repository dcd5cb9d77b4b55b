# Two commands matter: make demo, make test. The rest serves whoever works on the project.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do $$p -c '' 2>/dev/null && echo $$p && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
ROOMS  := project monitoring steps pipelines lambdas stepfunctions infra localcloud scones tests benchmarks docs setup.py
JOBS   ?= 3  # tests wait for servers, so two cores have time for three
# Elsewhere PyTorch for Linux brings CUDA along, several GB; this index has it without. Empty: the configured index.
TORCH_INDEX ?= $(if $(filter Linux,$(shell uname -s)),https://download.pytorch.org/whl/cpu)

.PHONY: demo sdk2 test test-fast lint types unit format pictures constraints clean help

help:            ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/'

demo: $(VENV)/.local   ## install, then run the whole story on this machine
	@$(BIN)/scones demo $(DEMO)

test: lint             ## install what tests need, then linters, types and all tests
	$(MAKE) --no-print-directory --jobs 2 types unit

test-fast: $(VENV)/.dev  ## the tests of single parts: no stories, no faults
	$(BIN)/pytest -n $(JOBS) --ignore=tests/stories --ignore-glob='*/faults/*'

lint: $(VENV)/.dev
	$(BIN)/ruff check $(ROOMS)
	$(BIN)/ruff format --check $(ROOMS)

types: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py docs/pictures/*.py

unit: $(VENV)/.dev
	$(BIN)/pytest -n $(JOBS) $(TESTS)

format: $(VENV)/.dev   ## put the code in the project's form
	$(BIN)/ruff check --fix $(ROOMS)
	$(BIN)/ruff format $(ROOMS)

sdk2: $(VENV)/sdk2/.made  ## install the SageMaker SDK 2 in an environment of its own, for the tests that need it

pictures: $(VENV)/.dev   ## make the pictures of README and docs again, from a demo that it runs
	$(BIN)/scones demo --keep
	eval "$$($(BIN)/scones local env)" && $(BIN)/python docs/pictures/make.py; made=$$?; $(BIN)/scones local down; exit $$made

constraints: $(VENV)/.dev   ## pin what is installed now as the tested set
	$(PIP) freeze --exclude-editable | sed -E 's/\+cpu$$//' | grep -viE '^(pip|setuptools|wheel|uv)==' > constraints.txt

clean:           ## stop the local cloud and forget the environment
	-$(BIN)/scones local down
	rm -rf $(VENV) .localcloud .scones build dist *.egg-info localcloud/build localcloud/*.egg-info

$(VENV)/bin/python:
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "Python 3.11, 3.12 or 3.13 is needed; name one with: make demo PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.torch: constraints.txt | $(VENV)/bin/python
	@index=$$($(BIN)/python .ci/torch-index '$(TORCH_INDEX)'); [ -z "$$index" ] || \
	$(PIP) install --quiet --no-deps --index-url "$$index" torch --constraint constraints.txt
	@touch $@

$(VENV)/.local: setup.py localcloud/pyproject.toml constraints.txt | $(VENV)/.torch
	$(PIP) install --quiet --editable './localcloud[programs]' --editable '.[local,dashboard]' --constraint constraints.txt
	@touch $@

$(VENV)/sdk2/.made: Makefile | $(VENV)/bin/python
	$(BIN)/python -m venv $(VENV)/sdk2
	$(VENV)/sdk2/bin/python -m pip --disable-pip-version-check install --quiet 'sagemaker==2.257.*'
	@touch $@

$(VENV)/.dev: setup.py localcloud/pyproject.toml constraints.txt | $(VENV)/.torch
	$(PIP) install --quiet --editable './localcloud[programs]' --editable '.[local,dashboard,dev]' --constraint constraints.txt
	@touch $@ $(VENV)/.local
