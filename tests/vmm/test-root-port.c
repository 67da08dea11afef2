/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A root port as an operating system's hot-plug driver sees it: configuration cycles to both of its
 * sides, windows, the slot's events, power and interrupts.
 */
#include <string.h>

#include "fake-guest.h"
#include "pci/root-port.h"
#include "virtio/virtio-rng.h"

#define SLOT   5
#define BUS    1 /* behind port 0 */
#define WINDOW G_GUINT64_CONSTANT (0xd0000000)
#define MSI    77

/* Of the slot: capability of PCI Express. */
#define CONTROL 0x18
#define STATUS  0x1a
#define ENABLE  0x1029 /* button, presence, link, and the interrupt */
#define OFF     0x0400
#define BLINKS  0x0200

#define BUTTON   0x0001
#define PRESENCE 0x0008
#define PRESENT  0x0040
#define LINK     0x0100

typedef struct {
  FakeGuest *guest;
  VmmDevice *port, *card;
  guint express, msi;
} Fixture;

static guint64
address (guint bus, guint slot, guint offset)
{
  return VMM_PCI_ECAM_BASE + ((guint64) bus << 20 | slot << 15 | offset);
}

static guint32
get (Fixture *f, guint offset, guint size)
{
  return fake_guest_read (f->guest, address (0, SLOT, offset), size);
}

static void
set (Fixture *f, guint offset, guint size, guint32 value)
{
  fake_guest_write (f->guest, address (0, SLOT, offset), size, value);
}

static guint32
get_card (Fixture *f, guint offset, guint size)
{
  return fake_guest_read (f->guest, address (BUS, 0, offset), size);
}

static void
set_card (Fixture *f, guint offset, guint size, guint32 value)
{
  fake_guest_write (f->guest, address (BUS, 0, offset), size, value);
}

static guint
find_capability (Fixture *f, guint8 id)
{
  guint at = get (f, 0x34, 1);

  while (at != 0 && get (f, at, 1) != id)
    at = get (f, at + 1, 1);
  return at;
}

static guint
status (Fixture *f)
{
  return get (f, f->express + STATUS, 2);
}

static void
control (Fixture *f, guint16 value)
{
  set (f, f->express + CONTROL, 2, value);
}

static VmmDevice *
make_card (Fixture *f)
{
  VmmVirtioRngConfig config = { .slot = VMM_PCI_BEHIND (0) };

  return vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_rng_class), &f->guest->board, "rng0",
                         &config, NULL);
}

static void
plug (Fixture *f)
{
  f->card = make_card (f);
  g_assert_nonnull (f->card);
  vmm_root_port_insert (f->port);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  VmmRootPortConfig config = { .slot = SLOT, .assigned = TRUE };

  f->guest = fake_guest_new ();
  f->port = vmm_device_new (&vmm_root_port_class.parent, &f->guest->board, "port0", &config, NULL);
  g_assert_nonnull (f->port);
  f->express = find_capability (f, 0x10);
  f->msi = find_capability (f, 0x05);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->card, vmm_device_free);
  vmm_device_free (f->port);
  fake_guest_free (f->guest);
}

/* As Linux's pciehp does at its start. */
static void
start_driver (Fixture *f)
{
  set (f, f->msi + 4, 4, 0xfee00000);
  set (f, f->msi + 8, 4, 0);
  set (f, f->msi + 12, 2, MSI);
  set (f, f->msi + 2, 2, 1);
  set (f, f->express + STATUS, 2, 0xffff);
  control (f, ENABLE | OFF);
}

static void
test_registers (Fixture *f, gconstpointer data)
{
  g_assert_cmphex (get (f, 0x08, 4) >> 8, ==, 0x060400);
  g_assert_cmphex (get (f, 0x0e, 1), ==, 0x01);
  g_assert_cmphex (get (f, f->express + 2, 2), ==, 0x0142);
  g_assert_cmphex (get (f, f->express + 0x14, 4), ==, 0x000c005b);
  g_assert_cmphex (get (f, 0x18, 4), ==, 0x00010100);
  /* No ports are forwarded, and memory only by the MiB. */
  set (f, 0x1c, 2, 0xffff);
  g_assert_cmphex (get (f, 0x1c, 2), ==, 0);
  set (f, 0x20, 4, 0xffffffff);
  g_assert_cmphex (get (f, 0x20, 4), ==, 0xfff0fff0);
  set (f, 0x24, 4, 0xffffffff);
  g_assert_cmphex (get (f, 0x24, 4), ==, 0xfff1fff1);
  g_assert_cmphex (status (f), ==, 0);
}

