/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fw_cfg, flash and the file behind it, as firmware uses them and as no firmware does.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "chips/flash.h"
#include "chips/fw-cfg.h"
#include "fake-guest.h"
#include "vmm-error.h"

#define FLASH_ADDRESS 0xffc00000u
#define FLASH_SIZE    (16 * 4096)

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
  char *folder, *path, *template;
} Fixture;

static void
set_up_fw_cfg (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->device = vmm_device_new (&vmm_fw_cfg_class, &f->guest->board, "fw-cfg", NULL, NULL);
  vmm_fw_cfg_set_number (f->device, VMM_FW_CFG_NB_CPUS, 3, 2);
  vmm_fw_cfg_set_file (f->device, "etc/b", "bbbb", 4);
  vmm_fw_cfg_set_file (f->device, "etc/a", "aa", 2);
  vmm_fw_cfg_add_writable (f->device, "etc/w", 8);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->device, vmm_device_free);
  fake_guest_free (f->guest);
  if (!f->folder)
    return;
  g_unlink (f->path);
  g_unlink (f->template);
  g_rmdir (f->folder);
  g_free (f->path);
  g_free (f->template);
  g_free (f->folder);
}

static void
read_item (Fixture *f, guint16 key, gpointer to, gsize size)
{
  fake_guest_out (f->guest, 0x510, 2, key);
  for (gsize i = 0; i < size; i++)
    ((guint8 *) to)[i] = fake_guest_in (f->guest, 0x511, 1);
}

static void
test_items (Fixture *f, gconstpointer data)
{
  guint8 bytes[8];

  read_item (f, 0, bytes, 8); /* zeros beyond its end */
  g_assert_cmpmem (bytes, 8, "QEMU\0\0\0\0", 8);
  read_item (f, VMM_FW_CFG_ID, bytes, 4);
  g_assert_cmphex (bytes[0], ==, 3);
  read_item (f, VMM_FW_CFG_NB_CPUS, bytes, 2);
  g_assert_cmphex (bytes[0], ==, 3);
  read_item (f, 0x1234, bytes, 8);
  g_assert_cmpmem (bytes, 8, "\0\0\0\0\0\0\0\0", 8);
  g_assert_cmphex (fake_guest_in (f->guest, 0x514, 4), ==, 0x554d4551);
  g_assert_cmphex (fake_guest_in (f->guest, 0x518, 4), ==, 0x47464320);
}

/* The number of @name, by the directory. */
static guint16
find (Fixture *f, const char *name, guint32 size)
{
  guint8 directory[4 + 64 * 3];

  read_item (f, VMM_FW_CFG_FILE_DIR, directory, sizeof directory);
  g_assert_cmpuint (directory[3], ==, 3);
  for (guint i = 0; i < 3; i++) {
    const guint8 *entry = directory + 4 + 64 * i;

    if (i > 0)
      g_assert_cmpstr ((const char *) entry + 8, >, (const char *) entry - 64 + 8);
    if (strcmp ((const char *) entry + 8, name) == 0) {
      g_assert_cmpuint (entry[3], ==, size);
      return entry[4] << 8 | entry[5];
    }
  }
  g_assert_not_reached ();
}

static guint32
dma (Fixture *f, guint32 control, guint64 address, guint32 length)
{
  guint64 at = fake_guest_alloc (f->guest, 16);
  guint8 *access = fake_guest_at (f->guest, at, 16);
  guint32 words[2] = { GUINT32_TO_BE (control), GUINT32_TO_BE (length) };
  guint64 be_address = GUINT64_TO_BE (address);

  memcpy (access, words, 8);
  memcpy (access + 8, &be_address, 8);
  fake_guest_out (f->guest, 0x514, 4, 0);
  fake_guest_out (f->guest, 0x518, 4, GUINT32_TO_BE ((guint32) at));
  memcpy (words, access, 4);
  return GUINT32_FROM_BE (words[0]);
}

