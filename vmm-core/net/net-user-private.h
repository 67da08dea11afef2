/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The user's network inside: frames (net-user.c), descriptors and timers (net-user-poll.c),
 * forwards (net-user-forward.c).
 *
 * Threads: loop, with the card entered, unless said otherwise.
 */
#pragma once

#include <libslirp.h>

#include "net/vmm-net-user.h"

G_BEGIN_DECLS

/* What libslirp wants to be told of one descriptor. */
typedef struct {
  int fd;
  int wanted;   /* SLIRP_POLL_* */
  int happened; /* likewise */
} UserPoll;

/* What the kernel was told of a descriptor, by its number. */
typedef struct {
  int wanted;  /* 0: it is not watched */
  guint index; /* of the UserPoll */
  guint round; /* in which it was wanted last */
} UserWatch;

typedef struct {
  VmmNet net;
  Slirp *slirp;
  struct in_addr network, mask, guest;

  /* net-user.c */
  guint taken;     /* VmmNetOffloads of the guest */
  guint8 *frame;   /* one that the guest sends */
  GQueue waiting;  /* GBytes: frames that the guest had no room for */
  gsize n_waiting; /* bytes of them */
  gboolean fresh;  /* libslirp's clock was set in this batch */

  /* net-user-poll.c */
  int epoll;         /* a set of its own: libslirp wants to hear of all its sockets at once */
  VmmSource *source; /* of the set; NULL while the guest has no room */
  VmmSource *timer;
  GArray *polls;     /* UserPoll */
  GArray *old_polls; /* of the round before */
  GArray *watches;   /* UserWatch, by descriptor */
  guint round;
  gint64 active_ns;    /* when something crossed last */
  gint64 advertise_ms; /* when the router advertises itself next; or 0 */
} VmmNetUser;

/* libslirp keeps its clock and what it knows of DNS in globals, so two machines are not in it at
 * once. Taken with the card entered; never the other way round. */
void vmm_net_user_lock (void);
void vmm_net_user_unlock (void);

/* net-user-poll.c. The callbacks for libslirp are called with it locked, by any thread. */
gboolean vmm_net_user_start_polling (VmmNetUser *self, GError **error);
void vmm_net_user_stop_polling (VmmNetUser *self); /* thread: loop, card not entered */
gint64 vmm_net_user_now_ns (void *data);
void *vmm_net_user_timer_new (SlirpTimerId id, void *timer_data, void *data);
void vmm_net_user_timer_free (void *timer, void *data);
void vmm_net_user_timer_mod (void *timer, gint64 when_ms, void *data);
void vmm_net_user_fd_ignore (int fd, void *data);
void vmm_net_user_fd_forget (int fd, void *data);
/* Sets libslirp's clock and lets it do what is due. Locked. */
void vmm_net_user_tick (VmmNetUser *self);
/* Asks libslirp what it waits for now. Locked. */
void vmm_net_user_refill (VmmNetUser *self);
/* While the guest has no room nothing is read for it. */
void vmm_net_user_suspend (VmmNetUser *self, gboolean suspend);

/* net-user.c: gives the guest what waits for it; whether it took all. */
gboolean vmm_net_user_deliver_waiting (VmmNetUser *self);

G_END_DECLS
