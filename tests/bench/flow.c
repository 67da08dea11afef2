/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The guest's end of the network benchmark: flow ADDRESS PORT send|receive|echo COUNT moves COUNT
 * MiB over one TCP connection, or COUNT single bytes there and back.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[1 << 18];

static int
connect_to (const char *host, int port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
  int fd = socket (AF_INET, SOCK_STREAM, 0), one = 1;

  inet_pton (AF_INET, host, &address.sin_addr);
  if (connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    return -1;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static int
echo (int fd, long count)
{
  for (char byte = 0; count > 0; count--)
    if (write (fd, &byte, 1) != 1 || read (fd, &byte, 1) != 1)
      return 1;
  return 0;
}

static int
move (int fd, long left, int sends)
{
  while (left > 0) {
    size_t part = left < (long) sizeof buffer ? (size_t) left : sizeof buffer;
    ssize_t n = sends ? write (fd, buffer, part) : read (fd, buffer, part);

    if (n <= 0)
      return 1;
    left -= n;
  }
  return 0;
}

int
main (int argc, char **argv)
{
  int fd = argc == 5 ? connect_to (argv[1], atoi (argv[2])) : -1;
  long count = argc == 5 ? atol (argv[4]) : 0;
  int failed;

  if (fd < 0) {
    perror ("flow");
    return 1;
  }
  if (strcmp (argv[3], "echo") == 0)
    failed = echo (fd, count);
  else
    failed = move (fd, count << 20, strcmp (argv[3], "send") == 0);
  shutdown (fd, SHUT_WR);
  while (read (fd, buffer, sizeof buffer) > 0) /* until the host has seen the end */
    ;
  return failed;
}
