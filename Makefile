# Sightline. `make` alone lists what there is to do.
#
# Needs nothing but make and Python 3.11 or newer; everything else goes into .venv.
# Ports can be chosen: PORT=8001 AWS_PORT=5155 PARTNER_PORT=5156 make run

PORT ?= 8000
AWS_PORT ?= 5055
PARTNER_PORT ?= 5056
TRIGGER ?= s3
AUTH ?= none
BENCH ?=
CHART ?=
FAULTS ?=
DATA ?= .data
FILES ?=
STAGE ?= dev
STACK ?=
ARCH ?=
EMAIL ?=
IMAGES ?=
OWNER ?=
SCOPES ?= read,write
DAYS ?= 365
NAME ?=
API ?=
BUCKET_ORIGIN ?=
ID ?=
SEED ?= 1
PART ?=
SIZE ?= 1

PYTHONS = python3.13 python3.12 python3.14 python3.11 python3 python
VENV = .venv
PY = $(VENV)/bin/python
INFRA = $(PY) -m infra --stage '$(STAGE)'
# Whether a variable was given, and is not as it is written above: 1 or nothing.
given = $(if $(filter-out file,$(origin $(1))),1)
TOKENS = $(PY) -m local.token_command --owner '$(OWNER)' --data '$(DATA)' $(if $(call given,STAGE),--stage '$(STAGE)') \
	$(if $(call given,AWS_PORT),--aws-port '$(AWS_PORT)')
UV = uv==0.13.8
LOCKER = build/$(UV)
AUDIT = pip-audit==2.10.1
AUDITOR = build/$(AUDIT)
COMPILE = $(LOCKER)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock'
EMULATOR = tests/emulator/requirements.txt
NEW_ENOUGH = import sys, venv; sys.exit(sys.version_info < (3, 11))

# Else every interpreter, of which the tests start hundreds, compiles all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run reset label token tokens revoke test torture bite check bench clients nightly deploy destroy import-template redrive repair package-sam package-terraform lock audit release-check page screenshots clean ready emulator

help: ## List these targets
	@echo "Sightline: image in, labels out."
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 25

run: ready ## Start the whole service offline, label photos/, and run until Ctrl-C
	@$(PY) -m local --port $(PORT) --aws-port $(AWS_PORT) --partner-port $(PARTNER_PORT) \
		--trigger $(TRIGGER) --auth $(AUTH) --faults '$(FAULTS)' --data '$(DATA)'

reset: ready ## Delete the photos, labels and tokens that make run keeps in DATA, for good
	@$(PY) -m local --reset --data '$(DATA)'

