# Sourced by the other scripts: where things are, and how they speak.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cache="$root/.cache"
mkdir -p "$cache"

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Runs a command as root: as it is, or through sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        fail "this needs root and there is no sudo; run once as root: $*"
    fi
}

# True when the stamp file $1 exists and holds the text $2.
stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# The SHA-256 of a file, alone.
sha256() { sha256sum "$1" | cut -d' ' -f1; }

# Downloads one hash-pinned wheel for this processor into the folder $2. $1 is its requirements file.
fetch_wheel() {
    local machine; machine="$(uname -m)"
    case "$machine" in x86_64 | aarch64) ;; *) fail "no pinned files for the processor $machine (only x86_64 and aarch64)" ;; esac
    python3 -m pip --version >/dev/null 2>&1 || fail "python3 has no pip; install the package python3-pip"
    local platforms=() tag
    for tag in 2_28 2_27 2_24 2_17; do platforms+=(--platform "manylinux_${tag}_$machine"); done
    # The file lists one hash per processor, so that the same pin serves both.
    PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip download --no-deps --require-hashes --only-binary=:all: \
        --implementation cp --python-version 3.11 --abi cp311 --abi none "${platforms[@]}" --dest "$2" --requirement "$1"
}
