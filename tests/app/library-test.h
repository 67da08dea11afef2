/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A library with fake engines in a folder of its own, for the tests of VdLibrary.
 */
#pragma once

#include "vd-library.h"

G_BEGIN_DECLS

typedef struct {
  char *path;
  VdLibrary *library;
} LibraryTest;

void library_test_open (LibraryTest *self);
void library_test_close (LibraryTest *self);
gboolean library_test_has_no_jobs (gpointer self);
guint library_test_n_machines (LibraryTest *self);
guint library_test_mode_of (const char *folder, const char *name);
char *library_test_folder_of (LibraryTest *self, VdMachine *machine);

typedef struct {
  const char *name;
  void (*func) (LibraryTest *self, gconstpointer data);
} LibraryTestCase;

/* Runs them, each on an empty library; what main returns. */
int library_test_run (int argc, char **argv, const LibraryTestCase *cases, guint n_cases);

G_END_DECLS
