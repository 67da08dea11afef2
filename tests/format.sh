#!/usr/bin/env bash
# clang-format over all C files of the project.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i)
[ "${1:-}" != --check ] || mode=(--dry-run --Werror)
git -c safe.directory='*' ls-files '*.c' '*.h' | xargs -r clang-format "${mode[@]}"
