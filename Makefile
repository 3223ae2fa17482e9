# make demo: the main job on the sample corpus, in its own virtual environment. make test: the whole test suite.
# make test-engines: tests/engines on the engines themselves. Needs a C++ compiler, two gigabytes, and five minutes.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INPUTS := pyproject.toml

.PHONY: demo test test-engines lint bench clean

demo: $(VENV)/.demo
	$(BIN)/webscale-rl run sample: --out runs/demo

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2

test-engines: $(VENV)/.engines
	$(BIN)/pytest -rs tests/engines

lint: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)

$(VENV)/.demo: $(INPUTS) | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.test: $(INPUTS) | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/.demo

$(VENV)/.engines: $(INPUTS) | $(VENV)/bin/python
	CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF" \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,engines]'
	@touch $@ $(VENV)/.test $(VENV)/.demo

clean:
	rm -rf $(VENV) runs/demo build dist
