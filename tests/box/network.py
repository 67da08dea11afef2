#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network cards of Debian's kernel under vmm-run in the box."""
import hashlib
import http.server
import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

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
    """Serves @contents on the host's loopback."""

    def __init__(self, contents=b''):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Length', str(len(contents)))
                self.end_headers()
                self.wfile.write(contents)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Sink:
    """Takes one connection on the host's loopback and all that comes over it."""

    def __init__(self):
        self.listener = socket.create_server(('127.0.0.1', 0))
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


if __name__ == '__main__':
    import guests
    guests.main([user_mode, forwards])
