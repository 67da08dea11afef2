#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""All tests: ./dev test [PATTERN] [--slow]. Counts every GLib test case; see docs/testing.md."""
import argparse
import concurrent.futures
import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / '_build'
BOX = [sys.executable, str(TOP / 'tests/box/box.py')]

# What runs in which build. ASan and UBSan outside the box, plain builds in it: sanitizers under
# emulation under emulation would take hours.
STAGES = [
    ('asan', ['vmm', 'app', 'ui', 'fuzz'], False),
    ('release', ['box'], True),
]
SLOW_STAGES = [
    ('tsan', ['vmm', 'app'], False),
]
FUZZ_SECONDS, FUZZ_SECONDS_SLOW = 15, 120


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped, self.crashes = 0, [], [], 0

    def add_junit(self, file):
        """One entry for each case of each test program."""
        for suite in xml.parse(file).getroot().iter('testsuite'):
            for case in suite.iter('testcase'):
                name = f'{suite.get("name")} {case.get("name")}'
                if case.find('skipped') is not None:
                    self.skipped.append(name)
                elif case.find('failure') is not None or case.find('error') is not None:
                    self.failed.append(name + last_words(case))
                else:
                    self.passed += 1

    def add(self, name, ok):
        if ok:
            self.passed += 1
        else:
            self.failed.append(name)


def last_words(case):
    """The last line that a program said which is one case: a summary far from here shows no more. Cases of
    others have their reason in their name."""
    said = f'{case.findtext("system-out") or ""}\n{case.findtext("system-err") or ""}'.strip()
    return f' - {said.splitlines()[-1][-1000:]}' if said else ''


def headline(text):
    print(f'\n=== {text}', flush=True)


def build(flavour, tally):
    headline(f'build {flavour}')
    ok = subprocess.run([TOP / 'tests/build.sh', flavour]).returncode == 0
    if not ok:
        tally.failed.append(f'build {flavour}')
    return ok


def tests_of(flavour, suites, pattern):
    """(name, meson's full name) of the tests in the suites."""
    listed = json.loads(subprocess.run(['meson', 'introspect', '--tests', BUILD / flavour],
                                       capture_output=True, text=True, check=True).stdout)
    found = []
    for test in listed:
        folders = {suite.split(':')[-1] for suite in test['suite']}
        if folders & set(suites) and pattern in f'{min(folders)}/{test["name"]}':
            found.append(test['name'])
    return found


def run_suites(flavour, suites, pattern, boxed, slow, tally):
    names = tests_of(flavour, suites, pattern)
    if not names:
        return
    headline(f'{flavour}: {", ".join(suites)} ({len(names)} programs)')
    log = BUILD / flavour / 'meson-logs/testlog.junit.xml'
    log.unlink(missing_ok=True)
    report = BUILD / 'emulator-crashes'
    command = ['meson', 'test', '-C', BUILD / flavour, '--no-rebuild', '--print-errorlogs',
               '--num-processes', '1' if boxed else '2', *names]
    for suite in suites:
        command += ['--suite', suite]
    if boxed:
        command = [*BOX, 'with', '--report', report, '--', *command]
    environment = dict(os.environ, G_DEBUG='fatal-criticals', GSK_RENDERER='cairo', NO_AT_BRIDGE='1',
                       ASAN_OPTIONS='detect_leaks=1:strict_string_checks=1:abort_on_error=0',
                       LSAN_OPTIONS=f'suppressions={TOP}/tests/lsan.supp:print_suppressions=0',
                       UBSAN_OPTIONS='print_stacktrace=1:halt_on_error=1',
                       TSAN_OPTIONS=f'halt_on_error=1:suppressions={TOP}/tests/tsan.supp')
    if slow:
        environment['VIRTDESK_TEST_SLOW'] = '1'  # tests that repeat something do it more often
        command.insert(command.index('test') + 1, '--timeout-multiplier=10')
    code = subprocess.run(command, env=environment).returncode
    if boxed and report.exists():
        tally.crashes += int(report.read_text())
    if log.exists():
        before = len(tally.failed)
        tally.add_junit(log)
        if code and len(tally.failed) == before:
            tally.failed.append(f'{flavour}: meson test ended with {code}')
    else:
        tally.failed.append(f'{flavour}: no tests ran')


def run_fuzzer(target, seconds):
    """The exit status and the last lines; what it finds is kept."""
    corpus, findings = BUILD / 'corpus' / target.name, BUILD / 'findings' / target.name
    seeds = TOP / 'tests/data/fuzz' / target.name
    for made in (corpus, findings):
        made.mkdir(parents=True, exist_ok=True)
    command = [target, f'-max_total_time={seconds}', '-timeout=30', '-rss_limit_mb=2048', '-max_len=65536',
               '-print_final_stats=1', '-verbosity=0', f'-artifact_prefix={findings}/', corpus]
    run = subprocess.run(command + ([seeds] if seeds.exists() else []), stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, env=dict(os.environ, G_SLICE='always-malloc'))
    return run.returncode, run.stdout.decode(errors='replace')


def run_fuzzers(seconds, pattern, tally):
    """Each target a while under libFuzzer, two at a time; its seeds alone run in the asan build already."""
    folder = BUILD / 'fuzz/tests/fuzz'
    targets = [file for file in sorted(folder.glob('fuzz-*')) if file.is_file() and os.access(file, os.X_OK)
               and pattern in f'fuzz/{file.name}']
    headline(f'{len(targets)} fuzz targets: {seconds} s each')
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for target, (code, output) in zip(targets, pool.map(lambda target: run_fuzzer(target, seconds), targets)):
            runs = re.search(r'stat::number_of_executed_units: (\d+)', output)
            print(f'{target.name}: {int(runs[1]):,} runs' if runs and code == 0 else output[-6000:], flush=True)
            tally.add(f'{target.name} (see {BUILD / "findings" / target.name})', code == 0)


def begin_under_reaper():
    """Daemons of the tests (libvirt's QEMU) become children of a process that waits for them: libvirt takes
    one that has ended and that nobody waits for to be alive. Init does this, but not every container has one.
    """
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: os.kill(child, number))
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def main():
    parser = argparse.ArgumentParser(prog='./dev test', description=__doc__)
    parser.add_argument('pattern', nargs='?', default='')
    parser.add_argument('--slow', action='store_true', help='the whole matrix')
    options = parser.parse_args()
    begin_under_reaper()
    tally, started = Tally(), time.monotonic()
    stages = STAGES + (SLOW_STAGES if options.slow else [])
    for flavour, suites, boxed in stages:
        if build(flavour, tally):
            run_suites(flavour, suites, options.pattern, boxed, options.slow, tally)
    if (not options.pattern or 'fuzz' in options.pattern) and build('fuzz', tally):
        run_fuzzers(FUZZ_SECONDS_SLOW if options.slow else FUZZ_SECONDS, options.pattern, tally)

    headline(f'done in {(time.monotonic() - started) / 60:.0f} minutes')
    for name in tally.failed:
        print(f'FAILED  {name}')
    for name in tally.skipped:
        print(f'SKIPPED {name}')
    if tally.crashes:
        print(f'The emulator under the box crashed {tally.crashes} times; what ran then was run again.')
    print(f'{tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped')
    nothing = tally.passed == 0
    sys.exit(1 if tally.failed or nothing or (tally.skipped and os.environ.get('CI')) else 0)


if __name__ == '__main__':
    main()
