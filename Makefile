# One command surface. Everything lives in .venv and .porewatch; nothing is installed elsewhere.
SHELL := /bin/bash
.DEFAULT_GOAL := help
STATE := .porewatch
UV := $(STATE)/boot/bin/uv
PY := .venv/bin/python
# 3.13 is what the functions declare; 3.11 and 3.12 work for local runs.
# (A pyenv shim may be on PATH and still refuse to run, so each candidate is tried.)
PYTHON ?= $(shell for p in python3.13 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13*/bin/python3 python3; do \
	"$$p" -c 'import ssl, venv' >/dev/null 2>&1 && command -v "$$p" && break; done)

# Tests and the embedded AWS start hundreds of processes. Without cached bytecode each of them would
# first compile 500 modules, which takes longer than most of their work.
unexport PYTHONDONTWRITEBYTECODE
# One more than the cores: tests of the embedded AWS wait for its machines most of the time.
TEST_PROCESSES ?= 3
DIST ?= dist

.PHONY: help setup hooks test test-all mutants coverage check wheels docs rehearse demo up down load bench bench-science lock clean
help:  ## what can be done here
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Porewatch needs Python 3.11 or newer.")'
	@$(PYTHON) -m venv $(STATE)/boot && $(STATE)/boot/bin/pip install -q uv==0.13.8

# Environments of their own, because their pins clash: the product, the embedded AWS, the SAM tools, the outside judges of
# tests/judges, the oldest service models and the documentation (`make test`), checkov and mutmut (`make test-all`), pre-commit.
.venv/.ready: $(UV) requirements/dev.txt layers/common/pyproject.toml worker/pyproject.toml local/pyproject.toml cli/pyproject.toml layers/common/python/porewatch/__init__.py
	@echo "setup: product environment (.venv, $$($(PYTHON) -V))"
	@$(UV) venv -q --allow-existing --python $(PYTHON) .venv
	@$(UV) pip sync -q --python $(PY) --require-hashes requirements/dev.txt
	@$(UV) pip install -q --python $(PY) --no-deps -e layers/common -e worker -e local -e cli
	@$(PY) -c 'import porewatch_cli.main, porewatch_local.embedded.up, porewatch_worker.main'  # caches their bytecode
	@touch $@

$(STATE)/%/.ready: requirements/%.txt $(UV)
	@echo "setup: $* environment ($(STATE)/$*)"
	@$(UV) venv -q --allow-existing --python $(PYTHON) $(STATE)/$*
	@$(UV) pip sync -q --python $(STATE)/$*/bin/python --require-hashes requirements/$*.txt
	@touch $@

# The stand-in for Globus, in the version that package.json has; node and npm come from a wheel.
$(STATE)/identity/.ready: package.json .venv/.ready
	@echo "setup: identity provider ($(STATE)/identity)"
	@mkdir -p $(@D) && PATH="$(CURDIR)/.venv/bin:$$PATH" npm install --silent --prefix $(@D) --no-save --no-package-lock --no-audit --no-fund \
	--ignore-scripts $$(sed -nE 's/^ *"(oidc-provider)": "([^"]+)".*/\1@\2/p' package.json)
	@touch $@

JUDGES := $(STATE)/judges/.ready $(STATE)/oldest/.ready $(STATE)/docs/.ready
setup: .venv/.ready $(STATE)/engine/.ready $(STATE)/sam/.ready $(STATE)/identity/.ready  ## make the environments that running it takes

lock:  ## resolve requirements/*.in and pyproject.toml anew (writes hashes, never an index)
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group pyproject.toml:dev pyproject.toml -o requirements/dev.txt
	@for name in engine sam docs hooks judges oldest checkov mutants layer reads_layer sign_in_layer billing_layer typesetting_layer screening_layer compiled_layer cross_compile worker wheels; do $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate requirements/$$name.in -o requirements/$$name.txt; done

check: setup  ## format, lint, types
	@.venv/bin/ruff format --check -q . && .venv/bin/ruff check -q . && .venv/bin/mypy

# node and npm come from a wheel when the machine has none (the linters of the state machine need them).
test: check $(JUDGES)  ## what proves the product in about 20 minutes on two cores, from a fresh clone too
	@PATH="$$PATH:$(CURDIR)/.venv/bin" .venv/bin/pytest -n $(TEST_PROCESSES) --dist loadgroup -m "not slow"

test-all: check $(JUDGES) $(STATE)/checkov/.ready $(STATE)/mutants/.ready  ## every test, those marked `slow` included
	@PATH="$$PATH:$(CURDIR)/.venv/bin" .venv/bin/pytest -n $(TEST_PROCESSES) --dist loadgroup

mutants: setup $(STATE)/mutants/.ready  ## change the code one operator at a time: which changes does no test notice? (TARGET; hours for all)
	@$(PY) -m tests.mutants $(TARGET)

coverage: setup  ## which share of each folder's lines the tests run (no threshold; some 10 minutes)
	@$(PY) -m tests.coverage_by_folder

# Built by the pinned tools. The dates in them do not depend on when they are built.
wheels: $(UV)  ## build the four distributions into dist/ (DIST)
	@for part in layers/common worker cli local; do \
	$(UV) build -q --wheel --python $(PYTHON) --build-constraints requirements/wheels.txt --require-hashes --out-dir $(DIST) $$part || exit 1; done

docs: $(STATE)/docs/.ready  ## build the documentation into site/; a broken link or anchor is an error
	@$(STATE)/docs/bin/zensical build --strict --clean --config-file mkdocs.yml

hooks: setup $(STATE)/hooks/.ready  ## run format, lint, types and links before each commit (pre-commit)
	@$(STATE)/hooks/bin/pre-commit install

up: setup  ## start the embedded AWS on this machine and deploy to it
	@$(PY) -m porewatch_local up

down:  ## stop it; runs and reports stay on disk
	@$(PY) -m porewatch_local down

rehearse: setup  ## ask a real AWS account what would stop a deploy or a launch (REGION, PROFILE, AMI, BUCKET, STACK); leaves nothing
	@$(PY) -m porewatch_local.rehearsal.rehearse $(if $(REGION),--region $(REGION)) $(if $(PROFILE),--profile $(PROFILE)) $(if $(AMI),--image $(AMI)) $(if $(BUCKET),--bucket $(BUCKET)) $(if $(STACK),--stack $(STACK))

demo: setup  ## the whole product on synthetic reads, one spot interruption included
	@$(PY) -m porewatch_local demo

load: setup  ## after `make up`: 200 people browse and upload for two minutes; errors, and times by route
	@$(PY) -m tests.load

bench: setup  ## our speed as ratios to seqkit, minimap2 and samtools
	@$(PY) -m bench

bench-science: setup  ## what we find and wrongly call, beside kraken2, minimap2 and sourmash
	@$(PY) -m bench.science

clean:  ## remove everything that was made here
	rm -rf .venv $(STATE) .aws-sam
