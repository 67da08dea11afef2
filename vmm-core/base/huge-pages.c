/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See huge-pages.h.
 *
 * Threads: any.
 */
#include "base/huge-pages.h"

#include "vmm-error.h"

static gboolean
read_number (const char *folder, const char *name, guint64 *number)
{
  g_autofree char *path = g_build_filename (folder, name, NULL), *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  *number = g_ascii_strtoull (text, NULL, 10);
  return TRUE;
}

gboolean
vmm_huge_pages_fail (const char *folder, guint64 size, GError **error)
{
  guint64 all, empty, promised, free, needed = size / VMM_HUGE_PAGE;

  if (!read_number (folder, "nr_hugepages", &all) ||
      !read_number (folder, "free_hugepages", &empty) ||
      !read_number (folder, "resv_hugepages", &promised)) {
    g_set_error_literal (error, VMM_ERROR, VMM_ERROR_NO_MEMORY,
                         "This computer's kernel has no huge pages of 2 MiB: start the machine "
                         "without them.");
    return FALSE;
  }
  free =
    empty > promised ? empty - promised : 0; /* what was promised is taken when it is touched */
  g_set_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY,
               "The machine needs %" G_GUINT64_FORMAT
               " huge pages of 2 MiB, but this computer has %" G_GUINT64_FORMAT
               " free: set some aside by “sysctl vm.nr_hugepages=%" G_GUINT64_FORMAT
               "”, or start the machine without them.",
               needed, free, all + needed - MIN (free, needed));
  return FALSE;
}
