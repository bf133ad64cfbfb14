# All there is to run. Everything a target needs is installed or built first, by
# .make/setup.sh, which names what it can't install.

SHELL := /bin/bash
# Debian's cargo, which builds the guests, must not stand before rustup's.
export PATH := $(HOME)/.cargo/bin:$(PATH)
export RUSTUP_AUTO_INSTALL := 0
TARGET := $(or $(CARGO_TARGET_DIR),target)
CONSOLE_SOURCES := $(shell find console/src console/public console/index.html console/package-lock.json console/vite.config.ts -type f 2>/dev/null)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | awk -F ':.*## ' '{ printf "%-10s%s\n", $$1, $$2 }'

.PHONY: setup setup-run setup-test
setup: setup-test ## install all that the other targets need
setup-run:
	@.make/setup.sh run
setup-test:
	@.make/setup.sh test

console/dist/index.html: $(CONSOLE_SOURCES) | setup-run
	cd console && npm run --silent build

.PHONY: console
console: console/dist/index.html ## build the web console

# All crates at once, tests too, so that every target uses the same build.
.PHONY: build
build: setup-run console/dist/index.html ## build everything
	cargo build --locked --workspace --all-targets

.PHONY: run
run: build ## serve http://127.0.0.1:8080/admin/whatsapp-pairing
	PAIRING_MODE=$${PAIRING_MODE:-development} $(TARGET)/debug/pairing-host serve

.PHONY: demo
demo: build ## the whole flow without WhatsApp: host, stand-in and a page that plays the phone
	@.make/demo.sh

.PHONY: test
test: setup-test build ## everything: units, Postgres, real Chromium, the console
	cd console && npm test --silent
	@if command -v cargo-nextest >/dev/null; then \
		cargo nextest run --locked --workspace --all-targets; \
	else \
		cargo test --locked --workspace --all-targets -- --test-threads 2; \
	fi

.PHONY: check
check: setup-test console/dist/index.html ## format, lints, licences, who uses whom
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	PATH="$(PATH):target/tools/bin" cargo-deny --locked --config .deny.toml check licenses bans sources
	python3 .make/dependencies.py
	python3 .make/failpoints.py
	.make/tree.sh
	cd console && npm run --silent check

.PHONY: audit
audit: setup-test ## look for known vulnerabilities (needs github.com, which `make check` does not)
	PATH="$(PATH):target/tools/bin" cargo-deny --locked --config .deny.toml check advisories

# Each line is one subject, with its numbers; hours in all.
.PHONY: soak
soak: SOAK = cargo test --locked -p pairing-tests --test integration --
soak: setup-test build ## faults for hours: kills, outages, every failpoint, two hours of load
	DELIVERY_EVENTS=1000000 DELIVERY_KILL_SECONDS=20 $(SOAK) killing_the_host_among_deliveries --nocapture --test-threads 1
	HOST_KILLS=200 $(SOAK) endurance::host_under_kills --nocapture --test-threads 1
	PAIRING_KILLS=20 $(SOAK) chromium_killed_while_pairing --nocapture --test-threads 1
	FAILPOINT_SAMPLE=1000 $(SOAK) failpoints:: --nocapture --test-threads 1
	OUTAGE_SECONDS=30 $(SOAK) endurance::database_away --nocapture --test-threads 1
	$(SOAK) endurance::disk_full endurance::clock_steps --nocapture --test-threads 1
	BOOT_SESSIONS=200 BOOT_BURN_MS=2000 $(SOAK) endurance::boot_of_many --nocapture --test-threads 1
	CYCLES=950 CHROMIUM_CYCLES=50 $(SOAK) endurance::starts_and_stops --nocapture --test-threads 1
	SENTINEL_KILLS=500 BROWSER_CYCLES=1000 PROFILE_KILLS=50 cargo test --locked -p pairing-sentinel --test processes -- \
		--nocapture --test-threads 1
	SOAK_SECONDS=7200 $(SOAK) endurance::soak --nocapture --test-threads 1

.PHONY: bench
bench: setup-test build ## print the figures that are aimed at, and what is reached
	$(TARGET)/debug/bench

.PHONY: plugins
plugins: setup-run ## build the components into target/plugins
	cargo run --locked -q -p plugin-build -- target/plugins

.PHONY: generate
generate: build ## write console/openapi.json and the console's types from it
	$(TARGET)/debug/pairing-host openapi > console/openapi.json
	cd console && npm run --silent generate

.PHONY: clean
clean: ## remove what was built
	cargo clean
	rm -rf console/dist
