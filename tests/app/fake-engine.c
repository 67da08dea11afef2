/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * FakeEngine.
 */
#include "fake-engine.h"
#include "app-test.h"
#include "library/vd-saved.h"

#include <glib/gstdio.h>

typedef struct {
  VdRun parent_instance;
  char *folder;
  char *kernel;
  VdConfig *config;
} FakeRun;
typedef VdRunClass FakeRunClass;

typedef VdEngine FakeEngine;
typedef VdEngineClass FakeEngineClass;

static GMutex lock;
static GHashTable *counts; /* of verbs */
static VdRun *last_run;
static GCond cond;
static gboolean may_end; /* what hangs */

GType fake_run_get_type (void);
GType fake_surviving_run_get_type (void);
GType fake_local_get_type (void);
GType fake_libvirt_get_type (void);

G_DEFINE_TYPE (FakeRun, fake_run, VD_TYPE_RUN)

static void
count (const char *verb)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  guint n;

  if (counts == NULL)
    counts = g_hash_table_new (g_str_hash, g_str_equal);
  n = GPOINTER_TO_UINT (g_hash_table_lookup (counts, verb));
  g_hash_table_insert (counts, (gpointer) verb, GUINT_TO_POINTER (n + 1));
}

guint
fake_engine_count (const char *verb)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return counts != NULL ? GPOINTER_TO_UINT (g_hash_table_lookup (counts, verb)) : 0;
}

void
fake_engine_reset_counts (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  g_clear_pointer (&counts, g_hash_table_unref);
  may_end = FALSE;
}

VdRun *
fake_engine_get_last_run (void)
{
  return last_run;
}

static char *
alive_file (FakeRun *self)
{
  return g_build_filename (self->folder, "alive", NULL);
}

static gboolean
start (VdRun *run, GCancellable *cancellable, GError **error)
{
  FakeRun *self = (FakeRun *) run;
  g_autofree char *alive = alive_file (self);

  count ("start");
  if (g_strcmp0 (self->kernel, "/refused") == 0) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_KERNEL, "The kernel is none.");
    return FALSE;
  }
  if (VD_RUN_GET_CLASS (run)->survives)
    g_file_set_contents (alive, "", 0, NULL);
  if (vd_saved_find (self->folder) == VD_ENGINE_LOCAL) {
    count ("continue");
    if (!vd_saved_take (self->folder, VD_ENGINE_LOCAL, error))
      return FALSE;
    if (g_strcmp0 (self->kernel, "/dies") != 0 && !vd_saved_remove (self->folder, error))
      return FALSE;
  }
  vd_run_post (run, VD_RUN_RUNNING, NULL, NULL);
  return TRUE;
}

static gboolean
adopt (VdRun *run, GError **error)
{
  g_autofree char *alive = alive_file ((FakeRun *) run);

  count ("adopt");
  if (!g_file_test (alive, G_FILE_TEST_EXISTS)) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_NOT_FOUND, "It does not run.");
    return FALSE;
  }
  vd_run_post (run, VD_RUN_RUNNING, NULL, NULL);
  return TRUE;
}

static gboolean
pause_ (VdRun *run, GError **error)
{
  count ("pause");
  vd_run_post (run, VD_RUN_PAUSED, NULL, NULL);
  return TRUE;
}

static gboolean
resume (VdRun *run, GError **error)
{
  count ("resume");
  vd_run_post (run, VD_RUN_RUNNING, NULL, NULL);
  return TRUE;
}

/* The guest takes its time: the test ends it. */
static gboolean
power_off (VdRun *run, GError **error)
{
  count ("power_off");
  return TRUE;
}

static gboolean
force_off (VdRun *run, GError **error)
{
  g_autofree char *alive = alive_file ((FakeRun *) run);

  count ("force_off");
  g_unlink (alive);
  vd_run_post (run, VD_RUN_OFF, NULL, NULL);
  return TRUE;
}

static gboolean
reset (VdRun *run, GError **error)
{
  count ("reset");
  return TRUE;
}

static gboolean
set_disc (VdRun *run, guint drive, const char *path, gboolean force, GError **error)
{
  count (path != NULL ? "insert" : "eject");
  if (force || g_strcmp0 (((FakeRun *) run)->kernel, "/locks") != 0)
    return TRUE;
  g_set_error_literal (error, VD_ERROR, VD_ERROR_DISC_LOCKED, "The guest keeps its disc.");
  return FALSE;
}

/* "/full" finds no room, and "/large" takes so long that somebody cancels it. */
static gboolean
write_state (FakeRun *self, VdJob *job, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = vd_saved_begin (self->folder, error);

  if (path == NULL || !g_file_set_contents (path, "state", -1, error))
    return FALSE;
  vd_job_set_progress (job, 0.5);
  while (g_strcmp0 (self->kernel, "/large") == 0 && !g_cancellable_is_cancelled (cancellable))
    g_usleep (1000);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (g_strcmp0 (self->kernel, "/full") == 0) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_FAILED, "The disk is full.");
    return FALSE;
  }
  return vd_saved_commit (self->folder, VD_ENGINE_LOCAL, self->config, error);
}

