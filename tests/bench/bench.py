#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev bench [NAME] [-n REPETITIONS]: ours and the peers in one run, medians and ratios.

  boot     vmm-run and QEMU on KVM in the box: the same kernel, initrd and command line to init
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

import net_plan

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = TOP / '_build/release'
CACHE = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache') / 'virtdesk-dev'
KERNEL = pathlib.Path(os.environ.get('VIRTDESK_KERNEL') or CACHE / 'kernel')


def make_initrd(folder):
    root = folder / 'root'
    (root / 'dev').mkdir(parents=True)
    shutil.copy(BUILD / 'tests/bench/boot-init', root / 'init')
    subprocess.run(f'cd {root} && find . | cpio -o -H newc --quiet > {folder}/initrd', shell=True, check=True)
    return folder / 'initrd'


def boot_cases(folder):
    vmlinux, initrd = folder / 'vmlinux', make_initrd(folder)
    subprocess.run([sys.executable, TOP / 'tests/box/unpack-kernel.py', KERNEL / 'vmlinuz', vmlinux], check=True)
    append = 'console=ttyS0 quiet reboot=t panic=-1'
    ours = [str(BUILD / 'vmm-core/tools/vmm-run'), '--memory', '256M', '--cpus', '1', '--serial', 'stdio',
            '--initrd', str(initrd), '--append', append]
    peer = ['qemu-system-x86_64', '-accel', 'kvm', '-cpu', 'host', '-smp', '1', '-m', '256M', '-nodefaults',
            '-no-user-config', '-display', 'none', '-serial', 'stdio', '-initrd', str(initrd), '-append', append,
            '-object', 'memory-backend-memfd,id=ram,size=256M']
    bzimage = ['-kernel', str(KERNEL / 'vmlinuz')]
    return {
        'vmm-run bzImage': ours + ['--kernel', str(KERNEL / 'vmlinuz')],
        'vmm-run PVH': ours + ['--kernel', str(vmlinux)],
        'QEMU microvm': peer + ['-M', 'microvm,memory-backend=ram'] + bzimage,
        'QEMU q35': peer + ['-M', 'q35,memory-backend=ram'] + bzimage,
    }


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


def bench_boot(repetitions):
    folder = pathlib.Path(tempfile.mkdtemp(prefix='bench-', dir=BUILD))  # the box has a /tmp of its own
    try:
        cases = folder / 'cases.json'
        cases.write_text(json.dumps(boot_cases(folder)))
        box = [sys.executable, TOP / 'tests/box/box.py', 'run', '--timeout', '3600', sys.executable,
               TOP / 'tests/bench/boot.py', str(repetitions), cases]
        run = subprocess.run([*map(str, box)], stdout=subprocess.PIPE, text=True)
        lines = [line for line in run.stdout.splitlines() if line.startswith('{')]
        if run.returncode or not lines:
            sys.exit(f'bench: the box ended with {run.returncode}:\n{run.stdout[-3000:]}')
        print(f'\nboot: 1 vCPU, 256 MiB, serial only, exec to init, medians of {repetitions}\n')
        print_table(json.loads(lines[-1]), ['seconds', 'exits', 'user exits', 'memory KiB'], 'QEMU q35')
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


BENCHES = {'boot': bench_boot, 'net': bench_net, 'window': bench_window}


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
