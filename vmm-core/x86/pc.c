/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC on one page: add_devices is its list of parts, in start order.
 *
 * Threads: control, with the vCPUs parked, unless pc.h says otherwise.
 */
#include "x86/pc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vmm-bus.h"
#include "chips/debug-exit.h"
#include "chips/i8042.h"
#include "chips/pm.h"
#include "chips/rtc.h"
#include "chips/serial.h"
#include "pci/pci-host.h"
#include "virtio/virtio-blk.h"
#include "virtio/virtio-console.h"
#include "virtio/virtio-gpu.h"
#include "virtio/virtio-input.h"
#include "virtio/virtio-rng.h"
#include "vmm-error.h"
#include "x86/acpi.h"
#include "x86/boot.h"
#include "x86/layout.h"

/* 64-bit BARs above RAM. 36 bits of address is what the oldest 64-bit processors have. */
#define HIGH_WINDOW_ALIGN (G_GUINT64_CONSTANT (1) << 30)
#define HIGH_WINDOW_SIZE  (G_GUINT64_CONSTANT (16) << 30)
#define SURE_ADDRESSES    (G_GUINT64_CONSTANT (1) << 36)

struct _VmmPc {
  const VmmConfig *config;
  VmmBoard board;
  GPtrArray *devices;  /* in start order */
  VmmDevice *pm;       /* one of them */
  GPtrArray *disks;    /* likewise: in the order of the configuration */
  GPtrArray *blocks;   /* what is on the disks */
  VmmDisplay *display; /* this and the next: NULL without graphics */
  VmmInput *input;
  VmmFile *kernel, *initrd;
  int serial_fd, console_fd; /* opened for them, or -1 */
};

static VmmDevice *
add (VmmPc *self, const VmmDeviceClass *klass, const char *id, gconstpointer config, GError **error)
{
  VmmDevice *device = vmm_device_new (klass, &self->board, id, config, error);

  if (device)
    g_ptr_array_add (self->devices, device);
  return device;
}

static gboolean
add_pci (VmmPc *self, GError **error)
{
  guint n;
  const VmmMemoryRegion *regions = vmm_memory_get_regions (self->board.memory, &n);
  guint64 end = MAX (regions[n - 1].address + regions[n - 1].size, VMM_MEMORY_HIGH);
  VmmPciHostConfig config = { 0 };
  VmmDevice *host;

  end = (end + HIGH_WINDOW_ALIGN - 1) & ~(HIGH_WINDOW_ALIGN - 1);
  if (end + HIGH_WINDOW_SIZE <= SURE_ADDRESSES) {
    config.high_base = end;
    config.high_size = HIGH_WINDOW_SIZE;
  }
  host = add (self, &vmm_pci_host_class, "pci", &config, error);
  self->board.pci = (VmmPciHost *) host;
  return host != NULL;
}

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

static gboolean
add_serial (VmmPc *self, GError **error)
{
  const VmmTextConfig *text = &self->config->serial;
  VmmSerialConfig config = { .port = VMM_SERIAL_COM1_PORT, .gsi = VMM_SERIAL_COM1_GSI };

  if (text->mode == VMM_TEXT_NONE)
    return TRUE;
  return open_text (text, "serial port", &self->serial_fd, &config.in_fd, &config.out_fd, error) &&
         add (self, &vmm_serial_class, "serial0", &config, error) != NULL;
}

static gboolean
add_console (VmmPc *self, GError **error)
{
  const VmmTextConfig *text = &self->config->console;
  VmmVirtioConsoleConfig config = { 0 };

  if (text->mode == VMM_TEXT_NONE)
    return TRUE;
  return open_text (text, "console", &self->console_fd, &config.in_fd, &config.out_fd, error) &&
         add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_console_class), "console0", &config,
              error) != NULL;
}

static gboolean
add_rng (VmmPc *self, GError **error)
{
  VmmVirtioRngConfig config = { 0 };

  return add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_rng_class), "rng0", &config, error) != NULL;
}

static gboolean
add_disk (VmmPc *self, guint number, const VmmDiskConfig *disk, GError **error)
{
  g_autofree char *id = g_strdup_printf ("disk%u", number);
  VmmBlock *block = vmm_block_open_raw (disk->path, disk->readonly, self->board.loop, error);
  VmmVirtioBlkConfig config = { .block = block, .serial = id };
  VmmDevice *device;

  if (!block)
    return FALSE;
  g_ptr_array_add (self->blocks, block);
  device = add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_blk_class), id, &config, error);
  if (!device)
    return FALSE;
  g_ptr_array_add (self->disks, device);
  return TRUE;
}

static gboolean
add_disks (VmmPc *self, GError **error)
{
  for (guint i = 0; i < self->config->disks->len; i++)
    if (!add_disk (self, i, g_ptr_array_index (self->config->disks, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
add_input (VmmPc *self, const char *id, VmmInputKind kind, GError **error)
{
  VmmVirtioInputConfig config = { .kind = kind, .input = self->input };

  return add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_input_class), id, &config, error) != NULL;
}

static gboolean
add_graphics (VmmPc *self, GError **error)
{
  VmmVirtioGpuConfig config = { .width = self->config->width, .height = self->config->height };

  if (!self->config->graphics)
    return TRUE;
  config.display = self->display = vmm_display_new ();
  self->input = vmm_input_new ();
  return add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_gpu_class), "gpu0", &config, error) &&
         add_input (self, "keyboard0", VMM_INPUT_KEYBOARD, error) &&
         add_input (self, "tablet0", VMM_INPUT_TABLET, error);
}

