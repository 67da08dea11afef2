/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * MSI-X alone: table, masks, pending bits, routes.
 */
#include "fake-guest.h"

#define N_VECTORS 3

typedef struct {
  VmmDevice parent;
  VmmMsix msix;
} Holder;

static const VmmField holder_fields[] = {
  VMM_EXEMPT_DEVICE (Holder),
  VMM_FIELD_PART (Holder, msix, vmm_msix_fields, "msix"),
  VMM_FIELD_LAST,
};

static gboolean
holder_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  vmm_msix_init (&((Holder *) device)->msix, device, N_VECTORS);
  return TRUE;
}

static void
holder_unrealize (VmmDevice *device)
{
  vmm_msix_clear (&((Holder *) device)->msix);
}

static gboolean
holder_loaded (VmmDevice *device, GError **error)
{
  return vmm_msix_loaded (&((Holder *) device)->msix, error);
}

static const VmmDeviceClass holder_class = {
  .name = "holder",
  .instance_size = sizeof (Holder),
  .version = 1,
  .fields = holder_fields,
  .realize = holder_realize,
  .unrealize = holder_unrealize,
  .loaded = holder_loaded,
};

typedef struct {
  FakeGuest *guest;
  Holder *holder;
  VmmMsix *msix;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->holder = (Holder *) vmm_device_new (&holder_class, &f->guest->board, "holder", NULL, NULL);
  f->msix = &f->holder->msix;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vmm_device_free (&f->holder->parent);
  fake_guest_free (f->guest);
}

static void
set_vector (Fixture *f, guint vector, guint32 data, gboolean masked)
{
  vmm_msix_write_table (f->msix, 16 * vector, 4, 0xfee01000);
  vmm_msix_write_table (f->msix, 16 * vector + 4, 4, 0);
  vmm_msix_write_table (f->msix, 16 * vector + 8, 4, data);
  vmm_msix_write_table (f->msix, 16 * vector + 12, 4, masked);
}

static guint
n_routes (Fixture *f)
{
  guint n = 0;

  for (guint i = 0; i < f->guest->platform.messages->len; i++)
    n += g_array_index (f->guest->platform.messages, FakeMessage, i).fd >= 0;
  return n;
}

static void
test_table (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < N_VECTORS; i++)
    g_assert_cmphex (vmm_msix_read_table (f->msix, 16 * i + 12, 4), ==, 1);
  set_vector (f, 2, 0xabcd, TRUE);
  g_assert_cmphex (vmm_msix_read_table (f->msix, 32, 8), ==, 0xfee01000);
  g_assert_cmphex (vmm_msix_read_table (f->msix, 40, 8), ==, G_GUINT64_CONSTANT (0x10000abcd));
  vmm_msix_write_table (f->msix, 44, 4, 0xfffffffe);
  g_assert_cmphex (vmm_msix_read_table (f->msix, 44, 4), ==, 0);
  /* Odd sizes and places touch nothing else. */
  vmm_msix_write_table (f->msix, 47, 8, G_MAXUINT64);
  vmm_msix_write_table (f->msix, 48, 4, 5);
  vmm_msix_write_table (f->msix, G_MAXUINT64 - 3, 4, 5);
  g_assert_cmphex (vmm_msix_read_table (f->msix, 48, 4), ==, 0);
  g_assert_cmphex (vmm_msix_read_table (f->msix, G_MAXUINT64 - 3, 4), ==, 0);
}

static void
test_signal (Fixture *f, gconstpointer data)
{
  set_vector (f, 1, 42, FALSE);
  g_assert_cmpuint (n_routes (f), ==, 0);
  vmm_msix_set_control (f->msix, TRUE, FALSE);
  g_assert_cmpuint (n_routes (f), ==, 1);
  vmm_msix_signal (f->msix, 1);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 42), ==, 1);
  vmm_msix_signal (f->msix, N_VECTORS);
  vmm_msix_signal (f->msix, VMM_MSIX_NO_VECTOR);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 42), ==, 0);
}

