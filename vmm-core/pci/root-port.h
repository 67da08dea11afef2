/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmRootPort: a PCI Express root port: a bridge from bus 0 to a bus of its own with a slot for one
 * function, which comes and goes while the machine runs (PCI Express Base 4.0, 6.7: native
 * hot-plug). The slot has an attention button, two indicators and a power controller.
 *
 * A card that is put in is announced by its presence and by the button, and the guest gives it
 * power. To have it back one presses the button; the guest gives the card up by taking its power
 * away, and VmmPlatform.unplugged says so. Without asking it is gone as if torn out.
 *
 * Threads: control with the vCPUs stopped, unless said otherwise.
 */
#pragma once

#include "pci/pci-device.h"

G_BEGIN_DECLS

#define VMM_MAX_ROOT_PORTS 8

typedef struct {
  guint slot, function; /* on bus 0; slot 0: the next free one */
  guint number;         /* of the port: 0 to VMM_MAX_ROOT_PORTS - 1 */
  gboolean several;     /* it is one of several functions */
  gboolean assigned;    /* nobody else gives it its bus and its windows */
} VmmRootPortConfig;

extern const VmmPciDeviceClass vmm_root_port_class;

/* In place of the slot of a function that stands behind port @number. */
#define VMM_PCI_BEHIND(number) (VMM_PCI_N_SLOTS + (number))

/* What stands behind it, or NULL. */
VmmPciDevice *vmm_root_port_get_child (VmmDevice *port);
/* The function that was made behind the port is there from now on. */
void vmm_root_port_insert (VmmDevice *port);
/* The same, before the guest runs: it has always been there. */
void vmm_root_port_put_in (VmmDevice *port);
/* Asks the guest for it. */
void vmm_root_port_press_button (VmmDevice *port);
/* Whether the guest has given it up. Thread: any. */
gboolean vmm_root_port_is_released (VmmDevice *port);
/* It is gone, whether the guest has given it up or not; what is left is to free it. */
void vmm_root_port_remove (VmmDevice *port);

G_END_DECLS
