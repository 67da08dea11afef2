/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's channels to programs of the guest, and the sockets at their other end.
 *
 * Threads: control, with the vCPUs parked.
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "base/vmm-socket.h"
#include "virtio/virtio-serial.h"
#include "x86/pc-private.h"

#define BACKLOG 4

G_STATIC_ASSERT (VMM_MAX_CHANNELS <= VMM_SERIAL_MAX_CHANNELS);

gboolean
vmm_pc_add_channels (VmmPc *self, GError **error)
{
  const GPtrArray *channels = self->config->channels;
  VmmVirtioSerialConfig config = { .n_channels = channels->len };

  if (channels->len == 0)
    return TRUE;
  for (guint i = 0; i < channels->len; i++) {
    const VmmChannelConfig *channel = g_ptr_array_index (channels, i);
    int fd = vmm_socket_listen ("The channel's socket", channel->path, BACKLOG, error);

    if (fd < 0)
      return FALSE;
    self->channel_fds[self->n_channel_fds++] = fd;
    config.channels[i].name = channel->name;
    config.channels[i].listen_fd = fd;
  }
  return vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_serial_class), "serial1", &config,
                     error) != NULL;
}

void
vmm_pc_free_channels (VmmPc *self)
{
  for (guint i = 0; i < self->n_channel_fds; i++) {
    const VmmChannelConfig *channel = g_ptr_array_index (self->config->channels, i);

    g_unlink (channel->path);
    close (self->channel_fds[i]);
  }
}
