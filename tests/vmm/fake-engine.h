/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An engine of the block layer that fails, or holds its requests, as a test says. There is one: an
 * engine has no configuration of its own.
 *
 * Threads: the test's.
 */
#pragma once

#include "block/block-private.h"

G_BEGIN_DECLS

extern const VmmBlockEngineClass fake_engine;

/* From now on requests of kind @op fail with @error (0: none does). */
void fake_engine_fail (VmmBlockOp op, int error);
/* From now on requests are held; waits until @n are. */
void fake_engine_hold (void);
void fake_engine_wait_held (guint n);
/* Those that are held go on, and none is held any more. */
void fake_engine_release (void);
/* Of kind @op, since the last question. */
guint fake_engine_take_count (VmmBlockOp op);

G_END_DECLS
