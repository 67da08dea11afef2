/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All devices of the list: their tables of saved fields, and the order in which a device's
 * functions are called.
 */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "chips/pm.h"
#include "chips/rtc.h"
#include "chips/serial.h"
#include "device/device-list.h"
#include "fake-guest.h"
#include "virtio/virtio-console.h"
#include "virtio/virtio-rng.h"
#include "vmm-error.h"

/* A hole as big as a pointer is no padding but a member that was forgotten. (fields.py names every
 * member; this checks what it cannot see: offsets, lengths and types.) */
#define MAX_PADDING 7

static gsize
length_of_type (VmmFieldType type)
{
  switch (type) {
  case VMM_FIELD_UINT8:
    return 1;
  case VMM_FIELD_UINT16:
    return 2;
  case VMM_FIELD_BOOL:
  case VMM_FIELD_UINT32:
    return 4;
  case VMM_FIELD_UINT64:
  case VMM_FIELD_ARRAY:
    return 8;
  default:
    return 0;
  }
}

static void check_table (const char *where, const VmmField *fields, gsize size);

static void
check_field (const char *where, const VmmField *field)
{
  g_autofree char *inner = g_strdup_printf ("%s.%s", where, field->name);

  g_test_message ("%s", inner);
  g_assert_nonnull (field->name);
  g_assert_cmpuint (strlen (field->name), >, 0);
  g_assert_cmpuint (strlen (field->name), <, 256);
  g_assert_cmpuint (field->length, >, 0);
  if (length_of_type (field->type))
    g_assert_cmpuint (field->length, ==, length_of_type (field->type));
  if (field->type == VMM_FIELD_STRUCT || field->type == VMM_FIELD_ARRAY) {
    g_assert_nonnull (field->nested);
    g_assert_cmpuint (field->stride, >, 0);
    check_table (inner, field->nested, field->stride);
  } else {
    g_assert_null (field->nested);
  }
  if (field->type == VMM_FIELD_STRUCT)
    g_assert_cmpuint (field->length % field->stride, ==, 0);
}

/* Every byte is in one field, and no name stands for two. */
static void
check_table (const char *where, const VmmField *fields, gsize size)
{
  g_autofree guint8 *owned = g_malloc0 (size);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  gsize hole = 0;

  g_assert_nonnull (fields);
  for (const VmmField *field = fields; field->type != VMM_FIELD_END; field++) {
    check_field (where, field);
    g_assert_cmpuint (field->offset + field->length, <=, size);
    for (gsize i = 0; i < field->length; i++)
      g_assert_cmpuint (owned[field->offset + i]++, ==, 0);
    if (field->type != VMM_FIELD_EXEMPT)
      g_assert_true (g_hash_table_add (names, (gpointer) field->name));
  }
  for (gsize at = 0; at < size; at++) {
    hole = owned[at] ? 0 : hole + 1;
    if (hole > MAX_PADDING)
      g_error ("%s: the member before byte %zu is in no table", where, at);
  }
}

static void
test_fields (gconstpointer data)
{
  const VmmDeviceClass *klass = data;

  g_assert_cmpuint (klass->version, >, 0);
  check_table (klass->name, klass->fields, klass->instance_size);
}

/* A class that writes down what happens to it. */
typedef struct {
  VmmDevice parent;
  guint32 number;
} Diary;

static GString *diary;

static gboolean
diary_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  g_string_append (diary, "realize ");
  g_assert_false (vmm_device_is_locked (device));
  if (config)
    g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "no");
  return config == NULL;
}

static void
diary_unrealize (VmmDevice *device)
{
  g_string_append (diary, "unrealize ");
}

static void
diary_reset (VmmDevice *device)
{
  g_assert_true (vmm_device_is_locked (device));
  g_string_append (diary, "reset ");
}

static gboolean
diary_loaded (VmmDevice *device, GError **error)
{
  g_assert_true (vmm_device_is_locked (device));
  g_string_append_printf (diary, "loaded-%u ", ((Diary *) device)->number);
  return TRUE;
}

static gboolean
diary_save_parts (VmmDevice *device, VmmState *state, GError **error)
{
  g_string_append (diary, "save-parts ");
  vmm_state_save_bytes (state, "diary/part", "x", 1);
  return TRUE;
}

static gboolean
diary_load_parts (VmmDevice *device, VmmState *state, GError **error)
{
  char part;

  g_string_append_printf (diary, "load-parts-%u ", ((Diary *) device)->number);
  return vmm_state_load_bytes (state, "diary/part", &part, 1, error);
}

