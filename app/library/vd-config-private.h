/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdConfig for the rest of app: limits, and what only the reader, the writer and
 * the engines need.
 *
 * Threads: as vd-config.h.
 */
#pragma once

#include "vd-config.h"

G_BEGIN_DECLS

#define VD_MAX_NAME   256         /* bytes */
#define VD_MAX_NOTES  (64 * 1024) /* bytes */
#define VD_MAX_APPEND 2047        /* bytes; the x86 boot protocol's usual limit */
#define VD_MAX_DISKS  24
#define VD_MAX_CPUS   32
#define VD_MIN_MEMORY (G_GUINT64_CONSTANT (16) << 20) /* bytes */
#define VD_MAX_MEMORY (G_GUINT64_CONSTANT (4) << 40)  /* bytes */
#define VD_MIN_DISK   (G_GUINT64_CONSTANT (1) << 20)  /* bytes */
#define VD_MAX_DISK   (G_GUINT64_CONSTANT (64) << 40) /* bytes */

VdDiskConfig *vd_disk_config_copy (VdDiskConfig *self);
const char *vd_disk_config_get_group (VdDiskConfig *self);
void vd_config_set_bad_field (VdConfig *self, const char *field); /* a literal */
/* Sixteen bytes, in the order in which they are written. */
void vd_config_get_uuid_bytes (VdConfig *self, guint8 *uuid);
void vd_config_remove_disk (VdConfig *self, guint position);
/* Any kind of nick <-> value; -1 when @nick is none of @type. */
int vd_enum_from_nick (GType type, const char *nick);
const char *vd_enum_to_nick (GType type, int value);

G_END_DECLS
