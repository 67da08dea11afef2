/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-cpu-options.h.
 *
 * Threads: any.
 */
#include "tools/vmm-cpu-options.h"

#include "tools/vmm-option-list.h"
#include "vmm-error.h"

static gboolean
parse_number (const char *word, guint *number, GError **error)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (word, 10, 1, VMM_MAX_VCPUS, &value, NULL)) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
                 "A machine has 1 to %u processors: --cpus cannot take “%s”.", VMM_MAX_VCPUS, word);
    return FALSE;
  }
  *number = value;
  return TRUE;
}

/* @number stays where the key is not there. */
static gboolean
take_number (VmmOptionList *list, const char *key, guint *number, GError **error)
{
  const char *word = vmm_option_list_take (list, key);

  return !word || parse_number (word, number, error);
}

gboolean
vmm_cpu_options_parse_count (VmmConfig *config, const char *word, GError **error)
{
  g_autoptr (VmmOptionList) list = vmm_option_list_parse ("--cpus", word, error);
  VmmCpuTopology *topology = &config->cpu.topology;

  return list && parse_number (vmm_option_list_get_value (list), &config->n_vcpus, error) &&
         take_number (list, "sockets", &topology->sockets, error) &&
         take_number (list, "cores", &topology->cores, error) &&
         take_number (list, "threads", &topology->threads, error) &&
         vmm_option_list_finish (list, error);
}

gboolean
vmm_cpu_options_parse_model (VmmConfig *config, const char *word, GError **error)
{
  if (vmm_cpu_model_find (word, &config->cpu.model))
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "--cpu is host, x86-64-v2, x86-64-v3 or x86-64-v4, not “%s”.", word);
  return FALSE;
}
