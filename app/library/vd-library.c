/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibrary: the lock, the list of machines, the list of jobs. What changes folders
 * is in vd-library-change.c, what is found at opening in vd-library-load.c.
 *
 * Threads: main.
 */
#include "library/vd-library-private.h"
#include "library/vd-file.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define MAX_FAILED_JOBS 20
#define CLOSE_TIMEOUT   10000 /* ms */

enum { PROP_0, PROP_MACHINES, PROP_JOBS, N_PROPS };
static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (VdLibrary, vd_library, G_TYPE_OBJECT)

char *
vd_library_get_folder (VdLibrary *self, const char *uuid)
{
  return g_build_filename (self->path, VD_MACHINES_FOLDER, uuid, NULL);
}

char *
vd_library_get_trash_folder (VdLibrary *self, const char *uuid)
{
  return g_build_filename (self->path, VD_TRASH_FOLDER, uuid, NULL);
}

/* By name as a person sorts, then by identifier, so that the order is always the same. */
static int
compare_machines (gconstpointer a, gconstpointer b, gpointer data)
{
  VdMachine *first = (VdMachine *) a, *second = (VdMachine *) b;
  g_autofree char *key_a = g_utf8_collate_key_for_filename (vd_machine_get_name (first), -1);
  g_autofree char *key_b = g_utf8_collate_key_for_filename (vd_machine_get_name (second), -1);
  int order = strcmp (key_a, key_b);

  return order != 0 ? order : strcmp (vd_machine_get_uuid (first), vd_machine_get_uuid (second));
}

static void
on_name_changed (VdLibrary *self, GParamSpec *pspec, VdMachine *machine)
{
  g_list_store_sort (self->machines, compare_machines, NULL);
}

static void close_machines (VdLibrary *self, gboolean (*keep) (VdOwnMachine *machine));

static gboolean
all_can_leave (VdLibrary *self)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->machines)); i++) {
    g_autoptr (VdOwnMachine) machine = g_list_model_get_item (G_LIST_MODEL (self->machines), i);

    if (!vd_own_machine_can_leave (machine))
      return FALSE;
  }
  return TRUE;
}

/* What a released library keeps goes when it stops. The last one that must stay holds the others,
 * because QEMU's folder is this process's as long as it lives. */
static void
on_machine_active (VdLibrary *self, GParamSpec *pspec, VdMachine *machine)
{
  if (self->lock != NULL || vd_machine_is_active (machine))
    return;
  vd_library_remove (self, machine);
  if (all_can_leave (self))
    close_machines (self, NULL);
}

static void
drop_job (VdLibrary *self, VdJob *job)
{
  guint position;

  if (g_list_store_find (self->jobs, job, &position))
    g_list_store_remove (self->jobs, position);
}

static void
forget_old_failures (VdLibrary *self)
{
  while (g_list_model_get_n_items (G_LIST_MODEL (self->jobs)) > MAX_FAILED_JOBS) {
    g_autoptr (VdJob) job = g_list_model_get_item (G_LIST_MODEL (self->jobs), 0);

    if (!vd_job_is_finished (job))
      return;
    g_list_store_remove (self->jobs, 0);
  }
}

static void
on_job_finished (VdLibrary *self, VdJob *job)
{
  if (vd_job_get_state (job) != VD_JOB_FAILED)
    drop_job (self, job);
  else
    forget_old_failures (self);
}

VdJob *
vd_library_track (VdLibrary *self, VdJob *job)
{
  if (job == NULL || vd_job_is_finished (job) || g_list_store_find (self->jobs, job, NULL))
    return job;
  g_list_store_append (self->jobs, job);
  g_signal_connect_object (job, "finished", G_CALLBACK (on_job_finished), self, G_CONNECT_SWAPPED);
  return job;
}

static void
on_machine_job (VdLibrary *self, GParamSpec *pspec, VdMachine *machine)
{
  vd_library_track (self, vd_machine_get_job (machine));
}

