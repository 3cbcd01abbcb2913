# `make` lists the targets. Each one first sets up what it needs; Python 3.11 or newer, make and git are enough.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup run test check docs lock bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/runtime: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the city needs into $(VENV) ..."
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/development: $(VENV)/runtime requirements-dev.lock
	@echo "Installing what the tests need into $(VENV) ..."
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/runtime ## make .venv with what the city needs to run

run: setup ## start the whole city on http://127.0.0.1:8000
	@$(RUN) -m services

test: $(VENV)/development check ## lint, types, import contracts, then every test
	@$(RUN) -m pytest

check: $(VENV)/development ## lint, types and import contracts only
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo

docs: $(VENV)/development ## write docs/events.md anew from the contracts
	@$(RUN) -m services events > docs/events.md.new && mv docs/events.md.new docs/events.md

bench: $(VENV)/development ## measure the city and print the table of docs/benchmarks.md
	@$(RUN) -m tests.bench

lock: ## resolve the dependencies anew (needs uv)
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade --quiet pyproject.toml -o requirements.lock
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet -c requirements.lock pyproject.toml --extra dev -o requirements-dev.lock

clean: ## remove .venv and caches; data/ stays
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
