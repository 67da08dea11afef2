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
#include <sys/resource.h>
#include <unistd.h>

#include "kvm/vmm-kvm.h"
#include "vmm-error.h"

#define MIB_SHIFT      20
#define HOST_PART      8 /* one in so many parts of the memory is the host's own, ... */
#define MAX_HOST_BYTES (G_GUINT64_CONSTANT (512) << MIB_SHIFT) /* ... up to this */

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

/* Address space that this process has already. */
static guint64
get_mapped (void)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return 0;
  return g_ascii_strtoull (text, NULL, 10) * sysconf (_SC_PAGESIZE);
}

static void
apply_limit (VmmHostMemory *memory, int resource, const char *name, guint64 used)
{
  struct rlimit limit;
  guint64 left;

  if (getrlimit (resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
    return;
  left = limit.rlim_cur > used ? limit.rlim_cur - used : 0;
  if (left >= memory->limit)
    return;
  memory->limit = left;
  memory->limit_name = name;
}

void
vmm_host_measure_memory (VmmHostMemory *memory)
{
  *memory = (VmmHostMemory) { .installed = vmm_host_get_memory (),
                              .available = vmm_host_get_available_memory (),
                              .limit = G_MAXUINT64 };
  apply_limit (memory, RLIMIT_AS, "RLIMIT_AS", get_mapped ());
  apply_limit (memory, RLIMIT_FSIZE, "RLIMIT_FSIZE", 0); /* memory is a file to the kernel */
}

gboolean
vmm_host_memory_check (const VmmHostMemory *self, guint64 size, GError **error)
{
  guint64 own = MIN (self->installed / HOST_PART, MAX_HOST_BYTES), most = self->installed - own;

  if (self->installed != 0 && size > most)
    g_set_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY,
                 "The machine wants %" G_GUINT64_FORMAT
                 " MiB of memory, but this computer has %" G_GUINT64_FORMAT
                 " MiB and needs some itself: give the machine at most %" G_GUINT64_FORMAT " MiB.",
                 size >> MIB_SHIFT, self->installed >> MIB_SHIFT, most >> MIB_SHIFT);
  else if (size > self->limit)
    g_set_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY,
                 "The machine wants %" G_GUINT64_FORMAT
                 " MiB of memory, but a limit of this process (%s) leaves %" G_GUINT64_FORMAT
                 " MiB: raise the limit or give the machine less.",
                 size >> MIB_SHIFT, self->limit_name, self->limit >> MIB_SHIFT);
  else
    return TRUE;
  return FALSE;
}
