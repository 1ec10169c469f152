# make run opens the page, make test runs what a change must pass, make test-all also what takes long; all install first.
# make page bundles the page's scripts, make docs builds the site.
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do $$p -c '' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
# on every core, which pip doesn't; some packages carry files of later Pythons, which fail
COMPILE := $(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1
PORT ?= 7860
PAGE := scratchpad/ui

.PHONY: install run test test-all lint docs page browser clean

install: $(VENV)/.installed

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 13), f"Python 3.11 or 3.12 is needed, this is {sys.version.split()[0]}: make PYTHON=python3.12"'
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.txt
	$(PIP) --no-deps -e .
	-$(COMPILE)
	touch $@

run: install
	$(BIN)/scratchpad serve --port $(PORT)

$(VENV)/.dev: $(VENV)/.installed requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	$(PIP) --no-deps colpali-engine==0.3.18  # its maps are compared with ours; its dependencies aren't needed for them
	-$(COMPILE)
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

PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.dev browser lint
	$(PYTEST) -m "not slow"

test-all: $(VENV)/.dev browser lint
	$(PYTEST)

clean:
	rm -rf $(VENV) $(PAGE)/node_modules build dist site