static void
test_masks (Fixture *f, gconstpointer data)
{
  set_vector (f, 0, 10, TRUE);
  vmm_msix_set_control (f->msix, TRUE, FALSE);
  vmm_msix_signal (f->msix, 0);
  vmm_msix_signal (f->msix, 0);
  g_assert_cmphex (vmm_msix_read_pba (f->msix, 0, 8), ==, 1);
  g_assert_cmpuint (n_routes (f), ==, 0);
  vmm_msix_write_table (f->msix, 12, 4, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 10), ==, 1);
  g_assert_cmphex (vmm_msix_read_pba (f->msix, 0, 8), ==, 0);

  /* The whole function. */
  vmm_msix_set_control (f->msix, TRUE, TRUE);
  vmm_msix_signal (f->msix, 0);
  g_assert_cmphex (vmm_msix_read_pba (f->msix, 0, 4), ==, 1);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 10), ==, 0);
  vmm_msix_set_control (f->msix, TRUE, FALSE);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 10), ==, 1);

  /* And switched off. */
  vmm_msix_set_control (f->msix, FALSE, FALSE);
  vmm_msix_signal (f->msix, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 10), ==, 0);
}

/* Another message in a live vector: the route follows and is not made anew. */
static void
test_change (Fixture *f, gconstpointer data)
{
  vmm_msix_set_control (f->msix, TRUE, FALSE);
  set_vector (f, 0, 10, FALSE);
  vmm_msix_signal (f->msix, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 10), ==, 1);
  set_vector (f, 0, 11, FALSE);
  vmm_msix_signal (f->msix, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 10), ==, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 11), ==, 1);
  g_assert_cmpuint (f->guest->platform.messages->len, ==, 1);
}

static void
test_reset (Fixture *f, gconstpointer data)
{
  set_vector (f, 0, 10, FALSE);
  vmm_msix_set_control (f->msix, TRUE, FALSE);
  vmm_msix_reset (f->msix);
  g_assert_cmpuint (n_routes (f), ==, 0);
  g_assert_cmphex (vmm_msix_read_table (f->msix, 0, 8), ==, 0);
  g_assert_cmphex (vmm_msix_read_table (f->msix, 12, 4), ==, 1);
}

/* No route to be had: said, and the interrupt pends. */
static void
test_refused (Fixture *f, gconstpointer data)
{
  set_vector (f, 0, 10, FALSE);
  f->guest->platform.refuse = TRUE;
  vmm_msix_set_control (f->msix, TRUE, FALSE);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 1);
  vmm_msix_signal (f->msix, 0);
  g_assert_cmphex (vmm_msix_read_pba (f->msix, 0, 1), ==, 1);
  f->guest->platform.refuse = FALSE;
  vmm_msix_signal (f->msix, 0);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 10), ==, 1);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  VmmDevice *other = vmm_device_new (&holder_class, &guest->board, "holder", NULL, NULL);
  VmmMsix *msix = &((Holder *) other)->msix;

  set_vector (f, 0, 10, FALSE);
  set_vector (f, 1, 11, TRUE);
  vmm_msix_set_control (f->msix, TRUE, FALSE);
  vmm_msix_signal (f->msix, 1);
  fake_guest_check_saved (&f->holder->parent, other);
  vmm_msix_signal (msix, 0);
  g_assert_cmpuint (fake_guest_take_message (guest, 10), ==, 1);
  vmm_msix_write_table (msix, 28, 4, 0);
  g_assert_cmpuint (fake_guest_take_message (guest, 11), ==, 1);
  vmm_device_free (other);
  fake_guest_free (guest);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/msix/table", test_table }, { "/msix/signal", test_signal },
    { "/msix/masks", test_masks }, { "/msix/change", test_change },
    { "/msix/reset", test_reset }, { "/msix/refused", test_refused },
    { "/msix/saved", test_saved },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
