/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * WriteRecorder: stands below the block layer and notes what is written to a file and what is made
 * durable, so that the file can be had as a power cut would have left it: with any of the writes
 * after the last sync missing, and any of them cut.
 *
 * Threads: those of the host file; the rest is the test's, when nothing is under way.
 */
#pragma once

#include "block/block-private.h"

G_BEGIN_DECLS

typedef struct {
  VmmHostFileClass klass; /* first; for VmmBlockOptions */
  GMutex lock;
  GPtrArray *log;
} WriteRecorder;

void write_recorder_init (WriteRecorder *self);
void write_recorder_clear (WriteRecorder *self);
/* How much was noted so far. Any thread. */
guint write_recorder_get_length (WriteRecorder *self);
/* Does to the file at @path, which is as the recorded one was at the beginning, what may be left of
 * the first @length notes. */
void write_recorder_replay (WriteRecorder *self, const char *path, guint length, GRand *rand);

G_END_DECLS
