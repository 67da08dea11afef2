#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs the sample machine's initrd: make-initrd.py KERNEL_FOLDER WELCOME INIT OUTPUT [MODULE...].
KERNEL_FOLDER is what packaging/guest-kernel.sh made. The same input gives the same bytes."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

MODULES = '''button evdev virtio_blk virtio_net virtio-rng virtio_input virtio_gpu usbhid hid-generic xhci_pci
  psmouse bochs qemu_fw_cfg'''.split()


def module_files(kernel, version, root, more):
    base = root / 'base'
    (base / 'lib').mkdir(parents=True)
    (base / 'lib/modules').symlink_to((kernel / 'modules').resolve())
    files = []
    for module in MODULES + more:
        shown = subprocess.run(['/sbin/modprobe', '-d', base, '-S', version, '--show-depends', module],
                               capture_output=True, text=True, check=True).stdout
        for line in shown.splitlines():
            if line.startswith('insmod') and line.split()[1] not in files:
                files.append(line.split()[1])
    return files


def main():
    kernel, welcome, init, output = (pathlib.Path(argument) for argument in sys.argv[1:5])
    more = sys.argv[5:]
    version = next((kernel / 'modules').iterdir()).name
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        root = temporary / 'root'
        for folder in 'bin dev etc lib proc root sys tmp'.split():
            (root / folder).mkdir(parents=True)
        shutil.copy(kernel / 'busybox', root / 'bin/busybox')
        shutil.copy(welcome, root / 'bin/welcome')
        shutil.copy(init, root / 'init')
        names = []
        for file in module_files(kernel, version, temporary, more):
            name = os.path.basename(file).removesuffix('.xz')
            with open(root / 'lib' / name, 'wb') as out:
                subprocess.run(['xz', '-dc', file] if file.endswith('.xz') else ['cat', file], stdout=out, check=True)
            names.append(name)
        (root / 'modules').write_text('\n'.join(names) + '\n')
        for file in [root, *root.rglob('*')]:
            file.chmod(0o755)
            os.utime(file, (0, 0))
        listing = '\n'.join(sorted(str(file.relative_to(root)) for file in root.rglob('*')))
        archive = subprocess.run(['cpio', '-o', '-H', 'newc', '-R', '0:0', '--quiet', '--reproducible'], cwd=root,
                                 input=listing.encode(), capture_output=True, check=True).stdout
    packed = subprocess.run(['zstd', '-19', '-q', '-c'], input=archive, capture_output=True, check=True).stdout
    output.write_bytes(packed)


if __name__ == '__main__':
    main()
