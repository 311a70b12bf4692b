#!/usr/bin/env bash
# Runs all Rust tests and ends with their sum. Arguments go to `cargo test`.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$root"
log="$(mktemp "$cache/test.XXXXXX")"
trap 'rm -f "$log"' EXIT
outcome=0
cargo test "$@" --workspace --no-fail-fast 2>&1 | tee "$log" || outcome=$?
# `cargo test` prints a line for each of its many programs, and the last one is often empty.
awk '/^test result:/ { passed += $4; failed += $6; skipped += $8 }
     END { printf "rust: %d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$log"
exit "$outcome"
