/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A configuration in vmm-core's words, and what makes the local engine refuse one. The firmware is
 * the test's own: files in a data folder of its own.
 */
#include "app-test.h"
#include "local/vd-local-config.h"
#include "local/vd-local-engine.h"

#include <glib/gstdio.h>

static const char descriptor[] =
  "{ \"interface-types\": [ \"uefi\" ], \"mapping\": { \"device\": \"flash\","
  "  \"executable\": { \"filename\": \"%s/code\", \"format\": \"raw\" },"
  "  \"nvram-template\": { \"filename\": \"%s/variables\", \"format\": \"raw\" } },"
  "  \"targets\": [ { \"architecture\": \"x86_64\", \"machines\": [ \"pc-q35-*\" ] } ],"
  "  \"features\": [] }";

static void
install_bios (const char *folder)
{
  g_autofree char *bios = g_build_filename (folder, "seabios", NULL);

  g_assert_cmpint (g_mkdir_with_parents (bios, 0700), ==, 0);
  app_test_write (bios, "bios-256k.bin", "bios");
  app_test_write (bios, "vgabios-virtio.bin", "vga");
}

static void
install_uefi (const char *folder)
{
  g_autofree char *descriptors = g_build_filename (folder, "qemu", "firmware", NULL);
  g_autofree char *text = g_strdup_printf (descriptor, folder, folder);

  g_assert_cmpint (g_mkdir_with_parents (descriptors, 0700), ==, 0);
  app_test_write (folder, "code", "code");
  app_test_write (folder, "variables", "variables");
  app_test_write (descriptors, "00-first.json", text);
}

static VmmConfig *
convert (VdConfig *config)
{
  g_autoptr (GError) error = NULL;
  VmmConfig *core = vd_local_config_new (config, "/folder", &error);

  g_assert_no_error (error);
  g_assert_null (vd_local_config_find_obstacle (config));
  vmm_config_check (core, &error);
  g_assert_no_error (error);
  return core;
}

static VdDiskConfig *
add_disk (VdConfig *config, const char *path, VdDiskFormat format, const char *flag)
{
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new (path, format);

  if (flag != NULL)
    g_object_set (disk, flag, TRUE, NULL);
  vd_config_add_disk (config, disk);
  return disk; /* the configuration keeps it */
}

static VdConfig *
make_config (VdBoot boot)
{
  VdConfig *config = app_test_make_config ("A machine", VD_ENGINE_AUTO);

  g_object_set (config, "uuid", "01234567-89ab-4cde-8f01-23456789abcd", "boot", boot, "memory",
                (guint64) 768 << 20, "cpus", 2, NULL);
  return config;
}

static void
test_kernel (void)
{
  static const guint8 uuid[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x4c, 0xde,
                                   0x8f, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd };
  g_autoptr (VdConfig) config = make_config (VD_BOOT_KERNEL);
  g_autoptr (VmmConfig) core = NULL;

  g_object_set (config, "initrd", "/initrd", "append", "quiet", NULL);
  core = convert (config);
  g_assert_cmpstr (core->name, ==, "A machine");
  g_assert_cmpmem (core->uuid, sizeof core->uuid, uuid, sizeof uuid);
  g_assert_cmpuint (core->memory, ==, 768 << 20);
  g_assert_cmpuint (core->n_vcpus, ==, 2);
  g_assert_cmpstr (core->kernel, ==, "/kernel");
  g_assert_cmpstr (core->initrd, ==, "/initrd");
  g_assert_cmpstr (core->append, ==, "quiet");
  g_assert_null (core->firmware);
  g_assert_true (core->graphics);
  g_assert_true (core->balloon);
  g_assert_false (core->usb);
  g_assert_cmpuint (core->disks->len + core->cdroms->len + core->nics->len, ==, 0);
}

static void
test_bios (gconstpointer data)
{
  g_autofree char *bios = g_build_filename (data, "seabios", "bios-256k.bin", NULL);
  g_autoptr (VdConfig) config = make_config (VD_BOOT_BIOS);
  g_autoptr (VmmConfig) core = NULL;

  g_object_set (config, "network", TRUE, NULL);
  core = convert (config);
  g_assert_null (core->kernel);
  g_assert_cmpstr (core->firmware, ==, bios);
  g_assert_true (g_str_has_suffix (core->vga_bios, "vgabios-virtio.bin"));
  g_assert_null (core->nvram);
  g_assert_cmpstr (core->boot_order, ==, "cd");
  g_assert_true (core->usb);
  g_assert_cmpuint (core->nics->len, ==, 1);
  g_assert_cmpint (((VmmNicConfig *) core->nics->pdata[0])->mode, ==, VMM_NIC_USER);
}

static void
test_uefi (gconstpointer data)
{
  g_autofree char *code = g_build_filename (data, "code", NULL);
  g_autofree char *variables = g_build_filename (data, "variables", NULL);
  g_autoptr (VdConfig) config = make_config (VD_BOOT_UEFI);
  g_autoptr (VmmConfig) core = NULL;

  g_object_set (config, "graphics", FALSE, NULL);
  core = convert (config);
  g_assert_cmpstr (core->firmware, ==, code);
  g_assert_cmpstr (core->nvram_template, ==, variables);
  g_assert_cmpstr (core->nvram, ==, "/folder/uefi-variables.fd");
  g_assert_false (core->usb);
}

