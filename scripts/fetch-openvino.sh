#!/usr/bin/env bash
# Puts Intel's OpenVINO plug-in beside ONNX Runtime, out of a hash-pinned wheel: faster on Intel processors that
# multiply brain floats (AVX-512 BF16, AMX). Optional: nothing else asks for it, and it is found at start when it is there.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$(uname -m)" = x86_64 ] || fail "the OpenVINO plug-in is for x86_64 only"
pin="$root/scripts/openvino.txt"
folder="$cache/onnxruntime/plugins/openvino"
stamp="$folder/pin"
wanted="$(sha256 "$pin")"
if stamped "$stamp" "$wanted"; then exit 0; fi

say "fetching the OpenVINO plug-in (about 53 MB)"
mkdir -p "$cache/onnxruntime"
work="$(mktemp -d "$cache/onnxruntime/fetch.XXXXXX")"
trap 'rm -rf "$work"' EXIT
fetch_wheel "$pin" "$work"
mkdir "$work/plugin"
python3 - "$work"/*.whl "$work/plugin" <<'PY'
import pathlib, shutil, sys, zipfile

wheel, target = sys.argv[1:]
# The parts for graphics cards and neural accelerators, and what models in other formats need, stay out.
left_out = ("gpu_plugin", "npu_plugin", "auto_batch", "hetero", "cache.json", "__init__")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        path = pathlib.PurePosixPath(name)
        unwanted = any(part in path.name for part in left_out) or path.name.endswith((".so.1", ".so.1.8.1"))
        if path.parts[0] != "onnxruntime_ep_openvino" or unwanted or not path.name:
            continue
        with archive.open(name) as source, open(pathlib.Path(target, path.name), "wb") as out:
            shutil.copyfileobj(source, out)
PY
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
mv "$work/plugin" "$folder"
printf '%s\n' "$wanted" >"$stamp"
say "the OpenVINO plug-in is at ${folder#"$root"/}"
