/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The host bridge and what every function has: both ways to configuration space, masks, BARs,
 * capabilities, INTx.
 */
#include <string.h>

#include "chips/pm.h"
#include "fake-guest.h"
#include "vmm-error.h"

/* A function with one BAR of each width that remembers what happened to it. */
typedef struct {
  VmmPciDevice parent;
  guint64 mapped[2];
  guint n_mapped, n_unmapped;
  guint64 written;
} Card;

static const VmmField card_fields[] = {
  VMM_FIELD_PART (Card, parent, vmm_pci_device_fields, "pci"),
  VMM_FIELD_LAST,
};

static guint64
card_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  return 0xc0de0000 | region << 8 | offset;
}

static void
card_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  ((Card *) device)->written = value;
}

static const VmmBusOps card_ops = { card_read, card_write };

static gboolean
card_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  static const VmmPciIds ids = { 0x1234, 0x5678, 0x9abc, 0xdef0, 7, 0x020304 };
  VmmPciDevice *self = (VmmPciDevice *) device;

  if (!vmm_pci_device_realize (self, *(const guint *) config, &ids, error))
    return FALSE;
  if (vmm_pci_device_add_bar (self, 0, 0x1000, FALSE, &card_ops, error) &&
      vmm_pci_device_add_bar (self, 2, 0x100000, TRUE, &card_ops, error))
    return TRUE;
  vmm_pci_device_unrealize (self);
  return FALSE;
}

static void
card_unrealize (VmmDevice *device)
{
  vmm_pci_device_unrealize ((VmmPciDevice *) device);
}

static void
card_reset (VmmDevice *device)
{
  vmm_pci_device_reset ((VmmPciDevice *) device);
}

static gboolean
card_loaded (VmmDevice *device, GError **error)
{
  return vmm_pci_device_loaded ((VmmPciDevice *) device, error);
}

static void
card_bar_mapped (VmmPciDevice *pci, guint bar, guint64 address, gboolean mapped)
{
  Card *self = (Card *) pci;

  if (mapped)
    self->n_mapped++;
  else
    self->n_unmapped++;
  self->mapped[bar / 2] = mapped ? address : 0;
}

static const VmmPciDeviceClass card_class = {
  .parent = { .name = "card",
              .instance_size = sizeof (Card),
              .version = 1,
              .fields = card_fields,
              .realize = card_realize,
              .unrealize = card_unrealize,
              .reset = card_reset,
              .loaded = card_loaded },
  .bar_mapped = card_bar_mapped,
};

typedef struct {
  FakeGuest *guest;
  Card *card;
} Fixture;

static Card *
card_new (FakeGuest *guest, guint slot, GError **error)
{
  return (Card *) vmm_device_new (&card_class.parent, &guest->board, "card", &slot, error);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->card = card_new (f->guest, 3, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->card)
    vmm_device_free (&f->card->parent.parent);
  fake_guest_free (f->guest);
}

static guint32
get (Fixture *f, guint offset, guint size)
{
  return fake_guest_read_config (f->guest, 3, offset, size);
}

static void
set (Fixture *f, guint offset, guint size, guint32 value)
{
  fake_guest_write_config (f->guest, 3, offset, size, value);
}

static void
test_ids (Fixture *f, gconstpointer data)
{
  g_assert_cmphex (fake_guest_read_config (f->guest, 0, 0, 4), ==, 0x29c08086);
  g_assert_cmphex (fake_guest_read_config (f->guest, 0, 8, 4), ==, 0x06000000);
  g_assert_cmphex (fake_guest_read_config (f->guest, 0, 0x2c, 4), ==, 0x11001af4);
  g_assert_cmphex (get (f, 0, 4), ==, 0x56781234);
  g_assert_cmphex (get (f, 8, 4), ==, 0x02030407);
  g_assert_cmphex (get (f, 0x2c, 4), ==, 0xdef09abc);
  g_assert_cmphex (get (f, 0x3c, 2), ==, 0x0100 | vmm_pci_slot_gsi (3));
  /* Nobody there, functions that are not there, and behind the end of what is there. */
  g_assert_cmphex (fake_guest_read_config (f->guest, 4, 0, 4), ==, 0xffffffff);
  g_assert_cmphex (get (f, 0x1000, 4), ==, 0xffffffff);
  g_assert_cmphex (get (f, 0x100, 4), ==, 0);
  g_assert_cmphex (get (f, 0xffc, 4), ==, 0);
  g_assert_cmphex (vmm_bus_read (f->guest->mmio, VMM_PCI_ECAM_BASE + (1 << 20), 4), ==, 0xffffffff);
}

