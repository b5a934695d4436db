# make demo      see it work: both loaders on the mini release
# make quick     the tests of what is soon tested, in less than a minute
# make test      all tests that need nothing but Python packages, in less than ten minutes
# make test-all  the other tests too (browser, SLURM, Ray, fresh environments, kills), and coverage
# make contract lint types    what else CI checks

PYTHON ?= python3
BIN := .venv/bin

# Tests of one file stay together, as they share what is made for them.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
LONG := slow or slurm or ray or browser or environments
# `make COVERAGE=1 test` measures, `make coverage` tells the sum of what was measured since.
MEASURED := $(if $(COVERAGE),--cov --cov-append --cov-report=)

.PHONY: demo quick test test-long test-all coverage contract lint types format clean

demo: .venv/.demo
	$(BIN)/pass-dataset demo

quick: .venv/.test
	$(PYTEST) -q -m "not ($(LONG))" QUICK

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

# A stamp each, written last: an installation that was interrupted is done again.
.venv/.demo: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[tfds,hf]'
	touch $@

.venv/.test: .venv/.demo
	$(BIN)/python -m pip install --quiet --editable '.[all,dev]'
	touch $@

clean:
	rm -rf .venv build dist pass-demo .coverage* *.egg-info
