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
RUST_SOURCES := $(shell find src python/src -name '*.rs') Cargo.toml python/Cargo.toml Cargo.lock .cargo/config.toml

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

$(TOOLS)/deny:
	@mkdir -p $(TOOLS)
	cargo deny --version >/dev/null 2>&1 || cargo install --locked --root $(TOOLS) cargo-deny
	@touch $@

$(VENV)/.built: $(RUST_SOURCES) $(LIBCLANG_PATH)/libclang.so
	PIP_QUIET=1 $(PROGRESS) $(BIN)/maturin develop $(RELEASE) --quiet
	@touch $@

.PHONY: build
build: $(VENV)/.built ## Build the Python package into .venv

.PHONY: wheel
wheel: $(LIBCLANG_PATH)/libclang.so ## Build a wheel for this machine, and the sdist, into dist/
	rm -rf dist
	$(BIN)/maturin sdist --out dist
	$(PROGRESS) $(BIN)/maturin build $(RELEASE) --quiet --out dist

# To cargo the same package in another folder is the same build, so it would not compile it, and would
# later take that build for the one of this folder. Forgets our crate alone.
FORGET := cargo clean --quiet $(RELEASE) --package rocksq --package rocksq-python

# Another compiler, so another build of RocksDB.
ZIG_BUILD ?= $(CACHE)/zig

.PHONY: manylinux
manylinux: export CARGO_TARGET_DIR := $(ZIG_BUILD)
manylinux: export PATH := $(abspath $(BIN)):$(PATH)
# For a target of zig's, libclang does not look where this machine has its headers.
manylinux: export BINDGEN_EXTRA_CLANG_ARGS += -I/usr/include -I/usr/include/$(shell gcc -dumpmachine)
manylinux: $(LIBCLANG_PATH)/libclang.so ## Build and test a wheel for every Linux with glibc 2.28
	$(BIN)/pip install --quiet --group manylinux
	rm -rf $(ZIG_BUILD)/dist
	$(PROGRESS) $(BIN)/maturin build $(RELEASE) --zig --compatibility manylinux_2_28 --out $(ZIG_BUILD)/dist
	$(BIN)/auditwheel show $(ZIG_BUILD)/dist/*.whl
	$(BIN)/python scripts/test_wheel.py $(ZIG_BUILD)/dist

.PHONY: package
package: $(LIBCLANG_PATH)/libclang.so ## Make the crate, build it from what is in it and check its tests
	rm -rf $(CARGO_TARGET_DIR)/package
	cargo package --quiet --no-verify --allow-dirty
	tar -xzf $(CARGO_TARGET_DIR)/package/*.crate -C $(CARGO_TARGET_DIR)/package
	cargo clean --quiet --package rocksq
	$(CHECK) check --quiet --all-targets --manifest-path $(CARGO_TARGET_DIR)/package/rocksq-*/Cargo.toml
	cargo clean --quiet --package rocksq
	$(FORGET)
	$(PROGRESS) cargo build --quiet $(RELEASE) --manifest-path $(CARGO_TARGET_DIR)/package/rocksq-*/Cargo.toml
	$(FORGET)

$(VENV)/.docs-ready: pyproject.toml | $(VENV)/.ready
	$(BIN)/pip install --quiet --group docs
	@touch $@

.PHONY: docs
docs: $(VENV)/.docs-ready ## Build the documentation's site into site/, without warnings
	$(BIN)/python scripts/docs/build.py

.PHONY: demo
demo: build ## Show both queues at work on real files, through a crash
	$(BIN)/python examples/demo/run.py

# ---- testing --------------------------------------------------------------------------------

.PHONY: test
test: test-log test-interleavings test-rust test-docs test-python test-drop-in test-wheel demo ## Run all tests

.PHONY: test-log
test-log: $(TOOLS)/nextest ## Test the log over the store in memory, with debug assertions
	cargo nextest run --no-default-features --lib

