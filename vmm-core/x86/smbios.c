/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A structure is its numbers, then its texts, each ended by a zero, and one more zero.
 *
 * Threads: any.
 */
#include "x86/smbios.h"

#include <string.h>

#define MAKER   "VirtDesk"
#define PRODUCT "VirtDesk PC"
#define RELEASE "1"

enum {
  TYPE_SYSTEM = 1,
  TYPE_CHASSIS = 3,
  TYPE_PROCESSOR = 4,
  TYPE_MEMORY_ARRAY = 16,
  TYPE_MEMORY_DEVICE = 17,
  TYPE_MEMORY_MAP = 19,
  TYPE_BOOT = 32,
  TYPE_END = 127,
};

#define HANDLE(type, n) ((type) << 8 | (n))

typedef struct __attribute__ ((packed)) {
  guint8 type, length;
  guint16 handle;
} Header;

typedef struct __attribute__ ((packed)) {
  Header header;
  guint8 manufacturer, product, version, serial;
  guint8 uuid[16];
  guint8 wake_up, sku, family;
} System;

typedef struct __attribute__ ((packed)) {
  Header header;
  guint8 manufacturer, type, version, serial, asset;
  guint8 boot_up, power, thermal, security;
  guint32 oem;
  guint8 height, n_cords, n_elements, element_length, sku;
} Chassis;

typedef struct __attribute__ ((packed)) {
  Header header;
  guint8 socket, type, family, manufacturer;
  guint64 id;
  guint8 version, voltage;
  guint16 clock, max_speed, speed;
  guint8 status, upgrade;
  guint16 l1, l2, l3;
  guint8 serial, asset, part, n_cores, n_enabled, n_threads;
  guint16 characteristics, family2;
} Processor;

typedef struct __attribute__ ((packed)) {
  Header header;
  guint8 location, use, correction;
  guint32 capacity;
  guint16 error, n_devices;
  guint64 extended_capacity;
} MemoryArray;

typedef struct __attribute__ ((packed)) {
  Header header;
  guint16 array, error, total_width, data_width, size;
  guint8 form, set, locator, bank, type;
  guint16 detail, speed;
  guint8 manufacturer, serial, asset, part, attributes;
  guint32 extended_size;
  guint16 clock, min_voltage, max_voltage, voltage;
} MemoryDevice;

typedef struct __attribute__ ((packed)) {
  Header header;
  guint32 start, end;
  guint16 array;
  guint8 width;
  guint64 extended_start, extended_end;
} MemoryMap;

typedef struct __attribute__ ((packed)) {
  Header header;
  guint8 reserved[6], status;
} Boot;

/* The 64-bit entry point (5.2.2). */
typedef struct __attribute__ ((packed)) {
  char anchor[5];
  guint8 checksum, length, major, minor, revision, entry_revision, reserved;
  guint32 max_size;
  guint64 address;
} Anchor;

G_STATIC_ASSERT (sizeof (System) == 27 && sizeof (Chassis) == 22 && sizeof (Processor) == 42);
G_STATIC_ASSERT (sizeof (MemoryArray) == 23 && sizeof (MemoryDevice) == 40);
G_STATIC_ASSERT (sizeof (MemoryMap) == 31 && sizeof (Anchor) == 24);

#define UNKNOWN           2
#define OTHER             1
#define CHASSIS_OTHER     1
#define SAFE              3
#define PROCESSOR_CENTRAL 3
#define PROCESSOR_ENABLED 0x41 /* there, and enabled */
#define NO_CACHE          0xffff
#define LOCATION_OTHER    1
#define USE_SYSTEM        3
#define CORRECTION_NONE   3
#define CAPACITY_EXTENDED 0x80000000u
#define SIZE_EXTENDED     0x7fff
#define FORM_DIMM         9
#define TYPE_RAM          7
#define NO_ERROR_HANDLE   0xfffe

/* @n: which one of its type. @texts: separated by zeros as they are in the structure, NULL for
 * none. */
static void
put (GByteArray *to,
     gpointer structure,
     guint8 type,
     guint n,
     gsize length,
     const char *const *texts)
{
  Header *header = structure;

  header->type = type;
  header->length = length;
  header->handle = GUINT16_TO_LE (HANDLE (type, n));
  g_byte_array_append (to, structure, length);
  for (guint i = 0; texts && texts[i]; i++)
    g_byte_array_append (to, (const guint8 *) texts[i], strlen (texts[i]) + 1);
  g_byte_array_append (to, (const guint8 *) "\0", texts && texts[0] ? 1 : 2);
}

/* The first three fields of a UUID are little-endian here (7.2.1). */
static void
put_uuid (guint8 *to, const guint8 *uuid)
{
  static const guint8 order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

  for (guint i = 0; i < sizeof order; i++)
    to[i] = uuid[order[i]];
}

