/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A hostile driver of the AHCI controller: commands of disks and CD drives with tables of its own
 * making, registers, memory, and what the host does meanwhile.
 */
#include <string.h>

#include "ahci/ata-command.h"
#include "fake-ahci.h"
#include "fake-devices.h"

#define MAX_DEEDS   64
#define MAX_ENTRIES 15
#define WINDOW      0x40000 /* of guest memory that data lies in */
#define REGISTERS   0x210
#define N_PORTS     2
#define N_SLOTS     4
#define FATAL       (IS_TFES | IS_HBFS | IS_IFS)

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct {
  FakeDevices *all;
  FakeAhci *ahci;
  FuzzReader reader;
  guint64 window;
} Run;

/* What is under way ends here, or is put off; the input alone decides what happens. */
static void
settle (Run *run)
{
  VmmDevice *device = run->all->devices[FAKE_AHCI];

  for (guint i = 0; i < 3; i++) {
    fake_guest_settle (run->all->guest);
    vmm_device_drain (device);
    vmm_device_resume (device);
  }
  fake_guest_settle (run->all->guest);
}

static void
start (Run *run, guint port)
{
  if (fake_ahci_read_port (run->ahci, port, PX_CMD) & CMD_CR)
    fake_ahci_stop (run->ahci, port);
  fake_ahci_start (run->ahci, port);
}

/* Entries one after another in the window; where the lowest bit of a length is not set, not in it.
 */
static guint
read_entries (Run *run, FakeBuffer *buffers)
{
  guint n = fuzz_reader_u8 (&run->reader) & MAX_ENTRIES;
  guint64 at = run->window;

  for (guint i = 0; i < n; i++) {
    guint16 length = fuzz_reader_u16 (&run->reader);

    buffers[i] = (FakeBuffer) { at, length + 1u };
    if (length % 64 == 62)
      buffers[i].address = fuzz_reader_u64 (&run->reader);
    at = run->window + (at - run->window + length + 1) % (WINDOW - 0x10000);
  }
  return n;
}

static void
send_command (Run *run, gboolean packet)
{
  guint8 where = fuzz_reader_u8 (&run->reader);
  guint port = packet ? 1 : where & 1, slot = where >> 1 & (N_SLOTS - 1);
  guint8 bytes[12];
  FakeBuffer buffers[MAX_ENTRIES];
  FakeAta ata = { .command = ATA_PACKET_COMMAND, .packet = bytes };
  guint n;

  if (packet) {
    ata.features = where >> 7;
    fuzz_reader_read (&run->reader, bytes, sizeof bytes);
  } else {
    ata.packet = NULL;
    ata.command = fuzz_reader_u8 (&run->reader);
    ata.device = fuzz_reader_u8 (&run->reader);
    ata.features = fuzz_reader_u16 (&run->reader);
    ata.count = fuzz_reader_u16 (&run->reader);
    fuzz_reader_read (&run->reader, &ata.lba, 6);
    if (where & 0x40) { /* within reach */
      ata.lba &= 0x7ff;
      ata.device |= 0x40;
    }
    if (ata.command >> 1 == ATA_READ_FPDMA_QUEUED >> 1)
      ata.count = (ata.count & ~0xff) | slot << 3;
  }
  n = read_entries (run, buffers);
  if (fake_ahci_read_port (run->ahci, port, PX_IS) & FATAL)
    start (run, port);
  fake_ahci_prepare (run->ahci, port, slot, &ata, buffers, n);
  if (ata.command >> 1 == ATA_READ_FPDMA_QUEUED >> 1)
    fake_ahci_write_port (run->ahci, port, PX_SACT, 1u << slot);
  fake_ahci_write_port (run->ahci, port, PX_CI, 1u << slot);
}

static void
write_register (Run *run)
{
  guint16 where = fuzz_reader_u16 (&run->reader);
  guint size = 1 << (where >> 14 & 3);
  guint64 address = run->ahci->bar + (where & 0x3fff) % REGISTERS;

  vmm_bus_write (run->all->guest->mmio, address, size, fuzz_reader_u64 (&run->reader));
  vmm_bus_read (run->all->guest->mmio, address, size);
}

/* Lists, tables and data. */
static void
write_memory (Run *run)
{
  guint32 where = fuzz_reader_u32 (&run->reader) & 0x7ffff;
  guint8 length = fuzz_reader_u8 (&run->reader);

  fuzz_reader_read (&run->reader,
                    fake_guest_at (run->all->guest, run->all->first_free + where, 256), length);
}

static void
host_does (Run *run)
{
  VmmDevice *device = run->all->devices[FAKE_AHCI];

  switch (fuzz_reader_u8 (&run->reader) & 7) {
  case 0:
    vmm_ahci_change_medium (device, "cdrom0", NULL);
    break;
  case 1:
    vmm_ahci_change_medium (device, "cdrom0", run->all->disc);
    break;
  case 2:
    vmm_ahci_ask_to_eject (device, "cdrom0");
    break;
  case 3:
    vmm_device_drain (device);
    vmm_device_resume (device);
    break;
  default:
    start (run, fuzz_reader_u8 (&run->reader) & 1);
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
  case 3: /* a command, and the next deed at once */
    send_command (run, FALSE);
    return;
  case 4:
  case 5:
    send_command (run, FALSE);
    break;
  default:
    send_command (run, TRUE);
    break;
  }
  settle (run);
}

/* Whatever was done: after a reset the disk answers. */
static void
check_alive (Run *run)
{
  FakeAta ata = { .command = 0xec };
  FakeBuffer buffer = { run->window, 512 };

  run->ahci = fake_ahci_new (run->all->guest, run->all->devices[FAKE_AHCI], FALSE);
  run->window = fake_guest_alloc (run->all->guest, WINDOW);
  for (guint port = 0; port < N_PORTS; port++)
    start (run, port);
  g_assert_cmphex (fake_ahci_run (run->ahci, 0, &ata, &buffer, 1), ==, TFD_GOOD);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static FakeDevices *all;
  Run run = { .reader = { data, size } };

  if (!all)
    all = fake_devices_new ();
  run.all = all;
  check_alive (&run);
  for (guint i = 0; i < MAX_DEEDS && run.reader.left > 0; i++)
    do_deed (&run);
  settle (&run);
  fake_ahci_free (run.ahci);
  vmm_ahci_change_medium (all->devices[FAKE_AHCI], "cdrom0", all->disc);
  fake_devices_reset (all);
  return 0;
}
