/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The fixed tables, and how all of them hang together (ACPI 6.5, chapter 5): RSDP -> XSDT -> FADT
 * (-> DSDT, FACS), MADT, MCFG, SSDTs.
 */
#include "x86/acpi.h"

#include <stddef.h>
#include <string.h>

#include "chips/hpet.h"
#include "chips/pm.h"
#include "chips/rtc.h"
#include "dsdt.hex"
#include "x86/apic-id.h"
#include "x86/layout.h"

#define OEM_ID      "VIRTDK"
#define OEM_TABLE   "VIRTDESK"
#define CREATOR     "VTDK"
#define RSDP_1_SIZE 20 /* what ACPI 1.0 had of it */
#define TABLE_ALIGN 16
#define FACS_ALIGN  64
#define MAX_TABLES  8

typedef struct __attribute__ ((packed)) {
  char signature[4];
  guint32 length;
  guint8 revision, checksum;
  char oem_id[6], oem_table[8];
  guint32 oem_revision;
  char creator[4];
  guint32 creator_revision;
} Header;

typedef struct __attribute__ ((packed)) {
  char signature[8];
  guint8 checksum;
  char oem_id[6];
  guint8 revision;
  guint32 rsdt, length;
  guint64 xsdt;
  guint8 extended_checksum, reserved[3];
} Rsdp;

/* An address of a register (5.2.3.2). */
typedef struct __attribute__ ((packed)) {
  guint8 space, bits, offset, access;
  guint64 address;
} Register;

typedef struct __attribute__ ((packed)) {
  Header header;
  guint32 facs, dsdt;
  guint8 reserved1, profile;
  guint16 sci;
  guint32 smi_command;
  guint8 acpi_enable, acpi_disable, s4bios, pstate;
  guint32 pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, timer, gpe0, gpe1;
  guint8 pm1_event_length, pm1_control_length, pm2_control_length, timer_length;
  guint8 gpe0_length, gpe1_length, gpe1_base, c_state;
  guint16 c2_latency, c3_latency, flush_size, flush_stride;
  guint8 duty_offset, duty_width, day_alarm, month_alarm, century;
  guint16 boot_flags;
  guint8 reserved2;
  guint32 flags;
  Register reset;
  guint8 reset_value;
  guint16 arm_flags;
  guint8 minor;
  guint64 x_facs, x_dsdt;
  Register x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control, x_timer;
  Register x_gpe0, x_gpe1, sleep_control, sleep_status;
  char hypervisor[8];
} Fadt;

G_STATIC_ASSERT (sizeof (Header) == 36 && sizeof (Rsdp) == 36 && sizeof (Fadt) == 276);

#define FADT_WBINVD         (1u << 0)
#define FADT_PROC_C1        (1u << 2)
#define FADT_SLEEP_BUTTON   (1u << 5) /* there is none among the fixed features */
#define FADT_RESET_REGISTER (1u << 10)
#define BOOT_8042           (1u << 1)
#define BOOT_NO_VGA         (1u << 2)
#define SPACE_IO            1

#define MADT_LAPIC       0
#define MADT_IOAPIC      1
#define MADT_OVERRIDE    2
#define MADT_LAPIC_NMI   4
#define MADT_PCAT        1u /* the old interrupt controllers are there too */
#define ACTIVE_HIGH_EDGE 0x0005
#define ACTIVE_HIGH      0x000d /* level-triggered */

/* The tables one after another as they will lie in memory; a table is where it begins in there. */
typedef struct {
  VmmAcpi *acpi;
  guint32 tables[MAX_TABLES]; /* what XSDT lists */
  guint n_tables;
} Builder;

static void
put (GByteArray *to, guint64 value, guint size)
{
  guint64 little_endian = GUINT64_TO_LE (value);

  g_byte_array_append (to, (const guint8 *) &little_endian, size);
}

static void
align (Builder *builder, guint boundary)
{
  while (builder->acpi->tables->len % boundary != 0)
    put (builder->acpi->tables, 0, 1);
}

/* @size bytes at @offset of a blob hold a place in another one, to which its address is to be
 * added. */
