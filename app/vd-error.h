/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VD_ERROR: what a person can act on. Engines map their own causes to these at
 * their border; the message is one translated sentence that says what is wrong
 * and what to do.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  VD_ERROR_FAILED,
  VD_ERROR_INVALID, /* what was asked for contradicts itself or is out of range */
  VD_ERROR_NO_KVM,
  VD_ERROR_KVM_DENIED,
  VD_ERROR_KERNEL,
  VD_ERROR_DISK,
  VD_ERROR_DISK_BUSY,
  VD_ERROR_DISC_LOCKED, /* the guest keeps the disc that it was asked to give away */
  VD_ERROR_NO_MEMORY,
  VD_ERROR_NO_SPACE,
  VD_ERROR_STATE,       /* not possible while the machine is in this state */
  VD_ERROR_UNSUPPORTED, /* no engine here can do it */
  VD_ERROR_READ_ONLY,   /* machine of a newer version */
  VD_ERROR_BROKEN,      /* machine file cannot be read */
  VD_ERROR_OWNED,       /* the library or machine belongs to another process */
  VD_ERROR_NOT_FOUND,
} VdError;

#define VD_ERROR (vd_error_quark ())
GQuark vd_error_quark (void);

G_END_DECLS
