/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The guest's init in the boot benchmark: says so by its own port writes, then sleeps.
 *
 * Through /dev/port and not by iopl: under the emulator of the box a process may lose its
 * permission for ports as soon as a monitor sets the segment registers of a running guest (as QEMU
 * does for q35), because the task register comes back as busy.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define COM1 0x3f8

int
main (void)
{
  int fd;

  mknod ("/dev/port", S_IFCHR | 0600, makedev (1, 4));
  fd = open ("/dev/port", O_WRONLY);
  for (const char *p = "\nVIRTDESK-INIT\n"; *p != '\0'; p++)
    if (pwrite (fd, p, 1, COM1) != 1)
      return 1;
  for (;;)
    pause ();
}
