#!/usr/bin/env bash
# A desktop of its own for a test or a picture: a virtual screen with a window manager, a session
# bus, and homes that nobody else has. Gives the command's exit status.
#   screen.sh BUILD_FOLDER CMD...      ($VIRTDESK_SCREEN: its size, 1280x800 unless told)
set -euo pipefail
build=$(realpath "$1")
shift
folder=$(mktemp -d)
mkfifo "$folder/number"
# No key repeats by itself: on a loaded machine a release may come late.
Xvfb -displayfd 3 -ardelay 1000000 -screen 0 "${VIRTDESK_SCREEN:-1280x800}x24" -nolisten tcp 3> "$folder/number" 2> "$folder/xvfb.log" &
xvfb=$!
wm=
# shellcheck disable=SC2317
finish() {
  [ -z "$wm" ] || kill "$wm" 2>/dev/null || :
  kill "$xvfb" 2>/dev/null || :
  wait "$xvfb" "$wm" 2>/dev/null || :
  rm -rf "$folder"
}
trap finish EXIT
read -r number < "$folder/number" || { cat "$folder/xvfb.log" >&2; exit 1; }
mkdir -m 700 "$folder"/{data,config,cache,run}
mkdir -p "$folder/config/gtk-4.0"
printf '[Settings]\ngtk-font-name=Cantarell 11\n' > "$folder/config/gtk-4.0/settings.ini"
export DISPLAY=:$number GDK_BACKEND=x11 GSK_RENDERER=cairo GTK_A11Y=${GTK_A11Y:-none} NO_AT_BRIDGE=1 LC_ALL=C.UTF-8
export XDG_DATA_HOME=$folder/data XDG_CONFIG_HOME=$folder/config XDG_CACHE_HOME=$folder/cache XDG_RUNTIME_DIR=$folder/run
export GSETTINGS_BACKEND=memory GSETTINGS_SCHEMA_DIR=$build/data VIRTDESK_DATA_DIR=$build/assets
export GTK_CSD=1 GIO_USE_VFS=local
# Whole stacks, so that tests/lsan.supp knows the libraries' own caches.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}fast_unwind_on_malloc=0
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS
openbox --sm-disable > "$folder/wm.log" 2>&1 &
wm=$!
dbus-run-session -- "$@"
