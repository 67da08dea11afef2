#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""vmm-run in the box, with guests of a few instructions: its exit codes, its sentences, its control
socket, and what guests do to break it."""
import json
import os
import pathlib
import stat
import subprocess
import tempfile

import guests
from guests import (HANG, POWER_OFF, RESET_KEYBOARD, RESET_PORT, RUN_DEVICE_MEMORY, TALK, TRIPLE_FAULT, Running, debug_exit,
                    expect, kernel, say, touch, vmm_run)

MIB = 1 << 20


def sentences(result):
    return [line for line in result.err.splitlines() if line.startswith('vmm-run: ')]


def expect_refused(result, code, word):
    """The code, one sentence that has the word in it, and nothing else."""
    expect(result.code == code and len(sentences(result)) == 1 and word in result.err, result)
    expect(result.err.strip().endswith('.') and len(result.err.splitlines()) == 1, result)


def power_off():
    result = vmm_run('--kernel', kernel(say('hello\n') + POWER_OFF))
    expect(result.code == 0 and result.out == 'hello\n', result)


def debug_exit_codes():
    for value in (0, 1, 21, 127):
        result = vmm_run('--kernel', kernel(debug_exit(value)), '--debug-exit')
        expect(result.code == value * 2 + 1, result)


def no_debug_exit_unasked():
    """The port is a guest's way out only where it was asked for."""
    result = vmm_run('--kernel', kernel(out_then_off()))
    expect(result.code == 0, result)


def out_then_off():
    return guests.out8(0xf4, 5) + POWER_OFF


def reset_under_no_reboot():
    for code in (RESET_PORT, RESET_KEYBOARD, TRIPLE_FAULT):
        result = vmm_run('--kernel', kernel(code), '--no-reboot')
        expect(result.code == 6, result)


def reset_starts_anew():
    """The guest counts its boots in memory that no loader writes, and spoils its own first instruction:
    without the kernel loaded anew there is no second boot."""
    for reset in (RESET_PORT, RESET_KEYBOARD, TRIPLE_FAULT):
        # inc dword [0x80000]; cmp dword [0x80000], 3; jae over the reset
        count = b'\xff\x05\x00\x00\x08\x00' + b'\x83\x3d\x00\x00\x08\x00\x03' + b'\x73' + bytes([len(reset)])
        spoil = b'\xc7\x05' + (guests.LOAD + 32).to_bytes(4, 'little') + b'\x0f\x0b\x0f\x0b'
        code = say('boot ') + count + reset + debug_exit(7)
        result = vmm_run('--kernel', kernel(spoil + code), '--debug-exit')
        expect(result.code == 15 and result.out == 'boot ' * 3, result)


def crashed_guest():
    result = vmm_run('--kernel', kernel(RUN_DEVICE_MEMORY))
    expect(result.code == 8 and len(sentences(result)) == 1, result)
    expect('rip    00000000d0000000' in result.err and 'cr0' in result.err, result)


def host_without_memory():
    """The host has no page for the guest: the machine crashes, the process does not."""
    limit = pathlib.Path('/proc/sys/vm/overcommit_kbytes')
    mode = pathlib.Path('/proc/sys/vm/overcommit_memory')
    promised = next(int(line.split()[1]) for line in open('/proc/meminfo') if line.startswith('Committed_AS'))
    limit.write_text(str(promised + 128 * 1024))
    mode.write_text('2')
    try:
        file = kernel(say('touching\n') + touch(2 * MIB, 500 * MIB) + debug_exit(1))
        result = vmm_run('--kernel', file, '--memory', '512M', '--debug-exit', '--stats')
    finally:
        mode.write_text('0')
    expect(result.code == 8 and 'memory' in sentences(result)[0] and 'rip' in result.err, result)
    expect(json.loads(result.out.splitlines()[-1])['state'] == 'stopped', result)


