/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmNet: what a network card is connected to: the user's own network (vmm-net-user.h), a tap
 * device (vmm-net-tap.h), other machines (vmm-net-switch.h). It is the seam between a card, which
 * knows rings and features, and a back end, which knows descriptors and protocols.
 *
 * A frame crosses as a vector: a VmmNetHeader, then the Ethernet frame, at most VMM_NET_MAX_SIZE
 * bytes in all. The header says what is left to do (virtio 1.2, 5.1.6): a checksum, segmentation.
 * No side hands the other work that it did not offer to do.
 *
 * To the back end: vmm_net_send, and when a batch is through, vmm_net_flush. FALSE from send means
 * that it cannot take the frame now: the card keeps it and waits for `writable`.
 * To the card: `enter`, then `reserve` and `commit` for each frame, then `leave`. NULL from reserve
 * means that the guest has no room now: the back end stops and waits for vmm_net_room.
 *
 * Threads: making, connecting and freeing on the control thread; everything else on the loop, with
 * the card entered (it is while it calls the back end).
 */
#pragma once

#include <linux/virtio_net.h>
#include <sys/uio.h>

#include "base/vmm-loop.h"
#include "virtio/virtqueue.h"

G_BEGIN_DECLS

#define VMM_NET_MAX_FRAME  (14 + 4 + 65535) /* Ethernet with a VLAN tag, the largest IPv4 packet */
#define VMM_NET_MIN_FRAME  14
#define VMM_NET_MAX_SIZE   (sizeof (VmmNetHeader) + VMM_NET_MAX_FRAME)
#define VMM_NET_MAC_LENGTH 6

typedef struct virtio_net_hdr_v1 VmmNetHeader;
typedef struct _VmmNet VmmNet;

/* What one side may leave to the other. */
typedef enum {
  VMM_NET_CSUM = 1 << 0, /* the others need it */
  VMM_NET_TSO4 = 1 << 1,
  VMM_NET_TSO6 = 1 << 2,
  VMM_NET_ECN = 1 << 3,
  VMM_NET_USO = 1 << 4,
} VmmNetOffloads;

#define VMM_NET_TCP_OFFLOADS (VMM_NET_CSUM | VMM_NET_TSO4 | VMM_NET_TSO6 | VMM_NET_ECN)
#define VMM_NET_ALL_OFFLOADS (VMM_NET_TCP_OFFLOADS | VMM_NET_USO)

/* The card. */
typedef struct {
  void (*enter) (gpointer card);
  void (*leave) (gpointer card); /* tells the guest what came */
  /* Room in the guest for @size bytes, header included, or for less where the guest takes no more
   * in one piece. A commit follows before anything else. */
  const struct iovec *(*reserve) (gpointer card, guint queue, gsize size, guint *n);
  /* @length bytes are a frame; with 0, or more than there was room for, there is none. */
  void (*commit) (gpointer card, guint queue, gsize length);
  void (*writable) (gpointer card, guint queue);
} VmmNetCardClass;

typedef struct {
  const char *name;
  void (*free) (VmmNet *self);
  /* @iov[0] is the header, checked and not in guest memory; the rest may change while it is read.
   */
  gboolean (*send) (VmmNet *self, guint queue, const struct iovec *iov, guint n);
  void (*flush) (VmmNet *self); /* this and the next ones: may be NULL */
  void (*room) (VmmNet *self, guint queue);
  void (*set_taken) (VmmNet *self, guint taken);
  void (*set_pairs) (VmmNet *self, guint n); /* of queues that the guest uses */
  void (*connected) (VmmNet *self);          /* the card came or went; loop */
  /* Moves frames between the guest's rings (receive, transmit) of a pair and the network without
   * the card, from now on, where it can; @features are of virtio. */
  gboolean (*take_rings) (VmmNet *self,
                          guint pair,
                          VmmMemory *memory,
                          guint64 features,
                          const VmmVirtqueueLoan rings[2]);
  /* And no longer: @next says how far it came. Thread: any. */
  void (*give_rings) (VmmNet *self, guint pair, guint16 next[2]);
} VmmNetClass;

struct _VmmNet {
  const VmmNetClass *klass;
  VmmLoop *loop;
  guint n_queues; /* pairs */
  guint takes;    /* VmmNetOffloads */
  guint gives;    /* likewise, where the guest takes it */
  guint mtu;      /* 0: nothing known */
  const VmmNetCardClass *card_class;
  gpointer card;
};

void vmm_net_free (VmmNet *self);
/* @klass NULL: nobody any more; no function of the card runs when it returns. */
void vmm_net_connect (VmmNet *self, const VmmNetCardClass *klass, gpointer card);

static inline gboolean
vmm_net_send (VmmNet *self, guint queue, const struct iovec *iov, guint n)
{
  return self->klass->send (self, queue, iov, n);
}

void vmm_net_flush (VmmNet *self);
void vmm_net_room (VmmNet *self, guint queue);
/* What the guest takes from now on: VmmNetOffloads. Nothing that was meant for another comes. */
void vmm_net_set_taken (VmmNet *self, guint taken);

void vmm_net_set_pairs (VmmNet *self, guint n);

/* A back end that drops everything, in the memory of whoever uses it: the card cannot tell it from
 * @like. It needs no freeing. */
void vmm_net_none_init (VmmNet *self, const VmmNet *like);

/* For the back ends. FALSE where there is no card. */
gboolean vmm_net_enter (VmmNet *self);
void vmm_net_leave (VmmNet *self);
/* One frame that lies in our own memory. FALSE: the guest has no room now. */
gboolean vmm_net_deliver (VmmNet *self, guint queue, const struct iovec *iov, guint n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmNet, vmm_net_free)

G_END_DECLS