/* Nothing answers until there is something, and it has power and a bus. */
static void
test_cycles (Fixture *f, gconstpointer data)
{
  g_assert_cmphex (get_card (f, 0, 4), ==, 0xffffffff);
  plug (f);
  g_assert_cmphex (get_card (f, 0, 4), ==, 0xffffffff);
  control (f, 0);
  g_assert_cmphex (get_card (f, 0, 4), ==, 0x10441af4);
  g_assert_cmphex (fake_guest_read (f->guest, address (BUS, 1, 0), 4), ==, 0xffffffff);
  g_assert_cmphex (fake_guest_read (f->guest, address (BUS + 1, 0, 0), 4), ==, 0xffffffff);
  fake_guest_out (f->guest, 0xcf8, 4, 0x80000000 | BUS << 16);
  g_assert_cmphex (fake_guest_in (f->guest, 0xcfc, 4), ==, 0x10441af4);
  set (f, 0x19, 1, 9);
  g_assert_cmphex (get_card (f, 0, 4), ==, 0xffffffff);
  fake_guest_out (f->guest, 0xcf8, 4, 0x80000000 | 9 << 16);
  g_assert_cmphex (fake_guest_in (f->guest, 0xcfc, 4), ==, 0x10441af4);
  set (f, 0x19, 1, 0);
  g_assert_cmphex (get_card (f, 0, 4), ==, 0xffffffff);
  g_assert_cmphex (fake_guest_read (f->guest, address (0, 0, 0), 4), ==, 0x29c08086);
  g_assert_null (make_card (f)); /* one card a slot */
}

static gboolean
answers (Fixture *f)
{
  return fake_guest_read (f->guest, WINDOW + 0x12, 2) == 1; /* its number of queues */
}

/* BARs answer while the port forwards them: by window, command register and power. */
static void
test_windows (Fixture *f, gconstpointer data)
{
  plug (f);
  control (f, 0);
  set (f, 0x20, 4, (WINDOW >> 16) | WINDOW);
  set_card (f, 0x10, 4, WINDOW);
  set_card (f, 0x14, 4, 0);
  set_card (f, 0x04, 2, 0x0006);
  g_assert_false (answers (f));
  set (f, 0x04, 2, 0x0006);
  g_assert_true (answers (f));
  set (f, 0x20, 4, 0x0000fff0); /* closed */
  g_assert_false (answers (f));
  set (f, 0x24, 4, (WINDOW >> 16) | WINDOW); /* through the other one */
  set (f, 0x28, 4, 0);
  set (f, 0x2c, 4, 0);
  g_assert_true (answers (f));
  set (f, 0x2c, 4, 0xffffffff); /* a window without end is outside of all that there is */
  g_assert_true (answers (f));
  set (f, 0x28, 4, 0xffffffff);
  g_assert_false (answers (f));
  set (f, 0x28, 4, 0);
  control (f, OFF);
  g_assert_false (answers (f));
  control (f, 0);
  g_assert_true (answers (f));
  set (f, 0x04, 2, 0);
  g_assert_false (answers (f));
}

/* Presence and button tell of a card; link, that it has power. One message each. */
static void
test_comes (Fixture *f, gconstpointer data)
{
  start_driver (f);
  g_assert_cmpuint (fake_guest_take_message (f->guest, MSI), ==, 0);
  plug (f);
  g_assert_cmphex (status (f), ==, PRESENT | PRESENCE | LINK | BUTTON);
  g_assert_cmpuint (fake_guest_take_message (f->guest, MSI), ==, 1);
  set (f, f->express + STATUS, 2, BUTTON | LINK);
  g_assert_cmphex (status (f), ==, PRESENT | PRESENCE);
  set (f, f->express + STATUS, 2, PRESENCE);
  g_assert_cmphex (status (f), ==, PRESENT);
  control (f, ENABLE);
  g_assert_cmphex (status (f), ==, PRESENT | LINK);
  g_assert_cmphex (get (f, f->express + 0x12, 2), ==, 0x2011);
  g_assert_cmpuint (fake_guest_take_message (f->guest, MSI), ==, 1);
  /* Control and status in one access. */
  set (f, f->express + CONTROL, 4, LINK << 16 | ENABLE);
  g_assert_cmphex (status (f), ==, PRESENT);
  g_assert_cmphex (get (f, f->express + CONTROL, 2), ==, ENABLE);
}

