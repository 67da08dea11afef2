/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * FakeEngine: runs nothing, and does what a test says. As the local engine its
 * machines end with it; as the libvirt one they go on while the file "alive" lies in
 * the machine's folder.
 *
 * A kernel named "/refused" fails to start, "/missing-engine" is refused by both, "/locks" keeps
 * its disc unless it is forced, "/full" cannot be saved, "/large" is being saved until that is
 * cancelled, "/dies" leaves behind what it was saved as, and the end of "/hangs" hangs until it is
 * let go.
 */
#pragma once

#include "library/vd-run.h"

G_BEGIN_DECLS

/* Both kinds, in the order of the real ones. */
GListModel *fake_engine_list_new (void);
/* The run that was made last; borrowed. */
VdRun *fake_engine_get_last_run (void);
/* How often a verb of that name was called on any run. */
guint fake_engine_count (const char *verb);
void fake_engine_reset_counts (void);
void fake_engine_let_go (void);
/* Of the config that the last run was made for. */
guint64 fake_engine_get_last_memory (void);

G_END_DECLS
