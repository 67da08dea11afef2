/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PC's SATA controller with its disks and CD drives, and the changing of discs.
 *
 * Threads: control; see pc.h.
 */
#include <errno.h>
#include <sys/stat.h>

#include "ahci/ahci.h"
#include "pci/pci-host.h"
#include "vmm-error.h"
#include "x86/pc-private.h"

#define MIN_DISC      2048 /* bytes: a block */
#define AHCI_FUNCTION 2    /* of the south bridge's slot */

/* A CD drive and what is in it. */
typedef struct {
  char *id;
  VmmBlock *block; /* NULL: nothing */
} VmmPcCdrom;

void
vmm_pc_cdrom_free (gpointer data)
{
  VmmPcCdrom *cdrom = data;

  g_clear_pointer (&cdrom->block, vmm_block_close);
  g_free (cdrom->id);
  g_free (cdrom);
}

/* What a disc holds is the guest's affair, but it must be a file that can hold one. */
static VmmBlock *
open_disc (VmmPc *self, const char *path, GError **error)
{
  struct stat info;

  if (stat (path, &info) < 0) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "The CD image “%s” cannot be opened: %s.", path,
                 g_strerror (errno));
    return NULL;
  }
  if ((!S_ISREG (info.st_mode) && !S_ISBLK (info.st_mode)) ||
      (S_ISREG (info.st_mode) && info.st_size < MIN_DISC)) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_DISK, "“%s” is not a CD image.", path);
    return NULL;
  }
  return vmm_block_open_raw (path, TRUE, self->board.loop, error);
}

static gboolean
add_cdrom (VmmPc *self, guint number, VmmAhciPortConfig *port, GError **error)
{
  const VmmCdromConfig *config = g_ptr_array_index (self->config->cdroms, number);
  VmmPcCdrom *cdrom = g_new0 (VmmPcCdrom, 1);

  g_ptr_array_add (self->cdroms, cdrom);
  cdrom->id = g_strdup_printf ("cdrom%u", number);
  if (config->path && !(cdrom->block = open_disc (self, config->path, error)))
    return FALSE;
  *port = (VmmAhciPortConfig) { .kind = VMM_AHCI_CDROM, .id = cdrom->id, .block = cdrom->block };
  return TRUE;
}

static gboolean
add_disk (VmmPc *self, const char *id, guint number, VmmAhciPortConfig *port, GError **error)
{
  const VmmDiskConfig *disk = g_ptr_array_index (self->config->disks, number);
  VmmBlock *block = vmm_pc_open_disk (self, disk, error);

  *port = (VmmAhciPortConfig) {
    .kind = VMM_AHCI_DISK,
    .id = id,
    .block = block,
  };
  return block != NULL;
}

gboolean
vmm_pc_add_sata (VmmPc *self, GError **error)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  VmmAhciConfig config = { 0 };
  guint n = 0;

  for (guint i = 0; i < self->config->disks->len && n < VMM_AHCI_N_PORTS; i++) {
    const VmmDiskConfig *disk = g_ptr_array_index (self->config->disks, i);
    char *id;

    if (disk->bus != VMM_DISK_SATA)
      continue;
    id = g_strdup_printf ("disk%u", i);
    g_ptr_array_add (ids, id);
    if (!add_disk (self, id, i, &config.ports[n++], error))
      return FALSE;
  }
  for (guint i = 0; i < self->config->cdroms->len && n < VMM_AHCI_N_PORTS; i++)
    if (!add_cdrom (self, i, &config.ports[n++], error))
      return FALSE;
  if (self->fw_cfg) { /* firmware comes with a south bridge, and there it is looked for */
    config.slot = VMM_PCI_FIRST_FIXED_SLOT;
    config.function = AHCI_FUNCTION;
  }
  if (n > 0)
    self->ahci = vmm_pc_add (self, &vmm_ahci_class.parent, "ahci", &config, error);
  return n == 0 || self->ahci;
}

static VmmPcCdrom *
find_cdrom (VmmPc *self, const char *id, GError **error)
{
  for (guint i = 0; i < self->cdroms->len; i++) {
    VmmPcCdrom *cdrom = g_ptr_array_index (self->cdroms, i);

    if (g_strcmp0 (cdrom->id, id) == 0)
      return cdrom;
  }
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "The machine has no CD drive “%s”.", id);
  return NULL;
}

static gboolean
is_free (VmmPc *self, VmmPcCdrom *cdrom, gboolean force, GError **error)
{
  if (force || !cdrom->block || !vmm_ahci_is_locked (self->ahci, cdrom->id))
    return TRUE;
  vmm_ahci_ask_to_eject (self->ahci, cdrom->id);
  g_set_error (
    error, VMM_ERROR, VMM_ERROR_STATE,
    "The guest is using the disc in “%s” and was asked to release it: try again, or take "
    "the disc by force.",
    cdrom->id);
  return FALSE;
}

/* Takes @block; the old one is closed when nothing uses it any more. */
static void
change_disc (VmmPc *self, VmmPcCdrom *cdrom, VmmBlock *block)
{
  vmm_ahci_change_medium (self->ahci, cdrom->id, block);
  g_clear_pointer (&cdrom->block, vmm_block_close);
  cdrom->block = block;
}

gboolean
vmm_pc_eject (VmmPc *self, const char *id, gboolean force, GError **error)
{
  VmmPcCdrom *cdrom = find_cdrom (self, id, error);

  if (!cdrom || !is_free (self, cdrom, force, error))
    return FALSE;
  change_disc (self, cdrom, NULL);
  return TRUE;
}

gboolean
vmm_pc_insert (VmmPc *self, const char *id, const char *path, gboolean force, GError **error)
{
  VmmPcCdrom *cdrom = find_cdrom (self, id, error);
  VmmBlock *block = cdrom ? open_disc (self, path, error) : NULL;

  if (!block)
    return FALSE;
  if (!is_free (self, cdrom, force, error)) {
    vmm_block_close (block);
    return FALSE;
  }
  change_disc (self, cdrom, block);
  return TRUE;
}
