/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The tables that are made to measure: the processors; the windows and pins of PCI, and whether
 * there is a serial port.
 */
#include "x86/acpi.h"
#include "x86/aml.h"

#define CONFIG_PORT    0xcf8 /* of the host bridge */
#define CONFIG_N_PORTS 8
#define N_PINS         4
#define EISAID_PNP0C02 0x020cd041 /* reserved by the board */
#define DEVICE_HERE    0x0f       /* _STA: present, enabled, shown, working */

GByteArray *
vmm_acpi_cpus (const VmmAcpiConfig *config)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  GByteArray *table = g_byte_array_new ();

  for (guint i = 0; i < vmm_cpu_topology_count (config->topology); i++) {
    g_autoptr (GByteArray) one = g_byte_array_new ();
    g_autofree char *name = g_strdup_printf ("C%03X", i);

    vmm_aml_name (one, "_HID");
    vmm_aml_string (one, "ACPI0007");
    vmm_aml_name (one, "_UID");
    vmm_aml_integer (one, i);
    vmm_aml_device (all, name, one);
  }
  vmm_aml_scope (table, "\\_SB_", all);
  return table;
}

static void
add_crs (GByteArray *to, const VmmPciWindows *pci)
{
  g_autoptr (GByteArray) resources = g_byte_array_new ();

  vmm_aml_bus_numbers (resources, 0, pci->n_buses - 1);
  /* All but its own registers: those of the ISA bridge's chips too are behind the bridge. */
  vmm_aml_port_window (resources, 0, CONFIG_PORT - 1);
  vmm_aml_ports (resources, CONFIG_PORT, CONFIG_N_PORTS);
  vmm_aml_port_window (resources, CONFIG_PORT + CONFIG_N_PORTS, 0xffff);
  for (guint i = 0; i < pci->n_memory; i++)
    vmm_aml_memory_window (resources, pci->memory[i].base, pci->memory[i].size);
  vmm_aml_end_tag (resources);
  vmm_aml_name (to, "_CRS");
  vmm_aml_buffer (to, resources);
}

/* One package: all functions of the slot, the pin, no link device, the I/O APIC's pin. */
static void
add_route (GByteArray *to, guint slot, guint pin)
{
  g_autoptr (GByteArray) route = g_byte_array_new ();

  vmm_aml_integer (route, (guint64) slot << 16 | 0xffff);
  vmm_aml_integer (route, pin);
  vmm_aml_integer (route, 0);
  vmm_aml_integer (route, vmm_pci_slot_gsi (slot));
  vmm_aml_package (to, 4, route);
}

static void
add_prt (GByteArray *to)
{
  g_autoptr (GByteArray) routes = g_byte_array_new ();

  for (guint slot = 1; slot < VMM_PCI_N_SLOTS; slot++)
    for (guint pin = 0; pin < N_PINS; pin++)
      add_route (routes, slot, pin);
  vmm_aml_name (to, "_PRT");
  vmm_aml_package (to, (VMM_PCI_N_SLOTS - 1) * N_PINS, routes);
}

/* ECAM is an address that nobody may give to a device. */
static void
add_ecam (GByteArray *to, const VmmPciWindows *pci)
{
  g_autoptr (GByteArray) resources = g_byte_array_new (), device = g_byte_array_new ();

  vmm_aml_memory_fixed (resources, pci->ecam_base, VMM_PCI_ECAM_SIZE);
  vmm_aml_end_tag (resources);
  vmm_aml_name (device, "_HID");
  vmm_aml_integer (device, EISAID_PNP0C02);
  vmm_aml_name (device, "_UID");
  vmm_aml_integer (device, 1);
  vmm_aml_name (device, "_CRS");
  vmm_aml_buffer (device, resources);
  vmm_aml_device (to, "ECAM", device);
}

/* What _STA of a device of the DSDT says. */
static void
add_presence (GByteArray *to, const char *name, gboolean here)
{
  vmm_aml_name (to, name);
  vmm_aml_integer (to, here ? DEVICE_HERE : 0);
}

GByteArray *
vmm_acpi_board (const VmmAcpiConfig *config)
{
  g_autoptr (GByteArray) bridge = g_byte_array_new (), system = g_byte_array_new ();
  GByteArray *table = g_byte_array_new ();

  add_presence (table, "\\SERI", config->serial);
  add_presence (table, "\\PS2S", config->ps2);
  add_presence (table, "\\HPTS", config->hpet);
  add_presence (table, "\\FWCS", config->fw_cfg);
  add_crs (bridge, &config->pci);
  add_prt (bridge);
  vmm_aml_scope (table, "\\_SB_.PCI0", bridge);
  add_ecam (system, &config->pci);
  vmm_aml_scope (table, "\\_SB_", system);
  return table;
}
