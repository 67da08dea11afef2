#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines saved and loaded under load: what they compute, their disks and their clocks go on."""
import hashlib
import os
import pathlib
import re
import shutil
import tempfile
import time

import guests
from guests import Running, expect, linux, linux_script, vmm_run
from pc import CD, KEY_ENTER, Machine

MIB = 1 << 20
TIMES = 20 if os.environ.get('VIRTDESK_TEST_SLOW') else 3
AWAY = 2  # seconds that a machine is away: its clock must not count them

# On each processor a chain of checksums, one link a line, each link written to the disk and the one
# before it read back from there past the cache.
WORK = '''
load virtio_blk
work() {
  n=0 chain=$1
  while :; do
    n=$((n + 1)) before=$chain
    chain=$(echo "$before $n" | sha256sum) chain=${chain%% *}
    at=$(($1 * 100 + n % 100))
    echo "$chain" | dd of=/dev/vda bs=512 seek=$at conv=sync,fsync 2> /dev/null
    [ $n = 1 ] || [ "$(dd if=/dev/vda bs=512 skip=$last count=1 iflag=direct 2> /dev/null | head -n1)" = "$before" ] ||
      echo "COMPLAINT: sector $last"
    last=$at
    read -r up rest < /proc/uptime
    echo "LINK $1 $n $chain $up"
  done
}
for cpu in $(seq 0 $(($(nproc) - 1))); do
  taskset -c "$cpu" sh -c ". /work; work $cpu" &
done
wait
'''


def links(text, cpu):
    return re.findall(rf'LINK {cpu} (\d+) ([0-9a-f]{{64}}) ([\d.]+)$', text, re.M)


def check_chain(found, cpu):
    """Every link once, each made of the one before."""
    chain = str(cpu)
    for wanted, (number, link, _) in enumerate(found, 1):
        chain = hashlib.sha256(f'{chain} {wanted}\n'.encode()).hexdigest()
        expect(int(number) == wanted and link == chain, f'processor {cpu}: link {number} for {wanted}: {link}')


def saved_and_loaded(cpus, *options):
    folder = pathlib.Path(tempfile.mkdtemp())
    disk = folder / 'disk'
    with open(disk, 'wb') as file:
        file.truncate(4 * MIB)
    parts = WORK.split('for cpu')
    files = {'work': parts[0].replace('load virtio_blk\n', '').encode()}
    words = [*linux_script('load virtio_blk\nfor cpu' + parts[1], files=files), '--cpus', str(cpus), '--disk', disk, *options]
    said, running, load = '', 0, []
    for number in range(TIMES + 1):
        begun = time.monotonic()
        with Running(*words, *load) as run:
            before = [len(links(said, cpu)) for cpu in range(cpus)]
            run.wait_until(lambda: all(len(links(said + run.said(), cpu)) > before[cpu] + 3 for cpu in range(cpus))
                           or run.process.poll() is not None)
            if run.process.poll() is not None:
                raise AssertionError(run.wait())
            run.ask('save', path=str(folder / f'saved{number}'))
            running += time.monotonic() - begun
            run.ask('quit')
            said += run.wait().out
        if number > 0:
            shutil.rmtree(folder / f'saved{number - 1}')  # the box's files are in its memory
        load = ['--load', folder / f'saved{number}']
        time.sleep(AWAY)
    shutil.rmtree(folder)
    expect('COMPLAINT' not in said and not re.search('BUG|stall|hung|unstable|WARNING', said), said)
    for cpu in range(cpus):
        found = links(said, cpu)
        check_chain(found, cpu)
        times = [float(up) for _, _, up in found]
        expect(times == sorted(times) and times[-1] <= running, f'{times[-1]} s of {running}: {times}')


def one_processor():
    saved_and_loaded(1)


def two_processors():
    saved_and_loaded(2)


def whole_desktop():
    saved_and_loaded(2, '--graphics', '--usb', '--net', 'user', '--cdrom', 'none')


def saved(options, at, folder):
    """A machine of those options, saved when it has said @at; it is gone then."""
    with Running(*options) as run:
        run.wait_said(at)
        run.ask('save', path=str(folder))
        run.ask('quit')
        expect(run.wait().code == 0, run.errors.read_text())


def resets_and_goes_on():
    """The saved machine knows what it was at power-on; and it can be saved, resumed and saved again."""
    folder = pathlib.Path(tempfile.mkdtemp())
    options = [*linux('tick'), '--cpus', '2']
    saved(options, 'TICK-1-3', folder / 'one')
    with Running(*options, '--load', folder / 'one') as run:
        run.wait_said('TICK-1-5')
        expect('INIT' not in run.said(), run.said())
        run.ask('save', path=str(folder / 'two'))
        run.ask('resume')
        run.wait_said('TICK-0-9')
        run.ask('reset')
        run.wait_said('INIT tick')
        run.wait_said('TICK-0-2')
    with Running(*options, '--load', folder / 'two') as run:
        run.wait_said('TICK-0-9')


def generation():
    """The guest hears that it may be a copy, and its random numbers begin anew."""
    script = 'while :; do echo "FORKED $(dmesg | grep -c "virtual machine fork")"; sleep 0.2; done'
    folder = pathlib.Path(tempfile.mkdtemp()) / 'saved'
    options = linux_script(script)
    saved(options, 'FORKED 0', folder)
    for _ in range(2):
        with Running(*options, '--load', folder) as run:
            run.wait_said('FORKED 1')


def firmware():
    """At GRUB's menu, by a BIOS; the entry that is taken later boots."""
    folder = pathlib.Path(tempfile.mkdtemp()) / 'saved'
    options = ['--cdrom', CD]
    with Machine('bios', *options) as run:
        run.wait_until(lambda: 'Guest reboot' in run.words())
        run.ask('save', path=str(folder))
    with Machine('bios', *options, '--load', folder) as run:
        run.wait_until(lambda: 'Guest reboot' in run.words())
        run.ask('key', code=KEY_ENTER)
        run.check_power_off()


def check_refused(word, folder, *options):
    result = vmm_run(*options, '--load', folder)
    lines = result.err.strip().splitlines()
    expect(result.code == 2 and len(lines) == 1 and word in lines[0], result)


def refused():
    """What does not fit, or is broken, in one sentence."""
    folder = pathlib.Path(tempfile.mkdtemp())
    options = linux('tick')
    saved(options, 'TICK-0-1', folder / 'good')
    with Running(*options) as run:
        try:
            run.ask('save', path=str(folder / 'good'))
            raise AssertionError('saved over another one')
        except ValueError as why:
            expect('exists' in str(why), why)
    check_refused('memory', folder / 'good', *options, '--memory', '300M')
    check_refused('processors', folder / 'good', *options, '--cpus', '2')
    check_refused('other devices', folder / 'good', *options, '--graphics')
    check_refused('No such file', folder / 'none', *options)
    for name in ('memory', 'state'):
        shutil.copytree(folder / 'good', folder / name)
        os.truncate(folder / name / name, (folder / name / name).stat().st_size - 1)
        check_refused('broken' if name == 'state' else 'not whole', folder / name, *options)
    saved(options, 'TICK-0-1', folder / 'other')
    shutil.copy(folder / 'other/memory', folder / 'good/memory')
    check_refused('another', folder / 'good', *options)


guests.main([one_processor, two_processors, resets_and_goes_on, generation, firmware, refused] +
            ([whole_desktop] if os.environ.get('VIRTDESK_TEST_SLOW') else []))
