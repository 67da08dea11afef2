/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The guest's end of the disk benchmark: drill DEVICE read|write BYTES DEPTH COUNT makes COUNT
 * requests of BYTES past the page cache, each somewhere else, DEPTH of them under way at a time,
 * and prints the seconds that they took.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEPTH 64

typedef struct {
  int fd, writes;
  size_t bytes;
  uint64_t n_places, place;
} Drill;

static void
prepare (Drill *drill, struct iocb *request, void *buffer)
{
  memset (request, 0, sizeof *request);
  request->aio_fildes = drill->fd;
  request->aio_lio_opcode = drill->writes ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
  request->aio_buf = (uintptr_t) buffer;
  request->aio_nbytes = drill->bytes;
  /* A walk that comes to every place, and never to the next one. */
  drill->place = (drill->place + 7919) % drill->n_places;
  request->aio_offset = drill->place * drill->bytes;
  request->aio_data = (uintptr_t) buffer;
}

static int
submit (aio_context_t context, struct iocb *request)
{
  return syscall (SYS_io_submit, context, 1, &request) == 1 ? 0 : -1;
}

static int
run (Drill *drill, unsigned depth, long count)
{
  struct io_event done[MAX_DEPTH];
  struct iocb requests[MAX_DEPTH];
  aio_context_t context = 0;
  long left = count;
  char *buffers;

  if (posix_memalign ((void **) &buffers, 4096, drill->bytes * depth) != 0 ||
      syscall (SYS_io_setup, depth, &context) < 0)
    return -1;
  memset (buffers, 0x5a, drill->bytes * depth);
  for (unsigned i = 0; i < depth; i++, left--) {
    prepare (drill, &requests[i], buffers + i * drill->bytes);
    if (submit (context, &requests[i]) < 0)
      return -1;
  }
  for (long ended = 0; ended < count;) {
    int n = syscall (SYS_io_getevents, context, 1, depth, done, NULL);

    for (int i = 0; i < n; i++, ended++) {
      struct iocb *request = (struct iocb *) (uintptr_t) done[i].obj;

      if (done[i].res != (int64_t) drill->bytes)
        return -1;
      if (left-- <= 0)
        continue;
      prepare (drill, request, (void *) (uintptr_t) done[i].data);
      if (submit (context, request) < 0)
        return -1;
    }
    if (n <= 0)
      return -1;
  }
  return 0;
}

static double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int
main (int argc, char **argv)
{
  Drill drill = { .fd = argc == 6 ? open (argv[1], O_RDWR | O_DIRECT) : -1 };
  unsigned depth = argc == 6 ? atoi (argv[4]) : 0;
  uint64_t size;
  double start = now ();

  if (drill.fd < 0 || ioctl (drill.fd, BLKGETSIZE64, &size) < 0 || depth < 1 || depth > MAX_DEPTH) {
    perror ("drill");
    return 1;
  }
  drill.writes = strcmp (argv[2], "write") == 0;
  drill.bytes = atol (argv[3]);
  drill.n_places = size / drill.bytes;
  if (run (&drill, depth, atol (argv[5])) < 0) {
    perror ("drill");
    return 1;
  }
  printf ("DRILLED %.6f\n", now () - start);
  return 0;
}
