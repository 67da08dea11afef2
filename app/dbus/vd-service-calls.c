/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The methods of VdService: one table; most of them are a verb of a machine whose
 * job is waited for.
 *
 * Threads: main.
 */
#include "dbus/vd-service-private.h"
#include "dbus/vd-variant.h"
#include "library/vd-file.h"
#include "vd-error.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* One call that is being answered. */
typedef struct _Call Call;

struct _Call {
  VdService *service;
  GDBusMethodInvocation *invocation; /* takes its answer */
  VdMachine *machine;
  GFile *file; /* of Screenshot */
  char *uuid;  /* of Create */
  gboolean keep;
  void (*finish) (Call *call); /* once the machine is inactive */
};

typedef void (*Handler) (Call *call, GVariant *args); /* takes @call */

static void
call_free (Call *call)
{
  g_clear_object (&call->service);
  g_clear_object (&call->machine);
  if (call->file != NULL)
    g_unlink (g_file_peek_path (call->file));
  g_clear_object (&call->file);
  g_free (call->uuid);
  g_free (call);
}

/* Each of these ends the call. */
static void
answer (Call *call, GVariant *value)
{
  g_dbus_method_invocation_return_value (call->invocation, value);
  call_free (call);
}

static void
answer_error (Call *call, GError *error)
{
  g_dbus_method_invocation_take_error (call->invocation, error);
  call_free (call);
}

static void
on_verb_done (GObject *source, GAsyncResult *result, gpointer data)
{
  Call *call = data;
  GError *error = NULL;

  if (vd_job_wait_finish (VD_JOB (source), result, &error))
    answer (call, NULL);
  else
    answer_error (call, error);
}

/* Takes @job. */
static void
answer_when_done (Call *call, VdJob *job)
{
  vd_job_wait_async (job, NULL, on_verb_done, call);
  g_object_unref (job);
}

static void
on_active_changed (VdMachine *machine, GParamSpec *pspec, gpointer data)
{
  Call *call = data;

  if (vd_machine_is_active (machine))
    return;
  g_signal_handlers_disconnect_by_func (machine, on_active_changed, call);
  call->finish (call);
}

static void
answer_when_inactive (Call *call, void (*finish) (Call *call))
{
  if (!vd_machine_is_active (call->machine)) {
    finish (call);
    return;
  }
  call->finish = finish;
  g_signal_connect (call->machine, "notify::active", G_CALLBACK (on_active_changed), call);
}

static void
finish_nothing (Call *call)
{
  answer (call, NULL);
}

static void
finish_state (Call *call)
{
  g_autoptr (GVariant) properties = g_variant_ref_sink (vd_machine_to_variant (call->machine));
  const char *state = "";

  g_variant_lookup (properties, "state", "&s", &state);
  answer (call, g_variant_new ("(s)", state));
}

static void
on_forced (GObject *source, GAsyncResult *result, gpointer data)
{
  Call *call = data;
  GError *error = NULL;

  if (vd_job_wait_finish (VD_JOB (source), result, &error))
    answer_when_inactive (call, finish_nothing);
  else
    answer_error (call, error);
}

static void
handle_force_off (Call *call, GVariant *args)
{
  g_autoptr (VdJob) job = vd_machine_force_off (call->machine);

  vd_job_wait_async (job, NULL, on_forced, call);
}

/* Who asks is led on to the process that runs it, as for every verb. */
static void
handle_wait (Call *call, GVariant *args)
{
  if (vd_machine_get_state (call->machine) == VD_MACHINE_ELSEWHERE) {
    answer_error (
      call, g_error_new (VD_ERROR, VD_ERROR_OWNED,
                         _("“%s” still runs in another process; it comes here when it stops."),
                         vd_machine_get_name (call->machine)));
    return;
  }
  answer_when_inactive (call, finish_state);
}

static void
handle_list (Call *call, GVariant *args)
{
  GListModel *machines = vd_library_get_machines (call->service->library);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < g_list_model_get_n_items (machines); i++) {
    g_autoptr (VdMachine) machine = g_list_model_get_item (machines, i);

    g_variant_builder_add_value (&builder, vd_machine_to_variant (machine));
  }
  answer (call, g_variant_new ("(aa{sv})", &builder));
}

static void
handle_show (Call *call, GVariant *args)
{
  answer (call, g_variant_new ("(@a{sv})", vd_machine_to_variant (call->machine)));
}

static void
on_created (GObject *source, GAsyncResult *result, gpointer data)
{
  Call *call = data;
  GError *error = NULL;

  if (vd_job_wait_finish (VD_JOB (source), result, &error))
    answer (call, g_variant_new ("(s)", call->uuid));
  else
    answer_error (call, error);
}

static void
handle_create (Call *call, GVariant *args)
{
  g_autoptr (GVariant) dict = g_variant_get_child_value (args, 0);
  g_autoptr (VdConfig) config = NULL;
  g_autoptr (VdJob) job = NULL;
  GError *error = NULL;

  config = vd_config_from_variant (dict, &error);
  if (config == NULL) {
    answer_error (call, error);
    return;
  }
  call->uuid = g_strdup (vd_config_get_uuid (config));
  job = vd_library_create (call->service->library, config);
  vd_job_wait_async (job, NULL, on_created, call);
}

