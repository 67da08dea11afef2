/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdPreferences: what a person can set for the whole program. Everything acts at once.
 *
 * Threads: main.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define VD_TYPE_PREFERENCES (vd_preferences_get_type ())
G_DECLARE_FINAL_TYPE (VdPreferences, vd_preferences, VD, PREFERENCES, AdwPreferencesDialog)

VdPreferences *vd_preferences_new (void);

G_END_DECLS
