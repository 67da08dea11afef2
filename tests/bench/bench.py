#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev bench [NAME] [-n REPETITIONS]: ours and the peers in one run, medians and ratios.

  boot     vmm-run and QEMU on KVM in the box: the same kernel, initrd and command line to init
  desktop  the same with screen, USB, disk and network, started directly, by SeaBIOS and by OVMF
  net      vmm-run and QEMU on KVM in the box, user mode, tap and vhost: rates, exits, processor time
  window   virtdesk and an empty libadwaita program: exec to the window on the screen, CPU time, memory
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import boot_plan
import net_plan

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = TOP / '_build/release'
BOOT_KEYS = ['seconds', 'exits', 'user exits', 'memory KiB']
CACHE = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache') / 'virtdesk-dev'
KERNEL = pathlib.Path(os.environ.get('VIRTDESK_KERNEL') or CACHE / 'kernel')


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def print_table(results, keys, peer):
    print('| | ' + ' | '.join(keys) + f' | time / {peer} |')
    print('|---|' + '---:|' * (len(keys) + 1))
    base = median(results[peer], keys[0])
    for name, runs in results.items():
        figures = [median(runs, key) for key in keys]
        shown = [f'{figure:.2f}' if isinstance(figure, float) and figure < 1000 else f'{figure:,.0f}' for figure in figures]
        print(f'| {name} | ' + ' | '.join(shown) + f' | {figures[0] / base:.2f} |')


def boot_in_box(folder, cases, repetitions):
    """The box is started for each group: OVMF may end its emulator, and then only that group runs again."""
    file = folder / 'cases.json'
    file.write_text(json.dumps(cases))
    box = [sys.executable, TOP / 'tests/box/box.py', 'run', '--timeout', '3600', sys.executable,
           TOP / 'tests/bench/boot.py', str(repetitions), file]
    run = subprocess.run([*map(str, box)], stdout=subprocess.PIPE, text=True)
    lines = [line for line in run.stdout.splitlines() if line.startswith('{')]
    if run.returncode or not lines:
        sys.exit(f'bench: the box ended with {run.returncode}:\n{run.stdout[-3000:]}')
    return json.loads(lines[-1])


def bench_boot(repetitions):
    folder = pathlib.Path(tempfile.mkdtemp(prefix='bench-', dir=BUILD))  # the box has a /tmp of its own
    try:
        results = boot_in_box(folder, boot_plan.bare(TOP, BUILD, KERNEL, folder), repetitions)
        print(f'\nboot: 1 vCPU, 256 MiB, serial only, exec to init, medians of {repetitions}\n')
        print_table(results, BOOT_KEYS, 'QEMU q35')
    finally:
        shutil.rmtree(folder)


def bench_desktop(repetitions):
    folder = pathlib.Path(tempfile.mkdtemp(prefix='bench-', dir=BUILD))
    try:
        for way, cases in boot_plan.desktop(BUILD, KERNEL, folder).items():
            results = boot_in_box(folder, cases, repetitions)
            print(f'\ndesktop, {way}: 1 vCPU, 512 MiB, exec to init, medians of {repetitions}\n')
            print_table(results, BOOT_KEYS, 'QEMU q35')
    finally:
        shutil.rmtree(folder)


def bench_net(repetitions):
    folder = pathlib.Path(tempfile.mkdtemp(prefix='bench-', dir=BUILD))
    try:
        plan = folder / 'plan.json'
        plan.write_text(json.dumps(net_plan.plan(TOP, BUILD, KERNEL, folder)))
        box = [sys.executable, TOP / 'tests/box/box.py', 'run', '--timeout', '7200', sys.executable,
               TOP / 'tests/bench/net.py', str(repetitions), plan]
        run = subprocess.run([*map(str, box)], stdout=subprocess.PIPE, text=True)
        lines = [line for line in run.stdout.splitlines() if line.startswith('{')]
        if run.returncode or not lines:
            sys.exit(f'bench: the box ended with {run.returncode}:\n{run.stdout[-3000:]}')
        results = json.loads(lines[-1])
        for verb, unit in (('receive', 'MiB'), ('send', 'MiB'), ('echo', 'round trip')):
            print(f'\nnet, {verb}: per {unit}, medians of {repetitions}; the rate is {unit}s a second\n')
            keys = [f'{verb} {key}' for key in ('rate', 'exits', 'user exits', 'cpu ms')]
            print_table(results, keys + ['idle wake-ups'] * (verb == 'echo'), 'QEMU user')
    finally:
        shutil.rmtree(folder)


def bench_window(repetitions):
    run = subprocess.run([TOP / 'tests/ui/screen.sh', BUILD, sys.executable, TOP / 'tests/bench/window.py', str(repetitions),
                          BUILD / 'tests/bench/empty-window', BUILD / 'ui/virtdesk'], stdout=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit('bench: the windows did not come')
    print(f'\nwindow: exec to the window on the screen, medians of {repetitions}\n')
    print_table(json.loads(run.stdout.splitlines()[-1]), ['seconds', 'cpu seconds', 'memory KiB'], 'empty-window')


BENCHES = {'boot': bench_boot, 'desktop': bench_desktop, 'net': bench_net, 'window': bench_window}


def main():
    parser = argparse.ArgumentParser(prog='./dev bench', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', nargs='?', choices=BENCHES)
    parser.add_argument('-n', type=int, default=5, help='repetitions')
    options = parser.parse_args()
    for name, bench in BENCHES.items():
        if options.name in (None, name):
            bench(options.n)


if __name__ == '__main__':
    main()
