/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmConfig: making, copying and checking what a machine is made of.
 *
 * Threads: any; one owner at a time.
 */
#include "vmm-config.h"

#include <string.h>

#include "vmm-error.h"

#define MAX_MEMORY       (G_GUINT64_CONSTANT (4) << 40)
#define PAGE_SIZE        4096
#define HUGE_PAGE        (2 << 20)
#define MAX_CHANNEL_NAME 64

VmmDiskConfig *
vmm_disk_config_copy (const VmmDiskConfig *self)
{
  VmmDiskConfig *copy = g_memdup2 (self, sizeof *self);

  copy->path = g_strdup (self->path);
  return copy;
}

void
vmm_disk_config_free (VmmDiskConfig *self)
{
  g_free (self->path);
  g_free (self);
}

static void
cdrom_free (gpointer data)
{
  VmmCdromConfig *cdrom = data;

  g_free (cdrom->path);
  g_free (cdrom);
}

static void
channel_free (gpointer data)
{
  VmmChannelConfig *channel = data;

  g_free (channel->name);
  g_free (channel->path);
  g_free (channel);
}

VmmConfig *
vmm_config_new (void)
{
  VmmConfig *self = g_new0 (VmmConfig, 1);

  self->memory = G_GUINT64_CONSTANT (512) << 20;
  self->n_vcpus = 1;
  self->cpu.cap = VMM_CPU_NO_CAP;
  self->cpu.weight = VMM_CPU_WEIGHT;
  self->serial.in_fd = self->serial.out_fd = -1;
  self->console.in_fd = self->console.out_fd = -1;
  self->disks = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_disk_config_free);
  self->cdroms = g_ptr_array_new_with_free_func (cdrom_free);
  self->channels = g_ptr_array_new_with_free_func (channel_free);
  self->nics = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_nic_config_free);
  return self;
}

VmmConfig *
vmm_config_copy (const VmmConfig *self)
{
  VmmConfig *copy = g_new (VmmConfig, 1);

  *copy = *self;
  copy->name = g_strdup (self->name);
  copy->kernel = g_strdup (self->kernel);
  copy->initrd = g_strdup (self->initrd);
  copy->firmware = g_strdup (self->firmware);
  copy->nvram = g_strdup (self->nvram);
  copy->load = g_strdup (self->load);
  copy->nvram_template = g_strdup (self->nvram_template);
  copy->vga_bios = g_strdup (self->vga_bios);
  copy->boot_order = g_strdup (self->boot_order);
  copy->firmware_log = g_strdup (self->firmware_log);
  copy->append = g_strdup (self->append);
  copy->serial.path = g_strdup (self->serial.path);
  copy->console.path = g_strdup (self->console.path);
  copy->disks = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_disk_config_free);
  copy->cdroms = g_ptr_array_new_with_free_func (cdrom_free);
  copy->channels = g_ptr_array_new_with_free_func (channel_free);
  copy->nics = g_ptr_array_new_with_free_func ((GDestroyNotify) vmm_nic_config_free);
  copy->networks = self->networks ? vmm_networks_ref (self->networks) : NULL;
  for (guint i = 0; i < self->nics->len; i++)
    vmm_config_add_nic (copy, vmm_nic_config_copy (g_ptr_array_index (self->nics, i)));
  for (guint i = 0; i < self->channels->len; i++) {
    const VmmChannelConfig *channel = g_ptr_array_index (self->channels, i);

    vmm_config_add_channel (copy, channel->name, channel->path);
  }
  for (guint i = 0; i < self->cdroms->len; i++)
    vmm_config_add_cdrom (copy, ((VmmCdromConfig *) g_ptr_array_index (self->cdroms, i))->path);
  for (guint i = 0; i < self->disks->len; i++)
    g_ptr_array_add (copy->disks, vmm_disk_config_copy (g_ptr_array_index (self->disks, i)));
  return copy;
}

