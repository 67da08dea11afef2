/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Drivers of the xHCI controller that break the rules.
 */
#include "xhci-test.h"

/* Rings that are no memory, loops, or nonsense. */
static void
test_hostile_rings (XhciTest *f, gconstpointer data)
{
  FakeRing *r = &f->xhci->slots[f->slot].rings[BULK_IN];
  guint32 flags = f->slot << 24 | BULK_IN << 16;

  xhci_test_tell_gadget (f, VMM_USB_OK, 8);
  for (guint i = 0; i < 7; i++) {
    guint64 where = r->base;

    fake_xhci_new_ring (f->xhci, r);
    if (i == 0) /* data that is no memory */
      xhci_test_put_normal (f, BULK_IN, NOWHERE, 8, XHCI_TRB_IOC);
    if (i == 1) /* that ends where memory does */
      xhci_test_put_normal (f, BULK_IN, FAKE_MEMORY - 4, 8, XHCI_TRB_IOC);
    if (i == 2) /* too long */
      xhci_test_put_normal (f, BULK_IN, f->data, 0x1ffff, XHCI_TRB_IOC);
    if (i == 3) /* too long for a block */
      xhci_test_put_normal (f, BULK_IN, f->data, 9, XHCI_TRB_IOC | XHCI_TRB_IDT);
    if (i == 4) /* a link to itself */
      fake_ring_put (f->xhci, r, r->base, 0, XHCI_LINK << XHCI_TRB_TYPE_SHIFT);
    if (i == 5) /* a link out of memory */
      fake_ring_put (f->xhci, r, NOWHERE, 0, XHCI_LINK << XHCI_TRB_TYPE_SHIFT);
    if (i == 6) { /* a transfer without end: its ring is all of it */
      for (guint n = 0; n < FAKE_XHCI_RING - 2; n++)
        xhci_test_put_normal (f, BULK_IN, f->data, 1, XHCI_TRB_CHAIN);
      fake_ring_put (f->xhci, r, r->base, 0, XHCI_LINK << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_CHAIN);
    }
    if (i > 0)
      g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_SET_TR_DEQUEUE, where | 1, 0, flags, NULL),
                        ==, XHCI_SUCCESS);
    xhci_test_ring (f, BULK_IN);
    xhci_test_check_event (f, where, XHCI_TRB_ERROR, 0);
    g_assert_cmphex (fake_xhci_output (f->xhci, f->slot, BULK_IN)[0] & 7, ==, 4);
  }
  fake_xhci_new_ring (f->xhci, r);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_SET_TR_DEQUEUE, r->base | 1, 0, flags, NULL),
                    ==, XHCI_SUCCESS);
  xhci_test_check_alive (f);
}

static void
test_hostile_control (XhciTest *f, gconstpointer data)
{
  FakeRing *r = &f->xhci->slots[f->slot].rings[1];
  guint32 flags = f->slot << 24 | 1 << 16;

  for (guint i = 0; i < 4; i++) {
    fake_xhci_new_ring (f->xhci, r);
    if (i == 0) /* no setup */
      fake_ring_put (f->xhci, r, 0, 0, XHCI_STATUS_STAGE << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_IOC);
    else
      fake_ring_put (f->xhci, r, 0, i == 1 ? 7 : 8,
                     XHCI_SETUP_STAGE << XHCI_TRB_TYPE_SHIFT | (i == 2 ? 0 : XHCI_TRB_IDT));
    if (i == 3)
      fake_ring_put (f->xhci, r, NOWHERE, 8, XHCI_DATA_STAGE << XHCI_TRB_TYPE_SHIFT);
    if (i > 0)
      fake_ring_put (f->xhci, r, 0, 0, XHCI_STATUS_STAGE << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_IOC);
    if (i > 0)
      fake_xhci_command (f->xhci, XHCI_SET_TR_DEQUEUE, r->base | 1, 0, flags, NULL);
    xhci_test_ring (f, 1);
    xhci_test_check_event (f, r->base, XHCI_TRB_ERROR, 0);
  }
}

