/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdConfigForm: what a machine is made of, in rows that a person edits: of New Machine's review
 * page and of a machine's settings. It knows which row stands for which property of VdConfig, and
 * says what is wrong or which engine it will be.
 *
 * Properties (read-only, notify): good (it can be used as it is), message (what is wrong, or what
 * makes it slow here; "" for nothing).
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

#include "vd-library.h"

G_BEGIN_DECLS

#define VD_TYPE_CONFIG_FORM (vd_config_form_get_type ())
G_DECLARE_FINAL_TYPE (VdConfigForm, vd_config_form, VD, CONFIG_FORM, AdwPreferencesPage)

/* Shows @config, which @library would run, and writes every change of a row back to it. @is_new: it
 * is of a machine that is yet to be made, which can have a new disk. */
void vd_config_form_set_config (VdConfigForm *self,
                                VdLibrary *library,
                                VdConfig *config,
                                gboolean is_new);
gboolean vd_config_form_is_good (VdConfigForm *self);
void vd_config_form_focus (VdConfigForm *self); /* on the name */

G_END_DECLS
