# `make run` places a call on this machine; `make test` checks everything. Nothing but Python and make is needed before.
PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin

# Named by what it was made from: an unchanged checkout starts at once and offline, whatever its files' dates say.
INSTALLED := $(VENV)/installed-$(shell { cat requirements-dev.lock pyproject.toml; echo "$(CURDIR)"; } | cksum | tr ' ' -)

.DEFAULT_GOAL := help
.PHONY: help run status validate install test lint types arrows tests proofs kills mutations unguarded format lock clean

help:
	@echo 'make run              place a recorded call and go on serving; needs no key and no account'
	@echo 'make run ONCE=1       end after the call, successfully only if the slot asked for is held'
	@echo 'make run CALL=my.wav  the caller is your own recording'
	@echo 'make status           are the promises kept? of the demo that runs here, else of DATABASE_URL; JSON=1'
	@echo 'make validate         try five capabilities of the demo that runs here on a throw-away clinic; JSON=1 CARRIER=plivo'
	@echo 'make test             lint, types, import arrows, all tests'
	@echo 'make proofs           what is proven of booking, tenancy and turn taking, at full size (some 45 minutes)'
	@echo 'make kills            of these, gateways killed in the middle of their work, KILLS=300 times each'
	@echo 'make mutations        takes the schema apart piece by piece and says which proofs notice'
	@echo 'make unguarded        takes the guards of each sink away, one by one, and says which tests notice'
	@echo 'make format           format the code and mend what the linter can'
	@echo 'make lock             pin the dependencies anew (needs uv)'
	@echo 'make clean            remove what was installed and what the demo wrote'

run: install
	@exec $(BIN)/python -m bench demo $(if $(ONCE),--once) $(if $(CALL),--call "$(CALL)")

status: install
	@exec $(BIN)/python -m bench status $(if $(JSON),--json)

validate: install
	@exec $(BIN)/python -m bench validate $(if $(CARRIER),--carrier $(CARRIER)) $(if $(JSON),--json)

install: $(INSTALLED)
	@:

$(INSTALLED):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not that. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'Creating $(VENV)'; \
		$(PYTHON) -m venv --clear $(VENV) || { \
			echo 'The venv module of $(PYTHON) does not work; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }; }
	@rm -f $(VENV)/installed-*
	@echo 'Installing the locked dependencies into $(VENV); the first time this takes some minutes'
	@$(BIN)/python -m pip install --disable-pip-version-check --no-input --no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --no-input --quiet --no-deps --no-build-isolation -e .
	@touch $@

test: lint types arrows tests

lint: install
	@echo '== lint'
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .

types: install
	@echo '== types'
	@$(BIN)/python -m mypy

arrows: install
	@echo '== import arrows'
	@$(BIN)/lint-imports

tests: install
	@echo '== tests'
	@$(BIN)/python -m pytest -n 6 --dist loadfile --no-loadscope-reorder || { \
		[ $$? -eq 1 ] || exit 2; \
		echo '== tests that failed beside others, once more, alone: one that passes now depends on time, and wants mending'; \
		$(BIN)/python -m pytest --last-failed --last-failed-no-failures none; }

proofs: install
	@$(BIN)/python -m pytest -q tests/proofs --rivals 5 10 50 200 --rounds 300 --lives 500 --slots-per-org 50000 --kills 300
	@$(BIN)/python -m pytest -q tests/pipeline/turn/test_machine_in_any_call.py --simulated-calls 200000

KILLS = 300
kills: install
	@$(BIN)/python -m pytest -q -s tests/proofs/test_killed*.py --kills $(KILLS)

mutations: install
	@$(BIN)/python -m tests.proofs.mutations

unguarded: install
	@$(BIN)/python -m tests.proofs.unguarded

format: install
	@$(BIN)/python -m ruff check --fix .
	@$(BIN)/python -m ruff format .

UV_COMPILE = uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

lock:
	@$(UV_COMPILE) --extra otel pyproject.toml -o requirements.lock
	@$(UV_COMPILE) --extra offline --extra dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) .data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