static void
put_board (GByteArray *to, const VmmSmbiosConfig *config)
{
  static const char *const system_texts[] = { MAKER, PRODUCT, RELEASE, NULL };
  static const char *const chassis_texts[] = { MAKER, NULL };
  System system = { .manufacturer = 1, .product = 2, .version = 3, .wake_up = UNKNOWN };
  Chassis chassis = { .manufacturer = 1,
                      .type = CHASSIS_OTHER,
                      .boot_up = SAFE,
                      .power = SAFE,
                      .thermal = SAFE,
                      .security = UNKNOWN };

  put_uuid (system.uuid, config->uuid);
  put (to, &system, TYPE_SYSTEM, 0, sizeof system, system_texts);
  put (to, &chassis, TYPE_CHASSIS, 0, sizeof chassis, chassis_texts);
}

static void
put_processor (GByteArray *to, guint socket, VmmCpuTopology topology)
{
  g_autofree char *name = g_strdup_printf ("CPU %u", socket);
  const char *const texts[] = { name, MAKER, NULL };
  Processor processor = { .socket = 1,
                          .type = PROCESSOR_CENTRAL,
                          .family = OTHER,
                          .manufacturer = 2,
                          .status = PROCESSOR_ENABLED,
                          .upgrade = OTHER,
                          .l1 = NO_CACHE,
                          .l2 = NO_CACHE,
                          .l3 = NO_CACHE,
                          .n_cores = topology.cores,
                          .n_enabled = topology.cores,
                          .n_threads = topology.cores * topology.threads,
                          .family2 = OTHER };

  put (to, &processor, TYPE_PROCESSOR, socket, sizeof processor, texts);
}

static void
put_memory (GByteArray *to, const VmmSmbiosConfig *config)
{
  static const char *const texts[] = { "DIMM 0", NULL };
  MemoryArray array = { .location = LOCATION_OTHER,
                        .use = USE_SYSTEM,
                        .correction = CORRECTION_NONE,
                        .capacity = GUINT32_TO_LE (CAPACITY_EXTENDED),
                        .error = GUINT16_TO_LE (NO_ERROR_HANDLE),
                        .n_devices = GUINT16_TO_LE (1),
                        .extended_capacity = GUINT64_TO_LE (config->memory) };
  MemoryDevice device = { .array = GUINT16_TO_LE (HANDLE (TYPE_MEMORY_ARRAY, 0)),
                          .error = GUINT16_TO_LE (NO_ERROR_HANDLE),
                          .total_width = G_MAXUINT16,
                          .data_width = G_MAXUINT16,
                          .size = GUINT16_TO_LE (SIZE_EXTENDED),
                          .form = FORM_DIMM,
                          .locator = 1,
                          .type = TYPE_RAM,
                          .detail = GUINT16_TO_LE (1u << OTHER),
                          .extended_size = GUINT32_TO_LE (config->memory >> 20) };
  MemoryMap map = { .start = G_MAXUINT32,
                    .end = G_MAXUINT32,
                    .array = GUINT16_TO_LE (HANDLE (TYPE_MEMORY_ARRAY, 0)),
                    .width = 1,
                    .extended_end = GUINT64_TO_LE (config->memory - 1) };

  put (to, &array, TYPE_MEMORY_ARRAY, 0, sizeof array, NULL);
  put (to, &device, TYPE_MEMORY_DEVICE, 0, sizeof device, texts);
  put (to, &map, TYPE_MEMORY_MAP, 0, sizeof map, NULL);
}

GByteArray *
vmm_smbios_tables (const VmmSmbiosConfig *config)
{
  GByteArray *tables = g_byte_array_new ();
  Boot boot = { .status = 0 };
  Header end;

  put_board (tables, config);
  for (guint i = 0; i < config->topology.sockets; i++)
    put_processor (tables, i, config->topology);
  put_memory (tables, config);
  put (tables, &boot, TYPE_BOOT, 0, sizeof boot, NULL);
  put (tables, &end, TYPE_END, 0, sizeof end, NULL);
  return tables;
}

GByteArray *
vmm_smbios_anchor (const GByteArray *tables, guint64 address)
{
  GByteArray *bytes = g_byte_array_new ();
  Anchor anchor = { .anchor = { '_', 'S', 'M', '3', '_' },
                    .length = sizeof anchor,
                    .major = 3,
                    .entry_revision = 1,
                    .max_size = GUINT32_TO_LE (tables->len),
                    .address = GUINT64_TO_LE (address) };

  for (gsize i = 0; i < sizeof anchor; i++)
    anchor.checksum -= ((const guint8 *) &anchor)[i] * (i != G_STRUCT_OFFSET (Anchor, checksum));
  return g_byte_array_append (bytes, (const guint8 *) &anchor, sizeof anchor);
}
