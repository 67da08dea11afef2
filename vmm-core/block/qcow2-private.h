/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A qcow2 image inside. A request whose clusters exist and whose L2 entries are in memory is
 * translated on the loop and goes straight to the file (qcow2-request.c). All else is done by the
 * image's worker, one request after another, with calls that block: loading tables, allocating,
 * copying, unpacking, zeroing, flushing.
 *
 * Threads: metadata is changed by the worker alone (by the control thread before the first request
 * and after the last). It changes what the loop reads with the lock held, and never holds the lock
 * while it waits for the disk; what it reads itself needs no lock.
 */
#pragma once

#include "block/block-private.h"
#include "block/cluster-set.h"
#include "block/qcow2-header.h"
#include "block/table-cache.h"

G_BEGIN_DECLS

#define QCOW2_FLAG_COPIED                                                                          \
  (G_GUINT64_CONSTANT (1) << 63) /* of L1 and L2: refcount 1, ours alone                           \
                                  */
#define QCOW2_FLAG_COMPRESSED (G_GUINT64_CONSTANT (1) << 62) /* of L2 */
#define QCOW2_FLAG_ZERO       (G_GUINT64_CONSTANT (1) << 0)  /* of L2, since version 3 */
#define QCOW2_OFFSET_MASK     G_GUINT64_CONSTANT (0x00fffffffffffe00)

/* What a job of the worker answers where the loop can go on by itself. */
#define QCOW2_RETRY 1

typedef enum {
  QCOW2_HOLE,       /* the backing's, or zero */
  QCOW2_ZERO,       /* zero; host: clusters kept for it, or 0 */
  QCOW2_DATA,       /* host: where */
  QCOW2_COMPRESSED, /* host: the L2 entry */
  QCOW2_UNKNOWN,    /* the L2 table is not in memory */
  QCOW2_BROKEN,     /* the entry makes no sense */
} Qcow2Kind;

/* Guest bytes of one kind, with their place in the file if they have one. */
typedef struct {
  Qcow2Kind kind;
  gboolean own; /* may be written in place: no snapshot has it too */
  guint64 host;
  guint64 length;
} Qcow2Run;

/* Clusters of the file. */
typedef struct {
  guint64 first, n;
} Qcow2Range;

/* A table that has a new place, which the header on disk may not name yet. */
typedef struct {
  gboolean pending;
  Qcow2Range old;
} Qcow2Move;

typedef struct {
  VmmBlock parent;
  VmmQcow2Header *header;
  guint cluster_bits;
  guint64 cluster_size;
  gsize slice_size;  /* tables are read, kept and written in pieces of so many bytes */
  VmmBlock *backing; /* or NULL */
  GPtrArray *snapshots;
  guint64 snapshots_length; /* of their list, in the file */

  /* Of the loop. */
  GPtrArray *spare; /* parts to use again */

  GMutex lock;   /* of what follows */
  guint64 *l1;   /* as on disk, in the host's byte order */
  guint l1_size; /* entries */
  VmmTableCache *l2;
  guint64 file_end; /* what lies behind it reads as zero */
  gboolean unsaved; /* L1 or L2 differ from the disk's */
  gboolean corrupt; /* found to be: not written any more */
  guint epoch;      /* of requests that the file has; 0 or 1 */
  guint n_inflight[2];
  GCond idle;                /* one of them became 0 */
  VmmBlockRequest *finished; /* parts that the worker is done with, newest first */

  /* Of the worker. */
  GThreadPool *worker; /* of one thread; NULL until needed */
  guint l1_dirty_from, l1_dirty_to;
  guint64 *refcount_table;                        /* as on disk, in the host's byte order */
  guint n_refcount_blocks;                        /* its entries */
  guint refcounts_dirty_from, refcounts_dirty_to; /* of them */
  VmmTableCache *refcounts;
  Qcow2Move l1_move, refcount_move;
  guint64 free_hint;      /* no cluster before it is free */
  VmmClusterSet metadata; /* clusters with tables */
  GArray *frees;          /* Qcow2Range: free once the tables on disk do without them */
  gboolean leaks;         /* clusters could not be freed: the next opening looks for them */
  gboolean marked;        /* as dirty, on disk */
  guint64 unpacked_entry; /* the compressed cluster last read */
  guint8 *unpacked;
} Qcow2;

/* qcow2-map.c: guest offsets to host offsets. */
/* Lock held, or worker. The first run of [offset, offset + length), which is not empty. */
void qcow2_map (Qcow2 *self, guint64 offset, guint64 length, Qcow2Run *run);
/* Worker: the same, loading what is missing; never UNKNOWN. */
int qcow2_map_loaded (Qcow2 *self, guint64 offset, guint64 length, Qcow2Run *run);
/* Worker: the slice with the L2 entry of @offset, which may be written to; made if need be. */
int qcow2_get_writable_slice (Qcow2 *self, guint64 offset, VmmTable **slice);
guint qcow2_get_slice_index (const Qcow2 *self, guint64 offset);
guint qcow2_get_slice_entries (const Qcow2 *self);
guint64 qcow2_get_l1_index (const Qcow2 *self, guint64 offset);
/* Bytes that the entries of the slice from @offset's on stand for, counted from @offset. */
guint64 qcow2_get_slice_left (const Qcow2 *self, guint64 offset);

