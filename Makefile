# Two commands for a newcomer: `make run` and `make test`. `make help` lists the rest.

.DEFAULT_GOAL := help
.PHONY: help setup setup-whatsapp setup-bench run dev test check soak fuzz bench backup \
    restore move-database types lock migration clean

# The ones whose packages need no compiler come first.
PYTHONS := python3.12 python3.11 python3.13 python3 python3.14
BIN := .venv/bin
CODE := config crm gateway operations pages workers tests benchmarks wsgi.py celeryconfig.py

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

setup: venv ## Make .venv, install the pinned packages, build the page (nothing when that is done)
	@$(BIN)/python -m config.setup_frontend

.PHONY: venv
venv:
	@for python in $(PYTHONS); do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        exec $$python -m config.setup_venv; \
	    fi; \
	done; \
	echo 'Python 3.11 or newer is needed, and none of these is it: $(PYTHONS)' >&2; exit 1

setup-whatsapp: setup ## Add what GATEWAY_DRIVER=web needs: docs/whatsapp-web.md
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    --requirement requirements-whatsapp.txt

# For what works without the page: where none can be built, an older one or none will do.
.PHONY: setup-if-possible
setup-if-possible: venv
	@$(BIN)/python -m config.setup_frontend --optional

LAUNCH = exec $(BIN)/python -m config.launcher --end-with-parent \
    $(if $(FRONTEND_PORT),--frontend-port '$(FRONTEND_PORT)') \
    $(if $(WEB_PORT),--web-port '$(WEB_PORT)') \
    $(if $(GATEWAY_PORT),--gateway-port '$(GATEWAY_PORT)') \
    $(if $(FLOWER_PORT),--flower-port '$(FLOWER_PORT)')

run: setup-if-possible ## Start everything; Ctrl-C ends it. FRONTEND_PORT= WEB_PORT= GATEWAY_PORT= FLOWER_PORT= VAR_DIR=
	@$(LAUNCH)

dev: setup ## The same, and what you change in the page or the backend shows at once
	@$(LAUNCH) $(foreach file,Procfile Procfile.dev Procfile.hot,--procfile $(file))

# A Node that `make setup` had to fetch is in .venv.
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix frontend --silent

# A file's tests stay together, since they share its database. COMPLETE=1: fail rather than skip
# where this machine lacks something.
test: setup ## Run every test, beside a running `make run` too. ARGS="tests/unit -k phone"
	@$(BIN)/python -m pytest -rs --numprocesses auto --maxprocesses 4 --dist loadfile \
	    $(if $(COMPLETE),--complete) $(ARGS)
	@$(if $(ARGS),,$(NPM) test)

check: setup ## Style, types, import order, and requirements*.txt in step with requirements*.in
	@$(BIN)/ruff check $(wildcard $(CODE))
	@$(BIN)/ruff format --check $(wildcard $(CODE))
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(NPM) run check
	@$(BIN)/python -m config.setup_locks

soak: setup ## Break everything while messages flow, and count. MESSAGES= FAULTS= SEED= ARGS=
	@$(BIN)/python -m tests.soak.run --messages $(or $(MESSAGES),20000) \
	    --faults $(or $(FAULTS),300) --seed $(or $(SEED),1) $(ARGS)

fuzz: setup ## Thousands of requests, good and bad, signed in and not. CASES=5000
	@CASES=$(or $(CASES),5000) $(BIN)/python -m pytest tests/contracts/test_fuzz.py

setup-bench: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    --requirement requirements-bench.txt

bench: setup-bench ## Measure our answers beside a peer's. SIZE=200000 messages, ARGS="--help"
	@$(BIN)/python -m benchmarks $(if $(SIZE),--messages '$(SIZE)') $(ARGS)

backup: venv ## Copy both databases and the files while all runs. FILE=crm.tar.gz
	@test -n '$(FILE)' || { echo 'Say where to: make backup FILE=…' >&2; exit 1; }
	@$(BIN)/python -m operations.backup '$(FILE)'

restore: venv ## Bring a backup back. FILE= FORCE=1: replace data. RESUME=1: nothing ran since
	@test -n '$(FILE)' || { echo 'Say from where: make restore FILE=…' >&2; exit 1; }
	@$(BIN)/python -m operations.restore $(if $(filter 1,$(FORCE)),--force) \
	    $(if $(filter 1,$(RESUME)),--resume) '$(FILE)'

move-database: venv ## Copy every row to an empty database. TO=postgresql://… GATEWAY_TO=…
	@$(BIN)/python -m operations.move $(if $(TO),--to '$(TO)') \
	    $(if $(GATEWAY_TO),--gateway-to '$(GATEWAY_TO)')

types: setup ## After a change of the API: write the page's types anew
	@$(BIN)/flask --app wsgi openapi write frontend/openapi.json
	@$(NPM) run types

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header\
	--python-version 3.11 --no-emit-index-url

lock: setup ## After a change in requirements*.in: pin all of it anew
	@$(LOCK) --output-file requirements.txt requirements.in
	@$(LOCK) --output-file requirements-dev.txt requirements-dev.in
	@$(LOCK) --constraints requirements-dev.txt \
	    --output-file requirements-whatsapp.txt requirements-whatsapp.in
	@$(LOCK) --output-file requirements-node.txt requirements-node.in
	@$(LOCK) --constraints requirements-dev.txt \
	    --output-file requirements-bench.txt requirements-bench.in

migration: setup ## Write a migration from the models. MESSAGE="add a column"
	@test -n '$(MESSAGE)' || { echo 'Say what it does: make migration MESSAGE="…"' >&2; exit 1; }
	@$(BIN)/flask --app wsgi db migrate --message '$(MESSAGE)'

clean: ## Remove .venv, caches and the built page; data under var/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -rf frontend/node_modules frontend/.next frontend/out
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
