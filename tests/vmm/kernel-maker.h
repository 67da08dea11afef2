/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Small kernels made to measure, for tests of the loaders: right in every field that a loader
 * looks at, so that a test can make one field wrong at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sizes and addresses that the tests compare with. */
#define KERNEL_SETUP_SECTS 2
#define KERNEL_CODE_SIZE   4096
#define KERNEL_INIT_SIZE   (2 << 20)
#define KERNEL_PREFERRED   (4 << 20)
#define KERNEL_ENTRY       0x200100
#define KERNEL_PVH_ENTRY   0x200040
#define KERNEL_SEGMENT     0x200000
#define KERNEL_BSS         8192 /* beyond the code */

/* The code of all of them is the byte i % 251 at offset i. */
GByteArray *kernel_make_linux (guint16 version, gboolean long_mode);
GByteArray *kernel_make_elf64 (gboolean with_pvh);
GByteArray *kernel_make_multiboot_elf32 (void);
GByteArray *kernel_make_multiboot_flat (void);

/* Writes @bytes at @offset. */
void kernel_poke (GByteArray *file, gsize offset, guint64 value, guint size);

G_END_DECLS
