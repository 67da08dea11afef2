/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-socket.h.
 *
 * Threads: any.
 */
#include "base/vmm-socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm-error.h"

/* A socket that nobody listens to was left by a process that died. */
static void
remove_stale (const struct sockaddr_un *address)
{
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct stat info;

  if (fd >= 0 && lstat (address->sun_path, &info) == 0 && S_ISSOCK (info.st_mode) &&
      connect (fd, (const struct sockaddr *) address, sizeof *address) < 0 && errno == ECONNREFUSED)
    unlink (address->sun_path);
  if (fd >= 0)
    close (fd);
}

/* Closes @fd. */
static int
fail (int fd, const char *what, const char *path, const char *why, GError **error)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_IO, "%s %s cannot be made: %s.", what, path, why);
  if (fd >= 0)
    close (fd);
  return -1;
}

int
vmm_socket_listen (const char *what, const char *path, int backlog, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd;

  if (strlen (path) >= sizeof address.sun_path)
    return fail (-1, what, path, "its name is longer than 107 bytes", error);
  strcpy (address.sun_path, path);
  remove_stale (&address);
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  /* On the socket and before bind, so that there is no moment with another mode. */
  if (fd < 0 || fchmod (fd, 0600) < 0)
    return fail (fd, what, path, g_strerror (errno), error);
  if (bind (fd, (struct sockaddr *) &address, sizeof address) < 0)
    return fail (fd, what, path,
                 errno == EADDRINUSE ? "something else has that name" : g_strerror (errno), error);
  if (listen (fd, backlog) == 0)
    return fd;
  fail (fd, what, path, g_strerror (errno), error);
  unlink (path);
  return -1;
}
