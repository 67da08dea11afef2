# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests for the tests in the box: multiboot kernels of a few instructions, and how vmm-run is run."""
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(os.environ['TEST_BUILD'])
KERNEL = pathlib.Path(os.environ['VIRTDESK_KERNEL']) / 'vmlinuz'
INITRD = BUILD / 'tests/box/guest-initrd'
VMM_RUN = BUILD / 'vmm-core/tools/vmm-run'
LIMIT = 600  # seconds: ends a run that hangs, decides nothing
REASON = 2000  # letters of why a case failed, in its name

LOAD = 0x100000
HANG = b'\xf4\xeb\xfd'  # hlt, again


def out8(port, value):
    return b'\xba' + struct.pack('<I', port) + b'\xb0' + bytes([value]) + b'\xee'


def debug_exit(value):
    return out8(0xf4, value) + HANG


def say(text):
    return b''.join(out8(0x3f8, byte) for byte in text.encode())


POWER_OFF = b'\x66\xba\x04\x06\x66\xb8\x00\x20\x66\xef' + HANG  # out 0x604, 0x2000
RESET_PORT = out8(0xcf9, 0x06) + HANG
RESET_KEYBOARD = out8(0x64, 0xfe) + HANG
TRIPLE_FAULT = b'\x0f\x0b'  # ud2, and no table that says what to do
RUN_DEVICE_MEMORY = b'\xb8\x00\x00\x00\xd0\xff\xe0'  # a jump to where no instruction can be fetched
TALK = b'\xba\xf8\x03\x00\x00\xb0\x2e\xee\xeb\xfd'  # a dot to the serial port, for ever


def touch(start, end):
    """Writes a word to every page, then goes on."""
    return (b'\xbf' + struct.pack('<I', start) + b'\x89\x3f' + b'\x81\xc7\x00\x10\x00\x00' + b'\x81\xff' +
            struct.pack('<I', end) + b'\x72\xf0')


def kernel(code):
    """A multiboot kernel that runs @code in 32 bits."""
    flags = 0x10003
    header = struct.pack('<8I', 0x1badb002, flags, -(0x1badb002 + flags) & 0xffffffff, LOAD, LOAD, 0, 0, LOAD + 32)
    file = tempfile.NamedTemporaryFile(prefix='kernel-', delete=False)
    file.write(header + code)
    file.close()
    return file.name


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f'exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}'


def vmm_run(*options, prefix=(), **keywords):
    """vmm-run to its end."""
    run = subprocess.run([*prefix, VMM_RUN, *options], stdin=subprocess.DEVNULL, capture_output=True,
                         timeout=LIMIT, **keywords)
    return Result(run.returncode, run.stdout.decode(errors='replace'), run.stderr.decode(errors='replace'))


def linux(test, *options, append=''):
    return ['--kernel', KERNEL, '--initrd', INITRD, '--append', f'console=ttyS0 quiet panic=-1 test={test} {append}', *options]


def archive(files):
    """A cpio archive (newc), as the kernel unpacks it behind the initrd."""
    packed = b''
    for name, contents in [*files.items(), ('TRAILER!!!', b'')]:
        numbers = [0, 0o100755, 0, 0, 1, 0, len(contents), 0, 0, 0, 0, len(name) + 1, 0]
        packed += b'070701' + b''.join(b'%08x' % number for number in numbers) + name.encode() + b'\0'
        packed += bytes(-len(packed) % 4) + contents
        packed += bytes(-len(packed) % 4)
    return packed


def linux_script(script, *options, append='', files=None):
    """Linux whose init runs @script, with @files beside it."""
    initrd = INITRD.read_bytes()
    file = tempfile.NamedTemporaryFile(prefix='initrd-', delete=False)
    file.write(initrd + bytes(-len(initrd) % 4) + archive({'script': script.encode(), **(files or {})}))
    file.close()
    words = linux('script', *options, append=append)
    return [file.name if word == INITRD else word for word in words]


class Running:
    """vmm-run with a control socket, as a context: ended for good when left."""

    def __init__(self, *options, prefix=(), **keywords):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.serial, self.errors = self.folder / 'serial', self.folder / 'errors'
        self.serial.touch()
        path = self.folder / 'control'
        self.process = subprocess.Popen([*prefix, VMM_RUN, '--serial', f'file:{self.serial}', '--control', path, *options],
                                        stderr=open(self.errors, 'wb'), **{'stdin': subprocess.DEVNULL, **keywords})
        self.wait_until(lambda: path.exists() or self.process.poll() is not None)
        self.socket = socket.socket(socket.AF_UNIX)
        self.wait_until(lambda: self.socket.connect_ex(str(path)) == 0 or self.process.poll() is not None)
        self.socket.settimeout(LIMIT)
        self.lines, self.events, self.count = self.socket.makefile(), [], 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def ask(self, verb, **arguments):
        """The answer's "ok"; an error is raised. Events on the way are kept."""
        self.count += 1
        self.socket.send((json.dumps({'id': self.count, 'do': verb, **arguments}) + '\n').encode())
        while True:
            answer = json.loads(self.lines.readline())
            if 'event' in answer:
                self.events.append(answer)
                continue
            assert answer['id'] == self.count, answer
            if 'error' in answer:
                raise ValueError(answer['error'])
            return answer['ok']

    def wait_event(self, wanted):
        while wanted not in self.events:
            line = self.lines.readline()
            assert line, f'the socket closed before {wanted}'
            self.events.append(json.loads(line))
        self.events.remove(wanted)

    def wait_kind(self, kind):
        """The first event of the kind."""
        while not any(event['event'] == kind for event in self.events):
            line = self.lines.readline()
            assert line, f'the socket closed before {kind}: {self.errors.read_text()}'
            self.events.append(json.loads(line))
        event = next(event for event in self.events if event['event'] == kind)
        self.events.remove(event)
        return event

    def said(self):
        return self.serial.read_text(errors='replace')

    def wait_until(self, condition):
        end = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < end, f'nothing happened: {self.said()}'
            time.sleep(0.05)

    def wait_said(self, text, times=1):
        self.wait_until(lambda: self.said().count(text) >= times or self.process.poll() is not None)
        assert self.said().count(text) >= times, self.said()

    def wait(self):
        try:
            code = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f'{self.said()} {self.errors.read_text()} still running: {self.ask("stats")}') from None
        return Result(code, self.said(), self.errors.read_text(errors='replace'))


def expect(condition, result):
    if not condition:
        raise AssertionError(result)


def passes(number, case):
    try:
        case()
    except Exception as error:
        lines = repr(error).replace('\\n', '\n').splitlines()
        reason = ' | '.join(lines)[-REASON:].replace('#', '=')  # a summary far from here shows no more than the name
        print(f'not ok {number} {case.__name__} - {reason}', flush=True)
        print(''.join(f'# {line}\n' for line in lines), flush=True)
        return False
    print(f'ok {number} {case.__name__}', flush=True)
    return True


def main(cases):
    """TAP: each function is a case, named by its name. Names on the command line: these only."""
    cases = [case for case in cases if case.__name__ in sys.argv[1:] or not sys.argv[1:]]
    print(f'TAP version 14\n1..{len(cases)}', flush=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # in the box's memory, which others share
        tempfile.tempdir = folder
        failed = sum(not passes(number, case) for number, case in enumerate(cases, 1))
    sys.exit(1 if failed else 0)
