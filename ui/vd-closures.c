/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-closures.h"

#include <glib/gi18n.h>

char *
vd_format_memory (guint64 bytes)
{
  double gib = bytes / (double) (G_GUINT64_CONSTANT (1) << 30);

  if (bytes < G_GUINT64_CONSTANT (1) << 30)
    return g_strdup_printf (_("%u MiB"), (guint) (bytes >> 20));
  return g_strdup_printf (gib == (guint64) gib ? _("%.0f GiB") : _("%.1f GiB"), gib);
}

char *
vd_closure_hardware (gpointer object, guint cpus, guint64 memory)
{
  g_autofree char *size = vd_format_memory (memory);

  /* Translators: %s is the memory, such as "512 MiB" */
  return g_strdup_printf (ngettext ("%u processor, %s", "%u processors, %s", cpus), cpus, size);
}

GStrv
vd_closure_dot_classes (gpointer object, VdMachineState state)
{
  static const char *const names[] = {
    [VD_MACHINE_OFF] = "off",           [VD_MACHINE_STARTING] = "busy",
    [VD_MACHINE_RUNNING] = "running",   [VD_MACHINE_PAUSED] = "paused",
    [VD_MACHINE_STOPPING] = "busy",     [VD_MACHINE_CRASHED] = "problem",
    [VD_MACHINE_ELSEWHERE] = "running", [VD_MACHINE_BROKEN] = "problem",
  };

  return g_strdupv (
    (char *[]) { "dot", state < G_N_ELEMENTS (names) ? (char *) names[state] : NULL, NULL });
}

gboolean
vd_closure_is_not_null (gpointer object, GObject *value)
{
  return value != NULL;
}

gboolean
vd_closure_is_not_empty (gpointer object, const char *text)
{
  return text != NULL && *text != '\0';
}
