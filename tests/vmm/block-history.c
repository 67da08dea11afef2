/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See block-history.h.
 */
#include "block-history.h"

#include <string.h>

#define MAX_MOVE 150 /* sectors */

/* What a sector may be full of. */
typedef struct {
  guint64 bits[4];
} Allowed;

static void
allow (Allowed *self, guint8 byte)
{
  self->bits[byte / 64] |= G_GUINT64_CONSTANT (1) << byte % 64;
}

static gboolean
is_allowed (const Allowed *self, guint8 byte)
{
  return self->bits[byte / 64] >> byte % 64 & 1;
}

void
block_history_make_image (BlockHistory *self,
                          BlockTest *test,
                          const char *options,
                          const char *prepare)
{
  block_test_run (test,
                  "qemu-img create -q -f qcow2 %s disk %u && "
                  "qemu-io -f qcow2 -c 'write -q -P 1 0 1M' -c 'write -q -P 2 3M 200k' disk",
                  options, BLOCK_HISTORY_SIZE);
  if (*prepare)
    block_test_run (test, "%s", prepare);
  memset (self->start, 0, sizeof self->start);
  memset (self->start, 1, 2048);
  memset (self->start + 6144, 2, 400);
}

static void
choose_one (BlockDeed *deed, GRand *rand)
{
  static const VmmBlockOp ops[] = {
    VMM_BLOCK_WRITE, VMM_BLOCK_WRITE,   VMM_BLOCK_WRITE,
    VMM_BLOCK_FLUSH, VMM_BLOCK_DISCARD, VMM_BLOCK_WRITE_ZEROES,
  };

  deed->op = ops[g_rand_int_range (rand, 0, G_N_ELEMENTS (ops))];
  deed->byte = deed->op == VMM_BLOCK_WRITE ? g_rand_int_range (rand, 3, 256) : 0;
  deed->first = g_rand_int_range (rand, 0, BLOCK_HISTORY_N_SECTORS - MAX_MOVE);
  deed->end = deed->first + g_rand_int_range (rand, 1, MAX_MOVE);
}

void
block_history_choose (BlockHistory *self, GRand *rand)
{
  self->n = BLOCK_HISTORY_MAX;
  for (guint i = 0; i < self->n; i++)
    choose_one (&self->deeds[i], rand);
}

void
block_deed_do (const BlockDeed *deed, BlockTest *test)
{
  guint64 offset = (guint64) deed->first * VMM_BLOCK_SECTOR;
  guint64 length = (guint64) (deed->end - deed->first) * VMM_BLOCK_SECTOR;

  switch (deed->op) {
  case VMM_BLOCK_WRITE:
    block_test_fill (test, offset, length, deed->byte);
    break;
  case VMM_BLOCK_WRITE_ZEROES:
    g_assert_cmpint (block_test_zero (test, offset, length, deed->first & 1), ==, 0);
    break;
  case VMM_BLOCK_DISCARD:
    g_assert_cmpint (block_test_discard (test, offset, length), ==, 0);
    break;
  case VMM_BLOCK_FLUSH:
  case VMM_BLOCK_READ:
    g_assert_cmpint (block_test_flush (test), ==, 0);
    break;
  }
}

static Allowed *
expect (const BlockHistory *self, guint n_begun, guint n_ended)
{
  Allowed *allowed = g_new0 (Allowed, BLOCK_HISTORY_N_SECTORS);
  guint flushed = 0;

  for (guint i = 0; i < n_ended; i++)
    if (self->deeds[i].op == VMM_BLOCK_FLUSH)
      flushed = i;
  for (guint s = 0; s < BLOCK_HISTORY_N_SECTORS; s++)
    allow (&allowed[s], self->start[s]);
  for (guint i = 0; i < n_begun; i++) {
    const BlockDeed *deed = &self->deeds[i];

    for (guint s = deed->first; s < deed->end && deed->op != VMM_BLOCK_FLUSH; s++) {
      if (i < flushed && deed->op != VMM_BLOCK_DISCARD)
        allowed[s] = (Allowed) { 0 };
      allow (&allowed[s], deed->byte);
    }
  }
  return allowed;
}

void
block_history_check (const BlockHistory *self, BlockTest *test, guint n_begun, guint n_ended)
{
  g_autofree Allowed *allowed = expect (self, n_begun, n_ended);
  g_autofree guint8 *bytes = g_malloc (BLOCK_HISTORY_SIZE);

  g_assert_cmpint (block_test_read (test, 0, bytes, BLOCK_HISTORY_SIZE), ==, 0);
  for (guint s = 0; s < BLOCK_HISTORY_N_SECTORS; s++) {
    const guint8 *sector = bytes + s * VMM_BLOCK_SECTOR;

    if (!is_allowed (&allowed[s], sector[0]) ||
        memcmp (sector, sector + 1, VMM_BLOCK_SECTOR - 1) != 0)
      g_error ("sector %u holds %u after %u deeds", s, sector[0], n_ended);
  }
}
