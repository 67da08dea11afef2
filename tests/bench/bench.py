#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev bench [NAME] [-n REPETITIONS]: ours and the peers in one run, medians and ratios.

  boot     vmm-run and QEMU on KVM in the box: the same kernel, initrd and command line to init
  desktop  the same with screen, USB, disk and network, started directly, by SeaBIOS and by OVMF
  disk     vmm-run and QEMU on KVM in the box, raw and qcow2: rates, exits, processor time
  net      vmm-run and QEMU on KVM in the box, user mode, tap and vhost: rates, exits, processor time
  window   virtdesk and an empty libadwaita program: exec to the window on the screen, CPU time, memory
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import boot_plan
import disk_plan
import net_plan

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = TOP / '_build/release'
BOOT_KEYS = ['seconds', 'exits', 'user exits', 'memory KiB']
CACHE = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache') / 'virtdesk-dev'
KERNEL = pathlib.Path(os.environ.get('VIRTDESK_KERNEL') or CACHE / 'kernel')


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def print_table(results, keys, peer):
    print('| | ' + ' | '.join(keys) + f' | {keys[0].split()[-1]} / {peer} |')
    print('|---|' + '---:|' * (len(keys) + 1))
    base = median(results[peer], keys[0])
    for name, runs in results.items():
        figures = [median(runs, key) for key in keys]
        shown = [f'{figure:.2f}' if isinstance(figure, float) and figure < 1000 else f'{figure:,.0f}' for figure in figures]
        print(f'| {name} | ' + ' | '.join(shown) + f' | {figures[0] / base:.2f} |')


def in_box(script, folder, plan, repetitions):
    """The box is started for each plan: its emulator may end, and then only that plan runs again."""
    file = folder / 'plan.json'
    file.write_text(json.dumps(plan))
    box = [sys.executable, TOP / 'tests/box/box.py', 'run', '--timeout', '7200', sys.executable,
           TOP / 'tests/bench' / script, str(repetitions), file]
    run = subprocess.run([*map(str, box)], stdout=subprocess.PIPE, text=True)
    lines = [line for line in run.stdout.splitlines() if line.startswith('{')]
    if run.returncode or not lines:
        sys.exit(f'bench: the box ended with {run.returncode}:\n{run.stdout[-3000:]}')
    return json.loads(lines[-1])


def bench_boot(repetitions, folder):
    results = in_box('boot.py', folder, boot_plan.bare(TOP, BUILD, KERNEL, folder), repetitions)
    print(f'\nboot: 1 vCPU, 256 MiB, serial only, exec to init, medians of {repetitions}\n')
    print_table(results, BOOT_KEYS, 'QEMU q35')


def bench_desktop(repetitions, folder):
    for way, cases in boot_plan.desktop(BUILD, KERNEL, folder).items():
        results = in_box('boot.py', folder, cases, repetitions)
        print(f'\ndesktop, {way}: 1 vCPU, 512 MiB, exec to init, medians of {repetitions}\n')
        print_table(results, BOOT_KEYS, 'QEMU q35')


def bench_disk(repetitions, folder):
    results = in_box('disk.py', folder, disk_plan.plan(TOP, BUILD, KERNEL, folder), repetitions)
    for flow in disk_plan.FLOWS:
        print(f'\ndisk, {flow["name"]}: per request, medians of {repetitions}; the rate is requests a second\n')
        of_flow = {name: [run[flow['name']] for run in runs] for name, runs in results.items()}
        print_table(of_flow, ['rate', 'exits', 'user exits', 'cpu us'], 'QEMU raw')


def bench_net(repetitions, folder):
    results = in_box('net.py', folder, net_plan.plan(TOP, BUILD, KERNEL, folder), repetitions)
    for verb, unit in (('receive', 'MiB'), ('send', 'MiB'), ('echo', 'round trip')):
        print(f'\nnet, {verb}: per {unit}, medians of {repetitions}; the rate is {unit}s a second\n')
        keys = [f'{verb} {key}' for key in ('rate', 'exits', 'user exits', 'cpu ms')]
        print_table(results, keys + ['idle wake-ups'] * (verb == 'echo'), 'QEMU user')


def bench_window(repetitions, _folder):
    run = subprocess.run([TOP / 'tests/ui/screen.sh', BUILD, sys.executable, TOP / 'tests/bench/window.py', str(repetitions),
                          BUILD / 'tests/bench/empty-window', BUILD / 'ui/virtdesk'], stdout=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit('bench: the windows did not come')
    print(f'\nwindow: exec to the window on the screen, medians of {repetitions}\n')
    print_table(json.loads(run.stdout.splitlines()[-1]), ['seconds', 'cpu seconds', 'memory KiB'], 'empty-window')


BENCHES = {'boot': bench_boot, 'desktop': bench_desktop, 'disk': bench_disk, 'net': bench_net, 'window': bench_window}


def main():
    parser = argparse.ArgumentParser(prog='./dev bench', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', nargs='?', choices=BENCHES)
    parser.add_argument('-n', type=int, default=5, help='repetitions')
    options = parser.parse_args()
    for name, bench in BENCHES.items():
        if options.name in (None, name):
            with tempfile.TemporaryDirectory(prefix='bench-', dir=BUILD) as folder:  # the box has a /tmp of its own
                bench(options.n, pathlib.Path(folder))


if __name__ == '__main__':
    main()
