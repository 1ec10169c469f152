# make run opens the page, make test runs what a change must pass, make test-all also what takes long; all install first.
# make page bundles the page's scripts, make docs builds the site.
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do $$p -c '' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# Python compiles what is imported, a quarter of what is installed, on its first import
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
PORT ?= 7860
PAGE := scratchpad/ui

.PHONY: install run test test-all suite lint docs page browser clean

install: $(VENV)/.installed

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 13), f"Python 3.11 or 3.12 is needed, this is {sys.version.split()[0]}: make PYTHON=python3.12"'
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.txt
	$(PIP) --no-deps -e .
	touch $@

run: install
	$(BIN)/scratchpad serve --port $(PORT)

$(VENV)/.dev: $(VENV)/.installed requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	$(PIP) --no-deps colpali-engine==0.3.18  # its maps are compared with ours; its dependencies aren't needed for them
	touch $@

browser:
	sh tests/install-browser.sh

# fetches nothing: fonts and scripts are the theme's own; broken links and docstrings fail it
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

$(VENV)/.docs: $(VENV)/.installed requirements-docs.txt
	$(PIP) -r requirements-docs.txt
	touch $@

$(PAGE)/node_modules/.installed: $(PAGE)/package-lock.json | browser
	npm --prefix $(PAGE) ci --silent --no-audit --no-fund
	touch $@

page: $(PAGE)/node_modules/.installed
	npm --prefix $(PAGE) run --silent build

lint: $(VENV)/.dev $(PAGE)/node_modules/.installed docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	npm --prefix $(PAGE) run --silent check

# one process more than cores, as browser tests wait; mypy and the rest of lint run beside them
WORKERS := $(shell $(PYTHON) -c 'import os; print(min(5, len(os.sched_getaffinity(0)) + 1))')
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: $(VENV)/.dev $(VENV)/.docs browser
	$(MAKE) --jobs 2 lint suite

test-all: $(VENV)/.dev $(VENV)/.docs browser
	$(MAKE) --jobs 2 lint suite MARKED=

MARKED := -m "not slow"
suite: $(VENV)/.dev browser
	$(BIN)/python -c 'import scratchpad.ui.app, scratchpad.workbench, sae_lens'  # compiled once, not by every process
	$(PYTEST) $(MARKED)

clean:
	rm -rf $(VENV) $(PAGE)/node_modules build dist site
