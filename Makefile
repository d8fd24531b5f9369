# Every chore is one command, and CI runs the same ones. `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
# What a fresh clone finds again: the build of RocksDB, libclang for its bindings, cargo's tools.
CACHE ?= $(HOME)/.cache/rocksq
export CARGO_TARGET_DIR ?= $(CACHE)/build
# Both are part of what cargo rebuilds RocksDB for: the same in every clone.
export LIBCLANG_PATH ?= $(CACHE)/libclang/clang/native
export BINDGEN_EXTRA_CLANG_ARGS ?= -I$(shell gcc -print-file-name=include)

BIN := $(VENV)/bin
TOOLS := $(CACHE)/tools
export PATH := $(TOOLS)/bin:$(PATH)
PROGRESS := $(BIN)/python scripts/with_progress.py
# One profile for everything, so that RocksDB is compiled once on a machine.
RELEASE := --release
# Checks need the bindings of RocksDB, not its code: seconds instead of minutes.
CHECK := DOCS_RS=1 cargo
RUST_SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock .cargo/config.toml

.PHONY: help
help: ## List the chores
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# ---- building -------------------------------------------------------------------------------

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --group dev
	@touch $@

$(LIBCLANG_PATH)/libclang.so: | $(VENV)/.ready
	$(BIN)/pip install --quiet --no-deps --target $(CACHE)/libclang libclang==18.1.1

$(TOOLS)/nextest:
	@mkdir -p $(TOOLS)
	cargo nextest --version >/dev/null 2>&1 || cargo install --locked --root $(TOOLS) cargo-nextest
	@touch $@

$(VENV)/.built: $(RUST_SOURCES) $(LIBCLANG_PATH)/libclang.so
	$(PROGRESS) $(BIN)/maturin develop $(RELEASE) --quiet
	@touch $@

.PHONY: build
build: $(VENV)/.built ## Build the Python package into .venv

.PHONY: demo
demo: build ## Show both queues at work on real files, through a crash
	$(BIN)/python examples/demo/run.py

# ---- testing --------------------------------------------------------------------------------

.PHONY: test
test: test-log test-rust test-docs test-python demo ## Run all tests

.PHONY: test-log
test-log: $(TOOLS)/nextest ## Test the log over the store in memory, with debug assertions
	cargo nextest run --no-default-features --lib

.PHONY: test-rust
test-rust: $(TOOLS)/nextest $(LIBCLANG_PATH)/libclang.so ## Test the crate on RocksDB
	$(PROGRESS) cargo nextest run $(RELEASE)

.PHONY: test-docs
test-docs: $(LIBCLANG_PATH)/libclang.so ## Run the examples of the crate's documentation
	cargo test $(RELEASE) --doc --quiet

.PHONY: test-python
test-python: build ## Test the Python package
	$(BIN)/pytest

# ---- measuring ------------------------------------------------------------------------------

COMPARE := .compare
COMPARE_WITH ?=

$(COMPARE)/.ready: benches/compare/requirements.txt
	$(PYTHON) -m venv $(COMPARE)/rivals
	$(COMPARE)/rivals/bin/pip install --quiet -r benches/compare/requirements.txt
	$(PYTHON) -m venv $(COMPARE)/reference
	$(COMPARE)/reference/bin/pip install --quiet rocksq==0.3.0
	@touch $@

.PHONY: compare
compare: build $(COMPARE)/.ready ## Measure rocksq against its rivals, into benches/results
	$(COMPARE)/rivals/bin/python benches/compare/run.py --ours $(CURDIR)/$(BIN)/python \
		--reference $(CURDIR)/$(COMPARE)/reference/bin/python --disk $(COMPARE) $(COMPARE_WITH)

# ---- checking -------------------------------------------------------------------------------

.PHONY: lint
lint: lint-rust lint-python ## Check format, lints, types and documentation

.PHONY: lint-rust
lint-rust: $(LIBCLANG_PATH)/libclang.so
	cargo fmt --check
	$(CHECK) clippy --quiet --all-features --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CHECK) doc --quiet --no-deps

.PHONY: lint-python
lint-python: build
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest rocksq

.PHONY: format
format: $(VENV)/.ready ## Format all code
	cargo fmt
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: clean
clean: ## Remove the virtual environment; keeps the build of RocksDB
	rm -rf $(VENV)
