# make demo: the main job on the sample corpus, in its own virtual environment. make test: the whole test suite.
# make test-engines: tests/engines on the engines themselves. Needs a C++ compiler, two gigabytes, and five minutes.
# make test-trainers: the reward's hooks and the exports on the trainers themselves, each in a virtual environment of
# its own. Ten gigabytes and a quarter of an hour; TRAINERS=skyrl names those that are wanted.
# make test-training: trainings, evaluations and the experiment on models made there; torch, TRL and lm-eval, and some
# ten minutes. A CPU wheel of torch in pip's find-links will do.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INPUTS := pyproject.toml

# NeMo RL and open-instruct are on no index: with a checkout in PYTHONPATH, run their file in tests/reward/hooks.
TRAINERS ?= trl verl openrlhf skyrl verifiers nemo_gym
trl_NEEDS := trl==1.16.* torch==2.13.*
verl_NEEDS := verl==0.9.* torch==2.13.*
openrlhf_NEEDS := aiohttp torch==2.13.* datasets transformers==5.15.* pylatexenc sympy
# Its dependencies are a GPU's, and so are SkyRL's; what calls a reward and what loads a data set needs none of them.
openrlhf_ALONE := openrlhf==0.11.*
openrlhf_PYTHON ?= python3.12
skyrl_NEEDS := skyrl-gym==0.4.* torch==2.13.* aiohttp datasets loguru omegaconf ray transformers
skyrl_ALONE := skyrl==0.3.*
skyrl_PYTHON ?= python3.12
verifiers_NEEDS := verifiers==0.4.*
nemo_gym_NEEDS := nemo-gym==0.4.* aiohttp
nemo_gym_PYTHON ?= python3.12

.PHONY: demo test test-engines test-trainers test-training lint bench clean
.PRECIOUS: .venv-trainers/%/.done

demo: $(VENV)/.demo
	$(BIN)/webscale-rl run sample: --out runs/demo

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 3  # compiled once, not by each process; a test in three waits

test-engines: $(VENV)/.engines
	$(BIN)/pytest -rs tests/engines

test-trainers: $(TRAINERS:%=test-trainer-%)

test-trainer-%: .venv-trainers/%/.done
	.venv-trainers/$*/bin/python -m pytest -rs -p no:cacheprovider \
		tests/reward/hooks/test_$*.py tests/dataset/contracts/test_load_$*.py

test-training: .venv-training/.done
	OMP_NUM_THREADS=1 .venv-training/bin/python -m pytest -rs -p no:cacheprovider \
		$(wildcard tests/training tests/evaluation tests/experiment)

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

.venv-trainers/%/.done: $(INPUTS)
	$(or $($*_PYTHON),$(PYTHON)) -m venv .venv-trainers/$*
	.venv-trainers/$*/bin/python -m pip install --quiet --disable-pip-version-check -e . $($*_NEEDS) \
		pytest pytest-asyncio pytest-timeout
	$(if $($*_ALONE),.venv-trainers/$*/bin/python -m pip install --quiet --no-deps $($*_ALONE))
	rm -rf .venv-trainers/$*/lib/python*/site-packages/tests  # some bring their own, which would hide ours
	@touch $@

# verl without what it needs: its configuration is read, and nothing of it runs.
.venv-training/.done: $(INPUTS)
	$(PYTHON) -m venv .venv-training
	.venv-training/bin/python -m pip install --quiet --disable-pip-version-check -e '.[train,eval,test]'
	.venv-training/bin/python -m pip install --quiet --disable-pip-version-check --no-deps $(firstword $(verl_NEEDS))
	rm -rf .venv-training/lib/python*/site-packages/tests  # some bring their own, which would hide ours
	@touch $@

clean:
	rm -rf $(VENV) .venv-trainers .venv-training runs/demo build dist
