/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * MSI-X. The entries are kept as the guest wrote them; a vector gets its eventfd and its route when
 * it is unmasked for the first time and keeps them: masking only means not to signal.
 *
 * Threads: any, with the device locked.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pci/msix.h"
#include "vmm-error.h"

#define CONTROL_MASKED 1

/* The first 16 bytes of a vector are its table entry. */
G_STATIC_ASSERT (G_STRUCT_OFFSET (VmmMsixVector, control) == 12);

static const VmmField vmm_msix_vector_fields[] = {
  VMM_FIELD (VmmMsixVector, address_low, VMM_FIELD_UINT32, "address-low"),
  VMM_FIELD (VmmMsixVector, address_high, VMM_FIELD_UINT32, "address-high"),
  VMM_FIELD (VmmMsixVector, data, VMM_FIELD_UINT32, "data"),
  VMM_FIELD (VmmMsixVector, control, VMM_FIELD_UINT32, "control"),
  VMM_FIELD (VmmMsixVector, pending, VMM_FIELD_BOOL, "pending"),
  VMM_EXEMPT (VmmMsixVector, lent, "taken back before"),
  VMM_EXEMPT (VmmMsixVector, fd, "of the host"),
  VMM_EXEMPT (VmmMsixVector, route, "of the host"),
  VMM_EXEMPT (VmmMsixVector, routed, "follows from the entry"),
  VMM_FIELD_LAST,
};

const VmmField vmm_msix_fields[] = {
  VMM_EXEMPT (VmmMsix, device, "who it belongs to"),
  VMM_EXEMPT (VmmMsix, n_vectors, "stored with the vectors"),
  VMM_FIELD_POINTER (VmmMsix, vectors, n_vectors, vmm_msix_vector_fields, "vectors"),
  VMM_FIELD (VmmMsix, enabled, VMM_FIELD_BOOL, "enabled"),
  VMM_FIELD (VmmMsix, all_masked, VMM_FIELD_BOOL, "all-masked"),
  VMM_FIELD_LAST,
};

void
vmm_msix_init (VmmMsix *self, VmmDevice *device, guint n_vectors)
{
  self->device = device;
  self->n_vectors = n_vectors;
  self->vectors = g_new0 (VmmMsixVector, n_vectors);
  for (guint i = 0; i < n_vectors; i++) {
    self->vectors[i].control = CONTROL_MASKED;
    self->vectors[i].fd = self->vectors[i].route = -1;
  }
}

static void
drop_route (VmmMsix *self, VmmMsixVector *vector)
{
  VmmPlatform *platform = self->device->board->platform;

  if (vector->route >= 0)
    platform->klass->remove_msi (platform, vector->route);
  if (vector->fd >= 0)
    close (vector->fd);
  vector->fd = vector->route = -1;
}

void
vmm_msix_clear (VmmMsix *self)
{
  for (guint i = 0; i < self->n_vectors; i++)
    drop_route (self, &self->vectors[i]);
  g_clear_pointer (&self->vectors, g_free);
  self->n_vectors = 0;
}

void
vmm_msix_reset (VmmMsix *self)
{
  self->enabled = self->all_masked = FALSE;
  for (guint i = 0; i < self->n_vectors; i++) {
    VmmMsixVector *vector = &self->vectors[i];

    drop_route (self, vector);
    memset (vector, 0, VMM_MSIX_ENTRY_SIZE);
    vector->control = CONTROL_MASKED;
    vector->pending = vector->lent = FALSE;
  }
}

static gboolean
make_fd (VmmMsix *self, VmmMsixVector *vector, GError **error)
{
  if (vector->fd < 0)
    vector->fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (vector->fd < 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "No descriptor for an interrupt of %s: %s.",
                 self->device->id, g_strerror (errno));
    return FALSE;
  }
  return TRUE;
}

static gboolean
add_route (VmmMsix *self, VmmMsixVector *vector, const VmmMsi *message, GError **error)
{
  VmmPlatform *platform = self->device->board->platform;

  if (!make_fd (self, vector, error))
    return FALSE;
  vector->route = platform->klass->add_msi (platform, vector->fd, message, error);
  if (vector->route >= 0)
    return TRUE;
  drop_route (self, vector);
  return FALSE;
}

/* The route sends what the entry says. */
static gboolean
update_route (VmmMsix *self, VmmMsixVector *vector, GError **error)
{
  VmmPlatform *platform = self->device->board->platform;
  VmmMsi message = {
    .address = (guint64) vector->address_high << 32 | vector->address_low,
    .data = vector->data,
  };

  if (vector->route < 0) {
    if (!add_route (self, vector, &message, error))
      return FALSE;
  } else if (message.address != vector->routed.address || message.data != vector->routed.data) {
    platform->klass->update_msi (platform, vector->route, &message);
  }
  vector->routed = message;
  return TRUE;
}

