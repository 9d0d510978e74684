# `make demo` shows the system, `make test` proves it, `make check` judges it without running it;
# `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL: # cargo uses every core by itself
MAKEFLAGS += --no-print-directory

# Arguments for what is run:  make test ARGS='-p onenet-kernel'
ARGS ?=
# How long a target is fuzzed, in seconds:  make fuzz F=3600
F    ?= 60
# How long, and with what seed:  make torture T=8h SEED=42
T    ?= 30m
SEED ?=

BIN   := $(or $(CARGO_TARGET_DIR),target)/debug
BUF   := target/venv/bin/buf
STEP  := scripts/step
# on CI the lock file is the truth; elsewhere cargo may complete it
LOCK  := $(if $(CI),--locked)
BASELINE := proto/baseline.binpb
# where scripts/setup puts Kafka's jars
export ONENET_KAFKA_LIB := $(CURDIR)/target/kafka/lib

.PHONY: help setup setup-check build demo check test bench torture fuzz \
        fmt lint doc proto-lint proto-breaking bans proto-baseline bench-peers \
        bench-guard bench-guard-accept clean

help: ## this list
	@echo 'make demo and make test are the commands to know. All of them:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what building and running need (asks sudo only for missing packages)
	@scripts/setup

setup-check: ## the same, and what check and test need beside it
	@scripts/setup check

build: setup ## build everything
	@$(STEP) 'build' cargo build $(LOCK) --workspace

demo: ## one fact, from a command to the blacklist and to an agency, on real servers (EMBEDDED=1: without Kafka)
	@scripts/setup $(if $(EMBEDDED),embedded,demo)
	@$(STEP) 'build' cargo build $(LOCK) -p onenet
	@scripts/leaves-nothing $(BIN)/onenet demo $(if $(EMBEDDED),--embedded)

check: setup-check fmt proto-lint proto-breaking bans lint doc ## everything that can be judged without running it
	@echo; echo 'check: all good'

fmt: ## is the code formatted? (cargo fmt mends it)
	@$(STEP) 'format' cargo fmt --all --check

lint: ## clippy over every target, warnings are errors
	@$(STEP) 'clippy' cargo clippy $(LOCK) --workspace --all-targets -- -D warnings

doc: ## the crates' documentation, warnings are errors
	@RUSTDOCFLAGS='-D warnings' $(STEP) 'documentation' cargo doc $(LOCK) --workspace --no-deps

$(BUF):
	@scripts/setup check

proto-lint: $(BUF) ## are the contracts well formed? (rules and exceptions: buf.yaml)
	@$(STEP) 'contracts: lint' $(BUF) lint

proto-breaking: $(BUF) ## do the contracts still keep what was promised? (against proto/baseline.binpb)
ifneq ($(wildcard $(BASELINE)),)
	@$(STEP) 'contracts: breaking' $(BUF) breaking --against $(BASELINE)
else
	@echo; echo 'contracts: nothing is promised yet, $(BASELINE) does not exist'
endif

bans: ## banned crates, licences, sources (where cargo-deny is installed; the architecture test guards the bans too)
	@if command -v cargo-deny >/dev/null; then \
	  $(STEP) 'banned crates' cargo-deny --offline check bans licenses sources; \
	else \
	  echo; echo 'banned crates: cargo-deny is not installed, the architecture test of make test guards them'; \
	fi

# --all-targets resolves features as cargo test does, so nothing is compiled twice, and the
# executables that tests start are there.
test: setup-check ## every test, on one private PostgreSQL and one private Kafka
	@$(STEP) 'build for tests' cargo build $(LOCK) --workspace --all-targets
	@$(STEP) 'tests' scripts/leaves-nothing $(BIN)/onenet-devservers run -- cargo test $(LOCK) $(or $(ARGS),--workspace)

torture: setup ## break a node of its own while it is used, and compare what was promised with what is seen (T=30m, SEED=42)
	@$(STEP) 'build' cargo build $(LOCK) -p onenet
	@scripts/leaves-nothing $(BIN)/onenet torture --for $(T) $(if $(SEED),--seed $(SEED))

# cargo-fuzz asks for what only a nightly compiler permits; the variable lets ours. What it finds is for a test
# of its own, so new inputs go to a folder that nobody commits.
FUZZ := target/tools/bin/cargo-fuzz
$(FUZZ):
	@$(STEP) 'cargo-fuzz' cargo install cargo-fuzz --version 0.13.2 --locked --root target/tools

fuzz: setup $(FUZZ) ## feed readers with what nobody meant to write, a minute each (F=3600; fuzz/)
	@for target in $$(ls fuzz/corpus); do \
	  mkdir -p target/fuzz-found/$$target; \
	  RUSTC_BOOTSTRAP=1 $(STEP) "fuzz $$target" $(FUZZ) run --sanitizer none $$target \
	    target/fuzz-found/$$target fuzz/corpus/$$target -- -max_total_time=$(F) -timeout=10 -rss_limit_mb=2048; \
	done

bench: setup ## measure a release build beside limits and peers (ARGS='append tail'; quiet machine, ten minutes)
	@$(STEP) 'build for measuring' cargo build $(LOCK) --release -p onenet
	@scripts/leaves-nothing $(or $(CARGO_TARGET_DIR),target)/release/onenet bench $(ARGS)

proto-baseline: $(BUF) ## record today's contracts as promised: at a release, reviewed, never to silence a check
	@$(BUF) build --exclude-source-info -o $(BASELINE)
	@echo 'written: $(BASELINE)'

bench-peers: ## install the event stores that the benchmarks compare with (bench/peers/README.md)
	@$(STEP) 'peers of the benchmarks' bench/peers/setup

# with onenet, so that nothing is compiled a second time with other features
GUARD = bench/guard --needs && \
	cargo build $(LOCK) --release -p onenet -p onenet-bench --example guard && \
	cargo build $(LOCK) -p onenet-devservers && \
	$(BIN)/onenet-devservers run -- bench/guard $(or $(CARGO_TARGET_DIR),target)/release/examples/guard

bench-guard: setup ## has a hot path more than a tenth more instructions than bench/guard.txt says? (needs valgrind)
	@$(GUARD)

bench-guard-accept: setup ## count them anew and take what is counted, reviewed like code
	@$(GUARD) --accept

clean: ## remove everything that was built or fetched
	@cargo clean --quiet
	@rm -rf target
