# make app | lab | test | bench | clean        each installs what is missing first
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
test: export OMP_NUM_THREADS ?= 1
READY := $(VENV)/.installed
READY_DEV := $(VENV)/.installed-dev

.PHONY: app lab test bench check notebooks clean

app: $(READY)
	$(BIN)/workbench app $(ARGS)

lab: $(READY)
	$(BIN)/workbench lab $(ARGS)

test: $(READY_DEV) check
	$(BIN)/python -m pytest -m browser
	$(BIN)/python -m pytest -m "not browser" -n 2 --dist loadfile
	$(BIN)/python -m pytest --nbval-lax --nbval-cell-timeout=180 -n 2 --dist loadfile notebooks

check: $(READY_DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(READY_DEV)
	$(BIN)/workbench bench $(ARGS)

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(READY_DEV): $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist runs test-results .pytest_cache .ruff_cache .hypothesis
