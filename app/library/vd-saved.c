/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "library/vd-saved.h"
#include "library/vd-config-file.h"
#include "library/vd-file.h"

#define PREFIX "saved-" /* and the engine's name */
#define PART   VD_PART_PREFIX "saved"
#define TAKEN  VD_PART_PREFIX "taken" /* by a guest that goes on */
#define STATE  "state"

static const VdEngineKind kinds[] = { VD_ENGINE_LOCAL, VD_ENGINE_LIBVIRT };

static char *
get_path (const char *folder, VdEngineKind kind)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (VD_TYPE_ENGINE_KIND);
  g_autofree char *name = g_strconcat (PREFIX, g_enum_get_value (klass, kind)->value_nick, NULL);

  return g_build_filename (folder, name, NULL);
}

VdEngineKind
vd_saved_find (const char *folder)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autofree char *path = get_path (folder, kinds[i]);

    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      return kinds[i];
  }
  return VD_ENGINE_AUTO;
}

char *
vd_saved_get_state (const char *folder, VdEngineKind kind)
{
  g_autofree char *path = get_path (folder, kind);

  return g_build_filename (path, STATE, NULL);
}

VdConfig *
vd_saved_load_config (const char *folder, VdEngineKind kind, const char *uuid, GError **error)
{
  g_autofree char *path = get_path (folder, kind);
  gboolean newer;

  return vd_config_load (path, uuid, &newer, error);
}

char *
vd_saved_begin (const char *folder, GError **error)
{
  g_autofree char *part = g_build_filename (folder, PART, NULL);

  if (!vd_folder_remove (part, error) || !vd_folder_make (part, error))
    return NULL;
  return g_build_filename (part, STATE, NULL);
}

gboolean
vd_saved_commit (const char *folder, VdEngineKind kind, VdConfig *config, GError **error)
{
  g_autofree char *part = g_build_filename (folder, PART, NULL);
  g_autofree char *path = get_path (folder, kind);

  return vd_config_save (config, part, error) && vd_file_rename (part, path, error);
}

void
vd_saved_abort (const char *folder)
{
  g_autofree char *part = g_build_filename (folder, PART, NULL);

  vd_folder_remove (part, NULL);
}

gboolean
vd_saved_take (const char *folder, VdEngineKind kind, GError **error)
{
  g_autofree char *path = get_path (folder, kind);
  g_autofree char *taken = g_build_filename (folder, TAKEN, NULL);

  return vd_folder_remove (taken, error) && vd_file_rename (path, taken, error);
}

gboolean
vd_saved_give_back (const char *folder, VdEngineKind kind, GError **error)
{
  g_autofree char *path = get_path (folder, kind);
  g_autofree char *taken = g_build_filename (folder, TAKEN, NULL);

  return vd_file_rename (taken, path, error);
}

gboolean
vd_saved_remove (const char *folder, GError **error)
{
  g_autofree char *taken = g_build_filename (folder, TAKEN, NULL);

  for (VdEngineKind kind; (kind = vd_saved_find (folder)) != VD_ENGINE_AUTO;)
    if (!vd_saved_take (folder, kind, error))
      return FALSE;
  return vd_folder_remove (taken, error);
}
