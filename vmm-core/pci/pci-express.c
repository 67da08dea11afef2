/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PCI Express capability (PCI Express Base 4.0, 7.5.3). Links are emulated: one lane at the
 * first speed, trained whenever both ends are there, so most of it is fixed.
 *
 * Threads: control, in realize.
 */
#include <string.h>

#include "pci/pci-express.h"

#define CAPABILITY_VERSION 2
#define TYPE_SHIFT         4
#define SLOT_IMPLEMENTED   0x0100
#define ROLE_BASED         0x8000     /* error reporting, as every device since 1.1 */
#define CONTROL_RESET      0x2810     /* relaxed ordering, no snoop, reads of 512 bytes */
#define CONTROL_WRITABLE   0x78ff     /* all but a function's own reset */
#define ONE_LANE           (1u << 4)  /* of link capabilities and status */
#define FIRST_SPEED        1u         /* 2.5 GT/s */
#define LINK_REPORTS       (1u << 20) /* whether it is active */
#define LINK_WRITABLE      0x00c3     /* ASPM, common clock, extended sync */
#define ROOT_WRITABLE      0x001f
#define SPEEDS_2           (1u << 1) /* 2.5 GT/s is supported */

static void
put (VmmPciDevice *self, guint offset, guint16 value, guint16 writable)
{
  vmm_pci_device_put (self, offset, 2, value);
  memcpy (self->write_mask + offset, &writable, sizeof writable);
}

guint
vmm_pci_device_add_express (VmmPciDevice *self, VmmPciExpressType type, guint port)
{
  guint at = vmm_pci_device_add_capability (self, VMM_PCI_CAPABILITY_EXPRESS, VMM_PCI_EXPRESS_SIZE);
  gboolean root = type == VMM_PCI_EXPRESS_ROOT_PORT;

  put (self, at + 2, CAPABILITY_VERSION | type << TYPE_SHIFT | (root ? SLOT_IMPLEMENTED : 0), 0);
  vmm_pci_device_put (self, at + 4, 4, ROLE_BASED);
  put (self, at + 8, CONTROL_RESET, CONTROL_WRITABLE);
  vmm_pci_device_put (self, at + 0xc, 4,
                      FIRST_SPEED | ONE_LANE | (root ? LINK_REPORTS | port << 24 : 0));
  put (self, at + 0x10, 0, LINK_WRITABLE);
  put (self, at + VMM_PCI_EXPRESS_LINK_STATUS, FIRST_SPEED | ONE_LANE, 0);
  if (root)
    put (self, at + 0x1c, 0, ROOT_WRITABLE);
  vmm_pci_device_put (self, at + 0x2c, 4, SPEEDS_2);
  put (self, at + 0x30, FIRST_SPEED, 0);
  return at;
}