void
vd_library_add (VdLibrary *self, VdOwnMachine *machine)
{
  vd_own_machine_set_bus_name (machine, self->bus_name);
  vd_own_machine_set_worker (machine, self->worker);
  g_signal_connect_object (machine, "notify::name", G_CALLBACK (on_name_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (machine, "notify::job", G_CALLBACK (on_machine_job), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (machine, "notify::active", G_CALLBACK (on_machine_active), self,
                           G_CONNECT_SWAPPED);
  vd_library_track (self, vd_machine_get_job (VD_MACHINE (machine)));
  g_list_store_insert_sorted (self->machines, machine, compare_machines, NULL);
}

void
vd_library_remove (VdLibrary *self, VdMachine *machine)
{
  guint position;

  if (!g_list_store_find (self->machines, machine, &position))
    return;
  g_signal_handlers_disconnect_by_data (machine, self);
  g_list_store_remove (self->machines, position);
}

const char *
vd_library_get_path (VdLibrary *self)
{
  return self->path;
}

GListModel *
vd_library_get_machines (VdLibrary *self)
{
  return G_LIST_MODEL (self->machines);
}

GListModel *
vd_library_get_jobs (VdLibrary *self)
{
  return G_LIST_MODEL (self->jobs);
}

GListModel *
vd_library_get_engines (VdLibrary *self)
{
  return self->engines;
}

const char *
vd_library_get_notice (VdLibrary *self)
{
  return self->notice;
}

void
vd_library_dismiss (VdLibrary *self, VdJob *job)
{
  if (vd_job_is_finished (job))
    drop_job (self, job);
}

VdMachine *
vd_library_find (VdLibrary *self, const char *uuid_or_name)
{
  GListModel *machines = G_LIST_MODEL (self->machines);
  VdMachine *found = NULL;
  guint n_found = 0;

  for (guint i = 0; i < g_list_model_get_n_items (machines); i++) {
    g_autoptr (VdMachine) machine = g_list_model_get_item (machines, i);

    if (g_ascii_strcasecmp (vd_machine_get_uuid (machine), uuid_or_name) == 0)
      return machine; /* the list keeps it */
    if (strcmp (vd_machine_get_name (machine), uuid_or_name) == 0) {
      found = machine;
      n_found++;
    }
  }
  return n_found == 1 ? found : NULL;
}

gboolean
vd_library_explain (VdLibrary *self,
                    VdConfig *config,
                    char **name,
                    char **reason,
                    char **slow,
                    GError **error)
{
  VdEngine *engine;

  g_return_val_if_fail (VD_IS_LIBRARY (self), FALSE);

  engine = vd_engine_list_choose (self->engines, config, NULL, reason, error);
  if (engine == NULL)
    return FALSE;
  if (name != NULL)
    *name = g_strdup (vd_engine_get_name (engine));
  if (slow != NULL)
    *slow = vd_engine_explain_slow (engine);
  return TRUE;
}

void
vd_library_set_bus_name (VdLibrary *self, const char *bus_name)
{
  GListModel *machines = G_LIST_MODEL (self->machines);
  g_autoptr (GError) error = NULL;

  g_set_str (&self->bus_name, bus_name);
  if (self->lock != NULL && !vd_lock_write (self->lock, bus_name, NULL, &error))
    g_warning ("%s", error->message);
  for (guint i = 0; i < g_list_model_get_n_items (machines); i++) {
    g_autoptr (VdOwnMachine) machine = g_list_model_get_item (machines, i);

    vd_own_machine_set_bus_name (machine, bus_name);
  }
}

/* Lets every machine go for which @keep says so, from the last one on. One that does not end keeps
 * its lock. */
static void
close_machines (VdLibrary *self, gboolean (*keep) (VdOwnMachine *machine))
{
  GListModel *machines = G_LIST_MODEL (self->machines);
  VdClosing *closing = vd_closing_new ();

  for (guint i = g_list_model_get_n_items (machines); i-- > 0;) {
    g_autoptr (VdOwnMachine) machine = g_list_model_get_item (machines, i);

    if (keep != NULL && keep (machine))
      continue;
    vd_library_remove (self, VD_MACHINE (machine));
    vd_closing_add_machine (closing, machine);
  }
  vd_closing_wait (closing, self->close_timeout);
  vd_closing_unref (closing);
}

static gboolean
is_active (VdOwnMachine *machine)
{
  return vd_machine_is_active (VD_MACHINE (machine));
}

static gboolean
has_own_job (VdLibrary *self)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->jobs)); i++) {
    g_autoptr (VdJob) job = g_list_model_get_item (G_LIST_MODEL (self->jobs), i);

    if (!vd_job_is_finished (job))
      return TRUE;
  }
  return FALSE;
}

gboolean
vd_library_release (VdLibrary *self, GError **error)
{
  if (has_own_job (self)) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_STATE,
                         _("Something is being changed right now; try again in a moment."));
    return FALSE;
  }
  close_machines (self, all_can_leave (self) ? NULL : is_active);
  g_clear_pointer (&self->lock, vd_lock_remove);
  return TRUE;
}

static void
vd_library_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  VdLibrary *self = VD_LIBRARY (object);

  switch (id) {
  case PROP_MACHINES:
    g_value_set_object (value, self->machines);
    break;
  case PROP_JOBS:
    g_value_set_object (value, self->jobs);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
vd_library_dispose (GObject *object)
{
  vd_library_close (VD_LIBRARY (object));
  G_OBJECT_CLASS (vd_library_parent_class)->dispose (object);
}

static void
vd_library_finalize (GObject *object)
{
  VdLibrary *self = VD_LIBRARY (object);

  g_clear_object (&self->machines);
  g_clear_object (&self->jobs);
  g_clear_object (&self->engines);
  g_free (self->path);
  g_free (self->bus_name);
  g_free (self->notice);
  G_OBJECT_CLASS (vd_library_parent_class)->finalize (object);
}

static void
vd_library_class_init (VdLibraryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = vd_library_get_property;
  object_class->dispose = vd_library_dispose;
  object_class->finalize = vd_library_finalize;
  props[PROP_MACHINES] = g_param_spec_object ("machines", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  props[PROP_JOBS] = g_param_spec_object ("jobs", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
vd_library_init (VdLibrary *self)
{
  self->machines = g_list_store_new (VD_TYPE_MACHINE);
  self->jobs = g_list_store_new (VD_TYPE_JOB);
  self->worker = vd_worker_new ("vd-library");
  self->close_timeout = CLOSE_TIMEOUT;
}
