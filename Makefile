# The commands of this project. `make demo` and `make test` need git, make and Python >= 3.11 with venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA_DIR ?= .data
PORT ?=
QUICKSTART_ARGS ?=
BENCH_ARGS ?=
TEST_PROCESSES ?= 4
FAULT_REPORT ?= docs/faults.md
FAULT_ARGS ?=
PEERS := opentaxii medallion
# Measured against, and needed by no test: it has to be compiled.
BENCH_PEERS := pytricia

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check bench peers faults lock format clean

demo: $(VENV)/.base
	$(BIN)/python manage.py quickstart --data-dir $(DATA_DIR) $(if $(PORT),--port $(PORT)) $(QUICKSTART_ARGS)

# One process for each core, each with a stack of its own. A file stays in one: fixtures of files share what they filled.
test: $(VENV)/.test peers
	$(BIN)/python -m pytest -n auto --maxprocesses $(TEST_PROCESSES) --dist loadfile

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python docker/check.py

# A peer that cannot be installed is left out of the comparison, which says so; tests need them.
bench: $(VENV)/.bench
	-@$(MAKE) --no-print-directory peers
	-@$(MAKE) --no-print-directory $(BENCH_PEERS:%=.peers/%/.ready)
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

peers: $(PEERS:%=.peers/%/.ready)

faults: $(VENV)/.test peers
	$(BIN)/python -m pytest -m faults -p tests.support.fault_report --fault-report $(FAULT_REPORT) $(FAULT_ARGS)

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Versions and hashes for Python 3.11 to 3.13, without addresses of any index.
lock: $(VENV)/.test
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" -q -o requirements/base.txt
	$(BIN)/uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --custom-compile-command "make lock" -q -c requirements/base.txt -o requirements/test.txt
	$(BIN)/uv pip compile pyproject.toml --extra bench --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --custom-compile-command "make lock" -q -c requirements/test.txt -o requirements/bench.txt
	for peer in $(PEERS) $(BENCH_PEERS); do \
	  $(BIN)/uv pip compile benchmarks/peers/$$peer.in --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --custom-compile-command "make lock" -q -o benchmarks/peers/$$peer.txt || exit 1; done

clean:
	rm -rf $(VENV) .peers .bench

# A stamp each: a second run asks nothing of the network while the requirements are unchanged.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "commonwatch needs Python 3.11, 3.12 or 3.13; $(PYTHON) is another. Name one: make PYTHON=python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing: install the package python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: requirements/base.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --require-hashes -r requirements/base.txt
	$(BIN)/python -m pip install -q --require-hashes -r requirements/build.txt
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.base
	$(BIN)/python -m pip install -q --require-hashes -r requirements/test.txt
	@touch $@

$(VENV)/.bench: requirements/bench.txt $(VENV)/.test
	$(BIN)/python -m pip install -q --require-hashes -r requirements/bench.txt
	@touch $@

# The servers that ours is tested with and measured against, each with what it needs in an environment of its own.
.peers/%/.ready: benchmarks/peers/%.txt | $(VENV)/.test
	$(BIN)/python -m venv --clear --without-pip .peers/$*
	@$(BIN)/python -m pip --python .peers/$*/bin/python install -q --require-hashes -r $< || \
	  { echo "$* cannot be installed from the package index; make test needs it: see $<" >&2; exit 2; }
	@touch $@
