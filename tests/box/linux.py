#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's kernel under vmm-run in the box."""
import os
import pathlib
import signal
import subprocess
import tempfile

import guests
from guests import Running, expect, linux, linux_script, vmm_run

MIB = 1 << 20
PVH = guests.BUILD / 'tests/box/vmlinux'


def boots(cpus, *options):
    result = vmm_run(*linux('off'), '--cpus', str(cpus), *options)
    expect(result.code == 0 and f'CPUS {cpus} CORES {cpus} PACKAGES 1' in result.out, result)
    expect('COMPLAINT' not in result.out and 'CLOCK kvm-clock' in result.out, result)
    return result


def one_processor():
    boots(1)


def two_processors():
    boots(2)
    result = vmm_run(*linux('each-cpu'), '--cpus', '2')
    expect('WORKED on 0' in result.out and 'WORKED on 1' in result.out, result)


def memory_above_4_gib():
    """The box has less, but it is not all touched."""
    installed = next(int(line.split()[1]) for line in open('/proc/meminfo') if line.startswith('MemTotal')) // 1024
    boots(1, '--memory', f'{min(installed, 3000)}M')


def pvh_kernel():
    result = vmm_run('--kernel', PVH, *linux('off')[2:])
    expect(result.code == 0 and 'CPUS 1' in result.out and 'COMPLAINT' not in result.out, result)


def exit_code():
    result = vmm_run(*linux('exit'), '--debug-exit')
    expect(result.code == 43, result)


def reboots():
    """By each way that Linux knows; the machine starts anew until --no-reboot ends it."""
    for way in ('a', 'k', 't', 'p'):
        result = vmm_run(*linux('reboot', append=f'reboot={way}'), '--no-reboot')
        expect(result.code == 6 and result.out.count('INIT reboot') == 1, result)
    with Running(*linux('reboot')) as run:
        run.wait_said('INIT reboot', 3)


def time_goes_on_after_a_triple_fault():
    """After which KVM may have forgotten where this processor's time began."""
    with Running(*linux_script('sleep 1; echo SLEPT; reboot -f', append='reboot=t')) as run:
        run.wait_said('SLEPT', 3)


def reboots_with_two_processors():
    """From inside, then from outside while both run."""
    with Running(*linux('reboot'), '--cpus', '2') as run:
        run.wait_said('INIT reboot', 2)
    with Running(*linux('tick'), '--cpus', '2') as run:
        for times in (1, 2, 3):
            run.wait_said('TICK-0-2', times)
            run.wait_said('TICK-1-2', times)
            run.ask('reset')


def panics():
    result = vmm_run(*linux('panic'), '--no-reboot')
    expect(result.code == 6 and 'INIT panic' in result.out, result)


def tells_of_a_panic():
    """Once, and goes on by itself: it starts anew."""
    with Running(*linux_script('load pvpanic pvpanic-mmio; echo c > /proc/sysrq-trigger')) as run:
        run.wait_event({'event': 'panicked'})
        run.wait_event({'event': 'reset'})
        run.wait_event({'event': 'panicked'})


def disks():
    """Contents read, written and read back from outside; a read-only disk stays as it is."""
    contents = os.urandom(4 * MIB)
    with tempfile.NamedTemporaryFile() as source, tempfile.NamedTemporaryFile() as copy:
        source.write(contents)
        source.flush()
        copy.truncate(4 * MIB)
        result = vmm_run(*linux('disk'), '--disk', f'{source.name},readonly=on', '--disk', copy.name, '--stats')
        expect(result.code == 0 and 'DISK 8192 1 0 disk0' in result.out and 'WROTE' not in result.out, result)
        with open(source.name, 'rb') as file:
            expect(file.read() == contents, 'the read-only disk changed')
        with open(copy.name, 'rb') as file:
            expect(file.read() == contents, 'the copy differs')
        expect('"disk_requests": 0' not in result.out, result)


def full_file_system():
    """No room for what the guest writes: it stands still and is told nothing, until there is."""
    contents = os.urandom(8 * MIB)
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as source:
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=10m', 'none', folder], check=True)
        filler, copy = pathlib.Path(folder, 'filler'), pathlib.Path(folder, 'disk')
        try:
            filler.write_bytes(bytes(6 * MIB))
            with open(copy, 'wb') as file:
                file.truncate(8 * MIB)
            source.write(contents)
            source.flush()
            with Running(*linux('copy'), '--disk', f'{source.name},readonly=on', '--disk', copy) as run:
                for resumes in (1, 0):  # resumed too early it pauses again
                    event = run.wait_kind('paused')
                    expect(event['device'] == 'disk1' and str(copy) in event['why'], event)
                    first = run.ask('stats')
                    expect(first['state'] == 'paused' and run.ask('stats')['exits_user'] == first['exits_user'], first)
                    expect('COPIED' not in run.said(), run.said())
                    if resumes:
                        run.ask('resume')
                expect(event['why'] in run.errors.read_text(), run.errors.read_text())
                filler.unlink()
                run.ask('resume')
                result = run.wait()
            expect(result.code == 0 and 'SAME' in result.out and 'COMPLAINT' not in result.out, result)
            expect(copy.read_bytes() == contents, 'the copy differs')
        finally:
            subprocess.run(['umount', folder], check=True)


