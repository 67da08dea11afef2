#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that Debian's kernel frees, or is asked for, comes back to the host."""
import os
import pathlib
import re
import subprocess
import tempfile

from guests import Running, expect, linux, linux_script, main

MIB = 1 << 20
MEMORY = 512  # MiB, as are the next
FILLED = 256
ABOUT = FILLED - 32  # some of what was freed is used for something else, or lies in small pieces

# Told so, it fills memory with bytes that are no zeros, or frees it. What it keeps all the time must
# not change, nor what it filled memory with.
SCRIPT = f'''
exec 3<> /dev/hvc0
stty raw -echo <&3
mount -t tmpfs -o size={FILLED + 40}m none /tmp
dd if=/dev/urandom of=/tmp/block bs=1M count=1 2> /dev/null
dd if=/dev/urandom of=/tmp/kept bs=1M count=4 2> /dev/null
kept=$(md5sum < /tmp/kept)
echo "READY"
while read -r word; do
  case $word in
  driver)
    load virtio_balloon
    for device in /sys/bus/virtio/drivers/virtio_balloon/virtio*; do echo "FEATURES $(cat "$device/features")"; done
    echo "TOTAL $(awk '/MemTotal/ {{ print $2 }}' /proc/meminfo)"
    ;;
  fill)
    for n in $(seq {FILLED}); do cat /tmp/block; done > /tmp/full
    for n in $(seq 0 40 {FILLED - 1}); do
      dd if=/tmp/full bs=1M skip="$n" count=1 2> /dev/null | cmp - /tmp/block || echo "COMPLAINT: what was filled has changed"
    done
    ;;
  free) rm /tmp/full ;;
  esac
  [ "$kept" = "$(md5sum < /tmp/kept)" ] || echo "COMPLAINT: what was kept has changed"
  dmesg | grep -E 'BUG:|WARNING: CPU|Call Trace|virtio.*(fail|error)' | sed 's/^/COMPLAINT /'
  echo "DONE $word"
done <&3
'''


