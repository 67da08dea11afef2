/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdOwnMachine as it is found on disk: its machine.ini, and what a "running" file
 * that is there means: it runs elsewhere, it was lost, or it still runs on QEMU.
 *
 * Threads: main.
 */
#include "library/vd-config-file.h"
#include "library/vd-config-private.h"
#include "library/vd-lock.h"
#include "library/vd-own-machine-private.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#define RETRY_PAUSE 100 /* ms */
#define N_RETRIES   300

void
vd_own_machine_set_lost (VdOwnMachine *self)
{
  self->lost = TRUE;
  vd_machine_set_state (VD_MACHINE (self), VD_MACHINE_CRASHED,
                        _("VirtDesk ended while it was running, as in a power cut. It can be "
                          "started again."));
}

void
vd_own_machine_update_engine (VdOwnMachine *self)
{
  VdConfig *config = vd_machine_get_config (VD_MACHINE (self));
  g_autofree char *reason = NULL, *slow = NULL;
  g_autoptr (GError) error = NULL;
  VdEngine *engine = vd_engine_list_choose (self->engines, config, self->folder, &reason, &error);

  if (engine == NULL) {
    vd_machine_set_engine (VD_MACHINE (self), NULL, error->message, NULL);
    return;
  }
  slow = vd_engine_explain_slow (engine);
  vd_machine_set_engine (VD_MACHINE (self), vd_engine_get_name (engine), reason, slow);
}

void
vd_own_machine_update (VdOwnMachine *self, VdConfig *config)
{
  vd_machine_set_config (VD_MACHINE (self), config, FALSE);
  vd_own_machine_update_engine (self);
}

/* The file says who held it; nobody does any more. */
static void
find_left (VdOwnMachine *self, const VdLockNote *note, const char *path)
{
  int kind = vd_enum_from_nick (VD_TYPE_ENGINE_KIND, note->engine);
  VdEngine *engine = kind > 0 ? vd_engine_list_find (self->engines, kind) : NULL;

  if (engine != NULL && kind != VD_ENGINE_LOCAL &&
      vd_machine_get_config (VD_MACHINE (self)) != NULL) {
    vd_own_machine_adopt (self, engine);
    return;
  }
  g_unlink (path);
  vd_own_machine_set_lost (self);
}

static void
on_running_file_changed (VdOwnMachine *self, GFile *file, GFile *other, GFileMonitorEvent event)
{
  if (event == G_FILE_MONITOR_EVENT_DELETED)
    vd_own_machine_check_elsewhere (self);
}

/* Its holder removes the file when the machine stops; when the holder dies, the service on the bus
 * notices. */
static void
watch_running_file (VdOwnMachine *self, const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);

  if (self->monitor != NULL)
    return;
  self->monitor = g_file_monitor_file (file, G_FILE_MONITOR_NONE, NULL, NULL);
  if (self->monitor != NULL)
    g_signal_connect_object (self->monitor, "changed", G_CALLBACK (on_running_file_changed), self,
                             G_CONNECT_SWAPPED);
}

static void
find_run (VdOwnMachine *self)
{
  g_autofree char *path = g_build_filename (self->folder, VD_RUNNING_FILE, NULL);
  g_auto (VdLockNote) note = { 0 };
  VdLockState state = vd_lock_look (path, &note);

  g_clear_pointer (&self->holder, g_free);
  if (state == VD_LOCK_HELD) {
    self->holder = g_strdup (note.bus_name);
    watch_running_file (self, path);
    vd_machine_set_state (VD_MACHINE (self), VD_MACHINE_ELSEWHERE, NULL);
    return;
  }
  g_clear_object (&self->monitor);
  if (state == VD_LOCK_LEFT) {
    find_left (self, &note, path);
  } else {
    vd_machine_set_state (VD_MACHINE (self), VD_MACHINE_OFF, NULL);
  }
}

void
vd_own_machine_check_elsewhere (VdOwnMachine *self)
{
  if (vd_machine_get_state (VD_MACHINE (self)) == VD_MACHINE_ELSEWHERE) {
    find_run (self);
    vd_own_machine_find_screenshot (self);
    vd_own_machine_find_saved (self);
  }
}

static gboolean
on_retry (gpointer data)
{
  VdOwnMachine *self = data;

  vd_own_machine_check_elsewhere (self);
  if (vd_machine_get_state (VD_MACHINE (self)) == VD_MACHINE_ELSEWHERE && --self->n_retries > 0)
    return G_SOURCE_CONTINUE;
  self->retry = 0;
  return G_SOURCE_REMOVE;
}

/* A dying process leaves the bus and drops its locks in no order; its memory goes first, which
 * takes a while. */
void
vd_own_machine_lose_holder (VdOwnMachine *self, const char *holder)
{
  if (g_strcmp0 (self->holder, holder) != 0)
    return;
  vd_own_machine_check_elsewhere (self);
  if (vd_machine_get_state (VD_MACHINE (self)) != VD_MACHINE_ELSEWHERE)
    return;
  self->n_retries = N_RETRIES;
  if (self->retry == 0)
    self->retry = g_timeout_add (RETRY_PAUSE, on_retry, self);
}

const char *
vd_own_machine_get_holder (VdOwnMachine *self)
{
  return self->holder;
}

gboolean
vd_own_machine_was_lost (VdOwnMachine *self)
{
  return self->lost;
}

static void
read_folder (VdOwnMachine *self)
{
  VdMachine *machine = VD_MACHINE (self);
  g_autofree char *uuid =
    g_path_get_basename (self->folder); /* any bytes, of a stranger's folder */
  g_autofree char *name = g_filename_display_name (uuid);
  g_autoptr (VdConfig) config = NULL;
  g_autoptr (GError) error = NULL;
  gboolean newer;

  vd_machine_set_uuid (machine, uuid);
  config = vd_config_load (self->folder, uuid, &newer, &error);
  if (config == NULL) {
    g_autofree char *problem = g_utf8_make_valid (error->message, -1);

    vd_machine_set_name (machine, name);
    vd_machine_set_state (machine, VD_MACHINE_BROKEN, problem);
    return;
  }
  vd_machine_set_config (machine, config, newer);
  vd_own_machine_update_engine (self);
  vd_own_machine_find_screenshot (self);
  vd_own_machine_find_saved (self);
  find_run (self);
  if (newer && vd_machine_get_state (machine) == VD_MACHINE_OFF)
    vd_machine_set_state (machine, VD_MACHINE_OFF,
                          _("It was made by a newer VirtDesk: it can be seen here, not changed or "
                            "started."));
}

VdOwnMachine *
vd_own_machine_new (const char *folder, GListModel *engines)
{
  VdOwnMachine *self = g_object_new (VD_TYPE_OWN_MACHINE, NULL);

  self->folder = g_strdup (folder);
  self->engines = g_object_ref (engines);
  read_folder (self);
  return self;
}
