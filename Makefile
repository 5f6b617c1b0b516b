# Creditport: every verb sets up what it needs into .venv, without root.
# Needs only Python >= 3.11 with its venv module, make and git.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
GEN    := proto/gen/creditport/v1
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Hundreds of short programs are run here: each would compile the whole of it anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage check fix proto docs bench clean

help: ## what can be done here
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1	\2/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Creditport needs Python 3.11 or newer; this is %d.%d" % sys.version_info[:2]) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) ..."
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.checks: pyproject.toml $(VENV)/.runtime
	@echo "adding what the tests need ..."
	@$(PIP) install --editable '.[test]'
	@touch $@

setup: $(VENV)/.runtime ## install Creditport into .venv

demo: $(VENV)/.runtime ## a whole network on this machine [DATA=folder] [KEEP=1]
	@$(BIN)/python -m deploy.demo $(if $(DATA),--data '$(DATA)') $(if $(KEEP),--keep .demo)

# Much of a scenario is waiting for a peer: three processes keep two cores busy.
test: check ## every check and every test
	@$(BIN)/python -m pytest -n 3

coverage: $(VENV)/.checks ## every test, and which lines of the pure rooms none of them runs
	@$(BIN)/python -m pytest -n 3 --cov --cov-report=term --cov-report=

check: $(VENV)/.checks ## style, types, layers, the wire contract
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/buf lint proto
	@sh proto/generate.sh --check

fix: $(VENV)/.checks ## repair style
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

proto: $(VENV)/.checks ## regenerate the code of the wire contract
	@sh proto/generate.sh

docs: $(VENV)/.runtime ## write the page of compliance anew from its table
	@$(BIN)/python -m docs.write_compliance

bench: $(VENV)/.checks ## measure, everything in one run
	@$(BIN)/python -m bench

clean: ## forget .venv and what the demo left
	rm -rf $(VENV) .demo
