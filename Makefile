# Two commands to know: `make demo` lets you hear it, `make test` checks it. `make help` lists the rest.
# Python 3.11 or later and make are all they need; what they make is ignored by git.

VENV := .venv
BIN := $(VENV)/bin
MELODY ?= examples/old-hundredth.mid# what `make demo` harmonises
DATA ?=# where `make train` finds its music
CONFIG ?= chorale# what `make train` trains: chorale, or paper
N ?= 10000# how many files `make fuzz` mutates
WORKERS ?= auto# how many processes share the tests; auto is one for each core
PYTHON ?=# the Python to use; unless given, the first that will do

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# pip builds this package in a room of its own, to which -c does not reach. Its older versions read the first of
# these for that, its newer ones the second.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
INSTALL := $(BIN)/python -m pip install -q -c constraints.txt

.PHONY: help demo test fuzz check page page-check screenshots format train clean
.DEFAULT_GOAL := help

help:
	@echo "make demo     harmonise a melody (MELODY=$(MELODY)) into the folder demo"
	@echo "make test     everything that CI checks: make check, then the tests"
	@echo "make check    style and types alone"
	@echo "make fuzz     read $(N) mutated MIDI files, and as many scores (N=$(N))"
	@echo "make format   put the code's layout right"
	@echo "make page     the layout, types and tests of the studio's modules, where there is Node.js"
	@echo "make screenshots  the pictures in docs/studio, from a real browser"
	@echo "make train    train a model: make train DATA=folder-of-music CONFIG=$(CONFIG)"
	@echo "make clean    remove everything that these made, but not trained models (folder runs)"

demo: $(VENV)/installed
	@mkdir -p demo
	@name=$$(basename "$(MELODY)" .mid); \
	$(BIN)/ripieno harmonize "$(MELODY)" -o "demo/$$name.mid" -o "demo/$$name.png" -o "demo/$$name.svg" && \
	echo && \
	echo "Your melody with three voices under it:   demo/$$name.mid   (any music player or notation program)" && \
	echo "The same to look at:                      demo/$$name.png   demo/$$name.svg" && \
	echo "With a melody of yours:                   $(BIN)/ripieno harmonize yours.mid -o four-parts.mid"

test: check page
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

fuzz: $(VENV)/develops
	$(BIN)/python -m tests.fuzzing --n $(N)

# The studio's modules in the browser's language. People who use Ripieno need no Node.js; CI must have one.
define with_node
@if command -v npm >/dev/null; then \
	{ test node_modules/.package-lock.json -nt package-lock.json || npm ci --silent; } && $(1); \
elif [ -n "$$CI" ]; then \
	echo "Node.js is missing: the studio's modules were left alone" >&2; exit 1; \
else \
	echo "No Node.js here: the studio's modules are left alone"; \
fi
endef
MODULES := src/ripieno/studio/static/*.js src/ripieno/studio/static/*.css tests/studio/js/*.js

page: page-check
	$(call with_node,node --test --test-reporter=spec tests/studio/js/*.test.js)

page-check:
	$(call with_node,npx prettier --check --log-level=warn $(MODULES) && npx tsc)

screenshots: $(VENV)/develops
	$(BIN)/python -m tests.studio.page.screenshots

check: $(VENV)/develops page-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/develops
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(call with_node,npx prettier --write --log-level=warn $(MODULES))

train: $(VENV)/trains
	@test -n "$(DATA)" || { echo "Say what to learn from: make train DATA=folder-of-music" >&2; exit 2; }
	@mkdir -p runs
	$(BIN)/ripieno data "$(DATA)" -o runs/corpus.npz
	$(BIN)/ripieno train runs/corpus.npz --config $(CONFIG) -o runs/$(CONFIG)

clean:
	rm -rf $(VENV) node_modules build demo dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -prune -exec rm -rf {} +

# The empty files below say what the virtual environment already holds, so that a second run is quick.

$(VENV)/made:
	@for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
		if $$python -c "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))" >/dev/null 2>&1; then \
			echo "Making $(VENV) with $$($$python --version)"; \
			$$python -m venv --clear $(VENV) && touch $@; exit; \
		fi; \
	done; \
	echo "Ripieno needs Python 3.11 or later, with venv (on Debian and Ubuntu: python3-venv); none was found." >&2; \
	echo "If it lies elsewhere, say where: make PYTHON=..." >&2; exit 1

$(VENV)/installed: $(VENV)/made pyproject.toml constraints.txt
	@echo "Installing Ripieno (a minute, the first time)"
	@$(INSTALL) -e .
	@touch $@

$(VENV)/trains: $(VENV)/made pyproject.toml constraints.txt
	@echo "Installing Ripieno and what training needs (some minutes, the first time)"
	@$(INSTALL) -e ".[train]"
	@touch $@ $(VENV)/installed

$(VENV)/develops: $(VENV)/made pyproject.toml constraints.txt
	@echo "Installing Ripieno and the development tools (some minutes, the first time)"
	@$(INSTALL) -e ".[dev]"
	@touch $@ $(VENV)/installed $(VENV)/trains
