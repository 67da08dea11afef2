/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The names of a guest's statistics. Scripts rely on them.
 *
 * Threads: any.
 */
#include "vmm-balloon.h"

const char *
vmm_balloon_stat_name (VmmBalloonStat stat)
{
  static const char *const names[VMM_BALLOON_N_STATS] = {
    [VMM_BALLOON_SWAP_IN] = "swap_in",
    [VMM_BALLOON_SWAP_OUT] = "swap_out",
    [VMM_BALLOON_MAJOR_FAULTS] = "major_faults",
    [VMM_BALLOON_MINOR_FAULTS] = "minor_faults",
    [VMM_BALLOON_FREE] = "free",
    [VMM_BALLOON_TOTAL] = "total",
    [VMM_BALLOON_AVAILABLE] = "available",
    [VMM_BALLOON_CACHES] = "caches",
    [VMM_BALLOON_HUGETLB_ALLOCATIONS] = "hugetlb_allocations",
    [VMM_BALLOON_HUGETLB_FAILURES] = "hugetlb_failures",
  };

  return (guint) stat < VMM_BALLOON_N_STATS ? names[stat] : NULL;
}
