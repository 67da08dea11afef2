#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the box: one guest by several monitors and back ends, in turn, and prints JSON: rates of one
TCP connection each way, round trips of single bytes, exits and processor time for a MiB, and how often
the monitor's threads wake while the guest idles. All read from outside, the same way for all.

  net.py REPETITIONS CASES.json
"""
import json
import os
import pathlib
import select
import socket
import subprocess
import sys
import time

import boot

IDLE_SECONDS = 5


class Kernel:
    """The processor time of threads of the kernel that work for a monitor (vhost)."""

    @staticmethod
    def seconds():
        total = 0
        for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
            try:
                words = stat.read_text().rsplit(')', 1)
            except OSError:
                continue
            if '(vhost-' in words[0]:
                total += sum(int(word) for word in words[1].split()[11:13])
        return total / os.sysconf('SC_CLK_TCK')


def cpu_seconds(pid):
    tasks = pathlib.Path(f'/proc/{pid}/task').glob('*/schedstat')
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def wake_ups(pid):
    """Of all threads but the vCPU's."""
    total = 0
    for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
        name = (task / 'comm').read_text()
        if name.startswith(('cpu', 'CPU ')):
            continue
        total += sum(int(line.split()[1]) for line in (task / 'status').read_text().splitlines() if 'ctxt' in line)
    return total


class Monitor:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = b''

    def wait_said(self, text):
        while text not in self.said:
            ready, _, _ = select.select([self.process.stdout], [], [], 300)
            part = os.read(self.process.stdout.fileno(), 65536) if ready else b''
            if not part:
                sys.exit(f'the guest did not say {text}: {self.said[-3000:].decode(errors="replace")}')
            self.said += part

    def end(self):
        self.process.kill()
        self.process.wait()


def counters(pid):
    return boot.exits(pid), boot.user_exits(), cpu_seconds(pid) + Kernel.seconds()


def measure(listener, pid, verb, count):
    """One connection, from its first byte to its last."""
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = bytearray(1 << 20)
    with connection:
        before, started = counters(pid), time.monotonic()
        left = count << 20
        if verb == 'echo':
            for _ in range(count):
                connection.send(connection.recv(1))
        elif verb == 'send':
            while left > 0 and (n := connection.recv_into(buffer)):
                left -= n
        else:
            while left > 0:
                left -= connection.send(memoryview(buffer)[:min(left, len(buffer))])
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1) # the guest has it all
        seconds = time.monotonic() - started
    exits, user_exits, cpu = (after - first for after, first in zip(counters(pid), before))
    return {f'{verb} rate': count / seconds, f'{verb} exits': exits / count, f'{verb} user exits': user_exits / count,
            f'{verb} cpu ms': cpu / count * 1000}


def run(command, address, flows):
    with socket.create_server((address, 7777)) as listener:
        boot.watch_user_exits(True)
        monitor = Monitor(command)
        result = {}
        try:
            for verb, count in flows:
                result.update(measure(listener, monitor.process.pid, verb, count))
            monitor.wait_said(b'IDLE')
            time.sleep(1)
            before = wake_ups(monitor.process.pid)
            time.sleep(IDLE_SECONDS)
            result['idle wake-ups'] = (wake_ups(monitor.process.pid) - before) / IDLE_SECONDS
            return result
        finally:
            monitor.end()
            boot.watch_user_exits(False)


def make_tap():
    for words in ('tuntap add tap0 mode tap', 'addr add 10.2.2.1/24 dev tap0', 'link set tap0 up'):
        subprocess.run(['ip', *words.split()], check=True)


def main():
    repetitions, plan = int(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
    results = {name: [] for name in plan['cases']}
    make_tap()
    for _ in range(repetitions):
        for name, (address, command) in plan['cases'].items():
            results[name].append(run(command, address, plan['flows']))
            print(name, results[name][-1], file=sys.stderr, flush=True)
    print(json.dumps(results))


if __name__ == '__main__':
    main()
