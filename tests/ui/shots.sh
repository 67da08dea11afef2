#!/usr/bin/env bash
# ./dev shots [FOLDER]: every screen, light and dark, wide and narrow, as PNG files.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(realpath -m "${1:-_build/shots}")
rm -rf "$folder"
mkdir -p "$folder"
build=$PWD/_build/debug
VIRTDESK_SCREEN=1280x900 tests/ui/screen.sh "$build" "$build/tests/ui/shots" "$folder"
ls -1 "$folder"
