/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLibvirtEngine.
 *
 * Threads: main.
 */
#include "libvirt/vd-libvirt-engine.h"
#include "libvirt/vd-libvirt-run.h"
#include "library/vd-file.h"
#include "local/vd-local-engine.h"
#include "vd-error.h"

#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#define FOLDER "libvirt"

struct _VdLibvirtEngine {
  VdEngine parent_instance;
  VdLibvirtConnection *connection;
};

G_DEFINE_FINAL_TYPE (VdLibvirtEngine, vd_libvirt_engine, VD_TYPE_ENGINE)

static gboolean
vd_libvirt_engine_check (VdEngine *engine, VdConfig *config, const char *folder, GError **error)
{
  g_autofree char *program = g_find_program_in_path ("qemu-system-x86_64");

  if (program != NULL)
    return TRUE;
  g_set_error_literal (error, VD_ERROR, VD_ERROR_UNSUPPORTED,
                       _("QEMU is not installed; install the package qemu-system-x86 and try "
                         "again."));
  return FALSE;
}

static char *
vd_libvirt_engine_explain_slow (VdEngine *engine)
{
  g_autoptr (GError) error = NULL;

  if (vd_local_check_kvm (&error))
    return NULL;
  return g_strdup_printf (_("Machines are slow. %s"), error->message);
}

static void
close_connection (gpointer connection)
{
  vd_libvirt_connection_close (connection);
  vd_libvirt_connection_unref (connection);
}

static VdWorker *
vd_libvirt_engine_close (VdEngine *engine)
{
  VdLibvirtConnection *connection = VD_LIBVIRT_ENGINE (engine)->connection;
  VdWorker *worker = vd_libvirt_connection_get_worker (connection);

  vd_libvirt_connection_ref (connection);
  if (!vd_worker_push (worker, close_connection, connection, NULL))
    vd_libvirt_connection_unref (connection);
  return worker;
}

VdLibvirtConnection *
vd_libvirt_engine_get_connection (VdLibvirtEngine *self)
{
  return self->connection;
}

static void
vd_libvirt_engine_finalize (GObject *object)
{
  vd_libvirt_connection_unref (VD_LIBVIRT_ENGINE (object)->connection);
  G_OBJECT_CLASS (vd_libvirt_engine_parent_class)->finalize (object);
}

static void
vd_libvirt_engine_class_init (VdLibvirtEngineClass *klass)
{
  VdEngineClass *engine_class = VD_ENGINE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = vd_libvirt_engine_finalize;
  engine_class->kind = VD_ENGINE_LIBVIRT;
  engine_class->name = "QEMU";
  engine_class->check = vd_libvirt_engine_check;
  engine_class->explain_slow = vd_libvirt_engine_explain_slow;
  engine_class->new_run = vd_libvirt_run_new;
  engine_class->close = vd_libvirt_engine_close;
}

static void
vd_libvirt_engine_init (VdLibvirtEngine *self)
{
}

/* Whether libvirt can log to it; if not, it would not start at all. */
static gboolean
is_good_log (const char *log)
{
  g_autofd int fd = open (log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

  return fd >= 0 && strpbrk (log, " \t\n") == NULL; /* between outputs stand spaces */
}

/* libvirt reads this when it is initialised and has no function for it; and who changes the
 * environment must be alone. */
void
vd_libvirt_engine_prepare (const char *path)
{
  g_autofree char *folder = g_build_filename (path, FOLDER, NULL);
  g_autofree char *log = g_build_filename (folder, "libvirt.log", NULL);
  g_autofree char *outputs = g_strdup_printf ("3:file:%s", log);

  vd_folder_make (folder, NULL); /* if it cannot be made, opening the library says why */
  g_setenv ("LIBVIRT_LOG_OUTPUTS", is_good_log (log) ? outputs : "4:stderr", FALSE);
}

VdEngine *
vd_libvirt_engine_new (const char *path)
{
  VdLibvirtEngine *self = g_object_new (VD_TYPE_LIBVIRT_ENGINE, NULL);
  g_autofree char *folder = g_build_filename (path, FOLDER, NULL);

  self->connection = vd_libvirt_connection_new (folder);
  return VD_ENGINE (self);
}
