/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * machine.ini: what is written is read back, what is not known survives, what makes
 * no sense is refused with one sentence and never written over.
 */
#include "app-test.h"
#include "library/vd-config-file.h"
#include "library/vd-config-private.h"

#include <string.h>
#include <sys/stat.h>

#define UUID "11111111-2222-4333-8444-555555555555"

static const char good[] = "[virtdesk]\n"
                           "version=1\n"
                           "[machine]\n"
                           "uuid=" UUID "\n"
                           "name=Ä machine\n"
                           "memory=536870912\n"
                           "cpus=2\n";

static VdConfig *
parse (const char *text, gboolean *newer, GError **error)
{
  return vd_config_parse (text, strlen (text), "/folder", newer, error);
}

/* Every property that is stored, with a value that is not its default. */
static VdConfig *
make_full (void)
{
  VdConfig *config = g_object_new (
    VD_TYPE_CONFIG, "uuid", UUID, "name", "Näme; with = signs [and] #more", "notes",
    "one\n\ttwo  \n", "os", "http://debian.org/debian/13", "engine", VD_ENGINE_LIBVIRT, "boot",
    VD_BOOT_KERNEL, "kernel", "/k e/r\\nel", "initrd", "/initrd", "append", " quiet  a=\"b\" ",
    "memory", G_GUINT64_CONSTANT (6442450944), "cpus", 7, "graphics", FALSE, "network", FALSE,
    NULL);
  g_autoptr (VdDiskConfig) own = vd_disk_config_new ("/folder/disk.raw", VD_DISK_RAW);
  g_autoptr (VdDiskConfig) other = vd_disk_config_new ("/elsewhere/ü.qcow2", VD_DISK_QCOW2);
  g_autoptr (VdDiskConfig) empty = vd_disk_config_new (NULL, VD_DISK_RAW);

  g_object_set (own, "owned", TRUE, "bus", VD_DISK_SATA, NULL);
  g_object_set (empty, "cdrom", TRUE, NULL);
  g_object_set (other, "readonly", TRUE, "cdrom", TRUE, NULL);
  vd_config_add_disk (config, own);
  vd_config_add_disk (config, other);
  vd_config_add_disk (config, empty);
  return config;
}

static void
assert_same (gpointer a, gpointer b, gboolean is_default_for)
{
  guint n;
  g_autofree GParamSpec **pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (a), &n);

  for (guint i = 0; i < n; i++) {
    g_auto (GValue) first = G_VALUE_INIT, second = G_VALUE_INIT;
    const char *name = pspecs[i]->name;

    if (g_str_equal (name, "disks") || g_str_equal (name, "group") ||
        g_str_equal (name, "new-disk-size"))
      continue;
    g_object_get_property (a, name, &first);
    g_object_get_property (b, name, &second);
    g_test_message ("%s", name);
    g_assert_cmpint (g_param_values_cmp (pspecs[i], &first, &second), ==, 0);
    if (is_default_for)
      g_assert_false (g_param_value_defaults (pspecs[i], &first));
  }
}

static void
test_round_trip (void)
{
  g_autoptr (VdConfig) config = make_full ();
  g_autoptr (VdConfig) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize length;
  gboolean newer;

  text = vd_config_unparse (config, "/folder", NULL, 0, &length, &error);
  g_assert_no_error (error);
  again = vd_config_parse (text, length, "/folder", &newer, &error);
  g_assert_no_error (error);
  g_assert_false (newer);
  /* Each property had another value than its default, so none can have been forgotten. */
  assert_same (config, again, TRUE);
  g_assert_cmpuint (g_list_model_get_n_items (vd_config_get_disks (again)), ==, 3);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (VdDiskConfig) a = g_list_model_get_item (vd_config_get_disks (config), i);
    g_autoptr (VdDiskConfig) b = g_list_model_get_item (vd_config_get_disks (again), i);

    assert_same (a, b, FALSE);
  }
  /* An own disk moves with its folder. */
  g_assert_nonnull (strstr (text, "path=disk.raw\n"));
}

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  gboolean newer;
  g_autoptr (VdConfig) config = parse (good, &newer, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (vd_config_get_name (config), ==, "Ä machine");
  g_assert_cmpint (vd_config_get_engine (config), ==, VD_ENGINE_AUTO);
  g_assert_true (vd_config_get_graphics (config));
  g_assert_cmpuint (vd_config_get_cpus (config), ==, 2);
}