def full_file_system_without_control():
    """SIGCONT resumes where there is no socket."""
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as source:
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'none', folder], check=True)
        try:
            copy = pathlib.Path(folder, 'disk')
            for file, contents in ((source.name, os.urandom(4 * MIB)), (copy, b'')):
                with open(file, 'wb') as out:
                    out.write(contents)
                    out.truncate(4 * MIB)
            run = subprocess.Popen([guests.VMM_RUN, *linux('copy'), '--disk', f'{source.name},readonly=on', '--disk', copy],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            expect(str(copy) in run.stderr.readline(), 'what it says')
            expect(f'kill -CONT {run.pid}' in run.stderr.readline(), 'how to go on')
            subprocess.run(['mount', '-o', 'remount,size=8m', folder], check=True)
            run.send_signal(signal.SIGCONT)
            out, err = run.communicate(timeout=guests.LIMIT)
            expect(run.returncode == 0 and 'SAME' in out, (out, err))
        finally:
            subprocess.run(['umount', folder], check=True)


def random_numbers():
    result = vmm_run(*linux('rng'))
    expect('RNG virtio_rng.0 64' in result.out, result)


def console():
    """What the guest writes to hvc0 comes out, what is typed goes in, and no line is lost on the way."""
    word = os.urandom(8).hex()
    with tempfile.NamedTemporaryFile() as serial:
        run = subprocess.Popen([guests.VMM_RUN, *linux('console'), '--serial', f'file:{serial.name}', '--console', 'stdio'],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        expect(run.stdout.readline().strip() == 'GUEST here', 'the first line')
        out, err = run.communicate(word + '\n', timeout=guests.LIMIT)
        said = open(serial.name, errors='replace').read()
    expect(run.returncode == 0 and f'HEARD {word}' in said, (said, out, err))
    expect(out.split('\n') == [f'LINE {n} of a long text' for n in range(1, 2001)] + [''], out)


def count_pixels(path, colour):
    """The size of a picture, and how many of its pixels have the colour."""
    size = subprocess.run(['identify', '-format', '%wx%h', path], capture_output=True, text=True, check=True).stdout
    told = subprocess.run(['convert', path, '-alpha', 'off', '-fill', 'black', '+opaque', colour, '-fill', 'white', '-opaque', colour,
                           '-format', '%[fx:round(mean*w*h)]', 'info:'], capture_output=True, text=True, check=True).stdout
    return size, float(told)


def graphics():
    """A picture on the screen is the picture in the file; keys and the pointer arrive."""
    with Running(*linux('graphics'), '--graphics') as run:
        run.wait_said('PAINTED 1280,800')
        picture = run.folder / 'picture.png'
        run.ask('screenshot', path=str(picture))
        size, n_grey = count_pixels(picture, '#414141')
        # the text console may still show a line and its cursor
        expect(size == '1280x800' and n_grey > 0.9 * 1280 * 800, (size, n_grey))
        expect(count_pixels(picture, '#434343')[1] == 0, 'another grey is not there')
        run.ask('key', code=30, pressed=True)
        run.wait_said('EVENT 1 30 1 0')
        run.ask('pointer', x=0.5, y=0.25)
        run.wait_said('EVENT 3 0 16')
        run.ask('quit')
        expect(run.wait().code == 0, 'ended')


def power_button():
    with Running(*linux('button')) as run:
        run.wait_said('WAITING')
        expect('PRESSED' not in run.said(), run.said())
        run.ask('power-button')
        result = run.wait()
        expect(result.code == 0 and 'PRESSED' in result.out, result)


def last_tick(run, cpu):
    words = [line for line in run.said().split() if line.startswith(f'TICK-{cpu}-')]
    return len(words)


def pause_and_resume():
    """Both processors stand still, and both go on."""
    with Running(*linux('tick'), '--cpus', '2') as run:
        for _ in range(3):
            before = [last_tick(run, cpu) for cpu in (0, 1)]
            run.wait_until(lambda: all(last_tick(run, cpu) > before[cpu] for cpu in (0, 1)))
            run.ask('pause')
            first, said = run.ask('stats'), run.said()
            expect(run.ask('stats')['exits_user'] == first['exits_user'] and run.said() == said, 'it did not stand still')
            run.ask('resume')
        expect('soft lockup' not in run.said() and 'rcu' not in run.said(), run.said())


def no_emulator():
    """What runs here is ours alone."""
    with Running(*linux('tick')) as run:
        run.wait_said('TICK')
        found = subprocess.run(['pgrep', '-l', 'qemu'], capture_output=True, text=True).stdout
        expect(found == '', found)


guests.main([one_processor, two_processors, memory_above_4_gib, pvh_kernel, exit_code, reboots, time_goes_on_after_a_triple_fault,
             reboots_with_two_processors,
             panics, tells_of_a_panic, disks, full_file_system, full_file_system_without_control, random_numbers, console, graphics, power_button, pause_and_resume, no_emulator])
