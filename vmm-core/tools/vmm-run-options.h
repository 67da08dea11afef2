/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The command line of vmm-run.
 */
#pragma once

#include "vmm-config.h"

G_BEGIN_DECLS

typedef struct {
  VmmConfig *config;
  gboolean stats;
  char *control;    /* path of the socket, or NULL */
  char *screenshot; /* path of the picture, or NULL */
  double after;     /* seconds; negative: when the machine has stopped */
  gboolean stdio;   /* serial port or console: on standard input and output */
} VmmRunOptions;

/* Fails with VMM_ERROR_CONFIG. */
VmmRunOptions *vmm_run_options_parse (int argc, char **argv, GError **error);
/* The disk that --disk @word describes, in @config. */
gboolean vmm_run_options_parse_disk (VmmConfig *config, const char *word, GError **error);
void vmm_run_options_free (VmmRunOptions *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmRunOptions, vmm_run_options_free)

G_END_DECLS
