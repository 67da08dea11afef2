/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmDevice: what every emulated device is.
 *
 * A device is a struct whose first member is a VmmDevice, and one constant
 * VmmDeviceClass that says what it is called, what it can do and what a
 * snapshot holds of it. The table in device-list.c lists all classes.
 *
 * Threads: realize, unrealize, drain, resume, reset and loaded run on the control thread
 * with the vCPUs stopped; reset, loaded and the parts with the device locked. Everything
 * else says where it runs.
 */
#pragma once

#include <glib.h>

#include "base/vmm-loop.h"
#include "base/vmm-memory.h"
#include "base/vmm-platform.h"
#include "base/vmm-state.h"

G_BEGIN_DECLS

typedef struct _VmmDevice VmmDevice;
typedef struct _VmmBus VmmBus;
typedef struct _VmmPciHost VmmPciHost;

/* What a device stands in. Borrowed; outlives every device. */
typedef struct {
  VmmMemory *memory;
  VmmLoop *loop;
  VmmPlatform *platform;
  VmmBus *ports;
  VmmBus *mmio;
  VmmPciHost *pci; /* NULL while the host bridge itself is realized */
} VmmBoard;

typedef struct {
  const char *name;
  gsize instance_size;
  guint version; /* of the saved section; older ones are mended by loaded () */
  const VmmField
    *fields; /* every member: saved, or exempt with the reason; ends with VMM_FIELD_LAST */

  /* Where it fails it cleans up after itself: unrealize is not called then. */
  gboolean (*realize) (VmmDevice *device, gconstpointer config, GError **error);
  void (*unrealize) (VmmDevice *device);
  void (*drain) (VmmDevice *device);  /* returns when no request is under way */
  void (*resume) (VmmDevice *device); /* the opposite of drain */
  void (*reset) (VmmDevice *device);
  gboolean (*loaded) (VmmDevice *device, GError **error); /* fields are in: check and rebuild */

  /* For what no table can say (lists, pixels): sections of its own, named "<id>/...". May be NULL.
   * load_parts runs after the fields are in and before loaded. */
  gboolean (*save_parts) (VmmDevice *device, VmmState *state, GError **error);
  gboolean (*load_parts) (VmmDevice *device, VmmState *state, GError **error);
} VmmDeviceClass;

struct _VmmDevice {
  const VmmDeviceClass *klass;
  const VmmBoard *board;
  char *id;       /* "disk0": stable, the name of its section in a snapshot */
  GMutex lock;    /* held by register handlers and queue handlers; through vmm_device_lock only */
  GThread *owner; /* of the lock */
};

/* For the table of a class whose first member is a VmmDevice. */
#define VMM_EXEMPT_DEVICE(Struct)                                                                  \
  VMM_EXEMPT (Struct, parent, "who the device is and where it stands")

/* @config is the class's own config struct. On failure nothing is left behind. Thread: control. */
VmmDevice *vmm_device_new (const VmmDeviceClass *klass,
                           const VmmBoard *board,
                           const char *id,
                           gconstpointer config,
                           GError **error);
void vmm_device_free (VmmDevice *self);
void vmm_device_drain (VmmDevice *self);
void vmm_device_resume (VmmDevice *self);
void vmm_device_reset (VmmDevice *self);
/* Any thread; not recursive. */
void vmm_device_lock (VmmDevice *self);
void vmm_device_unlock (VmmDevice *self);
gboolean vmm_device_is_locked (VmmDevice *self); /* by the calling thread */
/* Waits for @cond with the device unlocked meanwhile. */
void vmm_device_wait (VmmDevice *self, GCond *cond);
/* Asks the machine to pause: see VmmPlatform. */
void vmm_device_ask_pause (VmmDevice *self, const char *why);
/* Tells the machine that the device gave up; @why is one sentence. */
void vmm_device_broken (VmmDevice *self, const char *why);

gboolean vmm_device_save (VmmDevice *self, VmmState *state, GError **error);
gboolean vmm_device_load (VmmDevice *self, VmmState *state, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmDevice, vmm_device_free)

G_END_DECLS