/* qcow2-refcount.c. Worker. */
int qcow2_get_refcount (Qcow2 *self, guint64 cluster, guint64 *count);
void qcow2_put_count (guint8 *bytes, guint order, guint index, guint64 count);
int qcow2_set_refcount (Qcow2 *self, guint64 cluster, guint64 count);
/* Makes the block that counts @cluster exist. */
int qcow2_need_refcount_block (Qcow2 *self, guint64 cluster);
gboolean qcow2_has_refcount_block (const Qcow2 *self, guint64 cluster);
/* Written and durable. */
int qcow2_save_refcounts (Qcow2 *self);
guint qcow2_get_block_bits (const Qcow2 *self);

/* qcow2-allocate.c. Worker. */
/* Up to @wanted free clusters in a row, from now on with a count of 1: how many, or an error. */
gint64 qcow2_allocate (Qcow2 *self, guint64 wanted, guint64 *first);
/* All of them in a row. */
int qcow2_allocate_row (Qcow2 *self, guint64 n, guint64 *first);
/* Nothing on disk refers to them. */
int qcow2_free_now (Qcow2 *self, guint64 first, guint64 n);
/* The tables in memory refer to them no more; those on disk may. */
void qcow2_free_later (Qcow2 *self, guint64 first, guint64 n);
/* What the L2 entry referred to. */
void qcow2_free_entry (Qcow2 *self, guint64 entry);
/* Into clusters that nobody reads yet. */
int qcow2_write_new (Qcow2 *self, const void *bytes, gsize length, guint64 offset);
guint64 qcow2_get_end (Qcow2 *self);
/* The file is so long now. */
void qcow2_note_written (Qcow2 *self, guint64 end, int result);
/* Where much waits to be free: lets it be. */
int qcow2_relieve (Qcow2 *self);

/* qcow2-grow.c. Worker. */
/* The header names the tables where they are now; the old places are free. What the new ones hold
 * is durable. */
int qcow2_finish_l1_move (Qcow2 *self);
int qcow2_finish_refcount_move (Qcow2 *self);
/* As qcow2_allocate_row, where no block counts so many clusters: behind all that is counted. */
int qcow2_allocate_behind (Qcow2 *self, guint64 n, guint64 *first);
int qcow2_grow_refcount_table (Qcow2 *self, guint64 n_blocks);
int qcow2_grow_l1 (Qcow2 *self, guint64 n_entries);
/* A part of the header, durable; all that was written before is durable first. */
int qcow2_write_header (Qcow2 *self, const guint8 *bytes, gsize length, guint64 offset);

/* qcow2-resize.c. Control. */
gboolean qcow2_resize (VmmBlock *block, guint64 size, GError **error);

/* qcow2-commit.c. Worker. */
/* All tables on disk, and durable with all data written before. */
int qcow2_commit (Qcow2 *self);
/* Before the first change of a table. */
int qcow2_mark_dirty (Qcow2 *self);
int qcow2_mark_clean (Qcow2 *self);
/* Notes damage, in memory and on disk; returns -EUCLEAN. */
int qcow2_found_corrupt (Qcow2 *self, const char *what);
/* Entries [from, to) of a table at @offset on disk, and what shares sectors with them. */
int qcow2_write_table (Qcow2 *self,
                       const guint64 *table,
                       guint n,
                       guint64 offset,
                       guint from,
                       guint to);

/* qcow2-write.c, qcow2-zero.c, qcow2-read.c. Worker: 0, QCOW2_RETRY or an error. */
int qcow2_write (Qcow2 *self, VmmBlockRequest *request);
int qcow2_write_zeroes (Qcow2 *self, VmmBlockRequest *request);
int qcow2_read (Qcow2 *self, VmmBlockRequest *request);
/* What the guest would read. */
int qcow2_read_bytes (Qcow2 *self, guint64 offset, guint8 *to, gsize length);
/* Whether the guest reads zeroes in a run that begins at @offset. */
gboolean qcow2_reads_zero (Qcow2 *self, guint64 offset, const Qcow2Run *run);

/* qcow2-backing.c. Control. */
gboolean qcow2_open_backing (Qcow2 *self,
                             const VmmBlockOptions *options,
                             const VmmBlockChain *above,
                             GError **error);

/* qcow2-compressed.c. Any thread. */
/* Where the packed bytes of @entry lie. */
void qcow2_locate_compressed (const Qcow2 *self, guint64 entry, guint64 *offset, gsize *length);
/* Worker: the cluster, unpacked; valid until the next call. */
int qcow2_unpack (Qcow2 *self, guint64 entry, const guint8 **bytes);

/* qcow2-request.c. Loop. */
void qcow2_submit (VmmBlock *block, VmmBlockRequest *request);
void qcow2_kick (VmmBlock *block);
void qcow2_free_parts (Qcow2 *self);
/* Control: runs @func on the worker, after what it has, and waits. */
typedef int (*Qcow2Func) (Qcow2 *self, gpointer data);
int qcow2_call_worker (Qcow2 *self, Qcow2Func func, gpointer data);

/* qcow2-snapshots.c. Control. */
GPtrArray *qcow2_read_snapshots (Qcow2 *self, GError **error);
/* The L1 table of snapshot @i. */
void qcow2_get_snapshot_table (Qcow2 *self, guint i, guint64 *offset, guint *n_entries);

/* qcow2-check.c. Control. */
/* Counts what is referred to and mends the counts. */
gboolean qcow2_repair (Qcow2 *self, GError **error);

G_END_DECLS
