#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""clang-format over all C files of the project: ./dev format [--check]. One thing it cannot be told: a
call has a space before its parenthesis, the mark of a translatable string has none."""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
MARK = re.compile(r'(?<!\w)(N?C?_) \(')


def close_marks(text):
    """Takes the space out of `_ ("…")` and moves what is aligned behind it."""
    lines, marks = [], []  # the columns of the spaces taken out of the lines that this one continues
    for line in text.split('\n'):
        indent = len(line) - len(line.lstrip())
        marks = [column for column in marks if line and indent > column]
        moved = len(marks)
        found = [match.end(1) for match in MARK.finditer(line)]
        lines.append(MARK.sub(r'\1(', line)[moved:])
        marks += found
    return '\n'.join(lines)


def main():
    listed = subprocess.run(['git', '-c', 'safe.directory=*', 'ls-files', '*.c', '*.h'], cwd=TOP, capture_output=True, text=True,
                            check=True).stdout
    wrong = 0
    for name in listed.split():
        path = TOP / name
        if not path.exists():
            continue
        before = path.read_text()
        formatted = subprocess.run(['clang-format', '--assume-filename', name], cwd=TOP, input=before, capture_output=True,
                                   text=True, check=True).stdout
        after = close_marks(formatted)
        if after == before:
            continue
        wrong += 1
        if '--check' in sys.argv:
            print(f'{name} is not formatted: ./dev format')
        else:
            path.write_text(after)
    sys.exit(1 if wrong and '--check' in sys.argv else 0)


if __name__ == '__main__':
    main()
