#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's kernel on qcow2 disks in the box; qemu-img is the judge of the images."""
import os
import pathlib
import re
import subprocess
import tempfile

from guests import Running, expect, linux, main, vmm_run

MIB = 1 << 20


def tool(*words):
    result = subprocess.run(words, capture_output=True, text=True)
    expect(result.returncode == 0, (words, result.stdout, result.stderr))
    return result.stdout


def make_source(folder):
    source = folder / 'source'
    source.write_bytes(os.urandom(4 * MIB))
    return source


def make_overlay(folder):
    """An image with a snapshot inside, on a compressed one."""
    tool('qemu-img', 'create', '-q', '-f', 'qcow2', folder / 'first', '4M')
    tool('qemu-io', '-f', 'qcow2', '-c', 'write -q -P 1 0 4M', folder / 'first')
    tool('qemu-img', 'convert', '-c', '-O', 'qcow2', folder / 'first', folder / 'base')
    tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'base', '-F', 'qcow2', folder / 'disk')
    tool('qemu-io', '-f', 'qcow2', '-c', 'write -q -P 2 1M 1M', folder / 'disk')
    tool('qemu-img', 'snapshot', '-c', 'before', folder / 'disk')
    return folder / 'disk'


def copies():
    """What the guest wrote is what qemu-img reads, and nothing is wrong with the image."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        source, disk = make_source(folder), make_overlay(folder)
        result = vmm_run(*linux('copy'), '--cpus', '2', '--disk', f'{source},readonly=on,format=raw', '--disk', f'{disk},format=qcow2')
        expect(result.code == 0 and 'SAME' in result.out and 'COMPLAINT' not in result.out, result)
        tool('qemu-img', 'check', disk)
        tool('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', source, disk)
        tool('qemu-img', 'snapshot', '-a', 'before', disk)
        tool('qemu-io', '-r', '-f', 'qcow2', '-c', 'read -q -P 1 0 1M', '-c', 'read -q -P 2 1M 1M', disk)


def discards():
    """Two queues; what the guest gives back the file system of the image gets."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        source, disk = make_source(folder), folder / 'disk'
        tool('qemu-img', 'create', '-q', '-f', 'qcow2', disk, '4M')
        result = vmm_run(*linux('discard'), '--cpus', '2', '--disk', f'{source},readonly=on', '--disk', f'{disk},discard=on')
        expect(result.code == 0 and 'QUEUES 2' in result.out and 'COMPLAINT' not in result.out, result)
        tool('qemu-img', 'check', disk)
        expected = bytearray(source.read_bytes())
        kept = expected[400 * 4096:403 * 4096]
        expected[MIB:3 * MIB] = bytes(2 * MIB)
        expected[400 * 4096:403 * 4096] = kept
        (folder / 'expected').write_bytes(expected)
        tool('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', folder / 'expected', disk)
        expect(disk.stat().st_blocks * 512 < 3 * MIB, disk.stat())


def grows():
    """While the guest runs, as often as one likes; the guest hears of it."""
    with tempfile.TemporaryDirectory() as name:
        for format, disk in (('raw', pathlib.Path(name, 'raw')), ('qcow2', pathlib.Path(name, 'qcow2'))):
            tool('qemu-img', 'create', '-q', '-f', format, disk, '1M')
            with Running(*linux('grow'), '--disk', f'{disk},format={format}') as run:
                run.wait_said('SIZE 2048')
                try:
                    run.ask('resize-disk', device='disk0', size=4096)
                    expect(False, 'it became smaller')
                except ValueError as error:
                    expect('only grow' in str(error), error)
                run.ask('resize-disk', device='disk0', size=3000 * MIB)
                result = run.wait()
            expect(result.code == 0 and f'GROWN {3000 * MIB // 512}' in result.out, result)
            if format == 'qcow2':
                tool('qemu-img', 'check', disk)
            tool('qemu-io', '-r', '-f', format, '-c', f'read -q -P 0 1M 100M', disk)
            shown = tool('qemu-io', '-r', '-f', format, '-c', f'read -v {3000 * MIB - 512} 16', disk)
            expect('the.last.sector' in shown, shown)


def killed():
    """What was flushed is there; clusters that were lost are found."""
    with tempfile.TemporaryDirectory() as name:
        disk = pathlib.Path(name, 'disk')
        tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', 'cluster_size=4k', disk, '16M')
        for _ in range(2):
            with Running(*linux('flushes'), '--disk', disk) as run:
                run.wait_said('FLUSHED 20')
                run.process.kill()
                run.process.wait()
                last = max(map(int, re.findall(r'FLUSHED (\d+)\r?\n', run.said())))
            check = subprocess.run(['qemu-img', 'check', disk], capture_output=True, text=True)
            expect(check.returncode in (0, 3), check)
            raw = pathlib.Path(name, 'raw')
            tool('qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', disk, raw)
            contents = raw.read_bytes()
            for n in range(1, last + 1):
                at = n * 37 % 2000 * 4096
                expect(contents[at:at + 4096].split(b'\n')[0] == str(n).encode(), (n, contents[at:at + 16]))
        result = vmm_run(*linux('off'), '--disk', disk)
        expect(result.code == 0, result)
        tool('qemu-img', 'check', disk)


def in_use():
    """QEMU and we never have one image open for writing at once."""
    with tempfile.TemporaryDirectory() as name:
        disk, base = pathlib.Path(name, 'disk'), pathlib.Path(name, 'base')
        tool('qemu-img', 'create', '-q', '-f', 'qcow2', base, '1M')
        tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', disk)
        with Running(*linux('grow'), '--disk', disk) as run:
            run.wait_said('SIZE')
            for image, mode in ((disk, '-r'), (disk, None), (base, None)):
                command = ['qemu-io', *([mode] if mode else []), '-f', 'qcow2', '-c', 'read 0 512', image]
                refused = subprocess.run(command, capture_output=True, text=True)
                expect(refused.returncode and 'lock' in refused.stderr, (command, refused))
            tool('qemu-io', '-r', '-f', 'qcow2', '-c', 'read 0 512', base)
            result = vmm_run(*linux('off'), '--disk', f'{base}')
            expect(result.code == 2 and str(base) in result.err, result)


main([copies, discards, grows, killed, in_use])
