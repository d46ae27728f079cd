# The README's two commands. Each makes its own virtual environment if there is none.
PYTHON ?= python3
VENV ?= .venv
PIP_FLAGS ?=
BIN := $(VENV)/bin

.PHONY: demo test lint format clean

demo: $(VENV)/.demo  ## Train the default GAN on real digits; prints the path of the report.
	$(BIN)/gradgan train digits --out runs/demo --resume

test: $(VENV)/.test lint  ## Everything that must hold: style, types, tests.
	$(BIN)/python -m pytest --durations=15

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: $(VENV)/.test  ## Rewrite the code in the house style.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e .
	touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e '.[test]'
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) dist .pytest_cache .ruff_cache .hypothesis
