# Two commands are enough on a fresh machine: `make demo` and `make test`. Each builds .venv first when it must.

PYTHON ?= python3
ARGS ?=

READY := .venv/.ready
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format

help:
	@echo "make demo    stream a real ECG, forecast it, show it   (make demo ARGS='--headless --seconds 30')"
	@echo "make test    lint, types, layer contracts, all tests   (make test ARGS='-k alarm_log')"
	@echo "make format  let ruff mend what it can"
	@echo "make setup   build or mend .venv, and look for Qt's libraries again"

$(READY): pyproject.toml constraints.txt scripts/setup
	@PYTHON='$(PYTHON)' scripts/setup

setup:
	@PYTHON='$(PYTHON)' scripts/setup

demo: $(READY)
	@$(BIN)/bedside demo $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: export QT_QPA_PLATFORM ?= offscreen
test: lint
	$(BIN)/pytest -rs $(ARGS)

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
