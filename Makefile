# Every target sets up .venv by itself when it is missing or older than what defines it.
# Needs python3 (3.11 or newer) and make; uses uv instead of pip where it is installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.hlvid-installed
PACKAGES := hlvid autogaze evaluators leaderboard analysis

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types pytest slow setup wheel lowest transformers clean

help:
	@echo "make demo    set up and evaluate generated 4K videos through lmms-eval: table, demo.png, HTML report"
	@echo "make test    set up, then ruff, mypy --strict and the default tests (what CI runs)"
	@echo "make check   the same three without another word; 'make lint', 'make types', 'make pytest' singly"
	@echo "make slow    the tests marked slow"
	@echo "make wheel   build the wheel and run it in an empty environment outside the repository"
	@echo "make lowest  the default tests with the oldest versions allowed (needs uv)"
	@echo "make transformers  NVILA's tests under the oldest transformers allowed and the newest there is"

demo: $(STAMP)
	$(BIN)/hlvid demo --out demo

test: check

check: lint
	@$(MAKE) --no-print-directory -j2 types pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

pytest: $(STAMP)
	$(BIN)/pytest -n 2 --dist loadfile

slow: $(STAMP)
	$(BIN)/pytest -m slow

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "hlvid: $(PYTHON) is older than 3.11; run 'make PYTHON=python3.11 ...'" >&2; exit 1; }
	@echo "Setting up $(VENV): about 7 GB on disk with PyTorch, 2 to 5 minutes the first time."
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]'; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'; \
	fi
	@touch $@

# The built wheel in an empty environment, outside the repository.
wheel:
	rm -rf dist && $(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir dist .
	set -e; room=$$(mktemp -d); trap 'rm -rf "$$room"' EXIT; $(PYTHON) -m venv "$$room/venv"; \
	"$$room/venv/bin/python" -m pip install --quiet -c constraints.txt "$$(echo "$$PWD"/dist/hlvid-*.whl)[reader]"; \
	cd "$$room"; export HLVID_DATA="$$room/data" HLVID_STATE="$$room/state"; \
	venv/bin/hlvid demo --tiny --out demo; \
	HLVID_MINI_PRESET=tiny venv/bin/lmms_eval --tasks hlvid_mini --model blind --output_path out; \
	echo "wheel: demo and lmms_eval ran outside the repository"

# The default tests with the oldest versions that pyproject.toml allows, needs uv; TESTS=… for fewer of them.
lowest:
	.ci/lowest $(TESTS)

# 'make transformers VERSIONS=oldest' for one of the two, TESTS=… for fewer tests.
transformers: $(STAMP)
	TESTS="$(TESTS)" .ci/transformers $(VERSIONS)

clean:
	rm -rf $(VENV) .venv-lowest dist demo .mypy_cache .ruff_cache .pytest_cache
