/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The index of all engines, and the choice between them.
 *
 * Threads: main.
 */
#include "vd-engine.h"
#include "libvirt/vd-libvirt-engine.h"
#include "local/vd-local-engine.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>

void
vd_engine_list_prepare (const char *path)
{
  vd_libvirt_engine_prepare (path);
}

GListModel *
vd_engine_list_new (const char *path)
{
  g_autoptr (GListStore) engines = g_list_store_new (VD_TYPE_ENGINE);
  g_autoptr (VdEngine) local = vd_local_engine_new ();
  g_autoptr (VdEngine) libvirt = vd_libvirt_engine_new (path);

  g_list_store_append (engines, local);
  g_list_store_append (engines, libvirt);
  return G_LIST_MODEL (g_steal_pointer (&engines));
}

VdEngine *
vd_engine_list_find (GListModel *engines, VdEngineKind kind)
{
  for (guint i = 0; i < g_list_model_get_n_items (engines); i++) {
    g_autoptr (VdEngine) engine = g_list_model_get_item (engines, i);

    if (vd_engine_get_kind (engine) == kind)
      return engine; /* the list keeps it */
  }
  return NULL;
}

static VdEngine *
choose_asked (GListModel *engines,
              VdConfig *config,
              const char *folder,
              char **reason,
              GError **error)
{
  VdEngine *engine = vd_engine_list_find (engines, vd_config_get_engine (config));

  if (engine == NULL) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_UNSUPPORTED,
                         _("The engine that was chosen for this machine is not there."));
    return NULL;
  }
  if (!vd_engine_check (engine, config, folder, error))
    return NULL;
  *reason = g_strdup (_("This engine was chosen for this machine."));
  return engine;
}

static VdEngine *
choose_best (GListModel *engines,
             VdConfig *config,
             const char *folder,
             char **reason,
             GError **error)
{
  g_autoptr (GError) why_not = NULL;

  for (guint i = 0; i < g_list_model_get_n_items (engines); i++) {
    g_autoptr (VdEngine) engine = g_list_model_get_item (engines, i);
    g_autoptr (GError) cause = NULL;

    if (vd_engine_check (engine, config, folder, &cause)) {
      /* What the engines before it could not do is the reason for this one. */
      *reason = g_strdup (why_not != NULL ? why_not->message
                                          : _("VirtDesk’s own engine can do all that it needs."));
      return engine;
    }
    if (why_not == NULL)
      why_not = g_steal_pointer (&cause);
    else if (i + 1 == g_list_model_get_n_items (engines))
      g_set_error (error, VD_ERROR, VD_ERROR_UNSUPPORTED, "%s %s", why_not->message,
                   cause->message);
  }
  if (error != NULL && *error == NULL && why_not != NULL)
    g_propagate_error (error, g_steal_pointer (&why_not));
  return NULL;
}

VdEngine *
vd_engine_list_choose (GListModel *engines,
                       VdConfig *config,
                       const char *folder,
                       char **reason,
                       GError **error)
{
  g_autofree char *unwanted = NULL;

  if (reason == NULL)
    reason = &unwanted;
  if (vd_config_get_engine (config) != VD_ENGINE_AUTO)
    return choose_asked (engines, config, folder, reason, error);
  return choose_best (engines, config, folder, reason, error);
}
