#!/usr/bin/env bash
# Whether a picture, or a part of it, shows a word: enlarged, grey, dark on light and light on dark,
# read by tesseract.
#   shows.sh PICTURE WORD [WIDTHxHEIGHT+X+Y]
set -euo pipefail
part=()
[ -z "${3:-}" ] || part=(-crop "$3" +repage)
for way in -auto-level -negate; do
  convert "$1" "${part[@]}" -colorspace Gray $way -resize 300% png:- |
    tesseract - - --psm 11 2> /dev/null | grep -qi -- "$2" && exit 0
done
exit 1
