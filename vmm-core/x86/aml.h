/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writing ACPI machine language: just the terms that our generated tables need (ACPI 6.5,
 * chapter 20). Apart because byte counts come before what they count: a block is written first and
 * wrapped after.
 *
 * Threads: any; one owner at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* All append to @to. A name is up to four characters, or an absolute path of them ("\\_SB_.PCI0").
 */
void vmm_aml_integer (GByteArray *to, guint64 value);
void vmm_aml_string (GByteArray *to, const char *text);
void vmm_aml_name_string (GByteArray *to, const char *path);
/* Name (@name, <an object that the caller appends next>) */
void vmm_aml_name (GByteArray *to, const char *name);
/* These wrap @content, which they leave as it is. */
void vmm_aml_scope (GByteArray *to, const char *path, const GByteArray *content);
void vmm_aml_device (GByteArray *to, const char *name, const GByteArray *content);
void vmm_aml_package (GByteArray *to, guint8 n_elements, const GByteArray *content);
void vmm_aml_buffer (GByteArray *to, const GByteArray *content);

/* Resource descriptors, for a buffer; vmm_aml_end_tag ends it. */
void vmm_aml_bus_numbers (GByteArray *to, guint16 first, guint16 last);
void vmm_aml_ports (GByteArray *to, guint16 port, guint8 length);
void vmm_aml_port_window (GByteArray *to, guint16 first, guint16 last);
void vmm_aml_memory_window (GByteArray *to, guint64 base, guint64 size);
void vmm_aml_memory_fixed (GByteArray *to, guint32 base, guint32 size);
void vmm_aml_end_tag (GByteArray *to);

G_END_DECLS