static void
test_ports (Fixture *f, gconstpointer data)
{
  fake_guest_out (f->guest, 0xcf8, 4, 0x80000000 | 3 << 11 | 0x2c);
  g_assert_cmphex (fake_guest_in (f->guest, 0xcf8, 4), ==, 0x80000000 | 3 << 11 | 0x2c);
  g_assert_cmphex (fake_guest_in (f->guest, 0xcfc, 4), ==, 0xdef09abc);
  g_assert_cmphex (fake_guest_in (f->guest, 0xcfe, 2), ==, 0xdef0);
  g_assert_cmphex (fake_guest_in (f->guest, 0xcff, 1), ==, 0xde);
  fake_guest_out (f->guest, 0xcf8, 4, 0x80000000 | 3 << 11 | 0x04);
  fake_guest_out (f->guest, 0xcfc, 2, 0x0002);
  g_assert_cmphex (get (f, 4, 2), ==, 0x0002);
  /* Another bus; and the enable bit. */
  fake_guest_out (f->guest, 0xcf8, 4, 0x80010000 | 3 << 11);
  g_assert_cmphex (fake_guest_in (f->guest, 0xcfc, 4), ==, 0xffffffff);
  fake_guest_out (f->guest, 0xcf8, 4, 3 << 11);
  g_assert_cmphex (fake_guest_in (f->guest, 0xcfc, 4), ==, 0xffffffff);
  /* Smaller accesses to 0xcf8 are not its own. */
  fake_guest_out (f->guest, 0xcf8, 1, 0x55);
  g_assert_cmphex (fake_guest_in (f->guest, 0xcf8, 4), ==, 3 << 11);
}

static void
test_reset_port (Fixture *f, gconstpointer data)
{
  fake_guest_out (f->guest, VMM_PM_RESET_PORT, 1, 0x02);
  g_assert_cmpuint (f->guest->platform.n_requests, ==, 0);
  g_assert_cmphex (fake_guest_in (f->guest, VMM_PM_RESET_PORT, 1), ==, 0x02);
  fake_guest_out (f->guest, VMM_PM_RESET_PORT, 1, VMM_PM_RESET_VALUE);
  g_assert_cmpuint (f->guest->platform.n_requests, ==, 1);
  g_assert_cmpint (f->guest->platform.last_request, ==, VMM_REQUEST_RESET);
  vmm_device_reset (f->guest->pci);
  g_assert_cmphex (fake_guest_in (f->guest, VMM_PM_RESET_PORT, 1), ==, 0);
}

/* Ids, status, capabilities: whatever a guest writes, only what it may changes. */
static void
test_masks (Fixture *f, gconstpointer data)
{
  guint8 before[256];

  for (guint at = 0; at < 256; at++)
    before[at] = get (f, at, 1);
  for (guint at = 0; at < 256; at += 4)
    set (f, at, 4, 0xffffffff);
  for (guint at = 0; at < 256; at++)
    if (at > 5 && (at < 0x10 || at >= 0x28) && at != 0x0c && at != 0x3c)
      g_assert_cmphex (get (f, at, 1), ==, before[at]);
  g_assert_cmphex (get (f, 0, 4), ==, 0x56781234);
  g_assert_cmphex (get (f, 4, 2), ==, 0x0546);
  g_assert_cmphex (get (f, 0x3c, 1), ==, 0xff);
  vmm_device_reset (&f->card->parent.parent);
  for (guint at = 0; at < 256; at++)
    g_assert_cmphex (get (f, at, 1), ==, before[at]);
}

/* As the specification says: all ones, read back, and where it was again. */
static void
test_sizing (Fixture *f, gconstpointer data)
{
  guint32 low = get (f, 0x10, 4), wide = get (f, 0x18, 4);

  g_assert_cmphex (low & 0xf, ==, 0);
  g_assert_cmphex (wide & 0xf, ==, 4);
  set (f, 0x10, 4, 0xffffffff);
  set (f, 0x18, 4, 0xffffffff);
  set (f, 0x1c, 4, 0xffffffff);
  set (f, 0x14, 4, 0xffffffff);
  g_assert_cmphex (get (f, 0x10, 4), ==, 0xfffff000);
  g_assert_cmphex (get (f, 0x18, 4), ==, 0xfff00004);
  g_assert_cmphex (get (f, 0x1c, 4), ==, 0xffffffff);
  g_assert_cmphex (get (f, 0x14, 4), ==, 0);
  set (f, 0x10, 4, low);
  set (f, 0x18, 4, wide);
  set (f, 0x1c, 4, 0);
  g_assert_cmphex (get (f, 0x10, 4), ==, low);
}

static void
check_answers (Fixture *f, guint64 address, guint bar, gboolean answers)
{
  guint32 expected = answers ? 0xc0de0010 | bar << 8 : 0xffffffff;

  g_assert_cmphex (vmm_bus_read (f->guest->mmio, address + 0x10, 4), ==, expected);
  g_assert_cmphex (f->card->mapped[bar / 2], ==, answers ? address : 0);
}

