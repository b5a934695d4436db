# make demo    see it work: both loaders on the mini release
# make test    the whole test suite
# make lint types    what else CI checks
# make docs    the site, in site/
# make release source distribution and wheel, in dist/

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types format docs release clean

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

# Notebooks are executed; a link or a name that leads nowhere ends it.
docs: .venv/.docs
	$(BIN)/python scripts/tools/reference_pages.py docs
	$(BIN)/jupyter nbconvert --log-level ERROR --execute --to markdown docs/notebooks/*.ipynb
	$(BIN)/zensical build --clean --strict

# What is in dist/ afterwards was installed into an environment without anything else, and works.
release: .venv/.test
	rm -rf dist .venv/release
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv .venv/release
	.venv/release/bin/python -m pip install --quiet dist/*.whl
	cd dist && ../.venv/release/bin/python -c 'import pass_dataset; pass_dataset.PassArchive'
	cd dist && ../.venv/release/bin/pass-dataset --version && ../.venv/release/bin/passify --version
	rm -rf .venv/release

# A stamp each, written last: an installation that was interrupted is done again.
.venv/.demo: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[tfds,hf]'
	touch $@

.venv/.test: .venv/.demo
	$(BIN)/python -m pip install --quiet --editable '.[all,dev]'
	touch $@

.venv/.docs: .venv/.test
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@

clean:
	rm -rf .venv build dist site .cache pass-demo *.egg-info
	rm -rf docs/reference/commands.md docs/notebooks/*.md docs/notebooks/*_files
