#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""USB keyboard and tablet on the xHCI controller: Debian's kernel and SeaBIOS use them."""
import pathlib
import tempfile

from guests import Running, expect, linux, main, vmm_run

BIOS = '/usr/share/seabios/bios-256k.bin'


def linux_hears():
    """Keys, place, buttons and wheels; nothing is lost in a burst that the guest can follow."""
    with Running(*linux('usb'), '--graphics', '--usb') as run:
        run.wait_said('READY')
        said = run.said()
        expect('INPUT VirtDesk USB keyboard' in said and 'INPUT VirtDesk USB tablet' in said, said)
        run.ask('key', code=30)
        run.wait_said('keyboard: 1 30 1 0')
        run.wait_said('keyboard: 1 30 0 0')
        run.ask('pointer', x=0.5, y=0.25)
        run.wait_said('tablet: 3 0 16384')
        run.wait_said('tablet: 3 1 8192')
        run.ask('pointer', button='extra')
        run.wait_said('tablet: 1 276 1 0')
        run.wait_said('tablet: 1 276 0 0')
        run.ask('pointer', wheel=-3, hwheel=2)
        run.wait_said('tablet: 2 8 -3')
        run.wait_said('tablet: 2 6 2')
        run.ask('pause')  # what waits in the devices comes back to its ring
        run.ask('resume')
        run.ask('key', code=31)
        run.wait_said('keyboard: 1 31 1 0')
        expect('COMPLAINT' not in run.said(), run.said())


def idle_costs_nothing():
    """A guest that waits for input makes no exits to us: neither it nor the controller polls."""
    with Running(*linux('usb'), '--graphics', '--usb') as run:
        run.wait_said('READY')
        run.ask('key', code=30)
        run.wait_said('keyboard: 1 30 0 0')
        fewest = None
        for _ in range(5):
            before = run.ask('stats')
            run.wait_until(lambda: run.ask('stats')['run_ns'] > before['run_ns'] + 2_000_000_000)
            exits = run.ask('stats')['exits_user'] - before['exits_user']
            fewest = exits if fewest is None else min(fewest, exits)
        expect(fewest <= 2, fewest)


def bios_finds_keyboard():
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, 'log')
        disk = pathlib.Path(folder, 'disk')
        disk.write_bytes(bytes([0xba, 0xf4, 0x00, 0xb0, 7, 0xee, 0xf4, 0xeb, 0xfd]).ljust(510, b'\0') + b'\x55\xaa' + bytes(1 << 20))
        result = vmm_run('--firmware', BIOS, '--firmware-log', log, '--graphics', '--usb', '--debug-exit', '--memory', '64M',
                         '--disk', f'{disk},bus=sata,format=raw')
        said = log.read_text(errors='replace')
    expect(result.code == 15 and 'USB keyboard initialized' in said, (result, said))


if __name__ == '__main__':
    main([linux_hears, idle_costs_nothing, bios_finds_keyboard])
