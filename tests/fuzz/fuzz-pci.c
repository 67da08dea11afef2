/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ports, configuration space and BARs of all devices, in any order and any size.
 */
#include "fake-devices.h"
#include "pci/root-port.h"

#define MAX_DEEDS   512
#define N_FUNCTIONS 14 /* on bus 0 */
#define ECAM_BUS    (1 << 20)

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
touch (VmmBus *bus, guint64 address, guint size, FuzzReader *reader, gboolean write)
{
  if (write)
    vmm_bus_write (bus, address, size, fuzz_reader_u64 (reader));
  else
    vmm_bus_read (bus, address, size);
}

/* A card goes and comes as by a person who presses the button, pulls and pushes. */
static void
do_plug (FakeDevices *all, guint8 what)
{
  VmmDevice *port = all->devices[FAKE_PORT];

  if (what % 3 == 0)
    vmm_root_port_press_button (port);
  else if (what % 3 == 1)
    vmm_root_port_remove (port);
  else
    vmm_root_port_insert (port);
}

/* What: two bits of size, one of direction, and what is meant. */
static void
do_deed (FakeDevices *all, FuzzReader *reader)
{
  guint8 what = fuzz_reader_u8 (reader);
  guint16 where = fuzz_reader_u16 (reader);
  guint size = 1 << (what & 3);
  gboolean write = (what & 4) != 0;
  guint slot;
  FakeGuest *guest = all->guest;

  switch (what >> 3 & 3) {
  case 0:
    touch (guest->ports, where, size, reader, write);
    break;
  case 1: /* the first 256 bytes of each function, where everything is; the last ones are the port's
             and the card's */
    slot = (where >> 8) % (N_FUNCTIONS + 2);
    if (slot == N_FUNCTIONS)
      do_plug (all, where);
    else
      touch (guest->mmio,
             VMM_PCI_ECAM_BASE + (slot > N_FUNCTIONS ? ECAM_BUS : slot << 15) + (where & 0xff),
             size, reader, write);
    break;
  case 2: /* where the BARs are put first */
    touch (guest->mmio, VMM_PCI_WINDOW_BASE + (guint64) where * 4, size, reader, write);
    break;
  default:
    touch (guest->mmio, (guint64) fuzz_reader_u32 (reader) << (what >> 5), size, reader, write);
    break;
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static FakeDevices *all;
  FuzzReader reader = { data, size };

  if (!all)
    all = fake_devices_new ();
  vmm_root_port_insert (all->devices[FAKE_PORT]);
  for (guint i = 0; i < MAX_DEEDS && reader.left > 0; i++)
    do_deed (all, &reader);
  fake_guest_settle (all->guest);
  fake_devices_reset (all);
  return 0;
}
