# Every target sets up what it needs. PYTHON names the interpreter (3.11 or newer) that .venv is made with.
PYTHON ?= python3
BIN := .venv/bin
# One more than processors: tests of sandboxes mostly wait.
WORKERS := $(shell $(PYTHON) -c 'import os; print(min(os.cpu_count() + 1, 8))')
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE  # every process that the tests start would compile all it imports anew

.PHONY: help demo dev check test test-vllm test-all wheel docs clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/core: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -U 'pip>=25.1'
	$(BIN)/python -m pip install -q -e .
	@touch $@

.venv/dev: .venv/core
	$(BIN)/python -m pip install -q --group dev
	@touch $@

.venv/all: .venv/dev
	$(BIN)/python -m pip install -q -e '.[boost]' --group suite
	@touch $@

demo: .venv/core  ## run the main job on examples/titanic.csv
	$(BIN)/autoglm run "Predict which passengers survived, optimise AUC, take at most a minute" --data examples/titanic.csv --yes

dev: .venv/dev  ## a working environment in .venv

check: .venv/dev  ## what CI checks, the fastest first
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/lint-imports && $(BIN)/mypy

test: .venv/dev  ## the fast tests
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

test-vllm: .venv/dev  ## the tests of a served GLM: a tiny one of random weights, by a vLLM for processors in an environment of its own
	PYTHON=$(PYTHON) .ci/vllm-env
	$(BIN)/python -m pytest -q -m vllm

test-all: .venv/all  ## all tests that need no GPU, with coverage; those of Docker and of a served GLM where they are ready, always if CI is set
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -q -n auto --dist worksteal -m "not gpu and not vllm and not docker"
	if [ -n "$$CI" ]; then .ci/docker-engine; fi
	$(BIN)/coverage run -m pytest -q -m docker; status=$$?; if [ -n "$$CI" ]; then .ci/docker-engine stop; fi; exit $$status
	if [ -n "$$CI" ]; then PYTHON=$(PYTHON) .ci/vllm-env; fi
	$(BIN)/coverage run -m pytest -q -m vllm
	$(BIN)/coverage combine -q && $(BIN)/coverage report && $(BIN)/python .ci/security-coverage

wheel: .venv/dev  ## build the wheel, then run the fast tests against it with the sources out of reach
	bash .ci/test-wheel

docs: .venv/dev  ## draw the pictures and schemas in docs/ again from the code
	$(BIN)/python docs/draw.py

clean:  ## forget the environment and everything built
	rm -rf .venv .venv-vllm .venv-wheel build dist *.egg-info src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
