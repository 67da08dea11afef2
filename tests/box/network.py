#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network cards of Debian's kernel under vmm-run in the box."""
import hashlib
import http.server
import os
import pathlib
import re
import socket
import struct
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

import guests
from guests import Running, expect, linux_script, vmm_run

MIB = 1 << 20

# What every guest does first: the module, and a word to its driver's complaints at the end.
START = '''
load failover net_failover virtio_net
mkdir -p /etc /www
ip link set lo up
cat > /lease <<'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router" dev "$interface"
echo "nameserver $dns" > /etc/resolv.conf
echo "LEASE $ip/$mask $router $dns"
END
chmod 755 /lease
lease() { ip link set "$1" up; udhcpc -i "$1" -n -q -t 20 -T 1 -s /lease > /dev/console 2> /dev/null; }
end() {
  dmesg | grep -iE 'virtio_net|eth[0-9]' | grep -iE 'error|fail|bad|missing|timed out|WARN|unexpected' | sed 's/^/COMPLAINT /'
  dmesg | grep -E 'BUG:|WARNING: CPU|Call Trace' | sed 's/^/COMPLAINT /'
  poweroff -f
}
'''


class Server:
    """Serves @contents of the host."""

    def __init__(self, contents=b'', address='127.0.0.1'):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Length', str(len(contents)))
                self.end_headers()
                self.wfile.write(contents)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Sink:
    """Takes one connection on the host's loopback and all that comes over it."""

    def __init__(self, address='127.0.0.1'):
        self.listener = socket.create_server((address, 0))
        self.port, self.received = self.listener.getsockname()[1], b''

    def run(self):
        connection, _ = self.listener.accept()
        with connection:
            while part := connection.recv(MIB):
                self.received += part

    def __enter__(self):
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()


def free_port():
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


def fetch(port):
    with urllib.request.urlopen(f'http://127.0.0.1:{port}/word', timeout=60) as answer:
        return answer.read()


def user_mode():
    """DHCP, a server of the host both ways, a megabyte of it whole."""
    contents = os.urandom(4 * MIB)
    with Server(contents) as server, Sink() as sink:
        script = START + f'''
lease eth0
echo "MAC $(cat /sys/class/net/eth0/address) CARRIER $(cat /sys/class/net/eth0/carrier)"
wget -q -O /got http://10.0.2.2:{server.port}/ && echo "GOT $(sha256sum < /got)"
nc 10.0.2.2 {sink.port} < /got && echo SENT
ping -c 3 -q 10.0.2.2 | grep received
end
'''
        result = vmm_run(*linux_script(script), '--net', 'user,mac=52:54:00:aa:bb:cc')
        expect(result.code == 0 and 'LEASE 10.0.2.15/24 10.0.2.2 10.0.2.3' in result.out, result)
        expect('MAC 52:54:00:aa:bb:cc CARRIER 1' in result.out, result)
        expect(f'GOT {hashlib.sha256(contents).hexdigest()}' in result.out, result)
        sink.thread.join(60)
        expect('SENT' in result.out and sink.received == contents, (len(sink.received), result))
        expect('3 packets received' in result.out and 'COMPLAINT' not in result.out, result)


def forwards():
    """Ports of the host lead into the guest, while they stand; each leads to its own."""
    first, second, word = free_port(), free_port(), os.urandom(16).hex()
    script = START + f'''
lease eth0
echo {word} > /www/word
httpd -p 80 -h /www
echo SERVING
while :; do sleep 1000; done
'''
    with Running(*linux_script(script), '--net', f'user,forward=tcp:{first}:80') as run:
        run.wait_said('SERVING')
        expect(fetch(first).decode().strip() == word, 'the first forward')
        expect(run.ask('forward', device='net0') == [f'tcp:127.0.0.1:{first}:80'], 'the list')
        try:
            run.ask('forward', device='net0', add=f'tcp:{first}:81')
            expect(False, 'one port forwarded twice')
        except ValueError as error:
            expect('taken' in str(error) and str(first) in str(error), error)
        run.ask('forward', device='net0', add=f'tcp:0.0.0.0:{second}:80')
        expect(fetch(second).decode().strip() == word, 'the second forward')
        run.ask('forward', device='net0', remove=f'tcp:{first}')
        try:
            fetch(first)
            expect(False, 'a forward that was removed')
        except urllib.error.URLError:
            pass
        expect(fetch(second).decode().strip() == word, 'the second stays')


