/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pure functions for bindings in .ui files: values in, a value out, no state.
 *
 * Threads: main.
 */
#pragma once

#include <gtk/gtk.h>

#include "vd-machine.h"

G_BEGIN_DECLS

/* "512 MiB", "1.5 GiB". Owned by the caller. */
char *vd_format_memory (guint64 bytes);
/* "2 processors, 512 MiB". Owned by the caller. */
char *vd_closure_hardware (gpointer object, guint cpus, guint64 memory);
/* The style classes of a state's dot. Owned by the caller. */
GStrv vd_closure_dot_classes (gpointer object, VdMachineState state);
gboolean vd_closure_is_not_null (gpointer object, GObject *value);
gboolean vd_closure_is_not_empty (gpointer object, const char *text);

G_END_DECLS
