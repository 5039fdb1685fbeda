# Two commands are enough on a fresh machine: `make demo` and `make test`. Each builds .venv first when it must.

PYTHON ?= python3
ARGS ?=

READY := .venv/.ready
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-light reliability scenarios lint format lock translations screenshots lecture

help:
	@echo "make demo    stream a real ECG, forecast it, show it   (make demo ARGS='--headless --seconds 30')"
	@echo "make test    lint, types, layer contracts, all tests   (make test ARGS='-k alarm_log')"
	@echo "make test-light   the half that needs neither torch nor Qt, on the oldest and newest Python here, or PYTHON=…"
	@echo "make scenarios    every scenario that ships, with its alarms, twice"
	@echo "make reliability  kill, stop, flood and deceive real processes, half an hour   (make reliability ARGS='--only gaps')"
	@echo "make format  let ruff mend what it can"
	@echo "make lock    renew the locked versions of all packages"
	@echo "make translations   after a change of the window's words: bring its Japanese up to date"
	@echo "make screenshots    draw the pictures of docs/img anew, in four minutes of real ECG"
	@echo "make lecture open the class of 90 minutes, a notebook in two languages, in JupyterLab"
	@echo "make setup   build or mend .venv, and look for Qt's libraries again"

$(READY): pyproject.toml requirements/full.txt requirements/torch.txt scripts/setup
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

# One more than there are cores: tests of processes mostly wait.
WORKERS = $(shell $(BIN)/python -c 'import os; print(min(os.cpu_count() + 1, 4))')
test: export QT_QPA_PLATFORM ?= offscreen
test: lint
	@$(BIN)/python -m model.serving.compile_ahead  # a test does not wait for it
	$(BIN)/pytest -rs -n $(WORKERS) --dist worksteal $(if $(filter true,$(CI)),,-m 'not slow') $(ARGS)

test-light:
	@scripts/test_light $(if $(filter-out file,$(origin PYTHON)),'$(PYTHON)')

reliability: $(READY)
	@$(BIN)/python -m tests.reliability $(ARGS)

scenarios: $(READY)
	$(BIN)/pytest -q -n0 tests/scenarios/all_scenarios.py --durations=8 $(ARGS)

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:
	$(PYTHON) scripts/lock.py

# New words come into the .ts file as unfinished; write their Japanese there (pyside6-linguist, or any editor), and again.
translations: I18N := monitor/gui/i18n/bedside_ja
translations: $(READY)
	$(BIN)/pyside6-lupdate -silent -no-obsolete -locations none -source-language en -target-language ja \
		$$(find monitor/gui -name "*.py" | sort) -ts $(I18N).ts
	@! grep -B 1 'type="unfinished"' $(I18N).ts || { echo "these lack their Japanese: write it into $(I18N).ts" >&2; exit 1; }
	$(BIN)/pyside6-lrelease -silent $(I18N).ts -qm $(I18N).qm

screenshots: $(READY)
	$(BIN)/python scripts/screenshots.py

lecture: $(READY)
	@test -x $(BIN)/jupyter-lab || { echo 'installing JupyterLab, once' && \
		$(BIN)/python -m pip install --disable-pip-version-check --quiet 'jupyterlab>=4,<5'; }
	@$(BIN)/jupyter lab $(ARGS) docs/lecture