def memory_is_all_there():
    """Up to its last page."""
    result = vmm_run('--kernel', kernel(touch(2 * MIB, 64 * MIB) + debug_exit(1)), '--memory', '64M', '--debug-exit')
    expect(result.code == 3, result)


def bad_arguments():
    expect_refused(vmm_run(), 2, 'kernel')
    expect_refused(vmm_run('--kernel', 'k', '--memory', '1M'), 2, 'memory')
    expect_refused(vmm_run('--kernel', 'k', '--memory', '900G'), 2, 'memory')
    expect_refused(vmm_run('--kernel', 'k', '--cpus', '33'), 2, 'processors')
    expect_refused(vmm_run('--kernel', 'k', '--nonsense'), 2, 'nonsense')


def bad_kernels():
    good = guests.KERNEL.read_bytes()
    cut = tempfile.NamedTemporaryFile()
    cut.write(good[:len(good) // 2])
    cut.flush()
    expect_refused(vmm_run('--kernel', '/nowhere'), 2, '/nowhere')
    expect_refused(vmm_run('--kernel', '/etc/passwd'), 2, '/etc/passwd')
    expect_refused(vmm_run('--kernel', '/etc'), 2, '/etc')
    expect_refused(vmm_run('--kernel', cut.name), 2, cut.name)
    expect_refused(vmm_run('--kernel', guests.KERNEL, '--initrd', '/nowhere'), 2, '/nowhere')
    expect_refused(vmm_run('--kernel', guests.KERNEL, '--memory', '32M'), 2, 'memory')


def bad_disks():
    file = kernel(POWER_OFF)
    expect_refused(vmm_run('--kernel', file, '--disk', '/nowhere'), 2, '/nowhere')
    with tempfile.NamedTemporaryFile() as disk:
        disk.truncate(MIB)
        with Running('--kernel', kernel(HANG), '--disk', disk.name):
            expect_refused(vmm_run('--kernel', file, '--disk', disk.name), 2, disk.name)
        expect(vmm_run('--kernel', file, '--disk', disk.name).code == 0, 'the disk is free again')


def bad_places():
    file = kernel(POWER_OFF)
    expect_refused(vmm_run('--kernel', file, '--serial', 'file:/nowhere/log'), 2, '/nowhere/log')
    expect_refused(vmm_run('--kernel', file, '--control', '/nowhere/socket'), 2, '/nowhere/socket')
    expect_refused(vmm_run('--kernel', file, '--control', '/tmp/' + 'n' * 120), 2, 'longer')


def no_kvm():
    file = kernel(POWER_OFF)
    gone = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /dev && exec "$0" "$@"']
    other = ['unshare', '-m', 'sh', '-c', 'mount --bind /dev/null /dev/kvm && exec "$0" "$@"']
    denied = ['setpriv', '--reuid=65534', '--clear-groups']
    os.chmod('/dev/kvm', 0o600)
    os.chmod(file, 0o644)
    expect_refused(vmm_run('--kernel', file, prefix=gone), 4, '/dev/kvm')
    expect_refused(vmm_run('--kernel', file, prefix=other), 4, '/dev/kvm')
    expect_refused(vmm_run('--kernel', file, prefix=denied), 4, '/dev/kvm')


def stats():
    result = vmm_run('--kernel', kernel(say('abc') + POWER_OFF), '--stats', '--serial', 'none')
    told = json.loads(result.out)
    # nothing answers at the serial port, but each byte and the power-off is an exit
    expect(4 <= told['exits_user'] < 100 and told['run_ns'] > 0 and told['cpu_ns'] > 0, result)
    expect(told['disk_requests'] == 0 and told['frames'] == 0, result)


def control_pause():
    with Running('--kernel', kernel(TALK)) as run:
        expect(stat.S_IMODE(os.stat(run.folder / 'control').st_mode) == 0o600, 'mode of the socket')
        run.wait_said('.')
        run.ask('pause')
        run.wait_event({'event': 'state', 'state': 'paused'})
        first, size = run.ask('stats'), len(run.said())
        expect(first['state'] == 'paused', first)
        try:
            run.ask('pause')
            raise AssertionError('paused twice')
        except ValueError:
            pass
        second = run.ask('stats')
        expect(second['exits_user'] == first['exits_user'] and len(run.said()) == size, second)
        run.ask('resume')
        run.wait_until(lambda: len(run.said()) > size)
        run.ask('quit')
        result = run.wait()
        expect(result.code == 0, result)
        expect(not (run.folder / 'control').exists(), 'the socket is gone')


def control_reset():
    with Running('--kernel', kernel(say('boot\n') + HANG)) as run:
        run.wait_said('boot', 1)
        for times in (2, 3):
            run.ask('reset')
            run.wait_event({'event': 'reset'})
            run.wait_said('boot', times)
        run.ask('pause')
        run.ask('reset')  # it stays paused
        expect(run.ask('stats')['state'] == 'paused', 'paused after reset')
        run.ask('resume')
        run.wait_said('boot', 4)


def control_refuses():
    with Running('--kernel', kernel(HANG)) as run:
        for verb, arguments in (('key', {'code': 30}), ('pointer', {'x': 0, 'y': 0}), ('screenshot', {'path': '/tmp/x.png'}),
                                ('resume', {}), ('nonsense', {})):
            try:
                run.ask(verb, **arguments)
                raise AssertionError(f'{verb} was taken')
            except ValueError as refusal:
                expect(str(refusal).endswith('.'), refusal)
        expect(run.ask('stats')['state'] == 'running', 'still running')


def terminated():
    """A signal ends it as quit does: the socket does not stay behind."""
    with Running('--kernel', kernel(TALK)) as run:
        run.wait_said('.')
        run.process.terminate()
        result = run.wait()
        expect(result.code == 0 and not (run.folder / 'control').exists(), result)


def many_processors():
    """All 32 wait for the first one to wake them; parking reaches those that sleep too."""
    with Running('--kernel', kernel(TALK), '--cpus', '32') as run:
        run.wait_said('.')
        for _ in range(5):
            run.ask('pause')
            run.ask('resume')
        run.ask('quit')
        expect(run.wait().code == 0, 'ended')


def serial_input():
    """What comes on standard input reaches the guest: it waits for a byte and exits with it."""
    # in al, 0x3fd; test al, 1; jz again; in al, 0x3f8; out 0xf4, al
    code = b'\x66\xba\xfd\x03\xec\xa8\x01\x74\xf7\x66\xba\xf8\x03\xec\xe6\xf4' + HANG
    run = subprocess.run([guests.VMM_RUN, '--kernel', kernel(code), '--debug-exit'], input=b'\x2a', capture_output=True,
                         timeout=guests.LIMIT)
    expect(run.returncode == 0x2a * 2 + 1, run)


def terminal_that_nobody_reads():
    """It holds up nobody: the machine answers, pauses and ends."""
    master, slave = os.openpty()
    with Running('--kernel', kernel(TALK), '--serial', 'stdio', stdout=slave) as run:
        run.wait_until(lambda: run.ask('stats')['exits_user'] > 50000)
        run.ask('pause')
        run.ask('resume')
        run.ask('quit')
        expect(run.wait().code == 0, 'ended')
    expect(os.get_blocking(slave), 'the terminal is as it was')
    os.close(master)
    os.close(slave)


guests.main([power_off, debug_exit_codes, no_debug_exit_unasked, reset_under_no_reboot, reset_starts_anew, crashed_guest,
             host_without_memory, memory_is_all_there, bad_arguments, bad_kernels, bad_disks, bad_places, no_kvm, stats,
             control_pause, control_reset, control_refuses, terminated, many_processors, serial_input,
             terminal_that_nobody_reads])
