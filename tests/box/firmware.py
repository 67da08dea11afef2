#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stock firmware, stock GRUB and Debian's kernel under vmm-run in the box: from the reset vector to
power-off, with a key of the PC's keyboard on the way."""
import pathlib
import subprocess
import tempfile

import guests
from guests import Running, expect

CD = guests.BUILD / 'tests/box/guest-cd'
KEY_ENTER, KEY_DOWN = 28, 108
COMPLAINTS = 'COMPLAINT'


def words_on(picture):
    """What can be read there; the letters are small."""
    large = picture.with_suffix('.large.png')
    subprocess.run(['convert', picture, '-scale', '300%', '-negate', large], check=True)
    return subprocess.run(['tesseract', large, '-', '--psm', '6'], capture_output=True, text=True, check=True).stdout


class Machine(Running):
    """A machine with firmware, a screen and a keyboard. Where OVMF ends the box's emulator (see
    docs/testing.md) the box tries again, so nothing here does."""

    def __init__(self, firmware, *options):
        nvram = pathlib.Path(tempfile.mkdtemp()) / 'nvram'
        super().__init__('--firmware', firmware, *(['--nvram', nvram] if firmware == 'uefi' else []), '--graphics',
                         *options)
        self.nvram = nvram

    def choose(self, entry, times=1):
        """GRUB's menu: it was shown @times, and entry number @entry is taken."""
        self.wait_said('Guest screen', times)
        for key in [KEY_DOWN] * entry + [KEY_ENTER]:
            self.ask('key', code=key)

    def picture(self):
        path = self.folder / 'screen.png'
        self.ask('screenshot', path=str(path))
        return words_on(path)

    def check_power_off(self, cpus=1):
        result = self.wait()
        expect(result.code == 0 and f'CPUS {cpus} CORES {cpus} PACKAGES 1' in result.out, result)
        expect(COMPLAINTS not in result.out, result)


def bios_from_disk():
    with Machine('bios', '--disk', f'{CD},format=raw,readonly=on') as machine:
        machine.choose(0)
        machine.check_power_off()


def bios_from_sata():
    with Machine('bios', '--disk', f'{CD},format=raw,readonly=on,bus=sata', '--cpus', '2') as machine:
        machine.choose(0)
        machine.check_power_off(2)


def bios_from_disc_and_again():
    """What the firmware and GRUB show is on the screen; the guest restarts, and firmware starts it again."""
    with Machine('bios', '--cdrom', CD) as machine:
        machine.wait_said('Guest screen')
        words = machine.picture()
        expect('GRUB' in words and 'Guest reboot' in words, words)
        machine.choose(1)
        machine.wait_said('INIT reboot')
        machine.choose(0, 2)
        machine.check_power_off()


def bios_without_anything():
    with Machine('bios') as machine:
        machine.wait_until(lambda: 'No bootable device' in machine.picture())
        machine.ask('quit')
        expect(machine.wait().code == 0, 'ended')


def uefi_from_disc():
    """Variables of a first start are in their file, and the machine starts with them again."""
    with Machine('uefi', '--cdrom', CD, '--cpus', '2') as machine:
        machine.choose(0)
        machine.check_power_off(2)
        changed = machine.nvram.read_bytes()
        expect(len(changed) % 4096 == 0 and b'B\0o\0o\0t\0O\0r\0d\0e\0r\0' in changed, 'the order of starting is kept')


guests.main([bios_from_disk, bios_from_sata, bios_from_disc_and_again, bios_without_anything, uefi_from_disc])
