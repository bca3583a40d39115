# make up     build Bonafide and start a trust domain in ./.bonafide; Ctrl-C stops it
# make test   everything that must pass before a change lands
# make check  the part of it that runs nothing: formatting, lints, dependencies, layers, generated code
# make bench  measure, and write docs/benchmarks.md
# make interop SPIRE_BIN=DIR   the tests against SPIRE's own binaries in DIR, and the samples in DIR/../conf
# make vectors  make testing/vectors again, and print which checks of the standards they cover
# make fuzz MINUTES=n   replay the fuzzers' corpora and the vectors, then run each fuzzer for n minutes

SHELL := /bin/bash
CARGO ?= cargo
LOCKED := $(if $(CI),--locked,)
TARGET := $(or $(CARGO_TARGET_DIR),target)
# How long each fuzzer runs in make test.
FUZZ_SECONDS ?= $(if $(CI),20,5)

# Every step names the whole workspace and uses one profile, so that no crate is built twice with different features.
.PHONY: up test check tools build bench interop vectors fuzz

up:
	$(CARGO) build $(LOCKED) --bin bonafide
	exec $(TARGET)/debug/bonafide up $(UP)

# The summary of the tests stays its last line. The fuzzers' seed is fixed, so that a change is judged by what it changes.
test: check
	FUZZ_SEED=1 scripts/fuzz $(FUZZ_SECONDS)
	scripts/test --workspace $(LOCKED)

check: tools build
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace $(LOCKED) --all-targets --quiet -- --deny warnings
	$(TARGET)/debug/xtask layers
	$(TARGET)/debug/xtask proto --check
	scripts/deny

tools:
	scripts/install-test-tools

build:
	$(CARGO) build --workspace $(LOCKED) --bins --tests

bench:
	$(CARGO) build $(LOCKED) --release --bin bonafide
	$(TARGET)/release/bonafide load bench -write docs/benchmarks.md

interop: build
	@test -x "$(SPIRE_BIN)/spire-server" || { echo "say where SPIRE's binaries are: make interop SPIRE_BIN=DIR" >&2; exit 2; }
	SPIRE_BIN=$(abspath $(SPIRE_BIN)) scripts/test --workspace $(LOCKED) --test interop --test calls --test examples --test commands --test envoy --test certificates

vectors:
	$(CARGO) run $(LOCKED) --quiet --package bonafide-conformance --bin vectors

fuzz: build
	scripts/fuzz $(if $(MINUTES),$$(( $(MINUTES) * 60 )),$(FUZZ_SECONDS))
