/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmNvram: the file behind a flash: its contents in memory, and saved as a whole (write, fsync,
 * rename), so that a power cut leaves the old variables or the new ones and never a mixture. Apart
 * from the chip, because saving takes time that a vCPU and the loop do not have.
 *
 * Threads: new and free on the control thread; _changed with the chip's lock held, on any thread;
 * _save on the control thread without it.
 */
#pragma once

#include <glib.h>

#include "base/vmm-loop.h"

G_BEGIN_DECLS

typedef struct _VmmNvram VmmNvram;

#define VMM_NVRAM_MAX_SIZE (8u << 20)

/* Opens @path, or makes it with the contents of @template where there is none. Fails with
 * VMM_ERROR_IO, or VMM_ERROR_DISK_BUSY where another machine uses it. */
VmmNvram *vmm_nvram_new (const char *path, const char *template, VmmLoop *loop, GError **error);
void vmm_nvram_free (VmmNvram *self); /* saves */

gsize vmm_nvram_get_size (VmmNvram *self); /* whole pages */
guint8 *vmm_nvram_get_bytes (VmmNvram *self);

/* The bytes were changed: they are saved a moment later. */
void vmm_nvram_changed (VmmNvram *self);
/* Now, and returns when it is done. */
void vmm_nvram_save (VmmNvram *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmNvram, vmm_nvram_free)

G_END_DECLS
