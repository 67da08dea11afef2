/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The struct of VdService, for the two files that make it.
 *
 * Threads: main.
 */
#pragma once

#include "library/vd-library-private.h"
#include "vd-service.h"

G_BEGIN_DECLS

struct _VdService {
  GObject parent_instance;

  /* Owned */
  VdLibrary *library;
  GDBusConnection *connection;
  GArray *watches; /* of guint: names of processes that hold machines of ours */

  guint registration;
  gboolean releases;
};

/* vd-service-calls.c: the method_call of GDBusInterfaceVTable; @data: the service. */
void vd_service_on_call (GDBusConnection *connection,
                         const char *sender,
                         const char *path,
                         const char *interface,
                         const char *method,
                         GVariant *args,
                         GDBusMethodInvocation *invocation,
                         gpointer data);

G_END_DECLS
