/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VMM_ERROR: why the monitor could not do something. A cause, in one sentence
 * that names the thing and what to do; the floors above turn it into actions.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  VMM_ERROR_CONFIG,     /* the configuration contradicts itself or is out of range */
  VMM_ERROR_NO_KVM,     /* /dev/kvm does not exist */
  VMM_ERROR_KVM_DENIED, /* it exists, we may not open it */
  VMM_ERROR_KVM,        /* the kernel refused something it should have given */
  VMM_ERROR_KERNEL,     /* kernel or initrd cannot be read or is none */
  VMM_ERROR_DISK,       /* disk image cannot be opened or is broken */
  VMM_ERROR_DISK_BUSY,  /* another process uses it */
  VMM_ERROR_NO_MEMORY,
  VMM_ERROR_STATE,    /* not possible in this state of the machine */
  VMM_ERROR_SNAPSHOT, /* a saved state is broken or of a newer version */
  VMM_ERROR_IO,
  VMM_ERROR_CANCELLED, /* by who asked for it: no error to show */
} VmmError;

#define VMM_ERROR (vmm_error_quark ())
GQuark vmm_error_quark (void);

G_END_DECLS
