#!/usr/bin/env bash
# Debian's qemu-guest-agent with the libraries that it loads, which the tests add to the initrd of a
# guest. Installed, it would answer whoever runs the machine that the tests are developed on.
#   guest-agent.sh FOLDER   ->  FOLDER/{qemu-ga,*.so.*}
set -euo pipefail
. "$(dirname "$0")/debs.sh"
debs_begin "$1"
debs_update
packages=$(apt-cache "${apt[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
  --no-replaces --no-enhances qemu-guest-agent | grep -E '^(qemu-guest-agent|lib)')
# shellcheck disable=SC2086
debs_unpack $packages
cp root/usr/sbin/qemu-ga .
libraries=root/usr/lib/x86_64-linux-gnu
for file in $(LD_LIBRARY_PATH=$libraries "$libraries/ld-linux-x86-64.so.2" --list ./qemu-ga |
  sed -n "s|.* => \\($libraries/[^ ]*\\) .*|\\1|p" | sort -u); do
  cp -L "$file" .
done
debs_finish
