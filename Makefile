# Two commands matter, and each does its own set-up: `make demo` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Hundreds of processes import the same code: compiled once, not each time.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup demo test test-packages check docs fmt lock clean

BIN := .venv/bin
PYTHON := $(BIN)/python -P
SOURCES := stacks policies orchestrator tests docs
COLLECTIONS := from orchestrator.settings import load_settings as settings; \
  from orchestrator.toolchain.environment import load_toolchain as toolchain; print(toolchain(settings()).collections)
# Unit tests take a processor each; tests on real parts also wait for servers, so four rooms fit on two.
UNIT_WORKERS ?= auto
REAL_WORKERS ?= 4

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## environment, system packages, toolchain, base image; resumes after a kill, quick when nothing is to do
	@./bootstrap.sh
	@$(BIN)/steward setup

demo: setup ## a vault and a small fleet, from nothing to a report
	@$(PYTHON) -m orchestrator.cli.demo

# pytest's exit code 5 (no test ran) is a failure like any other: make stops at every code but 0.
test: setup test-packages ## every test, on real parts: first the quick ones, then figures alone, then the rest
	$(PYTHON) -m pytest tests/unit -n $(UNIT_WORKERS)
	$(PYTHON) -m pytest tests/benchmarks
	$(PYTHON) -m pytest tests --ignore=tests/unit --ignore=tests/benchmarks -n $(REAL_WORKERS) --dist loadscope --no-loadscope-reorder

# A browser for the reports, a terminal for the views. Without root the tests that need them say what is missing.
test-packages:
	@missing=$$(for name in $$(cat requirements/debian-test.txt); do dpkg -s "$$name" >/dev/null 2>&1 || echo "$$name"; done); \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ]; then \
	  DEBIAN_FRONTEND=noninteractive apt-get -qq update && \
	  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends $$missing >/dev/null; \
	fi

check: setup ## formatting, lint, types, imports, playbooks, file sizes
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	cd playbooks && PATH="$(CURDIR)/$(BIN):$$PATH" ANSIBLE_LIBRARY="$(CURDIR)/playbooks/library" \
	  ANSIBLE_COLLECTIONS_PATH="$$($(CURDIR)/$(PYTHON) -c '$(COLLECTIONS)')" \
	  ansible-lint --offline --profile production
	@find $(SOURCES) playbooks \( -name '*.py' -o -name '*.yml' -o -name '*.yaml' -o -name '*.j2' \) -size +0 -print0 | xargs -0 wc -l | \
	  awk '$$2 != "total" && $$1 > 300 { print $$2 ": " $$1 " lines, 300 allowed"; bad = 1 } END { exit bad }'

docs: setup ## the documentation as pages (build/docs/index.html) and as a manual page (build/man/steward.1)
	$(PYTHON) docs/_extensions/steward_reference.py
	$(PYTHON) -m sphinx -q -W --keep-going -b html docs build/docs
	$(PYTHON) -m sphinx -q -b man docs build/man

fmt: setup ## format, and fix what can be fixed
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

lock: ## pin all dependencies anew, with hashes; needs uv
	uv --no-config pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --extra dev pyproject.toml --output-file requirements/lock.txt

clean: ## remove what set-up and tests left in this checkout; state, toolchain and image stay
	rm -rf .venv .setup.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
