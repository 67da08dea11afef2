#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The box: an emulated host with a real /dev/kvm (and with --devices real VFIO, SR-IOV and USB),
on this system's own files, for tests of what needs hardware. See docs/testing.md.

  box.py run [--devices] CMD...     boots a box, runs CMD in it, gives its output and exit status
  box.py with [--report FILE] -- CMD...
                                    runs CMD here; while it runs, `box.py exec` reaches a box that
                                    is booted at the first use and shared by all of them
  box.py exec [--devices] [--timeout S] CMD...
                                    under `with`: runs CMD in the shared box

CMD runs as root with this system's root read-only, /tmp and /run fresh, in the same folder as the
caller. $BOX_WORK names a folder that both sides can write, under the same path. The emulator
itself can crash (a known bug, recognised by its message): such a run is tried again up to five
times and counted; anything else that goes wrong is a failure.
"""
import argparse
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

CACHE = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache') / 'virtdesk-dev'
KERNEL = pathlib.Path(os.environ.get('VIRTDESK_KERNEL') or CACHE / 'kernel')
EMULATOR = CACHE / 'emulator'  # packaging/emulator.sh
HERE = pathlib.Path(__file__).resolve().parent
TRIES = 5
CRASHES = ('bql_locked', 'tcg_handle_interrupt')
EXIT_TIMEOUT = 253
EXIT_NO_BOX = 254

MODULES = '''virtio_blk virtio_net 9p 9pnet_virtio overlay kvm_amd ext4 tun vhost_net vhost_vsock udmabuf
  vfio-pci vfio_iommu_type1 xhci_pci usb_storage uas igb igbvf nvme loop'''.split()


class EmulatorCrash(Exception):
    pass


def make_initramfs():
    """Debian's busybox and modules, packed once and kept beside the kernel."""
    version = next((KERNEL / 'modules').iterdir()).name
    init = (HERE / 'init.sh').read_text()
    target = CACHE / 'box' / f'initramfs-{version}-{abs_hash(init + " ".join(MODULES))}.gz'
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        root = pathlib.Path(temporary) / 'root'
        for folder in 'bin lib proc sys dev mnt'.split():
            (root / folder).mkdir(parents=True)
        shutil.copy(KERNEL / 'busybox', root / 'bin')
        (root / 'modules').write_text('\n'.join(unpack_modules(version, root / 'lib')) + '\n')
        (root / 'init').write_text(init)
        (root / 'init').chmod(0o755)
        part = pathlib.Path(temporary) / 'initramfs.gz'
        subprocess.run(f'cd {shlex.quote(str(root))} && find . | cpio -o -H newc --quiet | gzip -1 > {shlex.quote(str(part))}',
                       shell=True, check=True)
        part.rename(target)
    return target


def abs_hash(text):
    import hashlib
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def unpack_modules(version, folder):
    """The modules and what they depend on, in loading order."""
    base = pathlib.Path(tempfile.mkdtemp())
    try:
        (base / 'lib').mkdir()
        (base / 'lib/modules').symlink_to(KERNEL / 'modules')
        files = []
        for module in MODULES:
            shown = subprocess.run(['/sbin/modprobe', '-d', base, '-S', version, '--show-depends', module],
                                   capture_output=True, text=True).stdout
            for line in shown.splitlines():
                words = line.split()
                if words[0] == 'insmod' and words[1] not in files:
                    files.append(words[1])
        names = []
        for file in files:
            name = os.path.basename(file).removesuffix('.xz')
            with open(folder / name, 'wb') as out:
                subprocess.run(['xz', '-dc', file] if file.endswith('.xz') else ['cat', file], stdout=out, check=True)
            names.append(name)
        return names
    finally:
        shutil.rmtree(base)


