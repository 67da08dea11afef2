#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ELF file inside a bzImage: unpack-kernel.py BZIMAGE OUTPUT. (Boot protocol 2.08: payload_offset and
payload_length.)"""
import pathlib
import subprocess
import sys

MAGICS = {b'\xfd7zXZ\0': ['xz', '-dc'], b'\x28\xb5\x2f\xfd': ['zstd', '-dc'], b'\x1f\x8b': ['gzip', '-dc']}


def main():
    image = pathlib.Path(sys.argv[1]).read_bytes()
    setup = ((image[0x1f1] or 4) + 1) * 512
    offset, length = (int.from_bytes(image[at:at + 4], 'little') for at in (0x248, 0x24c))
    payload = image[setup + offset:setup + offset + length]
    command = next(command for magic, command in MAGICS.items() if payload.startswith(magic))
    # the last four bytes of the payload are its unpacked size, not part of the stream
    result = subprocess.run(command, input=payload, capture_output=True)
    if not result.stdout.startswith(b'\x7fELF'):
        sys.exit(f'unpack-kernel: {result.stderr.decode()}')
    pathlib.Path(sys.argv[2]).write_bytes(result.stdout)


if __name__ == '__main__':
    main()
