/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdEngine: the abstract type.
 *
 * Threads: main.
 */
#include "vd-engine.h"
#include "library/vd-run.h"

G_DEFINE_ABSTRACT_TYPE (VdEngine, vd_engine, G_TYPE_OBJECT)

VdEngineKind
vd_engine_get_kind (VdEngine *self)
{
  return VD_ENGINE_GET_CLASS (self)->kind;
}

const char *
vd_engine_get_name (VdEngine *self)
{
  return VD_ENGINE_GET_CLASS (self)->name;
}

gboolean
vd_engine_check (VdEngine *self, VdConfig *config, const char *folder, GError **error)
{
  return VD_ENGINE_GET_CLASS (self)->check (self, config, folder, error);
}

char *
vd_engine_explain_slow (VdEngine *self)
{
  VdEngineClass *klass = VD_ENGINE_GET_CLASS (self);

  return klass->explain_slow != NULL ? klass->explain_slow (self) : NULL;
}

VdRun *
vd_engine_new_run (VdEngine *self, VdConfig *config, const char *folder)
{
  return VD_ENGINE_GET_CLASS (self)->new_run (self, config, folder);
}

VdWorker *
vd_engine_close (VdEngine *self)
{
  VdEngineClass *klass = VD_ENGINE_GET_CLASS (self);

  return klass->close != NULL ? klass->close (self) : NULL;
}

static void
vd_engine_class_init (VdEngineClass *klass)
{
}

static void
vd_engine_init (VdEngine *self)
{
}
