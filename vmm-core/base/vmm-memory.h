/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmMemory: the guest's RAM. One memfd (sealed against shrinking, kept out of
 * core dumps), mapped once; split around the PCI hole below 4 GiB. Every access
 * to guest memory that a guest can steer goes through here and is checked.
 *
 * Threads: any, after vmm_memory_new. The regions never change while a machine
 * exists.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VmmMemory VmmMemory;

/* One run of RAM: guest-physical address, and where it lies in the memfd. */
typedef struct {
  guint64 address;
  guint64 size;
  guint64 fd_offset;
  guint8 *host;
} VmmMemoryRegion;

/* RAM below 4 GiB ends here; the rest continues at 4 GiB. (ECAM stands at this address.) */
#define VMM_MEMORY_LOW_END G_GUINT64_CONSTANT (0xb0000000)
#define VMM_MEMORY_HIGH    G_GUINT64_CONSTANT (0x100000000)

/**
 * @size in bytes, a multiple of 4 KiB, at least 1 MiB. Fails with VMM_ERROR_NO_MEMORY
 * in one sentence; allocates nothing up front (pages come as the guest touches them).
 */
VmmMemory *vmm_memory_new (guint64 size, GError **error);
/**
 * The same in huge pages that the host has set aside, a multiple of 2 MiB. All of them are promised
 * here, or it fails with the figures. They stay until the memory is freed: nothing of them is
 * discarded.
 */
VmmMemory *vmm_memory_new_huge (guint64 size, GError **error);
void vmm_memory_free (VmmMemory *self);

/**
 * Puts huge pages under the first @length bytes, where the host has some to spare: a guest that
 * boots touches most of them at once, and each small page would cost it an exit. It is for speed
 * only and fails silently.
 */
void vmm_memory_prepare (VmmMemory *self, guint64 length);

/**
 * Gives the whole pages of @length bytes at @start, which is what vmm_memory_at returned or behind
 * it, back to the host: they read as zeros from now on, and the host finds new ones when somebody
 * touches them. A page that is in the range only in part stays, and so does every other where the
 * range is not all RAM. The work grows with the pages that the host had there.
 */
void vmm_memory_discard (VmmMemory *self, gconstpointer start, gsize length);
/* The same for all of the guest's memory. */
void vmm_memory_discard_all (VmmMemory *self);
/* Bytes of the host that the guest's memory takes now: pages never touched, or given back, are not
 * among them. */
guint64 vmm_memory_get_used (VmmMemory *self);

guint64 vmm_memory_get_size (VmmMemory *self);
/* What the file can be mapped in. */
gsize vmm_memory_get_page_size (VmmMemory *self);
int vmm_memory_get_fd (VmmMemory *self); /* borrowed */
const VmmMemoryRegion *vmm_memory_get_regions (VmmMemory *self, guint *n_regions);

/**
 * The host address of @length bytes at guest-physical @address, or NULL when any of them is
 * not RAM (or the range wraps, or crosses the hole). @length may be 0.
 */
void *vmm_memory_at (VmmMemory *self, guint64 address, guint64 length);

gboolean vmm_memory_read (VmmMemory *self, guint64 address, void *to, gsize length);
gboolean vmm_memory_write (VmmMemory *self, guint64 address, const void *from, gsize length);

/* Offset of @address in the memfd, for udmabuf and vhost; FALSE where it is not all RAM. */
gboolean vmm_memory_fd_offset (VmmMemory *self, guint64 address, guint64 length, guint64 *offset);

/* Whether the host address @fault lies in guest RAM (used by the SIGBUS handler:
 * async-signal-safe). */
gboolean vmm_memory_owns (VmmMemory *self, const void *fault);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmMemory, vmm_memory_free)

G_END_DECLS
