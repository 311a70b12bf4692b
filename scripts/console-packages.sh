#!/usr/bin/env bash
# Installs the console's npm packages by its lock file.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

stamp="$root/console/node_modules/.installed-lock"
wanted="$(sha256 "$root/console/package-lock.json")"
if stamped "$stamp" "$wanted"; then exit 0; fi

command -v npm >/dev/null || fail "npm is missing: install Node.js 20 or newer"
major="$(node --version | sed 's/^v\([0-9]*\).*/\1/')"
[ "$major" -ge 20 ] || fail "Node.js $(node --version) is too old: install Node.js 20 or newer"
say "installing the console's npm packages"
(cd "$root/console" && npm ci --no-audit --no-fund)
printf '%s\n' "$wanted" >"$stamp"
say "the console's npm packages are installed"
