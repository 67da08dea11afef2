/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's parts, for the files that make them: one file a kind of device.
 *
 * Threads: control, with the vCPUs parked.
 */
#pragma once

#include "block/vmm-block.h"
#include "x86/acpi.h"
#include "x86/boot.h"
#include "x86/pc.h"

G_BEGIN_DECLS

struct _VmmPc {
  const VmmConfig *config;
  VmmBoard board;
  GPtrArray *devices;               /* in start order */
  VmmDevice *pm, *rtc, *generation; /* three of them */
  VmmDevice *fw_cfg;                /* NULL where a kernel starts */
  guint8 *rom;                      /* the firmware's file, or NULL */
  gsize rom_size;
  int log_fd;          /* the firmware's, or -1 */
  GPtrArray *disks;    /* likewise: in the order of the configuration */
  GPtrArray *blocks;   /* what is on the disks */
  VmmDevice *balloon;  /* of @devices, or NULL */
  VmmDevice *ahci;     /* of @devices; NULL without SATA disks and CD drives */
  GPtrArray *cdroms;   /* VmmPcCdrom */
  GPtrArray *nics;     /* VmmPcNic */
  GPtrArray *ports;    /* root ports, of @devices */
  GPtrArray *attached; /* VmmPcAttached: what stands behind them */
  VmmDisplay *display; /* this and the next: NULL without graphics */
  VmmInput *input;
  guint8 *vga_bios; /* or NULL */
  gsize vga_bios_size;
  VmmFile *kernel, *initrd;
  int channel_fds[VMM_MAX_CHANNELS]; /* sockets that listen */
  guint n_channel_fds;
  int serial_fd, console_fd; /* opened for them, or -1 */
};

/* A device of the PC, from now on in its list. NULL with @error set where it cannot be made. */
VmmDevice *vmm_pc_add (VmmPc *self,
                       const VmmDeviceClass *klass,
                       const char *id,
                       gconstpointer config,
                       GError **error);

/* What the configuration asks for: nothing, where it asks for none. */
gboolean vmm_pc_add_serial (VmmPc *self, GError **error);
gboolean vmm_pc_add_console (VmmPc *self, GError **error);
gboolean vmm_pc_add_channels (VmmPc *self, GError **error);
void vmm_pc_free_channels (VmmPc *self);
gboolean vmm_pc_add_disks (VmmPc *self, GError **error);
gboolean vmm_pc_add_sata (VmmPc *self, GError **error);
gboolean vmm_pc_add_nics (VmmPc *self, GError **error);
gboolean vmm_pc_add_graphics (VmmPc *self, GError **error);
gboolean vmm_pc_add_usb (VmmPc *self, GError **error);
gboolean vmm_pc_add_balloon (VmmPc *self, GError **error);
gboolean vmm_pc_add_ports (VmmPc *self, GError **error);
/* What it wants behind the ports, which are there. */
gboolean vmm_pc_plug_configured (VmmPc *self, GError **error);

/* "disk@number" and "net@number" at @slot: see vmm_pci_device_realize. */
VmmDevice *
vmm_pc_add_disk (VmmPc *self, guint number, guint slot, const VmmDiskConfig *disk, GError **error);
VmmDevice *
vmm_pc_add_nic (VmmPc *self, guint number, guint slot, const VmmNicConfig *config, GError **error);
/* What is behind a network card whose device was disconnected from it. */
void vmm_pc_remove_nic (VmmPc *self, const char *id);
void vmm_pc_attached_free (gpointer attached);
/* Fails with a sentence that says which device must go first. */
gboolean vmm_pc_save_attached (VmmPc *self, VmmState *state, GError **error);
/* Of the disk @id, if it was attached; or NULL. */
VmmBlock *vmm_pc_get_attached_block (VmmPc *self, const char *id);

/* pc-kernel.c: the PC that starts with a kernel; pc-firmware.c: the one that starts with firmware.
 * Add: opens what starts. Load: puts it and its tables into memory, after each reset. */
gboolean vmm_pc_add_kernel (VmmPc *self, GError **error);
gboolean vmm_pc_load_kernel (VmmPc *self, VmmEntry *entry, GError **error);
void vmm_pc_free_kernel (VmmPc *self);
gboolean vmm_pc_add_firmware (VmmPc *self, GError **error);
gboolean vmm_pc_load_firmware (VmmPc *self, VmmEntry *entry, GError **error);
void vmm_pc_free_firmware (VmmPc *self);
/* For firmware, when all devices are there. */
void vmm_pc_put_boot_order (VmmPc *self);
/* The tables for PCI as it is now. */
VmmAcpi *vmm_pc_make_acpi (VmmPc *self);

/* The image of a disk, in @self's list: borrowed. */
VmmBlock *vmm_pc_open_disk (VmmPc *self, const VmmDiskConfig *disk, GError **error);
void vmm_pc_cdrom_free (gpointer cdrom);
void vmm_pc_nic_free (gpointer nic);

G_END_DECLS
