/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See plugged.h. A saved one is a section of its own, with sections below it for the disk, or the
 * card and its forwards.
 *
 * Threads: control.
 */
#include "x86/plugged.h"

#include "vmm-error.h"

#define SECTION_VERSION 1
#define MAX_FORWARDS    1024

typedef struct {
  guint32 port, number;
  gboolean is_disk;
  guint32 n_forwards;
} Head;

typedef struct {
  guint n;
  VmmForward *forwards;
} Forwards;

static const VmmField head_fields[] = {
  VMM_FIELD (Head, port, VMM_FIELD_UINT32, "port"),
  VMM_FIELD (Head, number, VMM_FIELD_UINT32, "number"),
  VMM_FIELD (Head, is_disk, VMM_FIELD_BOOL, "is-disk"),
  VMM_FIELD (Head, n_forwards, VMM_FIELD_UINT32, "n-forwards"),
  VMM_FIELD_LAST,
};

static const VmmField disk_fields[] = {
  VMM_FIELD (VmmDiskConfig, path, VMM_FIELD_STRING, "path"),
  VMM_FIELD (VmmDiskConfig, readonly, VMM_FIELD_BOOL, "readonly"),
  VMM_FIELD (VmmDiskConfig, format, VMM_FIELD_UINT32, "format"),
  VMM_EXEMPT (VmmDiskConfig, bus, "always virtio"),
  VMM_FIELD (VmmDiskConfig, discard, VMM_FIELD_BOOL, "discard"),
  VMM_FIELD (VmmDiskConfig, direct, VMM_FIELD_BOOL, "direct"),
  VMM_EXEMPT (VmmDiskConfig, hotplug, "always"),
  VMM_FIELD_LAST,
};

static const VmmField nic_fields[] = {
  VMM_FIELD (VmmNicConfig, mode, VMM_FIELD_UINT32, "mode"),
  VMM_EXEMPT (VmmNicConfig, hotplug, "always"),
  VMM_FIELD (VmmNicConfig, has_mac, VMM_FIELD_BOOL, "has-mac"),
  VMM_FIELD (VmmNicConfig, mac, VMM_FIELD_BYTES, "mac"),
  VMM_FIELD (VmmNicConfig, network, VMM_FIELD_STRING, "network"),
  VMM_EXEMPT (VmmNicConfig, forwards, "a section of their own"),
  VMM_FIELD (VmmNicConfig, name, VMM_FIELD_STRING, "name"),
  VMM_FIELD (VmmNicConfig, vhost, VMM_FIELD_BOOL, "vhost"),
  VMM_EXEMPT (VmmNicConfig, tap_fd, "of one process"),
  VMM_FIELD (VmmNicConfig, capture, VMM_FIELD_STRING, "capture"),
  VMM_FIELD_LAST,
};

static const VmmField forward_fields[] = {
  VMM_FIELD (VmmForward, udp, VMM_FIELD_BOOL, "udp"),
  VMM_FIELD (VmmForward, address, VMM_FIELD_STRING, "address"),
  VMM_FIELD (VmmForward, port, VMM_FIELD_UINT16, "port"),
  VMM_FIELD (VmmForward, guest_port, VMM_FIELD_UINT16, "guest-port"),
  VMM_FIELD_LAST,
};

static const VmmField forwards_fields[] = {
  VMM_EXEMPT (Forwards, n, "stored with them"),
  VMM_FIELD_POINTER (Forwards, forwards, n, forward_fields, "forwards"),
  VMM_FIELD_LAST,
};

VmmPlugged *
vmm_plugged_new_disk (guint port, guint number, const VmmDiskConfig *disk)
{
  VmmPlugged *self = g_new0 (VmmPlugged, 1);

  *self = (VmmPlugged) { .port = port, .number = number, .disk = vmm_disk_config_copy (disk) };
  return self;
}

VmmPlugged *
vmm_plugged_new_nic (guint port, guint number, const VmmNicConfig *nic)
{
  VmmPlugged *self = g_new0 (VmmPlugged, 1);

  *self = (VmmPlugged) { .port = port, .number = number, .nic = vmm_nic_config_copy (nic) };
  return self;
}

void
vmm_plugged_free (VmmPlugged *self)
{
  g_clear_pointer (&self->disk, vmm_disk_config_free);
  g_clear_pointer (&self->nic, vmm_nic_config_free);
  g_free (self);
}

char *
vmm_plugged_get_id (const VmmPlugged *self)
{
  return g_strdup_printf ("%s%u", self->disk ? "disk" : "net", self->number);
}

