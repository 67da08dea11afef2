/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * machine.ini: what is read makes sense, and written anew reads back the same.
 */
#include "library/vd-config-file.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gboolean newer, newer_again;
  g_autoptr (VdConfig) config =
    vd_config_parse ((const char *) data, size, "/folder", &newer, NULL);
  g_autoptr (VdConfig) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize length;

  if (config == NULL)
    return 0;
  g_assert_true (vd_config_check (config, NULL));
  text = vd_config_unparse (config, "/folder", (const char *) data, size, &length, &error);
  g_assert_cmpint (newer, ==, error != NULL);
  if (newer || length > VD_MAX_CONFIG_FILE)
    return 0;
  again = vd_config_parse (text, length, "/folder", &newer_again, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vd_config_get_name (config), ==, vd_config_get_name (again));
  g_assert_cmpstr (vd_config_get_kernel (config), ==, vd_config_get_kernel (again));
  g_assert_cmpuint (vd_config_get_memory (config), ==, vd_config_get_memory (again));
  g_assert_cmpuint (g_list_model_get_n_items (vd_config_get_disks (config)), ==,
                    g_list_model_get_n_items (vd_config_get_disks (again)));
  return 0;
}
