#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""SATA disks and CD drives: Debian's kernel uses them, and SeaBIOS starts from them."""
import hashlib
import os
import pathlib
import subprocess
import tempfile

from guests import Running, expect, linux, vmm_run

MIB = 1 << 20
BIOS = '/usr/share/seabios/bios-256k.bin'


def make_iso(folder, name, word, *options):
    """An ISO image with one file in it, "word"."""
    tree, iso = pathlib.Path(folder, name), pathlib.Path(folder, f'{name}.iso')
    tree.mkdir()
    (tree / 'word').write_text(word)
    (tree / 'boot').write_bytes(boot_code(ord(word[0]), 9))
    subprocess.run(['xorriso', '-as', 'mkisofs', '-quiet', '-o', iso, *options, tree], check=True, stderr=subprocess.DEVNULL)
    return iso


def boot_code(letter, value):
    """Says a letter on the serial port, in 16 bits, and ends the run."""
    return bytes([0xba, 0xf8, 0x03, 0xb0, letter, 0xee, 0xba, 0xf4, 0x00, 0xb0, value, 0xee, 0xf4, 0xeb, 0xfd])


def disks():
    """Contents read, written and read back from outside; a disc that ends within a block reads on as zeros."""
    contents, disc = os.urandom(4 * MIB), os.urandom(300 * 2048 + 512)
    with tempfile.NamedTemporaryFile() as source, tempfile.NamedTemporaryFile() as copy, tempfile.NamedTemporaryFile() as iso:
        for file, what in ((source, contents), (iso, disc)):
            file.write(what)
            file.flush()
        copy.truncate(4 * MIB)
        result = vmm_run(*linux('sata'), '--disk', f'{source.name},bus=sata', '--disk', f'{copy.name},bus=sata',
                         '--cdrom', iso.name, '--cpus', '2')
        expect(result.code == 0 and 'SAME' in result.out and 'COMPLAINT' not in result.out, result)
        expect('DEPTH 32' in result.out and f'SIZES 8192 {301 * 4}' in result.out, result)
        digest = hashlib.md5(disc + bytes(1536)).hexdigest()
        expect(f'DISC {digest}' in result.out, (digest, result))
        with open(copy.name, 'rb') as file:
            expect(file.read() == contents, 'the copy differs')
        with open(source.name, 'rb') as file:
            expect(file.read() == contents, 'what was only read changed')


def discs_change():
    """A disc in use is not taken away, but asked for; then it goes, and another one comes."""
    with tempfile.TemporaryDirectory() as folder:
        one, two = make_iso(folder, 'one', 'first'), make_iso(folder, 'two', 'second')
        with Running(*linux('cdrom'), '--cdrom', one, '--cdrom', 'none') as run:
            run.wait_said('WORD first')
            try:
                run.ask('eject', device='cdrom0')
                expect(False, 'a disc in use was taken away')
            except ValueError as error:
                expect('asked to release it' in str(error), error)
            run.wait_said('RELEASED')
            run.ask('eject', device='cdrom0')
            run.wait_said('EMPTY')
            for wrong, why in ((f'{folder}/none.iso', 'No such file'), (folder, 'not a CD image'), (BIOS + 'x', 'No such file')):
                try:
                    run.ask('insert', device='cdrom0', path=str(wrong))
                    expect(False, wrong)
                except ValueError as error:
                    expect(why in str(error), error)
            run.ask('insert', device='cdrom0', path=str(two))
            run.wait_said('WORD second')
            result = run.wait()
        expect(result.code == 0 and 'COMPLAINT' not in result.out, result)


def discs_by_force():
    with tempfile.TemporaryDirectory() as folder:
        one = make_iso(folder, 'one', 'first')
        with Running(*linux('cdrom'), '--cdrom', one) as run:
            run.wait_said('WORD first')
            run.ask('eject', device='cdrom0', force=True)
            for device in ('cdrom1', 'disk0', 'ahci'):
                try:
                    run.ask('eject', device=device)
                    expect(False, device)
                except ValueError as error:
                    expect('has no CD drive' in str(error), error)


def what_is_no_disc():
    for wrong, why in (('/nowhere.iso', 'No such file'), ('/dev', 'not a CD image'), ('/dev/null', 'not a CD image')):
        result = vmm_run(*linux('off'), '--cdrom', wrong)
        expect(result.code == 2 and why in result.err and result.err.count('\n') == 1, result)


def bios_starts_from_cd():
    with tempfile.TemporaryDirectory() as folder:
        iso = make_iso(folder, 'one', 'Compact', '-b', 'boot', '-no-emul-boot', '-boot-load-size', '4')
        result = vmm_run('--firmware', BIOS, '--cdrom', iso, '--debug-exit', '--memory', '64M')
    expect(result.code == 19 and result.out.endswith('C'), result)


def bios_starts_from_sata_disk():
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(boot_code(ord('D'), 7).ljust(510, b'\0') + b'\x55\xaa' + bytes(MIB - 512))
        disk.flush()
        result = vmm_run('--firmware', BIOS, '--disk', f'{disk.name},bus=sata,format=raw', '--debug-exit', '--memory', '64M')
    expect(result.code == 15 and result.out.endswith('D'), result)


if __name__ == '__main__':
    import guests
    guests.main([disks, discs_change, discs_by_force, what_is_no_disc, bios_starts_from_cd, bios_starts_from_sata_disk])
