/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Two ways for the tables into memory: at an address of ours, or by a script that firmware runs
 * after it has found room for them. (The script is QEMU's: SeaBIOS, src/fw/romfile_loader.h.)
 */
#include "x86/acpi.h"

#include <string.h>

#define TABLES_ALIGN 64

#define NAME_SIZE   56
#define RECORD_SIZE 128

enum {
  COMMAND_ALLOCATE = 1,
  COMMAND_ADD_POINTER = 2,
  COMMAND_ADD_CHECKSUM = 3,
};

enum {
  ZONE_HIGH = 1,
  ZONE_FSEG = 2,
};

/* One command of the script, whose numbers are little-endian. */
typedef struct __attribute__ ((packed)) {
  guint32 command;
  union __attribute__ ((packed)) {
    struct __attribute__ ((packed)) {
      char file[NAME_SIZE];
      guint32 align;
      guint8 zone;
    } allocate;
    struct __attribute__ ((packed)) {
      char in[NAME_SIZE], to[NAME_SIZE];
      guint32 offset;
      guint8 size;
    } pointer;
    struct __attribute__ ((packed)) {
      char file[NAME_SIZE];
      guint32 at, start, length;
    } checksum;
    guint8 padding[RECORD_SIZE - 4];
  };
} Record;

G_STATIC_ASSERT (sizeof (Record) == RECORD_SIZE);

static const char *const files[VMM_ACPI_N_BLOBS] = {
  [VMM_ACPI_RSDP] = VMM_ACPI_RSDP_FILE,
  [VMM_ACPI_TABLES] = VMM_ACPI_TABLES_FILE,
};

static void
add_address (guint8 *place, guint size, guint64 address)
{
  guint64 value = 0;

  memcpy (&value, place, size);
  value = GUINT64_TO_LE (GUINT64_FROM_LE (value) + address);
  memcpy (place, &value, size);
}

static void
settle_checksum (guint8 *bytes, const VmmAcpiChecksum *checksum)
{
  guint8 sum = 0;

  for (guint32 i = 0; i < checksum->length; i++)
    sum += bytes[checksum->start + i];
  bytes[checksum->at] -= sum;
}

GByteArray *
vmm_acpi_place (const VmmAcpi *self, guint32 address)
{
  const guint32 places[VMM_ACPI_N_BLOBS] = { [VMM_ACPI_TABLES] = TABLES_ALIGN };
  GByteArray *all = g_byte_array_new ();

  g_byte_array_append (all, self->rsdp->data, self->rsdp->len);
  g_byte_array_set_size (all, TABLES_ALIGN);
  memset (all->data + self->rsdp->len, 0, TABLES_ALIGN - self->rsdp->len);
  g_byte_array_append (all, self->tables->data, self->tables->len);
  for (guint i = 0; i < self->pointers->len; i++) {
    const VmmAcpiPointer *pointer = &g_array_index (self->pointers, VmmAcpiPointer, i);

    add_address (all->data + places[pointer->in] + pointer->offset, pointer->size,
                 address + places[pointer->to]);
  }
  for (guint i = 0; i < self->checksums->len; i++) {
    const VmmAcpiChecksum *checksum = &g_array_index (self->checksums, VmmAcpiChecksum, i);

    settle_checksum (all->data + places[checksum->in], checksum);
  }
  return all;
}

static void
add_record (GByteArray *script, const Record *record)
{
  g_byte_array_append (script, (const guint8 *) record, sizeof *record);
}

static void
add_allocate (GByteArray *script, VmmAcpiBlob blob, guint32 align, guint8 zone)
{
  Record record = { .command = GUINT32_TO_LE (COMMAND_ALLOCATE) };

  g_strlcpy (record.allocate.file, files[blob], NAME_SIZE);
  record.allocate.align = GUINT32_TO_LE (align);
  record.allocate.zone = zone;
  add_record (script, &record);
}

static void
add_pointer (GByteArray *script, const VmmAcpiPointer *pointer)
{
  Record record = { .command = GUINT32_TO_LE (COMMAND_ADD_POINTER) };

  g_strlcpy (record.pointer.in, files[pointer->in], NAME_SIZE);
  g_strlcpy (record.pointer.to, files[pointer->to], NAME_SIZE);
  record.pointer.offset = GUINT32_TO_LE (pointer->offset);
  record.pointer.size = pointer->size;
  add_record (script, &record);
}

static void
add_checksum (GByteArray *script, const VmmAcpiChecksum *checksum)
{
  Record record = { .command = GUINT32_TO_LE (COMMAND_ADD_CHECKSUM) };

  g_strlcpy (record.checksum.file, files[checksum->in], NAME_SIZE);
  record.checksum.at = GUINT32_TO_LE (checksum->at);
  record.checksum.start = GUINT32_TO_LE (checksum->start);
  record.checksum.length = GUINT32_TO_LE (checksum->length);
  add_record (script, &record);
}

GByteArray *
vmm_acpi_loader (const VmmAcpi *self)
{
  GByteArray *script = g_byte_array_new ();

  add_allocate (script, VMM_ACPI_RSDP, 16, ZONE_FSEG);
  add_allocate (script, VMM_ACPI_TABLES, TABLES_ALIGN, ZONE_HIGH);
  for (guint i = 0; i < self->pointers->len; i++)
    add_pointer (script, &g_array_index (self->pointers, VmmAcpiPointer, i));
  for (guint i = 0; i < self->checksums->len; i++)
    add_checksum (script, &g_array_index (self->checksums, VmmAcpiChecksum, i));
  return script;
}
