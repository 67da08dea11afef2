/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmPciDevice: a PCI function: its configuration space with write masks, its BARs, its
 * capabilities and its interrupt. (PCI Local Bus 3.0, chapter 6.)
 *
 * Threads: the set-up functions run in realize. Configuration accesses run on vCPU threads with the
 * device locked; vmm_pci_device_set_intx runs with the device locked, on any thread.
 */
#pragma once

#include "base/vmm-bus.h"
#include "device/vmm-device.h"
#include "pci/msix.h"

G_BEGIN_DECLS

#define VMM_PCI_N_BARS      6
#define VMM_PCI_CONFIG_SIZE 256

typedef struct _VmmPciDevice VmmPciDevice;
typedef struct _VmmRootPort VmmRootPort;

typedef struct {
  guint16 vendor, device;
  guint16 subsystem_vendor, subsystem;
  guint8 revision;
  guint32 class_code; /* 24 bits: base class, sub class, interface */
} VmmPciIds;

typedef struct {
  VmmDeviceClass parent;
  /* After @length bytes at @offset of the configuration space changed. May be NULL. */
  void (*config_written) (VmmPciDevice *self, guint offset, guint length);
  /* Before they are read. May be NULL. */
  void (*config_read) (VmmPciDevice *self, guint offset, guint length);
  /* BAR @bar begins to answer at @address, or ends to (FALSE): doorbells follow. May be NULL. */
  void (*bar_mapped) (VmmPciDevice *self, guint bar, guint64 address, gboolean mapped);
} VmmPciDeviceClass;

typedef struct {
  guint64 size;  /* 0: not there; a power of two */
  gboolean wide; /* 64 bits: takes the next number too */
  const VmmBusOps *ops;
  guint64 first;   /* where it was put before the guest started */
  guint64 address; /* where it answers now */
  gboolean mapped;
} VmmPciBar;

/* The expansion ROM. */
typedef struct {
  const guint8 *bytes; /* borrowed */
  guint32 size;        /* 0: none */
  guint32 address;     /* where it answers now */
  gboolean mapped;
  int slot; /* -1: read by exits */
} VmmPciRom;

#define VMM_PCI_MAX_ROM (1u << 20)

struct _VmmPciDevice {
  VmmDevice parent;
  guint slot, function; /* on bus 0; behind a port: the port's */
  VmmRootPort *port;    /* or NULL: it stands on bus 0 */
  guint8 config[VMM_PCI_CONFIG_SIZE];
  guint8 write_mask[VMM_PCI_CONFIG_SIZE]; /* bits the guest may change */
  guint8 reset_config[VMM_PCI_CONFIG_SIZE];
  VmmPciBar bars[VMM_PCI_N_BARS];
  VmmPciRom rom;
  guint n_config; /* bytes given to capabilities so far */
  guint last_capability;
  guint msix_offset, msi_offset; /* 0: has none */
  VmmMsix msix;
  VmmMsix msi;          /* one vector, which follows the capability's registers */
  gboolean intx;        /* the device wants an interrupt */
  gboolean intx_pulled; /* and the host bridge was told so */
};

extern const VmmField vmm_pci_device_fields[];

/* Puts the function at @slot (0: the next free one; or VMM_PCI_BEHIND a root port) of the board's
 * host bridge. */
gboolean
vmm_pci_device_realize (VmmPciDevice *self, guint slot, const VmmPciIds *ids, GError **error);
/* The same for one of several functions of a slot; the one that is function 0 must say so in its
 * header (vmm_pci_device_set_multifunction). */
gboolean vmm_pci_device_realize_at (VmmPciDevice *self,
                                    guint slot,
                                    guint function,
                                    const VmmPciIds *ids,
                                    GError **error);
void vmm_pci_device_set_multifunction (VmmPciDevice *self);
void vmm_pci_device_unrealize (VmmPciDevice *self);
void vmm_pci_device_reset (VmmPciDevice *self);
gboolean vmm_pci_device_loaded (VmmPciDevice *self, GError **error);

/* Sets up @length bytes of the configuration space, as they are after each reset. */
void vmm_pci_device_put (VmmPciDevice *self, guint offset, guint length, guint32 value);
/* A memory BAR of @size bytes, handed to @ops as region @bar, with an address from the windows. */
gboolean vmm_pci_device_add_bar (VmmPciDevice *self,
                                 guint bar,
                                 guint64 size,
                                 gboolean wide,
                                 const VmmBusOps *ops,
                                 GError **error);
/* An expansion ROM: @size is a power of two from 4 KiB to 1 MiB, @bytes (in whole pages) are
 * borrowed. */
void vmm_pci_device_set_rom (VmmPciDevice *self, const guint8 *bytes, gsize size);
/* A capability of @length bytes, read-only until the mask is opened. Returns its offset. */
guint vmm_pci_device_add_capability (VmmPciDevice *self, guint8 id, guint length);
/* MSI-X with the table and the pending bits at these offsets of @bar, which the BAR's handlers pass
 * on. */
gboolean vmm_pci_device_add_msix (VmmPciDevice *self,
                                  guint n_vectors,
                                  guint bar,
                                  guint32 table_offset,
                                  guint32 pba_offset,
                                  GError **error);

/* MSI with one message. */
gboolean vmm_pci_device_add_msi (VmmPciDevice *self, GError **error);
/* Whether the guest wants the message and not the pin. */
gboolean vmm_pci_device_has_msi (VmmPciDevice *self);
void vmm_pci_device_send_msi (VmmPciDevice *self);

/* INTA, level. Shared pins are counted by the host bridge. */
void vmm_pci_device_set_intx (VmmPciDevice *self, gboolean level);

guint32 vmm_pci_device_read_config (VmmPciDevice *self, guint offset, guint length);
void vmm_pci_device_write_config (VmmPciDevice *self, guint offset, guint length, guint32 value);

G_END_DECLS
