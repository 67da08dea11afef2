/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The struct of VdOwnMachine, for the two files that make it.
 *
 * Threads: main.
 */
#pragma once

#include "library/vd-own-machine.h"
#include "library/vd-run.h"

G_BEGIN_DECLS

struct _VdOwnMachine {
  VdMachine parent_instance;

  /* Owned */
  GListModel *engines;
  char *folder;
  char *bus_name;
  char *holder;
  VdRun *run;            /* NULL while off */
  VdWorker *worker;      /* the library's, or NULL */
  GFileMonitor *monitor; /* of the running file, while it runs elsewhere */

  guint retry; /* source: its holder is gone, and its lock not yet */
  guint n_retries;
  gboolean lost;
};

/* vd-own-machine.c */
void vd_own_machine_adopt (VdOwnMachine *self, VdEngine *engine);
void vd_own_machine_find_screenshot (VdOwnMachine *self);
void vd_own_machine_find_saved (VdOwnMachine *self);

/* vd-own-machine-load.c */
void vd_own_machine_set_lost (VdOwnMachine *self);
void vd_own_machine_update_engine (VdOwnMachine *self);

G_END_DECLS
