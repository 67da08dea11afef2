#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Under screen.sh: starts programs in turn; prints JSON: the seconds until the window of each is on
the screen, the processor time that it took until then, and its private memory once it has come to rest.

  window.py REPETITIONS PROGRAM...
"""
import json
import pathlib
import re
import subprocess
import sys
import time


def window_of(pid):
    found = subprocess.run(['xdotool', 'search', '--onlyvisible', '--pid', str(pid)], capture_output=True, text=True)
    return found.stdout.split()


def cpu_seconds(pid):
    """Of all its threads: not what other work on the machine took."""
    tasks = pathlib.Path(f'/proc/{pid}/task').glob('*/schedstat')
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def private_memory(pid):
    text = pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text()
    return sum(int(n) for n in re.findall(r'^Private_(?:Clean|Dirty):\s+(\d+)', text, re.MULTILINE))


def run(program):
    start = time.monotonic()
    process = subprocess.Popen([program])
    try:
        while not window_of(process.pid):
            if process.poll() is not None:
                sys.exit(f'{program} ended')
            time.sleep(0.005)
        seconds, cpu = time.monotonic() - start, cpu_seconds(process.pid)
        time.sleep(2)
        return {'seconds': seconds, 'cpu seconds': cpu, 'memory KiB': private_memory(process.pid)}
    finally:
        process.kill()
        process.wait()


def main():
    programs = [pathlib.Path(word) for word in sys.argv[2:]]
    results = {program.name: [] for program in programs}
    for program in programs:
        run(program) # warms the file cache
    for _ in range(int(sys.argv[1])):
        for program in programs:
            results[program.name].append(run(program))
    print(json.dumps(results))


if __name__ == '__main__':
    main()
