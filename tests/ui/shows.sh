#!/usr/bin/env bash
# Whether a picture shows a word: enlarged, grey, dark on light and light on dark, read by tesseract.
#   shows.sh PICTURE WORD
set -euo pipefail
for way in '' -negate; do
  # shellcheck disable=SC2086
  convert "$1" -colorspace Gray $way -resize 200% png:- | tesseract - - --psm 11 2> /dev/null | grep -qi -- "$2" && exit 0
done
exit 1
