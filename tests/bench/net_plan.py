# SPDX-License-Identifier: GPL-3.0-or-later
"""What net.py runs in the box: the guest, the monitors and their back ends, what flows."""
import os
import shutil
import subprocess
import sys

SCRIPT = '''
load failover net_failover virtio_net
ip link set lo up
ip link set eth0 up
ip addr add {guest}/24 dev eth0
until ping -c 1 -W 1 -q {host} > /dev/null; do :; done
{flows}
ip link set eth0 down
echo IDLE
while :; do sleep 1000; done
'''
GUEST = {'10.0.2.2': '10.0.2.15', '10.2.2.1': '10.2.2.2'}
# In the user's own network the host's loopback is at the router's address.
LISTEN = {'10.0.2.2': '127.0.0.1', '10.2.2.1': '10.2.2.1'}
FLOWS = [('receive', 64), ('send', 64), ('echo', 500)]


def make_initrd(top, build, kernel, folder, host):
    os.environ.update(TEST_BUILD=str(build), VIRTDESK_KERNEL=str(kernel))
    sys.path.insert(0, str(top / 'tests/box'))
    import guests
    flows = '\n'.join(f'/flow {host} 7777 {verb} {count}' for verb, count in FLOWS)
    script = SCRIPT.format(guest=GUEST[host], host=host, flows=flows)
    first = (build / 'tests/box/guest-initrd').read_bytes()
    more = guests.archive({'script': script.encode(), 'flow': (build / 'tests/bench/flow').read_bytes()})
    path = folder / f'initrd-{host}'
    path.write_bytes(first + bytes(-len(first) % 4) + more)
    return path


def plan(top, build, kernel, folder):
    initrds = {host: str(make_initrd(top, build, kernel, folder, host)) for host in GUEST}
    append = 'console=ttyS0 quiet panic=-1 test=script'
    ours = [str(build / 'vmm-core/tools/vmm-run'), '--memory', '256M', '--cpus', '1', '--serial', 'stdio']
    peer = ['qemu-system-x86_64', '-M', 'q35', '-accel', 'kvm', '-cpu', 'host', '-smp', '1', '-m', '256M', '-nodefaults',
            '-no-user-config', '-display', 'none', '-serial', 'stdio']
    cases = {}

    def add(name, host, monitor, options):
        dashes = '--' if monitor is ours else '-'
        words = [*monitor, f'{dashes}kernel', str(kernel / 'vmlinuz'), f'{dashes}initrd', initrds[host],
                 f'{dashes}append', append, *options]
        cases[name] = (LISTEN[host], words)

    card = ['-device', 'virtio-net-pci,netdev=n0']
    tap = 'tap,id=n0,ifname=tap0,script=no,downscript=no'
    add('vmm-run user', '10.0.2.2', ours, ['--net', 'user'])
    add('QEMU user', '10.0.2.2', peer, ['-netdev', 'user,id=n0', *card])
    add('vmm-run tap', '10.2.2.1', ours, ['--net', 'tap=tap0,vhost=off'])
    add('QEMU tap', '10.2.2.1', peer, ['-netdev', f'{tap},vhost=off', *card])
    add('vmm-run vhost', '10.2.2.1', ours, ['--net', 'tap=tap0'])
    add('QEMU vhost', '10.2.2.1', peer, ['-netdev', f'{tap},vhost=on', *card])
    return {'flows': FLOWS, 'cases': cases}