def device_arguments(work):
    """An IOMMU, an SR-IOV network card, an SR-IOV NVMe disk and USB devices."""
    stick = work / '.usb.img'
    with open(stick, 'wb') as file:
        file.truncate(64 << 20)
    return f'''-device intel-iommu,intremap=on
      -device pcie-root-port,id=rp0,slot=1 -device igb,bus=rp0,netdev=n0 -netdev user,id=n0
      -device pcie-root-port,id=rp1,slot=2 -device nvme-subsys,id=ss0
      -device nvme,serial=box,bus=rp1,subsys=ss0,sriov_max_vfs=4,sriov_vq_flexible=8,sriov_vi_flexible=4,max_ioqpairs=10,msix_qsize=9
      -device qemu-xhci,id=xhci -drive if=none,id=us,file={stick},format=raw
      -device usb-storage,drive=us,bus=xhci.0 -device usb-tablet,bus=xhci.0'''.split()


class Box:
    """One boot of the emulated host."""

    def __init__(self, work, devices):
        self.work, self.devices, self.count = work, devices, 0
        self.log = open(work / '.emulator.log', 'wb')
        self.channel, guest = socket.socketpair()
        self.process = subprocess.Popen(self.command(guest.fileno()), stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, pass_fds=[guest.fileno()])
        guest.close()
        self.answer('ready', 300)

    @staticmethod
    def emulator():
        if not (EMULATOR / 'complete').exists():
            return ['qemu-system-x86_64']
        return [str(EMULATOR / 'qemu-system-x86_64'), '-L', str(EMULATOR / 'share')]

    def command(self, fd):
        machine, append, extra = 'q35', 'console=ttyS0 quiet panic=-1', []
        if self.devices:
            machine, append = 'q35,kernel-irqchip=split', append + ' intel_iommu=on iommu=pt'
            extra = device_arguments(self.work)
        root = 'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap'
        work = f'local,path={self.work},mount_tag=work,security_model=none'
        return [*self.emulator(), '-accel', 'tcg,thread=multi,tb-size=1024', '-M', machine, '-cpu', 'EPYC,+svm',
                '-smp', '2', '-m', os.environ.get('BOX_MEMORY', '4G'), '-display', 'none', '-nodefaults', '-no-reboot',
                '-serial', 'stdio', '-chardev', f'socket,id=agent,fd={fd}', '-serial', 'chardev:agent',
                '-kernel', str(KERNEL / 'vmlinuz'), '-initrd', str(make_initramfs()),
                '-append', f'{append} box_work={self.work}', '-virtfs', root, '-virtfs', work, *extra]

    def answer(self, expected, timeout):
        """Waits for the agent's line; tells the emulator's crash from everything else."""
        line, end = b'', time.monotonic() + timeout
        while not line.endswith(b'\n'):
            self.channel.settimeout(max(end - time.monotonic(), 0.01))
            try:
                byte = self.channel.recv(1)
            except TimeoutError:
                return None
            if not byte:
                self.process.wait()
                raise self.reason()
            line += byte
        words = line.decode(errors='replace').split()
        if not words or words[0] != expected:
            raise RuntimeError(f'the box said {line!r} instead of {expected}')
        return words[1:]

    def reason(self):
        said = (self.work / '.emulator.log').read_text(errors='replace')
        if self.process.returncode and any(mark in said for mark in CRASHES):
            return EmulatorCrash()
        return RuntimeError(f'the box ended with {self.process.returncode}:\n{said[-4000:]}')

    def run(self, command, cwd, timeout, sink=None):
        """The exit status and the output of a shell command."""
        self.count += 1
        base = self.work / f'.{self.count}'
        base.with_suffix('.sh').write_text(f'cd {shlex.quote(cwd)}\nexport BOX_WORK={shlex.quote(str(self.work))}\n{command}\n')
        output = base.with_suffix('.out')
        output.write_bytes(b'')
        self.channel.send(f'run {base}\n'.encode())
        end = time.monotonic() + timeout
        with open(output, 'rb') as live:
            while (words := self.answer('done', 0.5 if sink else timeout)) is None:
                if sink:
                    sink(live.read())
                if time.monotonic() > end:
                    raise TimeoutError(output.read_bytes())
            if sink:
                sink(live.read())
        return int(words[0]), output.read_bytes()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.channel.close()
        self.log.close()