static void
test_unknown_survives (void)
{
  const char *old = "# from the start\n"
                    "[virtdesk]\nversion=1\nwritten-by=somebody\n"
                    "[machine]\nuuid=" UUID "\nname=Old\nmemory=536870912\n"
                    "# a thought of mine\nfuture=yes; perhaps\n"
                    "[disk0]\npath=/a\nformat=raw\nspeed=full\n"
                    "[disk1]\npath=/b\nformat=qcow2\nspeed=half\n"
                    "[somebody-elses]\nthing=1\n";
  g_autoptr (GError) error = NULL;
  gboolean newer;
  g_autoptr (VdConfig) config = parse (old, &newer, &error);
  g_autofree char *text = NULL;
  gsize length;

  g_assert_no_error (error);
  vd_config_set_name (config, "New");
  vd_config_remove_disk (config, 0);
  text = vd_config_unparse (config, "/folder", old, strlen (old), &length, &error);
  g_assert_no_error (error);

  g_assert_nonnull (strstr (text, "name=New"));
  g_assert_null (strstr (text, "name=Old"));
  g_assert_nonnull (strstr (text, "# from the start"));
  g_assert_nonnull (strstr (text, "# a thought of mine"));
  g_assert_nonnull (strstr (text, "written-by=somebody"));
  g_assert_nonnull (strstr (text, "future=yes; perhaps"));
  g_assert_nonnull (strstr (text, "[somebody-elses]"));
  /* A disk's unknown keys stay with it and go with it. */
  g_assert_nonnull (strstr (text, "speed=half"));
  g_assert_null (strstr (text, "speed=full"));
}