static const VmmField diary_fields[] = {
  VMM_EXEMPT_DEVICE (Diary),
  VMM_FIELD (Diary, number, VMM_FIELD_UINT32, "number"),
  VMM_FIELD_LAST,
};

static const VmmDeviceClass diary_class = {
  .name = "diary",
  .instance_size = sizeof (Diary),
  .version = 1,
  .fields = diary_fields,
  .realize = diary_realize,
  .unrealize = diary_unrealize,
  .reset = diary_reset,
  .loaded = diary_loaded,
  .save_parts = diary_save_parts,
  .load_parts = diary_load_parts,
};

static void
test_life (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VmmState) state = vmm_state_new ();
  VmmDevice *device;

  diary = g_string_new ("");
  g_assert_null (vmm_device_new (&diary_class, NULL, "diary", "fail", &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED);
  g_assert_cmpstr (diary->str, ==, "realize ");
  g_string_truncate (diary, 0);

  device = vmm_device_new (&diary_class, NULL, "diary", NULL, NULL);
  ((Diary *) device)->number = 5;
  vmm_device_reset (device);
  vmm_device_drain (device);
  vmm_device_resume (device);
  g_assert_true (vmm_device_save (device, state, NULL));
  ((Diary *) device)->number = 6;
  g_assert_true (vmm_device_load (device, state, NULL));
  vmm_device_free (device);
  g_assert_cmpstr (diary->str, ==, "realize reset save-parts load-parts-5 loaded-5 unrealize ");
  g_string_free (diary, TRUE);
}

static gpointer
look (gpointer data)
{
  return GINT_TO_POINTER (vmm_device_is_locked (data));
}

static void
test_lock (void)
{
  VmmDevice *device;

  diary = g_string_new ("");
  device = vmm_device_new (&diary_class, NULL, "diary", NULL, NULL);
  g_assert_false (vmm_device_is_locked (device));
  vmm_device_lock (device);
  g_assert_true (vmm_device_is_locked (device));
  g_assert_false (GPOINTER_TO_INT (g_thread_join (g_thread_new ("look", look, device))));
  vmm_device_unlock (device);
  g_assert_false (vmm_device_is_locked (device));
  vmm_device_free (device);
  g_string_free (diary, TRUE);
}

typedef struct {
  const VmmDeviceClass *klass;
  gconstpointer config;
} Made;

/* With too few descriptors there is no device, a reason, and nothing left behind: with enough of
 * them it is there. */
static void
test_no_descriptor (gconstpointer data)
{
  const Made *made = data;
  g_autoptr (FakeGuest) guest = fake_guest_new ();
  VmmDevice *device = NULL;
  struct rlimit before, limit;
  int next = dup (0), n = 0;

  close (next);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  for (limit = before; !device; n++) {
    g_autoptr (GError) error = NULL;

    limit.rlim_cur = next + n;
    g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
    device = vmm_device_new (made->klass, &guest->board, "device", made->config, &error);
    g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
    if (!device)
      g_assert_error (error, VMM_ERROR, VMM_ERROR_IO);
  }
  g_assert_cmpint (n, >, 1);
  vmm_device_free (device);
}

int
main (int argc, char **argv)
{
  static const VmmSerialConfig serial = { VMM_SERIAL_COM1_PORT, VMM_SERIAL_COM1_GSI, -1, -1 };
  static const VmmVirtioConsoleConfig console = { .in_fd = -1, .out_fd = -1 };
  static const VmmVirtioRngConfig rng;
  static const Made made[] = {
    { &vmm_pm_class, NULL },
    { &vmm_rtc_class, NULL },
    { &vmm_serial_class, &serial },
    { VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_console_class), &console },
    { VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_rng_class), &rng },
  };

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/device/life", test_life);
  g_test_add_func ("/device/lock", test_lock);
  for (guint i = 0; vmm_device_list[i]; i++) {
    g_autofree char *name = g_strdup_printf ("/device/fields/%s", vmm_device_list[i]->name);

    g_test_add_data_func (name, vmm_device_list[i], test_fields);
  }
  for (guint i = 0; i < G_N_ELEMENTS (made); i++) {
    g_autofree char *name = g_strdup_printf ("/device/no-descriptor/%s", made[i].klass->name);

    g_test_add_data_func (name, &made[i], test_no_descriptor);
  }
  return g_test_run ();
}