static gboolean
is_open (VmmMsix *self, VmmMsixVector *vector)
{
  return self->enabled && !self->all_masked && !(vector->control & CONTROL_MASKED);
}

/* Signals of somebody else stay in the descriptor, and come when it has a route again. */
static void
close_route (VmmMsix *self, VmmMsixVector *vector)
{
  VmmPlatform *platform = self->device->board->platform;

  if (vector->route >= 0)
    platform->klass->remove_msi (platform, vector->route);
  vector->route = -1;
}

/* Brings the route up to date and sends what pends, where the vector is open. */
static gboolean
update_vector (VmmMsix *self, VmmMsixVector *vector, GError **error)
{
  guint64 one = 1;

  if (!is_open (self, vector)) {
    if (vector->lent)
      close_route (self, vector);
    return TRUE;
  }
  if (!update_route (self, vector, error))
    return FALSE;
  if (vector->pending && write (vector->fd, &one, sizeof one) == sizeof one)
    vector->pending = FALSE;
  return TRUE;
}

static void
update_or_break (VmmMsix *self, VmmMsixVector *vector)
{
  g_autoptr (GError) error = NULL;

  if (!update_vector (self, vector, &error))
    vmm_device_broken (self->device, error->message);
}

gboolean
vmm_msix_loaded (VmmMsix *self, GError **error)
{
  for (guint i = 0; i < self->n_vectors; i++) {
    self->vectors[i].control &= CONTROL_MASKED;
    if (!update_vector (self, &self->vectors[i], error))
      return FALSE;
  }
  return TRUE;
}

void
vmm_msix_set_control (VmmMsix *self, gboolean enabled, gboolean all_masked)
{
  self->enabled = enabled;
  self->all_masked = all_masked;
  for (guint i = 0; i < self->n_vectors; i++)
    update_or_break (self, &self->vectors[i]);
}

void
vmm_msix_signal (VmmMsix *self, guint vector)
{
  if (vector >= self->n_vectors)
    return;
  self->vectors[vector].pending = TRUE;
  update_or_break (self, &self->vectors[vector]);
}

int
vmm_msix_lend (VmmMsix *self, guint vector)
{
  g_autoptr (GError) error = NULL;

  if (!self->enabled || vector >= self->n_vectors ||
      !make_fd (self, &self->vectors[vector], &error))
    return -1;
  self->vectors[vector].lent = TRUE;
  update_or_break (self, &self->vectors[vector]);
  return self->vectors[vector].fd;
}

/* Whether it was signalled while it had no route. */
static gboolean
waits_in_fd (VmmMsixVector *vector)
{
  struct pollfd poller = { vector->fd, POLLIN, 0 };

  return vector->lent && vector->route < 0 && vector->fd >= 0 && poll (&poller, 1, 0) == 1;
}

void
vmm_msix_take_back (VmmMsix *self, guint vector)
{
  VmmMsixVector *one;
  guint64 count;

  if (vector >= self->n_vectors)
    return;
  one = &self->vectors[vector];
  if (waits_in_fd (one) && read (one->fd, &count, sizeof count) > 0)
    one->pending = TRUE;
  one->lent = FALSE;
}

/* The bytes of the entry that an access touches, and how many; NULL outside the table. */
static guint8 *
entry_bytes (VmmMsix *self, guint64 offset, guint *size)
{
  guint64 entry = offset / VMM_MSIX_ENTRY_SIZE;
  guint at = offset % VMM_MSIX_ENTRY_SIZE;

  if (entry >= self->n_vectors)
    return NULL;
  *size = MIN (*size, VMM_MSIX_ENTRY_SIZE - at);
  return (guint8 *) &self->vectors[entry] + at;
}

guint64
vmm_msix_read_table (VmmMsix *self, guint64 offset, guint size)
{
  const guint8 *bytes = entry_bytes (self, offset, &size);
  guint64 value = 0;

  if (bytes)
    memcpy (&value, bytes, size);
  return value;
}

void
vmm_msix_write_table (VmmMsix *self, guint64 offset, guint size, guint64 value)
{
  guint8 *bytes = entry_bytes (self, offset, &size);
  VmmMsixVector *vector;

  if (!bytes)
    return;
  memcpy (bytes, &value, size);
  vector = &self->vectors[offset / VMM_MSIX_ENTRY_SIZE];
  vector->control &= CONTROL_MASKED;
  update_or_break (self, vector);
}

guint64
vmm_msix_read_pba (VmmMsix *self, guint64 offset, guint size)
{
  guint64 value = 0;

  for (guint bit = 0; bit < size * 8; bit++) {
    guint64 vector = offset * 8 + bit;

    if (vector < self->n_vectors &&
        (self->vectors[vector].pending || waits_in_fd (&self->vectors[vector])))
      value |= G_GUINT64_CONSTANT (1) << bit;
  }
  return value;
}