/* What the controller cannot go on from. */
static void
check_dead (XhciTest *f, guint n)
{
  while (!(fake_xhci_read (f->xhci, X_USBSTS) & 0x1000))
    fake_guest_settle (f->guest);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, n);
  fake_xhci_start (f->xhci);
  g_assert_cmphex (fake_xhci_read (f->xhci, X_USBSTS) & 0x1000, ==, 0);
  g_assert_cmpuint (fake_xhci_command (f->xhci, XHCI_NO_OP_COMMAND, 0, 0, 0, NULL), ==,
                    XHCI_SUCCESS);
}

static void
test_death (XhciTest *f, gconstpointer data)
{
  guint32 *entry = fake_guest_at (f->guest, f->xhci->erst, 16);

  fake_xhci_write64 (f->xhci, X_CRCR, NOWHERE | 1);
  fake_xhci_ring_doorbell (f->xhci, 0, 0);
  check_dead (f, 1);
  fake_xhci_write64 (f->xhci, X_CRCR, f->xhci->commands.base | 1);
  fake_xhci_start (f->xhci);
  fake_ring_put (f->xhci, &f->xhci->commands, f->xhci->commands.base, 0,
                 XHCI_LINK << XHCI_TRB_TYPE_SHIFT);
  fake_xhci_ring_doorbell (f->xhci, 0, 0);
  check_dead (f, 2);
  for (guint i = 0; i < 3; i++) { /* the event ring */
    fake_xhci_start (f->xhci);
    fake_xhci_write64 (f->xhci, X_ERSTBA, i == 0 ? NOWHERE : f->xhci->erst);
    if (i == 1)
      entry[2] = 15;
    if (i == 2)
      entry[0] = FAKE_MEMORY - 64;
    fake_ring_put (f->xhci, &f->xhci->commands, 0, 0, XHCI_NO_OP_COMMAND << XHCI_TRB_TYPE_SHIFT);
    fake_xhci_ring_doorbell (f->xhci, 0, 0);
    check_dead (f, 3 + i);
  }
}

/* Random blocks in all rings: no harm. */
static void
test_nonsense (XhciTest *f, gconstpointer data)
{
  GRand *random = g_rand_new_with_seed (5);
  FakeRing *rings[] = { &f->xhci->commands, &f->xhci->slots[f->slot].rings[1],
                        &f->xhci->slots[f->slot].rings[BULK_IN] };
  XhciTrb event;

  xhci_test_tell_gadget (f, VMM_USB_OK, 16);
  for (guint i = 0; i < 3000; i++) {
    guint which = g_rand_int_range (random, 0, 3);

    fake_ring_put (f->xhci, rings[which],
                   g_rand_boolean (random) ? f->data + g_rand_int_range (random, 0, DATA)
                                           : g_rand_int (random),
                   g_rand_int_range (random, 0, 100),
                   (guint32) g_rand_int_range (random, 0, 30) << XHCI_TRB_TYPE_SHIFT |
                     (g_rand_int (random) & 0x3fe) | f->slot << 24 |
                     (guint32) g_rand_int_range (random, 0, 4) << 16);
    fake_xhci_ring_doorbell (f->xhci, which ? f->slot : 0, which == 2 ? BULK_IN : which);
    fake_guest_settle (f->guest);
    while (fake_xhci_take_event (f->xhci, &event))
      ;
    fake_xhci_done (f->xhci);
  }
  g_rand_free (random);
  fake_xhci_start (f->xhci);
  f->slot = fake_xhci_address (f->xhci, GADGET_PORT);
}

int
main (int argc, char **argv)
{
  static const XhciTestCase tests[] = {
    { "/xhci/hostile/rings", TRUE, test_hostile_rings },
    { "/xhci/hostile/control", TRUE, test_hostile_control },
    { "/xhci/death", FALSE, test_death },
    { "/xhci/nonsense", TRUE, test_nonsense },
  };

  g_test_init (&argc, &argv, NULL);
  xhci_test_add (tests, G_N_ELEMENTS (tests));
  return g_test_run ();
}
