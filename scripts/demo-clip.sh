#!/usr/bin/env bash
# Puts the demo clip at .cache/clips/vtest.avi: a fixed outdoor camera over a walkway, out of Debian's opencv-doc.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

clip="$cache/clips/vtest.avi"
inside=./usr/share/doc/opencv-doc/examples/data/vtest.avi
wanted=45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf
stamp="$cache/clips/vtest.pin"
if stamped "$stamp" "$wanted" && [ -s "$clip" ]; then exit 0; fi

say "fetching the demo clip (one 8 MB file out of a package of 96 MB)"
mkdir -p "$cache/clips"
work="$(mktemp -d "$cache/clips/fetch.XXXXXX")"
trap 'rm -rf "$work"' EXIT
cd "$work"
# Downloading needs no root, only up-to-date package lists.
if ! apt-get download -o APT::Sandbox::User=root opencv-doc; then
    say "the package lists are missing or old; renewing them"
    as_root apt-get update
    apt-get download -o APT::Sandbox::User=root opencv-doc
fi
dpkg-deb --fsys-tarfile opencv-doc_*.deb | tar -xO "$inside" >vtest.avi
found="$(sha256 vtest.avi)"
[ "$found" = "$wanted" ] || fail "the demo clip is not the expected file (SHA-256 $found, expected $wanted)"
mv vtest.avi "$clip"
printf '%s\n' "$wanted" >"$stamp"
say "the demo clip is at ${clip#"$root"/}"
