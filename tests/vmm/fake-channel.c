/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-channel.h"

#include <sys/socket.h>
#include <sys/un.h>

#define BACKLOG 4

/* Without a path in it the kernel finds a name, which is no file's. */
int
fake_channel_listen (void)
{
  const struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  g_assert_cmpint (bind (fd, (const struct sockaddr *) &address, sizeof address.sun_family), ==, 0);
  g_assert_cmpint (listen (fd, BACKLOG), ==, 0);
  return fd;
}

int
fake_channel_connect (int listen_fd)
{
  struct sockaddr_un address;
  socklen_t length = sizeof address;
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (getsockname (listen_fd, (struct sockaddr *) &address, &length), ==, 0);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, length), ==, 0);
  return fd;
}
