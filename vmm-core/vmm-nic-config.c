/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmNicConfig and VmmForward: making, copying, checking.
 *
 * Threads: any; one owner at a time.
 */
#include "vmm-nic-config.h"

#include <net/if.h>
#include <string.h>

#define GROUP_BIT 0x01 /* in the first byte of an address */
#define LOCAL_BIT 0x02

VmmForward *
vmm_forward_new (gboolean udp, const char *address, guint16 port, guint16 guest_port)
{
  VmmForward *self = g_new (VmmForward, 1);

  *self = (VmmForward) { udp, g_strdup (address), port, guest_port };
  return self;
}

VmmForward *
vmm_forward_copy (const VmmForward *self)
{
  return vmm_forward_new (self->udp, self->address, self->port, self->guest_port);
}

void
vmm_forward_free (VmmForward *self)
{
  g_free (self->address);
  g_free (self);
}

static const char *
address_of (const VmmForward *self)
{
  return self->address ? self->address : "127.0.0.1";
}

gboolean
vmm_forward_same_port (const VmmForward *a, const VmmForward *b)
{
  return a->udp == b->udp && a->port == b->port && strcmp (address_of (a), address_of (b)) == 0;
}

VmmNicConfig *
vmm_nic_config_new (VmmNicMode mode)
{
  VmmNicConfig *self = g_new0 (VmmNicConfig, 1);

  self->mode = mode;
  self->tap_fd = -1;
  self->vhost = TRUE;
  self->forwards = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_forward_free);
  return self;
}

VmmNicConfig *
vmm_nic_config_copy (const VmmNicConfig *self)
{
  VmmNicConfig *copy = vmm_nic_config_new (self->mode);

  copy->hotplug = self->hotplug;
  copy->has_mac = self->has_mac;
  memcpy (copy->mac, self->mac, sizeof copy->mac);
  copy->network = g_strdup (self->network);
  copy->name = g_strdup (self->name);
  copy->vhost = self->vhost;
  copy->tap_fd = self->tap_fd;
  copy->capture = g_strdup (self->capture);
  for (guint i = 0; i < self->forwards->len; i++)
    g_ptr_array_add (copy->forwards, vmm_forward_copy (g_ptr_array_index (self->forwards, i)));
  return copy;
}

void
vmm_nic_config_free (VmmNicConfig *self)
{
  g_ptr_array_unref (self->forwards);
  g_free (self->network);
  g_free (self->name);
  g_free (self->capture);
  g_free (self);
}

void
vmm_nic_config_derive_mac (const guint8 uuid[16], guint place, guint8 mac[VMM_MAC_LENGTH])
{
  guint8 digest[32];
  gsize length = sizeof digest;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 number = place;

  g_checksum_update (checksum, uuid, 16);
  g_checksum_update (checksum, &number, sizeof number);
  g_checksum_get_digest (checksum, digest, &length);
  memcpy (mac, digest, VMM_MAC_LENGTH);
  mac[0] = (mac[0] & ~GROUP_BIT) | LOCAL_BIT;
}

const char *
vmm_nic_config_find_fault (const VmmNicConfig *self)
{
  gboolean named = self->name && *self->name;

  if (self->has_mac && (self->mac[0] & GROUP_BIT))
    return "The address of a network card cannot be a multicast one: make its first number even.";
  if (self->mode == VMM_NIC_TAP && !named && self->tap_fd < 0)
    return "A network card on a tap device needs that device's name.";
  if (self->mode == VMM_NIC_TAP && named && strlen (self->name) >= IFNAMSIZ)
    return "The name of a tap device has at most 15 letters.";
  if (self->mode == VMM_NIC_SWITCH && !named)
    return "A network card on a private network needs that network's name.";
  if (self->mode != VMM_NIC_USER && (self->forwards->len > 0 || self->network))
    return "Only a network card on the user's own network has forwards.";
  for (guint i = 0; i < self->forwards->len; i++) {
    const VmmForward *forward = g_ptr_array_index (self->forwards, i);

    if (forward->port == 0 || forward->guest_port == 0)
      return "A port is a number from 1 to 65535.";
  }
  return NULL;
}
