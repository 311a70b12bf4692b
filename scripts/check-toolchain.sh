#!/usr/bin/env bash
# Checks the tools that no script here installs.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v cargo >/dev/null || fail "cargo is missing: install Rust $(sed -n 's/^channel = "\(.*\)"/\1/p' "$root/rust-toolchain.toml") (rustup reads rust-toolchain.toml)"
command -v node >/dev/null || fail "node is missing: install Node.js 20 or newer"
