#!/usr/bin/env bash
# Under screen.sh: starts PROGRAM, makes the sample machine by key strokes, waits for its first
# screen, and leaves pictures of the way there in FOLDER.
#   try-sample.sh PROGRAM FOLDER
set -euo pipefail
program=$1 folder=$2
limit=$((SECONDS + ${VIRTDESK_LIMIT:-900})) # ends a run that hangs; decides nothing

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
# shellcheck disable=SC2317
settled() {
  import -window root png:- | sha256sum > "$folder/.now"
  cmp -s "$folder/.now" "$folder/.before" || { mv "$folder/.now" "$folder/.before"; return 1; }
}

shows() { import -window root "$folder/.screen.png" && "$(dirname "$0")/shows.sh" "$folder/.screen.png" "$@"; }

# The lower half of the console's window, where the guest's shell greets.
greets() {
  local WINDOW X Y WIDTH HEIGHT
  eval "$(xdotool search --onlyvisible --name '^Sample$' getwindowgeometry --shell | head -n 5)"
  [ -n "${HEIGHT:-}" ] && shows VirtDesk "${WIDTH}x$((HEIGHT / 2))+$X+$((Y + HEIGHT / 2))"
}

until_true xdotool search --onlyvisible --name '^VirtDesk$' > /dev/null
until_true settled
picture 1-empty
xdotool key alt+t
until_true shows Memory
until_true settled
picture 2-review
xdotool key alt+c
until_true greets
picture 3-console
xdotool search --onlyvisible --name '^VirtDesk$' windowactivate --sync
until_true settled
picture 4-library
xdotool key ctrl+q
until_true shows 'Turn Off'
picture 5-quit
xdotool key alt+t
wait $virtdesk
if find "$XDG_DATA_HOME" -name running | grep .; then
  echo 'The machine was turned off, but the next start would call it lost.' >&2
  exit 1
fi
rm -f "$folder"/.[!.]*
