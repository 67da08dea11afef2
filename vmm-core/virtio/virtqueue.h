/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmVirtqueue: a split virtqueue seen from the device (virtio 1.2, 2.7), with indirect descriptors
 * and EVENT_IDX. The driver's side is hostile: each address goes through VmmMemory, a chain has a
 * bounded length, and the first offence breaks the queue for good (until the device is reset).
 *
 * Threads: with the device locked; pop, push and notify on the loop.
 */
#pragma once

#include <sys/uio.h>

#include "base/vmm-memory.h"
#include "base/vmm-state.h"

G_BEGIN_DECLS

#define VMM_VIRTQUEUE_MAX_SIZE     256
#define VMM_VIRTQUEUE_MAX_SEGMENTS 256 /* of one request, indirect or not */

/* A popped request: what the guest wrote, and the room it left for us. The vectors point into
 * guest memory, which the guest may change at any moment: read once, then check. */
typedef struct {
  guint16 head;
  guint n_out, n_in;
  struct iovec *out, *in; /* both in @iov */
  struct iovec iov[VMM_VIRTQUEUE_MAX_SEGMENTS];
} VmmRequest;

typedef struct {
  /* What the driver set. */
  guint16 size;
  guint16 vector;
  gboolean enabled;
  guint64 desc, driver, device;

  /* Where we are. */
  guint16 next_avail;
  guint16 next_used;
  guint16 signalled_used; /* used index at the last notification */
  gboolean signalled_valid;
  gboolean dry; /* of a polled one: pop found nothing, and the driver was not asked to kick yet */

  /* Set by the transport. */
  VmmMemory *memory;
  guint16 max_size;
  gboolean polled; /* somebody looks when it is dry, and calls listen in the end */
  gboolean event_idx;
  gboolean indirect;
  const char *broken; /* why, or NULL */
} VmmVirtqueue;

/* A queue as somebody else may serve it: the kernel, another process. */
typedef struct {
  guint16 size;
  guint16 next; /* next_avail and next_used: nothing is under way */
  guint64 desc, driver, device;
  int kick_fd, call_fd; /* eventfds, borrowed: the driver's, the device's */
} VmmVirtqueueLoan;

extern const VmmField vmm_virtqueue_fields[];

void vmm_virtqueue_init (VmmVirtqueue *self, VmmMemory *memory, guint16 max_size);
void vmm_virtqueue_reset (VmmVirtqueue *self);
/* Whether the rings lie in guest memory and are aligned. Breaks the queue where not. */
gboolean vmm_virtqueue_start (VmmVirtqueue *self);

/* FALSE when there is nothing, or the queue is broken. Switches the driver's kicks off while there
 * is work, and on again when it returns FALSE and the queue is not polled. */
gboolean vmm_virtqueue_pop (VmmVirtqueue *self, VmmRequest *request);
/* Whether a dry queue has something now, or is broken: pop says which. */
gboolean vmm_virtqueue_has_more (VmmVirtqueue *self);
/* Asks for kicks. TRUE where something has come just before. */
gboolean vmm_virtqueue_listen (VmmVirtqueue *self);
/* Gives @head back with @written bytes in its in-part. */
void vmm_virtqueue_push (VmmVirtqueue *self, guint16 head, guint32 written);
/* The same for several: the driver sees all of them or none. */
void
vmm_virtqueue_push_many (VmmVirtqueue *self, const guint16 *heads, const guint32 *written, guint n);
/* Puts a popped request back, as if it was never taken. Only the one popped last. */
void vmm_virtqueue_unpop (VmmVirtqueue *self);
/* Reads the chain of a request once more that was popped and not given back. FALSE, and broken,
 * where the driver has spoilt it. */
gboolean vmm_virtqueue_read_again (VmmVirtqueue *self, guint16 head, VmmRequest *request);
/* Whether the driver wants an interrupt for what was pushed since the last call. */
gboolean vmm_virtqueue_wants_interrupt (VmmVirtqueue *self);
void vmm_virtqueue_break (VmmVirtqueue *self, const char *why);

/* Copies between a vector and a buffer, from byte @skip on; returns the bytes copied. */
gsize vmm_iov_read (const struct iovec *iov, guint n, gsize skip, void *to, gsize length);
gsize vmm_iov_write (const struct iovec *iov, guint n, gsize skip, const void *from, gsize length);
gsize vmm_iov_size (const struct iovec *iov, guint n);

G_END_DECLS
