/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See aml.h.
 */
#include "x86/aml.h"

#include <string.h>

enum {
  AML_ZERO = 0x00,
  AML_ONE = 0x01,
  AML_NAME = 0x08,
  AML_BYTE = 0x0a,
  AML_WORD = 0x0b,
  AML_DWORD = 0x0c,
  AML_STRING = 0x0d,
  AML_QWORD = 0x0e,
  AML_SCOPE = 0x10,
  AML_BUFFER = 0x11,
  AML_PACKAGE = 0x12,
  AML_MULTI_NAME = 0x2f,
  AML_DUAL_NAME = 0x2e,
  AML_EXTENDED = 0x5b,
  AML_DEVICE = 0x82,
};

enum {
  RESOURCE_PORTS = 0x47,
  RESOURCE_END = 0x79,
  RESOURCE_MEMORY32_FIXED = 0x86,
  RESOURCE_WORD = 0x88,
  RESOURCE_QWORD = 0x8a,
};

/* Of an address space descriptor: minimum and maximum fixed, decoded positively. */
#define WINDOW_FLAGS    0x0c
#define MEMORY_FLAGS    0x01 /* read and write, not cacheable */
#define PORT_FLAGS      0x03 /* all of the range */
#define DECODES_16_BITS 1
#define SPACE_MEMORY    0
#define SPACE_PORTS     1
#define SPACE_BUSES     2
#define MAX_PARTS       8

static void
put (GByteArray *to, guint64 value, guint size)
{
  guint64 little_endian = GUINT64_TO_LE (value);

  g_byte_array_append (to, (const guint8 *) &little_endian, size);
}

static void
append (GByteArray *to, const GByteArray *content)
{
  if (content->len > 0)
    g_byte_array_append (to, content->data, content->len);
}

/* A length that counts itself: one byte up to 63, then four bits and one to three bytes. */
static void
put_length (GByteArray *to, guint content)
{
  guint more = content + 1 <= 0x3f ? 0 : content + 2 <= 0xfff ? 1 : content + 3 <= 0xfffff ? 2 : 3;
  guint length = content + 1 + more;

  if (more == 0) {
    put (to, length, 1);
    return;
  }
  put (to, more << 6 | (length & 0xf), 1);
  put (to, length >> 4, more);
}

void
vmm_aml_integer (GByteArray *to, guint64 value)
{
  if (value <= 1) {
    put (to, value ? AML_ONE : AML_ZERO, 1);
    return;
  }
  put (to,
       value <= G_MAXUINT8    ? AML_BYTE
       : value <= G_MAXUINT16 ? AML_WORD
       : value <= G_MAXUINT32 ? AML_DWORD
                              : AML_QWORD,
       1);
  put (to, value,
       value <= G_MAXUINT8    ? 1
       : value <= G_MAXUINT16 ? 2
       : value <= G_MAXUINT32 ? 4
                              : 8);
}

void
vmm_aml_string (GByteArray *to, const char *text)
{
  put (to, AML_STRING, 1);
  g_byte_array_append (to, (const guint8 *) text, strlen (text) + 1);
}

static void
put_segment (GByteArray *to, const char *segment, gsize length)
{
  char padded[4] = { '_', '_', '_', '_' };

  memcpy (padded, segment, MIN (length, sizeof padded));
  g_byte_array_append (to, (const guint8 *) padded, sizeof padded);
}

void
vmm_aml_name_string (GByteArray *to, const char *path)
{
  g_auto (GStrv) parts = NULL;
  guint n;

  if (*path == '\\') {
    put (to, '\\', 1);
    path++;
  }
  parts = g_strsplit (path, ".", MAX_PARTS);
  n = g_strv_length (parts);
  if (n == 2)
    put (to, AML_DUAL_NAME, 1);
  if (n > 2) {
    put (to, AML_MULTI_NAME, 1);
    put (to, n, 1);
  }
  for (guint i = 0; i < n; i++)
    put_segment (to, parts[i], strlen (parts[i]));
}

void
vmm_aml_name (GByteArray *to, const char *name)
{
  put (to, AML_NAME, 1);
  vmm_aml_name_string (to, name);
}

/* Length, name, content. */
static void
put_named_block (GByteArray *to, const char *name, const GByteArray *content)
{
  g_autoptr (GByteArray) block = g_byte_array_new ();

  vmm_aml_name_string (block, name);
  append (block, content);
  put_length (to, block->len);
  append (to, block);
}

void
vmm_aml_scope (GByteArray *to, const char *path, const GByteArray *content)
{
  put (to, AML_SCOPE, 1);
  put_named_block (to, path, content);
}

void
vmm_aml_device (GByteArray *to, const char *name, const GByteArray *content)
{
  put (to, AML_EXTENDED, 1);
  put (to, AML_DEVICE, 1);
  put_named_block (to, name, content);
}

void
vmm_aml_package (GByteArray *to, guint8 n_elements, const GByteArray *content)
{
  put (to, AML_PACKAGE, 1);
  put_length (to, 1 + content->len);
  put (to, n_elements, 1);
  append (to, content);
}

void
vmm_aml_buffer (GByteArray *to, const GByteArray *content)
{
  g_autoptr (GByteArray) size = g_byte_array_new ();

  vmm_aml_integer (size, content->len);
  put (to, AML_BUFFER, 1);
  put_length (to, size->len + content->len);
  append (to, size);
  append (to, content);
}

/* An address space descriptor with fields of @size bytes (ACPI 6.5, 6.4.3.5). */
static void
put_window (GByteArray *to, guint size, guint space, guint flags, guint64 first, guint64 last)
{
  put (to, size == 2 ? RESOURCE_WORD : RESOURCE_QWORD, 1);
  put (to, 3 + 5 * size, 2);
  put (to, space, 1);
  put (to, WINDOW_FLAGS, 1);
  put (to, flags, 1);
  put (to, 0, size); /* granularity */
  put (to, first, size);
  put (to, last, size);
  put (to, 0, size); /* translation */
  put (to, last - first + 1, size);
}

void
vmm_aml_bus_numbers (GByteArray *to, guint16 first, guint16 last)
{
  put_window (to, 2, SPACE_BUSES, 0, first, last);
}

void
vmm_aml_ports (GByteArray *to, guint16 port, guint8 length)
{
  put (to, RESOURCE_PORTS, 1);
  put (to, DECODES_16_BITS, 1);
  put (to, port, 2); /* lowest and highest base */
  put (to, port, 2);
  put (to, 1, 1); /* alignment */
  put (to, length, 1);
}

void
vmm_aml_port_window (GByteArray *to, guint16 first, guint16 last)
{
  put_window (to, 2, SPACE_PORTS, PORT_FLAGS, first, last);
}

void
vmm_aml_memory_window (GByteArray *to, guint64 base, guint64 size)
{
  put_window (to, 8, SPACE_MEMORY, MEMORY_FLAGS, base, base + size - 1);
}

void
vmm_aml_memory_fixed (GByteArray *to, guint32 base, guint32 size)
{
  put (to, RESOURCE_MEMORY32_FIXED, 1);
  put (to, 9, 2); /* bytes that follow */
  put (to, 1, 1); /* may be written */
  put (to, base, 4);
  put (to, size, 4);
}

void
vmm_aml_end_tag (GByteArray *to)
{
  put (to, RESOURCE_END, 1);
  put (to, 0, 1); /* no checksum */
}
