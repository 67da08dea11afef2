/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdConfig: the value object. What may be in it is checked in vd-config-check.c,
 * how it is written in library/vd-config-file.c.
 *
 * Threads: main; a frozen copy may be read anywhere.
 */
#include "vd-config.h"
#include "library/vd-config-private.h"

#include "vmm.h"

struct _VdConfig {
  GObject parent_instance;

  /* Owned; the properties in the order of their ids */
  char *strings[7]; /* uuid, name, notes, os, kernel, initrd, append */
  VdEngineKind engine;
  VdBoot boot;
  guint64 memory; /* bytes */
  guint cpus;
  gboolean graphics;
  gboolean network;
  guint64 new_disk_size; /* bytes */
  GListStore *disks;     /* of VdDiskConfig */

  /* Borrowed: a literal */
  const char *bad_field;
};

enum {
  PROP_0,
  PROP_UUID,
  PROP_NAME,
  PROP_NOTES,
  PROP_OS,
  PROP_KERNEL,
  PROP_INITRD,
  PROP_APPEND, /* the last of the strings */
  PROP_ENGINE,
  PROP_BOOT,
  PROP_MEMORY,
  PROP_CPUS,
  PROP_GRAPHICS,
  PROP_NETWORK,
  PROP_NEW_DISK_SIZE,
  PROP_DISKS,
  N_PROPS
};
static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (VdConfig, vd_config, G_TYPE_OBJECT)
G_DEFINE_ENUM_TYPE (VdEngineKind,
                    vd_engine_kind,
                    G_DEFINE_ENUM_VALUE (VD_ENGINE_AUTO, "auto"),
                    G_DEFINE_ENUM_VALUE (VD_ENGINE_LOCAL, "local"),
                    G_DEFINE_ENUM_VALUE (VD_ENGINE_LIBVIRT, "libvirt"))
G_DEFINE_ENUM_TYPE (VdBoot,
                    vd_boot,
                    G_DEFINE_ENUM_VALUE (VD_BOOT_KERNEL, "kernel"),
                    G_DEFINE_ENUM_VALUE (VD_BOOT_BIOS, "bios"),
                    G_DEFINE_ENUM_VALUE (VD_BOOT_UEFI, "uefi"))

int
vd_enum_from_nick (GType type, const char *nick)
{
  g_autoptr (GTypeClass) klass = g_type_class_ref (type);
  GEnumValue *value = nick != NULL ? g_enum_get_value_by_nick ((GEnumClass *) klass, nick) : NULL;

  return value != NULL ? value->value : -1;
}

const char *
vd_enum_to_nick (GType type, int value)
{
  g_autoptr (GTypeClass) klass = g_type_class_ref (type);
  GEnumValue *found = g_enum_get_value ((GEnumClass *) klass, value);

  return found != NULL ? found->value_nick : NULL;
}

/* A quarter of the host's memory, from 512 MiB to 2 GiB; half of its processors, 2 at most. */
VdConfig *
vd_config_new (void)
{
  g_autofree char *uuid = g_uuid_string_random ();
  guint64 memory = vmm_host_get_memory () / 4;
  guint cpus = vmm_host_get_n_cpus () / 2;

  memory = CLAMP (memory, G_GUINT64_CONSTANT (512) << 20, G_GUINT64_CONSTANT (2) << 30);
  return g_object_new (VD_TYPE_CONFIG, "uuid", uuid, "memory",
                       memory & ~((G_GUINT64_CONSTANT (1) << 20) - 1), "cpus", CLAMP (cpus, 1, 2),
                       NULL);
}

VdConfig *
vd_config_copy (VdConfig *self)
{
  VdConfig *copy = g_object_new (VD_TYPE_CONFIG, NULL);
  guint n_disks = g_list_model_get_n_items (G_LIST_MODEL (self->disks));

  for (guint i = 0; i < G_N_ELEMENTS (self->strings); i++)
    copy->strings[i] = g_strdup (self->strings[i]);
  copy->engine = self->engine;
  copy->boot = self->boot;
  copy->memory = self->memory;
  copy->cpus = self->cpus;
  copy->graphics = self->graphics;
  copy->network = self->network;
  copy->new_disk_size = self->new_disk_size;

  for (guint i = 0; i < n_disks; i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (G_LIST_MODEL (self->disks), i);
    g_autoptr (VdDiskConfig) disk_copy = vd_disk_config_copy (disk);

    g_list_store_append (copy->disks, disk_copy);
  }
  return copy;
}

#define GETTER(type, name, expression)                                                             \
  type vd_config_get_##name (VdConfig *self)                                                       \
  {                                                                                                \
    g_return_val_if_fail (VD_IS_CONFIG (self), (type) 0);                                          \
    return expression;                                                                             \
  }

GETTER (const char *, uuid, self->strings[PROP_UUID - 1])
GETTER (const char *, name, self->strings[PROP_NAME - 1])
GETTER (const char *, notes, self->strings[PROP_NOTES - 1])
GETTER (const char *, os, self->strings[PROP_OS - 1])
GETTER (const char *, kernel, self->strings[PROP_KERNEL - 1])
GETTER (const char *, initrd, self->strings[PROP_INITRD - 1])
GETTER (const char *, append, self->strings[PROP_APPEND - 1])
GETTER (VdEngineKind, engine, self->engine)
GETTER (VdBoot, boot, self->boot)
GETTER (guint64, memory, self->memory)
GETTER (guint, cpus, self->cpus)
GETTER (gboolean, graphics, self->graphics)
GETTER (gboolean, network, self->network)
GETTER (guint64, new_disk_size, self->new_disk_size)
GETTER (GListModel *, disks, G_LIST_MODEL (self->disks))
GETTER (const char *, bad_field, self->bad_field)

