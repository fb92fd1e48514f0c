# Each target prepares what it needs on first use and repeats cheaply.
PYTHON ?= python3.11
VENV := .venv
SAM_VENV := .venv-sam
AWSCLI_VENV := .venv-awscli
BIN := $(VENV)/bin
BUILD := .aws-sam/build
WORKERS ?= 2
PIP_FLAGS := --quiet --disable-pip-version-check
.DEFAULT_GOAL := help
.PHONY: help demo test check bench soak build package up clean venv environments

help: ## say what each target does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Sums in machine code, linked to no library; where it cannot be made, the kernel makes do with numpy.
KERNEL := layers/cycles/python/cycles/sweep-$(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_platform())').so.1
$(KERNEL): layers/cycles/native/sweep.c layers/cycles/native/tile.h
	@$(CC) -std=gnu11 -O3 -ffp-contract=off -Wall -Wextra -Wno-psabi -Werror -shared -fPIC -nostdlib \
	  $< -lgcc -o $@ || echo "No C compiler here ($(CC)): the kernel will sum with numpy."

$(VENV)/.installed: requirements.lock pyproject.toml $(KERNEL)
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

# The stock AWS CLI, for the tests that point it at `signalbox up`.
$(AWSCLI_VENV)/.installed: requirements-awscli.lock
	@echo "Preparing the AWS CLI in an environment of its own (once) ..."
	@test -x $(AWSCLI_VENV)/bin/python || $(PYTHON) -m venv $(AWSCLI_VENV)
	@$(AWSCLI_VENV)/bin/python -m pip install $(PIP_FLAGS) -r requirements-awscli.lock
	@touch $@

# Stale or not is judged by content (cli/build.py), not by time stamps: a deleted file counts too.
# Bytecode that is not checked against its source halves a cold start: Lambda's disk is read-only.
build: $(VENV)/.installed $(SAM_VENV)/.installed ## sam build of template.yaml, without Docker
	@$(BIN)/python -m cli.build --fresh $(BUILD) || { \
	  echo "Building template.yaml into $(BUILD) (sam build, no Docker) ..."; \
	  mkdir -p .aws-sam; \
	  PATH="$(CURDIR)/$(SAM_VENV)/bin:$$PATH" SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 \
	    $(SAM_VENV)/bin/sam build --cached --parallel > .aws-sam/build.log 2>&1 \
	    || { cat .aws-sam/build.log; exit 1; }; \
	  $(BIN)/python -m cli.images $(BUILD) || exit 1; \
	  $(PYTHON) -m compileall -q --invalidation-mode unchecked-hash $(BUILD) || exit 1; \
	  $(BIN)/python -m cli.build --note $(BUILD); }

venv: $(VENV)/.installed ## the virtual environment, by itself

environments: $(VENV)/.spark $(SAM_VENV)/.installed $(AWSCLI_VENV)/.installed ## all of them (make -j2: side by side)

demo: build ## the whole chain on this laptop: files in, cycle features out (ARGS="--data DIR")
	@$(BIN)/signalbox demo $(ARGS)

up: build ## serve the local cloud on 127.0.0.1 until Ctrl-C
	@$(BIN)/signalbox up $(ARGS)

test: build $(VENV)/.spark $(AWSCLI_VENV)/.installed ## the whole test suite
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: $(VENV)/.installed $(SAM_VENV)/.installed ## lint, types, import contracts, template
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 $(SAM_VENV)/bin/sam validate --lint
	@SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 $(SAM_VENV)/bin/sam validate --lint --template consumer.yaml

bench: build $(VENV)/.spark ## ratios, each from one interleaved run
	@$(BIN)/python -m benchmarks $(ARGS)

soak: build $(VENV)/.spark $(AWSCLI_VENV)/.installed ## long runs: many more examples, bad days, every policy statement taken away
	@OMP_NUM_THREADS=1 HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)
	@$(BIN)/signalbox chaos --seeds 20
	@$(BIN)/signalbox chaos --executor ric
	@$(BIN)/signalbox chaos --job loop
	@$(BIN)/signalbox chaos --job loop --mode "many at once" --seeds 20
	@$(BIN)/python -m tests.soak_policies
	@$(BIN)/python -m tests.soak_container
	@$(BIN)/python -m tests.soak_models turbofan
	@$(BIN)/python -m tests.soak_models fleet

package: build ## ship jobs, kernel and workloads to S3 by content hash (BUCKET=name)
	@test -n "$(BUCKET)" || { echo "package: say where to: make package BUCKET=my-artifacts"; exit 2; }
	@$(BIN)/signalbox package --bucket "$(BUCKET)" $(ARGS)

clean: ## remove everything the targets made
	rm -rf $(KERNEL) $(VENV) $(SAM_VENV) $(AWSCLI_VENV) .aws-sam .signalbox out .pytest_cache .mypy_cache .ruff_cache .hypothesis
