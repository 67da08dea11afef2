/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmVirtio: a device that talks through virtqueues, over PCI (virtio 1.2, 4.1). This base owns the
 * registers, the doorbells and the interrupts; a virtio device sees whole requests only.
 *
 * Threads: process runs on the loop; the other class functions wherever a register is touched. All
 * of them run with the device locked, except realize and unrealize (control thread).
 */
#pragma once

#include "pci/pci-device.h"
#include "virtio/virtqueue.h"

G_BEGIN_DECLS

#define VMM_VIRTIO_MAX_QUEUES 17

typedef struct _VmmVirtio VmmVirtio;
typedef struct _VmmVirtioQueue VmmVirtioQueue; /* virtqueue, doorbell and loop source */

typedef struct {
  VmmPciDeviceClass parent;
  guint16 virtio_id;
  guint32 class_code; /* of PCI */
  guint n_queues;
  guint16 queue_size;
  guint config_size; /* bytes of device configuration */
  /* Where the configuration decides on it: instead of n_queues. May be NULL. */
  guint (*count_queues) (gconstpointer config);
  /* Its queues are looked at before the loop sleeps. For those whose requests are done on the loop,
   * soon after each other. */
  gboolean polled;
  guint turn; /* requests it may take before others have their turn; 0: the usual number */

  /* Where the registers are: this BAR, from this offset (whole pages) on. The rest of it, and other
   * BARs, are the device's, which then has the three functions. @address 0: it ends to answer. */
  guint bar;
  guint bar_base;
  guint64 (*read_bar) (VmmVirtio *self, guint bar, guint64 offset, guint size);
  void (*write_bar) (VmmVirtio *self, guint bar, guint64 offset, guint size, guint64 value);
  void (*bar_mapped) (VmmVirtio *self, guint bar, guint64 address);

  /* Config is the leaf's; its first member is the slot. Called after the base is ready. */
  gboolean (*realize) (VmmVirtio *self, gconstpointer config, GError **error);
  void (*unrealize) (VmmVirtio *self);
  guint64 (*get_features) (VmmVirtio *self); /* beyond those of the transport; may be NULL */
  void (*read_config) (VmmVirtio *self, guint8 *config); /* all config_size bytes, zeroed before */
  void (*write_config) (VmmVirtio *self, guint offset, guint length, guint32 value);
  void (*started) (VmmVirtio *self); /* DRIVER_OK; may be NULL */
  /* The guest put something on queue @index. */
  void (*process) (VmmVirtio *self, guint index);
  void (*reset) (VmmVirtio *self); /* no request is under way; may be NULL */
  /* The guest's memory is left alone from now on: drain and reset come. May be NULL. */
  void (*stop) (VmmVirtio *self);
  /* The machine goes on after a pause; process follows for every queue. May be NULL. */
  void (*resumed) (VmmVirtio *self);
  gboolean (*loaded) (VmmVirtio *self, GError **error);
} VmmVirtioClass;

struct _VmmVirtio {
  VmmPciDevice parent;
  guint8 status;
  guint8 isr;
  guint8 config_generation;
  guint32 device_feature_select, driver_feature_select;
  guint64 driver_features;
  guint16 config_vector;
  guint16 queue_select;
  guint n_queues;
  VmmVirtioQueue *queues;
  guint window_offset; /* of the capability that reaches the BAR from configuration space */
  guint n_inflight;    /* requests popped and not yet pushed */
  gboolean resetting;  /* waits for them */
  gboolean drained;    /* queues are left alone */
  guint left;          /* requests that process may still take in this turn of the loop */
  GCond idle;          /* n_inflight became 0 */
};

extern const VmmField vmm_virtio_fields[];

