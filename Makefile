# The first two targets are the README's two commands.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.run-installed
DEV_STAMP := $(VENV)/.dev-installed
PORT ?= 9186

.PHONY: run test proof bench fmt lock help

help: ## says what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

run: $(RUN_STAMP) ## sets up what is missing, starts the simulated server on port 9186
	@$(BIN)/restserver serve --port $(PORT) --links

test: $(DEV_STAMP) ## sets up what is missing, runs the whole gate
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/restserver contract derive --check
	$(BIN)/pytest -n 2 --cov --cov-report=term:skip-covered

proof: $(DEV_STAMP) ## the heavy part
	$(BIN)/ruff check --no-cache --select S contracts simulator restserver
	$(BIN)/pytest -m proof -n 2 --dist worksteal -rs tests

bench: $(DEV_STAMP) ## runs benchmarks/ and writes the table
	$(BIN)/python -m benchmarks $(BENCH)
	$(BIN)/python -m tests.gate.derived_readme

fmt: $(DEV_STAMP) ## formats, and derives what is derived
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/restserver contract derive
	$(BIN)/python -m simulator.world.profile_files
	$(BIN)/python -m tests.gate.derived_readme

lock: $(DEV_STAMP) ## writes requirements/*.txt anew
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-header --python-version 3.11 pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-header --python-version 3.11 --extra dev pyproject.toml -o requirements/dev.txt

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "make: no $(PYTHON) here; install Python 3.11 or newer" >&2; exit 2; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): $(BIN)/python pyproject.toml requirements/run.txt
	$(BIN)/pip install -q --disable-pip-version-check -r requirements/run.txt -e .
	$(BIN)/python -m compileall -q contracts restserver simulator
	@touch $@

$(DEV_STAMP): $(BIN)/python pyproject.toml requirements/dev.txt
	$(BIN)/pip install -q --disable-pip-version-check -r requirements/dev.txt -e '.[dev]'
	$(BIN)/python -m compileall -q contracts restserver simulator
	@touch $@
