# Each target prepares what it needs on first use and repeats cheaply.
PYTHON ?= python3.11
VENV := .venv
SAM_VENV := .venv-sam
BIN := $(VENV)/bin
BUILD := .aws-sam/build
SOURCES := template.yaml $(shell find functions layers -type f -not -path '*/__pycache__/*')
PIP_FLAGS := --quiet --disable-pip-version-check
.DEFAULT_GOAL := help
.PHONY: help demo test check bench soak build package up clean venv

help: ## say what each target does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "Preparing the virtual environment (once, a minute or two) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements.lock
	@$(BIN)/python -m pip install $(PIP_FLAGS) --no-deps --no-build-isolation -e .
	@touch $@

# Spark is only needed by tests and benchmarks of the Glue program.
$(VENV)/.spark: requirements-spark.lock $(VENV)/.installed
	@echo "Adding Spark and its Java for tests and benchmarks ..."
	@$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements-spark.lock
	@touch $@

$(SAM_VENV)/.installed: requirements-sam.lock
	@echo "Preparing the SAM CLI in an environment of its own (once) ..."
	@test -x $(SAM_VENV)/bin/python || $(PYTHON) -m venv $(SAM_VENV)
	@$(SAM_VENV)/bin/python -m pip install $(PIP_FLAGS) -r requirements-sam.lock
	@touch $@

$(BUILD)/.built: $(SOURCES) $(VENV)/.installed $(SAM_VENV)/.installed
	@echo "Building template.yaml into $(BUILD) (sam build, no Docker) ..."
	@PATH="$(CURDIR)/$(SAM_VENV)/bin:$$PATH" SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 \
	    $(SAM_VENV)/bin/sam build --cached --parallel > .aws-sam-build.log 2>&1 \
	    || { cat .aws-sam-build.log; rm -f .aws-sam-build.log; exit 1; }
	@rm -f .aws-sam-build.log
	@$(BIN)/python -m cli.build $(BUILD)
	@touch $@

venv: $(VENV)/.installed ## the virtual environment, by itself
build: $(BUILD)/.built ## sam build of template.yaml, without Docker

demo: $(BUILD)/.built ## the whole chain on this laptop: files in, cycle features out (ARGS="--data DIR")
	@$(BIN)/signalbox demo $(ARGS)

up: $(BUILD)/.built ## serve the local cloud on 127.0.0.1 until Ctrl-C
	@$(BIN)/signalbox up $(ARGS)

test: $(BUILD)/.built $(VENV)/.spark ## the whole test suite
	@$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.installed $(SAM_VENV)/.installed ## lint, types, import contracts, template
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 $(SAM_VENV)/bin/sam validate --lint

bench: $(BUILD)/.built $(VENV)/.spark ## ratios, each from one interleaved run
	@$(BIN)/python -m benchmarks $(ARGS)

soak: $(BUILD)/.built $(VENV)/.spark ## long runs: more examples, more seeds
	@HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -m "soak or not soak" $(ARGS)

package: $(BUILD)/.built ## ship jobs, kernel and workloads to S3 by content hash (BUCKET=name)
	@test -n "$(BUCKET)" || { echo "package: say where to: make package BUCKET=my-artifacts"; exit 2; }
	@$(BIN)/signalbox package --bucket "$(BUCKET)" $(ARGS)

clean: ## remove everything the targets made
	rm -rf $(VENV) $(SAM_VENV) .aws-sam .signalbox out .pytest_cache .mypy_cache .ruff_cache .hypothesis
