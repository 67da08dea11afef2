# The place VirtDesk is built in: the host itself where its GTK is new enough, otherwise a Debian
# 13 root tree in the user's cache, entered with bubblewrap as the user's own uid. Sourced by dev.
# shellcheck shell=bash

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/virtdesk-dev
TREE=$CACHE/trixie
PACKAGES_FILE=$TOP/packaging/debian-packages
EXPECTED_PACKAGES=1050 # about what the tree ends up with: for the progress line only

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'dev: %s\n' "$*" >&2; exit 1; }

packages() { sed 's/#.*//' "$PACKAGES_FILE" | tr -s ' \n' '\n' | grep .; }
packages_hash() { packages | sort | sha256sum | cut -c1-16; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"
  else die "this needs root for: $* (install sudo or run ./dev as root)"; fi
}

# host, tree or none: where VirtDesk can be built on this system.
place() {
  local id='' version='' like=''
  # shellcheck disable=SC1091
  . /etc/os-release 2>/dev/null && id=${ID:-} version=${VERSION_ID:-} like=${ID_LIKE:-}
  if [ "$id" = debian ]; then
    # testing and unstable have no VERSION_ID
    if [ -z "$version" ] || [ "${version%%.*}" -ge 13 ]; then echo host; else echo tree; fi
  elif command -v pkg-config >/dev/null && pkg-config --exists 'gtk4 >= 4.18' 'libadwaita-1 >= 1.7'; then
    echo other # somebody else's package names: see README
  elif command -v apt-get >/dev/null; then echo tree
  else echo none; fi
}

# Runs CMD with a line of progress and the log kept; shows the log's end when it fails.
watched() {
  local title=$1 log=$2 measure=$3 started=$SECONDS pid shown=-30
  shift 3
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    local t=$((SECONDS - started))
    if [ -t 2 ]; then printf '\r\033[K%s %s (%d:%02d)' "$title" "$($measure)" $((t / 60)) $((t % 60)) >&2
    elif [ $((t - shown)) -ge 30 ]; then shown=$t; echo "$title $($measure) ($t s)" >&2; fi
    sleep 1
  done
  [ -t 2 ] && printf '\r\033[K' >&2
  wait "$pid" || { tail -n 20 "$log" >&2; return 1; }
}
no_measure() { :; }

install_host() {
  local missing
  missing=$(comm -23 <(packages | sort) \
    <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null | awk '$1 == "ii" { print $2 }' | sort))
  [ -n "$missing" ] || return 0
  say "Installing $(echo "$missing" | wc -l) packages that VirtDesk is built and tested with"
  as_root apt-get update -q >/dev/null || die 'apt-get update failed: is there a network?'
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2 ||
    die 'apt-get could not install the packages above.'
}

tree_measure() {
  local n
  n=$(find "$TREE.part/var/lib/dpkg/info" -name '*.list' 2>/dev/null | wc -l)
  echo "$((n * 100 / EXPECTED_PACKAGES > 99 ? 99 : n * 100 / EXPECTED_PACKAGES)) %"
}

# A tree is whole when its stamp names today's package list and its tools start.
tree_ok() {
  [ "$(cat "$TREE.stamp" 2>/dev/null)" = "$(packages_hash)" ] && [ -d "$TREE/usr" ] &&
    in_tree sh -c 'meson --version && gcc --version && pkg-config --exists gtk4 libadwaita-1' >/dev/null 2>&1
}

# Never follows a mount: a half-made tree may still have one.
tree_remove() { [ ! -e "$1" ] || as_root unshare -m --propagation private rm -rf --one-file-system "$1"; }

