/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What app's tests share: a folder of their own, waiting for jobs and states, and a
 * library whose engines are fake.
 */
#pragma once

#include "library/vd-library-private.h"
#include "vd-error.h"

G_BEGIN_DECLS

/* A new folder under /tmp; gone with its content afterwards. */
char *app_test_make_folder (void);
void app_test_remove_folder (char *folder); /* frees it */

/* Runs the main context until @done; a test that waits for ever is ended by its runner. */
void app_test_wait_until (gboolean (*done) (gpointer data), gpointer data);
void app_test_wait_for_state (VdMachine *machine, VdMachineState state);
/* Takes @job. */
void app_test_succeeds (VdJob *job);
void app_test_fails (VdJob *job, int code);

/* A checked configuration named @name that the fake engine of @kind runs. */
VdConfig *app_test_make_config (const char *name, VdEngineKind kind);
VdMachine *app_test_create (VdLibrary *library, const char *name, VdEngineKind kind);
char *app_test_read (const char *folder, const char *name);
void app_test_write (const char *folder, const char *name, const char *text);

#define app_test_assert_file(there, ...)                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *path_ = g_build_filename (__VA_ARGS__, NULL);                                 \
                                                                                                   \
    g_assert_cmpint (g_file_test (path_, G_FILE_TEST_EXISTS), ==, there);                          \
  }                                                                                                \
  G_STMT_END

G_END_DECLS
