#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processor that a guest is given, on real KVM: which one, and how it is counted."""
import guests
from guests import POWER_OFF, expect, kernel, linux_script, vmm_run

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


guests.main([level_2, level_3, level_that_the_host_lacks, host_model, sockets_with_gaps, threads])