static void
test_dma (Fixture *f, gconstpointer data)
{
  guint16 b = find (f, "etc/b", 4), w = find (f, "etc/w", 8);
  guint64 to = fake_guest_alloc (f->guest, 64);
  guint8 *bytes = fake_guest_at (f->guest, to, 64), written[8];

  memset (bytes, 0xee, 64);
  g_assert_cmphex (dma (f, (guint32) b << 16 | 0x0a, to, 6), ==, 0);
  g_assert_cmpmem (bytes, 7, "bbbb\0\0\xee", 7);
  g_assert_cmphex (dma (f, (guint32) b << 16 | 0x0c, 0, 3), ==, 0); /* skip */
  g_assert_cmphex (dma (f, 0x02, to + 32, 2), ==, 0);
  g_assert_cmpmem (bytes + 32, 2, "b\0", 2);
  memcpy (bytes, "written!", 8);
  g_assert_cmphex (dma (f, (guint32) w << 16 | 0x18, to, 8), ==, 0);
  g_assert_true (vmm_fw_cfg_read_file (f->device, "etc/w", written, 8));
  g_assert_cmpmem (written, 8, "written!", 8);
  /* Too much, over a file that is none to write, out of memory, and off the end of it. */
  g_assert_cmphex (dma (f, (guint32) w << 16 | 0x18, to, 9), ==, 1);
  g_assert_cmphex (dma (f, (guint32) b << 16 | 0x18, to, 1), ==, 1);
  g_assert_cmphex (dma (f, (guint32) b << 16 | 0x0a, FAKE_MEMORY - 2, 4), ==, 1);
  g_assert_cmphex (dma (f, (guint32) b << 16 | 0x0a, G_MAXUINT64 - 1, 4), ==, 1);
  g_assert_cmphex (dma (f, (guint32) b << 16 | 0x0a, to, G_MAXUINT32), ==, 1);
  g_assert_cmphex (dma (f, 0x04, 0, G_MAXUINT32), ==, 0);
  g_assert_cmphex (dma (f, 0x04, 0, G_MAXUINT32), ==, 0);
  g_assert_cmphex (dma (f, 0x02, to, 1), ==, 0);
  fake_guest_out (f->guest, 0x518, 4, 0xffffffff); /* the request itself is nowhere */
}

static void
count_selection (VmmDevice *fw_cfg, gpointer data)
{
  guint *n = data;
  char text[2] = { '0' + ++*n, 0 };

  vmm_fw_cfg_set_file (fw_cfg, "etc/a", text, 1);
}

/* A file that is made when it is asked for, each time anew. */
static void
test_late (Fixture *f, gconstpointer data)
{
  guint n = 0;
  guint16 a;
  char text[2] = "";

  vmm_fw_cfg_set_select_func (f->device, "etc/a", count_selection, &n);
  a = find (f, "etc/a", 2);
  g_assert_cmpuint (n, ==, 0);
  read_item (f, a, text, 1);
  g_assert_cmpstr (text, ==, "1");
  read_item (f, a, text, 1);
  g_assert_cmpstr (text, ==, "2");
}

static void
test_fw_cfg_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = vmm_device_new (&vmm_fw_cfg_class, &guest->board, "fw-cfg", NULL, NULL);

  fake_guest_out (f->guest, 0x510, 2, 0);
  fake_guest_in (f->guest, 0x511, 1);
  fake_guest_check_saved (f->device, other);
  g_assert_cmpint (fake_guest_in (guest, 0x511, 1), ==, 'E');
  vmm_device_free (other);
  fake_guest_free (guest);
}

static VmmNvram *
open_nvram (Fixture *f, FakeGuest *guest, GError **error)
{
  return vmm_nvram_new (f->path, f->template, guest->board.loop, error);
}

static void
make_flash (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  VmmFlashConfig config = { .address = FLASH_ADDRESS, .nvram = open_nvram (f, f->guest, &error) };

  g_assert_no_error (error);
  f->device = vmm_device_new (&vmm_flash_class, &f->guest->board, "nvram", &config, &error);
  g_assert_no_error (error);
}