static gboolean
add_devices (VmmPc *self, GError **error)
{
  const VmmConfig *config = self->config;

  if (!add_pci (self, error))
    return FALSE;
  self->pm = add (self, &vmm_pm_class, "pm", NULL, error);
  if (!self->pm || !add (self, &vmm_rtc_class, "rtc", NULL, error) ||
      !add (self, &vmm_i8042_class, "i8042", NULL, error) || !add_serial (self, error))
    return FALSE;
  if (config->debug_exit && !add (self, &vmm_debug_exit_class, "debug-exit", NULL, error))
    return FALSE;
  return add_rng (self, error) && add_console (self, error) && add_disks (self, error) &&
         add_graphics (self, error);
}

VmmPc *
vmm_pc_new (const VmmConfig *config,
            VmmMemory *memory,
            VmmLoop *loop,
            VmmPlatform *platform,
            GError **error)
{
  g_autoptr (VmmPc) self = g_new0 (VmmPc, 1);

  self->config = config;
  self->serial_fd = self->console_fd = -1;
  self->devices = g_ptr_array_new ();
  self->disks = g_ptr_array_new ();
  self->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_block_close);
  self->board = (VmmBoard) { .memory = memory,
                             .loop = loop,
                             .platform = platform,
                             .ports = vmm_bus_new (),
                             .mmio = vmm_bus_new () };
  self->kernel = vmm_file_open ("kernel", config->kernel, error);
  if (!self->kernel)
    return NULL;
  if (config->initrd && !(self->initrd = vmm_file_open ("initrd", config->initrd, error)))
    return NULL;
  return add_devices (self, error) ? g_steal_pointer (&self) : NULL;
}

void
vmm_pc_free (VmmPc *self)
{
  for (guint i = self->devices->len; i-- > 0;)
    vmm_device_free (g_ptr_array_index (self->devices, i));
  g_ptr_array_unref (self->devices);
  g_ptr_array_unref (self->disks);
  g_ptr_array_unref (self->blocks);
  g_clear_pointer (&self->display, vmm_display_free);
  g_clear_pointer (&self->input, vmm_input_free);
  vmm_bus_free (self->board.ports);
  vmm_bus_free (self->board.mmio);
  g_clear_pointer (&self->kernel, vmm_file_free);
  g_clear_pointer (&self->initrd, vmm_file_free);
  if (self->serial_fd >= 0)
    close (self->serial_fd);
  if (self->console_fd >= 0)
    close (self->console_fd);
  g_free (self);
}

static gboolean
load_tables (VmmPc *self, GError **error)
{
  VmmAcpiConfig config = { .n_vcpus = self->config->n_vcpus,
                           .serial = self->config->serial.mode != VMM_TEXT_NONE };
  g_autoptr (GByteArray) tables = NULL;

  vmm_pci_host_get_windows (self->board.pci, &config.pci);
  tables = vmm_acpi_build (&config, VMM_BOOT_ACPI);
  if (tables->len <= VMM_BOOT_ACPI_SIZE &&
      vmm_memory_write (self->board.memory, VMM_BOOT_ACPI, tables->data, tables->len))
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "The machine is too big to be described to its guest.");
  return FALSE;
}

gboolean
vmm_pc_load (VmmPc *self, VmmEntry *entry, GError **error)
{
  VmmBootConfig boot = { .memory = self->board.memory,
                         .kernel = self->kernel,
                         .initrd = self->initrd,
                         .append = self->config->append };

  return load_tables (self, error) && vmm_boot_load (&boot, entry, error);
}

void
vmm_pc_drain (VmmPc *self)
{
  for (guint i = 0; i < self->devices->len; i++)
    vmm_device_drain (g_ptr_array_index (self->devices, i));
}

void
vmm_pc_resume (VmmPc *self)
{
  for (guint i = 0; i < self->devices->len; i++)
    vmm_device_resume (g_ptr_array_index (self->devices, i));
}

void
vmm_pc_reset (VmmPc *self)
{
  for (guint i = 0; i < self->devices->len; i++)
    vmm_device_reset (g_ptr_array_index (self->devices, i));
}

VmmBus *
vmm_pc_get_ports (VmmPc *self)
{
  return self->board.ports;
}

VmmBus *
vmm_pc_get_mmio (VmmPc *self)
{
  return self->board.mmio;
}

VmmDisplay *
vmm_pc_get_display (VmmPc *self)
{
  return self->display;
}

VmmInput *
vmm_pc_get_input (VmmPc *self)
{
  return self->input;
}

void
vmm_pc_power_button (VmmPc *self)
{
  vmm_pm_power_button (self->pm);
}

guint64
vmm_pc_get_n_disk_requests (VmmPc *self)
{
  guint64 n = 0;

  for (guint i = 0; i < self->disks->len; i++)
    n += vmm_virtio_blk_get_n_requests (g_ptr_array_index (self->disks, i));
  return n;
}
