/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * BlockHistory: requests to a disk by chance, each sector full of one byte, and what the disk may
 * hold if the machine stops in the midst of them: what was there at the last flush, or came later.
 */
#pragma once

#include "block-test.h"

G_BEGIN_DECLS

#define BLOCK_HISTORY_SIZE      (4u * 1024 * 1024)
#define BLOCK_HISTORY_N_SECTORS (BLOCK_HISTORY_SIZE / VMM_BLOCK_SECTOR)
#define BLOCK_HISTORY_MAX       70

typedef struct {
  VmmBlockOp op;
  guint first, end;   /* sectors */
  guint8 byte;        /* what they are full of then */
  guint begun, ended; /* the test's: when, in its own measure */
} BlockDeed;

typedef struct {
  guint8 start[BLOCK_HISTORY_N_SECTORS]; /* what sectors are full of at the beginning */
  guint n;
  BlockDeed deeds[BLOCK_HISTORY_MAX];
} BlockHistory;

/* "disk" in the test's folder: options of qemu-img create, and a command that follows. */
void block_history_make_image (BlockHistory *self,
                               BlockTest *test,
                               const char *options,
                               const char *prepare);
void block_history_choose (BlockHistory *self, GRand *rand);
void block_deed_do (const BlockDeed *deed, BlockTest *test);
/* That the open disk holds what it may after the first @n_begun deeds were begun and the first
 * @n_ended were done. */
void block_history_check (const BlockHistory *self, BlockTest *test, guint n_begun, guint n_ended);

G_END_DECLS