# Other flags, so a build of its own.
SHUTTLE := RUSTFLAGS="--cfg shuttle" CARGO_TARGET_DIR="$(CARGO_TARGET_DIR)/interleavings" cargo

.PHONY: test-interleavings
test-interleavings: $(TOOLS)/nextest ## Test threads that meet in the log; ROCKSQ_INTERLEAVINGS=100000 for more orders
	$(SHUTTLE) nextest run --no-default-features --lib -E 'test(/interleavings::/)'

.PHONY: test-rust
test-rust: $(TOOLS)/nextest $(LIBCLANG_PATH)/libclang.so ## Test the crate on RocksDB
	$(PROGRESS) cargo nextest run $(RELEASE) --features stream

.PHONY: test-docs
test-docs: $(LIBCLANG_PATH)/libclang.so ## Run the examples of the crate's documentation
	cargo test $(RELEASE) --features stream --doc --quiet

# Moves the clock of a whole process. Without it the tests that need it are skipped.
.PHONY: libfaketime
libfaketime:
	@find /usr/lib -name libfaketime.so.1 2>/dev/null | grep -q . \
		|| apt-get install --quiet --yes faketime >/dev/null 2>&1 \
		|| echo "libfaketime is not installed: tests of the clock are skipped"

.PHONY: test-python
test-python: build libfaketime .venv-0.3.0/.ready ## Test the Python package
	$(BIN)/pytest

.PHONY: measure
measure: build $(TOOLS)/nextest ## Check how fast and how idle the queues are, on a quiet machine; prints a table
	$(PROGRESS) cargo nextest run $(RELEASE) --no-run
	$(BIN)/python scripts/measure.py $(BIN)/pytest

# The newest Python that rocksq 0.3.0 has wheels for is 3.12.
REFERENCE_PYTHON ?= $(firstword $(shell for python in python3.12 python3.11; do $$python -c "import venv; print('$$python')" 2>/dev/null; done) $(PYTHON))
REFERENCE := .venv-0.3.0

$(REFERENCE)/.ready:
	$(REFERENCE_PYTHON) -m venv $(REFERENCE)
	$(REFERENCE)/bin/pip install --quiet rocksq==0.3.0 pytest mypy
	@touch $@

.PHONY: test-drop-in
test-drop-in: build $(REFERENCE)/.ready ## Compare with rocksq 0.3.0; SEED=random PROGRAMS=5000 for more
	SEED=$(SEED) PROGRAMS=$(PROGRAMS) $(BIN)/pytest tests/differential

# Outside of this tree, so that cargo finds no settings but those in the sdist.
UNPACKED := $(CARGO_TARGET_DIR)/sdist

.PHONY: test-wheel
test-wheel: wheel ## Test the wheel, and one made from the sdist, out of reach of the sources
	$(BIN)/python scripts/test_wheel.py dist
	rm -rf $(UNPACKED) && mkdir -p $(UNPACKED)/wheel
	tar -xzf dist/*.tar.gz -C $(UNPACKED) --strip-components=1
	$(FORGET)
	$(PROGRESS) $(BIN)/pip wheel --quiet --no-deps --wheel-dir $(UNPACKED)/wheel $(UNPACKED)
	$(FORGET)
	$(BIN)/python scripts/test_wheel.py $(UNPACKED)/wheel

# The long runs: a thousand kills, hundreds of power cuts, each system call that can fail, thousands of
# damaged files, an item of a gibibyte (5 GiB of memory), threads in half a million orders.
TORTURE := ROCKSQ_TEST_SEED=$${ROCKSQ_TEST_SEED:-$$(date +%s)} \
	ROCKSQ_KILL_ROUNDS=$${ROCKSQ_KILL_ROUNDS:-150} \
	ROCKSQ_CRASH_ROUNDS=$${ROCKSQ_CRASH_ROUNDS:-60} \
	ROCKSQ_FAULT_STRIDE=$${ROCKSQ_FAULT_STRIDE:-3} \
	ROCKSQ_DAMAGE_CASES=$${ROCKSQ_DAMAGE_CASES:-1000} \
	ROCKSQ_INTERLEAVINGS=$${ROCKSQ_INTERLEAVINGS:-20000}

.PHONY: torture
torture: $(TOOLS)/nextest $(LIBCLANG_PATH)/libclang.so ## Cut the power, kill, let calls fail, damage files, for long; prints seed and figures
	$(PROGRESS) env $(TORTURE) \
		cargo nextest run $(RELEASE) --profile long -E 'test(/^(crash|kill|faults|damage)::/)'
	$(PROGRESS) cargo nextest run $(RELEASE) --profile long --run-ignored only -E 'test(huge::)'
	env $(TORTURE) $(SHUTTLE) nextest run --no-default-features --lib --profile long -E 'test(/interleavings::/)'

# ---- measuring ------------------------------------------------------------------------------

# Prints where the program of a bench is.
BENCH_PROGRAM = cargo bench --no-run --bench $(1) --message-format=json 2>/dev/null \
	| sed -n 's/.*"name":"$(1)".*"executable":"\([^"]*\)".*/\1/p'