/* Without MSI it is the pin's level. */
static void
test_pin (Fixture *f, gconstpointer data)
{
  guint gsi = vmm_pci_slot_gsi (SLOT);

  control (f, ENABLE | OFF);
  plug (f);
  g_assert_true (fake_guest_get_line (f->guest, gsi));
  set (f, f->express + STATUS, 2, 0xffff);
  g_assert_false (fake_guest_get_line (f->guest, gsi));
}

/* A guest that is asked gives the card up by its power; unasked it may have power or not. */
static void
test_goes (Fixture *f, gconstpointer data)
{
  FakePlatform *platform = &f->guest->platform;

  start_driver (f);
  plug (f);
  control (f, ENABLE);
  set (f, f->express + STATUS, 2, 0xffff);
  control (f, ENABLE | OFF);
  g_assert_cmphex (status (f), ==, PRESENT | LINK);
  g_assert_cmpuint (platform->n_unplugged, ==, 0);
  control (f, ENABLE);
  set (f, f->express + STATUS, 2, 0xffff);
  fake_guest_take_message (f->guest, MSI);

  vmm_root_port_press_button (f->port);
  g_assert_cmphex (status (f), ==, PRESENT | BUTTON);
  g_assert_cmpuint (fake_guest_take_message (f->guest, MSI), ==, 1);
  set (f, f->express + STATUS, 2, BUTTON);
  control (f, ENABLE | BLINKS);
  vmm_root_port_press_button (f->port); /* it is at it: no change of mind */
  g_assert_cmphex (status (f), ==, PRESENT);
  g_assert_false (vmm_root_port_is_released (f->port));
  control (f, ENABLE | OFF);
  g_assert_true (vmm_root_port_is_released (f->port));
  g_assert_cmpuint (platform->n_unplugged, ==, 1);
  g_assert_cmphex (status (f), ==, PRESENCE | LINK);
  control (f, ENABLE); /* too late */
  g_assert_cmphex (get_card (f, 0, 4), ==, 0xffffffff);
  vmm_root_port_remove (f->port);
  g_clear_pointer (&f->card, vmm_device_free);
  g_assert_null (vmm_root_port_get_child (f->port));
  plug (f);
  g_assert_cmphex (get_card (f, 0, 4), ==, 0x10441af4);
}

/* In a slot without power nobody needs to be asked. */
static void
test_goes_unpowered (Fixture *f, gconstpointer data)
{
  plug (f);
  vmm_root_port_press_button (f->port);
  g_assert_true (vmm_root_port_is_released (f->port));
}

static void
test_torn_out (Fixture *f, gconstpointer data)
{
  start_driver (f);
  plug (f);
  control (f, ENABLE);
  set (f, f->express + STATUS, 2, 0xffff);
  vmm_root_port_remove (f->port);
  g_assert_cmphex (status (f), ==, PRESENCE | LINK);
  g_assert_cmphex (get_card (f, 0, 4), ==, 0xffffffff);
}

/* After a reset a card has power from the start, and one that was asked for is gone. */
static void
test_reset (Fixture *f, gconstpointer data)
{
  plug (f);
  control (f, 0);
  vmm_device_reset (f->port);
  vmm_device_reset (f->card);
  g_assert_cmphex (status (f), ==, PRESENT);
  g_assert_cmphex (get_card (f, 0, 4), ==, 0x10441af4);
  g_assert_cmphex (get (f, 0x18, 4), ==, 0x00010100);
  vmm_root_port_press_button (f->port);
  vmm_device_reset (f->port);
  g_assert_true (vmm_root_port_is_released (f->port));
  g_assert_cmphex (status (f), ==, 0);
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeGuest) other = fake_guest_new ();
  VmmRootPortConfig config = { .slot = SLOT, .assigned = TRUE };
  VmmDevice *port =
    vmm_device_new (&vmm_root_port_class.parent, &other->board, "port0", &config, NULL);

  start_driver (f);
  vmm_root_port_remove (f->port);
  set (f, 0x19, 1, 7);
  fake_guest_check_saved (f->port, port);
  g_assert_cmphex (fake_guest_read (other, address (0, SLOT, 0x19), 1), ==, 7);
  vmm_device_free (port);
}

