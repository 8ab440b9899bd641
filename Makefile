# Everything runs from .venv. `make demo` and `make test` need only Python 3.11 and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup demo test test-full lint format clean

setup: $(STAMP)

# mmagic declares dependencies that it does not need for what is used here, and that break it: docs/install.md.
# mmcv brings opencv-python, which wants a display's libraries: the headless build is laid over it.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps mmagic
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps --force-reinstall opencv-python-headless
	touch $@

demo: setup
	$(BIN)/python tools/demo.py

test: setup
	$(BIN)/python -m pytest -n 2

# Also what is marked as taking long: every config, the wheel.
test-full: setup
	$(BIN)/python -m pytest -n 2 -m "full or not full"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv work_dirs build *.egg-info
