/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The two ends of the serial port: the guest's (serial.c, the registers) and the host's
 * (serial-host.c, the descriptors).
 *
 * Threads: as said there.
 */
#pragma once

#include "base/vmm-bus.h"
#include "chips/serial.h"

G_BEGIN_DECLS

#define RX_SIZE 64
#define TX_SIZE 4096

typedef struct {
  VmmDevice parent;
  VmmSerialConfig config;
  VmmSource *input;
  VmmSource *timer;
  gboolean stalled; /* input waits for room */
  gboolean drained; /* nothing moves; of the loop's thread */
  gboolean line;    /* level of the interrupt */

  guint8 ier, fcr, lcr, mcr, scr;
  guint8 lsr_errors;
  guint8 divisor[2];
  gboolean tx_pending; /* "transmitter empty" not yet seen by the guest */
  guint32 n_rx, n_tx;
  guint8 rx[RX_SIZE];
  guint8 tx[TX_SIZE];
} Serial;

/* serial.c; with the device locked. */
void serial_receive (Serial *self, const guint8 *bytes, gsize n);
void serial_update_line (Serial *self);

/* serial-host.c. @data is the device; on the loop. */
void serial_watch_input (gpointer data);
void serial_unwatch_input (Serial *self);
/* Writes out what waits, as far as the descriptor takes it. */
void serial_output (gpointer data);
/* Writes out what the descriptor takes at once, and then moves nothing until it is resumed: what is
 * saved of a paused machine stays true. */
void serial_drain_host (gpointer data);
void serial_resume_host (gpointer data);
/* Writes out to the end, and waits a moment for a slow reader. Thread: control. */
void serial_flush (Serial *self);

/* As timers count. */
static inline gint64
serial_now_ns (void)
{
  return vmm_loop_now_ns ();
}

G_END_DECLS