static void
point (Builder *builder, VmmAcpiBlob in, guint32 offset, guint32 size, VmmAcpiBlob to)
{
  VmmAcpiPointer pointer = { in, to, offset, size };

  g_array_append_val (builder->acpi->pointers, pointer);
}

static void
sum_up (Builder *builder, VmmAcpiBlob in, guint32 at, guint32 start, guint32 length)
{
  VmmAcpiChecksum checksum = { in, at, start, length };

  g_array_append_val (builder->acpi->checksums, checksum);
}

/* Lays a table (whole, with its header) down and returns its place. */
static guint32
lay (Builder *builder, GByteArray *table)
{
  Header *header = (Header *) table->data;
  guint32 at;

  align (builder, TABLE_ALIGN);
  at = builder->acpi->tables->len;
  header->length = GUINT32_TO_LE (table->len);
  header->checksum = 0;
  g_byte_array_append (builder->acpi->tables, table->data, table->len);
  sum_up (builder, VMM_ACPI_TABLES, at + offsetof (Header, checksum), at, table->len);
  return at;
}

static void
fill_header (Header *header, const char *signature, guint8 revision, const char *oem_table)
{
  memcpy (header->signature, signature, sizeof header->signature);
  header->revision = revision;
  memcpy (header->oem_id, OEM_ID, sizeof header->oem_id);
  memcpy (header->oem_table, oem_table, sizeof header->oem_table);
  header->oem_revision = GUINT32_TO_LE (1);
  memcpy (header->creator, CREATOR, sizeof header->creator);
  header->creator_revision = GUINT32_TO_LE (1);
}

/* The header with @body behind it. */
static GByteArray *
new_table (const char *signature, guint8 revision, const char *oem_table, const GByteArray *body)
{
  GByteArray *table = g_byte_array_new ();
  Header header = { 0 };

  fill_header (&header, signature, revision, oem_table);
  g_byte_array_append (table, (const guint8 *) &header, sizeof header);
  if (body && body->len > 0)
    g_byte_array_append (table, body->data, body->len);
  return table;
}

/* The same, and XSDT names it. */
static guint32
list (Builder *builder, GByteArray *table)
{
  return builder->tables[builder->n_tables++] = lay (builder, table);
}

static guint32
lay_dsdt (Builder *builder)
{
  g_autoptr (GByteArray) table = g_byte_array_new ();

  g_byte_array_append (table, dsdt_aml_code, sizeof dsdt_aml_code);
  return lay (builder, table);
}

/* Not a table like the others: no checksum, and aligned to 64. */
static guint32
lay_facs (Builder *builder)
{
  guint8 facs[64] = "FACS";

  align (builder, FACS_ALIGN);
  facs[4] = sizeof facs;
  facs[32] = 2; /* version */
  g_byte_array_append (builder->acpi->tables, facs, sizeof facs);
  return builder->acpi->tables->len - sizeof facs;
}

static Register
io_register (guint16 port, guint length)
{
  return (Register) {
    .space = SPACE_IO,
    .bits = length * 8,
    .access = length >= 4 ? 3 : length, /* byte, word, double word */
    .address = GUINT64_TO_LE (port),
  };
}

static void
fill_power_management (Fadt *fadt)
{
  fadt->sci = GUINT16_TO_LE (VMM_PM_SCI_GSI);
  fadt->pm1a_event = GUINT32_TO_LE (VMM_PM1A_EVT_PORT);
  fadt->pm1a_control = GUINT32_TO_LE (VMM_PM1A_CNT_PORT);
  fadt->timer = GUINT32_TO_LE (VMM_PM_TMR_PORT);
  fadt->gpe0 = GUINT32_TO_LE (VMM_PM_GPE0_PORT);
  fadt->pm1_event_length = 4;
  fadt->pm1_control_length = 2;
  fadt->timer_length = 4;
  fadt->gpe0_length = VMM_PM_GPE0_LENGTH;
  fadt->x_pm1a_event = io_register (VMM_PM1A_EVT_PORT, 4);
  fadt->x_pm1a_control = io_register (VMM_PM1A_CNT_PORT, 2);
  fadt->x_timer = io_register (VMM_PM_TMR_PORT, 4);
  fadt->x_gpe0 = io_register (VMM_PM_GPE0_PORT, VMM_PM_GPE0_LENGTH);
  fadt->x_gpe0.access = 1;
  fadt->reset = io_register (VMM_PM_RESET_PORT, 1);
  fadt->reset_value = VMM_PM_RESET_VALUE;
}