def private_network():
    """Two machines of one process reach each other, and what they send arrives whole."""
    def script(number, work):
        return START + f'''
ip addr add 10.1.1.{number}/24 dev eth0
ip link set eth0 up
{work}
end
'''
    listen = '''
nc -l -p 9 > /got
echo "GOT $(sha256sum < /got)"
'''
    # the other one may not listen yet
    talk = '''
until ping -c 1 -W 1 -q 10.1.1.1 > /dev/null; do :; done
ping -c 3 -q 10.1.1.1 | grep received
dd if=/dev/urandom of=/word bs=64k count=64 2> /dev/null
echo "SENT $(sha256sum < /word)"
until nc 10.1.1.1 9 < /word; do sleep 1; done
'''
    with tempfile.TemporaryDirectory() as folder:
        serials = [pathlib.Path(folder, name) for name in ('first', 'second')]
        command = [guests.BUILD / 'tests/box/machines']
        for number, (serial, work) in enumerate(zip(serials, (listen, talk)), 1):
            command += ['--'] * (number > 1)
            command += [*linux_script(script(number, work)), '--memory', '256M', '--net', 'switch=attic', '--serial', f'file:{serial}']
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=guests.LIMIT)
        first, second = (serial.read_text(errors='replace') for serial in serials)
    expect(run.returncode == 0 and '3 packets received' in second, (first, second, run))
    word = re.search(r'SENT (\w+)', second)[1]
    expect(f'GOT {word}' in first and 'COMPLAINT' not in first + second, (first, second))


class Tap:
    """A tap device with the host's address 10.2.2.1 on it."""

    def __init__(self, name, *options):
        self.name, self.options = name, options

    def __enter__(self):
        subprocess.run(['ip', 'tuntap', 'add', self.name, 'mode', 'tap', *self.options], check=True)
        subprocess.run(['ip', 'addr', 'add', '10.2.2.1/24', 'dev', self.name], check=True)
        subprocess.run(['ip', 'link', 'set', self.name, 'up'], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(['ip', 'link', 'del', self.name], check=True)


def transfers(address, *options):
    """The guest at 10.2.2.2 fetches from the host at @address and sends to it."""
    contents = os.urandom(4 * MIB)
    with Server(contents, address) as server, Sink(address) as sink:
        script = START + f'''
ip addr add 10.2.2.2/24 dev eth0
ip link set eth0 up
until ping -c 1 -W 1 -q {address} > /dev/null; do :; done
wget -q -O /got http://{address}:{server.port}/ && echo "GOT $(sha256sum < /got)"
nc {address} {sink.port} < /got && echo SENT
echo "QUEUES $(ls -d /sys/class/net/eth0/queues/rx-* | wc -l)"
end
'''
        result = vmm_run(*linux_script(script), *options)
        expect(result.code == 0 and f'GOT {hashlib.sha256(contents).hexdigest()}' in result.out, result)
        sink.thread.join(60)
        expect('SENT' in result.out and sink.received == contents, (len(sink.received), result))
        expect('COMPLAINT' not in result.out, result)
        return result


def tap():
    with Tap('tap0') as tap:
        transfers('10.2.2.1', '--net', 'tap=tap0')
    result = vmm_run(*linux_script('poweroff -f'), '--net', 'tap=a/b')
    expect(result.code == 2 and 'a/b' in result.err, result)


def tap_with_two_queues():
    with Tap('tap0', 'multi_queue') as tap:
        result = transfers('10.2.2.1', '--cpus', '2', '--net', 'tap=tap0')
        expect('QUEUES 2' in result.out, result)


def capture():
    """What crossed is in the file, as other programs read it."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, 'net.pcap')
        script = START + '''
lease eth0
ping -c 3 -q -p 5a 10.0.2.2 | grep received
end
'''
        result = vmm_run(*linux_script(script), '--net', f'user,capture={file}')
        expect('3 packets received' in result.out, result)
        frames = read_pcap(file.read_bytes())
    # Echo requests and their answers, by their first bytes in IPv4
    for kind in (8, 0):
        found = [frame for frame in frames if frame[12:14] == b'\x08\0' and frame[23] == 1 and frame[34] == kind]
        expect(len(found) == 3 and all(frame.endswith(b'\x5a' * 48) for frame in found), (kind, found))


def read_pcap(data):
    magic, _, _, _, _, _, link = struct.unpack('<IHHIIII', data[:24])
    expect((magic, link) == (0xa1b2c3d4, 1), (hex(magic), link))
    frames, at = [], 24
    while at < len(data):
        captured = struct.unpack('<I', data[at + 8:at + 12])[0]
        frames.append(data[at + 16:at + 16 + captured])
        at += 16 + captured
    return frames


def link():
    """The cable out, and in again: the guest sees it, and nothing crosses meanwhile."""
    script = START + '''
lease eth0
echo "CARRIER $(cat /sys/class/net/eth0/carrier)"
until [ "$(cat /sys/class/net/eth0/carrier)" = 0 ]; do sleep 0.2; done
ping -c 1 -W 2 -q 10.0.2.2 > /dev/null || echo "DOWN $(cat /sys/class/net/eth0/operstate)"
until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do sleep 0.2; done
until ping -c 1 -W 1 -q 10.0.2.2 > /dev/null; do :; done
echo "UP $(cat /sys/class/net/eth0/operstate)"
end
'''
    with Running(*linux_script(script), '--net', 'user') as run:
        run.wait_said('CARRIER 1')
        run.ask('link', device='net0', up=False)
        run.wait_said('DOWN down')
        run.ask('link', device='net0', up=True)
        run.wait_said('UP up')
        result = run.wait()
        expect(result.code == 0 and 'COMPLAINT' not in result.out, result)


guests.main([user_mode, forwards, private_network, tap, tap_with_two_queues, capture, link])
