/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The 16550A. Output gathers in the device and the loop writes it out a moment later, so that a
 * line of text costs a few system calls and a slow reader never holds a vCPU: where the reader
 * does not read, the transmitter is simply not empty.
 *
 * Threads: registers on vCPU threads, descriptors on the loop; both with the device locked.
 */
#include <string.h>

#include "chips/serial-private.h"

#define N_PORTS     8
#define TX_DELAY_NS 2000000

enum {
  REG_DATA = 0, /* divisor low with DLAB */
  REG_IER = 1,  /* divisor high with DLAB */
  REG_IIR = 2,  /* FCR when written */
  REG_LCR = 3,
  REG_MCR = 4,
  REG_LSR = 5,
  REG_MSR = 6,
  REG_SCR = 7,
};

#define IER_RX       0x01
#define IER_TX       0x02
#define IER_LINE     0x04
#define IER_MODEM    0x08
#define IIR_NONE     0x01
#define IIR_TX       0x02
#define IIR_RX       0x04
#define IIR_LINE     0x06
#define IIR_FIFOS    0xc0
#define FCR_ENABLE   0x01
#define FCR_CLEAR_RX 0x02
#define LCR_DLAB     0x80
#define MCR_OUT2     0x08
#define MCR_LOOP     0x10
#define LSR_READY    0x01
#define LSR_OVERRUN  0x02
#define LSR_TX_EMPTY 0x20
#define LSR_TX_IDLE  0x40
#define MSR_CTS      0x10
#define MSR_DSR      0x20
#define MSR_RI       0x40
#define MSR_DCD      0x80

static const VmmField serial_fields[] = {
  VMM_EXEMPT_DEVICE (Serial),
  VMM_EXEMPT (Serial, config, "from the configuration"),
  VMM_EXEMPT (Serial, input, "of the loop"),
  VMM_EXEMPT (Serial, timer, "of the loop"),
  VMM_EXEMPT (Serial, stalled, "follows from n-rx"),
  VMM_EXEMPT (Serial, drained, "of the loop"),
  VMM_FIELD (Serial, line, VMM_FIELD_BOOL, "line"),
  VMM_FIELD (Serial, ier, VMM_FIELD_UINT8, "ier"),
  VMM_FIELD (Serial, fcr, VMM_FIELD_UINT8, "fcr"),
  VMM_FIELD (Serial, lcr, VMM_FIELD_UINT8, "lcr"),
  VMM_FIELD (Serial, mcr, VMM_FIELD_UINT8, "mcr"),
  VMM_FIELD (Serial, scr, VMM_FIELD_UINT8, "scr"),
  VMM_FIELD (Serial, lsr_errors, VMM_FIELD_UINT8, "lsr-errors"),
  VMM_FIELD (Serial, divisor, VMM_FIELD_BYTES, "divisor"),
  VMM_FIELD (Serial, tx_pending, VMM_FIELD_BOOL, "tx-pending"),
  VMM_FIELD (Serial, n_rx, VMM_FIELD_UINT32, "n-rx"),
  VMM_FIELD (Serial, n_tx, VMM_FIELD_UINT32, "n-tx"),
  VMM_FIELD (Serial, rx, VMM_FIELD_BYTES, "rx"),
  VMM_FIELD (Serial, tx, VMM_FIELD_BYTES, "tx"),
  VMM_FIELD_LAST,
};

static gboolean
serial_tx_has_room (Serial *self)
{
  return self->n_tx < TX_SIZE;
}

static guint8
serial_interrupt (Serial *self)
{
  if ((self->ier & IER_LINE) && self->lsr_errors)
    return IIR_LINE;
  if ((self->ier & IER_RX) && self->n_rx > 0)
    return IIR_RX;
  if ((self->ier & IER_TX) && self->tx_pending && serial_tx_has_room (self))
    return IIR_TX;
  return IIR_NONE;
}

