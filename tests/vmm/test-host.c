/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How much memory a host gives a machine, on hosts made up here and on this one.
 */
#include <string.h>
#include <sys/resource.h>

#include "vmm-error.h"
#include "vmm-host.h"

#define MIB(n) (G_GUINT64_CONSTANT (n) << 20)
#define GIB(n) (G_GUINT64_CONSTANT (n) << 30)

static void
check (const VmmHostMemory *host, guint64 size, const char *why)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (vmm_host_memory_check (host, size, &error), ==, why == NULL);
  if (!why)
    return;
  g_assert_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY);
  g_assert_nonnull (strstr (error->message, why));
  g_assert_true (g_str_has_suffix (error->message, "."));
}

/* An eighth is the host's on a small one, 512 MiB on a large one; what is free does not matter. */
static void
test_installed (void)
{
  const VmmHostMemory small = { .installed = GIB (2), .available = 0, .limit = G_MAXUINT64 };
  const VmmHostMemory large = { .installed = GIB (64),
                                .available = GIB (64),
                                .limit = G_MAXUINT64 };
  const VmmHostMemory unknown = { .limit = G_MAXUINT64 };

  check (&small, MIB (1792), NULL);
  check (&small, MIB (1793), "wants 1793 MiB of memory, but this computer has 2048 MiB");
  check (&small, MIB (1793), "at most 1792 MiB.");
  check (&large, GIB (64) - MIB (512), NULL);
  check (&large, GIB (64) - MIB (511), "at most 65024 MiB.");
  check (&large, G_MAXUINT64, "at most");
  check (&unknown, GIB (512), NULL);
}

static void
test_limit (void)
{
  const VmmHostMemory host = {
    .installed = GIB (8), .available = GIB (8), .limit = GIB (1), .limit_name = "RLIMIT_AS"
  };

  check (&host, GIB (1), NULL);
  check (&host, GIB (1) + 4096, "RLIMIT_AS");
  check (&host, MIB (1025), "wants 1025 MiB");
  check (&host, MIB (1025), "leaves 1024 MiB");
}

static void
test_measured (void)
{
  VmmHostMemory host;
  struct rlimit before, low;

  vmm_host_measure_memory (&host);
  g_assert_cmpuint (host.installed, ==, vmm_host_get_memory ());
  g_assert_cmpuint (host.installed, >, host.available);
  check (&host, MIB (16), NULL);

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  low = before;
  low.rlim_cur = MIB (3);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &low), ==, 0);
  vmm_host_measure_memory (&host);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_cmpuint (host.limit, ==, MIB (3));
  check (&host, MIB (3), NULL);
  check (&host, MIB (4), "RLIMIT_FSIZE");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/host/installed", test_installed);
  g_test_add_func ("/host/limit", test_limit);
  g_test_add_func ("/host/measured", test_measured);
  return g_test_run ();
}
