#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stock OVMF, GRUB and Debian's kernel under vmm-run in the box. Apart from SeaBIOS (bios.py)
because the box's emulator often crashes under it, and then all of a program is run again."""
import guests
from guests import expect
from pc import CD, DISK_BEHIND_PORT, Machine


def uefi_from_disc():
    """Variables of a first start are in their file, and the machine starts with them again."""
    with Machine('uefi', '--cdrom', CD, '--cpus', '2') as machine:
        machine.choose(0)
        machine.check_power_off(2)
        changed = machine.nvram.read_bytes()
        expect(len(changed) % 4096 == 0 and b'B\0o\0o\0t\0O\0r\0d\0e\0r\0' in changed, 'the order of starting is kept')


def uefi_from_port():
    with Machine('uefi', *DISK_BEHIND_PORT) as machine:
        machine.check_ports(2)  # by GRUB, and by the firmware, which says all that is on its screen


guests.main([uefi_from_disc, uefi_from_port])