static void
on_deleted (GObject *source, GAsyncResult *result, gpointer data)
{
  Call *call = data;
  GError *error = NULL;

  if (!vd_job_wait_finish (VD_JOB (source), result, &error))
    answer_error (call, error);
  else if (call->keep)
    answer (call, NULL);
  else
    answer_when_done (
      call, vd_library_purge (call->service->library, vd_machine_get_uuid (call->machine)));
}

static void
handle_delete (Call *call, GVariant *args)
{
  g_autoptr (VdJob) job = vd_library_delete (call->service->library, call->machine);

  g_variant_get_child (args, 1, "b", &call->keep);
  vd_job_wait_async (job, NULL, on_deleted, call);
}

static void
handle_restore (Call *call, GVariant *args)
{
  const char *uuid;

  g_variant_get (args, "(&s)", &uuid);
  answer_when_done (call, vd_library_restore (call->service->library, uuid));
}

static void
on_pictured (GObject *source, GAsyncResult *result, gpointer data)
{
  Call *call = data;
  g_autoptr (GUnixFDList) fds = NULL;
  GError *error = NULL;
  int fd;

  if (!vd_job_wait_finish (VD_JOB (source), result, &error)) {
    answer_error (call, error);
    return;
  }
  fd = open (g_file_peek_path (call->file), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    answer_error (call, g_error_new_literal (VD_ERROR, VD_ERROR_FAILED,
                                             _("The picture cannot be handed over.")));
    return;
  }
  fds = g_unix_fd_list_new_from_array (&fd, 1);
  g_dbus_method_invocation_return_value_with_unix_fd_list (call->invocation,
                                                           g_variant_new ("(h)", 0), fds);
  call_free (call);
}

/* A file of this call's own; what is left behind the next open of the library removes. */
static void
handle_screenshot (Call *call, GVariant *args)
{
  g_autofree char *path =
    g_build_filename (vd_library_get_path (call->service->library), VD_MACHINES_FOLDER,
                      VD_NEW_PREFIX "picture-XXXXXX", NULL);
  g_autofd int fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  g_autoptr (VdJob) job = NULL;
  GError *error = NULL;

  if (fd < 0) {
    vd_error_set_errno (&error, errno, _("“%s” cannot be written"), path);
    answer_error (call, error);
    return;
  }
  call->file = g_file_new_for_path (path);
  job = vd_machine_save_screenshot (call->machine, call->file);
  vd_job_wait_async (job, NULL, on_pictured, call);
}

static void
handle_release (Call *call, GVariant *args)
{
  GError *error = NULL;

  if (vd_service_release (call->service, &error))
    answer (call, NULL);
  else
    answer_error (call, error);
}

static const struct {
  const char *name;
  gboolean of_machine; /* the first argument names one */
  Handler handle;
  VdJob *(*verb) (VdMachine *machine); /* in place of it: the answer is the job's end */
} methods[] = {
  { "List", FALSE, handle_list, NULL },
  { "Show", TRUE, handle_show, NULL },
  { "Create", FALSE, handle_create, NULL },
  { "Start", TRUE, NULL, vd_machine_start },
  { "Pause", TRUE, NULL, vd_machine_pause },
  { "Resume", TRUE, NULL, vd_machine_resume },
  { "Reset", TRUE, NULL, vd_machine_reset },
  { "PowerOff", TRUE, NULL, vd_machine_power_off },
  { "Save", TRUE, NULL, vd_machine_save },
  { "Discard", TRUE, NULL, vd_machine_discard },
  { "ForceOff", TRUE, handle_force_off, NULL },
  { "Wait", TRUE, handle_wait, NULL },
  { "Screenshot", TRUE, handle_screenshot, NULL },
  { "Delete", TRUE, handle_delete, NULL },
  { "Restore", FALSE, handle_restore, NULL },
  { "Release", FALSE, handle_release, NULL },
};

static gboolean
find_machine (Call *call, GVariant *args, GError **error)
{
  const char *name;
  VdMachine *machine;

  g_variant_get_child (args, 0, "&s", &name);
  machine = vd_library_find (call->service->library, name);
  if (machine != NULL) {
    call->machine = g_object_ref (machine);
    return TRUE;
  }
  g_set_error (error, VD_ERROR, VD_ERROR_NOT_FOUND,
               _("There is no machine “%s”, or more than one; see “vdctl list”."), name);
  return FALSE;
}

void
vd_service_on_call (GDBusConnection *connection,
                    const char *sender,
                    const char *path,
                    const char *interface,
                    const char *method,
                    GVariant *args,
                    GDBusMethodInvocation *invocation,
                    gpointer data)
{
  Call *call = g_new0 (Call, 1);
  GError *error = NULL;
  guint i = 0;

  call->service = g_object_ref (data);
  call->invocation = invocation;
  while (strcmp (methods[i].name, method) != 0)
    i++; /* GDBus has checked that it is one of these */
  if (methods[i].of_machine && !find_machine (call, args, &error))
    answer_error (call, error);
  else if (methods[i].verb != NULL)
    answer_when_done (call, methods[i].verb (call->machine));
  else
    methods[i].handle (call, args);
}
