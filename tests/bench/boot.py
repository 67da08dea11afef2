#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the box: boots one kernel by several monitors, interleaved, and prints JSON: for each run
the seconds from exec to the guest's init, KVM's exits, those to user space, and the resident memory
of every mapping but the guest's. All read from outside, the same way for all.

  boot.py REPETITIONS CASES.json
"""
import json
import pathlib
import re
import subprocess
import sys
import time

TRACING = pathlib.Path('/sys/kernel/tracing')
EVENT = TRACING / 'events/kvm/kvm_userspace_exit'
DEBUG = pathlib.Path('/sys/kernel/debug/kvm')
MARK = b'VIRTDESK-INIT'


def watch_user_exits(on):
    """A histogram in the kernel counts returns of KVM_RUN; it costs no wake-up of ours."""
    if not EVENT.exists():
        subprocess.run(['mount', '-t', 'tracefs', 'tracefs', TRACING], check=False)
    (EVENT / 'trigger').write_text('hist:keys=reason' if on else '!hist:keys=reason')


def user_exits():
    return sum(int(n) for n in re.findall(r'hitcount:\s+(\d+)', (EVENT / 'hist').read_text()))


def exits(pid):
    folders = [folder for folder in DEBUG.iterdir() if folder.name.startswith(f'{pid}-')]
    return sum(int((folder / 'exits').read_text()) for folder in folders)


def own_memory(pid):
    """KiB resident in mappings that are not the guest's memory (a memfd of its size, both sides)."""
    total, guest = 0, False
    for line in pathlib.Path(f'/proc/{pid}/smaps').read_text().splitlines():
        if re.match(r'[0-9a-f]+-[0-9a-f]+ ', line):
            first, last = (int(word, 16) for word in line.split()[0].split('-'))
            guest = 'memfd:' in line and last - first >= 64 << 20
        elif line.startswith('Rss:') and not guest:
            total += int(line.split()[1])
    return total


def run(command):
    watch_user_exits(True)
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        said = b''
        while MARK not in said:
            byte = process.stdout.read1(4096)
            if not byte:
                sys.exit(f'{command[0]} ended before the init: {process.stderr.read().decode()[-2000:]} {said[-2000:]!r}')
            said += byte
        seconds = time.monotonic() - start
        return {'seconds': seconds, 'exits': exits(process.pid), 'user exits': user_exits(),
                'memory KiB': own_memory(process.pid)}
    finally:
        process.kill()
        process.wait()
        watch_user_exits(False)


def main():
    repetitions, cases = int(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
    results = {name: [] for name in cases}
    for _ in range(repetitions):
        for name, command in cases.items():
            results[name].append(run(command))
            print(name, results[name][-1], file=sys.stderr, flush=True)
    print(json.dumps(results))


if __name__ == '__main__':
    main()
