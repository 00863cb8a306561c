# `make` lists the targets. A fresh clone needs Python 3.11 or newer, make and git; the rest comes by
# itself: uv into .uv (unless it is installed), the locked dependencies into .venv, and the Temporal
# CLI into ~/.cache/forerun.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.in-sync

UV_VERSION := 0.13.9
OWN_UV := .uv/bin/uv
UV := $(if $(shell uv --version 2>/dev/null),uv,$(OWN_UV))

# The first Python on the PATH that is new enough; looked for only where it is used.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON = $(or $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$name" && break; done), \
	$(error forerun needs Python 3.11 or newer on the PATH))

.DEFAULT_GOAL := help
.PHONY: help demo test check fix lock bench lossless chaos record reference clean temporal-cli

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP) ## Run the example without and with speculation, then exit
	@$(BIN)/forerun demo

test: $(STAMP) temporal-cli ## Run the tests
	@$(BIN)/pytest

check: $(STAMP) ## Format, lint, types, import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright
	$(BIN)/lint-imports

fix: $(STAMP) ## Format, and mend what the linter can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: $(STAMP) temporal-cli ## Run the benchmarks, or only those in NAMES
	@$(BIN)/python -m benchmarks $(NAMES)

lossless: $(STAMP) temporal-cli ## Compare N=50 runs with and without speculation
	@$(BIN)/python -m tests.lossless --runs $(or $(N),50)

chaos: $(STAMP) temporal-cli ## Run N=50 runs under kills and faults, from SEED=0 on
	@$(BIN)/python -m tests.chaos --runs $(or $(N),50) --seed $(or $(SEED),0)

record: $(STAMP) temporal-cli ## Record the histories of the replay tests anew
	@$(BIN)/python -m tools.record_histories

reference: $(STAMP) ## Bring the tables of docs/spec.md in line with the schema
	@$(BIN)/python -m tools.spec_reference

lock: $(filter $(OWN_UV),$(UV)) ## Bring requirements.lock in line with pyproject.toml
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --group dev \
		--custom-compile-command 'make lock' pyproject.toml --output-file requirements.lock

clean: ## Remove all that the targets made here (not ~/.cache/forerun)
	rm -rf .uv $(VENV) build dist *.egg-info
	rm -rf .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

temporal-cli: $(STAMP)
	@$(BIN)/python -m forerun.workers.devserver

# --python, because a virtual environment that happens to be active must stay as it is.
$(STAMP): requirements.lock pyproject.toml | $(filter $(OWN_UV),$(UV))
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@echo 'installing the locked dependencies into $(VENV)'
	@$(UV) pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(UV) pip install --quiet --no-deps --python $(BIN)/python --editable .
	@touch $@

$(OWN_UV):
	@echo 'installing uv $(UV_VERSION) into .uv'
	@$(PYTHON) -m venv --clear .uv || { rm -rf .uv; \
		echo 'no virtual environment without ensurepip: try apt-get install python3-venv, or' \
		'install uv (https://docs.astral.sh/uv)' >&2; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
