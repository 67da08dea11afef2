/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Private networks and their ports, and which address is behind which.
 *
 * Threads: any.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/net-switch-private.h"
#include "vmm-error.h"

#define GROUP_BIT     0x01 /* in the first byte of an address */
#define MAX_ADDRESSES 64   /* of one port: what a machine makes up must not push others out */

typedef struct {
  SwitchInbox *inbox; /* owned */
  guint n_addresses;
} Port;

struct _Switch {
  VmmNetworks *networks; /* owned */
  char *name;
  guint n_ports;
  Port ports[SWITCH_MAX_PORTS];
  GHashTable *addresses; /* MAC as a number + 1: index of the port + 1 */
};

struct _VmmNetworks {
  gatomicrefcount refs;
  GMutex lock; /* of all switches: held to look up, never to move a frame */
  GHashTable *switches;
};

VmmNetworks *
vmm_networks_new (void)
{
  VmmNetworks *self = g_new0 (VmmNetworks, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  self->switches = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

VmmNetworks *
vmm_networks_ref (VmmNetworks *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/* A switch holds a reference, so none is left here. */
void
vmm_networks_unref (VmmNetworks *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_hash_table_unref (self->switches);
  g_mutex_clear (&self->lock);
  g_free (self);
}

SwitchInbox *
switch_inbox_new (GError **error)
{
  SwitchInbox *self = g_new0 (SwitchInbox, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_queue_init (&self->frames);
  self->wake_fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (self->wake_fd >= 0)
    return self;
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "No descriptor for a private network: %s.",
               g_strerror (errno));
  switch_inbox_unref (self);
  return NULL;
}

SwitchInbox *
switch_inbox_ref (SwitchInbox *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
switch_inbox_unref (SwitchInbox *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  if (self->wake_fd >= 0)
    close (self->wake_fd);
  g_queue_clear_full (&self->frames, (GDestroyNotify) g_bytes_unref);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static Switch *
get_switch (VmmNetworks *networks, const char *name)
{
  Switch *self = g_hash_table_lookup (networks->switches, name);

  if (self)
    return self;
  self = g_new0 (Switch, 1);
  self->networks = vmm_networks_ref (networks);
  self->name = g_strdup (name);
  self->addresses = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_hash_table_insert (networks->switches, self->name, self);
  return self;
}

Switch *
switch_join (VmmNetworks *networks, const char *name, SwitchInbox *inbox, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&networks->lock);
  Switch *self = get_switch (networks, name);

  for (guint i = 0; i < SWITCH_MAX_PORTS; i++)
    if (!self->ports[i].inbox) {
      self->ports[i] = (Port) { .inbox = switch_inbox_ref (inbox) };
      self->n_ports++;
      return self;
    }
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO,
               "The private network “%s” is full: it has room for 64 network cards.", name);
  return NULL;
}

static guint
port_of (Switch *self, SwitchInbox *inbox)
{
  guint port = 0;

  while (port < SWITCH_MAX_PORTS - 1 && self->ports[port].inbox != inbox)
    port++;
  return port;
}

static gboolean
is_behind (gpointer address, gpointer port, gpointer gone)
{
  return port == gone;
}

void
switch_leave (Switch *self, SwitchInbox *inbox)
{
  VmmNetworks *networks = self->networks;
  gboolean last;

  g_mutex_lock (&networks->lock);
  for (guint i = 0; i < SWITCH_MAX_PORTS; i++)
    if (self->ports[i].inbox == inbox) {
      g_hash_table_foreach_remove (self->addresses, is_behind, GUINT_TO_POINTER (i + 1));
      self->ports[i].inbox = NULL;
      self->n_ports--;
      switch_inbox_unref (inbox);
    }
  last = self->n_ports == 0;
  if (last)
    g_hash_table_remove (networks->switches, self->name);
  g_mutex_unlock (&networks->lock);
  if (!last)
    return;
  g_hash_table_unref (self->addresses);
  g_free (self->name);
  g_free (self);
  vmm_networks_unref (networks);
}

static gint64
to_number (const guint8 *address)
{
  gint64 number = 0;

  memcpy (&number, address, VMM_NET_MAC_LENGTH);
  return number;
}

/* A machine that moves to another port takes its address with it. */
static void
learn (Switch *self, guint port, const guint8 *source)
{
  gint64 address = to_number (source);
  guint before = GPOINTER_TO_UINT (g_hash_table_lookup (self->addresses, &address));

  if ((source[0] & GROUP_BIT) || before == port + 1 ||
      self->ports[port].n_addresses == MAX_ADDRESSES)
    return;
  if (before > 0)
    self->ports[before - 1].n_addresses--;
  self->ports[port].n_addresses++;
  g_hash_table_replace (self->addresses, g_memdup2 (&address, sizeof address),
                        GUINT_TO_POINTER (port + 1));
}

guint
switch_find (Switch *self,
             SwitchInbox *from,
             const guint8 *destination,
             const guint8 *source,
             SwitchInbox *to[SWITCH_MAX_PORTS])
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->networks->lock);
  gint64 address = to_number (destination);
  guint known = 0, n = 0, port = port_of (self, from);

  learn (self, port, source);
  if (!(destination[0] & GROUP_BIT))
    known = GPOINTER_TO_UINT (g_hash_table_lookup (self->addresses, &address));
  for (guint i = 0; i < SWITCH_MAX_PORTS; i++)
    if (self->ports[i].inbox && i != port && (known == 0 || known == i + 1))
      to[n++] = switch_inbox_ref (self->ports[i].inbox);
  return n;
}
