# make run opens the page, make test runs everything; both install first. make page bundles the page's scripts.
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do $$p -c '' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
# on every core, which pip doesn't; some packages carry files of later Pythons, which fail
COMPILE := $(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1
PORT ?= 7860
PAGE := scratchpad/ui

.PHONY: install run test lint page browser clean

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

$(PAGE)/node_modules/.installed: $(PAGE)/package-lock.json | browser
	npm --prefix $(PAGE) ci --silent --no-audit --no-fund
	touch $@

page: $(PAGE)/node_modules/.installed
	npm --prefix $(PAGE) run --silent build

lint: $(VENV)/.dev $(PAGE)/node_modules/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	npm --prefix $(PAGE) run --silent check

test: $(VENV)/.dev browser lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

clean:
	rm -rf $(VENV) $(PAGE)/node_modules
