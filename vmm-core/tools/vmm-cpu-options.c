/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-cpu-options.h.
 *
 * Threads: any.
 */
#include "tools/vmm-cpu-options.h"

#include "vmm-error.h"

gboolean
vmm_cpu_options_parse_model (VmmConfig *config, const char *word, GError **error)
{
  if (vmm_cpu_model_find (word, &config->cpu_model))
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "--cpu is host, x86-64-v2, x86-64-v3 or x86-64-v4, not “%s”.", word);
  return FALSE;
}
