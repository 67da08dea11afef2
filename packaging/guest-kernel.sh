#!/usr/bin/env bash
# Puts Debian's kernel, its modules and a static busybox into a folder, by Debian's own download
# and unpack tools and without installing anything: the box, the sample machine and the tests
# boot them. Needs no rights; apt's lists and cache are private to the folder.
#   guest-kernel.sh FOLDER   ->  FOLDER/{vmlinuz,modules/VERSION,busybox,config}
set -euo pipefail
folder=$1
[ ! -e "$folder/complete" ] || exit 0
rm -rf "$folder.part"
mkdir -p "$folder.part"/{lists/partial,cache/archives/partial,deb}
cd "$folder.part"
apt=(-q -o "Dir::State::Lists=$PWD/lists" -o "Dir::Cache=$PWD/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=1)
apt-get "${apt[@]}" update > apt.log 2>&1 || { cat apt.log >&2; exit 1; }
image=$(apt-cache "${apt[@]}" depends linux-image-amd64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
[ -n "$image" ] || { echo "guest-kernel: apt knows no linux-image-amd64" >&2; exit 1; }
(cd deb && apt-get "${apt[@]}" download "$image" busybox-static >> ../apt.log 2>&1) || { cat apt.log >&2; exit 1; }
for deb in deb/*.deb; do dpkg-deb -x "$deb" root; done
version=${image#linux-image-}
cp root/boot/vmlinuz-* vmlinuz
cp root/boot/config-* config
mkdir modules
mv "$(find root -type d -path "*lib/modules/$version" | head -n 1)" modules/
cp root/usr/bin/busybox busybox
mkdir -p base/lib && ln -s ../../modules base/lib/modules && /sbin/depmod -b base "$version"
rm -rf root deb lists cache base
touch complete
rm -rf "$folder"
mv "$PWD" "$folder"
