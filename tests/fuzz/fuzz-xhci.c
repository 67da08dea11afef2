/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A hostile driver of the xHCI controller, with a keyboard and a tablet on it: blocks in all rings,
 * contexts, registers, memory, and what the host does meanwhile.
 */
#include <string.h>

#include "fake-devices.h"
#include "fake-xhci.h"
#include "usb/usb-hid.h"

#define MAX_DEEDS 64
#define WINDOW    0x10000 /* of guest memory that data lies in */
#define REGISTERS 0x2100
#define N_PORTS   2

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct {
  FakeDevices *all;
  FakeXhci *xhci;
  FuzzReader reader;
  guint64 window;
} Run;

static void
settle (Run *run)
{
  XhciTrb event;
  guint n = 0;

  for (guint i = 0; i < 3; i++)
    fake_guest_settle (run->all->guest);
  while (n++ < FAKE_XHCI_EVENTS && fake_xhci_take_event (run->xhci, &event))
    ;
  fake_xhci_done (run->xhci);
}

/* A block with a cycle bit that is right, and all else as it comes. Low addresses are in the
 * window. */
static void
put_block (Run *run, FakeRing *ring)
{
  guint8 type = fuzz_reader_u8 (&run->reader);
  guint16 flags = fuzz_reader_u16 (&run->reader);
  guint32 status = fuzz_reader_u32 (&run->reader);
  guint64 parameter = fuzz_reader_u64 (&run->reader);

  if (!ring->base)
    return;
  if (type & 0x80)
    parameter = run->window + parameter % WINDOW;
  fake_ring_put (run->xhci, ring, parameter, status,
                 (guint32) (type & 0x3f) << XHCI_TRB_TYPE_SHIFT | (flags & 0x3fe) |
                   (guint32) (flags >> 10) << XHCI_TRB_ENDPOINT_SHIFT |
                   (type & 0x40 ? XHCI_TRB_TO_HOST : 0));
}

static void
send_command (Run *run)
{
  guint8 what = fuzz_reader_u8 (&run->reader);
  guint slot = 1 + what % FAKE_XHCI_SLOTS, dci = what >> 3;
  guint type = XHCI_ENABLE_SLOT + fuzz_reader_u8 (&run->reader) % 16;
  guint64 parameter = run->xhci->slots[slot].input;

  if (type == XHCI_SET_TR_DEQUEUE && dci < 32)
    parameter = run->xhci->slots[slot].rings[dci].base | 1;
  fake_ring_put (run->xhci, &run->xhci->commands, parameter, 0,
                 type << XHCI_TRB_TYPE_SHIFT | slot << XHCI_TRB_SLOT_SHIFT |
                   dci << XHCI_TRB_ENDPOINT_SHIFT |
                   (fuzz_reader_u8 (&run->reader) & 1 ? XHCI_TRB_BSR : 0));
  fake_xhci_ring_doorbell (run->xhci, 0, 0);
}

static void
send_setup (Run *run)
{
  guint slot = 1 + fuzz_reader_u8 (&run->reader) % N_PORTS;
  FakeRing *ring = &run->xhci->slots[slot].rings[1];
  guint64 setup = fuzz_reader_u64 (&run->reader);
  guint16 length = fuzz_reader_u16 (&run->reader);

  fake_ring_put (run->xhci, ring, setup, 8, XHCI_SETUP_STAGE << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_IDT);
  if (length & 0x3ff)
    fake_ring_put (run->xhci, ring, run->window, length & 0x3ff,
                   XHCI_DATA_STAGE << XHCI_TRB_TYPE_SHIFT | (length >> 10 << 2));
  fake_ring_put (run->xhci, ring, 0, 0, XHCI_STATUS_STAGE << XHCI_TRB_TYPE_SHIFT | XHCI_TRB_IOC);
  fake_xhci_ring_doorbell (run->xhci, slot, 1);
}

static void
put_transfer (Run *run)
{
  guint8 what = fuzz_reader_u8 (&run->reader);
  guint slot = 1 + (what & 1), dci = what >> 1 & 3, n = what >> 3 & 7;

  for (guint i = 0; i <= n; i++)
    put_block (run, &run->xhci->slots[slot].rings[dci]);
  fake_xhci_ring_doorbell (run->xhci, slot, dci);
}

