/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdRun: the abstract type, and the way from any thread to the main one.
 *
 * Threads: main, except vd_run_post.
 */
#include "library/vd-run.h"
#include "library/vd-config-private.h"
#include "library/vd-lock.h"

typedef struct {
  VdWorker *worker;
  VdDisplay *display;
  VdLock *lock;
  gboolean over; /* off or crashed was said */
} VdRunPrivate;

typedef struct {
  VdRun *run;
  VdRunState state;
  char *problem;
  char *details;
} Post;

static guint changed_signal;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (VdRun, vd_run, G_TYPE_OBJECT)

#define PRIV(self) ((VdRunPrivate *) vd_run_get_instance_private (self))

gboolean
vd_run_survives (VdRun *self)
{
  return VD_RUN_GET_CLASS (self)->survives;
}

VdWorker *
vd_run_get_worker (VdRun *self)
{
  return PRIV (self)->worker;
}

VdDisplay *
vd_run_get_display (VdRun *self)
{
  return PRIV (self)->display;
}

void
vd_run_set_worker (VdRun *self, VdWorker *worker)
{
  g_clear_pointer (&PRIV (self)->worker, vd_worker_unref);
  PRIV (self)->worker = worker != NULL ? vd_worker_ref (worker) : vd_worker_new ("vd-control");
}

void
vd_run_set_display (VdRun *self, VdDisplay *display)
{
  g_set_object (&PRIV (self)->display, display);
}

gboolean
vd_run_lock (VdRun *self, const char *path, const char *bus_name, GError **error)
{
  VdLock *lock = vd_lock_take (path, error);
  const char *engine = vd_enum_to_nick (VD_TYPE_ENGINE_KIND, VD_RUN_GET_CLASS (self)->kind);

  if (lock == NULL)
    return FALSE;
  if (!vd_lock_write (lock, bus_name, engine, error)) {
    vd_lock_remove (lock);
    return FALSE;
  }
  PRIV (self)->lock = lock;
  return TRUE;
}

void
vd_run_unlock (VdRun *self, gboolean left)
{
  g_clear_pointer (&PRIV (self)->lock, left ? vd_lock_drop : vd_lock_remove);
}

static void
post_free (gpointer data)
{
  Post *post = data;

  g_object_unref (post->run);
  g_free (post->problem);
  g_free (post->details);
  g_free (post);
}

static gboolean
on_post (gpointer data)
{
  Post *post = data;
  VdRunPrivate *priv = PRIV (post->run);

  if (priv->over)
    return G_SOURCE_REMOVE;
  priv->over = post->state >= VD_RUN_OFF;
  if (priv->over && priv->display != NULL)
    vd_display_emit_closed (priv->display);
  g_signal_emit (post->run, changed_signal, 0, (guint) post->state, post->problem, post->details);
  return G_SOURCE_REMOVE;
}

void
vd_run_post (VdRun *self, VdRunState state, const char *problem, const char *details)
{
  Post *post = g_new (Post, 1);

  *post = (Post) { g_object_ref (self), state, g_strdup (problem), g_strdup (details) };
  g_idle_add_full (G_PRIORITY_DEFAULT, on_post, post, post_free);
}

static void
vd_run_finalize (GObject *object)
{
  VdRunPrivate *priv = PRIV (VD_RUN (object));

  g_clear_object (&priv->display);
  g_clear_pointer (&priv->lock, vd_lock_drop);
  g_clear_pointer (&priv->worker, vd_worker_unref);
  G_OBJECT_CLASS (vd_run_parent_class)->finalize (object);
}

static void
vd_run_class_init (VdRunClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = vd_run_finalize;
  changed_signal =
    g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 3, G_TYPE_UINT, G_TYPE_STRING, G_TYPE_STRING);
}

static void
vd_run_init (VdRun *self)
{
}
