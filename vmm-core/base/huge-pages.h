/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Huge pages that a host has set aside (hugetlb), as figures and as a sentence where they are too
 * few.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VMM_HUGE_PAGE        (G_GUINT64_CONSTANT (2) << 20)
#define VMM_HUGE_PAGE_FOLDER "/sys/kernel/mm/hugepages/hugepages-2048kB"

/* Why there are none for @size bytes: how many are needed and free, and how to have more. @folder
 * is where the kernel tells. Returns FALSE. */
gboolean vmm_huge_pages_fail (const char *folder, guint64 size, GError **error);

G_END_DECLS
