/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The registers of the xHCI controller (xHCI 1.1, chapter 5) behind its BAR. A doorbell only notes
 * what was rung and wakes the loop, where rings are worked on.
 *
 * Threads: vCPU, with the controller locked.
 */
#include "usb/xhci-private.h"

#define OPERATIONAL   0x40
#define PORTS         (OPERATIONAL + 0x400)
#define PORTS_END     (PORTS + 0x10 * VMM_XHCI_N_PORTS)
#define EXTENDED      0x600
#define RUNTIME       0x1000
#define DOORBELLS     0x2000
#define DOORBELLS_END (DOORBELLS + 4 * (XHCI_N_SLOTS + 1))

#define HCIVERSION 0x0110u
#define HCSPARAMS1 (XHCI_N_SLOTS | XHCI_N_INTERRUPTERS << 8 | (guint32) VMM_XHCI_N_PORTS << 24)
#define HCSPARAMS2 (XHCI_ERST_MAX << 4)
#define HCCPARAMS1 (1u | EXTENDED / 4 << 16) /* 64-bit addresses; no streams */
#define PAGE_4_KIB 1

#define CMD_HCRST   0x0002u
#define STS_CLEARED 0x041cu /* HSE, EINT, PCD, SRE: by writing them */

#define CRCR_RCS     0x1u
#define CRCR_STOP    0x6u /* CS, CA */
#define CRCR_CRR     0x8u
#define CRCR_POINTER (~G_GUINT64_CONSTANT (0x3f))

#define MICROFRAME_US   125
#define MFINDEX_MASK    0x3fff
#define DOORBELL_TARGET 0xff
#define LOW_HALF        G_GUINT64_CONSTANT (0xffffffff)

static void
write_usbcmd (Xhci *self, guint32 value)
{
  gboolean ran = self->usbcmd & XHCI_CMD_RS;

  if (value & CMD_HCRST) {
    xhci_reset_controller (self);
    return;
  }
  self->usbcmd = value & XHCI_CMD_WRITABLE;
  if ((value & XHCI_CMD_RS) && !ran) {
    self->usbsts &= ~XHCI_STS_HCH;
    self->started_us = g_get_monotonic_time ();
    vmm_kick_ring (&self->kick);
  } else if (!(value & XHCI_CMD_RS) && ran) {
    xhci_cancel_all (self);
    self->usbsts |= XHCI_STS_HCH;
    self->command_running = FALSE;
  }
  xhci_update_interrupt (self);
}

static void
stop_commands (Xhci *self)
{
  if (!self->command_running)
    return;
  self->command_running = self->command_rung = FALSE;
  xhci_send_event (self, XHCI_COMMAND_COMPLETION,
                   &(XhciTrb) {
                     .parameter = self->command_ring.dequeue,
                     .status = (guint32) XHCI_COMMAND_RING_STOPPED << XHCI_TRB_CODE_SHIFT,
                   });
}

/* One half of a register of 64 bits. */
static guint64
with_half (guint64 whole, guint offset, guint32 value)
{
  if (offset & 4)
    return (whole & LOW_HALF) | (guint64) value << 32;
  return (whole & ~LOW_HALF) | value;
}

static void
write_crcr (Xhci *self, guint offset, guint32 value)
{
  if (self->command_running) {
    if (!(offset & 4) && (value & CRCR_STOP))
      stop_commands (self);
    return;
  }
  self->crcr = with_half (self->crcr, offset, value);
  self->command_ring.dequeue = self->crcr & CRCR_POINTER;
  self->command_ring.cycle = (self->crcr & CRCR_RCS) != 0;
}

static guint32
read_capability (Xhci *self, guint offset)
{
  static const guint32 registers[] = {
    OPERATIONAL | HCIVERSION << 16, HCSPARAMS1, HCSPARAMS2, 0, HCCPARAMS1, DOORBELLS, RUNTIME, 0,
  };

  return offset / 4 < G_N_ELEMENTS (registers) ? registers[offset / 4] : 0;
}

/* Supported Protocol Capabilities (7.2): which ports speak what. */
static guint32
read_extended (Xhci *self, guint offset)
{
  static const guint32 registers[] = {
    0x02000402, 0x20425355, 0x00000401, 0, /* USB 2.0, "USB ", four ports from 1 */
    0x03000002, 0x20425355, 0x00000405, 0, /* USB 3.0, four ports from 5 */
  };

  return offset / 4 < G_N_ELEMENTS (registers) ? registers[offset / 4] : 0;
}

static guint32
read_operational (Xhci *self, guint offset)
{
  switch (offset) {
  case 0x00:
    return self->usbcmd;
  case 0x04:
    return self->usbsts;
  case 0x08:
    return PAGE_4_KIB;
  case 0x14:
    return self->dnctrl;
  case 0x18: /* what was written to it cannot be read */
    return self->command_running ? CRCR_CRR : 0;
  case 0x30:
    return self->dcbaap;
  case 0x34:
    return self->dcbaap >> 32;
  case 0x38:
    return self->config;
  default:
    return 0;
  }
}

static void
write_operational (Xhci *self, guint offset, guint32 value)
{
  switch (offset) {
  case 0x00:
    write_usbcmd (self, value);
    break;
  case 0x04:
    self->usbsts &= ~(value & STS_CLEARED);
    break;
  case 0x14:
    self->dnctrl = value & 0xffff;
    break;
  case 0x18:
  case 0x1c:
    write_crcr (self, offset - 0x18, value);
    break;
  case 0x30:
  case 0x34:
    self->dcbaap = with_half (self->dcbaap, offset - 0x30, value) & CRCR_POINTER;
    break;
  case 0x38:
    self->config = value & 0xff;
    break;
  default:
    break;
  }
}

