# Two commands: `make run` opens the app, `make test` proves it. Everything else is for developers.
PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test setup check audit clean bench bench-app bench-applications bench-core bench-encoders bench-infmasking \
	bench-pruning bench-reliability

run: setup
	@$(BIN)/python -m ui.serve --port $(PORT)

test: setup $(VENV)/.dev
	$(BIN)/python -m pytest

setup: $(VENV)/.ready

# torch goes first and alone: resolved together with others, a different build of several GB may be chosen.
$(VENV)/.ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Interplay needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) "$$(grep '^torch==' requirements.txt)"
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.ready
	$(PIP) -r requirements-dev.txt
	@touch $@

check: setup $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Asks the OSV service, so it needs the internet; a service that does not answer is a failure, not a pass.
audit: setup
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(VENV)/audit/bin/pip-audit --strict --vulnerability-service osv \
	  --path "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

bench: setup $(VENV)/.dev
	$(BIN)/python -m benchmarks.demo

bench-app: setup $(VENV)/.dev
	$(BIN)/python -m benchmarks.app

bench-applications: setup $(VENV)/.dev
	$(BIN)/python -m benchmarks.ensemble
	$(BIN)/python -m benchmarks.distillation

bench-core: setup $(VENV)/.dev
	$(BIN)/python -m benchmarks.core

bench-encoders: setup $(VENV)/.dev
	$(PIP) -r requirements-bench.txt
	$(BIN)/python -m benchmarks.encoders

bench-infmasking: setup $(VENV)/.dev
	$(BIN)/python -m benchmarks.infmasking

bench-pruning: setup $(VENV)/.dev
	$(BIN)/python -m benchmarks.pruning

bench-reliability: setup $(VENV)/.dev
	$(BIN)/python -m benchmarks.reliability
	$(BIN)/python -m benchmarks.fuzz
	$(BIN)/python -m benchmarks.wander
	$(BIN)/python -m benchmarks.sessions
	$(BIN)/python -m benchmarks.uploads

clean:
	rm -rf $(VENV)
