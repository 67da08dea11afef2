/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-progress.h.
 */
#include "vmm-progress.h"

#include "vmm-error.h"

gboolean
vmm_progress_report (const VmmProgress *self, guint64 done, guint64 total, GError **error)
{
  if (!self || self->report (self->data, done, total))
    return TRUE;
  g_set_error_literal (error, VMM_ERROR, VMM_ERROR_CANCELLED, "It was cancelled.");
  return FALSE;
}
