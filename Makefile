# Every target does its own set-up: a virtual environment made with the first suitable Python, then pip.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHONS := python3.14 python3.13 python3.12 python3.11 python3
VENV := .venv
VENV_DUCKDB_15 := .venv-duckdb15
# A file is run by one process, because its tests often share what is dear, such as a Dagster that runs; the files that take
# long come first, and not those of most tests, as pytest-xdist would have it.
PYTEST := -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: help demo test soak test-duckdb-1.5 lint clean

help: ## List the targets
	@sed -nE 's/^([a-z0-9.-]+):[^#]*## (.*)/\1\t\2/p' Makefile | awk -F '\t' '{ printf "make %-16s %s\n", $$1, $$2 }'

demo: $(VENV)/.installed ## Sync a local sandbox Jira, show the tables, open the Dagster UI on port 3000
	$(VENV)/bin/jira-pipeline demo

# Many containers forbid Python to keep what it has compiled, and then every process of the tests compiles it again.
test soak test-duckdb-1.5: export PYTHONDONTWRITEBYTECODE =

test: $(VENV)/.installed ## Run the tests
	$(VENV)/bin/python $(PYTEST)

soak: $(VENV)/.installed ## Simulate 20 sites for 60 days each with all that can go wrong, and kill 40 syncs (half an hour)
	$(VENV)/bin/python $(PYTEST) jira_pipeline_tests/soak jira_pipeline_tests/durability --soak-seeds 20 --kills 40

test-duckdb-1.5: $(VENV_DUCKDB_15)/.installed ## Run the tests that use DuckDB with version 1.5, the oldest supported
	$(VENV_DUCKDB_15)/bin/python $(PYTEST) $(addprefix jira_pipeline_tests/,warehouse end_to_end cli)

lint: $(VENV)/.installed-dev ## Check style, formatting, types and the direction of imports
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

clean: ## Remove the virtual environments, caches and build leftovers; keep data/
	rm -rf $(VENV) $(VENV_DUCKDB_15) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find jira_pipeline jira_pipeline_tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# A name may be a launcher that fails when run (pyenv), a Python of another version, or one without ensurepip (Debian
# ships it apart), so each is tried.
define make_venv
test -x $(1)/bin/python || { \
  suitable= ; without_venv= ; \
  for candidate in $(PYTHONS); do \
    "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null || continue; \
    if "$$candidate" -c 'import ensurepip, venv' 2>/dev/null; then suitable=$$candidate; break; fi; \
    without_venv=$${without_venv:-$$candidate}; \
  done; \
  if [[ -z $$suitable && -n $$without_venv ]]; then \
    echo "$$without_venv cannot make virtual environments: install its venv module (Debian, Ubuntu: sudo apt-get install python3-venv)." >&2; exit 1; \
  elif [[ -z $$suitable ]]; then \
    echo "No Python from 3.11 to 3.14 found (tried: $(PYTHONS)): install one, for example with sudo apt-get install python3 python3-venv." >&2; exit 1; \
  fi; \
  "$$suitable" -m venv $(1); \
}
endef

$(VENV)/.installed: setup.cfg
	@$(call make_venv,$(VENV))
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/.installed-dev: setup.cfg $(VENV)/.installed
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test,dev]'
	@touch $@

$(VENV_DUCKDB_15)/.installed: setup.cfg
	@$(call make_venv,$(VENV_DUCKDB_15))
	$(VENV_DUCKDB_15)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test]' 'duckdb>=1.5,<2'
	@touch $@
