/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VD_ERROR. Registered with GDBus under stable names, so that an error reaches
 * a client of com.example.VirtDesk1 as the same code and the same sentence.
 *
 * Threads: any.
 */
#include "vd-error.h"

#include <gio/gio.h>

static const GDBusErrorEntry entries[] = {
  { VD_ERROR_FAILED, "com.example.VirtDesk1.Error.Failed" },
  { VD_ERROR_INVALID, "com.example.VirtDesk1.Error.Invalid" },
  { VD_ERROR_NO_KVM, "com.example.VirtDesk1.Error.NoKvm" },
  { VD_ERROR_KVM_DENIED, "com.example.VirtDesk1.Error.KvmDenied" },
  { VD_ERROR_KERNEL, "com.example.VirtDesk1.Error.Kernel" },
  { VD_ERROR_DISK, "com.example.VirtDesk1.Error.Disk" },
  { VD_ERROR_DISK_BUSY, "com.example.VirtDesk1.Error.DiskBusy" },
  { VD_ERROR_DISC_LOCKED, "com.example.VirtDesk1.Error.DiscLocked" },
  { VD_ERROR_NO_MEMORY, "com.example.VirtDesk1.Error.NoMemory" },
  { VD_ERROR_NO_SPACE, "com.example.VirtDesk1.Error.NoSpace" },
  { VD_ERROR_STATE, "com.example.VirtDesk1.Error.State" },
  { VD_ERROR_UNSUPPORTED, "com.example.VirtDesk1.Error.Unsupported" },
  { VD_ERROR_READ_ONLY, "com.example.VirtDesk1.Error.ReadOnly" },
  { VD_ERROR_BROKEN, "com.example.VirtDesk1.Error.Broken" },
  { VD_ERROR_OWNED, "com.example.VirtDesk1.Error.Owned" },
  { VD_ERROR_NOT_FOUND, "com.example.VirtDesk1.Error.NotFound" },
};

G_STATIC_ASSERT (G_N_ELEMENTS (entries) == VD_ERROR_NOT_FOUND + 1);

GQuark
vd_error_quark (void)
{
  static gsize quark = 0;

  g_dbus_error_register_error_domain ("vd-error-quark", &quark, entries, G_N_ELEMENTS (entries));
  return (GQuark) quark;
}
