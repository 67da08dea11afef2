#!/usr/bin/env bash
# Configures (once) and builds one flavour of VirtDesk into _build/FLAVOUR.
set -euo pipefail
cd "$(dirname "$0")/.."
flavour=$1
options=("-Dkernel=$VIRTDESK_KERNEL")
case $flavour in
debug) ;;
release) options+=(--buildtype=release -Db_lto=true) ;;
asan) options+=(-Db_sanitize=address,undefined -Dsample=false) ;;
tsan) options+=(-Db_sanitize=thread -Dsample=false) ;;
fuzz)
  options+=(-Dfuzz=true -Dsample=false -Db_sanitize=address,undefined)
  export CC=clang
  ;;
*) echo "build: there is no flavour $flavour" >&2; exit 2 ;;
esac
folder=_build/$flavour
mkdir -p _build
[ -e "$folder/build.ninja" ] || { rm -rf "$folder"; meson setup "$folder" "${options[@]}" > "_build/$flavour.log" 2>&1 || { cat "_build/$flavour.log"; exit 1; }; }
ninja -C "$folder" > "_build/$flavour.log" 2>&1 || { grep -vE '^\[|^ninja: Entering' "_build/$flavour.log"; exit 1; }