void
vmm_config_free (VmmConfig *self)
{
  g_ptr_array_unref (self->disks);
  g_ptr_array_unref (self->cdroms);
  g_ptr_array_unref (self->channels);
  g_ptr_array_unref (self->nics);
  g_clear_pointer (&self->networks, vmm_networks_unref);
  g_free (self->name);
  g_free (self->kernel);
  g_free (self->initrd);
  g_free (self->firmware);
  g_free (self->nvram);
  g_free (self->load);
  g_free (self->nvram_template);
  g_free (self->vga_bios);
  g_free (self->boot_order);
  g_free (self->firmware_log);
  g_free (self->append);
  g_free (self->serial.path);
  g_free (self->console.path);
  g_free (self);
}

VmmDiskConfig *
vmm_config_add_disk (VmmConfig *self, const char *path, gboolean readonly)
{
  VmmDiskConfig *disk = g_new0 (VmmDiskConfig, 1);

  disk->path = g_strdup (path);
  disk->readonly = readonly;
  g_ptr_array_add (self->disks, disk);
  return disk;
}

void
vmm_config_add_cdrom (VmmConfig *self, const char *path)
{
  VmmCdromConfig *cdrom = g_new0 (VmmCdromConfig, 1);

  cdrom->path = g_strdup (path);
  g_ptr_array_add (self->cdroms, cdrom);
}

void
vmm_config_add_channel (VmmConfig *self, const char *name, const char *path)
{
  VmmChannelConfig *channel = g_new (VmmChannelConfig, 1);

  *channel = (VmmChannelConfig) { g_strdup (name), g_strdup (path) };
  g_ptr_array_add (self->channels, channel);
}

void
vmm_config_add_nic (VmmConfig *self, VmmNicConfig *nic)
{
  g_ptr_array_add (self->nics, nic);
}

/* What hangs on the SATA controller. */
static guint
count_sata (const VmmConfig *self)
{
  guint n = self->cdroms->len;

  for (guint i = 0; i < self->disks->len; i++)
    n += ((VmmDiskConfig *) g_ptr_array_index (self->disks, i))->bus == VMM_DISK_SATA;
  return n;
}

static gboolean
has_readonly_sata (const VmmConfig *self)
{
  for (guint i = 0; i < self->disks->len; i++) {
    const VmmDiskConfig *disk = g_ptr_array_index (self->disks, i);

    if (disk->bus == VMM_DISK_SATA && disk->readonly)
      return TRUE;
  }
  return FALSE;
}

static gboolean
leads_nowhere (const VmmTextConfig *text)
{
  return text->mode == VMM_TEXT_FD && text->in_fd < 0 && text->out_fd < 0;
}

static gboolean
lacks_name (const VmmTextConfig *text)
{
  return text->mode == VMM_TEXT_FILE && (!text->path || !*text->path);
}

/* Of two readers of one descriptor each gets a part. */
static gboolean
share_input (const VmmTextConfig *a, const VmmTextConfig *b)
{
  return a->mode == VMM_TEXT_FD && b->mode == VMM_TEXT_FD && a->in_fd >= 0 && a->in_fd == b->in_fd;
}

static gboolean
is_empty (const char *text)
{
  return !text || !*text;
}

static const char *
find_nic_fault (const VmmConfig *self)
{
  const char *fault = NULL;

  if (self->nics->len > VMM_MAX_NICS)
    return "A machine can have at most 16 network cards.";
  for (guint i = 0; i < self->nics->len && !fault; i++)
    fault = vmm_nic_config_find_fault (g_ptr_array_index (self->nics, i));
  return fault;
}

/* A name is one word: the guest makes a file of it. */
static const char *
find_channel_fault (const VmmConfig *self)
{
  if (self->channels->len > VMM_MAX_CHANNELS)
    return "A machine can have at most 6 channels.";
  for (guint i = 0; i < self->channels->len; i++) {
    const VmmChannelConfig *channel = g_ptr_array_index (self->channels, i);

    if (is_empty (channel->name) || strlen (channel->name) > MAX_CHANNEL_NAME ||
        strpbrk (channel->name, "/ \n"))
      return "A channel has a name such as org.qemu.guest_agent.0.";
    if (is_empty (channel->path))
      return "A channel needs the name of its socket.";
    for (guint j = 0; j < i; j++)
      if (strcmp (((VmmChannelConfig *) g_ptr_array_index (self->channels, j))->name,
                  channel->name) == 0)
        return "Two channels have the same name.";
  }
  return NULL;
}

VmmCpuTopology
vmm_config_get_topology (const VmmConfig *self)
{
  return vmm_cpu_topology_complete (self->cpu.topology, self->n_vcpus);
}

