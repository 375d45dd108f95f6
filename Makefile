# make app | lab | book | test | check | mutants | bench | recorded | results | pictures | fuzz | bundle | clean  each installs what is missing first
# make test STAGES="types tests"                       only these
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
READY_DEV := $(VENV)/.installed-dev
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
FITS := import sys; v = sys.version_info[:3]; sys.exit(not (3, 11) <= v[:2] <= (3, 14) or v == (3, 14, 1))
PLOTLY := from workbench.serving.bundles import plotly_folder; print(plotly_folder().parent)
MINOR := import sys; sys.exit("%d.%d" % sys.version_info[:2])

.PHONY: app lab book launch test check mutants bench recorded results pictures fuzz bundle clean named

app: $(READY) named
	$(BIN)/python -m workbench app $(ARGS)

lab: $(READY) named
	$(BIN)/python -m workbench lab $(ARGS)

test: $(READY_DEV) named
	@$(BIN)/python .ci/stages.py $(STAGES)

check: $(READY_DEV) named
	@$(BIN)/python .ci/stages.py format lint types

mutants: $(READY_DEV) named
	$(BIN)/python .ci/mutants.py $(ARGS)

bench: $(READY_DEV) named
	$(BIN)/python -m workbench bench $(ARGS)

# the book in build/book/html, for `workbench book`; ARGS=--fresh builds it anew
book: $(READY_DEV) named
	$(BIN)/python docs/book/build.py $(ARGS)

# the address of the repository, and the links to Binder, Colab and Kaggle that follow from it
launch: $(READY_DEV) named
	$(BIN)/python docs/book/launch.py $(ADDRESS)

# the runs that panels show before anyone has pressed Start
recorded: $(READY) named
	$(BIN)/python -m widgets.record

# README's tables and docs/results, from the cells in results/
results: $(READY) named
	$(BIN)/python -m workbench results --readme

# the pictures of the app in README and docs
pictures: $(READY_DEV) named
	$(BIN)/python -m bench.pictures

# 5,000 new examples of each family of functions; tests run 300, the same every time
fuzz: $(READY_DEV) named
	WORKBENCH_FUZZ=5000 $(BIN)/python -m pytest -q -p no:randomly tests/fuzz $(ARGS)

# The small bundle of plotly.js, from the packages of npm that bundle/package-lock.json names; after a new plotly
bundle: $(READY_DEV) named
	cd bundle && npm ci --ignore-scripts --no-audit --no-fund
	node bundle/build.mjs "`$(BIN)/python -c '$(PLOTLY)'`" workbench/serving/jupyter/static

# The first line of the stamp says where it was installed: a folder that was moved or copied is installed again.
ifneq ($(shell test -x $(BIN)/python && cat $(READY) 2>/dev/null),$(shell pwd -P))
.PHONY: $(READY)
endif

# Asks the Python $(1) whether it fits, and otherwise says what does; $(2) says what to do.
define fits
$(1) -c '$(FITS)' 2>/dev/null || { echo "The workbench needs Python 3.11 to 3.14, but not 3.14.1." >&2; \
	echo "Here $(subst ",,$(1)) is `$(1) --version 2>&1 | tail -n 1`. $(2)" >&2; exit 1; }
endef

$(READY): pyproject.toml constraints.txt
	@test ! -x $(BIN)/python || { $(call fits,$(BIN)/python,Type 'make clean' first.); }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	$(call fits,"$(PYTHON)",Name another one: make app PYTHON=python3.12); \
	"$(PYTHON)" -m venv --clear $(VENV); }
	@echo "Installing into $(VENV), which takes some minutes when packages must be fetched"
	$(PIP) hatchling
	$(PIP) --no-build-isolation --editable ".[app,fast]"
	@pwd -P > $@

# nbgrader and JupyterHub lie beside the environment: their extensions would join every JupyterLab that runs in it.
$(READY_DEV): $(READY) .ci/grader.txt .ci/hub.txt
	$(PIP) --no-build-isolation --editable ".[dev,book]"
	$(PIP) --no-deps --upgrade --target $(VENV)/grader --requirement .ci/grader.txt
	$(PIP) --no-deps --upgrade --target $(VENV)/hub --requirement .ci/hub.txt
	@$(BIN)/python -m workbench.kernels.warm_up  # once, not in every process of the tests
	@touch $@

# A Python that was named must be the one that is installed.
named: $(READY)
ifneq ($(origin PYTHON),file)
	@test "`"$(PYTHON)" -c '$(MINOR)' 2>&1`" = "`$(BIN)/python -c '$(MINOR)' 2>&1`" || { \
	echo "$(VENV) has `$(BIN)/python --version`, not $(PYTHON). Type 'make clean' first." >&2; exit 1; }
endif

clean:
	rm -rf $(VENV) build dist test-results .pytest_cache .ruff_cache .hypothesis