static void
lay_fadt (Builder *builder, const VmmAcpiConfig *config, guint32 facs, guint32 dsdt)
{
  g_autoptr (GByteArray) table = g_byte_array_new ();
  Fadt fadt = {
    .facs = GUINT32_TO_LE (facs),
    .dsdt = GUINT32_TO_LE (dsdt),
    .c2_latency = GUINT16_TO_LE (0xfff), /* neither C2 nor C3 */
    .c3_latency = GUINT16_TO_LE (0xfff),
    .century = 0x32,
    .boot_flags = GUINT16_TO_LE ((config->vga ? 0 : BOOT_NO_VGA) | (config->ps2 ? BOOT_8042 : 0)),
    .flags = GUINT32_TO_LE (FADT_WBINVD | FADT_PROC_C1 | FADT_SLEEP_BUTTON | FADT_RESET_REGISTER),
    .minor = 5,
    .x_dsdt = GUINT64_TO_LE (dsdt),
    .hypervisor = "VirtDesk",
  };
  guint32 at;

  fill_header (&fadt.header, "FACP", 6, OEM_TABLE);
  fill_power_management (&fadt);
  g_byte_array_append (table, (const guint8 *) &fadt, sizeof fadt);
  at = list (builder, table);
  point (builder, VMM_ACPI_TABLES, at + offsetof (Fadt, facs), 4, VMM_ACPI_TABLES);
  point (builder, VMM_ACPI_TABLES, at + offsetof (Fadt, dsdt), 4, VMM_ACPI_TABLES);
  point (builder, VMM_ACPI_TABLES, at + offsetof (Fadt, x_dsdt), 8, VMM_ACPI_TABLES);
}

static void
put_override (GByteArray *to, guint8 irq, guint32 gsi, guint16 flags)
{
  put (to, MADT_OVERRIDE, 1);
  put (to, 10, 1);
  put (to, 0, 1); /* ISA */
  put (to, irq, 1);
  put (to, gsi, 4);
  put (to, flags, 2);
}

static void
lay_madt (Builder *builder, VmmCpuTopology topology)
{
  g_autoptr (GByteArray) body = g_byte_array_new (), table = NULL;

  put (body, VMM_LAPIC_ADDRESS, 4);
  put (body, MADT_PCAT, 4);
  for (guint i = 0; i < vmm_cpu_topology_count (topology); i++) {
    put (body, MADT_LAPIC, 1);
    put (body, 8, 1);
    put (body, i, 1); /* processor */
    put (body, vmm_apic_id (topology, i), 1);
    put (body, 1, 4); /* enabled */
  }
  put (body, MADT_IOAPIC, 1);
  put (body, 12, 1);
  put (body, 0, 2); /* its number, reserved */
  put (body, VMM_IOAPIC_ADDRESS, 4);
  put (body, 0, 4); /* its first pin */
  put_override (body, 0, 2, 0);
  put_override (body, VMM_PM_SCI_GSI, VMM_PM_SCI_GSI, ACTIVE_HIGH);
  put (body, MADT_LAPIC_NMI, 1);
  put (body, 6, 1);
  put (body, 0xff, 1); /* all processors */
  put (body, ACTIVE_HIGH_EDGE, 2);
  put (body, 1, 1); /* LINT1 */
  table = new_table ("APIC", 5, OEM_TABLE, body);
  list (builder, table);
}

