/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vdctl in parts: the verbs, what they print, and the one that serves.
 *
 * Threads: main.
 */
#pragma once

#include "dbus/vd-client.h"

G_BEGIN_DECLS

/* What a script can tell apart. */
typedef enum {
  VDCTL_OK,
  VDCTL_FAILED,
  VDCTL_USAGE,
  VDCTL_NOT_FOUND,   /* no such machine or file */
  VDCTL_STATE,       /* not possible in its state, broken or of a newer version */
  VDCTL_OWNED,       /* the library is in use and cannot be asked */
  VDCTL_UNSUPPORTED, /* nothing here can run it: no KVM, no QEMU */
} VdctlStatus;

typedef struct {
  char *path; /* --library */
  gboolean json;
} VdctlOptions;

typedef VdctlStatus (*VdctlVerb) (const VdctlOptions *options, int argc, char **argv);

/* vdctl.c: prints @error, which it takes, and says how to end. */
VdctlStatus vdctl_fail (GError *error);
VdctlStatus vdctl_usage (const char *message);
/* Parses the options of a verb; what is left must be @min to @max words. */
gboolean vdctl_parse (int *argc,
                      char ***argv,
                      const char *words,
                      const char *summary,
                      const GOptionEntry *entries,
                      int min,
                      int max);

/* vdctl-verbs.c */
VdctlStatus vdctl_list (const VdctlOptions *options, int argc, char **argv);
VdctlStatus vdctl_show (const VdctlOptions *options, int argc, char **argv);
VdctlStatus vdctl_start (const VdctlOptions *options, int argc, char **argv);
VdctlStatus vdctl_stop (const VdctlOptions *options, int argc, char **argv);
VdctlStatus vdctl_screenshot (const VdctlOptions *options, int argc, char **argv);
VdctlStatus vdctl_delete (const VdctlOptions *options, int argc, char **argv);

/* vdctl-create.c */
VdctlStatus vdctl_create (const VdctlOptions *options, int argc, char **argv);

/* vdctl-serve.c */
VdctlStatus vdctl_serve (const VdctlOptions *options, int argc, char **argv);

/* vdctl-print.c */
/* As a terminal may be shown it. */
char *vdctl_clean (const char *text);
void vdctl_print_json (GVariant *value);
void vdctl_print_machines (GVariant *machines);  /* aa{sv} */
void vdctl_print_machine (GVariant *properties); /* a{sv} */

G_END_DECLS
