/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the loaders share.
 */
#pragma once

#include "x86/boot.h"
#include "x86/layout.h"

G_BEGIN_DECLS

#define VMM_BOOT_HEAD 8192 /* a multiboot header lies within so many bytes */

/* The file's first bytes, zero beyond its end. */
typedef struct {
  guint8 bytes[VMM_BOOT_HEAD];
  gsize length;
} VmmBootHead;

/* A kernel that was put into memory segment by segment. */
typedef struct {
  guint64 entry;
  guint64 pvh_entry; /* 0: none */
  guint64 end;       /* of what was loaded */
} VmmElfImage;

/* VMM_ERROR_KERNEL: "KERNEL: WHY". Always FALSE. */
gboolean vmm_boot_fail (const VmmFile *file, GError **error, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

/* The command line, with its end, at VMM_BOOT_CMDLINE; at most @most bytes without the end. */
gboolean vmm_boot_put_cmdline (const VmmBootConfig *config, guint64 most, GError **error);
/* The initrd at the top of low memory, above @above and ending at or below @limit (inclusive last
 * byte). @address and @size are 0 where there is none. */
gboolean vmm_boot_put_initrd (const VmmBootConfig *config,
                              guint64 above,
                              guint64 limit,
                              guint64 *address,
                              guint64 *size,
                              GError **error);
gboolean vmm_boot_put_gdt (const VmmBootConfig *config, VmmEntry *entry);

/* boot-elf.c */
gboolean vmm_elf_is (const VmmBootHead *head);
gboolean vmm_elf_load (const VmmBootConfig *config, VmmElfImage *image, GError **error);

/* One loader a file; is: whether the head looks like its kind. */
gboolean vmm_linux_is (const VmmBootHead *head);
gboolean vmm_linux_load (const VmmBootConfig *config, VmmEntry *entry, GError **error);
gboolean vmm_pvh_start (const VmmBootConfig *config,
                        const VmmElfImage *image,
                        VmmEntry *entry,
                        GError **error);
gboolean vmm_multiboot_find (const VmmBootHead *head, guint *offset);
/* @image is NULL where the file is no ELF file: then the header at @offset says where to load. */
gboolean vmm_multiboot_load (const VmmBootConfig *config,
                             const VmmBootHead *head,
                             guint offset,
                             const VmmElfImage *image,
                             VmmEntry *entry,
                             GError **error);

G_END_DECLS
