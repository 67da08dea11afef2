#!/usr/bin/env bash
# The whole application in the box, used by PROGRAM (use-window.py, use-disc.py). The pictures are kept
# in the build folder.
#   window.sh BUILD PROGRAM [WORD...]
set -euo pipefail
here=$(realpath "$(dirname "$0")")
build=$(realpath "$1") program=$2
shift 2
name=$(basename "$program" .py)
status=0
# shellcheck disable=SC2086
$BOX "VIRTDESK_SCREEN=1280x800 PYTHONDONTWRITEBYTECODE=1 $here/../ui/screen.sh $build $program $build/ui/virtdesk $BOX_WORK/$name $*" || status=$?
rm -rf "$build/pictures-$name"
[ ! -d "$BOX_WORK/$name" ] || cp -r "$BOX_WORK/$name" "$build/pictures-$name"
exit $status
