/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's network cards and what they are connected to.
 *
 * Threads: control; see pc.h.
 */
#include <string.h>
#include <sys/random.h>

#include "net/vmm-net-capture.h"
#include "net/vmm-net-switch.h"
#include "net/vmm-net-tap.h"
#include "net/vmm-net-user.h"
#include "virtio/virtio-net.h"
#include "vmm-error.h"
#include "x86/pc-private.h"

/* A network card, and what is behind it. */
typedef struct {
  char *id;
  VmmNet *net;
  VmmNet *user;        /* the same, or what a capture is of, where it is the user's own network */
  VmmDevice *device;   /* of the PC's list */
  GPtrArray *forwards; /* VmmForward, those that stand */
} VmmPcNic;

void
vmm_pc_nic_free (gpointer data)
{
  VmmPcNic *nic = data;

  g_clear_pointer (&nic->net, vmm_net_free);
  g_ptr_array_unref (nic->forwards);
  g_free (nic->id);
  g_free (nic);
}

/* A machine that is nobody's gets an address by chance. */
static void
derive_mac (const guint8 *uuid, guint number, guint8 *mac)
{
  static const guint8 nobody[16] = { 0 };
  guint8 chance[sizeof nobody];

  if (memcmp (uuid, nobody, sizeof nobody) == 0 &&
      getrandom (chance, sizeof chance, 0) == sizeof chance)
    uuid = chance;
  vmm_nic_config_derive_mac (uuid, number, mac);
}

static VmmNet *
make_net (VmmPc *self, const VmmNicConfig *config, GError **error)
{
  VmmLoop *loop = self->board.loop;
  g_autoptr (VmmNetworks) networks = NULL;

  switch (config->mode) {
  case VMM_NIC_USER:
    return vmm_net_user_new (config->network, loop, error);
  case VMM_NIC_TAP:
    if (config->tap_fd >= 0)
      return vmm_net_tap_new_for_fd (config->tap_fd, config->vhost, loop, error);
    return vmm_net_tap_new (config->name, self->config->n_vcpus, config->vhost, loop, error);
  case VMM_NIC_SWITCH:
    networks =
      self->config->networks ? vmm_networks_ref (self->config->networks) : vmm_networks_new ();
    return vmm_net_switch_new (networks, config->name, loop, error);
  }
  return NULL;
}

static gboolean
add_forward (VmmPcNic *nic, const VmmForward *forward, GError **error)
{
  if (!vmm_net_user_add_forward (nic->user, forward, error))
    return FALSE;
  g_ptr_array_add (nic->forwards, vmm_forward_copy (forward));
  return TRUE;
}

/* FALSE: what there is of it goes with the list. */
static gboolean
fill_nic (VmmPc *self,
          VmmPcNic *nic,
          guint number,
          guint slot,
          const VmmNicConfig *config,
          GError **error)
{
  VmmVirtioNetConfig card = { .slot = slot };

  nic->id = g_strdup_printf ("net%u", number);
  nic->forwards = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_forward_free);
  nic->net = make_net (self, config, error);
  nic->user = config->mode == VMM_NIC_USER ? nic->net : NULL;
  if (nic->net && config->capture)
    nic->net = vmm_net_capture_new (nic->net, config->capture, error);
  if (!nic->net)
    return FALSE;
  card.net = nic->net;
  for (guint i = 0; i < config->forwards->len; i++)
    if (!add_forward (nic, g_ptr_array_index (config->forwards, i), error))
      return FALSE;
  if (config->has_mac)
    memcpy (card.mac, config->mac, sizeof card.mac);
  else
    derive_mac (self->config->uuid, number, card.mac);
  nic->device =
    vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_net_class), nic->id, &card, error);
  return nic->device != NULL;
}

VmmDevice *
vmm_pc_add_nic (VmmPc *self, guint number, guint slot, const VmmNicConfig *config, GError **error)
{
  VmmPcNic *nic = g_new0 (VmmPcNic, 1);

  g_ptr_array_add (self->nics, nic);
  if (fill_nic (self, nic, number, slot, config, error))
    return nic->device;
  g_ptr_array_remove (self->nics, nic);
  return NULL;
}

gboolean
vmm_pc_add_nics (VmmPc *self, GError **error)
{
  for (guint i = 0; i < self->config->nics->len; i++) {
    const VmmNicConfig *nic = g_ptr_array_index (self->config->nics, i);

    if (!nic->hotplug && !vmm_pc_add_nic (self, i, 0, nic, error))
      return FALSE;
  }
  return TRUE;
}

static VmmPcNic *
find_nic (VmmPc *self, const char *id, GError **error)
{
  for (guint i = 0; i < self->nics->len; i++) {
    VmmPcNic *nic = g_ptr_array_index (self->nics, i);

    if (g_strcmp0 (nic->id, id) == 0)
      return nic;
  }
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "The machine has no network card “%s”.", id);
  return NULL;
}

void
vmm_pc_remove_nic (VmmPc *self, const char *id)
{
  VmmPcNic *nic = find_nic (self, id, NULL);

  if (nic)
    g_ptr_array_remove (self->nics, nic);
}

static VmmPcNic *
find_user_nic (VmmPc *self, const char *id, GError **error)
{
  VmmPcNic *nic = find_nic (self, id, error);

  if (!nic || nic->user)
    return nic;
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "The network card “%s” is not on the user's own network: nothing can be forwarded "
               "to it.",
               id);
  return NULL;
}

gboolean
vmm_pc_add_forward (VmmPc *self, const char *id, const VmmForward *forward, GError **error)
{
  VmmPcNic *nic = find_user_nic (self, id, error);

  return nic && add_forward (nic, forward, error);
}

gboolean
vmm_pc_remove_forward (VmmPc *self, const char *id, const VmmForward *forward, GError **error)
{
  VmmPcNic *nic = find_user_nic (self, id, error);

  if (!nic || !vmm_net_user_remove_forward (nic->user, forward, error))
    return FALSE;
  for (guint i = nic->forwards->len; i-- > 0;)
    if (vmm_forward_same_port (g_ptr_array_index (nic->forwards, i), forward))
      g_ptr_array_remove_index (nic->forwards, i);
  return TRUE;
}

GPtrArray *
vmm_pc_list_forwards (VmmPc *self, const char *id, GError **error)
{
  VmmPcNic *nic = find_user_nic (self, id, error);
  GPtrArray *list;

  if (!nic)
    return NULL;
  list = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_forward_free);
  for (guint i = 0; i < nic->forwards->len; i++)
    g_ptr_array_add (list, vmm_forward_copy (g_ptr_array_index (nic->forwards, i)));
  return list;
}

gboolean
vmm_pc_set_link (VmmPc *self, const char *id, gboolean up, GError **error)
{
  VmmPcNic *nic = find_nic (self, id, error);

  if (nic)
    vmm_virtio_net_set_link (nic->device, up);
  return nic != NULL;
}
