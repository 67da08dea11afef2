/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A machine saved and loaded. What a saved machine was made of is in the section "machine" and the
 * list "machine/devices": a machine that is made otherwise does not take it.
 *
 * Threads: control, with the control lock held; vCPUs parked, devices drained.
 */
#include <string.h>
#include <sys/random.h>

#include "machine-private.h"
#include "vmm-error.h"
#include "vmm-snapshot.h"

#define MANIFEST_VERSION 3 /* 1: one socket, and not said so; 2: nothing was attached */

typedef struct {
  guint8 id[VMM_STREAM_ID_LENGTH];
  guint64 memory; /* bytes */
  guint32 n_vcpus;
  guint32 sockets, cores, threads; /* of them */
  guint32 n_attached;
} Manifest;

static const VmmField manifest_fields[] = {
  VMM_FIELD (Manifest, id, VMM_FIELD_BYTES, "id"),
  VMM_FIELD (Manifest, memory, VMM_FIELD_UINT64, "memory"),
  VMM_FIELD (Manifest, n_vcpus, VMM_FIELD_UINT32, "processors"),
  VMM_FIELD (Manifest, sockets, VMM_FIELD_UINT32, "sockets"),
  VMM_FIELD (Manifest, cores, VMM_FIELD_UINT32, "cores"),
  VMM_FIELD (Manifest, threads, VMM_FIELD_UINT32, "threads"),
  VMM_FIELD (Manifest, n_attached, VMM_FIELD_UINT32, "attached"),
  VMM_FIELD_LAST,
};

static gboolean
fail (GError **error, const char *why)
{
  g_set_error_literal (error, VMM_ERROR, VMM_ERROR_SNAPSHOT, why);
  return FALSE;
}

static gboolean
fill_manifest (VmmMachine *self, Manifest *manifest, GError **error)
{
  VmmCpuTopology topology = vmm_config_get_topology (self->config);

  memset (manifest, 0, sizeof *manifest);
  manifest->memory = self->config->memory;
  manifest->n_vcpus = self->config->n_vcpus;
  manifest->sockets = topology.sockets;
  manifest->cores = topology.cores;
  manifest->threads = topology.threads;
  manifest->n_attached = vmm_pc_count_attached (self->pc);
  return getrandom (manifest->id, sizeof manifest->id, 0) == sizeof manifest->id ||
         fail (error, "This computer gives no random numbers.");
}

static gboolean
save_parts (VmmMachine *self, const Manifest *manifest, VmmState *state, GError **error)
{
  g_autofree char *devices = vmm_pc_list_devices (self->pc);

  vmm_state_save_bytes (state, "machine/devices", devices, strlen (devices));
  if (!vmm_state_save_struct (state, "machine", MANIFEST_VERSION, manifest_fields, manifest,
                              error) ||
      !vmm_pc_save (self->pc, state, error) || !vmm_kvm_save (self->kvm, state, error))
    return FALSE;
  for (guint i = 0; i < self->vcpus->len; i++)
    if (!vmm_vcpu_save (g_ptr_array_index (self->vcpus, i), state, error))
      return FALSE;
  return TRUE;
}

gboolean
vmm_machine_do_save (VmmMachine *self,
                     const char *path,
                     const VmmProgress *progress,
                     GError **error)
{
  g_autoptr (VmmState) state = vmm_state_new ();
  Manifest manifest;

  return fill_manifest (self, &manifest, error) && save_parts (self, &manifest, state, error) &&
         vmm_snapshot_write (path, manifest.id, state, self->memory, progress, error);
}

static gboolean
check_devices (VmmMachine *self, VmmState *state, GError **error)
{
  g_autofree char *ours = vmm_pc_list_devices (self->pc);
  gsize length;
  const guint8 *theirs = vmm_state_peek_bytes (state, "machine/devices", &length, error);

  if (!theirs)
    return FALSE;
  return (length == strlen (ours) && memcmp (theirs, ours, length) == 0) ||
         fail (error, "The saved machine has other devices: give this one the same disks, network "
                      "cards and screen.");
}

/* The processors have their APIC ids from it. */
static gboolean
check_topology (VmmMachine *self, const Manifest *manifest, GError **error)
{
  VmmCpuTopology ours = vmm_config_get_topology (self->config);
  VmmCpuTopology theirs = { manifest->sockets, manifest->cores, manifest->threads };

  theirs = vmm_cpu_topology_complete (theirs, manifest->n_vcpus);
  if (theirs.sockets == ours.sockets && theirs.cores == ours.cores &&
      theirs.threads == ours.threads)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
               "The saved machine's processors are counted as sockets=%u of cores=%u of "
               "threads=%u: count those of this one so too.",
               theirs.sockets, theirs.cores, theirs.threads);
  return FALSE;
}

static gboolean
check_manifest (VmmMachine *self, VmmState *state, Manifest *manifest, GError **error)
{
  if (!vmm_state_load_struct (state, "machine", MANIFEST_VERSION, manifest_fields, manifest, NULL,
                              error))
    return FALSE;
  if (manifest->memory == self->config->memory && manifest->n_vcpus == self->config->n_vcpus)
    return check_topology (self, manifest, error) &&
           vmm_pc_attach_saved (self->pc, manifest->n_attached, state, error) &&
           check_devices (self, state, error);
  g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
               "The saved machine has %" G_GUINT64_FORMAT
               " MiB of memory and %u processors: give this one as many.",
               manifest->memory >> 20, manifest->n_vcpus);
  return FALSE;
}

/* As they are after power-on, for a later reset. */
static gboolean
reset_vcpus (VmmMachine *self, GError **error)
{
  for (guint i = 0; i < self->vcpus->len; i++)
    if (!vmm_vcpu_reset (g_ptr_array_index (self->vcpus, i), NULL, error))
      return FALSE;
  return TRUE;
}

/* Devices last: their wires are seen by controllers that are there already, and messages that they
 * send reach the processors. */
static gboolean
load_parts (VmmMachine *self, VmmState *state, GError **error)
{
  if (!reset_vcpus (self, error) || !vmm_kvm_load (self->kvm, state, error))
    return FALSE;
  for (guint i = 0; i < self->vcpus->len; i++)
    if (!vmm_vcpu_load (g_ptr_array_index (self->vcpus, i), state, error))
      return FALSE;
  return vmm_pc_load_saved (self->pc, state, error);
}

gboolean
vmm_machine_load_saved (VmmMachine *self, const char *path, GError **error)
{
  g_autoptr (VmmState) state = vmm_snapshot_read_state (path, error);
  Manifest manifest = { 0 };

  if (!state || !check_manifest (self, state, &manifest, error))
    return FALSE;
  vmm_pc_drain (self->pc);
  return vmm_snapshot_read_memory (path, manifest.id, self->memory, NULL, error) &&
         load_parts (self, state, error);
}
