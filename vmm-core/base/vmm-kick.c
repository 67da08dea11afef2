/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-kick.h.
 */
#include "base/vmm-kick.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm-error.h"

gboolean
vmm_kick_init (VmmKick *self, VmmLoop *loop, VmmLoopFunc func, gpointer data, GError **error)
{
  int fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);

  *self = (VmmKick) { 0 };
  if (fd < 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "An event descriptor cannot be made: %s.",
                 g_strerror (errno));
    return FALSE;
  }
  *self = (VmmKick) { .loop = loop, .func = func, .data = data, .fd = fd };
  if (vmm_kick_listen (self, error))
    return TRUE;
  vmm_kick_clear (self);
  return FALSE;
}

void
vmm_kick_clear (VmmKick *self)
{
  if (!self->loop)
    return;
  vmm_kick_ignore (self);
  close (self->fd);
  *self = (VmmKick) { 0 };
}

/* It fails only where 2^64 - 1 have rung and nobody listens. */
void
vmm_kick_ring (VmmKick *self)
{
  const guint64 one = 1;

  if (write (self->fd, &one, sizeof one) != sizeof one)
    g_warning ("A device cannot be woken: %s", g_strerror (errno));
}

gboolean
vmm_kick_listen (VmmKick *self, GError **error)
{
  if (!self->source)
    self->source = vmm_loop_add_eventfd (self->loop, self->fd, self->func, self->data, error);
  return self->source != NULL;
}

void
vmm_kick_ignore (VmmKick *self)
{
  if (self->source)
    vmm_loop_remove (self->loop, g_steal_pointer (&self->source));
}