void
serial_update_line (Serial *self)
{
  VmmPlatform *platform = self->parent.board->platform;
  gboolean level = (self->mcr & MCR_OUT2) && serial_interrupt (self) != IIR_NONE;

  if (level == self->line)
    return;
  self->line = level;
  platform->klass->set_line (platform, self->config.gsi, level);
}

void
serial_receive (Serial *self, const guint8 *bytes, gsize n)
{
  gsize room = RX_SIZE - self->n_rx;

  if (n > room)
    self->lsr_errors |= LSR_OVERRUN;
  n = MIN (n, room);
  memcpy (self->rx + self->n_rx, bytes, n);
  self->n_rx += n;
}

/* The guest made room. */
static void
serial_unstall (Serial *self)
{
  if (!self->stalled || self->n_rx > 0)
    return;
  self->stalled = FALSE;
  vmm_loop_post (self->parent.board->loop, serial_watch_input, self);
}

static guint8
serial_read_data (Serial *self)
{
  guint8 byte;

  if (self->n_rx == 0)
    return 0;
  byte = self->rx[0];
  self->n_rx--;
  memmove (self->rx, self->rx + 1, self->n_rx);
  serial_unstall (self);
  return byte;
}

static void
serial_write_data (Serial *self, guint8 byte)
{
  self->tx_pending = TRUE;
  if (self->mcr & MCR_LOOP) {
    serial_receive (self, &byte, 1);
    return;
  }
  if (self->config.out_fd < 0 || !serial_tx_has_room (self))
    return;
  self->tx[self->n_tx++] = byte;
  if (self->n_tx == 1)
    vmm_source_arm (self->timer, serial_now_ns () + TX_DELAY_NS);
  else if (self->n_tx == TX_SIZE / 2)
    vmm_source_arm (self->timer, 1);
}

static guint8
serial_read_iir (Serial *self)
{
  guint8 iir = serial_interrupt (self);

  if (iir == IIR_TX)
    self->tx_pending = FALSE;
  return iir | (self->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static guint8
serial_read_lsr (Serial *self)
{
  guint8 lsr = self->lsr_errors;

  self->lsr_errors = 0;
  if (self->n_rx > 0)
    lsr |= LSR_READY;
  if (serial_tx_has_room (self))
    lsr |= LSR_TX_EMPTY | LSR_TX_IDLE;
  return lsr;
}

/* In loopback the modem's outputs are its inputs. */
static guint8
serial_read_msr (Serial *self)
{
  if (!(self->mcr & MCR_LOOP))
    return MSR_CTS | MSR_DSR | MSR_DCD;
  return (self->mcr & 0x01 ? MSR_DSR : 0) | (self->mcr & 0x02 ? MSR_CTS : 0) |
         (self->mcr & 0x04 ? MSR_RI : 0) | (self->mcr & 0x08 ? MSR_DCD : 0);
}

static guint8
serial_read_register (Serial *self, guint64 offset)
{
  gboolean dlab = self->lcr & LCR_DLAB;

  switch (offset) {
  case REG_DATA:
    return dlab ? self->divisor[0] : serial_read_data (self);
  case REG_IER:
    return dlab ? self->divisor[1] : self->ier;
  case REG_IIR:
    return serial_read_iir (self);
  case REG_LCR:
    return self->lcr;
  case REG_MCR:
    return self->mcr;
  case REG_LSR:
    return serial_read_lsr (self);
  case REG_MSR:
    return serial_read_msr (self);
  default:
    return self->scr;
  }
}

static void
serial_write_ier (Serial *self, guint8 value)
{
  if (!(self->ier & IER_TX) && (value & IER_TX))
    self->tx_pending = TRUE;
  self->ier = value & 0x0f;
}

static void
serial_write_fcr (Serial *self, guint8 value)
{
  if (value & FCR_CLEAR_RX) {
    self->n_rx = 0;
    serial_unstall (self);
  }
  self->fcr = value & 0xc9;
}

static void
serial_write_register (Serial *self, guint64 offset, guint8 value)
{
  gboolean dlab = self->lcr & LCR_DLAB;

  if (dlab && offset <= REG_IER)
    self->divisor[offset] = value;
  else if (offset == REG_DATA)
    serial_write_data (self, value);
  else if (offset == REG_IER)
    serial_write_ier (self, value);
  else if (offset == REG_IIR)
    serial_write_fcr (self, value);
  else if (offset == REG_LCR)
    self->lcr = value;
  else if (offset == REG_MCR)
    self->mcr = value & 0x1f;
  else if (offset == REG_SCR)
    self->scr = value;
}

static guint64
serial_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  Serial *self = (Serial *) device;
  guint64 value = 0;

  for (guint i = 0; i < size; i++)
    value |= (guint64) serial_read_register (self, offset + i) << (8 * i);
  serial_update_line (self);
  return value;
}

static void
serial_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  Serial *self = (Serial *) device;

  for (guint i = 0; i < size; i++)
    serial_write_register (self, offset + i, value >> (8 * i));
  serial_update_line (self);
}

