/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmState: there and back, and every way in which foreign bytes can be wrong.
 */
#include <string.h>

#include "base/vmm-state.h"
#include "vmm-error.h"

typedef struct {
  guint8 small;
  guint32 number;
} Part;

typedef struct {
  gboolean truth;
  guint8 u8;
  guint16 u16;
  guint64 u64;
  guint8 bytes[5];
  Part part;
  Part parts[3];
  guint n_many;
  Part *many;
  guint32 secret;
} Thing;

static const VmmField part_fields[] = {
  VMM_FIELD (Part, small, VMM_FIELD_UINT8, "small"),
  VMM_FIELD (Part, number, VMM_FIELD_UINT32, "number"),
  VMM_FIELD_LAST,
};

static const VmmField thing_fields[] = {
  VMM_FIELD (Thing, truth, VMM_FIELD_BOOL, "truth"),
  VMM_FIELD (Thing, u8, VMM_FIELD_UINT8, "u8"),
  VMM_FIELD (Thing, u16, VMM_FIELD_UINT16, "u16"),
  VMM_FIELD (Thing, u64, VMM_FIELD_UINT64, "u64"),
  VMM_FIELD (Thing, bytes, VMM_FIELD_BYTES, "bytes"),
  VMM_FIELD_PART (Thing, part, part_fields, "part"),
  VMM_FIELD_PARTS (Thing, parts, part_fields, "parts"),
  VMM_EXEMPT (Thing, n_many, "stored with many"),
  VMM_FIELD_POINTER (Thing, many, n_many, part_fields, "many"),
  VMM_EXEMPT (Thing, secret, "a secret"),
  VMM_FIELD_LAST,
};

static void
fill (Thing *thing, Part *many, guint n_many)
{
  *thing = (Thing) {
    .truth = TRUE,
    .u8 = 0x12,
    .u16 = 0x3456,
    .u64 = G_GUINT64_CONSTANT (0x123456789abcdef0),
    .bytes = { 1, 2, 3, 4, 5 },
    .part = { 6, 7 },
    .parts = { { 8, 9 }, { 10, 11 }, { 12, 13 } },
    .n_many = n_many,
    .many = many,
    .secret = 0x5ec7e7,
  };
  for (guint i = 0; i < n_many; i++)
    many[i] = (Part) { i, 1000 + i };
}

static VmmState *
saved_thing (guint version)
{
  VmmState *state = vmm_state_new ();
  Part many[2];
  Thing thing;

  fill (&thing, many, 2);
  g_assert_true (vmm_state_save_struct (state, "thing", version, thing_fields, &thing, NULL));
  return state;
}

static VmmState *
again (VmmState *state)
{
  g_autoptr (GBytes) bytes = vmm_state_to_bytes (state);
  g_autoptr (GError) error = NULL;
  VmmState *other = vmm_state_from_bytes (bytes, &error);

  g_assert_no_error (error);
  return other;
}

static void
test_round (void)
{
  g_autoptr (VmmState) state = saved_thing (3);
  g_autoptr (VmmState) other = again (state);
  Part many[2] = { { 0 } };
  Thing thing = { .n_many = 2, .many = many, .secret = 77 };
  guint version = 0;

  g_assert_true (vmm_state_load_struct (other, "thing", 3, thing_fields, &thing, &version, NULL));
  g_assert_cmpuint (version, ==, 3);
  g_assert_cmpint (thing.truth, ==, TRUE);
  g_assert_cmphex (thing.u8, ==, 0x12);
  g_assert_cmphex (thing.u16, ==, 0x3456);
  g_assert_cmphex (thing.u64, ==, G_GUINT64_CONSTANT (0x123456789abcdef0));
  g_assert_cmpmem (thing.bytes, 5, "\1\2\3\4\5", 5);
  g_assert_cmpuint (thing.part.number, ==, 7);
  g_assert_cmpuint (thing.parts[2].small, ==, 12);
  g_assert_cmpuint (thing.parts[2].number, ==, 13);
  g_assert_cmpuint (many[1].small, ==, 1);
  g_assert_cmpuint (many[1].number, ==, 1001);
  g_assert_cmpuint (thing.secret, ==, 77);
}

