/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A VdConfig in vmm-core's words: firmware with its file for variables, disks and CD drives,
 * network card, screen and input. Apart from the run, because it is a function of its arguments and
 * of the firmware that is installed.
 *
 * Threads: any, on a frozen config. Reads descriptors of firmware.
 */
#pragma once

#include "vd-config.h"
#include "vmm.h"

G_BEGIN_DECLS

/* @folder: the machine's, where the firmware's variables are. NULL with VD_ERROR_UNSUPPORTED where
 * its firmware is not installed. */
VmmConfig *vd_local_config_new (VdConfig *config, const char *folder, GError **error);
/* What vmm-core lacks for @config, one translated sentence, or NULL. */
const char *vd_local_config_find_obstacle (VdConfig *config);

G_END_DECLS
