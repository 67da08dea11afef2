# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine with firmware, a screen and a keyboard, and the menu of GRUB that it starts."""
import pathlib
import subprocess
import tempfile

import guests
from guests import Running, expect

CD = guests.BUILD / 'tests/box/guest-cd'
KEY_ENTER, KEY_DOWN = 28, 108
ENTRIES = 'off', 'reboot', 'screen', 'plug'  # of the menu, as guest-cd.sh makes it
COMPLAINTS = 'COMPLAINT'
DISK_BEHIND_PORT = '--ports', '2', '--disk', f'{CD},format=raw,readonly=on,hotplug=on'


def words_on(picture):
    """What can be read there; the letters are small, and most of it is empty, which takes as long to read."""
    large = picture.with_suffix('.large.png')
    subprocess.run(['convert', picture, '-fuzz', '10%', '-trim', '+repage', '-scale', '300%', '-negate',
                    '-bordercolor', 'white', '-border', '30', large], check=True)
    return subprocess.run(['tesseract', large, '-', '--psm', '6'], capture_output=True, text=True, check=True).stdout


class Machine(Running):
    """Where OVMF ends the box's emulator (see docs/testing.md) the box tries again, so nothing here
    does."""

    def __init__(self, firmware, *options):
        nvram = pathlib.Path(tempfile.mkdtemp()) / 'nvram'
        super().__init__('--firmware', firmware, *(['--nvram', nvram] if firmware == 'uefi' else []), '--graphics',
                         *options)
        self.nvram = nvram

    def choose(self, entry, times=1):
        """GRUB's menu: it was shown @times, and entry number @entry is taken. By UEFI it loses keys that come
        faster than it draws."""
        self.wait_said(f'Guest {ENTRIES[-1]}', times)
        for name in ENTRIES[1:entry + 1]:
            before = self.said().count(f'*Guest {name}')
            self.ask('key', code=KEY_DOWN)
            self.wait_until(lambda: self.said().count(f'*Guest {name}') > before)
        self.ask('key', code=KEY_ENTER)

    def words(self):
        """What is on the screen, which may be dark yet."""
        path = self.folder / 'screen.png'
        try:
            self.ask('screenshot', path=str(path))
        except ValueError as why:
            return str(why)
        return words_on(path)

    def check_ports(self, times=1):
        """The menu is said @times, by what started from a disk behind a port; another one comes behind the
        other. Firmware has given both their memory."""
        with tempfile.NamedTemporaryFile() as disk:
            disk.truncate(1 << 20)
            self.choose(3, times)
            self.wait_said('READ vda disk0')
            self.ask('attach', disk=f'{disk.name},format=raw')
            result = self.wait()
        expect(result.code == 0 and 'READ vdb disk1' in result.out and COMPLAINTS not in result.out, result)

    def check_power_off(self, cpus=1):
        result = self.wait()
        expect(result.code == 0 and f'CPUS {cpus} CORES {cpus} PACKAGES 1' in result.out, result)
        expect(COMPLAINTS not in result.out and 'hpet' in result.out, result)
