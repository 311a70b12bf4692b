#!/usr/bin/env bash
# Installs the Debian 12 packages that are missing. Usage: setup-packages.sh run|test
# `run` is what building and running needs; `test` adds what only tests use.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

run_packages=(
    build-essential pkg-config clang libclang-dev python3 ca-certificates
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
    gstreamer1.0-libav libopencv-dev
)
# A browser with a Chinese font for the console's tests, and the broker and database that Gongshao must also work with.
test_packages=(chromium fonts-noto-cjk mosquitto postgresql-15)

case "${1:-}" in
run) packages=("${run_packages[@]}") ;;
test) packages=("${run_packages[@]}" "${test_packages[@]}") ;;
*) fail "usage: setup-packages.sh run|test" ;;
esac
# Only where Python comes without pip; another Python with pip (pyenv, say) does as well.
python3 -c 'import sys, importlib.util as u; sys.exit(u.find_spec("pip") is None)' 2>/dev/null || packages+=(python3-pip)

command -v dpkg-query >/dev/null || fail "this is not Debian; install the counterparts of: ${packages[*]}"
installed="$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true)"
missing=()
for package in "${packages[@]}"; do
    grep -qx "installed $package" <<<"$installed" || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

say "installing ${#missing[@]} Debian packages: ${missing[*]}"
as_root apt-get update
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
# Both packages start a server by themselves; the tests start their own on free ports.
for service in mosquitto postgresql; do
    if [[ " ${missing[*]} " == *" $service"* ]] && command -v systemctl >/dev/null && [ -d /run/systemd/system ]; then
        as_root systemctl disable --now "$service"
    fi
done
say "Debian packages are installed"
