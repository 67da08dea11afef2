#!/usr/bin/env bash
# Debian's kernel, its modules and a static busybox: the box, the sample machine and the tests boot
# them.
#   guest-kernel.sh FOLDER   ->  FOLDER/{vmlinuz,modules/VERSION,busybox,config}
set -euo pipefail
. "$(dirname "$0")/debs.sh"
debs_begin "$1"
debs_update
image=$(apt-cache "${apt[@]}" depends linux-image-amd64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
[ -n "$image" ] || { echo "guest-kernel: apt knows no linux-image-amd64" >&2; exit 1; }
debs_unpack "$image" busybox-static
version=${image#linux-image-}
cp root/boot/vmlinuz-* vmlinuz
cp root/boot/config-* config
mkdir modules
mv "$(find root -type d -path "*lib/modules/$version" | head -n 1)" modules/
cp root/usr/bin/busybox busybox
mkdir -p base/lib && ln -s ../../modules base/lib/modules && /sbin/depmod -b base "$version"
rm -rf base
debs_finish
