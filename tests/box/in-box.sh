#!/usr/bin/env bash
# Runs a test program of this folder in the box.
#   in-box.sh BUILD KERNEL_FOLDER PROGRAM.py
set -euo pipefail
here=$(realpath "$(dirname "$0")")
build=$(realpath "$1")
# shellcheck disable=SC2086
exec $BOX "TEST_BUILD=$build VIRTDESK_KERNEL=$2 PYTHONDONTWRITEBYTECODE=1 python3 $here/$3"