static gboolean
save (VdRun *run, VdJob *job, GCancellable *cancellable, GError **error)
{
  FakeRun *self = (FakeRun *) run;

  count ("save");
  if (!write_state (self, job, cancellable, error)) {
    vd_saved_abort (self->folder);
    return FALSE;
  }
  vd_run_post (run, VD_RUN_OFF, NULL, NULL);
  return TRUE;
}

guint64
fake_engine_get_last_memory (void)
{
  return vd_config_get_memory (((FakeRun *) last_run)->config);
}

void
fake_engine_let_go (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  may_end = TRUE;
  g_cond_broadcast (&cond);
}

static void
close_run (VdRun *run)
{
  g_autoptr (GMutexLocker) locker = NULL;

  count ("close");
  locker = g_mutex_locker_new (&lock);
  while (g_strcmp0 (((FakeRun *) run)->kernel, "/hangs") == 0 && !may_end)
    g_cond_wait (&cond, &lock);
}

static void
finalize (GObject *object)
{
  FakeRun *self = (FakeRun *) object;

  if (last_run == VD_RUN (object))
    last_run = NULL;
  g_free (self->folder);
  g_free (self->kernel);
  g_clear_object (&self->config);
  G_OBJECT_CLASS (fake_run_parent_class)->finalize (object);
}

static void
fake_run_class_init (FakeRunClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = finalize;
  klass->kind = VD_ENGINE_LOCAL;
  klass->start = start;
  klass->pause = pause_;
  klass->resume = resume;
  klass->power_off = power_off;
  klass->force_off = force_off;
  klass->reset = reset;
  klass->set_disc = set_disc;
  klass->save = save;
  klass->close = close_run;
}

static void
fake_run_init (FakeRun *self)
{
}

typedef FakeRun FakeSurvivingRun;
typedef FakeRunClass FakeSurvivingRunClass;
G_DEFINE_TYPE (FakeSurvivingRun, fake_surviving_run, fake_run_get_type ())

static void
fake_surviving_run_class_init (FakeSurvivingRunClass *klass)
{
  klass->kind = VD_ENGINE_LIBVIRT;
  klass->survives = TRUE;
  klass->adopt = adopt;
  klass->save = NULL;
}

static void
fake_surviving_run_init (FakeSurvivingRun *self)
{
}

static gboolean
check (VdEngine *engine, VdConfig *config, const char *folder, GError **error)
{
  const char *kernel = vd_config_get_kernel (config);

  if (g_strcmp0 (kernel, "/missing-engine") != 0 &&
      (vd_engine_get_kind (engine) != VD_ENGINE_LOCAL || !vd_config_get_network (config)))
    return TRUE;
  g_set_error (error, VD_ERROR, VD_ERROR_UNSUPPORTED, "%s cannot.", vd_engine_get_name (engine));
  return FALSE;
}

static VdRun *
new_run (VdEngine *engine, VdConfig *config, const char *folder)
{
  GType type = vd_engine_get_kind (engine) == VD_ENGINE_LOCAL ? fake_run_get_type ()
                                                              : fake_surviving_run_get_type ();
  FakeRun *run = g_object_new (type, NULL);

  run->folder = g_strdup (folder);
  run->kernel = g_strdup (vd_config_get_kernel (config));
  run->config = vd_config_copy (config);
  vd_run_set_worker (VD_RUN (run), NULL);
  last_run = VD_RUN (run);
  return last_run;
}

typedef FakeEngine FakeLocal;
typedef FakeEngineClass FakeLocalClass;
G_DEFINE_TYPE (FakeLocal, fake_local, VD_TYPE_ENGINE)

static void
fake_local_class_init (FakeLocalClass *klass)
{
  klass->kind = VD_ENGINE_LOCAL;
  klass->name = "Small";
  klass->check = check;
  klass->new_run = new_run;
}

static void
fake_local_init (FakeLocal *self)
{
}

static char *
explain_slow (VdEngine *engine)
{
  return g_strdup ("It walks.");
}

typedef FakeEngine FakeLibvirt;
typedef FakeEngineClass FakeLibvirtClass;
G_DEFINE_TYPE (FakeLibvirt, fake_libvirt, VD_TYPE_ENGINE)

static void
fake_libvirt_class_init (FakeLibvirtClass *klass)
{
  klass->kind = VD_ENGINE_LIBVIRT;
  klass->name = "Big";
  klass->check = check;
  klass->explain_slow = explain_slow;
  klass->new_run = new_run;
}

static void
fake_libvirt_init (FakeLibvirt *self)
{
}

GListModel *
fake_engine_list_new (void)
{
  GListStore *engines = g_list_store_new (VD_TYPE_ENGINE);
  g_autoptr (VdEngine) local = g_object_new (fake_local_get_type (), NULL);
  g_autoptr (VdEngine) libvirt = g_object_new (fake_libvirt_get_type (), NULL);

  g_list_store_append (engines, local);
  g_list_store_append (engines, libvirt);
  return G_LIST_MODEL (engines);
}
