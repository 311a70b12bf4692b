#!/usr/bin/env bash
# Prints the scores of every committed model and fails when one scores below its card. Arguments go to
# models/training/evaluate.py. The pictures are not in the repository: see models/training/README.md.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$root"
data="${DATA:-../shared/data}"
if [ ! -d "$data" ]; then
    say "the pictures to score on are not in $data, and they are not part of the repository."
    say "Name the folder that holds the sets (helmet/dev.json, helmet/images, ...): make eval DATA=/path/to/data"
    exit 2
fi
python="$(command -v python3.12 || command -v python3.11 || true)"
if [ -z "$python" ]; then
    say "make eval needs Python 3.11 or 3.12: apt-get install python3.11 python3.11-venv"
    exit 2
fi
pin="$root/models/training/requirements-eval.txt"
venv="$cache/eval-venv"
wanted="$(sha256 "$pin")"
if ! stamped "$venv/pin" "$wanted"; then
    say "fetching ONNX Runtime, OpenCV and NumPy for Python (about 80 MB)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$pin"
    printf '%s\n' "$wanted" >"$venv/pin"
fi
exec "$venv/bin/python" -m models.training.evaluate --check --data "$data" "$@"
