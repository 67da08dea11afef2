/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The guest's init in the boot benchmark: says so by its own port writes, then sleeps.
 */
#include <stdio.h>
#include <sys/io.h>
#include <unistd.h>

#define COM1 0x3f8

int
main (void)
{
  if (iopl (3) == 0)
    for (const char *p = "\nVIRTDESK-INIT\n"; *p != '\0'; p++)
      outb (*p, COM1);
  for (;;)
    pause ();
}