class Guest(Running):
    def __init__(self, *options):
        self.loaded = '--load' in options
        super().__init__(*options, '--memory', f'{MEMORY}M', '--console', 'stdio', '--balloon',
                         stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def do(self, word):
        """What is said before somebody listens is lost."""
        self.wait_until(lambda: self.loaded or 'READY' in self.said())
        times = self.said().count(f'DONE {word}')
        self.process.stdin.write(f'{word}\n'.encode())
        self.process.stdin.flush()
        self.wait_said(f'DONE {word}', times + 1)
        expect('COMPLAINT' not in self.said(), self.said())

    def used(self):
        """MiB of the host behind the guest's memory, seen from outside."""
        folder = pathlib.Path(f'/proc/{self.process.pid}/fd')
        memory = next(fd for fd in folder.iterdir() if 'vmm-memory' in os.readlink(fd))
        return memory.stat().st_blocks * 512 // MIB

    def wait_used(self, most):
        self.wait_until(lambda: self.used() <= most)

    def wait_actual(self, actual):
        self.wait_until(lambda: self.ask('balloon')['actual'] == actual)

    def number(self, name):
        return int(re.findall(rf'{name} (\d+)', self.said())[-1])


def has(features, bit):
    return features[bit] == '1'


def features_of(run):
    return re.findall(r'FEATURES (\d+)', run.said())[-1]


def free_pages():
    """Only with a driver; then without anybody asking for them."""
    with Guest(*linux_script(SCRIPT)) as run:
        run.do('fill')
        full = run.used()
        expect(full > FILLED, full)
        run.do('free')
        expect(run.used() >= full, 'without a driver it is kept')
        run.do('driver')
        expect(has(features_of(run), 5), features_of(run))
        for _ in range(2):
            run.wait_used(full - ABOUT)
            run.do('fill')
            full = run.used()
            expect(full > FILLED, full)
            run.do('free')
        expect(run.ask('balloon')['actual'] == MEMORY, 'nobody asked')


def statistics():
    with Guest(*linux_script(SCRIPT)) as run:
        first = run.ask('balloon')
        expect(first == {'target': MEMORY, 'actual': MEMORY, 'driver': False, 'age': None, 'statistics': {}}, first)
        run.do('driver')
        run.wait_until(lambda: run.ask('balloon')['age'] is not None)
        before = run.ask('balloon')
        expect(before['driver'] and before['statistics']['total'] == run.number('TOTAL') << 10, before)
        run.do('fill')
        run.wait_until(lambda: before['statistics']['free'] - run.ask('balloon')['statistics']['free'] > ABOUT * MIB)
        run.do('free')
        run.wait_until(lambda: before['statistics']['free'] - run.ask('balloon')['statistics']['free'] < 40 * MIB)


def target():
    """A guest that fills its free pages does not report them: what it gives up is what it is asked for."""
    with Guest(*linux_script(SCRIPT, append='page_poison=1')) as run:
        run.do('driver')
        features = features_of(run)
        expect(has(features, 1) and has(features, 2) and not has(features, 5), features)
        run.do('fill')
        run.do('free')
        full = run.used()
        expect(full > FILLED, full)
        run.ask('balloon', target=MEMORY - FILLED)
        run.wait_actual(MEMORY - FILLED)
        run.wait_used(full - ABOUT)
        answer = run.ask('balloon', target=MEMORY)
        expect(answer['target'] == MEMORY, answer)
        run.wait_actual(MEMORY)
        run.do('fill')
        expect(run.used() > FILLED, run.used())
        run.do('free')
        run.ask('balloon', target=MEMORY - 64)
        run.wait_actual(MEMORY - 64)
        run.ask('reset')
        expect(run.ask('balloon')['actual'] == MEMORY, 'it starts anew')
        run.wait_said('INIT script', 2)
        run.do('driver')
        run.wait_actual(MEMORY - 64)


def wrong():
    with Guest(*linux('tick')) as run:
        for size in (15, MEMORY + 1, 0, -1, 1.5, '256'):
            try:
                run.ask('balloon', target=size)
                expect(False, f'a target of {size}')
            except ValueError as error:
                expect('MiB' in str(error), error)
    with Running(*linux('tick')) as run:
        try:
            run.ask('balloon')
            expect(False, 'there is no balloon')
        except ValueError as error:
            expect('--balloon' in str(error), error)


def saved():
    """What came back is not in the file, and the balloon goes on: what was given up, and what is asked."""
    folder = pathlib.Path(tempfile.mkdtemp()) / 'saved'
    options = linux_script(SCRIPT)
    with Guest(*options) as run:
        run.do('driver')
        run.do('fill')
        full = run.used()
        run.do('free')
        run.ask('balloon', target=MEMORY - 128)
        run.wait_actual(MEMORY - 128)
        run.wait_used(full - ABOUT)
        run.ask('save', path=str(folder))
        told = run.ask('stats')['memory_used'] // MIB
        expect(told == run.used(), f'{told} MiB for {run.used()}')
        size = (folder / 'memory').stat().st_size // MIB
        expect(size <= full - ABOUT, f'{size} MiB of {full}')
        run.ask('quit')
        run.wait()
    with Guest(*options, '--load', folder) as run:
        answer = run.ask('balloon')
        expect(answer['target'] == MEMORY - 128 and answer['actual'] == MEMORY - 128 and answer['driver'], answer)
        run.wait_until(lambda: run.ask('balloon')['age'] is not None)
        run.ask('balloon', target=MEMORY)
        run.wait_actual(MEMORY)
        run.do('fill')
        full = run.used()
        run.do('free')
        run.wait_used(full - ABOUT)


if __name__ == '__main__':
    main([free_pages, statistics, target, wrong, saved])