static void
set_up_flash (Fixture *f, gconstpointer data)
{
  g_autofree char *bytes = g_malloc (FLASH_SIZE);

  f->guest = fake_guest_new ();
  f->folder = g_dir_make_tmp ("test-flash-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "nvram", NULL);
  f->template = g_build_filename (f->folder, "template", NULL);
  memset (bytes, 't', FLASH_SIZE);
  g_assert_true (g_file_set_contents (f->template, bytes, FLASH_SIZE, NULL));
  make_flash (f);
}

static guint8
get (Fixture *f, guint32 offset)
{
  return fake_guest_read (f->guest, FLASH_ADDRESS + offset, 1);
}

static void
put (Fixture *f, guint32 offset, guint8 value)
{
  fake_guest_write (f->guest, FLASH_ADDRESS + offset, 1, value);
}

static void
test_flash (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (get (f, 5), ==, 't');
  /* How OVMF tells a flash from RAM and ROM. */
  put (f, 0, 0x50);
  g_assert_cmpint (get (f, 0), ==, 't');
  put (f, 0, 0x70);
  g_assert_cmphex (get (f, 0), ==, 0);
  put (f, 0, 0xff);
  g_assert_cmpint (get (f, 0), ==, 't');

  put (f, 5, 0x10);
  put (f, 5, 'x');
  put (f, 6, 0x40);
  put (f, 6, 'y');
  put (f, 6, 0xff);
  g_assert_cmpint (get (f, 5), ==, 'x');
  g_assert_cmpint (get (f, 6), ==, 'y');
  g_assert_cmpint (get (f, 7), ==, 't');
  put (f, 0, 0x70);
  g_assert_cmphex (get (f, 0), ==, 0x80);

  put (f, 4096 + 3, 0x20);
  put (f, 4096 + 3, 0xd0);
  g_assert_cmphex (get (f, 0), ==, 0x80);
  put (f, 0, 0xff);
  g_assert_cmphex (get (f, 4096), ==, 0xff);
  g_assert_cmphex (get (f, 8191), ==, 0xff);
  g_assert_cmpint (get (f, 4095), ==, 't');
  g_assert_cmpint (get (f, 8192), ==, 't');
  put (f, 0, 0x20);
  put (f, 0, 0x12); /* not confirmed */
  g_assert_cmphex (get (f, 0), ==, 0xa0);
  put (f, 0, 0x90);
  g_assert_cmphex (get (f, 0), ==, 0x89);
  vmm_device_reset (f->device);
  g_assert_cmpint (get (f, 0), ==, 't');
}

static void
check_file (Fixture *f, gsize offset, char expected)
{
  g_autofree char *bytes = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (f->path, &bytes, &size, NULL));
  g_assert_cmpuint (size, ==, FLASH_SIZE);
  g_assert_cmpint (bytes[offset], ==, expected);
}

/* Saved a moment after a burst, when the machine pauses and when it goes; and found again. */
static void
test_kept (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  check_file (f, 5, 't');
  put (f, 5, 0x10);
  put (f, 5, '1');
  vmm_device_drain (f->device);
  check_file (f, 5, '1');
  vmm_device_resume (f->device);
  put (f, 5, 0x10);
  put (f, 5, '2');
  for (guint i = 0; i < 2000; i++) {
    g_autofree char *bytes = NULL;

    g_assert_true (g_file_get_contents (f->path, &bytes, NULL, NULL));
    if (bytes[5] == '2')
      break;
    g_usleep (10000);
  }
  check_file (f, 5, '2');
  g_assert_null (open_nvram (f, f->guest, &error)); /* it is this machine's */
  g_assert_error (error, VMM_ERROR, VMM_ERROR_DISK_BUSY);
  put (f, 5, 0x10);
  put (f, 5, '3');
  g_clear_pointer (&f->device, vmm_device_free);
  check_file (f, 5, '3');
  make_flash (f);
  g_assert_cmpint (get (f, 5), ==, '3');
}

static void
check_refused (Fixture *f, const char *why)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (open_nvram (f, f->guest, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_IO);
  g_assert_nonnull (strstr (error->message, why));
}

static void
test_bad_files (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->device, vmm_device_free);
  g_assert_true (g_file_set_contents (f->path, "short", 5, NULL));
  check_refused (f, "no image of a flash");
  g_assert_true (g_file_set_contents (f->path, "", 0, NULL));
  check_refused (f, "no image of a flash");
  g_unlink (f->path);
  g_unlink (f->template);
  check_refused (f, "No such file");
  g_clear_pointer (&f->template, g_free);
  check_refused (f, "no such file");
  f->template = g_strdup (f->folder);
  check_refused (f, "");
}

static void
test_flash_saved (Fixture *f, gconstpointer data)
{
  Fixture other;

  put (f, 9, 0x10);
  put (f, 9, 's');
  put (f, 9, 0x70);
  set_up_flash (&other, NULL);
  fake_guest_check_saved (f->device, other.device);
  g_assert_cmphex (get (&other, 9), ==, 0x80);
  put (&other, 9, 0xff);
  g_assert_cmpint (get (&other, 9), ==, 's');
  tear_down (&other, NULL);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*set_up) (Fixture *, gconstpointer);
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/fw-cfg/items", set_up_fw_cfg, test_items },
    { "/fw-cfg/dma", set_up_fw_cfg, test_dma },
    { "/fw-cfg/late", set_up_fw_cfg, test_late },
    { "/fw-cfg/saved", set_up_fw_cfg, test_fw_cfg_saved },
    { "/flash/commands", set_up_flash, test_flash },
    { "/flash/kept", set_up_flash, test_kept },
    { "/flash/bad-files", set_up_flash, test_bad_files },
    { "/flash/saved", set_up_flash, test_flash_saved },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, tests[i].set_up, tests[i].run, tear_down);
  return g_test_run ();
}