void
vd_config_set_bad_field (VdConfig *self, const char *field)
{
  self->bad_field = field;
}

void
vd_config_get_uuid_bytes (VdConfig *self, guint8 *uuid)
{
  const char *text = vd_config_get_uuid (self);

  for (guint i = 0; i < 16 && text[0] != '\0' && text[1] != '\0'; i++) {
    if (*text == '-')
      text++;
    uuid[i] = g_ascii_xdigit_value (text[0]) << 4 | g_ascii_xdigit_value (text[1]);
    text += 2;
  }
}

void
vd_config_set_name (VdConfig *self, const char *name)
{
  g_object_set (self, "name", name, NULL);
}

void
vd_config_set_memory (VdConfig *self, guint64 bytes)
{
  g_object_set (self, "memory", bytes, NULL);
}

void
vd_config_set_cpus (VdConfig *self, guint cpus)
{
  g_object_set (self, "cpus", cpus, NULL);
}

void
vd_config_add_disk (VdConfig *self, VdDiskConfig *disk)
{
  g_list_store_append (self->disks, disk);
}

void
vd_config_remove_disk (VdConfig *self, guint position)
{
  g_list_store_remove (self->disks, position);
}

static void
vd_config_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  VdConfig *self = VD_CONFIG (object);

  switch (id) {
  case PROP_UUID ... PROP_APPEND:
    g_value_set_string (value, self->strings[id - 1]);
    break;
  case PROP_ENGINE:
    g_value_set_enum (value, self->engine);
    break;
  case PROP_BOOT:
    g_value_set_enum (value, self->boot);
    break;
  case PROP_MEMORY:
    g_value_set_uint64 (value, self->memory);
    break;
  case PROP_CPUS:
    g_value_set_uint (value, self->cpus);
    break;
  case PROP_GRAPHICS:
    g_value_set_boolean (value, self->graphics);
    break;
  case PROP_NETWORK:
    g_value_set_boolean (value, self->network);
    break;
  case PROP_NEW_DISK_SIZE:
    g_value_set_uint64 (value, self->new_disk_size);
    break;
  case PROP_DISKS:
    g_value_set_object (value, self->disks);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

/* An empty string is no string, so that "kernel" and the like have one way to be unset. */
static void
set_string (char **string, const char *value)
{
  g_set_str (string, value != NULL && *value != '\0' ? value : NULL);
}

static void
vd_config_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  VdConfig *self = VD_CONFIG (object);

  switch (id) {
  case PROP_UUID ... PROP_APPEND:
    set_string (&self->strings[id - 1], g_value_get_string (value));
    break;
  case PROP_ENGINE:
    self->engine = g_value_get_enum (value);
    break;
  case PROP_BOOT:
    self->boot = g_value_get_enum (value);
    break;
  case PROP_MEMORY:
    self->memory = g_value_get_uint64 (value);
    break;
  case PROP_CPUS:
    self->cpus = g_value_get_uint (value);
    break;
  case PROP_GRAPHICS:
    self->graphics = g_value_get_boolean (value);
    break;
  case PROP_NETWORK:
    self->network = g_value_get_boolean (value);
    break;
  case PROP_NEW_DISK_SIZE:
    self->new_disk_size = g_value_get_uint64 (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
vd_config_finalize (GObject *object)
{
  VdConfig *self = VD_CONFIG (object);

  for (guint i = 0; i < G_N_ELEMENTS (self->strings); i++)
    g_free (self->strings[i]);
  g_clear_object (&self->disks);
  G_OBJECT_CLASS (vd_config_parent_class)->finalize (object);
}

static void
vd_config_class_init (VdConfigClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  static const char *const names[] = {
    "uuid", "name", "notes", "os", "kernel", "initrd", "append"
  };
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = vd_config_get_property;
  object_class->set_property = vd_config_set_property;
  object_class->finalize = vd_config_finalize;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    props[PROP_UUID + i] = g_param_spec_string (names[i], NULL, NULL, NULL, flags);
  props[PROP_ENGINE] =
    g_param_spec_enum ("engine", NULL, NULL, VD_TYPE_ENGINE_KIND, VD_ENGINE_AUTO, flags);
  props[PROP_BOOT] = g_param_spec_enum ("boot", NULL, NULL, VD_TYPE_BOOT, VD_BOOT_BIOS, flags);
  props[PROP_MEMORY] = g_param_spec_uint64 ("memory", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  props[PROP_CPUS] = g_param_spec_uint ("cpus", NULL, NULL, 0, G_MAXUINT, 1, flags);
  props[PROP_GRAPHICS] = g_param_spec_boolean ("graphics", NULL, NULL, TRUE, flags);
  props[PROP_NETWORK] = g_param_spec_boolean ("network", NULL, NULL, TRUE, flags);
  props[PROP_NEW_DISK_SIZE] =
    g_param_spec_uint64 ("new-disk-size", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  props[PROP_DISKS] = g_param_spec_object ("disks", NULL, NULL, G_TYPE_LIST_MODEL,
                                           G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
vd_config_init (VdConfig *self)
{
  self->boot = VD_BOOT_BIOS;
  self->cpus = 1;
  self->graphics = TRUE;
  self->network = TRUE;
  self->disks = g_list_store_new (VD_TYPE_DISK_CONFIG);
}
