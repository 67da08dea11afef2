#!/usr/bin/env bash
# Puts the emulator that the box runs on into a folder, without installing anything: Debian 13's own
# (10.0) changes a processor's pending interrupts from two threads at once and loses some, so that a
# guest now and then sleeps for minutes; the one of its backports does not. Needs no rights; apt's
# lists and cache are private to the folder.
#   emulator.sh FOLDER   ->  FOLDER/{qemu-system-x86_64,share}
set -euo pipefail
folder=$1
[ ! -e "$folder/complete" ] || exit 0
rm -rf "$folder.part"
mkdir -p "$folder.part"/{lists/partial,cache/archives/partial,parts,deb}
cd "$folder.part"
mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2> /dev/null || true; } |
  grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 || true)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} trixie-backports main" > sources.list
apt=(-q -o "Dir::State::Lists=$PWD/lists" -o "Dir::Cache=$PWD/cache" -o "Dir::Etc::SourceList=$PWD/sources.list"
  -o "Dir::Etc::SourceParts=$PWD/parts" -o APT::Sandbox::User=root -o Debug::NoLocking=1)
apt-get "${apt[@]}" update > apt.log 2>&1 || { cat apt.log >&2; exit 1; }
(cd deb && apt-get "${apt[@]}" download qemu-system-x86 qemu-system-data seabios >> ../apt.log 2>&1) || { cat apt.log >&2; exit 1; }
for deb in deb/*.deb; do dpkg-deb -x "$deb" root; done
mkdir share
cp -rL root/usr/share/seabios/. root/usr/share/qemu/. share 2> /dev/null || true # links into packages that are not here
cp root/usr/bin/qemu-system-x86_64 .
./qemu-system-x86_64 --version > version
rm -rf root deb lists cache parts
touch complete
rm -rf "$folder"
mv "$PWD" "$folder"
