/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An AHCI controller (ICH9's, AHCI 1.3.1) with the disks and CD drives on its ports.
 *
 * Threads: control, unless said otherwise.
 */
#pragma once

#include "block/vmm-block.h"
#include "pci/pci-device.h"

G_BEGIN_DECLS

#define VMM_AHCI_N_PORTS 6

typedef enum {
  VMM_AHCI_EMPTY,
  VMM_AHCI_DISK,
  VMM_AHCI_CDROM,
} VmmAhciKind;

typedef struct {
  VmmAhciKind kind;
  const char *id;  /* "disk0" */
  VmmBlock *block; /* borrowed; a CD drive may have none */
} VmmAhciPortConfig;

typedef struct {
  guint slot, function; /* both 0: the next free slot */
  VmmAhciPortConfig ports[VMM_AHCI_N_PORTS];
} VmmAhciConfig;

/* For vmm_device_new: &vmm_ahci_class.parent. */
extern const VmmPciDeviceClass vmm_ahci_class;

/* Whether the drive @id is on this controller and takes media that can be changed. */
gboolean vmm_ahci_has_cdrom (VmmDevice *device, const char *id);
/* Whether the guest forbids to open the tray. */
gboolean vmm_ahci_is_locked (VmmDevice *device, const char *id);
/* Tells the guest that someone pressed the button of a locked drive. */
void vmm_ahci_ask_to_eject (VmmDevice *device, const char *id);
/* Puts @block (borrowed) into the drive and closes the tray, or takes what is in it out and leaves
 * the tray open (NULL), locked or not. Returns when nothing uses the old medium any more. */
void vmm_ahci_change_medium (VmmDevice *device, const char *id, VmmBlock *block);
/* Commands of drives that were answered so far. Thread: any. */
guint64 vmm_ahci_get_n_requests (VmmDevice *device);

G_END_DECLS
