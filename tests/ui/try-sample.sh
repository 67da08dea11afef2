#!/usr/bin/env bash
# Under screen.sh: starts PROGRAM, makes the sample machine by key strokes, waits for its first
# screen, and leaves pictures of the way there in FOLDER.
#   try-sample.sh PROGRAM FOLDER
set -euo pipefail
program=$1 folder=$2
limit=$((SECONDS + 900)) # ends a run that hangs; decides nothing

"$program" &
virtdesk=$!
trap 'kill $virtdesk 2>/dev/null || :; wait $virtdesk 2>/dev/null || :' EXIT

picture() { import -window root "$folder/$1.png"; }

until_true() {
  until "$@"; do
    kill -0 $virtdesk 2>/dev/null || { echo 'VirtDesk ended.' >&2; exit 1; }
    [ $SECONDS -lt $limit ] || { picture stuck; echo "This did not come: $*" >&2; exit 1; }
    sleep 0.3
  done
}

# Two pictures in a row are the same: nothing moves any more.
settled() {
  import -window root png:- | sha256sum > "$folder/.now"
  cmp -s "$folder/.now" "$folder/.before" || { mv "$folder/.now" "$folder/.before"; return 1; }
}

shows() { import -window root "$folder/.screen.png" && "$(dirname "$0")/shows.sh" "$folder/.screen.png" "$1"; }

until_true xdotool search --onlyvisible --name '^VirtDesk$' > /dev/null
until_true settled
picture 1-empty
xdotool key alt+t
until_true shows Memory
until_true settled
picture 2-review
xdotool key alt+c
until_true shows "${VIRTDESK_FIRST_SCREEN:-Welcome}"
picture 3-console
rm -f "$folder"/.[!.]*
