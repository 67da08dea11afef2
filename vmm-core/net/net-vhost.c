/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See net-vhost.h, and linux/vhost.h for what is said to the kernel.
 *
 * Threads: any; one call at a time.
 */
#include "net/net-vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm-error.h"

#define BIT(number) (G_GUINT64_CONSTANT (1) << (number))

/* What it must know of, where the driver chose it. */
#define RING_FEATURES                                                                              \
  (BIT (VIRTIO_F_VERSION_1) | BIT (VIRTIO_NET_F_MRG_RXBUF) | BIT (VIRTIO_RING_F_INDIRECT_DESC) |   \
   BIT (VIRTIO_RING_F_EVENT_IDX))

static gboolean
ask (int vhost, unsigned long request, void *argument, const char *what, GError **error)
{
  if (ioctl (vhost, request, argument) >= 0)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "vhost-net refuses %s: %s.", what,
               g_strerror (errno));
  return FALSE;
}

static gboolean
set_features (int vhost, guint64 features, GError **error)
{
  guint64 offered = 0;

  features &= RING_FEATURES;
  if (!ask (vhost, VHOST_GET_FEATURES, &offered, "its features", error))
    return FALSE;
  if (!(features & ~offered))
    return ask (vhost, VHOST_SET_FEATURES, &features, "the driver's features", error);
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "vhost-net lacks a feature of the driver's.");
  return FALSE;
}

static gboolean
set_memory (int vhost, VmmMemory *memory, GError **error)
{
  guint n;
  const VmmMemoryRegion *regions = vmm_memory_get_regions (memory, &n);
  g_autofree struct vhost_memory *table =
    g_malloc0 (sizeof *table + n * sizeof (struct vhost_memory_region));

  table->nregions = n;
  for (guint i = 0; i < n; i++)
    table->regions[i] = (struct vhost_memory_region) {
      .guest_phys_addr = regions[i].address,
      .memory_size = regions[i].size,
      .userspace_addr = (guint64) (gsize) regions[i].host,
    };
  return ask (vhost, VHOST_SET_MEM_TABLE, table, "the guest's memory", error);
}

/* The rings were checked to lie in memory when the driver started. */
static guint64
host_address (VmmMemory *memory, guint64 address)
{
  return (guint64) (gsize) vmm_memory_at (memory, address, 1);
}

static gboolean
set_ring (int vhost, guint index, VmmMemory *memory, const VmmVirtqueueLoan *ring, GError **error)
{
  struct vhost_vring_state size = { index, ring->size }, base = { index, ring->next };
  struct vhost_vring_addr address = {
    .index = index,
    .desc_user_addr = host_address (memory, ring->desc),
    .avail_user_addr = host_address (memory, ring->driver),
    .used_user_addr = host_address (memory, ring->device),
  };
  struct vhost_vring_file kick = { index, ring->kick_fd }, call = { index, ring->call_fd };

  return ask (vhost, VHOST_SET_VRING_NUM, &size, "a queue's size", error) &&
         ask (vhost, VHOST_SET_VRING_BASE, &base, "a queue's index", error) &&
         ask (vhost, VHOST_SET_VRING_ADDR, &address, "a queue's rings", error) &&
         ask (vhost, VHOST_SET_VRING_KICK, &kick, "a doorbell", error) &&
         ask (vhost, VHOST_SET_VRING_CALL, &call, "an interrupt", error);
}

static gboolean
set_backend (int vhost, guint index, int tap, GError **error)
{
  struct vhost_vring_file backend = { index, tap };

  return ask (vhost, VHOST_NET_SET_BACKEND, &backend, "the tap device", error);
}

int
vmm_vhost_start (int tap,
                 VmmMemory *memory,
                 guint64 features,
                 const VmmVirtqueueLoan rings[2],
                 GError **error)
{
  int vhost = open ("/dev/vhost-net", O_RDWR | O_CLOEXEC);

  if (vhost < 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "/dev/vhost-net cannot be opened: %s.",
                 g_strerror (errno));
    return -1;
  }
  if (ask (vhost, VHOST_SET_OWNER, NULL, "its owner", error) &&
      set_features (vhost, features, error) && set_memory (vhost, memory, error) &&
      set_ring (vhost, 0, memory, &rings[0], error) &&
      set_ring (vhost, 1, memory, &rings[1], error) && set_backend (vhost, 0, tap, error) &&
      set_backend (vhost, 1, tap, error))
    return vhost;
  close (vhost);
  return -1;
}

void
vmm_vhost_stop (int vhost, guint16 next[2])
{
  for (guint i = 0; i < 2; i++) {
    struct vhost_vring_state base = { .index = i };
    g_autoptr (GError) error = NULL;

    if (!set_backend (vhost, i, -1, &error) ||
        !ask (vhost, VHOST_GET_VRING_BASE, &base, "a queue's index", &error))
      g_warning ("%s", error->message);
    next[i] = base.num;
  }
  close (vhost);
}
