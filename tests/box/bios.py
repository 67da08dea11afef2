#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stock SeaBIOS, stock GRUB and Debian's kernel under vmm-run in the box: from the reset vector to
power-off, with a key of the PC's keyboard on the way."""
import shutil
import tempfile

import guests
from guests import expect
from pc import CD, DISK_BEHIND_PORT, Machine


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


def bios_from_port():
    with Machine('bios', *DISK_BEHIND_PORT) as machine:
        machine.check_ports()


def bios_from_port_first():
    """The disk is behind a port, and before the disc in the order."""
    # Of a disk's first sector, in 16 bits: out 0x3f8, 'D'; out 0x604, 0x2000, which turns the machine off.
    code = b'\xba\xf8\x03\xb0D\xee\xba\x04\x06\xb8\x00\x20\xef\xf4\xeb\xfd'
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(code.ljust(510, b'\0') + b'\x55\xaa' + bytes(1 << 20))
        disk.flush()
        with Machine('bios', '--cdrom', CD, '--boot', 'cd', '--ports', '1', '--disk',
                     f'{disk.name},format=raw,hotplug=on') as machine:
            result = machine.wait()
    expect(result.code == 0 and result.out == 'D', result)


def bios_without_anything():
    with Machine('bios') as machine:
        machine.wait_until(lambda: 'No bootable device' in machine.words())
        machine.ask('quit')
        expect(machine.wait().code == 0, 'ended')


guests.main([bios_from_disk, bios_from_sata, bios_from_disc_and_again, bios_from_port, bios_from_port_first,
             bios_without_anything])