tree_make() {
  local missing='' tool
  for tool in mmdebstrap bwrap unshare; do
    command -v $tool >/dev/null || missing="$missing ${tool/bwrap/bubblewrap}"
  done
  missing=${missing/unshare/util-linux}
  if [ -n "$missing" ] || [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
    say 'Installing mmdebstrap and bubblewrap'
    as_root apt-get update -q >/dev/null || die 'apt-get update failed: is there a network?'
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      debian-archive-keyring $missing >/dev/null || die "apt-get could not install:$missing"
  fi
  mkdir -p "$CACHE"
  rm -f "$TREE.stamp"
  tree_remove "$TREE.part"
  [ "$(df -Pk "$CACHE" | awk 'NR == 2 { print $4 }')" -gt 4000000 ] ||
    die "there is too little room in $CACHE: the Debian 13 tree needs 4 GB."
  say "GTK is too old here: making a Debian 13 tree in $TREE (once, a few minutes)"
  watched 'Making the Debian 13 tree' "$CACHE/log/tree.log" tree_measure \
    as_root unshare -m --propagation private mmdebstrap --mode=root --variant=important --components=main \
    --include="$(packages | paste -sd,)" --skip=check/empty trixie "$TREE.part" ||
    die "the Debian 13 tree could not be made; the whole log is $CACHE/log/tree.log"
  tree_remove "$TREE"
  as_root touch "$TREE.part"/etc/{hosts,resolv.conf,machine-id} # mount points
  as_root mv "$TREE.part" "$TREE"
  packages_hash > "$TREE.stamp"
  tree_ok || die "the Debian 13 tree does not work; the log is $CACHE/log/tree.log"
}

# A changed package list is installed into the tree that is there.
tree_update() {
  [ -s "$TREE.stamp" ] && [ -d "$TREE/usr" ] || return 1
  [ "$(cat "$TREE.stamp")" != "$(packages_hash)" ] || return 1
  watched 'Bringing the Debian 13 tree up to date' "$CACHE/log/tree.log" no_measure \
    as_root bwrap --dev-bind "$TREE" / --dev /dev --proc /proc --tmpfs /tmp --tmpfs /run \
    --ro-bind-try /etc/resolv.conf /etc/resolv.conf --setenv DEBIAN_FRONTEND noninteractive --cap-add ALL \
    sh -c 'apt-get -q -o APT::Sandbox::User=root update && apt-get -q -y -o APT::Sandbox::User=root --no-install-recommends install "$@"' sh $(packages) || return 1
  packages_hash > "$TREE.stamp"
}

# The tree's folders on a new /, with the person's own files, display, buses, sound and devices in
# their places. A new / because a user may not make the mount points in the tree, which is root's.
in_tree() {
  local args=(--dev-bind /dev /dev --bind /proc /proc --bind /sys /sys --bind /tmp /tmp --tmpfs /run) f
  for f in "$TREE"/*; do
    case ${f##*/} in
    dev | proc | sys | tmp | run | home | root | mnt | media | srv | boot) ;;
    *) if [ -L "$f" ]; then args+=(--symlink "$(readlink "$f")" "/${f##*/}"); else args+=(--bind "$f" "/${f##*/}"); fi ;;
    esac
  done
  for f in /run/user /run/dbus /run/udev /run/systemd /run/libvirt "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"; do
    args+=(--bind-try "$f" "$f")
  done
  for f in resolv.conf hosts machine-id; do
    [ ! -e "/etc/$f" ] || [ ! -e "$TREE/etc/$f" ] || args+=(--ro-bind "$(realpath "/etc/$f")" "/etc/$f")
  done
  if [ "$(id -u)" != 0 ]; then
    { cat "$TREE/etc/passwd"; getent passwd "$(id -u)"; } > "$CACHE/passwd"
    { cat "$TREE/etc/group"; getent group | grep -E "^(kvm|render|video|$(id -gn)):"; } > "$CACHE/group"
    args+=(--ro-bind "$CACHE/passwd" /etc/passwd --ro-bind "$CACHE/group" /etc/group)
  fi
  for f in "$HOME" "$CACHE" "$TOP" "$PWD"; do args+=(--bind "$f" "$f"); done
  bwrap "${args[@]}" --chdir "$PWD" --setenv VIRTDESK_DEV_INSIDE 1 -- "$@"
}

# Runs CMD where VirtDesk is built.
inside() {
  case $PLACE in
  tree) in_tree "$@" ;;
  *) VIRTDESK_DEV_INSIDE=1 "$@" ;;
  esac
}

prepare() {
  PLACE=$(place)
  if [ -n "${VIRTDESK_DEV_INSIDE:-}" ]; then PLACE=host; return; fi
  case $PLACE in
  host) install_host ;;
  tree) tree_ok || { tree_update && tree_ok; } || tree_make ;;
  other) ;;
  none) die 'VirtDesk needs GTK 4.18 and libadwaita 1.7. Install the packages that README.md names and try again.' ;;
  esac
}