/* The VmmDeviceClass and VmmPciDeviceClass functions of every virtio device. */
gboolean vmm_virtio_realize (VmmDevice *device, gconstpointer config, GError **error);
void vmm_virtio_unrealize (VmmDevice *device);
void vmm_virtio_drain (VmmDevice *device);
void vmm_virtio_resume (VmmDevice *device);
void vmm_virtio_reset (VmmDevice *device);
gboolean vmm_virtio_loaded (VmmDevice *device, GError **error);
void vmm_virtio_config_written (VmmPciDevice *pci, guint offset, guint length);
void vmm_virtio_config_read (VmmPciDevice *pci, guint offset, guint length);
void vmm_virtio_bar_mapped (VmmPciDevice *pci, guint bar, guint64 address, gboolean mapped);

#define VMM_VIRTIO_PARENT(Struct, name_, version_, fields_, ...)                                   \
  .parent = {                                                                                      \
    .parent = { .name = name_,                                                                     \
                .instance_size = sizeof (Struct),                                                  \
                .version = version_,                                                               \
                .fields = fields_,                                                                 \
                .realize = vmm_virtio_realize,                                                     \
                .unrealize = vmm_virtio_unrealize,                                                 \
                .drain = vmm_virtio_drain,                                                         \
                .resume = vmm_virtio_resume,                                                       \
                .reset = vmm_virtio_reset,                                                         \
                .loaded = vmm_virtio_loaded,                                                       \
                __VA_ARGS__ },                                                                     \
    .config_written = vmm_virtio_config_written,                                                   \
    .config_read = vmm_virtio_config_read,                                                         \
    .bar_mapped = vmm_virtio_bar_mapped,                                                           \
  }

#define VMM_VIRTIO_DEVICE_CLASS(klass) (&(klass).parent.parent)

/* For the devices. */
/* In realize: a BAR of the device's own, 32 bits wide, for read_bar, write_bar and bar_mapped. */
gboolean vmm_virtio_add_bar (VmmVirtio *self, guint bar, guint64 size, GError **error);
gboolean vmm_virtio_has_feature (VmmVirtio *self, guint bit);
/* Whether a driver listens. */
gboolean vmm_virtio_is_ready (VmmVirtio *self);
/* A request to work on, or FALSE. It counts as under way until it is pushed. */
gboolean vmm_virtio_pop (VmmVirtio *self, guint index, VmmRequest *request);
void vmm_virtio_push (VmmVirtio *self, guint index, guint16 head, guint32 written);
/* Several at once: the driver sees all or none. */
void vmm_virtio_push_many (VmmVirtio *self,
                           guint index,
                           const guint16 *heads,
                           const guint32 *written,
                           guint n);
void vmm_virtio_unpop (VmmVirtio *self, guint index);
/* The device keeps a popped request for later and notes its head: it is not under way meanwhile.
 * Reset and drain do not wait for it; the device's reset forgets it. */
void vmm_virtio_keep (VmmVirtio *self);
/* A kept request, read again from its head; from now on it is under way. */
gboolean vmm_virtio_take_kept (VmmVirtio *self, guint index, guint16 head, VmmRequest *request);
/* Lets somebody else serve a queue; process is not called for it meanwhile. FALSE where that cannot
 * be, or something is under way. Thread: loop. */
gboolean vmm_virtio_lend_queue (VmmVirtio *self, guint index, VmmVirtqueueLoan *loan);
/* It was served up to @next. */
void vmm_virtio_take_back_queue (VmmVirtio *self, guint index, guint16 next);
/* Rings the doorbell of a queue in the driver's place. */
void vmm_virtio_ring (VmmVirtio *self, guint index);
/* Interrupts the driver where it wants to know of what was pushed. */
void vmm_virtio_notify (VmmVirtio *self, guint index);
/* The same for a polled device, once for all that is pushed before the loop looks at its queues. */
void vmm_virtio_notify_soon (VmmVirtio *self, guint index);
/* The device configuration changed: new generation and an interrupt. */
void vmm_virtio_config_changed (VmmVirtio *self);
/* The queues are looked at soon, as if the guest had rung. */
void vmm_virtio_look_again (VmmVirtio *self);
/* The driver broke the rules: DEVICE_NEEDS_RESET, and nothing is served until it resets. */
void vmm_virtio_break (VmmVirtio *self, const char *why);

G_END_DECLS
