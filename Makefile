# make demo    see it work: both loaders on the mini release
# make test    the whole test suite
# make lint types    what else CI checks

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types format clean

demo: .venv/.demo
	$(BIN)/pass-dataset demo

test: .venv/.test
	$(BIN)/python -m pytest

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.test
	$(BIN)/mypy

format: .venv/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# A stamp each, written last: an installation that was interrupted is done again.
.venv/.demo: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[tfds,hf]'
	touch $@

.venv/.test: .venv/.demo
	$(BIN)/python -m pip install --quiet --editable '.[beam,hf,passify,ray,slurm,tfds,dev]'
	touch $@

clean:
	rm -rf .venv build dist pass-demo *.egg-info