static void
test_bars (Fixture *f, gconstpointer data)
{
  guint64 low = get (f, 0x10, 4), wide = get (f, 0x18, 4) & ~15u;

  g_assert_cmphex (low, >=, VMM_PCI_WINDOW_BASE);
  g_assert_cmphex (low % 0x1000, ==, 0);
  g_assert_cmphex (wide % 0x100000, ==, 0);
  check_answers (f, low, 0, FALSE);
  set (f, 4, 2, 2);
  check_answers (f, low, 0, TRUE);
  check_answers (f, wide, 2, TRUE);
  vmm_bus_write (f->guest->mmio, low, 4, 0x1234);
  g_assert_cmphex (f->card->written, ==, 0x1234);

  /* Moved while it answers. */
  set (f, 0x10, 4, 0xd0000000);
  check_answers (f, 0xd0000000, 0, TRUE);
  g_assert_cmphex (vmm_bus_read (f->guest->mmio, low, 4), ==, 0xffffffff);
  g_assert_cmpuint (f->card->n_mapped, ==, 3);
  g_assert_cmpuint (f->card->n_unmapped, ==, 1);

  /* On top of the other one, over RAM, over ECAM, above the windows: silent, not dangerous. */
  set (f, 0x10, 4, wide);
  check_answers (f, wide, 2, TRUE);
  g_assert_cmphex (f->card->mapped[0], ==, 0);
  set (f, 0x10, 4, 0x1000);
  g_assert_cmphex (f->card->mapped[0], ==, 0);
  set (f, 0x10, 4, VMM_PCI_ECAM_BASE);
  g_assert_cmphex (f->card->mapped[0], ==, 0);
  g_assert_cmphex (get (f, 0, 4), ==, 0x56781234);
  set (f, 0x10, 4, 0xfee00000);
  g_assert_cmphex (f->card->mapped[0], ==, 0);
  set (f, 0x1c, 4, 0xffff0000);
  g_assert_cmphex (f->card->mapped[1], ==, 0);
  set (f, 0x1c, 4, 0);
  check_answers (f, wide, 2, TRUE);

  set (f, 0x10, 4, low);
  check_answers (f, low, 0, TRUE);
  set (f, 4, 2, 0);
  check_answers (f, low, 0, FALSE);
  check_answers (f, wide, 2, FALSE);
}

static void
test_reset (Fixture *f, gconstpointer data)
{
  guint64 low = get (f, 0x10, 4);

  set (f, 0x10, 4, 0xd0000000);
  set (f, 4, 2, 2);
  vmm_device_reset (&f->card->parent.parent);
  g_assert_cmphex (get (f, 0x10, 4), ==, low);
  g_assert_cmphex (get (f, 4, 2), ==, 0);
  check_answers (f, 0xd0000000, 0, FALSE);
}

