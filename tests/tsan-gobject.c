/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * As tsan-glib.c, for GObject and GIO, which are not instrumented either: whoever drops the last
 * reference sees what the others did before they let go, and a task carries work to a thread and
 * its result back.
 */
#include <dlfcn.h>
#include <gio/gio.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

#define REAL(name) ((__typeof__ (&name)) dlsym (RTLD_NEXT, #name))

#undef g_object_new

/* Told when the last reference is dropped, before anything is freed. */
static void
on_last (gpointer data, GObject *object)
{
  __tsan_acquire (object);
}

gpointer
g_object_new (GType type, const char *first, ...)
{
  GObject *object;
  va_list args;

  va_start (args, first);
  object = g_object_new_valist (type, first, args);
  va_end (args);
  g_object_weak_ref (object, on_last, NULL);
  return object;
}

void
g_object_unref (gpointer object)
{
  __tsan_release (object);
  REAL (g_object_unref) (object);
}

static void
work (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GTaskThreadFunc func = (GTaskThreadFunc) g_object_get_data (G_OBJECT (task), "work");

  __tsan_acquire (task);
  func (task, source, data, cancellable);
}

void
g_task_run_in_thread (GTask *task, GTaskThreadFunc func)
{
  g_object_set_data (G_OBJECT (task), "work", (gpointer) func);
  __tsan_release (task);
  REAL (g_task_run_in_thread) (task, work);
}

void
g_task_return_pointer (GTask *task, gpointer result, GDestroyNotify destroy)
{
  __tsan_release (task);
  REAL (g_task_return_pointer) (task, result, destroy);
}

gpointer
g_task_propagate_pointer (GTask *task, GError **error)
{
  __tsan_acquire (task);
  return REAL (g_task_propagate_pointer) (task, error);
}
