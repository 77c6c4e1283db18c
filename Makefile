# Thin on purpose: each target sets up (nothing to do after the first time) and calls labsim.
# Options go through ARGS: make demo ARGS="--seed 7"; make test ARGS="-k dpop"

BOOT = $(or $(PYTHON),python3)
RUN = .venv/bin/python -m labsim

# Where this is set, nothing is kept compiled and every start is slower.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help python setup ready demo test lab bench lint types doctor clean
.DEFAULT_GOAL := help

help: ## list what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

setup: python ## make .venv/ with everything the lab needs
	@$(BOOT) -m labsim setup $(ARGS)

python:
	@command -v $(BOOT) >/dev/null 2>&1 || { echo "No $(BOOT) here: install Python 3.13, or name one: make PYTHON=/path/to/python3.13" >&2; exit 1; }

ready: python
	@$(BOOT) -m labsim setup --quiet

demo: ready ## the main job: every theft, binding and replay; writes out/
	@$(RUN) demo $(ARGS)

test: ready ## the tests that can run here
	@$(RUN) test $(ARGS)

lab: ready ## open the notebooks in JupyterLab
	@$(RUN) lab $(ARGS)

bench: ready ## measure, and write the figures down
	@$(RUN) bench $(ARGS)

lint: ready ## ruff, import rules, stripped notebooks, sizes
	@$(RUN) lint $(ARGS)

types: ready ## mypy, strict
	@$(RUN) types $(ARGS)

doctor: python ## say what is here and what is missing
	@$(BOOT) -m labsim doctor $(ARGS)

clean: ## remove what set-up and runs have made
	rm -rf .venv setup.log out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find labsim tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
