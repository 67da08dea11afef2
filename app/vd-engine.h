/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdEngine: something that can run a VdConfig on this host: vmm-core in this
 * process (local/), or QEMU through libvirt (libvirt/). Which one is chosen, and
 * why, is decided in vd-engine-list.c and nowhere else.
 *
 * Threads: main.
 */
#pragma once

#include "vd-config.h"

G_BEGIN_DECLS

typedef struct _VdRun VdRun;
typedef struct _VdWorker VdWorker;

#define VD_TYPE_ENGINE (vd_engine_get_type ())
G_DECLARE_DERIVABLE_TYPE (VdEngine, vd_engine, VD, ENGINE, GObject)

struct _VdEngineClass {
  GObjectClass parent_class;

  VdEngineKind kind;
  const char *name; /* for people; not translated */

  /* FALSE with one translated sentence that says what @config needs and this engine has not.
   * @folder: the machine's, or NULL while it has none. */
  gboolean (*check) (VdEngine *self, VdConfig *config, const char *folder, GError **error);
  /* Why machines are slow on it here, translated, or NULL. May be NULL. */
  char *(*explain_slow) (VdEngine *self);
  /* One run of the machine whose folder this is; nothing happens yet. */
  VdRun *(*new_run) (VdEngine *self, VdConfig *config, const char *folder);
  /* Begins to let go of what is shared by its runs, which have been told to end. The worker that
   * does it, which is the engine's. May be NULL: nothing is shared. */
  VdWorker *(*close) (VdEngine *self);
};

VdEngineKind vd_engine_get_kind (VdEngine *self);
const char *vd_engine_get_name (VdEngine *self);
gboolean vd_engine_check (VdEngine *self, VdConfig *config, const char *folder, GError **error);
char *vd_engine_explain_slow (VdEngine *self);
VdRun *vd_engine_new_run (VdEngine *self, VdConfig *config, const char *folder);
VdWorker *vd_engine_close (VdEngine *self);

/* Once in a process, before there is another thread. */
void vd_engine_list_prepare (const char *path);
/* The index of all engines, the preferred one first. @path: the library's folder. */
GListModel *vd_engine_list_new (const char *path);
VdEngine *vd_engine_list_find (GListModel *engines, VdEngineKind kind);
/* The engine that runs @config here; @folder as for check. @reason: one translated sentence; may be
 * NULL. NULL with error when there is none. */
VdEngine *vd_engine_list_choose (GListModel *engines,
                                 VdConfig *config,
                                 const char *folder,
                                 char **reason,
                                 GError **error);

G_END_DECLS