/* Only buses that exist: an operating system looks at each one that is named here. */
static void
lay_mcfg (Builder *builder, const VmmPciWindows *pci)
{
  g_autoptr (GByteArray) body = g_byte_array_new (), table = NULL;

  put (body, 0, 8);
  put (body, pci->ecam_base, 8);
  put (body, 0, 2); /* segment */
  put (body, 0, 1);
  put (body, pci->n_buses - 1, 1);
  put (body, 0, 4);
  table = new_table ("MCFG", 1, OEM_TABLE, body);
  list (builder, table);
}

/* (IA-PC HPET 1.0a, 3.2.4.) */
static void
lay_hpet (Builder *builder)
{
  g_autoptr (GByteArray) body = g_byte_array_new (), table = NULL;

  put (body, VMM_HPET_BLOCK_ID, 4);
  put (body, 0, 1); /* in memory */
  put (body, 64, 1);
  put (body, 0, 2);
  put (body, VMM_HPET_ADDRESS, 8);
  put (body, 0, 1); /* its number */
  put (body, VMM_HPET_MIN_TICKS, 2);
  put (body, 0, 1); /* nothing is promised of the page's rest */
  table = new_table ("HPET", 1, OEM_TABLE, body);
  list (builder, table);
}

/* Takes @body. */
static void
lay_ssdt (Builder *builder, const char *name, GByteArray *body)
{
  g_autoptr (GByteArray) owned = body, table = new_table ("SSDT", 2, name, body);

  list (builder, table);
}

static guint32
lay_xsdt (Builder *builder)
{
  g_autoptr (GByteArray) body = g_byte_array_new (), table = NULL;
  guint32 at;

  for (guint i = 0; i < builder->n_tables; i++)
    put (body, builder->tables[i], 8);
  table = new_table ("XSDT", 1, OEM_TABLE, body);
  at = lay (builder, table);
  for (guint i = 0; i < builder->n_tables; i++)
    point (builder, VMM_ACPI_TABLES, at + sizeof (Header) + 8 * i, 8, VMM_ACPI_TABLES);
  return at;
}

static void
lay_rsdp (Builder *builder, guint32 xsdt)
{
  Rsdp rsdp = {
    .signature = { 'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ' },
    .oem_id = OEM_ID,
    .revision = 2,
    .length = GUINT32_TO_LE (sizeof rsdp),
    .xsdt = GUINT64_TO_LE (xsdt),
  };

  g_byte_array_append (builder->acpi->rsdp, (const guint8 *) &rsdp, sizeof rsdp);
  point (builder, VMM_ACPI_RSDP, offsetof (Rsdp, xsdt), 8, VMM_ACPI_TABLES);
  sum_up (builder, VMM_ACPI_RSDP, offsetof (Rsdp, checksum), 0, RSDP_1_SIZE);
  sum_up (builder, VMM_ACPI_RSDP, offsetof (Rsdp, extended_checksum), 0, sizeof rsdp);
}

VmmAcpi *
vmm_acpi_new (const VmmAcpiConfig *config)
{
  VmmAcpi *self = g_new0 (VmmAcpi, 1);
  Builder builder = { .acpi = self };
  guint32 dsdt, facs;

  self->rsdp = g_byte_array_new ();
  self->tables = g_byte_array_new ();
  self->pointers = g_array_new (FALSE, FALSE, sizeof (VmmAcpiPointer));
  self->checksums = g_array_new (FALSE, FALSE, sizeof (VmmAcpiChecksum));
  dsdt = lay_dsdt (&builder);
  facs = lay_facs (&builder);
  lay_fadt (&builder, config, facs, dsdt);
  lay_madt (&builder, config->topology);
  lay_mcfg (&builder, &config->pci);
  if (config->hpet)
    lay_hpet (&builder);
  lay_ssdt (&builder, "VTDKCPUS", vmm_acpi_cpus (config));
  lay_ssdt (&builder, "VTDKPCIB", vmm_acpi_board (config));
  lay_rsdp (&builder, lay_xsdt (&builder));
  return self;
}

void
vmm_acpi_free (VmmAcpi *self)
{
  g_byte_array_unref (self->rsdp);
  g_byte_array_unref (self->tables);
  g_array_unref (self->pointers);
  g_array_unref (self->checksums);
  g_free (self);
}