static guint32
read_runtime (Xhci *self, guint offset)
{
  switch (offset) {
  case 0:
    if (!xhci_is_running (self))
      return 0;
    return (g_get_monotonic_time () - self->started_us) / MICROFRAME_US & MFINDEX_MASK;
  case 0x20:
    return self->iman;
  case 0x24:
    return self->imod;
  case 0x28:
    return self->erstsz;
  case 0x30:
    return self->erstba;
  case 0x34:
    return self->erstba >> 32;
  case 0x38:
    return self->erdp;
  case 0x3c:
    return self->erdp >> 32;
  default:
    return 0;
  }
}

static void
write_iman (Xhci *self, guint32 value)
{
  self->iman = (self->iman & XHCI_IMAN_IP & ~value) | (value & XHCI_IMAN_IE);
  xhci_update_interrupt (self);
}

static void
write_runtime (Xhci *self, guint offset, guint32 value)
{
  switch (offset) {
  case 0x20:
    write_iman (self, value);
    break;
  case 0x24:
    self->imod = value;
    break;
  case 0x28:
    self->erstsz = MIN (value & 0xffff, 1u << XHCI_ERST_MAX);
    xhci_event_ring_restart (self);
    break;
  case 0x30:
  case 0x34:
    self->erstba = with_half (self->erstba, offset - 0x30, value) & CRCR_POINTER;
    xhci_event_ring_restart (self);
    break;
  case 0x38:
    xhci_write_erdp (self, with_half (self->erdp, 0, value), TRUE);
    break;
  case 0x3c:
    xhci_write_erdp (self, with_half (self->erdp, 4, value), FALSE);
    break;
  default:
    break;
  }
}

/* An endpoint that was stopped goes on. */
static void
ring_endpoint (Xhci *self, guint number, guint dci)
{
  XhciSlot *slot = xhci_slot_at (self, number);

  if (!slot || dci < 1 || dci > XHCI_N_ENDPOINTS)
    return;
  if (slot->endpoints[dci - 1].state == XHCI_EP_STOPPED)
    xhci_endpoint_set_state (self, slot, dci, XHCI_EP_RUNNING);
  slot->rung |= 1u << dci;
  vmm_kick_ring (&self->kick);
}

static void
ring_doorbell (Xhci *self, guint number, guint32 value)
{
  if (!xhci_is_running (self))
    return;
  if (number > 0) {
    ring_endpoint (self, number, value & DOORBELL_TARGET);
  } else if ((value & DOORBELL_TARGET) == 0) {
    self->command_running = self->command_rung = TRUE;
    vmm_kick_ring (&self->kick);
  }
}

static guint32
read_register (Xhci *self, guint offset)
{
  if (offset < OPERATIONAL)
    return read_capability (self, offset);
  if (offset < PORTS)
    return read_operational (self, offset - OPERATIONAL);
  if (offset < PORTS_END)
    return xhci_port_read (self, 1 + (offset - PORTS) / 0x10, offset % 0x10);
  if (offset >= EXTENDED && offset < RUNTIME)
    return read_extended (self, offset - EXTENDED);
  if (offset >= RUNTIME && offset < DOORBELLS)
    return read_runtime (self, offset - RUNTIME);
  return 0;
}

static void
write_register (Xhci *self, guint offset, guint32 value)
{
  if (offset >= OPERATIONAL && offset < PORTS)
    write_operational (self, offset - OPERATIONAL, value);
  else if (offset >= PORTS && offset < PORTS_END)
    xhci_port_write (self, 1 + (offset - PORTS) / 0x10, offset % 0x10, value);
  else if (offset >= RUNTIME && offset < DOORBELLS)
    write_runtime (self, offset - RUNTIME, value);
  else if (offset >= DOORBELLS && offset < DOORBELLS_END)
    ring_doorbell (self, (offset - DOORBELLS) / 4, value);
}

static guint64
xhci_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  Xhci *self = (Xhci *) device;
  guint shift = 8 * (offset % 4);
  guint64 value;

  if (offset >= XHCI_MSIX_PBA)
    return vmm_msix_read_pba (&self->parent.msix, offset - XHCI_MSIX_PBA, size);
  if (offset >= XHCI_MSIX_TABLE)
    return vmm_msix_read_table (&self->parent.msix, offset - XHCI_MSIX_TABLE, size);
  value = read_register (self, offset & ~G_GUINT64_CONSTANT (3));
  if (shift + 8 * size > 32)
    value |= (guint64) read_register (self, (offset & ~G_GUINT64_CONSTANT (3)) + 4) << 32;
  return value >> shift;
}

/* Registers are written whole (5.1). */
static void
xhci_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  Xhci *self = (Xhci *) device;

  if (offset >= XHCI_MSIX_TABLE && offset < XHCI_MSIX_PBA) {
    vmm_msix_write_table (&self->parent.msix, offset - XHCI_MSIX_TABLE, size, value);
    return;
  }
  if (offset >= XHCI_MSIX_PBA || offset % 4 != 0 || size < 4)
    return;
  write_register (self, offset, value);
  if (size == 8)
    write_register (self, offset + 4, value >> 32);
}

const VmmBusOps xhci_ops = { xhci_read, xhci_write };