.PHONY: bench
bench: $(LIBCLANG_PATH)/libclang.so ## Measure the queues beside the bare RocksDB; BENCH="push" for some
	$(PROGRESS) cargo bench --bench queues -- $(BENCH)

.PHONY: bench-short
bench-short: $(LIBCLANG_PATH)/libclang.so ## The same, rough and in a few minutes
	$(PROGRESS) cargo bench --bench queues -- --quick $(BENCH)

.PHONY: bench-beside
bench-beside: build ## Measure single calls by turns with the bare RocksDB call of the same size, and from Python
	$(PROGRESS) cargo bench --quiet --bench beside
	$(BIN)/python benches/beside/python.py "$$($(call BENCH_PROGRAM,beside))"

.PHONY: bench-check
bench-check: $(LIBCLANG_PATH)/libclang.so ## Count what calls cost and fail if it grew; COUNT="--update" for new figures
	$(PROGRESS) cargo bench --no-run --bench counted
	$(PYTHON) benches/counted/check.py "$$($(call BENCH_PROGRAM,counted))" $(COUNT)

.PHONY: soak
soak: $(LIBCLANG_PATH)/libclang.so ## Judge a steady flow through a queue; SECONDS=3600 RATE=0 SIZE=100 for others
	$(PROGRESS) cargo bench --bench soak

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
lint: lint-rust lint-python lint-licences lint-workflows ## Check format, lints, types, licences and documentation

.PHONY: lint-rust
lint-rust: $(LIBCLANG_PATH)/libclang.so
	cargo fmt --all --check
	$(CHECK) clippy --quiet --workspace --all-features --all-targets -- -D warnings
	$(SHUTTLE) clippy --quiet --no-default-features --tests -- -D warnings
	$(PYTHON) scripts/house.py
	RUSTDOCFLAGS="-D warnings" $(CHECK) doc --quiet --no-deps

.PHONY: lint-python
lint-python: build
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest rocksq --allowlist tests/typing/stubtest.txt
	$(BIN)/python scripts/stubs.py --check
	$(BIN)/pytest --quiet tests/typing

# Known vulnerabilities are looked for by the workflow, since they need the network.
.PHONY: lint-licences
lint-licences: $(TOOLS)/deny
	cargo deny --offline --log-level error check licenses bans sources

.PHONY: lint-workflows
lint-workflows: $(VENV)/.ready
	$(BIN)/zizmor --offline --quiet --pedantic --config .github/zizmor.yml .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml

.PHONY: format
format: $(VENV)/.ready ## Format all code
	cargo fmt --all
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: stubs
stubs: build ## Copy the docstrings of the classes into the stubs
	$(BIN)/python scripts/stubs.py
	$(BIN)/ruff format python

.PHONY: clean
clean: ## Remove the virtual environments; keeps the build of RocksDB
	rm -rf $(VENV) $(REFERENCE)
