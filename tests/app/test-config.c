/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdConfig: defaults that can be run, copies that are apart, and the check's limits
 * with the field that each sentence is about.
 */
#include "app-test.h"
#include "library/vd-config-private.h"

#include <string.h>

static void
test_defaults (void)
{
  g_autoptr (VdConfig) config = vd_config_new ();
  g_autoptr (VdConfig) other = vd_config_new ();
  g_autoptr (GError) error = NULL;

  vd_config_set_name (config, "x");
  vd_config_check (config, &error);
  g_assert_no_error (error);
  g_assert_null (vd_config_get_bad_field (config));
  g_assert_cmpstr (vd_config_get_uuid (config), !=, vd_config_get_uuid (other));
  g_assert_cmpuint (vd_config_get_memory (config), >=, 512u << 20);
}

static void
test_copy (void)
{
  g_autoptr (VdConfig) config = vd_config_new ();
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new ("/a", VD_DISK_QCOW2);
  g_autoptr (VdConfig) copy = NULL;
  g_autoptr (VdDiskConfig) copied = NULL;

  vd_config_set_name (config, "one");
  vd_config_add_disk (config, disk);
  copy = vd_config_copy (config);
  vd_config_set_name (copy, "two");
  g_object_set (disk, "path", "/b", NULL);
  g_assert_cmpstr (vd_config_get_name (config), ==, "one");
  copied = g_list_model_get_item (vd_config_get_disks (copy), 0);
  g_assert_cmpstr (vd_disk_config_get_path (copied), ==, "/a");
  g_assert_cmpint (vd_disk_config_get_format (copied), ==, VD_DISK_QCOW2);
}

static void
test_strings (void)
{
  static const struct {
    const char *property, *value;
    gboolean good;
  } cases[] = {
    { "name", "plain", TRUE },       { "name", "Ünïcödé 日本", TRUE },
    { "name", "", FALSE },           { "name", "  \t ", FALSE },
    { "name", "two\nlines", FALSE }, { "name", "bell\a", FALSE },
    { "name", "\xff", FALSE },       { "notes", "two\nlines", TRUE },
    { "notes", "\xc3", FALSE },      { "uuid", "nonsense", FALSE },
    { "append", "a\nb", FALSE },     { "append", "root=/dev/vda1 quiet", TRUE },
    { "initrd", "relative", FALSE }, { "initrd", "/absolute", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VdConfig) config = vd_config_new ();
    g_autoptr (GError) error = NULL;

    vd_config_set_name (config, "x");
    g_object_set (config, cases[i].property, cases[i].value, NULL);
    g_test_message ("%u", i);
    g_assert_cmpint (vd_config_check (config, &error), ==, cases[i].good);
    if (cases[i].good)
      continue;
    g_assert_error (error, VD_ERROR, VD_ERROR_INVALID);
    g_assert_cmpstr (vd_config_get_bad_field (config), ==, cases[i].property);
  }
}

static void
test_numbers (void)
{
  const guint64 mib = 1 << 20;
  const struct {
    const char *property;
    guint64 value;
    gboolean good;
  } cases[] = {
    { "memory", 16 * mib, TRUE },
    { "memory", 15 * mib, FALSE },
    { "memory", 16 * mib + 4096, FALSE },
    { "memory", 4 * mib * mib, TRUE },
    { "memory", 4 * mib * mib + mib, FALSE },
    { "memory", G_MAXUINT64, FALSE },
    { "new-disk-size", 0, TRUE },
    { "new-disk-size", mib, TRUE },
    { "new-disk-size", mib - 512, FALSE },
    { "new-disk-size", mib + 1, FALSE },
    { "new-disk-size", G_MAXUINT64 - 511, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VdConfig) config = vd_config_new ();

    vd_config_set_name (config, "x");
    g_object_set (config, cases[i].property, cases[i].value, NULL);
    g_test_message ("%u", i);
    g_assert_cmpint (vd_config_check (config, NULL), ==, cases[i].good);
  }
  for (guint cpus = 0; cpus < 40; cpus++) {
    g_autoptr (VdConfig) config = vd_config_new ();

    vd_config_set_name (config, "x");
    vd_config_set_cpus (config, cpus);
    g_assert_cmpint (vd_config_check (config, NULL), ==, cpus >= 1 && cpus <= 32);
  }
}

static void
test_disks (void)
{
  g_autoptr (VdConfig) config = vd_config_new ();
  g_autoptr (VdDiskConfig) relative = vd_disk_config_new ("disk", VD_DISK_RAW);
  g_autoptr (GError) error = NULL;

  vd_config_set_name (config, "x");
  for (guint i = 0; i < 24; i++) {
    g_autoptr (VdDiskConfig) disk = vd_disk_config_new ("/disk", VD_DISK_RAW);

    g_assert_true (vd_config_check (config, NULL));
    vd_config_add_disk (config, disk);
  }
  g_assert_true (vd_config_check (config, NULL));
  g_object_set (config, "new-disk-size", (guint64) 1 << 30, NULL);
  g_assert_false (vd_config_check (config, &error));
  g_assert_cmpstr (vd_config_get_bad_field (config), ==, "disks");
  g_object_set (config, "new-disk-size", (guint64) 0, NULL);
  vd_config_remove_disk (config, 0);
  vd_config_add_disk (config, relative);
  g_assert_false (vd_config_check (config, NULL));
}

static void
test_sample (void)
{
  g_autofree char *folder = app_test_make_folder ();
  g_autofree char *sample = g_build_filename (folder, "sample", NULL);
  g_autoptr (VdConfig) config = NULL;
  g_autoptr (GError) error = NULL;

  g_setenv ("VIRTDESK_DATA_DIR", folder, TRUE);
  g_assert_null (vd_config_new_sample (&error));
  g_assert_error (error, VD_ERROR, VD_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_mkdir_with_parents (sample, 0700);
  app_test_write (sample, "vmlinuz", "");
  app_test_write (sample, "initrd", "");
  config = vd_config_new_sample (&error);
  g_assert_no_error (error);
  g_assert_true (vd_config_check (config, NULL));
  g_assert_true (g_str_has_prefix (vd_config_get_kernel (config), folder));
  g_assert_true (vd_config_is_sample (config));
  g_object_set (config, "kernel", "/elsewhere/vmlinuz", NULL);
  g_assert_false (vd_config_is_sample (config));
  app_test_remove_folder (g_steal_pointer (&folder));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/defaults", test_defaults);
  g_test_add_func ("/config/copy", test_copy);
  g_test_add_func ("/config/strings", test_strings);
  g_test_add_func ("/config/numbers", test_numbers);
  g_test_add_func ("/config/disks", test_disks);
  g_test_add_func ("/config/sample", test_sample);
  return g_test_run ();
}
