/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdConfig: what a machine is made of, for both engines; the content of
 * machine.ini. A value object: edit a copy, hand it to the machine or library.
 *
 * Properties (GObject, notify as usual): uuid, name, notes, os, engine, memory,
 * cpus, firmware, kernel, initrd, append, graphics, network, plus a GListModel of
 * VdDiskConfig.
 *
 * Threads: main; a frozen copy may be read anywhere.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum {
  VD_ENGINE_AUTO, /* chosen by what the machine needs */
  VD_ENGINE_LOCAL,
  VD_ENGINE_LIBVIRT,
} VdEngineKind;

typedef enum {
  VD_BOOT_KERNEL, /* kernel, initrd, append */
  VD_BOOT_BIOS,
  VD_BOOT_UEFI,
} VdBoot;

typedef enum {
  VD_DISK_RAW,
  VD_DISK_QCOW2,
} VdDiskFormat;

typedef enum {
  VD_DISK_VIRTIO,
  VD_DISK_SATA, /* for systems that have no virtio */
} VdDiskBus;

GType vd_engine_kind_get_type (void);
#define VD_TYPE_ENGINE_KIND (vd_engine_kind_get_type ())
GType vd_boot_get_type (void);
#define VD_TYPE_BOOT (vd_boot_get_type ())
GType vd_disk_format_get_type (void);
#define VD_TYPE_DISK_FORMAT (vd_disk_format_get_type ())
GType vd_disk_bus_get_type (void);
#define VD_TYPE_DISK_BUS (vd_disk_bus_get_type ())

#define VD_TYPE_DISK_CONFIG (vd_disk_config_get_type ())
G_DECLARE_FINAL_TYPE (VdDiskConfig, vd_disk_config, VD, DISK_CONFIG, GObject)

/* Properties: path (NULL: a CD drive with nothing in it), format (stored, never probed at start),
 * bus (a CD drive is always SATA), readonly, cdrom, owned (lies in the machine's folder and goes
 * with it). */
VdDiskConfig *vd_disk_config_new (const char *path, VdDiskFormat format);
const char *vd_disk_config_get_path (VdDiskConfig *self);
VdDiskFormat vd_disk_config_get_format (VdDiskConfig *self);
VdDiskBus vd_disk_config_get_bus (VdDiskConfig *self);
gboolean vd_disk_config_get_readonly (VdDiskConfig *self);
gboolean vd_disk_config_get_cdrom (VdDiskConfig *self);
gboolean vd_disk_config_get_owned (VdDiskConfig *self);

#define VD_TYPE_CONFIG (vd_config_get_type ())
G_DECLARE_FINAL_TYPE (VdConfig, vd_config, VD, CONFIG, GObject)

VdConfig *vd_config_new (void); /* a new uuid, sensible defaults for this host */
VdConfig *vd_config_copy (VdConfig *self);

const char *vd_config_get_uuid (VdConfig *self);
const char *vd_config_get_name (VdConfig *self);
const char *vd_config_get_notes (VdConfig *self);
const char *vd_config_get_os (VdConfig *self); /* libosinfo id or NULL */
VdEngineKind vd_config_get_engine (VdConfig *self);
VdBoot vd_config_get_boot (VdConfig *self);
const char *vd_config_get_kernel (VdConfig *self);
const char *vd_config_get_initrd (VdConfig *self);
const char *vd_config_get_append (VdConfig *self);
guint64 vd_config_get_memory (VdConfig *self); /* bytes */
guint vd_config_get_cpus (VdConfig *self);
gboolean vd_config_get_graphics (VdConfig *self);
gboolean vd_config_get_network (VdConfig *self);
GListModel *vd_config_get_disks (VdConfig *self); /* of VdDiskConfig; borrowed */
guint64
vd_config_get_new_disk_size (VdConfig *self); /* bytes of an empty disk made on create; 0: none */

void vd_config_set_name (VdConfig *self, const char *name);
void vd_config_set_memory (VdConfig *self, guint64 bytes);
void vd_config_set_cpus (VdConfig *self, guint cpus);
void vd_config_add_disk (VdConfig *self, VdDiskConfig *disk);

/* What is wrong with it, one sentence about the first thing. Touches no file. */
gboolean vd_config_check (VdConfig *self, GError **error);

/* The field that vd_config_check's last error speaks of ("name", "memory", "cpus", "kernel", ...).
 */
const char *vd_config_get_bad_field (VdConfig *self);

/* What New Machine starts from: a file a person chose. Fills name, boot, disks, memory. Looks at
 * the file's first bytes on a worker. A file that cannot be used gives one sentence. */
void vd_config_new_for_file_async (GFile *file,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer data);
VdConfig *vd_config_new_for_file_finish (GAsyncResult *result, GError **error);

/* The sample machine that is installed with the program; NULL with error where it is not. */
VdConfig *vd_config_new_sample (GError **error);
/* Whether it starts the sample's kernel. */
gboolean vd_config_is_sample (VdConfig *self);

G_END_DECLS
