/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A second process (the test's own program, with --serve) that owns a library over a private bus,
 * as vdctl serve does, and clients of it. Engines are fake, processes and bus are real.
 */
#pragma once

#include "app-test.h"
#include "dbus/vd-client.h"

G_BEGIN_DECLS

typedef struct {
  char *path;
  GSubprocess *server;
  GDBusConnection *connection;
} ServiceTest;

typedef struct {
  const char *name;
  const char *server; /* --serve, --window (keeps its library), --nonsense; NULL: there is none */
  void (*func) (ServiceTest *self, gconstpointer data);
} ServiceTestCase;

/* What main does: the cases, or the other process. */
int service_test_main (int argc, char **argv, const ServiceTestCase *cases, guint n_cases);

VdClient *service_test_new_client (ServiceTest *self);
GVariant *service_test_call (VdClient *client, const char *method, GVariant *args);
void service_test_do_call (VdClient *client, const char *method, const char *machine);
void service_test_fail_call (VdClient *client, const char *method, GVariant *args, int code);
/* The uuid. */
char *service_test_create (VdClient *client, const char *name, VdEngineKind kind);
void service_test_assert_state (VdClient *client, const char *machine, const char *expected);

G_END_DECLS