label: export PICKED = $(value FILES)
label: ready ## Label your own photos: make label FILES="a.jpg ~/Pictures" (AGAIN=1: those that are there, too)
	@FILES="$$PICKED" $(PY) -m local.label --data '$(DATA)' $(if $(call given,PORT),--url http://127.0.0.1:$(PORT))

token: ready ## Make a bearer token, for make run if it runs, or for STAGE: make token OWNER=anna SCOPES=read,write
	@$(TOKENS) issue --scopes '$(SCOPES)' --days '$(DAYS)' --name '$(NAME)'

tokens: ready ## List an owner's tokens: make tokens OWNER=anna
	@$(TOKENS) list

revoke: ready ## Revoke a token: make revoke OWNER=anna ID=…
	@$(TOKENS) revoke --id '$(ID)'

test: ready emulator ## Run all tests, several at once
	@$(PY) -m pytest --numprocesses auto

torture: ready ## Try faults, load and hostile files, by a seed: make torture SEED=1 PART=schedules SIZE=0.1
	@$(PY) -m torture --seed '$(SEED)' --size '$(SIZE)' $(if $(PART),--part '$(PART)')

bite: ready emulator ## Switch each guard off in a copy and show that a test goes red (some minutes)
	@$(PY) -m tests.bite

check: ready emulator ## Lint, check formatting and types, run the fast tests
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m bandit --quiet --recursive -ll app.py chalicelib infra local
	@git ls-files -z ':!.ci/allowed-secrets.json' | xargs -0 $(VENV)/bin/detect-secrets-hook --baseline .ci/allowed-secrets.json
	@$(PY) -m pytest --numprocesses auto -m "not slow"

bench: ready ## Measure speed and cost: make bench, or make bench BENCH="cold warm"
	@$(PY) -m benchmarks $(BENCH) $(if $(CHART),--chart)

clients: ready ## Generate clients of the API, compile and run them (needs Node and Java; some minutes)
	@CLIENTS=1 $(PY) -m pytest -rs tests/clients

nightly: export NIGHTLY = 1
nightly: export SCHEMA_SECONDS = 60
nightly: check audit test bite torture bench clients ## Run every check, one after the other (under an hour)

deploy: ready ## Create or update a stage in your AWS account: make deploy STAGE=dev
	@$(INFRA) deploy --arch '$(ARCH)' --email '$(EMAIL)'

destroy: ready ## Remove a stage; its images only with IMAGES=delete
	@$(INFRA) destroy $(if $(filter delete,$(IMAGES)),--delete-images)

import-template: ready ## Write a template that imports a kept bucket and table into a new stack
	@$(INFRA) import-template

redrive: ready ## Send a stage's dead letters again
	@$(INFRA) redrive --stack '$(STACK)'

package-sam: ready ## Write a self-contained SAM application to build/sam-STAGE
	@$(INFRA) package-sam --arch '$(ARCH)'

package-terraform: ready ## Write a Terraform module to build/terraform-STAGE
	@$(INFRA) package-terraform --arch '$(ARCH)'

lock: ready ## Pin the packaged libraries by their hashes, after a change of requirements.txt
	@$(PY) -m venv $(LOCKER) && $(LOCKER)/bin/python -m pip install --quiet $(UV)
	@$(COMPILE) --output-file requirements.lock requirements.txt
	@$(COMPILE) --no-deps --output-file requirements-onnx.lock requirements-onnx.txt

audit: ready ## Look for known vulnerabilities of the packaged libraries (asks a public feed)
	@$(PY) -m venv $(AUDITOR) && $(AUDITOR)/bin/python -m pip install --quiet $(AUDIT)
	@$(PY) -m infra.audit $(AUDITOR)/bin/python

release-check: ready emulator ## Say what is in the way of releasing what is committed (some minutes)
	@$(PY) -m infra.release

page: ready ## Write a stage's web page as a static site to build/page (API=… BUCKET_ORIGIN=…: another service's)
	@$(PY) -m infra.static_page --stage '$(STAGE)' --api '$(API)' --bucket-origin '$(BUCKET_ORIGIN)'

repair: ready ## Compare counts and index with the records: make repair STAGE=dev OWNER=default (MEND=1 repairs them)
	@$(PY) -m infra.repair_command --stage '$(STAGE)' --owner $(or $(OWNER),default) $(if $(MEND),--mend)

screenshots: ready ## Take the pictures of the web page in docs/screenshots (needs Chromium)
	@$(PY) -m tests.browser.screenshots

clean: ## Remove the virtual environment and all caches
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is made once, and brought up to date when the lists of requirements have changed.
# A candidate is tried before it is chosen: a version manager's stand-in may exist and not run.
ready:
	@python=; if ! $(PY) -c '$(NEW_ENOUGH)' 2>/dev/null; then \
		for candidate in $(PYTHONS); do \
			if $$candidate -c '$(NEW_ENOUGH)' 2>/dev/null; then python=$$candidate; break; fi; \
		done; \
		if [ -z "$$python" ]; then \
			echo "Sightline needs Python 3.11 or newer, with its venv module, and found none." >&2; \
			echo "Install it from https://www.python.org/downloads/ or with your system's package manager" >&2; \
			echo "(on Debian and Ubuntu: apt install python3 python3-venv), then run make again." >&2; \
			exit 1; \
		fi; \
		echo "Making the virtual environment with $$python …"; \
		rm -rf $(VENV); \
		$$python -m venv $(VENV) || { \
			echo "$$python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; \
			rm -rf $(VENV); exit 1; }; \
	fi; \
	wanted=$$(cat requirements.txt requirements-onnx.txt requirements-dev.txt | cksum); \
	if [ "$$wanted" != "$$(cat $(VENV)/requirements.cksum 2>/dev/null)" ]; then \
		echo "Installing what Sightline needs (a minute or two, only when it changes) …"; \
		$(PY) -m local.install requirements-dev.txt || { \
			echo "The requirements could not be installed; what pip says is above." >&2; exit 1; }; \
		echo "$$wanted" > $(VENV)/requirements.cksum; \
	fi

# MiniStack, on which the tests deploy, has pinned requirements of its own and so an environment of its own.
emulator: ready
	@wanted=$$(cksum < $(EMULATOR)); \
	if [ "$$wanted" != "$$(cat $(VENV)/ministack/requirements.cksum 2>/dev/null)" ]; then \
		echo "Installing the emulator of AWS that the tests use …"; \
		$(PY) -m venv --clear $(VENV)/ministack && \
		$(VENV)/ministack/bin/python -m pip install --quiet --disable-pip-version-check -r $(EMULATOR) || { \
			echo "The emulator could not be installed; what pip says is above." >&2; exit 1; }; \
		echo "$$wanted" > $(VENV)/ministack/requirements.cksum; \
	fi