static void
test_newer (void)
{
  const char *readable =
    "[virtdesk]\nversion=2\n[machine]\nuuid=" UUID "\nname=Later\nmemory=536870912\n";
  const char *unreadable =
    "[virtdesk]\nversion=9\n[machine]\nuuid=" UUID "\nname=Later\nmemory=lots\n";
  g_autoptr (GError) error = NULL;
  gboolean newer;
  g_autoptr (VdConfig) config = parse (readable, &newer, &error);
  gsize length;

  g_assert_no_error (error);
  g_assert_true (newer);
  g_assert_null (
    vd_config_unparse (config, "/folder", readable, strlen (readable), &length, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_READ_ONLY);
  g_clear_error (&error);

  g_assert_null (parse (unreadable, &newer, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_BROKEN);
  g_assert_true (newer);
}

#define MACHINE "[virtdesk]\nversion=1\n[machine]\nuuid=" UUID "\nname=x\nmemory=536870912\n"

static const char *const broken[] = {
  "",
  "\n\n\n",
  "no group\n",
  "[machine]\nname=x\n",
  "[virtdesk]\nversion=one\n",
  "[virtdesk]\nversion=0\n[machine]\nuuid=" UUID "\nname=x\nmemory=536870912\n",
  "[virtdesk]\nversion=-1\n",
  "[virtdesk]\nversion=1\n",
  "[virtdesk]\nversion=1\n[machine]\nuuid=" UUID "\nname=x\n",
  "[virtdesk]\nversion=1\n[machine]\nuuid=nonsense\nname=x\nmemory=536870912\n",
  "[virtdesk]\nversion=1\n[machine]\nuuid=" UUID "\nname=\xff\xfe\nmemory=536870912\n",
  "[virtdesk]\nversion=1\n[machine]\nuuid=" UUID "\nname=a\\nb\nmemory=536870912\n",
  MACHINE "memory=1\n",
  MACHINE "memory=99999999999999999999999\n",
  MACHINE "memory=-536870912\n",
  MACHINE "cpus=0\n",
  MACHINE "cpus=4294967297\n",
  MACHINE "graphics=maybe\n",
  MACHINE "graphics=\n",
  MACHINE "engine=steam\n",
  MACHINE "boot=kernel\n",
  MACHINE "boot=kernel\nkernel=relative\n",
  MACHINE "[disk0]\nformat=raw\n",
  MACHINE "[disk0]\npath=/a\n",
  MACHINE "[disk0]\npath=/a\nformat=vmdk\n",
  MACHINE "[disk0]\npath=/a\nformat=raw\nbus=ide\n",
  MACHINE "[disk0]\npath=/a\nformat=raw\nbus=sata\nreadonly=true\n",
  MACHINE "[disk0]\npath=../../etc/passwd\nformat=raw\n",
  MACHINE "[disk0]\npath=..\nformat=raw\n",
  MACHINE "[disk0]\npath=sub/disk\nformat=raw\n",
  MACHINE "[disk0]\npath=\nformat=raw\n",
};

static void
test_broken (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autoptr (GError) error = NULL;
    gboolean newer;

    g_test_message ("%u", i);
    g_assert_null (parse (broken[i], &newer, &error));
    g_assert_error (error, VD_ERROR, VD_ERROR_BROKEN);
    g_assert_cmpuint (strlen (error->message), >, 10);
  }
}

static void
test_too_much (void)
{
  g_autoptr (GString) text = g_string_new (good);
  g_autoptr (GError) error = NULL;
  gboolean newer;

  for (guint i = 0; i < 300; i++)
    g_string_append_printf (text, "[disk%u]\npath=/a\nformat=raw\n", i);
  g_assert_null (parse (text->str, &newer, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_BROKEN);
  g_clear_error (&error);

  g_string_assign (text, good);
  while (text->len <= VD_MAX_CONFIG_FILE)
    g_string_append (text, "# a line that says nothing at all\n");
  g_assert_null (parse (text->str, &newer, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_BROKEN);
  g_clear_error (&error);

  /* A NUL hides what is behind it. */
  g_assert_null (vd_config_parse (good, sizeof good, "/folder", &newer, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_BROKEN);
}

static void
test_files (void)
{
  g_autofree char *folder = app_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, VD_CONFIG_FILE, NULL);
  g_autoptr (VdConfig) config = make_full ();
  g_autoptr (VdConfig) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GDir) dir = NULL;
  struct stat info;
  gboolean newer;

  vd_config_save (config, folder, &error);
  g_assert_no_error (error);
  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 0777, ==, 0600);
  again = vd_config_load (folder, UUID, &newer, &error);
  g_assert_no_error (error);
  g_assert_null (vd_config_load (folder, "11111111-2222-4333-8444-555555555556", &newer, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_BROKEN);
  g_clear_error (&error);

  /* What cannot be read is never written over. */
  app_test_write (folder, VD_CONFIG_FILE, "junk");
  g_assert_false (vd_config_save (config, folder, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_BROKEN);
  text = app_test_read (folder, VD_CONFIG_FILE);
  g_assert_cmpstr (text, ==, "junk");

  /* And nothing is left beside it. */
  dir = g_dir_open (folder, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, VD_CONFIG_FILE);
  g_assert_null (g_dir_read_name (dir));
  app_test_remove_folder (g_steal_pointer (&folder));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/machine-ini/round-trip", test_round_trip);
  g_test_add_func ("/machine-ini/defaults", test_defaults);
  g_test_add_func ("/machine-ini/unknown-survives", test_unknown_survives);
  g_test_add_func ("/machine-ini/newer", test_newer);
  g_test_add_func ("/machine-ini/broken", test_broken);
  g_test_add_func ("/machine-ini/too-much", test_too_much);
  g_test_add_func ("/machine-ini/files", test_files);
  return g_test_run ();
}
