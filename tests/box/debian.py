#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Debian system as people have it (packaging/guest-debian.sh), on a qcow2 disk, by stock firmware and
GRUB: to a login on the screen, through a restart, and off; by what is typed on its keyboard."""
import os
import pathlib
import subprocess
import tempfile

import guests
from guests import expect
from pc import COMPLAINTS, Machine

DISK = guests.KERNEL.parent.parent / 'debian/disk.qcow2'
KEYS = dict(zip('1234567890-=', range(2, 14))) | dict(zip('qwertyuiop[]\n', range(16, 29))) | \
    dict(zip("asdfghjkl;'", range(30, 41))) | dict(zip('zxcvbnm,./', range(44, 54))) | {' ': 57}
LOGIN = 'guest login:'


def type_text(machine, text):
    for letter in text:
        machine.ask('key', code=KEYS[letter])


def log_in(machine, times):
    """On the screen, where the prompt is read; the system says who is there on the serial line, because
    reading screens takes long in the box."""
    machine.wait_said(LOGIN, times)
    machine.wait_until(lambda: 'login:' in machine.words())
    type_text(machine, 'root\n')
    machine.wait_said('LOGGED IN', times)


def lives(firmware, cpus, bus='virtio'):
    """Two boots of one disk."""
    folder = pathlib.Path(tempfile.mkdtemp())
    disk = folder / 'disk.qcow2'
    subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', DISK, '-F', 'qcow2', disk], check=True)
    with Machine(firmware, '--disk', f'{disk},format=qcow2,bus={bus},discard=on', '--memory', '1G', '--cpus', str(cpus),
                 '--net', 'user', '--usb', '--cdrom', 'none') as machine:
        for times, last_words in ((1, 'reboot\n'), (2, 'poweroff\n')):
            log_in(machine, times)
            type_text(machine, '/check\n')
            machine.wait_said('CHECKED', times)
            type_text(machine, last_words)
        result = machine.wait()
    expect(result.code == 0 and COMPLAINTS not in result.out, result)
    name = {'virtio': 'vda', 'sata': 'sda'}[bus]
    where = {'bios': 'BIOS', 'uefi': 'UEFI'}[firmware]
    expect(result.out.count(f'CHECKED {cpus} processors, /dev/{name}3 ext4, {where}') == 2, result)
    check = subprocess.run(['qemu-img', 'check', disk], capture_output=True, text=True)
    expect('No errors were found' in check.stdout, check.stdout + check.stderr)


def debian_by_bios():
    lives('bios', 2)


def debian_by_uefi():
    lives('uefi', 1)


def debian_by_bios_on_one_processor():
    lives('bios', 1)


def debian_by_uefi_on_two_processors():
    lives('uefi', 2)


def debian_on_sata():
    lives('bios', 2, 'sata')


SLOW = [debian_by_bios_on_one_processor, debian_by_uefi_on_two_processors, debian_on_sata]
if __name__ == "__main__":
    guests.main([debian_by_bios, debian_by_uefi] + (SLOW if os.environ.get('VIRTDESK_TEST_SLOW') else []))
