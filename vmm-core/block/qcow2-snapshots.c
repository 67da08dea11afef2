/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The snapshots inside an image: what there is, and where their L1 tables are. They are kept, never
 * made or removed here.
 *
 * Threads: control, before the first request.
 */
#include "base/vmm-bytes.h"
#include "block/qcow2-private.h"
#include "vmm-error.h"

#define ENTRY_LENGTH   40
#define MAX_EXTRA      1024
#define MAX_TABLE      (64u << 20)
#define MAX_L1_ENTRIES (4u << 20)
#define SHOWN          256 /* bytes of a name: nobody reads more */

typedef struct {
  VmmBlockSnapshot parent;
  guint64 l1_offset;
  guint l1_size;
} Snapshot;

static void
snapshot_free (gpointer data)
{
  VmmBlockSnapshot *snapshot = data;

  g_free (snapshot->id);
  g_free (snapshot->name);
  g_free (snapshot);
}

static char *
read_text (Qcow2 *self, guint64 offset, guint length)
{
  char text[SHOWN + 1] = { 0 };

  if (vmm_host_file_read (self->parent.file, text, MIN (length, SHOWN), offset) < 0)
    return g_strdup ("");
  return g_utf8_make_valid (text, -1);
}

/* 0 where it is not there, as in old images. */
static guint64
read_extra (Qcow2 *self, guint64 extra, guint length, guint at)
{
  guint8 bytes[8];

  if (length < at + 8 ||
      vmm_host_file_read (self->parent.file, bytes, sizeof bytes, extra + at) < 0)
    return 0;
  return vmm_get_be64 (bytes);
}

/* NULL where it makes no sense; @offset moves behind it. */
static Snapshot *
read_snapshot (Qcow2 *self, guint64 *offset)
{
  guint8 entry[ENTRY_LENGTH];
  guint id_length, name_length, extra_length;
  Snapshot *snapshot;
  guint64 at = *offset + ENTRY_LENGTH;

  if (vmm_host_file_read (self->parent.file, entry, sizeof entry, *offset) < 0)
    return NULL;
  id_length = vmm_get_be16 (entry + 12);
  name_length = vmm_get_be16 (entry + 14);
  extra_length = vmm_get_be32 (entry + 36);
  if (extra_length > MAX_EXTRA || vmm_get_be32 (entry + 8) > MAX_L1_ENTRIES)
    return NULL;
  snapshot = g_new0 (Snapshot, 1);
  snapshot->l1_offset = vmm_get_be64 (entry);
  snapshot->l1_size = vmm_get_be32 (entry + 8);
  snapshot->parent.date = vmm_get_be32 (entry + 16);
  snapshot->parent.vm_state_size = read_extra (self, at, extra_length, 0);
  if (snapshot->parent.vm_state_size == 0)
    snapshot->parent.vm_state_size = vmm_get_be32 (entry + 32);
  snapshot->parent.size = read_extra (self, at, extra_length, 8);
  if (snapshot->parent.size == 0)
    snapshot->parent.size = self->header->size;
  snapshot->parent.id = read_text (self, at + extra_length, id_length);
  snapshot->parent.name = read_text (self, at + extra_length + id_length, name_length);
  *offset = (at + extra_length + id_length + name_length + 7) & ~G_GUINT64_CONSTANT (7);
  return snapshot;
}

GPtrArray *
qcow2_read_snapshots (Qcow2 *self, GError **error)
{
  g_autoptr (GPtrArray) snapshots = g_ptr_array_new_with_free_func (snapshot_free);
  guint64 offset = self->header->snapshots_offset;

  for (guint i = 0; i < self->header->n_snapshots; i++) {
    Snapshot *snapshot = read_snapshot (self, &offset);

    if (snapshot)
      g_ptr_array_add (snapshots, snapshot);
    if (!snapshot || offset - self->header->snapshots_offset > MAX_TABLE ||
        offset > qcow2_get_end (self) + 7) {
      vmm_block_fail (error, self->parent.file->path,
                      "is damaged: its list of snapshots makes no sense");
      return NULL;
    }
  }
  self->snapshots_length = offset - self->header->snapshots_offset;
  return g_steal_pointer (&snapshots);
}

void
qcow2_get_snapshot_table (Qcow2 *self, guint i, guint64 *offset, guint *n_entries)
{
  const Snapshot *snapshot = g_ptr_array_index (self->snapshots, i);

  *offset = snapshot->l1_offset;
  *n_entries = snapshot->l1_size;
}
