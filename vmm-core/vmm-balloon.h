/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmBalloon: what is known of the memory that a machine's guest has and needs, as plain numbers.
 * Without a driver in the guest (@listens) the target is a wish that nobody hears yet.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The tags of virtio 1.2, 5.5.6.4. Bytes, but where it says a number. */
typedef enum {
  VMM_BALLOON_SWAP_IN, /* since the guest started, like the next three */
  VMM_BALLOON_SWAP_OUT,
  VMM_BALLOON_MAJOR_FAULTS, /* number: page faults that had to wait for a disk */
  VMM_BALLOON_MINOR_FAULTS, /* number: the others */
  VMM_BALLOON_FREE,         /* used for nothing at all */
  VMM_BALLOON_TOTAL,
  VMM_BALLOON_AVAILABLE,           /* can be had without swapping */
  VMM_BALLOON_CACHES,              /* can be had at once: what is in them is on a disk too */
  VMM_BALLOON_HUGETLB_ALLOCATIONS, /* number: huge pages that were given */
  VMM_BALLOON_HUGETLB_FAILURES,    /* number: and that were not */
  VMM_BALLOON_N_STATS,
} VmmBalloonStat;

#define VMM_BALLOON_UNKNOWN G_MAXUINT64

typedef struct {
  guint64 memory;   /* bytes that the machine was made with */
  guint64 target;   /* bytes of them that the guest is asked to get by with */
  guint64 actual;   /* bytes of them that it has: what it gave up is not among them */
  gboolean listens; /* there is a driver */
  gint64 age_ns;    /* since the guest told its statistics; -1: it has told none */
  guint64 stats[VMM_BALLOON_N_STATS]; /* each may be VMM_BALLOON_UNKNOWN */
} VmmBalloon;

/* "swap_in", "free", ...: for scripts. NULL where there is no such one. */
const char *vmm_balloon_stat_name (VmmBalloonStat stat);

G_END_DECLS
