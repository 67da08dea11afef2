#!/usr/bin/env bash
# Takes README's picture, docs/screenshot.png, in the box, from the release build.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/_build/release
ninja -C "$build" tests/ui/readme-picture tests/box/guest-cd > /dev/null
# shellcheck disable=SC2016
exec python3 tests/box/box.py with -- bash -c '$BOX "VIRTDESK_SCREEN=1300x960 $0 $1 $1/tests/ui/readme-picture \$BOX_WORK/picture.png $1/tests/box/guest-cd" && cp "$BOX_WORK/picture.png" docs/screenshot.png' "$PWD/tests/ui/screen.sh" "$build"