class Boxes:
    """At most one box at a time, made when it is needed and made again after a crash."""

    def __init__(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix='box-', dir=os.environ.get('BOX_TMP')))
        self.work.chmod(0o755)
        self.box, self.crashes = None, 0

    def run(self, command, cwd, timeout, devices=False, sink=None):
        for attempt in range(TRIES):
            try:
                if self.box and self.box.devices != devices:
                    self.drop()
                self.box = self.box or Box(self.work, devices)
                return self.box.run(command, cwd, timeout, sink)
            except EmulatorCrash:
                self.crashes += 1
                self.drop()
            except TimeoutError as late:
                self.drop()
                return EXIT_TIMEOUT, late.args[0] + f'\nbox: no end after {timeout} s\n'.encode()
            except (RuntimeError, OSError, StopIteration) as error:
                self.drop()
                return EXIT_NO_BOX, f'box: {error}\n'.encode()
        return EXIT_NO_BOX, f'box: the emulator crashed {TRIES} times\n'.encode()

    def drop(self):
        if self.box:
            self.box.close()
        self.box = None

    def close(self):
        self.drop()
        shutil.rmtree(self.work, ignore_errors=True)


def run_once(options):
    boxes = Boxes()
    try:
        def sink(data):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        status, output = boxes.run(shlex.join(options.command), os.getcwd(), options.timeout, options.devices, sink)
        if status in (EXIT_NO_BOX, EXIT_TIMEOUT):
            sys.stderr.buffer.write(output)
        return status
    finally:
        boxes.close()


def serve(boxes, listener, child):
    """Answers one request after another until the child has ended."""
    listener.settimeout(0.5)
    while child.poll() is None:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection, connection.makefile('rw') as stream:
            request = json.loads(stream.readline())
            status, output = boxes.run(request['command'], request['cwd'], request['timeout'], request['devices'])
            try:
                json.dump({'status': status, 'output': output.decode(errors='replace')}, stream)
            except BrokenPipeError:
                pass # the test that asked has gone


def run_with(options):
    boxes = Boxes()
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(boxes.work / '.ctl'))
            listener.listen(16)
            environment = dict(os.environ, BOX_CTL=str(boxes.work / '.ctl'), BOX_WORK=str(boxes.work),
                               BOX=f'{sys.executable} {__file__} exec')
            child = subprocess.Popen(options.command, env=environment)
            serve(boxes, listener, child)
        if options.report:
            pathlib.Path(options.report).write_text(f'{boxes.crashes}\n')
        return child.returncode
    finally:
        boxes.close()


def run_exec(options):
    command = options.command[0] if len(options.command) == 1 else shlex.join(options.command)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ['BOX_CTL'])
        with connection.makefile('rw') as stream:
            json.dump({'command': command, 'cwd': os.getcwd(), 'timeout': options.timeout, 'devices': options.devices}, stream)
            stream.write('\n')
            stream.flush()
            answer = json.loads(stream.readline())
    sys.stdout.write(answer['output'])
    return answer['status']


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    for name, function in (('run', run_once), ('with', run_with), ('exec', run_exec)):
        verb = verbs.add_parser(name)
        verb.set_defaults(function=function)
        if name == 'with':
            verb.add_argument('--report')
        else:
            verb.add_argument('--devices', action='store_true')
            verb.add_argument('--timeout', type=float, default=1800)
        verb.add_argument('command', nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.command[:1] == ['--']:
        options.command = options.command[1:]
    if not options.command:
        parser.error('no command')
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)) # through the finally clauses: no box is left behind
    sys.exit(options.function(options))


if __name__ == '__main__':
    main()