static void
test_bytes (void)
{
  g_autoptr (VmmState) state = vmm_state_new ();
  g_autoptr (VmmState) other = NULL;
  g_autoptr (GError) error = NULL;
  char to[6] = "";

  vmm_state_save_bytes (state, "pixels", "hello", 6);
  vmm_state_save_bytes (state, "none", NULL, 0);
  other = again (state);
  g_assert_true (vmm_state_load_bytes (other, "none", NULL, 0, NULL));
  g_assert_false (vmm_state_load_bytes (other, "pixels", to, 5, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT);
  g_assert_cmpstr (to, ==, "");
  g_assert_true (vmm_state_load_bytes (other, "pixels", to, 6, NULL));
  g_assert_cmpstr (to, ==, "hello");
  g_assert_false (vmm_state_load_struct (other, "pixels", 1, thing_fields, to, NULL, NULL));
}

/* Nothing at all is stored where anything does not fit. */
static void
check_refused (VmmState *state, guint max_version, guint n_many)
{
  g_autoptr (GError) error = NULL;
  Part many[4] = { { 0 } };
  Thing thing = { .n_many = n_many, .many = many }, before = thing;

  g_assert_false (
    vmm_state_load_struct (state, "thing", max_version, thing_fields, &thing, NULL, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT);
  g_assert_cmpmem (&thing, sizeof thing, &before, sizeof before);
  g_assert_cmpuint (many[0].number, ==, 0);
}

static void
test_refused (void)
{
  g_autoptr (VmmState) state = saved_thing (3);
  g_autoptr (VmmState) empty = vmm_state_new ();

  check_refused (empty, 3, 2);
  check_refused (state, 2, 2); /* newer than we are */
  check_refused (state, 3, 1); /* other counts */
  check_refused (state, 3, 3);
}

static void
test_twice (void)
{
  g_autoptr (VmmState) state = saved_thing (1);
  g_autoptr (GError) error = NULL;
  Thing thing = { 0 };

  g_assert_false (vmm_state_save_struct (state, "thing", 1, thing_fields, &thing, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT);
}

/* A member that an older version did not have stays as it is; the same version must have it. */
static void
test_older (void)
{
  static const VmmField old_fields[] = {
    VMM_FIELD (Part, small, VMM_FIELD_UINT8, "small"),
    VMM_EXEMPT (Part, number, "not yet known"),
    VMM_FIELD_LAST,
  };
  g_autoptr (VmmState) state = vmm_state_new ();
  Part part = { 5, 6 };
  guint version;

  g_assert_true (vmm_state_save_struct (state, "part", 1, old_fields, &part, NULL));
  part = (Part) { 1, 99 };
  g_assert_false (vmm_state_load_struct (state, "part", 1, part_fields, &part, &version, NULL));
  g_assert_true (vmm_state_load_struct (state, "part", 2, part_fields, &part, &version, NULL));
  g_assert_cmpuint (version, ==, 1);
  g_assert_cmpuint (part.small, ==, 5);
  g_assert_cmpuint (part.number, ==, 99);
}

/* The same name with another type is another field. */
static void
test_type (void)
{
  static const VmmField other_fields[] = {
    VMM_FIELD (Part, small, VMM_FIELD_UINT8, "small"),
    VMM_FIELD (Part, number, VMM_FIELD_BYTES, "number"),
    VMM_FIELD_LAST,
  };
  g_autoptr (VmmState) state = vmm_state_new ();
  Part part = { 5, 6 };

  g_assert_true (vmm_state_save_struct (state, "part", 1, other_fields, &part, NULL));
  g_assert_false (vmm_state_load_struct (state, "part", 1, part_fields, &part, NULL, NULL));
}

typedef struct {
  char *words, *none, *empty;
} Words;

static const VmmField words_fields[] = {
  VMM_FIELD (Words, words, VMM_FIELD_STRING, "words"),
  VMM_FIELD (Words, none, VMM_FIELD_STRING, "none"),
  VMM_FIELD (Words, empty, VMM_FIELD_STRING, "empty"),
  VMM_FIELD_LAST,
};

static void
test_strings (void)
{
  g_autoptr (VmmState) state = vmm_state_new (), other = NULL;
  Words words = { (char *) "some words", NULL, (char *) "" };
  Words read = { g_strdup ("others"), g_strdup ("others"), NULL };

  g_assert_true (vmm_state_save_struct (state, "words", 1, words_fields, &words, NULL));
  other = again (state);
  g_assert_true (vmm_state_load_struct (other, "words", 1, words_fields, &read, NULL, NULL));
  g_assert_cmpstr (read.words, ==, "some words");
  g_assert_null (read.none);
  g_assert_cmpstr (read.empty, ==, "");
  g_free (read.words);
  g_free (read.empty);
}

/* One that does not end, ends twice, or is too long. */
static void
test_bad_strings (void)
{
  static const VmmField bytes_fields[] = {
    { "words", VMM_FIELD_STRING, G_STRUCT_OFFSET (Words, words), 8, NULL, 0, 0 },
    VMM_FIELD_LAST,
  };
  g_autofree char *long_words = g_strnfill (VMM_STATE_MAX_STRING, 'x');
  char *texts[] = { (char *) "marked", long_words };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (VmmState) state = vmm_state_new (), other = NULL;
    g_autoptr (GBytes) bytes = NULL, changed = NULL;
    Words words = { .words = texts[i] };
    guint8 *data;
    gsize size;

    g_assert_true (vmm_state_save_struct (state, "words", 1, bytes_fields, &words, NULL));
    bytes = vmm_state_to_bytes (state);
    data = g_memdup2 (g_bytes_get_data (bytes, &size), g_bytes_get_size (bytes));
    changed = g_bytes_new_take (data, size);
    words.words = NULL;
    if (i == 0) {
      data[size - 1] = 'x';
      other = vmm_state_from_bytes (changed, NULL);
      g_assert_false (vmm_state_load_struct (other, "words", 1, bytes_fields, &words, NULL, NULL));
      g_clear_pointer (&other, vmm_state_free);
      data[size - 1] = data[size - 3] = '\0';
    }
    other = vmm_state_from_bytes (changed, NULL);
    g_assert_false (vmm_state_load_struct (other, "words", 1, bytes_fields, &words, NULL, NULL));
    g_assert_null (words.words);
  }
}

static void
test_bad_truth (void)
{
  static const VmmField number_fields[] = {
    VMM_FIELD (Part, number, VMM_FIELD_UINT32, "number"),
    VMM_FIELD_LAST,
  };
  static const VmmField truth_fields[] = {
    { "number", VMM_FIELD_BOOL, G_STRUCT_OFFSET (Part, number), 4, NULL, 0, 0 },
    VMM_FIELD_LAST,
  };
  g_autoptr (VmmState) state = vmm_state_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (VmmState) other = NULL;
  Part part = { 0, 2 };
  guint8 *data;
  gsize size;

  g_assert_true (vmm_state_save_struct (state, "part", 1, truth_fields, &part, NULL));
  g_assert_false (vmm_state_load_struct (state, "part", 1, truth_fields, &part, NULL, NULL));
  g_assert_false (vmm_state_load_struct (state, "part", 1, number_fields, &part, NULL, NULL));
  bytes = vmm_state_to_bytes (state);
  data = g_memdup2 (g_bytes_get_data (bytes, &size), g_bytes_get_size (bytes));
  data[size - 4] = 1;
  g_bytes_unref (bytes);
  bytes = g_bytes_new_take (data, size);
  other = vmm_state_from_bytes (bytes, NULL);
  g_assert_true (vmm_state_load_struct (other, "part", 1, truth_fields, &part, NULL, NULL));
}

/* Each length that is too short, and each byte changed: an error or a load, never more. */
static void
test_broken (void)
{
  g_autoptr (VmmState) state = saved_thing (3);
  g_autoptr (GBytes) bytes = vmm_state_to_bytes (state);
  gsize size = g_bytes_get_size (bytes);
  guint n_refused = 0;

  for (gsize length = 0; length < size; length++) {
    g_autoptr (GBytes) cut = g_bytes_new_from_bytes (bytes, 0, length);
    g_autoptr (GError) error = NULL;

    g_assert_null (vmm_state_from_bytes (cut, &error));
    g_assert_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT);
  }
  for (gsize at = 0; at < size; at++) {
    guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
    g_autoptr (GBytes) changed = NULL;
    g_autoptr (VmmState) other = NULL;
    Part many[2];
    Thing thing = { .n_many = 2, .many = many };

    copy[at] ^= 0xff;
    changed = g_bytes_new_take (copy, size);
    other = vmm_state_from_bytes (changed, NULL);
    if (!other || !vmm_state_load_struct (other, "thing", 3, thing_fields, &thing, NULL, NULL))
      n_refused++;
  }
  /* Of all bytes only those of the values can be another right one. */
  g_assert_cmpuint (n_refused, >, size / 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/state/round", test_round);
  g_test_add_func ("/state/bytes", test_bytes);
  g_test_add_func ("/state/refused", test_refused);
  g_test_add_func ("/state/twice", test_twice);
  g_test_add_func ("/state/older", test_older);
  g_test_add_func ("/state/type", test_type);
  g_test_add_func ("/state/strings", test_strings);
  g_test_add_func ("/state/bad-strings", test_bad_strings);
  g_test_add_func ("/state/bad-truth", test_bad_truth);
  g_test_add_func ("/state/broken", test_broken);
  return g_test_run ();
}
