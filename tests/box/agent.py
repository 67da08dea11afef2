#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's own qemu-guest-agent (packaging/guest-agent.sh) in a guest, over its channel."""
import json
import os
import pathlib
import socket
import tempfile
import time

import guests
from guests import Running, expect, linux_script, main

AGENT = guests.KERNEL.parent.parent / 'agent'
CHANNEL = 'org.qemu.guest_agent.0'
HOUR_NS = 3600 * 10**9
START_OF_ANSWER = b'\xff'  # of guest-sync-delimited: what came before is of another client

# The agent finds the loader of its libraries, the clock's tool and shutdown where Debian has them.
# Its port has the name that udev would make a link of. Without a client it opens it all the same.
SCRIPT = '''
mkdir /lib64 /sbin /run
ln -s /lib/ld-linux-x86-64.so.2 /lib64/
ln -s /bin/hwclock /sbin/
ln -s /shutdown /sbin/
port=$(grep -lx "$(cat /channel)" /sys/class/virtio-ports/*/name)
port=${port%%/name}
/bin/qemu-ga -m virtio-serial -p "/dev/${port##*/}" -t /run -f /run/pid > /dev/ttyS0 2>&1 &
echo READY
wait
echo "COMPLAINT: the agent ended"
poweroff -f
'''

# As a system does it that the agent shuts down: what runs ends first.
SHUTDOWN = b'''#!/bin/sh
echo "SHUTDOWN $*" > /dev/ttyS0
sync
poweroff -f
'''


class Agent:
    """A client of the channel. Each begins with a word of its own, so that it never takes an answer for
    its own that another one did not wait for."""
    count = 0

    def __init__(self, path):
        Agent.count += 1
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(guests.LIMIT)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile('rb')
        self.socket.send(START_OF_ANSWER)
        self.send('guest-sync-delimited', id=Agent.count)
        while self.stream.read(1) != START_OF_ANSWER:
            pass
        expect(self.receive() == Agent.count, 'the agent is not in step')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def send(self, verb, **arguments):
        self.socket.send((json.dumps({'execute': verb, 'arguments': arguments}) + '\n').encode())

    def receive(self):
        answer = json.loads(self.stream.readline())
        if 'error' in answer:
            raise ValueError(answer['error'])
        return answer['return']

    def ask(self, verb, **arguments):
        self.send(verb, **arguments)
        return self.receive()


def options_of(path, *options):
    files = {'bin/qemu-ga': (AGENT / 'qemu-ga').read_bytes(), 'channel': CHANNEL.encode(), 'shutdown': SHUTDOWN}
    files.update({f'lib/{file.name}': file.read_bytes() for file in AGENT.glob('*.so.*')})
    return [*linux_script(SCRIPT, files=files), '--channel', f'{CHANNEL}={path}', '--channel', f'com.example.other={path}.2',
            *options]


def check_shut_down(run, agent):
    """Which has no answer but this."""
    agent.send('guest-shutdown', mode='powerdown')
    result = run.wait()
    expect(result.code == 0 and 'SHUTDOWN -h -P' in result.out and 'COMPLAINT' not in result.out, result)


def clock_is_right(agent):
    return abs(agent.ask('guest-get-time') - time.time_ns()) < HOUR_NS


def set_clock_back(agent):
    """The system's: a guest that was away believes that it is still then, and no test can wait so long."""
    process = agent.ask('guest-exec', path='/bin/date', arg=['-s', '2000-01-01 00:00'])['pid']
    while not agent.ask('guest-exec-status', pid=process)['exited']:
        time.sleep(0.05)
    expect(not clock_is_right(agent), 'the clock was not set back')


def talks_and_shuts_down():
    path = pathlib.Path(tempfile.mkdtemp()) / 'agent'
    with Running(*options_of(path)) as run:
        with Agent(path) as agent:
            expect(agent.ask('guest-ping') == {}, 'a ping')
            info = agent.ask('guest-info')
            verbs = {verb['name'] for verb in info['supported_commands'] if verb['enabled']}
            expect({'guest-shutdown', 'guest-set-time', 'guest-fsfreeze-status'} <= verbs, info)
            try:
                agent.ask('guest-fly')
                expect(False, 'an unknown verb')
            except ValueError as why:
                expect('CommandNotFound' in str(why), why)
        with Agent(path) as agent:  # the next one, after the first hung up
            text = os.urandom(30000).hex()  # more than the rings and buffers of the way hold
            handle = agent.ask('guest-file-open', path='/tmp/text', mode='w+')
            agent.ask('guest-file-write', handle=handle, **{'buf-b64': text})
            agent.ask('guest-file-seek', handle=handle, offset=0, whence=0)
            answer = agent.ask('guest-file-read', handle=handle, count=len(text))
            expect(answer['buf-b64'].rstrip('=') == text.rstrip('='), 'a long text there and back')
            check_shut_down(run, agent)
    expect(not path.exists(), 'the socket stays behind')


def clock_after_a_pause():
    path = pathlib.Path(tempfile.mkdtemp()) / 'agent'
    with Running(*options_of(path, '--cpus', '2')) as run:
        with Agent(path) as agent:
            set_clock_back(agent)
            run.ask('pause')
            agent.send('guest-ping')
            run.ask('resume')
            expect(agent.receive() == {}, 'a ping from before the guest ran again')
            agent.ask('guest-set-time', time=time.time_ns())
            expect(clock_is_right(agent), 'the clock is wrong after a pause')
            check_shut_down(run, agent)


def saved_and_loaded():
    """The agent has its port open all the time; its client is another one."""
    folder = pathlib.Path(tempfile.mkdtemp())
    path = folder / 'agent'
    options = options_of(path)
    with Running(*options) as run:
        with Agent(path) as agent:
            set_clock_back(agent)
            run.ask('save', path=str(folder / 'saved'))
        run.ask('quit')
        expect(run.wait().code == 0, run.errors.read_text())
    with Running(*options, '--load', folder / 'saved') as run:
        with Agent(path) as agent:
            expect(not clock_is_right(agent), 'the clock was set by something else')
            agent.ask('guest-set-time')  # from the real-time clock, which is the host's
            expect(clock_is_right(agent), 'the clock is wrong after loading')
            check_shut_down(run, agent)


if __name__ == '__main__':
    main([talks_and_shuts_down, clock_after_a_pause, saved_and_loaded])
