/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Several machines in one process, on the same private networks: machines [OPTIONS of vmm-run] --
 * [OPTIONS] ... It ends when all have turned themselves off.
 */
#include <stdio.h>
#include <string.h>

#include "tools/vmm-run-options.h"
#include "vmm.h"

#define MAX_MACHINES 8

static VmmMachine *
start (int argc, char **argv, VmmNetworks *networks, GError **error)
{
  static const VmmListener listener = { 0 };
  g_autoptr (VmmRunOptions) options = vmm_run_options_parse (argc, argv, error);
  VmmMachine *machine;

  if (!options)
    return NULL;
  g_clear_pointer (&options->config->networks, vmm_networks_unref);
  options->config->networks = vmm_networks_ref (networks);
  machine = vmm_machine_new (options->config, &listener, NULL, error);
  if (machine && !vmm_machine_start (machine, error))
    g_clear_pointer (&machine, vmm_machine_free);
  return machine;
}

int
main (int argc, char **argv)
{
  g_autoptr (VmmNetworks) networks = vmm_networks_new ();
  VmmMachine *machines[MAX_MACHINES];
  guint n = 0;
  gboolean ok = TRUE;

  for (int first = 0, at = 1; at <= argc && n < MAX_MACHINES; at++) {
    g_autoptr (GError) error = NULL;

    if (at < argc && strcmp (argv[at], "--") != 0)
      continue;
    argv[first] = argv[0];
    machines[n] = start (at - first, argv + first, networks, &error);
    if (!machines[n++]) {
      fprintf (stderr, "machines: %s\n", error->message);
      return 2;
    }
    first = at;
  }
  for (guint i = 0; i < n; i++) {
    vmm_machine_wait (machines[i]);
    ok = ok && vmm_machine_get_end (machines[i]).kind == VMM_END_POWER_OFF;
    vmm_machine_free (machines[i]);
  }
  return ok ? 0 : 1;
}
