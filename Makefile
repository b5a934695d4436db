# make demo      see it work: both loaders on the mini release
# make demo-curate  see a release made from 200,000 rows of metadata, every count as planted
# make quick     the tests of what is soon tested, in less than a minute
# make test      all tests that need nothing but Python packages, in less than ten minutes
# make test-all  the other tests too (browser, SLURM, Ray, fresh environments, kills), and coverage
# make lint types contract    what else CI checks
# make docs      the site, in site/
# make release   source distribution and wheel, in dist/

PYTHON ?= python3
BIN := .venv/bin

# Tests of one file stay together, as they share what is made for them.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
LONG := slow or slurm or ray or browser or environments
# Rooms that need neither TensorFlow, PyTorch nor `datasets`, whose import alone takes long.
QUICK := $(addprefix tests/,archives downloads images pages properties releases \
	reports/credits reports/diff reports/stats workers \
	passify/runs passify/sources passify/steps)
# `make COVERAGE=1 test` measures, `make coverage` tells the sum of what was measured since.
MEASURED := $(if $(COVERAGE),--cov --cov-append --cov-report=)

.PHONY: demo demo-curate quick test test-long test-all coverage lint types contract format docs release clean

demo: .venv/.demo
	$(BIN)/pass-dataset demo

demo-curate: .venv/.test
	$(BIN)/python scripts/tools/demo_curate.py pass-curate-demo

quick: .venv/.test
	$(PYTEST) -q -m "not ($(LONG))" $(MEASURED) $(QUICK)

test: .venv/.test
	$(PYTEST) -m "not ($(LONG))" $(MEASURED)

# What `test` leaves out.
test-long: .venv/.test
	$(PYTEST) -m "$(LONG)" $(MEASURED)

test-all: .venv/.test
	$(BIN)/coverage erase
	$(MAKE) COVERAGE=1 test test-long coverage

coverage: .venv/.test
	$(BIN)/coverage report --skip-covered --skip-empty

contract: .venv/.test
	$(BIN)/lint-imports

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
	rm -rf .venv build dist site .cache .coverage* pass-demo pass-curate-demo *.egg-info
	rm -rf docs/reference/commands.md docs/notebooks/*.md docs/notebooks/*_files
