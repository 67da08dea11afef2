/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's devices that speak text, and the descriptors that they write to.
 *
 * Threads: control, with the vCPUs parked.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chips/serial.h"
#include "virtio/virtio-console.h"
#include "vmm-error.h"
#include "x86/pc-private.h"

/* A terminal or pipe once more, but one that does not wait: the loop must not stand still where
 * nobody reads, and the flags of the one that was lent to us are shared with whoever lent it. -1
 * where it cannot be had: then that one must do. */
static int
open_impatient (int fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  struct stat info;

  if (fd < 0 || fstat (fd, &info) < 0 || !(S_ISCHR (info.st_mode) || S_ISFIFO (info.st_mode)))
    return -1;
  return open (path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

/* The descriptors of @text; @file is the one that was opened for it, or -1. @what is "serial port".
 */
static gboolean
open_text (const VmmTextConfig *text,
           const char *what,
           int *file,
           int *in_fd,
           int *out_fd,
           GError **error)
{
  *in_fd = text->in_fd;
  *out_fd = text->out_fd;
  if (text->mode != VMM_TEXT_FILE) {
    *file = open_impatient (text->out_fd);
    if (*file >= 0)
      *out_fd = *file;
    return TRUE;
  }
  *file = open (text->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
  *in_fd = -1;
  *out_fd = *file;
  if (*file >= 0)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "The %s's file %s cannot be written: %s.", what,
               text->path, g_strerror (errno));
  return FALSE;
}

gboolean
vmm_pc_add_serial (VmmPc *self, GError **error)
{
  const VmmTextConfig *text = &self->config->serial;
  VmmSerialConfig config = { .port = VMM_SERIAL_COM1_PORT, .gsi = VMM_SERIAL_COM1_GSI };

  if (text->mode == VMM_TEXT_NONE)
    return TRUE;
  return open_text (text, "serial port", &self->serial_fd, &config.in_fd, &config.out_fd, error) &&
         vmm_pc_add (self, &vmm_serial_class, "serial0", &config, error) != NULL;
}

gboolean
vmm_pc_add_console (VmmPc *self, GError **error)
{
  const VmmTextConfig *text = &self->config->console;
  VmmVirtioConsoleConfig config = { 0 };

  if (text->mode == VMM_TEXT_NONE)
    return TRUE;
  return open_text (text, "console", &self->console_fd, &config.in_fd, &config.out_fd, error) &&
         vmm_pc_add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_console_class), "console0", &config,
                     error) != NULL;
}
