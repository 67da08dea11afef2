#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that the host has, has not, or has set aside as huge pages."""
import contextlib
import pathlib

import guests
from guests import HANG, POWER_OFF, Running, debug_exit, expect, kernel, linux, touch, vmm_run

MIB = 1 << 20
HUGE_PAGES = pathlib.Path('/proc/sys/vm/nr_hugepages')


def expect_refused(result, *words):
    expect(result.code == 2 and len(result.err.splitlines()) == 1 and result.err.strip().endswith('.'), result)
    for word in words:
        expect(word in result.err, (word, result))


def meminfo(key):
    return next(int(line.split()[1]) for line in open('/proc/meminfo') if line.startswith(key))


@contextlib.contextmanager
def huge_pages(number):
    HUGE_PAGES.write_text(str(number))
    try:
        expect(int(HUGE_PAGES.read_text()) == number, 'the box has no room for huge pages')
        yield
    finally:
        HUGE_PAGES.write_text('0')


def boots_on_huge_pages():
    """All of them are promised before the guest starts, and are free again when it is gone."""
    with huge_pages(160):
        with Running('--kernel', kernel(HANG), '--memory', '256M', '--hugepages') as run:
            run.ask('stats')
            expect(meminfo('HugePages_Rsvd') + 160 - meminfo('HugePages_Free') == 128, 'promised or taken')
            run.ask('quit')
            run.wait()
        result = vmm_run(*linux('off'), '--memory', '256M', '--hugepages', '--balloon', '--stats')
        expect(result.code == 0 and 'CPUS 1' in result.out and 'COMPLAINT' not in result.out, result)
        result = vmm_run('--kernel', kernel(touch(2 * MIB, 64 * MIB) + debug_exit(1)), '--memory', '64M', '--hugepages', '--debug-exit')
        expect(result.code == 3, result)
        expect(meminfo('HugePages_Free') == 160 and meminfo('HugePages_Rsvd') == 0, 'all are back')


def saved_on_huge_pages():
    """A machine on huge pages goes on without them, and the other way round."""
    with huge_pages(40):
        for first, second in ((['--hugepages'], []), ([], ['--hugepages'])):
            with Running('--kernel', kernel(HANG), '--memory', '64M', *first) as run:
                saved = run.folder / 'saved'
                run.ask('save', path=str(saved))
                run.ask('quit')
                run.wait()
            with Running('--kernel', kernel(HANG), '--memory', '64M', '--load', saved, *second) as run:
                expect(run.ask('stats')['state'] == 'running', 'it goes on')


def too_few_huge_pages():
    file = kernel(POWER_OFF)
    expect_refused(vmm_run('--kernel', file, '--memory', '64M', '--hugepages'), 'needs 32 huge pages', 'has 0 free', 'nr_hugepages=32”')
    with huge_pages(40):
        with Running('--kernel', kernel(HANG), '--memory', '64M', '--hugepages'):
            expect_refused(vmm_run('--kernel', file, '--memory', '32M', '--hugepages'), 'needs 16', 'has 8 free', 'nr_hugepages=48”')
        expect(vmm_run('--kernel', file, '--memory', '32M', '--hugepages').code == 0, 'they are free again')


def more_than_there_is():
    """Refused with the figures before anything is started; what fits if nothing else runs is not."""
    installed = meminfo('MemTotal') // 1024
    file = kernel(POWER_OFF)
    expect_refused(vmm_run('--kernel', file, '--memory', f'{installed}M'), f'wants {installed} MiB', 'at most')
    expect_refused(vmm_run('--kernel', file, '--memory', '64G'), 'wants 65536 MiB', f'has {installed} MiB')
    expect(vmm_run('--kernel', file, '--memory', f'{installed - 513}M').code == 0, 'all but what the host needs')


def limits_of_the_process():
    file = kernel(POWER_OFF)
    expect_refused(vmm_run('--kernel', file, '--memory', '1G', prefix=('prlimit', f'--as={1024 * MIB}')), 'wants 1024 MiB', 'RLIMIT_AS')
    expect_refused(vmm_run('--kernel', file, '--memory', '64M', prefix=('prlimit', f'--fsize={32 * MIB}')), 'RLIMIT_FSIZE', '32 MiB')


def more_than_is_free():
    """It starts, and says what may come of it."""
    mode, limit = pathlib.Path('/proc/sys/vm/overcommit_memory'), pathlib.Path('/proc/sys/vm/overcommit_kbytes')
    limit.write_text(str(meminfo('Committed_AS') + 512 * 1024))
    mode.write_text('2')
    try:
        result = vmm_run('--kernel', kernel(POWER_OFF), '--memory', '1G')
    finally:
        mode.write_text('0')
    expect(result.code == 0 and 'may have 1024 MiB' in result.err and 'are free now' in result.err, result)
    result = vmm_run('--kernel', kernel(POWER_OFF), '--memory', '1G')
    expect(result.code == 0 and 'free now' not in result.err, result)


guests.main([more_than_there_is, limits_of_the_process, more_than_is_free, boots_on_huge_pages, saved_on_huge_pages, too_few_huge_pages])
