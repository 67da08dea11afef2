/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * AtaCommand: one command on its way, from its slot in the command list to the FIS that answers
 * it. The port makes it, the drive works on it, the block layer holds it meanwhile.
 *
 * Threads: loop, with the controller locked.
 */
#pragma once

#include "ahci/ata-drive.h"

G_BEGIN_DECLS

typedef struct _AhciPort AhciPort;

#define ATA_MAX_SEGMENTS  256
#define ATA_PACKET_LENGTH 12

/* The rest of a physical region descriptor table (AHCI 1.3.1, 4.2.3.3). */
typedef struct {
  guint64 table;   /* of the entries not looked at yet */
  guint n_entries; /* and how many they are */
  guint64 address; /* what is left of the last one looked at */
  guint32 length;
} AhciPrdt;

struct _AtaCommand {
  VmmBlockRequest request; /* first: completions cast */
  AhciPort *port;
  guint slot;
  const AtaOperation *operation;
  AtaRegisters in;
  AtaResult out;
  guint8 packet[ATA_PACKET_LENGTH];

  AhciPrdt prdt;
  gboolean bad_memory; /* the table, or what it names, is no memory */
  gboolean overflow;   /* the drive had more to say than there was room for */
  gboolean wants_note; /* an entry asked for an interrupt of its own */
  guint32 moved;       /* bytes, for the PRDBC of the command header */

  guint64 offset, left; /* of a transfer, on the medium */
  gboolean durable;
  void (*next) (AtaCommand *command); /* when a request went well */
  guint8 *ranges;                     /* of a TRIM; NULL for none */
  guint n_ranges, next_range;

  guint n_iov;
  struct iovec iov[ATA_MAX_SEGMENTS];
};

/* The next bytes of the host's memory, at most @length, in @command's vector; returns how many.
 * They are whole sectors where the vector is full. */
gsize ahci_prdt_take (AtaCommand *command, gsize length);
/* Copies; returns how many bytes there was room for. */
gsize ahci_prdt_write (AtaCommand *command, gconstpointer data, gsize length);
gsize ahci_prdt_read (AtaCommand *command, gpointer data, gsize length);

G_END_DECLS
