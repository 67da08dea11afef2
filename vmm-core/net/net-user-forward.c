/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ports of the host that lead into the guest.
 *
 * Threads: control; libslirp is called on the loop.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net-user-private.h"
#include "vmm-error.h"

#define LOOPBACK "127.0.0.1"

typedef struct {
  VmmNetUser *net;
  gboolean udp;
  struct in_addr address;
  guint port, guest_port;
  gboolean ok;
  int why;
} Job;

static const char *
address_text (const VmmForward *forward)
{
  return forward->address ? forward->address : LOOPBACK;
}

static gboolean
make_job (VmmNet *net, const VmmForward *forward, Job *job, GError **error)
{
  *job = (Job) {
    .net = (VmmNetUser *) net,
    .udp = forward->udp,
    .port = forward->port,
    .guest_port = forward->guest_port,
  };
  if (inet_pton (AF_INET, address_text (forward), &job->address) == 1)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "“%s” is no IPv4 address of this computer that a port can be forwarded from.",
               address_text (forward));
  return FALSE;
}

/* libslirp lets two bind one port for UDP, and then one of them hears nothing. */
static gboolean
is_free (Job *job)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr = job->address,
                                 .sin_port = g_htons (job->port) };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gboolean ok = fd >= 0 && bind (fd, (struct sockaddr *) &address, sizeof address) == 0;

  job->why = errno;
  if (fd >= 0)
    close (fd);
  return ok;
}

static void
add (gpointer data)
{
  Job *job = data;
  VmmNetUser *self = job->net;

  if (job->udp && !is_free (job))
    return;
  vmm_net_user_lock ();
  errno = 0;
  job->ok = slirp_add_hostfwd (self->slirp, job->udp, job->address, job->port,
                               (struct in_addr) { 0 }, job->guest_port) == 0;
  job->why = errno;
  vmm_net_user_refill (self);
  vmm_net_user_unlock ();
}

static void
remove_one (gpointer data)
{
  Job *job = data;
  VmmNetUser *self = job->net;

  vmm_net_user_lock ();
  job->ok = slirp_remove_hostfwd (self->slirp, job->udp, job->address, job->port) == 0;
  vmm_net_user_refill (self);
  vmm_net_user_unlock ();
}

gboolean
vmm_net_user_add_forward (VmmNet *net, const VmmForward *forward, GError **error)
{
  const char *kind = forward->udp ? "UDP" : "TCP";
  Job job;

  if (!make_job (net, forward, &job, error))
    return FALSE;
  vmm_loop_call (net->loop, add, &job);
  if (job.ok)
    return TRUE;
  if (job.why == EADDRINUSE)
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO,
                 "The %s port %u of %s is taken by another program: choose another port.", kind,
                 forward->port, address_text (forward));
  else
    g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "The %s port %u of %s cannot be forwarded: %s.",
                 kind, forward->port, address_text (forward), g_strerror (job.why));
  return FALSE;
}

gboolean
vmm_net_user_remove_forward (VmmNet *net, const VmmForward *forward, GError **error)
{
  Job job;

  if (!make_job (net, forward, &job, error))
    return FALSE;
  vmm_loop_call (net->loop, remove_one, &job);
  if (job.ok)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "The %s port %u of %s is not forwarded.",
               forward->udp ? "UDP" : "TCP", forward->port, address_text (forward));
  return FALSE;
}
