/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLocalEngine: what vmm-core can run, and what its errors mean to a person.
 *
 * Threads: main.
 */
#include "local/vd-local-engine.h"
#include "local/vd-local-config.h"
#include "local/vd-local-run.h"
#include "library/vd-own-machine.h"
#include "vd-error.h"

#include "vmm.h"

#include <glib/gi18n-lib.h>

struct _VdLocalEngine {
  VdEngine parent_instance;
};

G_DEFINE_FINAL_TYPE (VdLocalEngine, vd_local_engine, VD_TYPE_ENGINE)

static const VdError codes[] = {
  [VMM_ERROR_CONFIG] = VD_ERROR_INVALID,
  [VMM_ERROR_NO_KVM] = VD_ERROR_NO_KVM,
  [VMM_ERROR_KVM_DENIED] = VD_ERROR_KVM_DENIED,
  [VMM_ERROR_KVM] = VD_ERROR_FAILED,
  [VMM_ERROR_KERNEL] = VD_ERROR_KERNEL,
  [VMM_ERROR_DISK] = VD_ERROR_DISK,
  [VMM_ERROR_DISK_BUSY] = VD_ERROR_DISK_BUSY,
  [VMM_ERROR_NO_MEMORY] = VD_ERROR_NO_MEMORY,
  [VMM_ERROR_STATE] = VD_ERROR_STATE,
  [VMM_ERROR_SNAPSHOT] = VD_ERROR_FAILED,
  [VMM_ERROR_IO] = VD_ERROR_FAILED,
};

/* The core's sentences are in English; what a person can do about KVM is said here. */
static const char *
explain_kvm (int code)
{
  switch (code) {
  case VMM_ERROR_NO_KVM:
    return _("There is no KVM; turn on virtualization (VT-x or AMD-V) in the firmware settings.");
  case VMM_ERROR_KVM_DENIED:
    return _("You may not use KVM; join the group “kvm” (sudo usermod -aG kvm $USER) and log in "
             "again.");
  default:
    return NULL;
  }
}

void
vd_local_map_error (GError **error)
{
  const char *text;
  GError *mapped;
  int code;

  if (error == NULL || *error == NULL || (*error)->domain != VMM_ERROR)
    return;
  code = (*error)->code;
  text = explain_kvm (code);
  mapped = g_error_new_literal (
    VD_ERROR, code >= 0 && code < (int) G_N_ELEMENTS (codes) ? codes[code] : VD_ERROR_FAILED,
    text != NULL ? text : (*error)->message);
  g_error_free (*error);
  *error = mapped;
}

gboolean
vd_local_check_kvm (GError **error)
{
  g_autoptr (GError) cause = NULL;

  if (vmm_host_check_kvm (&cause))
    return TRUE;
  vd_local_map_error (&cause);
  g_propagate_error (error, g_steal_pointer (&cause));
  return FALSE;
}

static const char *
find_obstacle (VdConfig *config, const char *folder)
{
  g_autofree char *extra = folder != NULL ? g_build_filename (folder, VD_EXTRA_FILE, NULL) : NULL;

  if (extra != NULL && g_file_test (extra, G_FILE_TEST_EXISTS))
    return _("It needs QEMU because its folder has a file for QEMU, extra.xml.");
  return vd_local_config_find_obstacle (config);
}

static gboolean
vd_local_engine_check (VdEngine *engine, VdConfig *config, const char *folder, GError **error)
{
  const char *obstacle = find_obstacle (config, folder);

  if (obstacle != NULL) {
    g_set_error_literal (error, VD_ERROR, VD_ERROR_UNSUPPORTED, obstacle);
    return FALSE;
  }
  return vd_local_check_kvm (error);
}

static void
vd_local_engine_class_init (VdLocalEngineClass *klass)
{
  VdEngineClass *engine_class = VD_ENGINE_CLASS (klass);

  engine_class->kind = VD_ENGINE_LOCAL;
  engine_class->name = "VirtDesk";
  engine_class->check = vd_local_engine_check;
  engine_class->new_run = vd_local_run_new;
}

static void
vd_local_engine_init (VdLocalEngine *self)
{
}

VdEngine *
vd_local_engine_new (void)
{
  return g_object_new (VD_TYPE_LOCAL_ENGINE, NULL);
}
