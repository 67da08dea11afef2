/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-run-balloon.h.
 */
#include "tools/vmm-run-balloon.h"

#define MIB_SHIFT 20
#define NS        1e9 /* in a second */

static void
append_age (GString *text, gint64 age_ns)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  if (age_ns < 0)
    g_string_append (text, "null");
  else
    g_string_append (text, g_ascii_formatd (number, sizeof number, "%.3f", age_ns / NS));
}

static void
append_statistics (GString *text, const guint64 *stats)
{
  const char *comma = "";

  for (guint i = 0; i < VMM_BALLOON_N_STATS; i++) {
    if (stats[i] == VMM_BALLOON_UNKNOWN)
      continue;
    g_string_append_printf (text, "%s\"%s\": %" G_GUINT64_FORMAT, comma, vmm_balloon_stat_name (i),
                            stats[i]);
    comma = ", ";
  }
}

char *
vmm_run_balloon (VmmMachine *machine, const VmmCommand *command, GError **error)
{
  VmmBalloon balloon;
  GString *text;

  if (command->size > 0 && !vmm_machine_set_balloon (machine, command->size, error))
    return NULL;
  if (!vmm_machine_get_balloon (machine, &balloon, error))
    return NULL;
  text = g_string_new (NULL);
  g_string_append_printf (text,
                          "{\"target\": %" G_GUINT64_FORMAT ", \"actual\": %" G_GUINT64_FORMAT
                          ", \"driver\": %s, \"age\": ",
                          balloon.target >> MIB_SHIFT, balloon.actual >> MIB_SHIFT,
                          balloon.listens ? "true" : "false");
  append_age (text, balloon.age_ns);
  g_string_append (text, ", \"statistics\": {");
  append_statistics (text, balloon.stats);
  g_string_append (text, "}}");
  return g_string_free_and_steal (text);
}
