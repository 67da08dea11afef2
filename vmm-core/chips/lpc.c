/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stands behind its registers is elsewhere and does not move: firmware writes the addresses
 * that things have already.
 *
 * Threads: vCPU, device locked; set-up and reset as vmm-device.h says.
 */
#include "chips/lpc.h"

#include <string.h>

#include "chips/pm.h"
#include "pci/pci-host-private.h"

#define REG_COMMAND    0x04
#define REG_PMBASE     0x40
#define REG_ACPI_CNTL  0x44
#define REG_PIRQA_ROUT 0x60
#define REG_PIRQE_ROUT 0x68
#define REG_RCBA       0xf0

#define COMMAND_FIXED 0x0007 /* ports, memory, bus master: what stands behind it answers always */
#define PMBASE_IO     0x01
#define ACPI_ENABLE   0x80
#define PIRQ_DISABLED 0x80
#define PIRQ_IRQ      0x0f
#define PIRQS_A_ROW   4

typedef struct {
  VmmPciDevice parent;
} Lpc;

static const VmmField lpc_fields[] = {
  VMM_FIELD_PART (Lpc, parent, vmm_pci_device_fields, "pci"),
  VMM_FIELD_LAST,
};

static guint
route_register (guint pirq)
{
  return pirq < PIRQS_A_ROW ? REG_PIRQA_ROUT + pirq : REG_PIRQE_ROUT + pirq - PIRQS_A_ROW;
}

static void
lpc_route (VmmPciDevice *pci)
{
  VmmPciLines *lines = vmm_pci_host_get_lines (pci->parent.board->pci);

  for (guint i = 0; i < VMM_PCI_N_PIRQS; i++) {
    guint8 value = pci->config[route_register (i)];

    vmm_pci_lines_route (lines, i, value & PIRQ_DISABLED ? 0 : value & PIRQ_IRQ);
  }
}

static void
lpc_config_written (VmmPciDevice *pci, guint offset, guint length)
{
  if (offset < REG_PIRQE_ROUT + PIRQS_A_ROW && offset + length > REG_PIRQA_ROUT)
    lpc_route (pci);
}

static void
put_registers (VmmPciDevice *pci)
{
  vmm_pci_device_put (pci, REG_COMMAND, 2, COMMAND_FIXED);
  memset (pci->write_mask + REG_COMMAND, 0, 2);
  vmm_pci_device_put (pci, REG_PMBASE, 4, VMM_PM_PORT | PMBASE_IO);
  vmm_pci_device_put (pci, REG_ACPI_CNTL, 1, ACPI_ENABLE);
  for (guint i = 0; i < VMM_PCI_N_PIRQS; i++) {
    vmm_pci_device_put (pci, route_register (i), 1, PIRQ_DISABLED);
    pci->write_mask[route_register (i)] = PIRQ_DISABLED | PIRQ_IRQ;
  }
  memset (pci->write_mask + REG_RCBA, 0xff, 4);
}

static gboolean
lpc_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  static const VmmPciIds ids = {
    .vendor = 0x8086,
    .device = 0x2918,
    .subsystem_vendor = 0x1af4,
    .subsystem = 0x1100,
    .revision = 2,
    .class_code = 0x060100,
  };
  VmmPciDevice *pci = (VmmPciDevice *) device;

  if (!vmm_pci_device_realize (pci, VMM_LPC_SLOT, &ids, error))
    return FALSE;
  vmm_pci_device_set_multifunction (pci);
  put_registers (pci);
  return TRUE;
}

static void
lpc_unrealize (VmmDevice *device)
{
  vmm_pci_device_unrealize ((VmmPciDevice *) device);
}

static void
lpc_reset (VmmDevice *device)
{
  vmm_pci_device_reset ((VmmPciDevice *) device);
  lpc_route ((VmmPciDevice *) device);
}

static gboolean
lpc_loaded (VmmDevice *device, GError **error)
{
  if (!vmm_pci_device_loaded ((VmmPciDevice *) device, error))
    return FALSE;
  lpc_route ((VmmPciDevice *) device);
  return TRUE;
}

const VmmPciDeviceClass vmm_lpc_class = {
  .parent = {
    .name = "lpc",
    .instance_size = sizeof (Lpc),
    .version = 1,
    .fields = lpc_fields,
    .realize = lpc_realize,
    .unrealize = lpc_unrealize,
    .reset = lpc_reset,
    .loaded = lpc_loaded,
  },
  .config_written = lpc_config_written,
};
