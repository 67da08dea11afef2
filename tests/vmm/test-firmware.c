/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which firmware is found: by descriptors as distributions write them, and by broken ones.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "vmm-error.h"
#include "vmm-firmware.h"

/* The folder for shared data; the machine's own stay out. */
static char *data_folder;

static char *
put (const char *name, const char *contents)
{
  g_autofree char *path = g_build_filename (data_folder, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_file_set_contents (path, contents, -1, &error);
  g_assert_no_error (error);
  return g_steal_pointer (&path);
}

static void
put_descriptor (const char *name, const char *code, const char *features, const char *machine)
{
  g_autofree char *path = g_strdup_printf ("qemu/firmware/%s.json", name);
  g_autofree char *variables = put ("vars.fd", "v");
  g_autofree char *text =
    g_strdup_printf ("{\"description\": \"%s\", \"interface-types\": [\"uefi\"],\n"
                     " \"mapping\": {\"device\": \"flash\",\n"
                     "   \"executable\": {\"filename\": \"%s\", \"format\": \"raw\"},\n"
                     "   \"nvram-template\": {\"filename\": \"%s\", \"format\": \"raw\"}},\n"
                     " \"targets\": [{\"architecture\": \"x86_64\", \"machines\": [\"%s\"]}],\n"
                     " \"features\": [%s], \"tags\": []}\n",
                     name, code, variables, machine, features);

  g_free (put (path, text));
}

static void
assert_found (const char *image)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VmmFirmware) firmware = vmm_firmware_find (VMM_FIRMWARE_UEFI, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (firmware->image, ==, image);
  g_assert_true (g_str_has_suffix (firmware->nvram_template, "/vars.fd"));
}

static void
assert_none (VmmFirmwareKind kind, const char *what)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VmmFirmware) firmware = vmm_firmware_find (kind, &error);

  g_assert_error (error, VMM_ERROR, VMM_ERROR_CONFIG);
  g_assert_null (firmware);
  g_assert_nonnull (strstr (error->message, what));
}

static void
test_uefi (void)
{
  g_autofree char *code = put ("code.fd", "c"), *other = put ("other.fd", "o");

  assert_none (VMM_FIRMWARE_UEFI, "OVMF");
  put_descriptor ("20-secure", code, "\"acpi-s3\", \"requires-smm\"", "pc-q35-*");
  put_descriptor ("21-other-machine", code, "", "microvm");
  put_descriptor ("22-gone", "/nowhere/code.fd", "", "pc-q35-*");
  g_free (put ("qemu/firmware/23-broken.json", "{\"mapping\": {"));
  g_free (put ("qemu/firmware/24-empty.json", ""));
  g_free (put ("qemu/firmware/25-none.txt", "{}"));
  assert_none (VMM_FIRMWARE_UEFI, "OVMF");
  put_descriptor ("60-plain", other, "\"acpi-s3\"", "pc-q35-*");
  assert_found (other);
  put_descriptor ("50-plain", code, "", "pc-i440fx-*\", \"pc-q35-*");
  assert_found (code);
}

static void
test_bios (void)
{
  g_autofree char *image = NULL, *vga = NULL;
  g_autoptr (VmmFirmware) firmware = NULL, whole = NULL;

  assert_none (VMM_FIRMWARE_BIOS, "SeaBIOS");
  image = put ("seabios/bios-256k.bin", "b");
  firmware = vmm_firmware_find (VMM_FIRMWARE_BIOS, NULL);
  g_assert_cmpstr (firmware->image, ==, image);
  g_assert_null (firmware->vga_bios);
  vga = put ("qemu/vgabios-virtio.bin", "v");
  whole = vmm_firmware_find (VMM_FIRMWARE_BIOS, NULL);
  g_assert_cmpstr (whole->vga_bios, ==, vga);
}

static void
remove_folder (void)
{
  const char *argv[] = { "rm", "-rf", data_folder, NULL };

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                NULL);
}

int
main (int argc, char **argv)
{
  int result;

  data_folder = g_dir_make_tmp ("firmware-XXXXXX", NULL);
  g_setenv ("XDG_DATA_DIRS", data_folder, TRUE);
  g_setenv ("XDG_CONFIG_HOME", data_folder, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/firmware/uefi", test_uefi);
  g_test_add_func ("/firmware/bios", test_bios);
  result = g_test_run ();
  remove_folder ();
  g_free (data_folder);
  return result;
}
