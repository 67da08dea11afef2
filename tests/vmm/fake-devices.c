/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-devices.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ahci/ahci.h"
#include "chips/debug-exit.h"
#include "chips/i8042.h"
#include "chips/pm.h"
#include "chips/rtc.h"
#include "chips/serial.h"
#include "device/vmm-display-source.h"
#include "device/vmm-input-sink.h"
#include "fake-channel.h"
#include "fake-net.h"
#include "pci/root-port.h"
#include "usb/usb-hid.h"
#include "usb/xhci.h"
#include "virtio/virtio-balloon.h"
#include "virtio/virtio-blk.h"
#include "virtio/virtio-console.h"
#include "virtio/virtio-gpu.h"
#include "virtio/virtio-input.h"
#include "virtio/virtio-net.h"
#include "virtio/virtio-rng.h"
#include "virtio/virtio-serial.h"

#define DISK_SIZE (1 << 20)

static VmmDevice *
add (FakeDevices *self, const VmmDeviceClass *klass, const char *id, gconstpointer config)
{
  VmmDevice *device = vmm_device_new (klass, &self->guest->board, id, config, NULL);

  g_assert_nonnull (device);
  return device;
}

/* A disk without a file: nothing is left behind when the fuzzer is killed. */
static VmmBlock *
make_disk (FakeGuest *guest)
{
  int fd = memfd_create ("disk", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  VmmBlockOptions options = { .format = VMM_DISK_RAW, .discard = TRUE };
  VmmBlock *block;

  g_assert_cmpint (ftruncate (fd, DISK_SIZE), ==, 0);
  block = vmm_block_open (path, &options, guest->loop, NULL);
  g_assert_nonnull (block);
  close (fd);
  return block;
}

static void
make_virtio (FakeDevices *self)
{
  VmmVirtioBlkConfig blk = { .block = make_disk (self->guest), .serial = "disk0" };
  VmmVirtioRngConfig rng = { 0 };
  VmmVirtioConsoleConfig console = { .in_fd = -1, .out_fd = -1 };
  VmmVirtioGpuConfig gpu = { .display = self->display };
  VmmVirtioInputConfig keyboard = { .kind = VMM_INPUT_KEYBOARD, .input = self->input };
  VmmVirtioInputConfig tablet = { .kind = VMM_INPUT_TABLET, .input = self->input };

  self->devices[FAKE_BLK] =
    add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_blk_class), "disk0", &blk);
  self->devices[FAKE_RNG] =
    add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_rng_class), "rng0", &rng);
  self->devices[FAKE_CONSOLE] =
    add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_console_class), "console0", &console);
  self->devices[FAKE_GPU] =
    add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_gpu_class), "gpu0", &gpu);
  self->devices[FAKE_KEYBOARD] =
    add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_input_class), "keyboard0", &keyboard);
  self->devices[FAKE_TABLET] =
    add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_input_class), "tablet0", &tablet);
}

static void
make_ahci (FakeDevices *self)
{
  VmmAhciConfig config = { 0 };

  self->disc = make_disk (self->guest);
  config.ports[0] = (VmmAhciPortConfig) { VMM_AHCI_DISK, "disk1", make_disk (self->guest) };
  config.ports[1] = (VmmAhciPortConfig) { VMM_AHCI_CDROM, "cdrom0", self->disc };
  self->devices[FAKE_AHCI] = add (self, &vmm_ahci_class.parent, "ahci", &config);
}

static VmmDevice *
make_net (FakeDevices *self)
{
  FakeNet *net = fake_net_new (self->guest->loop, VMM_NET_ALL_OFFLOADS);
  VmmVirtioNetConfig config = { .net = &net->net };

  return add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_net_class), "net0", &config);
}

static void
make_usb (FakeDevices *self)
{
  VmmXhciConfig config = { 0 };
  VmmUsbHidConfig hid = { .input = self->input };
  VmmDevice *xhci = add (self, &vmm_xhci_class.parent, "xhci", &config);

  vmm_xhci_attach (xhci, vmm_usb_device_new (&vmm_usb_keyboard_class, "usb-keyboard0", &hid, NULL),
                   NULL);
  vmm_xhci_attach (xhci, vmm_usb_device_new (&vmm_usb_tablet_class, "usb-tablet0", &hid, NULL),
                   NULL);
  self->devices[FAKE_XHCI] = xhci;
}

