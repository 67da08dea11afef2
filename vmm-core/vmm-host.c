/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmHost: questions to the host. Apart from kvm/ because a window asks them before there is any
 * machine.
 *
 * Threads: any.
 */
#include "vmm-host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kvm/vmm-kvm.h"

gboolean
vmm_host_check_kvm (GError **error)
{
  int fd = vmm_kvm_open (error);

  if (fd < 0)
    return FALSE;
  close (fd);
  return TRUE;
}

guint
vmm_host_get_n_cpus (void)
{
  return g_get_num_processors ();
}

/* A line of /proc/meminfo, in bytes; 0 where there is none. */
static guint64
read_meminfo (const char *key)
{
  FILE *file = fopen ("/proc/meminfo", "re");
  guint64 found = 0;
  char line[128];

  if (!file)
    return 0;
  while (found == 0 && fgets (line, sizeof line, file))
    if (g_str_has_prefix (line, key))
      found = g_ascii_strtoull (line + strlen (key), NULL, 10) * 1024;
  fclose (file);
  return found;
}

guint64
vmm_host_get_memory (void)
{
  return read_meminfo ("MemTotal:");
}

/* Where the kernel promises no more than it has, what it may still promise. */
static guint64
get_promisable_memory (void)
{
  g_autofree char *mode = NULL;
  guint64 limit, promised;

  if (!g_file_get_contents ("/proc/sys/vm/overcommit_memory", &mode, NULL, NULL) || *mode != '2')
    return G_MAXUINT64;
  limit = read_meminfo ("CommitLimit:");
  promised = read_meminfo ("Committed_AS:");
  return limit > promised ? limit - promised : 0;
}

guint64
vmm_host_get_available_memory (void)
{
  return MIN (read_meminfo ("MemAvailable:"), get_promisable_memory ());
}
