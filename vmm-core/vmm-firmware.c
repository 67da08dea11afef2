/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Looks for firmware and reads descriptors, which are foreign files.
 *
 * Threads: any.
 */
#include "vmm-firmware.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/vmm-json.h"
#include "vmm-error.h"

#define FOLDER       "qemu/firmware"
#define ARCHITECTURE "x86_64"
#define MACHINE      "*q35*"
#define BIOS         "bios-256k.bin"
#define VGA_BIOS     "vgabios-virtio.bin"

void
vmm_firmware_free (VmmFirmware *self)
{
  g_free (self->image);
  g_free (self->nvram_template);
  g_free (self->vga_bios);
  g_free (self);
}

/* The first of the folders for shared data that has @folder/@name, or NULL. */
static char *
find_data_file (const char *folder, const char *name)
{
  for (const char *const *data = g_get_system_data_dirs (); *data; data++) {
    g_autofree char *path = g_build_filename (*data, folder, name, NULL);

    if (g_access (path, R_OK) == 0)
      return g_steal_pointer (&path);
  }
  return NULL;
}

static char *
find_bios (const char *name)
{
  char *path = find_data_file ("seabios", name);

  return path ? path : find_data_file ("qemu", name);
}

/* A descriptor's text, or NULL. */
static char *
read_descriptor (const char *path)
{
  char text[VMM_JSON_MAX_LENGTH + 1];
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  gssize length;

  if (fd < 0)
    return NULL;
  length = read (fd, text, sizeof text);
  close (fd);
  return length > 0 && length < (gssize) sizeof text ? g_strndup (text, length) : NULL;
}

/* Our machine has no system management mode yet, and is no confidential one. */
static gboolean
suits_machine (const VmmJsonObject *descriptor)
{
  g_autoptr (GPtrArray) targets = vmm_json_get_objects (descriptor, "targets");

  if (!vmm_json_array_matches (descriptor, "interface-types", "uefi") ||
      vmm_json_array_matches (descriptor, "features", "requires-smm"))
    return FALSE;
  for (guint i = 0; targets && i < targets->len; i++) {
    const VmmJsonObject *target = g_ptr_array_index (targets, i);

    if (g_strcmp0 (vmm_json_get_string (target, "architecture"), ARCHITECTURE) == 0 &&
        vmm_json_array_matches (target, "machines", MACHINE))
      return TRUE;
  }
  return FALSE;
}

/* The raw file that the mapping names under @key, or NULL. */
static char *
take_file (const VmmJsonObject *mapping, const char *key)
{
  g_autoptr (VmmJsonObject) file = vmm_json_get_object (mapping, key);
  const char *name = file ? vmm_json_get_string (file, "filename") : NULL;

  if (!name || g_strcmp0 (vmm_json_get_string (file, "format"), "raw") != 0 ||
      !g_path_is_absolute (name) || g_access (name, R_OK) < 0)
    return NULL;
  return g_strdup (name);
}

/* What the descriptor describes, or NULL where that is not for us. */
static VmmFirmware *
try_descriptor (const char *path)
{
  g_autofree char *text = read_descriptor (path);
  g_autoptr (VmmJsonObject) descriptor = text ? vmm_json_parse (text, strlen (text), NULL) : NULL;
  g_autoptr (VmmJsonObject) mapping =
    descriptor ? vmm_json_get_object (descriptor, "mapping") : NULL;
  g_autoptr (VmmFirmware) self = g_new0 (VmmFirmware, 1);
  const char *mode;

  if (!mapping || !suits_machine (descriptor) ||
      g_strcmp0 (vmm_json_get_string (mapping, "device"), "flash") != 0)
    return NULL;
  mode = vmm_json_get_string (mapping, "mode");
  if (mode && strcmp (mode, "split") != 0)
    return NULL;
  self->image = take_file (mapping, "executable");
  self->nvram_template = take_file (mapping, "nvram-template");
  return self->image && self->nvram_template ? g_steal_pointer (&self) : NULL;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
add_folder (GPtrArray *folders, const char *base)
{
  g_ptr_array_add (folders, g_build_filename (base, FOLDER, NULL));
}

/* The folders with descriptors: what comes first replaces what has the same name in a later one. */
static GPtrArray *
list_folders (void)
{
  GPtrArray *folders = g_ptr_array_new_with_free_func (g_free);

  add_folder (folders, g_get_user_config_dir ());
  add_folder (folders, "/etc");
  for (const char *const *data = g_get_system_data_dirs (); *data; data++)
    add_folder (folders, *data);
  return folders;
}

/* Names of descriptors in order, with the path of the one that counts. */
static GPtrArray *
list_descriptors (GPtrArray *folders, GHashTable *paths)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < folders->len; i++) {
    const char *folder = g_ptr_array_index (folders, i), *name;
    g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);

    while (dir && (name = g_dir_read_name (dir))) {
      char *key = g_strdup (name);

      if (!g_str_has_suffix (name, ".json") || g_hash_table_contains (paths, name)) {
        g_free (key);
        continue;
      }
      g_hash_table_insert (paths, key, g_build_filename (folder, name, NULL));
      g_ptr_array_add (names, key);
    }
  }
  g_ptr_array_sort (names, compare_names);
  return names;
}

static VmmFirmware *
find_uefi (void)
{
  g_autoptr (GHashTable) paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GPtrArray) folders = list_folders ();
  g_autoptr (GPtrArray) names = list_descriptors (folders, paths);

  for (guint i = 0; i < names->len; i++) {
    VmmFirmware *self = try_descriptor (g_hash_table_lookup (paths, g_ptr_array_index (names, i)));

    if (self)
      return self;
  }
  return NULL;
}

VmmFirmware *
vmm_firmware_find (VmmFirmwareKind kind, GError **error)
{
  g_autoptr (VmmFirmware) self = NULL;

  if (kind == VMM_FIRMWARE_UEFI) {
    self = find_uefi ();
  } else {
    g_autofree char *image = find_bios (BIOS);

    if (image) {
      self = g_new0 (VmmFirmware, 1);
      self->image = g_steal_pointer (&image);
    }
  }
  if (!self) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "There is no %s firmware here: install %s.",
                 kind == VMM_FIRMWARE_UEFI ? "UEFI" : "BIOS",
                 kind == VMM_FIRMWARE_UEFI ? "OVMF (edk2-ovmf)" : "SeaBIOS");
    return NULL;
  }
  self->vga_bios = find_bios (VGA_BIOS);
  return g_steal_pointer (&self);
}
