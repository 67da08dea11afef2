/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdDiskConfig: one disk or CD-ROM of a VdConfig. Its "group" is the name of its
 * group in machine.ini, by which keys that we do not know stay with their disk.
 *
 * Threads: main; a frozen copy may be read anywhere.
 */
#include "vd-config.h"
#include "library/vd-config-private.h"

struct _VdDiskConfig {
  GObject parent_instance;

  char *path;
  char *group;
  VdDiskFormat format;
  VdDiskBus bus;
  gboolean readonly;
  gboolean cdrom;
  gboolean owned;
};

enum {
  PROP_0,
  PROP_PATH,
  PROP_GROUP,
  PROP_FORMAT,
  PROP_BUS,
  PROP_READONLY,
  PROP_CDROM,
  PROP_OWNED,
  N_PROPS
};
static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (VdDiskConfig, vd_disk_config, G_TYPE_OBJECT)
G_DEFINE_ENUM_TYPE (VdDiskFormat,
                    vd_disk_format,
                    G_DEFINE_ENUM_VALUE (VD_DISK_RAW, "raw"),
                    G_DEFINE_ENUM_VALUE (VD_DISK_QCOW2, "qcow2"))
G_DEFINE_ENUM_TYPE (VdDiskBus,
                    vd_disk_bus,
                    G_DEFINE_ENUM_VALUE (VD_DISK_VIRTIO, "virtio"),
                    G_DEFINE_ENUM_VALUE (VD_DISK_SATA, "sata"))

VdDiskConfig *
vd_disk_config_new (const char *path, VdDiskFormat format)
{
  return g_object_new (VD_TYPE_DISK_CONFIG, "path", path, "format", format, NULL);
}

VdDiskConfig *
vd_disk_config_copy (VdDiskConfig *self)
{
  return g_object_new (VD_TYPE_DISK_CONFIG, "path", self->path, "group", self->group, "format",
                       self->format, "bus", self->bus, "readonly", self->readonly, "cdrom",
                       self->cdrom, "owned", self->owned, NULL);
}

const char *
vd_disk_config_get_path (VdDiskConfig *self)
{
  return self->path;
}

const char *
vd_disk_config_get_group (VdDiskConfig *self)
{
  return self->group;
}

VdDiskFormat
vd_disk_config_get_format (VdDiskConfig *self)
{
  return self->format;
}

VdDiskBus
vd_disk_config_get_bus (VdDiskConfig *self)
{
  return self->cdrom ? VD_DISK_SATA : self->bus;
}

gboolean
vd_disk_config_get_readonly (VdDiskConfig *self)
{
  return self->readonly;
}

gboolean
vd_disk_config_get_cdrom (VdDiskConfig *self)
{
  return self->cdrom;
}

gboolean
vd_disk_config_get_owned (VdDiskConfig *self)
{
  return self->owned;
}

static void
vd_disk_config_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  VdDiskConfig *self = VD_DISK_CONFIG (object);

  switch (id) {
  case PROP_PATH:
    g_value_set_string (value, self->path);
    break;
  case PROP_GROUP:
    g_value_set_string (value, self->group);
    break;
  case PROP_FORMAT:
    g_value_set_enum (value, self->format);
    break;
  case PROP_BUS:
    g_value_set_enum (value, self->bus);
    break;
  case PROP_READONLY:
    g_value_set_boolean (value, self->readonly);
    break;
  case PROP_CDROM:
    g_value_set_boolean (value, self->cdrom);
    break;
  case PROP_OWNED:
    g_value_set_boolean (value, self->owned);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
vd_disk_config_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  VdDiskConfig *self = VD_DISK_CONFIG (object);

  switch (id) {
  case PROP_PATH:
    g_set_str (&self->path, g_value_get_string (value));
    break;
  case PROP_GROUP:
    g_set_str (&self->group, g_value_get_string (value));
    break;
  case PROP_FORMAT:
    self->format = g_value_get_enum (value);
    break;
  case PROP_BUS:
    self->bus = g_value_get_enum (value);
    break;
  case PROP_READONLY:
    self->readonly = g_value_get_boolean (value);
    break;
  case PROP_CDROM:
    self->cdrom = g_value_get_boolean (value);
    break;
  case PROP_OWNED:
    self->owned = g_value_get_boolean (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
vd_disk_config_finalize (GObject *object)
{
  VdDiskConfig *self = VD_DISK_CONFIG (object);

  g_free (self->path);
  g_free (self->group);
  G_OBJECT_CLASS (vd_disk_config_parent_class)->finalize (object);
}

static void
vd_disk_config_class_init (VdDiskConfigClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = vd_disk_config_get_property;
  object_class->set_property = vd_disk_config_set_property;
  object_class->finalize = vd_disk_config_finalize;

  props[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);
  props[PROP_GROUP] = g_param_spec_string ("group", NULL, NULL, NULL, flags);
  props[PROP_FORMAT] =
    g_param_spec_enum ("format", NULL, NULL, VD_TYPE_DISK_FORMAT, VD_DISK_RAW, flags);
  props[PROP_BUS] = g_param_spec_enum ("bus", NULL, NULL, VD_TYPE_DISK_BUS, VD_DISK_VIRTIO, flags);
  props[PROP_READONLY] = g_param_spec_boolean ("readonly", NULL, NULL, FALSE, flags);
  props[PROP_CDROM] = g_param_spec_boolean ("cdrom", NULL, NULL, FALSE, flags);
  props[PROP_OWNED] = g_param_spec_boolean ("owned", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
vd_disk_config_init (VdDiskConfig *self)
{
}