/* An input context as it comes, for the next command. */
static void
write_context (Run *run)
{
  guint8 what = fuzz_reader_u8 (&run->reader);
  guint slot = 1 + (what & 1);
  guint word = fuzz_reader_u8 (&run->reader);

  fake_xhci_input (run->xhci, slot, 0)[word] = fuzz_reader_u32 (&run->reader);
}

static void
write_register (Run *run)
{
  guint16 where = fuzz_reader_u16 (&run->reader);
  guint size = 1 << (where >> 14 & 3);
  guint64 address = run->xhci->bar + (where & 0x3fff) % REGISTERS;

  vmm_bus_write (run->all->guest->mmio, address, size, fuzz_reader_u64 (&run->reader));
  vmm_bus_read (run->all->guest->mmio, address, size);
}

static void
write_memory (Run *run)
{
  guint16 where = fuzz_reader_u16 (&run->reader);
  guint8 length = fuzz_reader_u8 (&run->reader);

  fuzz_reader_read (&run->reader,
                    fake_guest_at (run->all->guest, run->all->first_free + where, 256), length);
}

static void
host_does (Run *run)
{
  guint8 what = fuzz_reader_u8 (&run->reader);
  VmmDevice *device = run->all->devices[FAKE_XHCI];
  VmmUsbHidConfig hid = { .input = run->all->input };

  switch (what & 7) {
  case 0:
  case 1:
    vmm_input_key (run->all->input, fuzz_reader_u8 (&run->reader), what & 0x80);
    break;
  case 2:
    vmm_input_move (run->all->input, what / 255.0, 0.5);
    break;
  case 3:
    vmm_input_wheel (run->all->input, what >> 3, 0);
    break;
  case 4:
    vmm_device_drain (device);
    vmm_device_resume (device);
    break;
  case 5:
    if (vmm_xhci_detach (device, "usb-tablet0"))
      vmm_xhci_attach (device,
                       vmm_usb_device_new (&vmm_usb_tablet_class, "usb-tablet0", &hid, NULL), NULL);
    break;
  default:
    fake_xhci_write_port (run->xhci, 1 + (what >> 3 & 1), (guint32) what << 1 | 0x10000);
    break;
  }
}

static void
do_deed (Run *run)
{
  switch (fuzz_reader_u8 (&run->reader) & 7) {
  case 0:
    write_register (run);
    break;
  case 1:
    write_memory (run);
    break;
  case 2:
    host_does (run);
    break;
  case 3:
    send_command (run);
    break;
  case 4:
    write_context (run);
    return;
  case 5:
    put_block (run, &run->xhci->commands);
    fake_xhci_ring_doorbell (run->xhci, 0, 0);
    break;
  case 6:
    send_setup (run);
    break;
  default:
    put_transfer (run);
    break;
  }
  settle (run);
}

/* Both devices with an address and their endpoint: whatever was done before. */
static void
start (Run *run)
{
  run->xhci = fake_xhci_new (run->all->guest, run->all->devices[FAKE_XHCI], FALSE);
  run->window = fake_guest_alloc (run->all->guest, WINDOW);
  for (guint port = 1; port <= N_PORTS; port++) {
    guint slot = fake_xhci_address (run->xhci, port);

    g_assert_cmpuint (slot, ==, port);
    g_assert_cmpuint (fake_xhci_configure (run->xhci, slot, 3, 7), ==, XHCI_SUCCESS);
    g_assert_cmpuint (fake_xhci_control (run->xhci, slot, 0, 9, 1, 0, 0, 0, NULL), ==,
                      XHCI_SUCCESS);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static FakeDevices *all;
  Run run = { .reader = { data, size } };

  if (!all)
    all = fake_devices_new ();
  run.all = all;
  start (&run);
  for (guint i = 0; i < MAX_DEEDS && run.reader.left > 0; i++)
    do_deed (&run);
  fake_xhci_free (run.xhci);
  fake_devices_reset (all);
  return 0;
}
