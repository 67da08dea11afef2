/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A saved machine: what its engine wrote and the config that it ran with, in a folder of the
 * machine's folder that comes and goes by one rename. Apart from runs, because the library asks
 * whether there is one.
 *
 * Threads: any; they block. One at a time for a machine.
 */
#pragma once

#include "vd-config.h"

G_BEGIN_DECLS

/* The engine that saved it; VD_ENGINE_AUTO: it is not saved. */
VdEngineKind vd_saved_find (const char *folder);
/* What the engine wrote, or where it is to write: a name that does not exist yet. Owned by the
 * caller. */
char *vd_saved_get_state (const char *folder, VdEngineKind kind);
VdConfig *
vd_saved_load_config (const char *folder, VdEngineKind kind, const char *uuid, GError **error);

/* Begin gives what get_state will give when it is committed. Abort is no error when there is
 * nothing. */
char *vd_saved_begin (const char *folder, GError **error);
gboolean vd_saved_commit (const char *folder, VdEngineKind kind, VdConfig *config, GError **error);
void vd_saved_abort (const char *folder);

/* The guest is about to go on: from here it is not saved any more, whatever happens, because its
 * disks leave behind what was saved. Give back undoes it while the guest has not gone on. */
gboolean vd_saved_take (const char *folder, VdEngineKind kind, GError **error);
gboolean vd_saved_give_back (const char *folder, VdEngineKind kind, GError **error);
/* What was saved or taken, for good. */
gboolean vd_saved_remove (const char *folder, GError **error);

G_END_DECLS
