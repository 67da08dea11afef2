#!/usr/bin/env bash
# ./dev run: opens VirtDesk from the build folder. Without a display: a virtual one, on which the
# sample machine is made and run by key strokes, as a person would, until its first screen.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/_build/debug
export GSETTINGS_SCHEMA_DIR=$build/data VIRTDESK_DATA_DIR=$build/assets

if [ -n "${WAYLAND_DISPLAY:-}${DISPLAY:-}" ]; then
  [ -n "${DBUS_SESSION_BUS_ADDRESS:-}" ] || exec dbus-run-session -- "$build/ui/virtdesk" "$@"
  exec "$build/ui/virtdesk" "$@"
fi

pictures=$PWD/_build/pictures
rm -rf "$pictures"
mkdir -p "$pictures"
echo 'There is no display here: running the sample machine on a virtual one.' >&2
# shellcheck disable=SC2016
status=0
tests/ui/screen.sh "$build" tests/ui/try-sample.sh "$build/ui/virtdesk" "$pictures" || status=$?
echo "Screenshots:"
ls -1 "$pictures"/*.png
exit "$status"
