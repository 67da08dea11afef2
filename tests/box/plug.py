#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks and network cards attached to Debian's kernel while it runs, used, and detached."""
import os
import pathlib
import tempfile

from guests import Running, expect, linux_script, main, vmm_run

MIB = 1 << 20

# Says what came, copies what a disk holds over its second half, and says when all is gone.
SCRIPT = '''
load virtio_blk failover net_failover virtio_net
echo READY
until [ -b /dev/vda ]; do sleep 0.1; done
dd if=/dev/vda of=/dev/vda bs=64k count=16 seek=16 conv=notrunc,fsync 2> /dev/null && echo "COPIED $(cat /sys/block/vda/serial)"
until [ -e /sys/class/net/eth0 ]; do sleep 0.1; done
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ping -c 3 -q 10.0.2.2 | grep received
echo USED
while [ -b /dev/vda ] || [ -e /sys/class/net/eth0 ]; do sleep 0.1; done
echo GONE
for n in 1 2; do
  until [ -b /dev/vda ]; do sleep 0.1; done
  dd if=/dev/vda of=/dev/null bs=64k count=16 2> /dev/null && echo "AGAIN $n"
  while [ -b /dev/vda ]; do sleep 0.1; done
done
dmesg | grep -iE "pci|virtio|ACPI" | grep -iE "error|fail|can't|no space|conflict|bogus|invalid|FW.?BUG|firmware bug|not responding|timeout" | sed 's/^/COMPLAINT /'
dmesg | grep -E 'BUG:|WARNING: CPU|Call Trace|I/O error' | sed 's/^/COMPLAINT /'
poweroff -f
'''


# Has a disk and a card in use until they fail, and says when no program hangs that used them.
BUSY_SCRIPT = '''
load virtio_blk failover net_failover virtio_net
use() { while dd "$@" bs=4k count=64 2> /dev/null; do :; done; }
echo READY
for n in 1 2; do
  until [ -b /dev/vda ] && [ -e /sys/class/net/eth0 ]; do sleep 0.1; done
  use if=/dev/zero of=/dev/vda oflag=direct & one=$!
  use if=/dev/vda of=/dev/null iflag=direct & two=$!
  ip link set eth0 up
  ip addr add 10.0.2.15/24 dev eth0
  ping -A -q 10.0.2.2 > /dev/null 2>&1 & three=$!
  sleep 1
  echo "BUSY $n"
  wait $one $two
  until [ -b /dev/vdb ]; do sleep 0.1; done
  dd if=/dev/vdb of=/dev/null bs=64k count=16 2> /dev/null && echo "AGAIN $n"
  while [ -b /dev/vda ] || [ -e /sys/class/net/eth0 ]; do sleep 0.1; done
  kill $three
  echo "GONE $n"
  while [ -b /dev/vdb ]; do sleep 0.1; done
done
dmesg | grep -E 'BUG:|WARNING: CPU|Call Trace' | sed 's/^/COMPLAINT /'
poweroff -f
'''


# Uses a disk that was there from the start, and a disk and a card that come, over and over; then they go.
SAVED_SCRIPT = '''
load virtio_blk failover net_failover virtio_net
until [ -b /dev/vda ]; do sleep 0.1; done
echo "READY $(cat /sys/block/vda/serial)"
until [ -b /dev/vdb ] && [ -e /sys/class/net/eth0 ]; do sleep 0.1; done
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
n=0
until [ -e /tmp/stop ]; do
  n=$((n + 1))
  echo "$n" | dd of=/dev/vdb bs=512 seek=$n conv=sync,fsync,notrunc 2> /dev/null
  [ "$(dd if=/dev/vdb bs=512 skip=$n count=1 iflag=direct 2> /dev/null | head -n 1)" = "$n" ] || echo "COMPLAINT: sector $n"
  dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct 2> /dev/null || echo "COMPLAINT: vda"
  ping -c 1 -q 10.0.2.2 | grep -q "1 packets received" && echo "TICK $n"
  [ $n != 9 ] || touch /tmp/stop
done
echo DONE
while [ -b /dev/vda ] || [ -b /dev/vdb ] || [ -e /sys/class/net/eth0 ]; do sleep 0.1; done
dmesg | grep -iE "pci|virtio" | grep -iE "error|fail|not responding|timeout" | sed 's/^/COMPLAINT /'
dmesg | grep -E 'BUG:|WARNING: CPU|Call Trace|I/O error|Link Down|Card not present' | sed 's/^/COMPLAINT /'
poweroff -f
'''


