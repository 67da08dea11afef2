/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmConfig: what a machine is made of, as plain structs.
 *
 * Threads: any; one owner at a time. vmm_machine_new copies what it keeps.
 */
#pragma once

#include "vmm-cpu.h"
#include "vmm-networks.h"
#include "vmm-nic-config.h"

G_BEGIN_DECLS

#define VMM_MAX_VCPUS    32
#define VMM_MAX_DISKS    24
#define VMM_MAX_SATA     6 /* SATA disks and CD drives */
#define VMM_MAX_PORTS    8
#define VMM_MAX_CHANNELS 6
#define VMM_MIN_MEMORY   (G_GUINT64_CONSTANT (16) << 20)

/* The letters that a PC's users know: disks, discs, network. */
#define VMM_BOOT_DISK    'c'
#define VMM_BOOT_CDROM   'd'
#define VMM_BOOT_NETWORK 'n'
#define VMM_BOOT_DEFAULT "cdn"

typedef enum {
  VMM_DISK_AUTO, /* qcow2 where the file begins as one, else raw; what is raw then may not be made
                    to begin as another format by its guest */
  VMM_DISK_RAW,
  VMM_DISK_QCOW2,
} VmmDiskFormat;

typedef enum {
  VMM_DISK_VIRTIO,
  VMM_DISK_SATA,
} VmmDiskBus;

typedef struct {
  char *path;
  gboolean readonly;
  VmmDiskFormat format;
  VmmDiskBus bus;
  gboolean discard; /* what the guest discards is given back to the host */
  gboolean direct;  /* not through the host's cache */
  gboolean hotplug; /* behind the next free port, so that it can be detached */
} VmmDiskConfig;

typedef struct {
  char *path; /* of an ISO image; NULL: nothing is in the drive */
} VmmCdromConfig;

typedef enum {
  VMM_TEXT_NONE, /* the device is not there at all */
  VMM_TEXT_FD,   /* both ways over descriptors */
  VMM_TEXT_FILE, /* output appended to a file */
} VmmTextMode;

/* What a device that speaks text is connected to. */
typedef struct {
  VmmTextMode mode;
  int in_fd, out_fd; /* borrowed: terminal, pipe or socket; -1: nothing comes, or goes */
  char *path;        /* VMM_TEXT_FILE */
} VmmTextConfig;

/* A way between a program of the guest and whoever connects to a socket of the host. */
typedef struct {
  char *name; /* by which the guest knows it, such as "org.qemu.guest_agent.0" */
  char *path; /* of the socket, which is made */
} VmmChannelConfig;

typedef struct {
  char *name; /* for messages and thread names */
  guint8 uuid[16];
  guint64 memory;         /* bytes */
  gboolean huge_pages;    /* in pages that the host has set aside for such */
  guint n_vcpus;          /* 1 to VMM_MAX_VCPUS */
  VmmCpuConfig cpu;       /* each of them */
  char *kernel;           /* bzImage, ELF with a PVH note, or multiboot; NULL: @firmware starts */
  char *firmware;         /* image of a BIOS, or of UEFI's code; or NULL */
  char *nvram;            /* UEFI's variables: made from the next where it is missing; or NULL */
  char *nvram_template;   /* or NULL */
  char *vga_bios;         /* the screen's, for a BIOS; or NULL */
  char *boot_order;       /* what firmware tries, such as "cdn" (VMM_BOOT_*); NULL: that */
  char *firmware_log;     /* file for what firmware says; or NULL */
  char *initrd;           /* or NULL */
  char *append;           /* or NULL */
  GPtrArray *disks;       /* VmmDiskConfig */
  GPtrArray *cdroms;      /* VmmCdromConfig */
  GPtrArray *nics;        /* VmmNicConfig */
  GPtrArray *channels;    /* VmmChannelConfig */
  VmmNetworks *networks;  /* that cards may be on, owned; NULL: no other machine is on them */
  gboolean graphics;      /* virtio-gpu, keyboard and tablet */
  guint width, height;    /* first mode; 0 for 1280 x 800 */
  VmmTextConfig serial;   /* COM1: ttyS0 to Linux */
  VmmTextConfig console;  /* virtio-console: hvc0 to Linux */
  char *load;             /* folder of a saved machine that goes on, with the disks and cards that
                             had been attached to it; or NULL: it starts anew */
  guint n_ports;          /* that disks and cards can be attached to while the machine runs */
  gboolean usb;           /* a controller; with graphics, a keyboard and a tablet too */
  gboolean balloon;       /* memory that the guest does without goes back to the host */
  gboolean debug_exit;    /* port 0xf4 */
  gboolean stop_on_reset; /* a reset ends the run instead of starting it anew */
} VmmConfig;

VmmConfig *vmm_config_new (void);
VmmConfig *vmm_config_copy (const VmmConfig *self);
void vmm_config_free (VmmConfig *self);
VmmDiskConfig *vmm_disk_config_copy (const VmmDiskConfig *self);
void vmm_disk_config_free (VmmDiskConfig *self);
/* Borrowed: the rest of it is the caller's to fill in. */
VmmDiskConfig *vmm_config_add_disk (VmmConfig *self, const char *path, gboolean readonly);
/* @path NULL: nothing is in the drive. */
void vmm_config_add_cdrom (VmmConfig *self, const char *path);
void vmm_config_add_channel (VmmConfig *self, const char *name, const char *path);
/* Takes @nic. */
void vmm_config_add_nic (VmmConfig *self, VmmNicConfig *nic);
/* Of its processors: with all that the configuration leaves open. */
VmmCpuTopology vmm_config_get_topology (const VmmConfig *self);
/* Ranges and contradictions, in one sentence. Touches no file. */
gboolean vmm_config_check (const VmmConfig *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmConfig, vmm_config_free)

G_END_DECLS
