#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stock SeaBIOS, stock GRUB and Debian's kernel under vmm-run in the box: from the reset vector to
power-off, with a key of the PC's keyboard on the way."""
import shutil
import tempfile

import guests
from guests import expect
from pc import CD, Machine


def empty(disk):
    """The name of a disk with nothing to start from."""
    disk.truncate(1 << 20)
    return disk.name


def bios_from_disk():
    with Machine('bios', '--disk', f'{CD},format=raw,readonly=on') as machine:
        machine.choose(0)
        machine.check_power_off()


def bios_from_sata():
    with tempfile.NamedTemporaryFile() as disk:
        shutil.copy(CD, disk.name)  # such a disk is never read-only
        with Machine('bios', '--disk', f'{disk.name},format=raw,bus=sata', '--cpus', '2') as machine:
            machine.choose(0)
            machine.check_power_off(2)


def bios_from_disc_and_again():
    """What the firmware and GRUB show is on the screen; the guest restarts, and firmware starts it again."""
    with tempfile.NamedTemporaryFile() as disk, Machine('bios', '--cdrom', CD, '--boot', 'dc', '--disk',
                                                         f'{empty(disk)},format=raw') as machine:
        machine.wait_until(lambda: 'Guest reboot' in machine.words())
        machine.choose(1)
        machine.wait_said('INIT reboot')
        machine.choose(0, 2)
        machine.check_power_off()


def bios_without_anything():
    with Machine('bios') as machine:
        machine.wait_until(lambda: 'No bootable device' in machine.words())
        machine.ask('quit')
        expect(machine.wait().code == 0, 'ended')


guests.main([bios_from_disk, bios_from_sata, bios_from_disc_and_again, bios_without_anything])
