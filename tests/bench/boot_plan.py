# SPDX-License-Identifier: GPL-3.0-or-later
"""What boot.py runs in the box: a bare machine that starts a kernel, and the desktop machine (screen,
USB keyboard and tablet, disk, network) that starts one directly, by SeaBIOS and by OVMF."""
import shutil
import subprocess
import sys

APPEND = 'console=ttyS0 quiet reboot=t panic=-1'
GRUB_CFG = f'''set timeout=0
menuentry bench {{
  linux /vmlinuz {APPEND}
  initrd /initrd
}}
'''
OVMF_CODE, OVMF_VARS = '/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'


def make_initrd(build, folder):
    root = folder / 'root'
    (root / 'dev').mkdir(parents=True)
    shutil.copy(build / 'tests/bench/boot-init', root / 'init')
    subprocess.run(f'cd {root} && find . | cpio -o -H newc --quiet > {folder}/initrd', shell=True, check=True)
    return folder / 'initrd'


def make_disk(kernel, initrd, folder):
    """GRUB for both kinds of firmware, which starts the same kernel at once."""
    root = folder / 'disk-root'
    (root / 'boot/grub').mkdir(parents=True)
    (root / 'boot/grub/grub.cfg').write_text(GRUB_CFG)
    shutil.copy(kernel / 'vmlinuz', root / 'vmlinuz')
    shutil.copy(initrd, root / 'initrd')
    subprocess.run(['grub-mkrescue', '-o', folder / 'disk', root], check=True, capture_output=True)
    return folder / 'disk'


def monitors(build, memory):
    ours = [str(build / 'vmm-core/tools/vmm-run'), '--memory', memory, '--cpus', '1', '--serial', 'stdio']
    peer = ['qemu-system-x86_64', '-accel', 'kvm', '-cpu', 'host', '-smp', '1', '-m', memory, '-nodefaults',
            '-no-user-config', '-display', 'none', '-serial', 'stdio', '-object', f'memory-backend-memfd,id=ram,size={memory}']
    return ours, peer


def bare(top, build, kernel, folder):
    vmlinux, initrd = folder / 'vmlinux', make_initrd(build, folder)
    subprocess.run([sys.executable, top / 'tests/box/unpack-kernel.py', kernel / 'vmlinuz', vmlinux], check=True)
    ours, peer = monitors(build, '256M')
    start = ['--initrd', str(initrd), '--append', APPEND]
    peer += ['-kernel', str(kernel / 'vmlinuz'), '-initrd', str(initrd), '-append', APPEND]
    return {
        'vmm-run bzImage': [*ours, '--kernel', str(kernel / 'vmlinuz'), *start],
        'vmm-run PVH': [*ours, '--kernel', str(vmlinux), *start],
        'QEMU microvm': [*peer, '-M', 'microvm,memory-backend=ram'],
        'QEMU q35': [*peer, '-M', 'q35,memory-backend=ram'],
    }


def with_variables(name, command):
    """Each run with the variables of the first day."""
    return ['sh', '-c', f'cp {OVMF_VARS} /tmp/{name} && exec "$@"', 'sh', *command]


def desktop(build, kernel, folder):
    """By how it starts: ours and the peer's."""
    initrd = make_initrd(build, folder)
    disk = str(make_disk(kernel, initrd, folder))
    ours, peer = monitors(build, '512M')
    ours += ['--graphics', '--usb', '--net', 'user', '--disk', f'{disk},format=raw,readonly=on']
    peer += ['-M', 'q35,memory-backend=ram', '-device', 'virtio-vga', '-device', 'qemu-xhci', '-device', 'usb-kbd',
             '-device', 'usb-tablet', '-device', 'virtio-rng-pci', '-netdev', 'user,id=n0', '-device', 'virtio-net-pci,netdev=n0',
             '-blockdev', f'driver=raw,node-name=d0,read-only=on,file.driver=file,file.filename={disk},file.aio=io_uring',
             '-object', 'iothread,id=io0', '-device', 'virtio-blk-pci,drive=d0,iothread=io0,bootindex=1']
    flash = ['-drive', f'if=pflash,format=raw,readonly=on,file={OVMF_CODE}', '-drive', 'if=pflash,format=raw,file=/tmp/peer-vars']
    return {
        'direct': {
            'vmm-run': [*ours, '--kernel', str(kernel / 'vmlinuz'), '--initrd', str(initrd), '--append', APPEND],
            'QEMU q35': [*peer, '-kernel', str(kernel / 'vmlinuz'), '-initrd', str(initrd), '-append', APPEND],
        },
        'SeaBIOS': {'vmm-run': [*ours, '--firmware', 'bios'], 'QEMU q35': peer},
        'OVMF': {
            'vmm-run': with_variables('our-vars', [*ours, '--firmware', 'uefi', '--nvram', '/tmp/our-vars']),
            'QEMU q35': with_variables('peer-vars', [*peer, *flash]),
        },
    }
