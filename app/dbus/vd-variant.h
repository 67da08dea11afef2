/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Machines and configurations as a{sv}, for com.example.VirtDesk1: a key has the
 * name of the property that it stands for.
 *
 * Threads: main.
 */
#pragma once

#include "vd-machine.h"

G_BEGIN_DECLS

/* Floating. */
GVariant *vd_config_to_variant (VdConfig *config);
/* What is not named has its default; what is not known or of another type is refused. */
VdConfig *vd_config_from_variant (GVariant *variant, GError **error);
/* State, status and the like, and the configuration where it could be read. Floating. */
GVariant *vd_machine_to_variant (VdMachine *machine);

G_END_DECLS
