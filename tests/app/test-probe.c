/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdProbe: what is taken, as what, and what is refused. Files are made here byte by
 * byte from the specifications, and with the tools that people use.
 */
#include "app-test.h"
#include "library/vd-probe.h"

#include <elf.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define SIZE (128 * 1024)

static gsize
read_bytes (gpointer file, guint64 offset, void *data, gsize length)
{
  GBytes *bytes = file;
  gsize size = g_bytes_get_size (bytes);
  gsize n = offset < size ? MIN (length, size - offset) : 0;

  if (n > 0)
    memcpy (data, (const guint8 *) g_bytes_get_data (bytes, NULL) + offset, n);
  return n;
}

static gboolean
probe (const guint8 *data, gsize size, VdProbe *found, GError **error)
{
  /* A copy of just that size: reading beyond it shows. */
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  return vd_probe_read (found, read_bytes, bytes, size, "file", error);
}

static void
assert_is (const guint8 *data, gsize size, VdMedium medium, VdDiskFormat format, gboolean uefi)
{
  g_autoptr (GError) error = NULL;
  VdProbe found;

  probe (data, size, &found, &error);
  g_assert_no_error (error);
  g_assert_cmpint (found.medium, ==, medium);
  g_assert_cmpint (found.format, ==, format);
  g_assert_cmpint (found.uefi_only, ==, uefi);
}

static void
assert_refused (const guint8 *data, gsize size, const char *word)
{
  g_autoptr (GError) error = NULL;
  VdProbe found;

  g_assert_false (probe (data, size, &found, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_UNSUPPORTED);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, word));
  g_assert_nonnull (strstr (error->message, "“file”"));
}

static void
test_bzimage (void)
{
  g_autofree guint8 *data = g_malloc0 (SIZE);

  data[0x1fe] = 0x55;
  data[0x1ff] = 0xaa;
  memcpy (data + 0x202, "HdrS", 4);
  memcpy (data, "MZ", 2); /* with an EFI stub */
  assert_is (data, SIZE, VD_MEDIUM_KERNEL, VD_DISK_RAW, FALSE);
  assert_refused (data, 0x1ff, "short");
}

/* An ELF file with one note segment at the very end of the file. */
static void
make_elf (guint8 *data, gsize size, const char *owner, guint32 type)
{
  Elf64_Ehdr header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                        .e_type = ET_EXEC,
                        .e_machine = EM_X86_64,
                        .e_phoff = sizeof header,
                        .e_phentsize = sizeof (Elf64_Phdr),
                        .e_phnum = 2 };
  guint32 note[] = { strlen (owner) + 1, 8, type };
  gsize length = sizeof note + 4 + 8;
  Elf64_Phdr segments[] = { { .p_type = PT_LOAD, .p_filesz = size },
                            { .p_type = PT_NOTE, .p_offset = size - length, .p_filesz = length } };

  memset (data, 0, size);
  memcpy (data, &header, sizeof header);
  memcpy (data + sizeof header, segments, sizeof segments);
  memcpy (data + size - length, note, sizeof note);
  memcpy (data + size - length + sizeof note, owner, strlen (owner));
}

static void
test_elf (void)
{
  g_autofree guint8 *data = g_malloc0 (SIZE);
  Elf64_Phdr *segments = (Elf64_Phdr *) (data + sizeof (Elf64_Ehdr));
  Elf64_Ehdr *header = (Elf64_Ehdr *) data;

  make_elf (data, SIZE, "Xen", 18);
  assert_is (data, SIZE, VD_MEDIUM_KERNEL, VD_DISK_RAW, FALSE);
  /* A program is no kernel. */
  make_elf (data, SIZE, "GNU", 18);
  assert_refused (data, SIZE, "neither");
  make_elf (data, SIZE, "Xen", 17);
  assert_refused (data, SIZE, "neither");
  /* What it claims of itself is not believed. */
  make_elf (data, SIZE, "Xen", 18);
  segments[1].p_filesz = G_MAXUINT64;
  assert_refused (data, SIZE, "neither");
  make_elf (data, SIZE, "Xen", 18);
  segments[1].p_offset = G_MAXUINT64 - 3;
  assert_refused (data, SIZE, "neither");
  make_elf (data, SIZE, "Xen", 18);
  header->e_phoff = G_MAXUINT64 - 8;
  assert_refused (data, SIZE, "neither");
  make_elf (data, SIZE, "Xen", 18);
  header->e_phnum = 0xffff;
  assert_refused (data, SIZE, "neither");
  make_elf (data, SIZE, "Xen", 18);
  *(guint32 *) (data + SIZE - 24) = 0xfffffffd; /* the note's name, whose padding wraps */
  assert_refused (data, SIZE, "neither");
}

