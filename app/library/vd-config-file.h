/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * machine.ini: how a VdConfig is written down. The format is described in
 * docs/machine-ini.md. What we do not know in a file survives our writing it.
 *
 * Threads: any, on a frozen config.
 */
#pragma once

#include "vd-config.h"

G_BEGIN_DECLS

#define VD_CONFIG_FILE         "machine.ini"
#define VD_CONFIG_FILE_VERSION 1
#define VD_MAX_CONFIG_FILE     (1 << 20) /* bytes */

/* @folder: the machine's, in which disks with a plain name lie. @newer: it was written by a newer
 * version and must not be written by us. VD_ERROR_BROKEN with one sentence when it makes no sense.
 */
VdConfig *vd_config_parse (const char *data,
                           gsize length,
                           const char *folder,
                           gboolean *newer,
                           GError **error);
/* @old: the file as it is now, or NULL. */
char *vd_config_unparse (VdConfig *self,
                         const char *folder,
                         const char *old,
                         gsize old_length,
                         gsize *length,
                         GError **error);

/* A folder's machine.ini, whose machine must be @uuid. */
VdConfig *vd_config_load (const char *folder, const char *uuid, gboolean *newer, GError **error);
gboolean vd_config_save (VdConfig *self, const char *folder, GError **error);

G_END_DECLS