def attach(run, **what):
    return run.ask('attach', **what)


def cards_come_and_go(*options):
    contents = os.urandom(MIB)
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(contents + bytes(MIB))
        disk.flush()
        with Running(*linux_script(SCRIPT), '--ports', '2', *options) as run:
            run.wait_said('READY')
            expect(attach(run, disk=f'{disk.name},format=raw') == 'disk0', 'the name of the disk')
            run.wait_said('COPIED disk0')
            expect(attach(run, net='user') == 'net0', 'the name of the card')
            run.wait_said('USED')
            try:
                attach(run, net='user')
                expect(False, 'a third one in two ports')
            except ValueError as error:
                expect('taken' in str(error), error)
            for name in ('disk0', 'net0'):
                run.ask('detach', device=name)
                run.wait_event({'event': 'detached', 'device': name})
            run.wait_said('GONE')
            for n in (1, 2):
                attach(run, disk=f'{disk.name},format=raw')
                run.wait_said(f'AGAIN {n}')
                run.ask('detach', device='disk0')
                run.wait_event({'event': 'detached', 'device': 'disk0'})
            result = run.wait()
        expect(result.code == 0 and '3 packets received' in result.out, result)
        expect('COMPLAINT' not in result.out, result)
        with open(disk.name, 'rb') as file:
            expect(file.read() == contents * 2, 'what the guest wrote')


def one_processor():
    cards_come_and_go()


def two_processors():
    cards_come_and_go('--cpus', '2')


def taken_by_force():
    """From a guest that uses them: the image is the host's at once, and the guest does not hang."""
    with tempfile.NamedTemporaryFile() as disk:
        disk.truncate(MIB)
        with Running(*linux_script(BUSY_SCRIPT), '--ports', '3', '--cpus', '2') as run:
            run.wait_said('READY')
            for n in (1, 2):
                expect(attach(run, disk=f'{disk.name},format=raw') == 'disk0', 'the name of the disk')
                expect(attach(run, net='user') == 'net0', 'the name of the card')
                run.wait_said(f'BUSY {n}')
                for name in ('disk0', 'net0'):
                    run.ask('detach', device=name, force=True)
                expect(attach(run, disk=f'{disk.name},format=raw') == 'disk1', 'the name of the next disk')
                try:
                    run.ask('detach', device='disk0', force=True)
                    expect(False, 'taken twice')
                except ValueError as error:
                    expect('cannot be detached' in str(error), error)
                run.wait_said(f'AGAIN {n}')
                run.wait_said(f'GONE {n}')
                run.ask('detach', device='disk1')
                for name in ('disk0', 'net0', 'disk1'):
                    run.wait_event({'event': 'detached', 'device': name})
            result = run.wait()
        expect(result.code == 0 and 'COMPLAINT' not in result.out, result)


def saved_and_loaded():
    """With a card that the configuration had put behind a port, and two that were attached."""
    folder = pathlib.Path(tempfile.mkdtemp())
    for name in ('one', 'two'):
        (folder / name).write_bytes(bytes(MIB))
    options = [*linux_script(SAVED_SCRIPT), '--ports', '3', '--disk', f'{folder}/one,format=raw,hotplug=on']
    with Running(*options) as run:
        run.wait_said('READY disk0')
        attach(run, net='user')
        attach(run, disk=f'{folder}/two,format=raw')
        run.wait_said('TICK 2')
        run.ask('save', path=str(folder / 'saved'))
        run.ask('quit')
        expect(run.wait().code == 0, run.errors.read_text())
    (folder / 'two').rename(folder / 'three')
    result = vmm_run(*options, '--load', folder / 'saved')
    expect(result.code == 2 and f'{folder}/two' in result.err, result)
    (folder / 'three').rename(folder / 'two')
    result = vmm_run(*[word if word != '3' else '2' for word in options], '--load', folder / 'saved')
    expect(result.code == 2 and 'port 2' in result.err, result)
    with Running(*options, '--load', folder / 'saved') as run:
        run.wait_said('DONE')
        for name in ('disk0', 'disk1', 'net0'):
            run.ask('detach', device=name)
        for name in ('disk0', 'disk1', 'net0'):
            run.wait_event({'event': 'detached', 'device': name})
        result = run.wait()
    expect(result.code == 0 and 'COMPLAINT' not in result.out and 'READY' not in result.out, result)


if __name__ == '__main__':
    main([one_processor, two_processors, taken_by_force, saved_and_loaded])
