/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtio-net: the control queue (virtio 1.2, 5.1.6.5): what the guest wants to receive, its
 * address, its queues. A command that makes no sense is answered with an error and changes nothing.
 *
 * Threads: loop, device locked.
 */
#include <string.h>

#include "virtio/virtio-net-private.h"

typedef struct virtio_net_ctrl_hdr Command;

/* The data of one command, read from its front. */
typedef struct {
  const VmmRequest *request;
  gsize at;
} Data;

static gboolean
read_data (Data *data, gpointer to, gsize length)
{
  gsize n = vmm_iov_read (data->request->out, data->request->n_out, data->at, to, length);

  data->at += n;
  return n == length;
}

static gboolean
set_mode (VirtioNet *self, guint8 command, Data *data)
{
  NetFilter *filter = &self->filter;
  gboolean *const modes[] = {
    [VIRTIO_NET_CTRL_RX_PROMISC] = &filter->promiscuous,
    [VIRTIO_NET_CTRL_RX_ALLMULTI] = &filter->all_multicast,
    [VIRTIO_NET_CTRL_RX_ALLUNI] = &filter->all_unicast,
    [VIRTIO_NET_CTRL_RX_NOMULTI] = &filter->no_multicast,
    [VIRTIO_NET_CTRL_RX_NOUNI] = &filter->no_unicast,
    [VIRTIO_NET_CTRL_RX_NOBCAST] = &filter->no_broadcast,
  };
  guint8 on;

  if (command >= G_N_ELEMENTS (modes) || !read_data (data, &on, sizeof on))
    return FALSE;
  *modes[command] = on != 0;
  return TRUE;
}

/* One half of the table. Where it does not fit beside @first others all of its kind are wanted. */
static gboolean
read_macs (NetFilter *filter, Data *data, guint first, guint32 *n, gboolean *all)
{
  if (!read_data (data, n, sizeof *n))
    return FALSE;
  *all = *n > NET_MAX_MACS - first;
  if (*all) {
    data->at += (gsize) *n * VMM_NET_MAC_LENGTH;
    *n = 0;
    return TRUE;
  }
  return read_data (data, filter->macs[first], *n * VMM_NET_MAC_LENGTH);
}

static gboolean
set_mac_table (VirtioNet *self, Data *data)
{
  NetFilter filter = self->filter;

  if (!read_macs (&filter, data, 0, &filter.n_unicast, &filter.all_unicast) ||
      !read_macs (&filter, data, filter.n_unicast, &filter.n_multicast, &filter.all_multicast))
    return FALSE;
  self->filter = filter;
  return TRUE;
}

static gboolean
set_mac (VirtioNet *self, guint8 command, Data *data)
{
  guint8 mac[VMM_NET_MAC_LENGTH];

  if (command == VIRTIO_NET_CTRL_MAC_TABLE_SET)
    return set_mac_table (self, data);
  if (command != VIRTIO_NET_CTRL_MAC_ADDR_SET || !read_data (data, mac, sizeof mac))
    return FALSE;
  memcpy (self->mac, mac, sizeof mac);
  return TRUE;
}

static gboolean
set_vlan (VirtioNet *self, guint8 command, Data *data)
{
  guint16 tag;
  guint8 bit;

  if (!read_data (data, &tag, sizeof tag) || tag >= NET_N_VLANS)
    return FALSE;
  bit = 1 << tag % 8;
  if (command == VIRTIO_NET_CTRL_VLAN_ADD)
    self->filter.vlans[tag / 8] |= bit;
  else if (command == VIRTIO_NET_CTRL_VLAN_DEL)
    self->filter.vlans[tag / 8] &= ~bit;
  else
    return FALSE;
  return TRUE;
}

static gboolean
set_n_pairs (VirtioNet *self, guint8 command, Data *data)
{
  guint16 n;

  if (command != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET || !read_data (data, &n, sizeof n) || n < 1 ||
      n > self->net->n_queues)
    return FALSE;
  self->n_pairs = n;
  return TRUE;
}

static gboolean
obey (VirtioNet *self, const Command *command, Data *data)
{
  switch (command->class) {
  case VIRTIO_NET_CTRL_RX:
    return set_mode (self, command->cmd, data);
  case VIRTIO_NET_CTRL_MAC:
    return set_mac (self, command->cmd, data);
  case VIRTIO_NET_CTRL_VLAN:
    return set_vlan (self, command->cmd, data);
  case VIRTIO_NET_CTRL_ANNOUNCE:
    if (command->cmd != VIRTIO_NET_CTRL_ANNOUNCE_ACK)
      return FALSE;
    self->announce = FALSE;
    return TRUE;
  case VIRTIO_NET_CTRL_MQ:
    return vmm_virtio_has_feature (&self->parent, VIRTIO_NET_F_MQ) &&
           set_n_pairs (self, command->cmd, data);
  default:
    return FALSE;
  }
}

void
net_control (VirtioNet *self, guint index)
{
  VmmRequest request;

  while (vmm_virtio_pop (&self->parent, index, &request)) {
    Data data = { .request = &request };
    Command command;
    guint8 ack = VIRTIO_NET_ERR;

    if (read_data (&data, &command, sizeof command) && obey (self, &command, &data))
      ack = VIRTIO_NET_OK;
    vmm_virtio_push (&self->parent, index, request.head,
                     vmm_iov_write (request.in, request.n_in, 0, &ack, sizeof ack));
  }
  vmm_virtio_notify (&self->parent, index);
}
