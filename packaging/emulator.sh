#!/usr/bin/env bash
# The emulator that the box runs on: Debian 13's own (10.0) changes a processor's pending interrupts
# from two threads at once and can lose some; the one of its backports does not.
#   emulator.sh FOLDER   ->  FOLDER/{qemu-system-x86_64,share}
set -euo pipefail
. "$(dirname "$0")/debs.sh"
debs_begin "$1"
debs_suite trixie-backports
debs_update
debs_unpack qemu-system-x86 qemu-system-data seabios
mkdir share
cp -rL root/usr/share/seabios/. root/usr/share/qemu/. share 2> /dev/null || true # links into packages that are not here
cp root/usr/bin/qemu-system-x86_64 .
./qemu-system-x86_64 --version > version
debs_finish
