#!/usr/bin/env bash
# Puts Debian's qemu-guest-agent into a folder, with the libraries that it loads, without installing
# anything: installed, it would answer whoever runs the machine that the tests are developed on. The
# tests add the files to the initrd of a guest. Needs no rights; apt's lists and cache are private to
# the folder.
#   guest-agent.sh FOLDER   ->  FOLDER/{qemu-ga,*.so.*}
set -euo pipefail
folder=$1
[ ! -e "$folder/complete" ] || exit 0
rm -rf "$folder.part"
mkdir -p "$folder.part"/{lists/partial,cache/archives/partial,deb}
cd "$folder.part"
apt=(-q -o "Dir::State::Lists=$PWD/lists" -o "Dir::Cache=$PWD/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=1)
apt-get "${apt[@]}" update > apt.log 2>&1 || { cat apt.log >&2; exit 1; }
packages=$(apt-cache "${apt[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
  --no-replaces --no-enhances qemu-guest-agent | grep -E '^(qemu-guest-agent|lib)')
# shellcheck disable=SC2086
(cd deb && apt-get "${apt[@]}" download $packages >> ../apt.log 2>&1) || { cat apt.log >&2; exit 1; }
for deb in deb/*.deb; do dpkg-deb -x "$deb" root; done
cp root/usr/sbin/qemu-ga .
libraries=root/usr/lib/x86_64-linux-gnu
for file in $(LD_LIBRARY_PATH=$libraries "$libraries/ld-linux-x86-64.so.2" --list ./qemu-ga |
  sed -n "s|.* => \\($libraries/[^ ]*\\) .*|\\1|p" | sort -u); do
  cp -L "$file" .
done
rm -rf root deb lists cache
touch complete
rm -rf "$folder"
mv "$PWD" "$folder"