static void
test_disks (void)
{
  g_autoptr (VdConfig) config = make_config (VD_BOOT_BIOS);
  g_autoptr (VmmConfig) core = NULL;
  VmmDiskConfig *disk;

  add_disk (config, "/system.qcow2", VD_DISK_QCOW2, NULL);
  add_disk (config, "/install.iso", VD_DISK_RAW, "cdrom");
  add_disk (config, "/data.raw", VD_DISK_RAW, "readonly");
  add_disk (config, NULL, VD_DISK_RAW, "cdrom");
  g_object_set (add_disk (config, "/old.raw", VD_DISK_RAW, NULL), "bus", VD_DISK_SATA, NULL);
  core = convert (config);
  g_assert_cmpuint (core->disks->len, ==, 3);
  disk = core->disks->pdata[0];
  g_assert_cmpstr (disk->path, ==, "/system.qcow2");
  g_assert_cmpint (disk->format, ==, VMM_DISK_QCOW2);
  g_assert_cmpint (disk->bus, ==, VMM_DISK_VIRTIO);
  g_assert_true (disk->discard && !disk->readonly);
  disk = core->disks->pdata[1];
  g_assert_cmpint (disk->format, ==, VMM_DISK_RAW); /* a raw disk is never looked at again */
  g_assert_true (disk->readonly);
  disk = core->disks->pdata[2];
  g_assert_cmpint (disk->bus, ==, VMM_DISK_SATA);
  g_assert_cmpuint (core->cdroms->len, ==, 2);
  g_assert_cmpstr (((VmmCdromConfig *) core->cdroms->pdata[0])->path, ==, "/install.iso");
  g_assert_null (((VmmCdromConfig *) core->cdroms->pdata[1])->path);
}

/* Six drives have room; what has more is QEMU's, and the sentence says so. */
static void
test_too_many_drives (void)
{
  g_autoptr (VdConfig) config = make_config (VD_BOOT_BIOS);

  for (guint i = 0; i < 6; i++) {
    g_assert_null (vd_local_config_find_obstacle (config));
    add_disk (config, "/a.iso", VD_DISK_RAW, "cdrom");
  }
  g_assert_null (vd_local_config_find_obstacle (config));
  add_disk (config, "/a.iso", VD_DISK_RAW, "cdrom");
  g_assert_nonnull (strstr (vd_local_config_find_obstacle (config), "QEMU"));
}

/* What a person added for QEMU is not left out silently. */
static void
test_extra (void)
{
  g_autofree char *folder = app_test_make_folder ();
  g_autoptr (VdEngine) engine = vd_local_engine_new ();
  g_autoptr (VdConfig) config = make_config (VD_BOOT_BIOS);
  g_autoptr (GError) error = NULL;

  app_test_write (folder, "extra.xml", "<domain/>");
  g_assert_false (vd_engine_check (engine, config, folder, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "extra.xml"));
  app_test_remove_folder (g_steal_pointer (&folder));
}

/* Last, because it takes the firmware away. */
static void
test_no_firmware (gconstpointer data)
{
  static const VdBoot boots[] = { VD_BOOT_BIOS, VD_BOOT_UEFI };
  g_autofree char *bios = g_build_filename (data, "seabios", "bios-256k.bin", NULL);
  g_autofree char *code = g_build_filename (data, "code", NULL);

  g_assert_cmpint (g_unlink (bios), ==, 0);
  g_assert_cmpint (g_unlink (code), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (boots); i++) {
    g_autoptr (VdConfig) config = make_config (boots[i]);
    g_autoptr (GError) error = NULL;

    g_assert_nonnull (strstr (vd_local_config_find_obstacle (config), "install"));
    g_assert_null (vd_local_config_new (config, "/folder", &error));
    g_assert_error (error, VD_ERROR, VD_ERROR_UNSUPPORTED);
  }
}

int
main (int argc, char **argv)
{
  char *folder = app_test_make_folder ();
  int status;

  g_setenv ("XDG_DATA_DIRS", folder, TRUE);
  g_setenv ("XDG_CONFIG_HOME", folder, TRUE);
  install_bios (folder);
  install_uefi (folder);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/local-config/kernel", test_kernel);
  g_test_add_data_func ("/local-config/bios", folder, test_bios);
  g_test_add_data_func ("/local-config/uefi", folder, test_uefi);
  g_test_add_func ("/local-config/disks", test_disks);
  g_test_add_func ("/local-config/too-many-drives", test_too_many_drives);
  g_test_add_func ("/local-config/extra", test_extra);
  g_test_add_data_func ("/local-config/no-firmware", folder, test_no_firmware);
  status = g_test_run ();
  app_test_remove_folder (folder);
  return status;
}
