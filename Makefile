# Everything here sets itself up: a virtual environment in .venv, and in it the versions of constraints.txt.
# Needed beforehand: Python 3.11 or newer, make and a shell.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; exit; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.PHONY: help install test test-slow lint audit docs demo bench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile

install: $(VENV)/.installed ## create .venv and install thence with the extras demo and dev

test: lint ## lint, then run the fast tests and the examples in docstrings
	@$(BIN)/python -m pytest -m "not slow"

test-slow: install ## run the slow tests
	@$(BIN)/python -m pytest -m slow

lint: install ## check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/lint-imports

audit: $(VENV)/bin/python ## look the pinned versions up among known vulnerabilities (asks a service over the network)
	@$(BIN)/python -m venv $(VENV)/audit && $(VENV)/audit/bin/python -m pip --disable-pip-version-check install --quiet pip-audit
	@$(VENV)/audit/bin/pip-audit --disable-pip --no-deps --strict --requirement constraints.txt

docs: $(VENV)/.docs ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "site/index.html"

demo: install ## a year of a real retailer: ingest, graph, train, evaluate, then the page (Ctrl-C ends it)
	@$(BIN)/thence demo

bench: install ## run every bench in its quick form
	@for bench in $$(grep -l "^from common import" bench/*.py); do $(BIN)/python "$$bench" --quick || exit 1; done

clean: ## remove .venv and what the tools left
	rm -rf $(VENV) site dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "thence needs Python 3.11 or newer; found $$(python3 --version 2>&1)." \
			"Install one, or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing thence and its packages into $(VENV) (some minutes the first time)" >&2
	@$(PIP) --editable '.[demo,dev]'
	@touch $@

$(VENV)/.docs: $(VENV)/.installed
	@$(PIP) --editable '.[docs]'
	@touch $@
