#!/usr/bin/env bash
# Runs a test program in the box.
#   in-box.sh BUILD KERNEL_FOLDER [NAME=VALUE...] PROGRAM
set -euo pipefail
build=$(realpath "$1") kernel=$2
shift 2
# shellcheck disable=SC2086
exec $BOX "TEST_BUILD=$build VIRTDESK_KERNEL=$kernel PYTHONDONTWRITEBYTECODE=1 $*"
