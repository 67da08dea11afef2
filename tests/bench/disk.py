#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the box: one guest's requests to its disk by several monitors and formats, in turn, and prints
JSON: for each flow the rate by the guest's clock, exits and processor time for a request. The guest waits
before each flow until the counters were read. All read from outside, the same way for all.

  disk.py REPETITIONS PLAN.json
"""
import json
import os
import pathlib
import re
import select
import subprocess
import sys
import tempfile

import boot

SIZE = 256 << 20


class Guest:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = b''

    def wait_said(self, pattern):
        """What comes after it is left for the next one."""
        while not (found := re.search(pattern, self.said)):
            ready, _, _ = select.select([self.process.stdout], [], [], 300)
            part = os.read(self.process.stdout.fileno(), 65536) if ready else b''
            if not part:
                sys.exit(f'the guest did not say {pattern}: {self.said[-3000:].decode(errors="replace")}')
            self.said += part
        self.said = self.said[found.end():]
        return found

    def go_on(self):
        self.process.stdin.write(b'\n')
        self.process.stdin.flush()

    def end(self):
        self.process.kill()
        self.process.wait()


def cpu_seconds(pid):
    tasks = pathlib.Path(f'/proc/{pid}/task').glob('*/schedstat')
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def counters(pid):
    return boot.exits(pid), boot.user_exits(), cpu_seconds(pid)


def measure(guest, flow):
    guest.wait_said(rb'READY\s')
    before = counters(guest.process.pid)
    guest.go_on()
    seconds = float(guest.wait_said(rb'DRILLED (\d+\.\d+)\s')[1])
    exits, user_exits, cpu = (after - first for after, first in zip(counters(guest.process.pid), before))
    count = flow['count']
    return {'rate': count / seconds, 'exits': exits / count, 'user exits': user_exits / count, 'cpu us': cpu / count * 1e6}


def run(command, flows):
    boot.watch_user_exits(True)
    guest = Guest(command)
    try:
        return {flow['name']: measure(guest, flow) for flow in flows}
    finally:
        guest.end()
        boot.watch_user_exits(False)


def make_images(folder):
    """The same bytes in both; every cluster of the qcow2 exists."""
    raw, qcow2 = folder / 'disk.raw', folder / 'disk.qcow2'
    with open('/dev/urandom', 'rb') as source, open(raw, 'wb') as out:
        for _ in range(SIZE >> 20):
            out.write(source.read(1 << 20))
    subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2], check=True)
    return {'raw': str(raw), 'qcow2': str(qcow2)}


def main():
    repetitions, plan = int(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
    results = {name: [] for name in plan['cases']}
    with tempfile.TemporaryDirectory() as folder:
        images = make_images(pathlib.Path(folder))
        for _ in range(repetitions):
            for name, (kind, command) in plan['cases'].items():
                results[name].append(run([word.replace('DISK', images[kind]) for word in command], plan['flows']))
                print(name, results[name][-1], file=sys.stderr, flush=True)
    print(json.dumps(results))


if __name__ == '__main__':
    main()