static void
test_multiboot (void)
{
  g_autofree guint8 *data = g_malloc0 (SIZE);
  guint32 header[] = { 0x1badb002, 3, 0u - 0x1badb002u - 3u };

  memcpy (data + 8192 - sizeof header, header, sizeof header);
  assert_is (data, SIZE, VD_MEDIUM_KERNEL, VD_DISK_RAW, FALSE);
  header[2]++;
  memcpy (data + 8192 - sizeof header, header, sizeof header);
  assert_refused (data, SIZE, "neither");
}

static void
make_iso (guint8 *data, guint8 platform, guint32 catalog)
{
  memset (data, 0, SIZE);
  memcpy (data + 0x8001, "CD001", 5);
  memcpy (data + 17 * 2048 + 1, "CD001\1EL TORITO SPECIFICATION", 29);
  memcpy (data + 17 * 2048 + 0x47, &catalog, 4);
  if (catalog >= SIZE / 2048)
    return;
  data[catalog * 2048] = 1;
  data[catalog * 2048 + 1] = platform;
  data[catalog * 2048 + 32] = 0x88;
}

static void
test_iso (void)
{
  g_autofree guint8 *data = g_malloc0 (SIZE);

  make_iso (data, 0, 20);
  assert_is (data, SIZE, VD_MEDIUM_ISO, VD_DISK_RAW, FALSE);
  make_iso (data, 0xef, 20);
  assert_is (data, SIZE, VD_MEDIUM_ISO, VD_DISK_RAW, TRUE);
  /* Both: BIOS will do. */
  make_iso (data, 0, 20);
  data[20 * 2048 + 64] = 0x91;
  data[20 * 2048 + 65] = 0xef;
  assert_is (data, SIZE, VD_MEDIUM_ISO, VD_DISK_RAW, FALSE);
  /* Hybrid: a disk's mark as well. */
  data[510] = 0x55;
  data[511] = 0xaa;
  assert_is (data, SIZE, VD_MEDIUM_ISO, VD_DISK_RAW, FALSE);
  /* The catalog lies where there is nothing. */
  make_iso (data, 0xef, 0xffffffff);
  assert_is (data, SIZE, VD_MEDIUM_ISO, VD_DISK_RAW, FALSE);
}

static void
test_raw (void)
{
  g_autofree guint8 *data = g_malloc0 (SIZE);

  assert_refused (data, SIZE, "neither");
  data[510] = 0x55;
  data[511] = 0xaa;
  assert_is (data, SIZE, VD_MEDIUM_DISK, VD_DISK_RAW, FALSE);
  memcpy (data + 512, "EFI PART", 8);
  assert_is (data, SIZE, VD_MEDIUM_DISK, VD_DISK_RAW, TRUE);
  data[0] = 0xeb; /* boot code beside the GPT */
  assert_is (data, SIZE, VD_MEDIUM_DISK, VD_DISK_RAW, FALSE);
}

static void
test_qcow2 (void)
{
  g_autofree guint8 *data = g_malloc0 (SIZE);

  memcpy (data, "QFI\xfb\0\0\0\3", 8);
  assert_is (data, SIZE, VD_MEDIUM_DISK, VD_DISK_QCOW2, FALSE);
  data[15] = 72; /* backing file */
  assert_refused (data, SIZE, "backing");
  data[15] = 0;
  data[35] = 2; /* LUKS */
  assert_refused (data, SIZE, "encrypted");
  data[35] = 0;
  data[79] = 4; /* external data file */
  assert_refused (data, SIZE, "another file");
  data[79] = 1; /* dirty: QEMU repairs it */
  assert_is (data, SIZE, VD_MEDIUM_DISK, VD_DISK_QCOW2, FALSE);
  data[7] = 4;
  assert_refused (data, SIZE, "version");
}

static void
test_foreign (void)
{
  static const struct {
    gsize offset;
    const char *mark, *word;
  } files[] = {
    { 0, "KDMV", "VMware" },
    { 64, "\x7f\x10\xda\xbe", "VirtualBox" },
    { 0, "vhdxfile", "Hyper-V" },
    { 0, "conectix", "Virtual PC" },
    { 0, "\x1f\x8b\x08", "unpack" },
    { 0,
      "\xfd"
      "7zXZ",
      "unpack" },
    { 0, "PK\x03\x04", "unpack" },
    { 56, "ARM\x64", "ARM" },
    { 0, "070701", "initial RAM disk" },
    { 0, "# Disk Descriptor", "VMware" },
  };
  g_autofree guint8 *data = g_malloc0 (SIZE);

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    memset (data, 0, SIZE);
    memcpy (data + files[i].offset, files[i].mark, strlen (files[i].mark));
    assert_refused (data, SIZE, files[i].word);
  }
}

static void
run (const char *folder, const char *command)
{
  g_autofree char *line = g_strdup_printf ("cd '%s' && %s", folder, command);
  const char *argv[] = { "sh", "-c", line, NULL };
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                NULL, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, &error));
}

