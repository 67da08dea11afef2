#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processor that a guest is given, on real KVM: which one, how it is counted, and how much of the host's it may
have."""
import pathlib
import time

import guests
from guests import HANG, POWER_OFF, Running, expect, kernel, linux_script, vmm_run

SPIN = b'\xeb\xfe'  # a jump to itself
SECOND = 10**9  # nanoseconds

LEVELS = {  # what /proc/cpuinfo calls the features that each level brings
    'x86-64-v2': 'cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3'.split(),
    'x86-64-v3': 'avx avx2 bmi1 bmi2 f16c fma abm movbe xsave'.split(),
    'x86-64-v4': 'avx512f avx512bw avx512cd avx512dq avx512vl'.split(),
}
NO_LEVELS = 'sse4a misalignsse adx clzero pku vaes gfni svm'.split()


def host_flags():
    return set(next(line for line in open('/proc/cpuinfo') if line.startswith('flags')).split()[2:])


def flags_under(model):
    result = vmm_run(*linux_script('echo "FLAGS $(grep -m 1 ^flags /proc/cpuinfo)"; poweroff -f', '--cpu', model))
    told = [line for line in result.out.splitlines() if line.startswith('FLAGS')]
    expect(result.code == 0 and len(told) == 1 and 'panic' not in result.out, result)
    return set(told[0].split()[3:])


def expect_level(model):
    flags = flags_under(model)
    for level, features in LEVELS.items():
        found = flags.intersection(features)
        expect(found == (set(features) if level <= model else set()), (model, level, flags))
    expect(not flags.intersection(NO_LEVELS), flags)


def level_2():
    expect_level('x86-64-v2')


def level_3():
    expect_level('x86-64-v3')


def level_that_the_host_lacks():
    """The box's processor has no AVX-512."""
    expect('avx512f' not in host_flags(), 'the box has another processor')
    result = vmm_run('--kernel', kernel(POWER_OFF), '--cpu', 'x86-64-v4')
    expect(result.code == 2 and len(result.err.splitlines()) == 1, result)
    expect('lacks AVX512F' in result.err and 'take “x86-64-v3”.' in result.err, result)


def host_model():
    """Else the guest has what the host has, where KVM can show it."""
    flags = flags_under('host')
    expect(flags.intersection(LEVELS['x86-64-v3'] + ['sse4a', 'adx']) ==
           host_flags().intersection(LEVELS['x86-64-v3'] + ['sse4a', 'adx']), flags)


def places(options):
    """For each processor in turn: socket, siblings in its core, and who shares its second cache. (Whose the
    last cache is, Linux knows of the box's model better than CPUID: eight ids each.)"""
    script = """cd /sys/devices/system/cpu
      for n in $(seq 0 $(($(nproc) - 1))); do
        echo "PLACE $(cat cpu$n/topology/physical_package_id) $(cat cpu$n/topology/thread_siblings_list)" \
          "$(cat cpu$n/cache/index2/shared_cpu_list)"
      done
      dmesg | grep -iE 'firmware bug|BUG:|WARNING: CPU|not responding|smpboot.*fail' | sed 's/^/COMPLAINT /'
      poweroff -f"""
    result = vmm_run(*linux_script(script, '--cpus', options))
    expect(result.code == 0 and 'COMPLAINT' not in result.out, result)
    return [line.split()[1:] for line in result.out.splitlines() if line.startswith('PLACE')]


