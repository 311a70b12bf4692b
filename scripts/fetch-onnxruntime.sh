#!/usr/bin/env bash
# Puts ONNX Runtime's shared library at .cache/onnxruntime/libonnxruntime.so, out of a hash-pinned wheel.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pin="$root/scripts/onnxruntime.txt"
folder="$cache/onnxruntime"
library="$folder/libonnxruntime.so"
stamp="$folder/pin"
wanted="$(sha256 "$pin")"
if stamped "$stamp" "$wanted" && [ -s "$library" ]; then exit 0; fi

say "fetching ONNX Runtime (about 20 MB)"
mkdir -p "$folder"
work="$(mktemp -d "$folder/fetch.XXXXXX")"
trap 'rm -rf "$work"' EXIT
fetch_wheel "$pin" "$work"
python3 - "$work"/*.whl "$work/libonnxruntime.so" <<'PY'
import re, shutil, sys, zipfile

wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = [n for n in archive.namelist() if re.fullmatch(r"onnxruntime/capi/libonnxruntime\.so\.[0-9.]+", n)]
    if len(names) != 1:
        sys.exit(f"setup: expected one libonnxruntime in {wheel}, found {names}")
    with archive.open(names[0]) as source, open(target, "wb") as out:
        shutil.copyfileobj(source, out)
PY
mv "$work/libonnxruntime.so" "$library"
printf '%s\n' "$wanted" >"$stamp"
say "ONNX Runtime is at ${library#"$root"/}"