static gboolean
check_topology (const VmmConfig *self, GError **error)
{
  VmmCpuTopology all = vmm_config_get_topology (self);

  if (all.sockets <= VMM_MAX_VCPUS && all.cores <= VMM_MAX_VCPUS && all.threads <= VMM_MAX_VCPUS &&
      vmm_cpu_topology_count (all) == self->n_vcpus)
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
               "The machine's %u processors cannot be counted as sockets=%u of cores=%u of "
               "threads=%u: multiplied they must be that number.",
               self->n_vcpus, all.sockets, all.cores, all.threads);
  return FALSE;
}

static guint
count_hotplug (const VmmConfig *self)
{
  guint n = 0;

  for (guint i = 0; i < self->disks->len; i++)
    n += ((VmmDiskConfig *) g_ptr_array_index (self->disks, i))->hotplug;
  for (guint i = 0; i < self->nics->len; i++)
    n += ((VmmNicConfig *) g_ptr_array_index (self->nics, i))->hotplug;
  return n;
}

static gboolean
has_hotplug_sata (const VmmConfig *self)
{
  for (guint i = 0; i < self->disks->len; i++) {
    const VmmDiskConfig *disk = g_ptr_array_index (self->disks, i);

    if (disk->hotplug && disk->bus != VMM_DISK_VIRTIO)
      return TRUE;
  }
  return FALSE;
}

/* What is wrong, or NULL. */
static const char *
find_fault (const VmmConfig *self)
{
  if (self->n_vcpus < 1 || self->n_vcpus > VMM_MAX_VCPUS)
    return "A machine has 1 to 32 processors.";
  if (vmm_cpu_config_find_fault (&self->cpu))
    return vmm_cpu_config_find_fault (&self->cpu);
  if (self->memory < VMM_MIN_MEMORY)
    return "A machine needs at least 16 MiB of memory.";
  if (self->memory > MAX_MEMORY)
    return "A machine can have at most 4 TiB of memory.";
  if (self->memory % PAGE_SIZE != 0)
    return "The memory must be a whole number of 4 KiB.";
  if (self->huge_pages && self->memory % HUGE_PAGE != 0)
    return "With huge pages the memory must be a whole number of 2 MiB.";
  if (is_empty (self->kernel) && is_empty (self->firmware))
    return "A machine needs a kernel or firmware to start.";
  if (self->boot_order && strspn (self->boot_order, VMM_BOOT_DEFAULT) != strlen (self->boot_order))
    return "The order of starting is made of c (disks), d (CDs) and n (network).";
  if (!is_empty (self->kernel) && !is_empty (self->firmware))
    return "A machine starts with a kernel or with firmware, not with both.";
  if (self->disks->len > VMM_MAX_DISKS)
    return "A machine can have at most 24 disks.";
  if (count_sata (self) > VMM_MAX_SATA)
    return "A machine can have at most 6 SATA disks and CD drives.";
  if (has_readonly_sata (self))
    return "A SATA disk cannot be read-only: use virtio for it.";
  if (leads_nowhere (&self->serial))
    return "The serial port has nothing to write to.";
  if (lacks_name (&self->serial))
    return "The serial port's file has no name.";
  if (leads_nowhere (&self->console))
    return "The console has nothing to write to.";
  if (lacks_name (&self->console))
    return "The console's file has no name.";
  if (share_input (&self->serial, &self->console))
    return "The serial port and the console cannot both read from the same place.";
  if (self->n_ports > VMM_MAX_PORTS)
    return "A machine can have at most 8 ports that something can be attached to.";
  if (count_hotplug (self) > self->n_ports)
    return "The machine has fewer ports than disks and network cards that should be behind one.";
  if (has_hotplug_sata (self))
    return "Only virtio disks can be behind a port.";
  if (find_channel_fault (self))
    return find_channel_fault (self);
  return find_nic_fault (self);
}

gboolean
vmm_config_check (const VmmConfig *self, GError **error)
{
  const char *fault = find_fault (self);

  if (!fault)
    return check_topology (self, error);
  g_set_error_literal (error, VMM_ERROR, VMM_ERROR_CONFIG, fault);
  return FALSE;
}
