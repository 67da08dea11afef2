/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The physical region descriptor table of a command (AHCI 1.3.1, 4.2.3.3): where in the host's
 * memory its data lies. Entries are read as they are needed, each once: the table may have 65535 of
 * them, and the host may change it under our hands.
 *
 * Threads: loop, with the controller locked.
 */
#include <string.h>

#include "ahci/ahci-private.h"

#define ENTRY_INTERRUPT 0x80000000u
#define ENTRY_LENGTH    0x003fffffu /* less one */

typedef struct {
  guint32 address_low, address_high;
  guint32 reserved;
  guint32 length;
} Entry;

G_STATIC_ASSERT (sizeof (Entry) == 16);

static VmmMemory *
memory_of (AtaCommand *command)
{
  return command->port->hba->parent.parent.board->memory;
}

/* The next entry becomes the one that is taken from. FALSE: there is none, or it cannot be read. */
static gboolean
next_entry (AtaCommand *command)
{
  AhciPrdt *prdt = &command->prdt;
  Entry entry;

  if (prdt->n_entries == 0)
    return FALSE;
  if (!vmm_memory_read (memory_of (command), prdt->table, &entry, sizeof entry)) {
    command->bad_memory = TRUE;
    return FALSE;
  }
  prdt->n_entries--;
  prdt->table += sizeof entry;
  prdt->address = (guint64) GUINT32_FROM_LE (entry.address_high) << 32 |
                  (GUINT32_FROM_LE (entry.address_low) & ~1u);
  prdt->length = (GUINT32_FROM_LE (entry.length) & ENTRY_LENGTH) + 1;
  if (GUINT32_FROM_LE (entry.length) & ENTRY_INTERRUPT)
    command->wants_note = TRUE;
  return TRUE;
}

/* Neighbours in memory become one. FALSE: the vector is full. */
static gboolean
append (AtaCommand *command, guint8 *base, gsize length)
{
  struct iovec *last = command->n_iov > 0 ? &command->iov[command->n_iov - 1] : NULL;

  if (last && (guint8 *) last->iov_base + last->iov_len == base) {
    last->iov_len += length;
    return TRUE;
  }
  if (command->n_iov == ATA_MAX_SEGMENTS)
    return FALSE;
  command->iov[command->n_iov++] = (struct iovec) { base, length };
  return TRUE;
}

/* Gives the last @length bytes of the vector back to the table; they lie in its last entry, for a
 * vector that is too full by less than a sector has more than a sector in it. */
static void
give_back (AtaCommand *command, gsize length)
{
  while (length > 0) {
    struct iovec *last = &command->iov[command->n_iov - 1];
    gsize part = MIN (length, last->iov_len);

    last->iov_len -= part;
    length -= part;
    if (last->iov_len == 0)
      command->n_iov--;
  }
}

gsize
ahci_prdt_take (AtaCommand *command, gsize length)
{
  AhciPrdt *prdt = &command->prdt;
  AhciPrdt at_sector = *prdt; /* as it was when a whole number of sectors had been taken */
  gsize taken = 0;

  command->n_iov = 0;
  while (taken < length && (prdt->length > 0 || next_entry (command))) {
    gsize room = ATA_SECTOR - taken % ATA_SECTOR;
    gsize part = MIN (prdt->length, length - taken);
    guint8 *base;

    /* Whole sectors at once where it goes, so that few entries are few steps. */
    if (part > room)
      part = part >= room + ATA_SECTOR ? room + (part - room) / ATA_SECTOR * ATA_SECTOR : room;
    base = vmm_memory_at (memory_of (command), prdt->address, part);
    if (!base) {
      command->bad_memory = TRUE;
      return 0;
    }
    if (!append (command, base, part)) {
      give_back (command, taken % ATA_SECTOR);
      *prdt = at_sector;
      return taken - taken % ATA_SECTOR;
    }
    prdt->address += part;
    prdt->length -= part;
    taken += part;
    if (taken % ATA_SECTOR == 0)
      at_sector = *prdt;
  }
  return command->bad_memory ? 0 : taken;
}

static gsize
copy (AtaCommand *command, guint8 *data, gsize length, gboolean to_host)
{
  gsize done = 0;

  while (done < length) {
    gsize taken = ahci_prdt_take (command, length - done);

    if (taken == 0)
      break;
    for (guint i = 0; i < command->n_iov; i++) {
      const struct iovec *part = &command->iov[i];

      if (to_host)
        memcpy (part->iov_base, data + done, part->iov_len);
      else
        memcpy (data + done, part->iov_base, part->iov_len);
      done += part->iov_len;
    }
  }
  command->moved += done;
  return done;
}

gsize
ahci_prdt_write (AtaCommand *command, gconstpointer data, gsize length)
{
  return copy (command, (guint8 *) data, length, TRUE);
}

gsize
ahci_prdt_read (AtaCommand *command, gpointer data, gsize length)
{
  return copy (command, data, length, FALSE);
}
