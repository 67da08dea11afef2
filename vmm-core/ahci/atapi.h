/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an ATAPI CD drive keeps between commands: sense data, unit attentions, its tray.
 *
 * Threads: with the controller locked.
 */
#pragma once

#include "base/vmm-state.h"

G_BEGIN_DECLS

/* SPC-3, 4.5: key, additional code, qualifier of it. */
typedef struct {
  guint8 key, code, qualifier;
} AtapiSense;

typedef struct {
  AtapiSense sense;   /* of the last command that failed */
  guint8 attentions;  /* unit attentions that the host has not heard yet, see atapi-private.h */
  guint8 media_event; /* for GET EVENT STATUS NOTIFICATION */
  gboolean tray_open;
  gboolean locked; /* PREVENT ALLOW MEDIUM REMOVAL */
} Atapi;

extern const VmmField atapi_fields[];

G_END_DECLS