/* What was there from the start has power, and is no event. */
static void
test_put_in (Fixture *f, gconstpointer data)
{
  f->card = make_card (f);
  vmm_root_port_put_in (f->port);
  g_assert_cmphex (status (f), ==, PRESENT);
  control (f, ENABLE);
  g_assert_cmphex (status (f), ==, PRESENT);
  g_assert_cmphex (get_card (f, 0, 2), ==, 0x1af4);
  g_assert_cmpuint (fake_guest_take_message (f->guest, MSI), ==, 0);
}

/* Saved while its guest was asked for a card that has power: the other one is asked likewise, and
 * hears of nothing else. */
static void
test_saved_with_card (Fixture *f, gconstpointer data)
{
  Fixture other = { 0 };

  plug (f);
  start_driver (f);
  control (f, ENABLE);
  set (f, f->express + STATUS, 2, 0xffff);
  vmm_root_port_press_button (f->port);
  set (f, f->express + STATUS, 2, 0xffff);
  set_up (&other, NULL);
  other.card = make_card (&other);
  vmm_root_port_put_in (other.port);
  fake_guest_check_saved (f->port, other.port);
  g_assert_cmphex (status (&other), ==, PRESENT);
  g_assert_cmphex (get_card (&other, 0, 2), ==, 0x1af4);
  g_assert_cmpuint (fake_guest_take_message (other.guest, MSI), ==, 0);
  control (&other, ENABLE | OFF);
  g_assert_cmpuint (other.guest->platform.n_unplugged, ==, 1);
  g_assert_true (vmm_root_port_is_released (other.port));
  tear_down (&other, NULL);
}

/* Given up, but not taken out yet. */
static void
test_saved_released (Fixture *f, gconstpointer data)
{
  Fixture other = { 0 };

  plug (f);
  start_driver (f);
  control (f, ENABLE);
  vmm_root_port_press_button (f->port);
  control (f, ENABLE | OFF);
  g_assert_true (vmm_root_port_is_released (f->port));
  set_up (&other, NULL);
  other.card = make_card (&other);
  vmm_root_port_put_in (other.port);
  fake_guest_check_saved (f->port, other.port);
  g_assert_true (vmm_root_port_is_released (other.port));
  g_assert_cmpuint (other.guest->platform.n_unplugged, >=, 1);
  g_assert_cmphex (status (&other) & PRESENT, ==, 0);
  tear_down (&other, NULL);
}

/* Ports take their windows from what there is, and share none. */
static void
test_two_ports (Fixture *f, gconstpointer data)
{
  VmmRootPortConfig config = { .slot = SLOT, .function = 1, .number = 1, .assigned = TRUE };
  VmmDevice *port =
    vmm_device_new (&vmm_root_port_class.parent, &f->guest->board, "port1", &config, NULL);
  guint32 first = get (f, 0x20, 4), second = get (f, 0x1020, 4);

  g_assert_cmphex (get (f, 0x1018, 4), ==, 0x00020200);
  g_assert_cmphex (second & 0xffff, >, first >> 16);
  vmm_device_free (port);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*func) (Fixture *f, gconstpointer data);
  } tests[] = {
    { "/root-port/registers", test_registers },
    { "/root-port/cycles", test_cycles },
    { "/root-port/windows", test_windows },
    { "/root-port/comes", test_comes },
    { "/root-port/pin", test_pin },
    { "/root-port/goes", test_goes },
    { "/root-port/goes-unpowered", test_goes_unpowered },
    { "/root-port/torn-out", test_torn_out },
    { "/root-port/reset", test_reset },
    { "/root-port/saved", test_saved },
    { "/root-port/saved/with-card", test_saved_with_card },
    { "/root-port/saved/released", test_saved_released },
    { "/root-port/put-in", test_put_in },
    { "/root-port/two-ports", test_two_ports },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].func, tear_down);
  return g_test_run ();
}
