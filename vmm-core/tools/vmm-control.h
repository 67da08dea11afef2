/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmControl: the control socket. JSON lines in and out: {"id", "do", ...} is answered by
 * {"id", "ok"} or {"id", "error"}; {"event", ...} goes to everybody who is connected.
 *
 * Threads: the main context's; nothing here blocks.
 */
#pragma once

#include "tools/vmm-command.h"

G_BEGIN_DECLS

typedef struct _VmmControl VmmControl;

/* Does @command. Returns the JSON text of what came out ("true" where there is nothing to say), or
 * NULL with @error. */
typedef char *(*VmmControlFunc) (gpointer data, const VmmCommand *command, GError **error);

/* The answer to one line, without line end: what happens between socket and machine. */
char *vmm_control_answer (const char *line, gsize length, VmmControlFunc func, gpointer data);

/* Makes the socket @path with mode 0600. Fails with VMM_ERROR_IO. */
VmmControl *vmm_control_new (const char *path, VmmControlFunc func, gpointer data, GError **error);
/* Removes the socket. */
void vmm_control_free (VmmControl *self);
/* @line is a whole JSON object without line end. */
void vmm_control_send_event (VmmControl *self, const char *line);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmControl, vmm_control_free)

G_END_DECLS