static void
test_slots (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) cards = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_device_free);
  g_autoptr (GError) error = NULL;
  Card *card;

  g_assert_null (card_new (f->guest, 3, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_CONFIG);
  g_clear_error (&error);
  g_assert_null (card_new (f->guest, 32, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_CONFIG);
  g_clear_error (&error);
  while ((card = card_new (f->guest, 0, &error)))
    g_ptr_array_add (cards, card);
  g_assert_error (error, VMM_ERROR, VMM_ERROR_CONFIG);
  g_assert_cmpuint (cards->len, ==, 29);
  /* All answer at once, so no two were given the same place. */
  for (guint i = 0; i < cards->len; i++) {
    card = g_ptr_array_index (cards, i);
    fake_guest_write_config (f->guest, card->parent.slot, 4, 2, 2);
    g_assert_cmphex (card->mapped[0], !=, 0);
    g_assert_cmphex (card->mapped[1], !=, 0);
  }
}

static void
test_intx (Fixture *f, gconstpointer data)
{
  Card *other = card_new (f->guest, 11, NULL); /* the same pin */
  guint gsi = vmm_pci_slot_gsi (3);

  g_assert_cmpuint (vmm_pci_slot_gsi (11), ==, gsi);
  vmm_pci_device_set_intx (&f->card->parent, TRUE);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (get (f, 6, 2) & 8, ==, 8);
  g_assert_cmphex (get (f, 4, 4) & 0x80000, ==, 0x80000);
  vmm_pci_device_set_intx (&other->parent, TRUE);
  vmm_pci_device_set_intx (&f->card->parent, TRUE);
  vmm_pci_device_set_intx (&f->card->parent, FALSE);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (get (f, 6, 2) & 8, ==, 0);
  vmm_pci_device_set_intx (&other->parent, FALSE);
  g_assert_false (fake_guest_get_line (f->guest, gsi));

  /* Disabled by the guest; let go by whoever disappears. */
  set (f, 4, 2, 0x400);
  vmm_pci_device_set_intx (&f->card->parent, TRUE);
  g_assert_false (fake_guest_get_line (f->guest, gsi));
  g_assert_cmphex (get (f, 6, 2) & 8, ==, 8);
  set (f, 4, 2, 0);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  vmm_device_reset (&f->card->parent.parent);
  g_assert_false (fake_guest_get_line (f->guest, gsi));
  vmm_pci_device_set_intx (&other->parent, TRUE);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  vmm_device_free (&other->parent.parent);
  g_assert_false (fake_guest_get_line (f->guest, gsi));
}

static void
test_capabilities (Fixture *f, gconstpointer data)
{
  VmmPciDevice *pci = &f->card->parent;
  guint first = vmm_pci_device_add_capability (pci, 0x09, 13);
  guint second = vmm_pci_device_add_capability (pci, 0x05, 8);

  g_assert_cmphex (get (f, 0x34, 1), ==, first);
  g_assert_cmphex (get (f, 6, 2) & 0x10, ==, 0x10);
  g_assert_cmphex (get (f, first, 2), ==, 0x09 | second << 8);
  g_assert_cmphex (get (f, second, 2), ==, 0x05);
  g_assert_cmphex (second % 4, ==, 0);
  g_assert_cmphex (second, >=, first + 13);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  FakeGuest *guest = fake_guest_new ();
  Card *other = card_new (guest, 3, NULL);

  set (f, 0x10, 4, 0xd0000000);
  set (f, 4, 2, 2);
  set (f, 0x3c, 1, 0x42);
  vmm_pci_device_set_intx (&f->card->parent, TRUE);
  fake_guest_check_saved (&f->card->parent.parent, &other->parent.parent);
  g_assert_cmphex (other->mapped[0], ==, 0xd0000000);
  g_assert_cmphex (vmm_bus_read (guest->mmio, 0xd0000010, 4), ==, 0xc0de0010);
  g_assert_true (fake_guest_get_line (guest, vmm_pci_slot_gsi (3)));

  fake_guest_out (f->guest, 0xcf8, 4, 0x80001800);
  fake_guest_out (f->guest, VMM_PM_RESET_PORT, 1, 2);
  fake_guest_check_saved (f->guest->pci, guest->pci);
  g_assert_cmphex (fake_guest_in (guest, 0xcf8, 4), ==, 0x80001800);
  vmm_device_free (&other->parent.parent);
  fake_guest_free (guest);
}

/* A saved state cannot give a device other ids than it has. */
static void
test_forged (Fixture *f, gconstpointer data)
{
  g_autoptr (VmmState) state = vmm_state_new ();

  f->card->parent.config[0] = 0x99;
  f->card->parent.config[0x34] = 0xfc;
  f->card->parent.config[4] = 2;
  g_assert_true (vmm_device_save (&f->card->parent.parent, state, NULL));
  g_assert_true (vmm_device_load (&f->card->parent.parent, state, NULL));
  g_assert_cmphex (get (f, 0, 4), ==, 0x56781234);
  g_assert_cmphex (get (f, 0x34, 1), ==, 0);
  g_assert_cmphex (get (f, 4, 2), ==, 2);
}

static void
test_windows (Fixture *f, gconstpointer data)
{
  VmmPciWindows windows;

  vmm_pci_host_get_windows (f->guest->board.pci, &windows);
  g_assert_cmphex (windows.ecam_base, ==, VMM_PCI_ECAM_BASE);
  g_assert_cmpuint (windows.n_buses, ==, 1 + FAKE_N_PORTS);
  /* From the end of RAM to the chips, but for ECAM. */
  g_assert_cmpuint (windows.n_memory, >=, 2);
  g_assert_cmphex (windows.memory[0].base, ==, FAKE_MEMORY);
  g_assert_cmphex (windows.memory[0].base + windows.memory[0].size, ==, VMM_PCI_ECAM_BASE);
  g_assert_cmphex (windows.memory[1].base, ==, VMM_PCI_WINDOW_BASE);
  g_assert_cmphex (windows.memory[1].base + windows.memory[1].size, ==, 0xfec00000);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/pci/ids", test_ids },
    { "/pci/ports", test_ports },
    { "/pci/reset-port", test_reset_port },
    { "/pci/masks", test_masks },
    { "/pci/sizing", test_sizing },
    { "/pci/bars", test_bars },
    { "/pci/reset", test_reset },
    { "/pci/slots", test_slots },
    { "/pci/intx", test_intx },
    { "/pci/capabilities", test_capabilities },
    { "/pci/saved", test_saved },
    { "/pci/forged", test_forged },
    { "/pci/windows", test_windows },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
