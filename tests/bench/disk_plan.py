# SPDX-License-Identifier: GPL-3.0-or-later
"""What disk.py runs in the box: one guest, its disk by ours and the peer, as raw file and as qcow2."""
import os
import sys

SCRIPT = '''
load virtio_blk
{flows}
'''
FLOW = 'echo READY; read -r line; /drill /dev/vda {pattern} {bytes} {depth} {count}\n'
FLOWS = [
    {'name': '4 KiB reads, depth 1', 'pattern': 'read', 'bytes': 4096, 'depth': 1, 'count': 4000},
    {'name': '4 KiB reads, depth 8', 'pattern': 'read', 'bytes': 4096, 'depth': 8, 'count': 8000},
    {'name': '4 KiB writes, depth 8', 'pattern': 'write', 'bytes': 4096, 'depth': 8, 'count': 8000},
    {'name': '128 KiB reads, depth 8', 'pattern': 'read', 'bytes': 131072, 'depth': 8, 'count': 2000},
]


def make_initrd(top, build, kernel, folder):
    os.environ.update(TEST_BUILD=str(build), VIRTDESK_KERNEL=str(kernel))
    sys.path.insert(0, str(top / 'tests/box'))
    import guests
    script = SCRIPT.format(flows=''.join(FLOW.format(**flow) for flow in FLOWS))
    first = (build / 'tests/box/guest-initrd').read_bytes()
    more = guests.archive({'script': script.encode(), 'drill': (build / 'tests/bench/drill').read_bytes()})
    path = folder / 'initrd'
    path.write_bytes(first + bytes(-len(first) % 4) + more)
    return str(path)


def plan(top, build, kernel, folder):
    """Words with DISK in the place of the image's path, which is made where they run."""
    start = {'kernel': str(kernel / 'vmlinuz'), 'initrd': make_initrd(top, build, kernel, folder),
             'append': 'console=ttyS0 quiet panic=-1 test=script'}
    ours = [str(build / 'vmm-core/tools/vmm-run'), '--memory', '256M', '--cpus', '1', '--serial', 'stdio']
    peer = ['qemu-system-x86_64', '-M', 'q35', '-accel', 'kvm', '-cpu', 'host', '-smp', '1', '-m', '256M', '-nodefaults',
            '-no-user-config', '-display', 'none', '-serial', 'stdio', '-object', 'iothread,id=io0',
            '-device', 'virtio-blk-pci,drive=d0,iothread=io0']
    cases = {}
    for kind in ('raw', 'qcow2'):
        file = 'driver=file,filename=DISK,aio=io_uring,cache.direct=on'
        driver = f'driver={kind},node-name=d0,file.' + file.replace(',', ',file.')
        cases[f'vmm-run {kind}'] = (kind, [*ours, *(word for key, value in start.items() for word in (f'--{key}', value)),
                                           '--disk', f'DISK,format={kind}'])
        cases[f'QEMU {kind}'] = (kind, [*peer, *(word for key, value in start.items() for word in (f'-{key}', value)),
                                        '-blockdev', driver])
    return {'flows': FLOWS, 'cases': cases}