static char *
section_of (guint index, const char *part)
{
  return g_strdup_printf ("machine/attached%u%s", index, part);
}

/* Files by their whole names: whoever loads it may stand in another folder. */
static gboolean
save_disk (const VmmPlugged *self, guint index, VmmState *state, GError **error)
{
  g_autofree char *section = section_of (index, "/disk");
  g_autofree char *path = g_canonicalize_filename (self->disk->path, NULL);
  VmmDiskConfig disk = *self->disk;

  disk.path = path;
  return vmm_state_save_struct (state, section, SECTION_VERSION, disk_fields, &disk, error);
}

static gboolean
save_forwards (const VmmPlugged *self, guint index, VmmState *state, GError **error)
{
  g_autofree char *section = section_of (index, "/forwards");
  const GPtrArray *list = self->nic->forwards;
  g_autofree VmmForward *flat = g_new0 (VmmForward, list->len);
  Forwards forwards = { list->len, flat };

  for (guint i = 0; i < list->len; i++)
    flat[i] = *(VmmForward *) g_ptr_array_index (list, i);
  return vmm_state_save_struct (state, section, SECTION_VERSION, forwards_fields, &forwards, error);
}

static gboolean
save_nic (const VmmPlugged *self, guint index, VmmState *state, GError **error)
{
  g_autofree char *section = section_of (index, "/nic");
  g_autofree char *capture =
    self->nic->capture ? g_canonicalize_filename (self->nic->capture, NULL) : NULL;
  VmmNicConfig nic = *self->nic;

  nic.capture = capture;
  return vmm_state_save_struct (state, section, SECTION_VERSION, nic_fields, &nic, error) &&
         save_forwards (self, index, state, error);
}

gboolean
vmm_plugged_save (const VmmPlugged *self, guint index, VmmState *state, GError **error)
{
  g_autofree char *section = section_of (index, "");
  Head head = { self->port, self->number, self->disk != NULL,
                self->nic ? self->nic->forwards->len : 0 };

  return vmm_state_save_struct (state, section, SECTION_VERSION, head_fields, &head, error) &&
         (self->disk ? save_disk : save_nic) (self, index, state, error);
}

static gboolean
load_forwards (VmmPlugged *self, guint index, guint n, VmmState *state, GError **error)
{
  g_autofree char *section = section_of (index, "/forwards");
  g_autofree VmmForward *flat = g_new0 (VmmForward, n);
  Forwards forwards = { n, flat };

  if (!vmm_state_load_struct (state, section, SECTION_VERSION, forwards_fields, &forwards, NULL,
                              error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (self->nic->forwards, g_memdup2 (&flat[i], sizeof flat[i]));
  return TRUE;
}

static gboolean
load_disk (VmmPlugged *self, guint index, VmmState *state, GError **error)
{
  g_autofree char *section = section_of (index, "/disk");

  self->disk = g_new0 (VmmDiskConfig, 1);
  return vmm_state_load_struct (state, section, SECTION_VERSION, disk_fields, self->disk, NULL,
                                error);
}

static gboolean
load_nic (VmmPlugged *self, guint index, guint n_forwards, VmmState *state, GError **error)
{
  g_autofree char *section = section_of (index, "/nic");

  self->nic = vmm_nic_config_new (VMM_NIC_USER);
  return vmm_state_load_struct (state, section, SECTION_VERSION, nic_fields, self->nic, NULL,
                                error) &&
         load_forwards (self, index, n_forwards, state, error);
}

static gboolean
is_good (const VmmPlugged *self)
{
  if (self->disk)
    return self->disk->path && self->disk->format <= VMM_DISK_QCOW2;
  return self->nic->mode <= VMM_NIC_SWITCH && !vmm_nic_config_find_fault (self->nic);
}

VmmPlugged *
vmm_plugged_load (guint index, VmmState *state, GError **error)
{
  g_autofree char *section = section_of (index, "");
  g_autoptr (VmmPlugged) self = g_new0 (VmmPlugged, 1);
  Head head = { 0 };

  if (!vmm_state_load_struct (state, section, SECTION_VERSION, head_fields, &head, NULL, error))
    return NULL;
  self->port = head.port;
  self->number = head.number;
  if (head.is_disk ? !load_disk (self, index, state, error)
                   : !load_nic (self, index, MIN (head.n_forwards, MAX_FORWARDS), state, error))
    return NULL;
  if (is_good (self))
    return g_steal_pointer (&self);
  g_set_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT,
               "The saved machine is broken: what was attached to port %u cannot be told.",
               self->port);
  return NULL;
}