def sockets_with_gaps():
    """Three cores take the room of four ids."""
    found = places('6,sockets=2,cores=3')
    expect(found == [[str(n // 3), str(n), str(n)] for n in range(6)], found)


def threads():
    found = places('8,sockets=2,threads=2')
    expect(found == [[str(n // 4), core, core] for n in range(8) for core in [f'{n // 2 * 2}-{n // 2 * 2 + 1}']], found)


def share_of_processor(run):
    """What the guest uses of a processor, while it uses half a second of it."""
    first = run.ask('stats')
    run.wait_until(lambda: run.ask('stats')['cpu_ns'] > first['cpu_ns'] + SECOND // 2)
    last = run.ask('stats')
    return (last['cpu_ns'] - first['cpu_ns']) / (last['run_ns'] - first['run_ns'])


def capped():
    """A guest that never waits, from its start and while it runs; processor time against the time of the same run."""
    with Running('--kernel', kernel(SPIN), '--cpu-cap', '25') as run:
        expect(share_of_processor(run) < 0.35, 'a quarter at the start')
        run.ask('cpu-cap', percent=100)
        all_of_it = share_of_processor(run)
        run.ask('cpu-cap', percent=10)
        part = share_of_processor(run)
        expect(part < 0.2 and all_of_it > 3 * part, (all_of_it, part))
        run.ask('cpu-cap', percent=100)
        expect(share_of_processor(run) > 3 * part, 'the cap is gone again')


def capped_machine_stops_at_once():
    """As often as it is asked to: it does not finish its rests first."""
    with Running('--kernel', kernel(SPIN), '--cpu-cap', '1') as run:
        for _ in range(20):
            run.ask('pause')
            still = run.ask('stats')['exits_user']
            expect(run.ask('stats')['exits_user'] == still, 'it runs on')
            run.ask('resume')
        run.ask('quit')
        expect(run.wait().code == 0, 'ended')


def exits_in_a_second(run):
    first = run.ask('stats')['exits_user']
    time.sleep(1)
    return run.ask('stats')['exits_user'] - first


def capped_guest_that_waits():
    """Nobody wakes it, and nothing of it runs."""
    with Running('--kernel', kernel(HANG), '--cpu-cap', '1') as run:
        run.wait_until(lambda: exits_in_a_second(run) == 0)  # it owes for its start
        expect(sum(exits_in_a_second(run) for _ in range(3)) == 0, 'it was woken')


def priorities(run):
    """Of each thread of ours by its name: its nice value."""
    found = {}
    for task in pathlib.Path(f'/proc/{run.process.pid}/task').iterdir():
        name, rest = (task / 'stat').read_text().split('(', 1)[1].rsplit(') ', 1)
        if not name.startswith('kvm-'):  # the kernel's, which inherits a vCPU's
            found.setdefault(name, set()).add(int(rest.split()[16]))
    return found


def expect_priority(run, nice):
    for name, values in priorities(run).items():
        expect(values == {nice if name.startswith('cpu') else 0}, (nice, name, values))


def weighted():
    with Running('--kernel', kernel(SPIN), '--cpus', '2', '--cpu-weight', '50') as run:
        expect(sum(name.startswith('cpu') for name in priorities(run)) == 2, priorities(run))
        expect_priority(run, 3)
        for weight, nice in ((10, 10), (100, 0), (1000, -10), (1, 19)):
            run.ask('cpu-weight', weight=weight)
            expect_priority(run, nice)


def weight_that_the_host_refuses():
    """Without the right to it a weight can shrink and not grow again."""
    denied = ('setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice')
    with Running('--kernel', kernel(SPIN), prefix=denied) as run:
        run.ask('cpu-weight', weight=50)
        try:
            run.ask('cpu-weight', weight=100)
            raise AssertionError('it grew')
        except ValueError as refusal:
            expect('RLIMIT_NICE' in str(refusal) and str(refusal).endswith('.'), refusal)
        expect_priority(run, 3)
    result = vmm_run('--kernel', kernel(POWER_OFF), '--cpu-weight', '200', prefix=denied)
    expect(result.code == 2 and 'RLIMIT_NICE' in result.err and len(result.err.splitlines()) == 1, result)


def saved(*options):
    with Running('--kernel', kernel(HANG), '--memory', '32M', *options) as run:
        run.ask('save', path=str(run.folder / 'saved'))
        run.ask('quit')
        run.wait()
        return run.folder / 'saved'


def load(folder, *options):
    return Running('--kernel', kernel(HANG), '--memory', '32M', '--load', folder, *options)


def loaded_on_another_processor():
    """What has all that the saved one had takes it; less does not, and neither does one counted otherwise."""
    low, high, two = saved('--cpu', 'x86-64-v2'), saved('--cpu', 'x86-64-v3'), saved('--cpus', '2')
    for folder, options in ((low, ()), (low, ('--cpu', 'x86-64-v3')), (high, ()), (two, ('--cpus', '2,sockets=1'))):
        with load(folder, *options) as run:
            expect(run.ask('stats')['state'] == 'running', 'it goes on')
    for folder, options, word in ((high, ('--cpu', 'x86-64-v2'), 'features'), (two, ('--cpus', '2,sockets=2'), 'sockets=1')):
        result = vmm_run('--kernel', kernel(HANG), '--memory', '32M', '--load', folder, *options)
        expect(result.code == 2 and word in result.err and len(result.err.splitlines()) == 1, result)


guests.main([level_2, level_3, level_that_the_host_lacks, host_model, sockets_with_gaps, threads, capped,
             capped_machine_stops_at_once, capped_guest_that_waits, weighted, weight_that_the_host_refuses, loaded_on_another_processor])