static void
assert_file (const char *folder, const char *name, VdMedium medium, VdDiskFormat format)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  VdProbe found;

  vd_probe_file (&found, path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (found.medium, ==, medium);
  g_assert_cmpint (found.format, ==, format);
}

static void
assert_file_refused (const char *folder, const char *name, VdError code)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  VdProbe found;

  g_assert_false (vd_probe_file (&found, path, &error));
  g_assert_error (error, VD_ERROR, (int) code);
}

static void
test_real_files (void)
{
  g_autofree char *folder = app_test_make_folder ();
  g_autofree char *kernel = g_build_filename (g_getenv ("VIRTDESK_KERNEL"), "vmlinuz", NULL);
  g_autofree char *fifo = g_build_filename (folder, "fifo", NULL);

  assert_file ("/", kernel, VD_MEDIUM_KERNEL, VD_DISK_RAW);
  run (folder, "qemu-img create -q -f qcow2 a.qcow2 1G");
  assert_file (folder, "a.qcow2", VD_MEDIUM_DISK, VD_DISK_QCOW2);
  run (folder, "qemu-img create -q -f qcow2 -b a.qcow2 -F qcow2 b.qcow2");
  assert_file_refused (folder, "b.qcow2", VD_ERROR_UNSUPPORTED);
  run (folder, "qemu-img create -q -f vmdk a.vmdk 1G");
  assert_file_refused (folder, "a.vmdk", VD_ERROR_UNSUPPORTED);
  run (folder, "qemu-img create -q -f vdi a.vdi 1G");
  assert_file_refused (folder, "a.vdi", VD_ERROR_UNSUPPORTED);
  run (folder, "mkdir iso && echo > iso/a && xorriso -as mkisofs -quiet -o a.iso iso 2>/dev/null");
  assert_file (folder, "a.iso", VD_MEDIUM_ISO, VD_DISK_RAW);
  assert_file_refused (folder, "iso", VD_ERROR_UNSUPPORTED);
  assert_file_refused (folder, "nothing", VD_ERROR_NOT_FOUND);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  assert_file_refused (folder, "fifo", VD_ERROR_UNSUPPORTED);
  assert_file_refused ("/", "usr/bin/true", VD_ERROR_UNSUPPORTED);
  app_test_remove_folder (g_steal_pointer (&folder));
}

static void
on_config (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static VdConfig *
config_for (const char *folder, const char *name, GError **error)
{
  g_autoptr (GFile) file = g_file_new_build_filename (folder, name, NULL);
  g_autoptr (GAsyncResult) result = NULL;

  vd_config_new_for_file_async (file, NULL, on_config, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return vd_config_new_for_file_finish (result, error);
}

static void
test_config (void)
{
  g_autofree char *folder = app_test_make_folder ();
  g_autoptr (VdConfig) kernel = NULL;
  g_autoptr (VdConfig) iso = NULL;
  g_autoptr (VdDiskConfig) drive = NULL;
  g_autoptr (GError) error = NULL;

  kernel = config_for (g_getenv ("VIRTDESK_KERNEL"), "vmlinuz", &error);
  g_assert_no_error (error);
  g_assert_true (vd_config_check (kernel, NULL));
  g_assert_cmpint (vd_config_get_boot (kernel), ==, VD_BOOT_KERNEL);
  g_assert_cmpstr (vd_config_get_name (kernel), ==, "vmlinuz");

  run (
    folder,
    "mkdir iso && echo > iso/a && xorriso -as mkisofs -quiet -o my-system-1.2.iso iso 2>/dev/null");
  iso = config_for (folder, "my-system-1.2.iso", &error);
  g_assert_no_error (error);
  g_assert_true (vd_config_check (iso, NULL));
  g_assert_cmpstr (vd_config_get_name (iso), ==, "my-system-1.2");
  g_assert_cmpint (vd_config_get_boot (iso), ==, VD_BOOT_BIOS);
  g_assert_cmpuint (vd_config_get_new_disk_size (iso), >, 0);
  drive = g_list_model_get_item (vd_config_get_disks (iso), 0);
  g_assert_true (vd_disk_config_get_cdrom (drive));
  g_assert_true (vd_disk_config_get_readonly (drive));
  g_assert_false (vd_disk_config_get_owned (drive));

  g_assert_null (config_for (folder, "iso", &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_UNSUPPORTED);
  app_test_remove_folder (g_steal_pointer (&folder));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/probe/bzimage", test_bzimage);
  g_test_add_func ("/probe/elf", test_elf);
  g_test_add_func ("/probe/multiboot", test_multiboot);
  g_test_add_func ("/probe/iso", test_iso);
  g_test_add_func ("/probe/raw", test_raw);
  g_test_add_func ("/probe/qcow2", test_qcow2);
  g_test_add_func ("/probe/foreign", test_foreign);
  g_test_add_func ("/probe/real-files", test_real_files);
  g_test_add_func ("/probe/config", test_config);
  return g_test_run ();
}