static const VmmBusOps serial_ops = { serial_read, serial_write };

static void
serial_reset (VmmDevice *device)
{
  Serial *self = (Serial *) device;

  self->ier = self->fcr = self->lcr = self->mcr = self->scr = 0;
  self->lsr_errors = 0;
  self->divisor[0] = 1;
  self->divisor[1] = 0;
  self->tx_pending = FALSE;
  self->n_rx = 0;
  memset (self->rx, 0, sizeof self->rx);
  serial_update_line (self);
  serial_unstall (self);
}

static gboolean
serial_loaded (VmmDevice *device, GError **error)
{
  Serial *self = (Serial *) device;
  VmmPlatform *platform = device->board->platform;

  self->n_rx = MIN (self->n_rx, RX_SIZE);
  self->n_tx = MIN (self->n_tx, TX_SIZE);
  self->ier &= 0x0f;
  self->mcr &= 0x1f;
  platform->klass->set_line (platform, self->config.gsi, self->line);
  if (self->n_tx > 0 && !self->drained)
    vmm_source_arm (self->timer, serial_now_ns () + TX_DELAY_NS);
  return TRUE;
}

static void
serial_drain (VmmDevice *device)
{
  vmm_loop_call (device->board->loop, serial_drain_host, device);
}

static void
serial_resume (VmmDevice *device)
{
  vmm_loop_call (device->board->loop, serial_resume_host, device);
}

static gboolean
serial_realize (VmmDevice *device, gconstpointer config, GError **error)
{
  Serial *self = (Serial *) device;

  self->config = *(const VmmSerialConfig *) config;
  self->divisor[0] = 1;
  self->timer = vmm_loop_add_timer (device->board->loop, serial_output, self, error);
  if (!self->timer)
    return FALSE;
  if (!vmm_bus_add (device->board->ports, self->config.port, N_PORTS, &serial_ops, device, 0,
                    error)) {
    vmm_loop_remove (device->board->loop, self->timer);
    return FALSE;
  }
  if (self->config.in_fd >= 0)
    vmm_loop_call (device->board->loop, serial_watch_input, self);
  return TRUE;
}

static void
serial_stop (gpointer data)
{
  Serial *self = data;

  serial_unwatch_input (self);
  vmm_loop_remove (self->parent.board->loop, g_steal_pointer (&self->timer));
}

/* What the guest said last is often what matters. */
static void
serial_unrealize (VmmDevice *device)
{
  Serial *self = (Serial *) device;

  vmm_bus_remove (device->board->ports, self->config.port);
  vmm_loop_call (device->board->loop, serial_stop, self);
  serial_flush (self);
}

const VmmDeviceClass vmm_serial_class = {
  .name = "serial",
  .instance_size = sizeof (Serial),
  .version = 1,
  .fields = serial_fields,
  .realize = serial_realize,
  .unrealize = serial_unrealize,
  .drain = serial_drain,
  .resume = serial_resume,
  .reset = serial_reset,
  .loaded = serial_loaded,
};
