# Two commands: `make demo` and `make test`. Each sets up .venv when needed; a second call does not.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow quick gpu export docs clean

demo: .venv/ready
	$(BIN)/unlearn-nb demo

test: .venv/ready
	$(BIN)/python tools/check.py

test-slow: .venv/ready         # the heavy variations as well
	$(BIN)/python tools/check.py --flags=slow

quick: .venv/ready             # while writing: in sync, ruff, and the notebooks that run in seconds
	$(BIN)/python tools/check.py --quick

gpu: .venv/ready               # every grid that deserves a GPU; resumes where it stopped
	for g in grids/*_full.toml; do $(BIN)/unlearn-nb bench $$g --out results/$$(basename $$g .toml) && $(BIN)/unlearn-nb report results/$$(basename $$g .toml) || exit 1; done

export: .venv/ready            # after editing a notebook: package, README, clean notebooks
	$(BIN)/nbdev_export && $(BIN)/nbdev_clean && $(BIN)/python tools/readme.py

docs: .venv/ready              # the site, into _docs; fails on a warning, a dead link, a dead anchor
	$(BIN)/python tools/docs.py

clean:
	rm -rf .venv build dist _docs _proc *.egg-info unlearn_demo

.venv/ready: requirements-dev.txt settings.ini setup.py pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q uv
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install -q -r requirements-dev.txt
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install -q --no-deps -e .
	touch $@
