#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every member of a struct with a table of saved fields stands in that table, saved or exempt.
Bytes alone cannot tell a forgotten member from padding, so this reads the source. TAP."""
import pathlib
import re
import sys

TOP = pathlib.Path(sys.argv[1])
STRUCT = re.compile(r'(?:typedef struct|struct _(\w+)) \{\n(.*?)\n\}(?: (\w+))?;', re.S)
TABLE = re.compile(r'const VmmField (\w+)\[\] = \{\n(.*?)\n\};', re.S)
ENTRY = re.compile(r'VMM_(?:FIELD|FIELD_PART|FIELD_PARTS|FIELD_POINTER|EXEMPT) ?\(\s*(\w+),\s*(\w+)')
PARENT = re.compile(r'VMM_EXEMPT_DEVICE ?\((\w+)\)')


def members(body):
    """The names that a struct's body declares."""
    body = re.sub(r'/\*.*?\*/', '', body, flags=re.S)
    names = []
    for declaration in body.split(';'):
        for part in declaration.strip().split(','):
            found = re.search(r'(\w+)\s*(?:\[[^\]]*\]\s*)*$', part.strip())
            if found:
                names.append(found.group(1))
    return names


def main():
    sources = {path: path.read_text() for path in sorted(TOP.glob('vmm-core/**/*.[ch]'))}
    structs, number, failed = {}, 0, False
    for text in sources.values():
        for name, body, alias in STRUCT.findall(text):
            structs.setdefault(alias or name, []).append((body, text))
    for path, text in sources.items():
        for table, body in TABLE.findall(text):
            if 'struct kvm_' in body:  # of the kernel's header; test-snapshot.c counts their bytes
                continue
            entries = ENTRY.findall(body) + [(name, 'parent') for name in PARENT.findall(body)]
            number += 1
            names = {name for name, _ in entries}
            label = f'{number} - {path.relative_to(TOP)}: {table}'
            if len(names) != 1:
                print(f'not ok {label} # entries of {len(names)} structs')
                failed = True
                continue
            name = names.pop()
            # A private struct of the same name in another file is another one.
            known = [body for body, home in structs.get(name, []) if home == text] or \
                    [body for body, home in structs.get(name, [])]
            if len(known) != 1:
                print(f'not ok {label} # {len(known)} definitions of {name}')
                failed = True
                continue
            declared, listed = members(known[0]), [member for _, member in entries]
            missing = [member for member in declared if listed.count(member) != 1]
            print(f'{"not ok" if missing else "ok"} {label}' + (f' # {name}: {missing}' if missing else ''))
            failed |= bool(missing)
    print(f'1..{number}')
    sys.exit(1 if failed or number < 10 else 0)


main()
