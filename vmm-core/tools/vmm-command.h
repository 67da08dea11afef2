/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The language of the control socket: one line in, one command out. It touches no machine and no
 * socket, so that it can be tested and fuzzed alone.
 *
 *   {"id": 1, "do": "key", "code": 30, "pressed": true}
 *
 * Threads: any.
 */
#pragma once

#include "vmm-nic-config.h"
#include "base/vmm-json.h"

G_BEGIN_DECLS

typedef enum {
  VMM_COMMAND_PAUSE,
  VMM_COMMAND_RESUME,
  VMM_COMMAND_KEY,
  VMM_COMMAND_POINTER,
  VMM_COMMAND_SCREENSHOT,
  VMM_COMMAND_EJECT,
  VMM_COMMAND_INSERT,
  VMM_COMMAND_RESIZE_DISK,
  VMM_COMMAND_FORWARD,
  VMM_COMMAND_LINK,
  VMM_COMMAND_BALLOON,
  VMM_COMMAND_CPU_CAP,
  VMM_COMMAND_CPU_WEIGHT,
  VMM_COMMAND_ATTACH,
  VMM_COMMAND_DETACH,
  VMM_COMMAND_POWER_BUTTON,
  VMM_COMMAND_RESET,
  VMM_COMMAND_SAVE,
  VMM_COMMAND_STATS,
  VMM_COMMAND_QUIT,
} VmmCommandKind;

typedef struct {
  VmmCommandKind kind;
  guint code;       /* key, or the pointer's button (0: none): evdev */
  gboolean pressed; /* of @code */
  gboolean click;   /* press and release: "pressed" was not given */
  gboolean moves;   /* to @x, @y: 0 to 1 */
  double x, y;
  int wheel, hwheel;
  char *path;   /* of the picture, of what is inserted, or of the folder to be made */
  char *device; /* that is meant */
  gboolean force;
  guint64 size;             /* bytes: RESIZE_DISK, BALLOON (0: no new target) */
  VmmForward *add, *remove; /* FORWARD: at most one of them; neither: list */
  gboolean up;              /* LINK */
  guint percent, weight;    /* CPU_CAP, CPU_WEIGHT */
  char *disk, *net;         /* ATTACH: one of them, in the words of --disk and --net */
} VmmCommand;

/* @id is the "id" as it was written, for the answer ("null" where there is none); it is set even
 * where the rest is wrong. Fails with VMM_ERROR_CONFIG. */
VmmCommand *vmm_command_parse (const char *line, gsize length, char **id, GError **error);
void vmm_command_free (VmmCommand *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmCommand, vmm_command_free)

G_END_DECLS