static void
make_channel (FakeDevices *self)
{
  VmmVirtioSerialConfig config = { .n_channels = 1 };

  self->channel_fd = fake_channel_listen ();
  config.channels[0].name = "com.example.channel";
  config.channels[0].listen_fd = self->channel_fd;
  self->devices[FAKE_CHANNEL] =
    add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_serial_class), "serial1", &config);
}

/* A port, and a card behind it. */
static void
make_port (FakeDevices *self)
{
  VmmRootPortConfig port = { .assigned = TRUE };
  VmmVirtioRngConfig card = { .slot = VMM_PCI_BEHIND (0) };

  self->devices[FAKE_PORT] = add (self, &vmm_root_port_class.parent, "port0", &port);
  self->devices[FAKE_CARD] =
    add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_rng_class), "rng1", &card);
  vmm_root_port_insert (self->devices[FAKE_PORT]);
}

FakeDevices *
fake_devices_new (void)
{
  FakeDevices *self = g_new0 (FakeDevices, 1);
  VmmVirtioBalloonConfig balloon = { 0 };
  VmmSerialConfig serial = { VMM_SERIAL_COM1_PORT, VMM_SERIAL_COM1_GSI, -1, -1 };

  self->guest = fake_guest_new ();
  self->display = vmm_display_new ();
  self->input = vmm_input_new ();
  make_virtio (self);
  self->devices[FAKE_SERIAL] = add (self, &vmm_serial_class, "serial0", &serial);
  self->devices[FAKE_PM] = add (self, &vmm_pm_class, "pm", NULL);
  self->devices[FAKE_RTC] = add (self, &vmm_rtc_class, "rtc", NULL);
  self->devices[FAKE_I8042] = add (self, &vmm_i8042_class, "i8042", NULL);
  self->devices[FAKE_DEBUG_EXIT] = add (self, &vmm_debug_exit_class, "debug-exit", NULL);
  make_ahci (self);
  make_usb (self);
  self->devices[FAKE_NET] = make_net (self);
  make_port (self);
  self->devices[FAKE_BALLOON] =
    add (self, VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_balloon_class), "balloon0", &balloon);
  make_channel (self);
  self->first_free = self->guest->next;
  return self;
}

void
fake_devices_reset (FakeDevices *self)
{
  FakePlatform *platform = &self->guest->platform;

  for (guint i = 0; i < FAKE_N_DEVICES; i++)
    vmm_device_drain (self->devices[i]);
  for (guint i = 0; i < FAKE_N_DEVICES; i++)
    vmm_device_reset (self->devices[i]);
  vmm_device_reset (self->guest->pci);
  vmm_input_release_all (self->input);
  vmm_virtio_balloon_set_target (self->devices[FAKE_BALLOON], FAKE_MEMORY);
  for (guint i = 0; i < FAKE_N_DEVICES; i++)
    vmm_device_resume (self->devices[i]);
  memset (fake_guest_at (self->guest, 0, self->guest->next), 0, self->guest->next);
  self->guest->next = self->first_free;
  platform->n_broken = platform->n_requests = 0;
  fake_guest_settle (self->guest);
}

void
fuzz_reader_read (FuzzReader *self, gpointer to, gsize size)
{
  gsize part = MIN (size, self->left);

  memset (to, 0, size);
  if (part > 0)
    memcpy (to, self->at, part);
  self->at += part;
  self->left -= part;
}

guint8
fuzz_reader_u8 (FuzzReader *self)
{
  guint8 value;

  fuzz_reader_read (self, &value, sizeof value);
  return value;
}

guint16
fuzz_reader_u16 (FuzzReader *self)
{
  guint16 value;

  fuzz_reader_read (self, &value, sizeof value);
  return value;
}

guint32
fuzz_reader_u32 (FuzzReader *self)
{
  guint32 value;

  fuzz_reader_read (self, &value, sizeof value);
  return value;
}

guint64
fuzz_reader_u64 (FuzzReader *self)
{
  guint64 value;

  fuzz_reader_read (self, &value, sizeof value);
  return value;
}
