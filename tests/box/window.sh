#!/usr/bin/env bash
# The whole application in the box: see use-window.py. The pictures are kept in the build folder.
#   window.sh BUILD
set -euo pipefail
here=$(realpath "$(dirname "$0")")
build=$(realpath "$1")
status=0
# shellcheck disable=SC2086
$BOX "VIRTDESK_SCREEN=1280x800 $here/../ui/screen.sh $build $here/use-window.py $build/ui/virtdesk $BOX_WORK/window" || status=$?
rm -rf "$build/window-pictures"
[ ! -d "$BOX_WORK/window" ] || cp -r "$BOX_WORK/window" "$build/window-pictures"
exit $status
