/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmPlatform: what a device may ask of the machine around it: interrupts,
 * doorbells, and to have the machine stopped. One implementation stands on KVM
 * (kvm/), one serves the device tests (tests/vmm/fake-platform). Devices know
 * neither.
 *
 * Threads: any; the implementation locks for itself and never calls back.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VmmPlatform VmmPlatform;

typedef enum {
  VMM_SPACE_PIO,
  VMM_SPACE_MMIO,
} VmmSpace;

/* A guest write of any @length bytes at @address signals @fd in the kernel (ioeventfd). */
typedef struct {
  VmmSpace space;
  guint64 address;
  guint length;   /* 0: any length */
  gboolean match; /* only when the value written is @value */
  guint64 value;
  int fd; /* eventfd, borrowed */
} VmmDoorbell;

/* An MSI or MSI-X message. */
typedef struct {
  guint64 address;
  guint32 data;
} VmmMsi;

typedef enum {
  VMM_SLOT_READONLY = 1 << 0, /* what the guest writes goes to the bus */
  VMM_SLOT_TRACKED = 1 << 1,  /* take_dirty knows which pages were written */
} VmmSlotFlags;

typedef enum {
  VMM_REQUEST_POWER_OFF,  /* the guest entered S5 */
  VMM_REQUEST_RESET,      /* keyboard controller, 0xcf9, triple fault */
  VMM_REQUEST_DEBUG_EXIT, /* value written to port 0xf4 */
  VMM_REQUEST_NO_MEMORY,  /* the host has no page for the guest's memory: the machine has crashed */
} VmmRequestKind;

typedef struct {
  gboolean (*add_doorbell) (VmmPlatform *self, const VmmDoorbell *doorbell, GError **error);
  void (*remove_doorbell) (VmmPlatform *self, const VmmDoorbell *doorbell);

  /* A level-triggered pin of the I/O APIC (and the PIC where it has it). */
  void (*set_line) (VmmPlatform *self, guint gsi, gboolean level);

  /* The timer of the board (8254) no longer interrupts, because the HPET does in its place; or it
   * does again. */
  void (*silence_pit) (VmmPlatform *self, gboolean silent);

  /* A message route. @fd is an eventfd (borrowed) whose signal sends @msi without a thread of
   * ours (irqfd). Returns a route number >= 0, or -1 with error set. */
  int (*add_msi) (VmmPlatform *self, int fd, const VmmMsi *msi, GError **error);
  void (*update_msi) (VmmPlatform *self, int route, const VmmMsi *msi);
  void (*remove_msi) (VmmPlatform *self, int route);

  /* Memory of a device (a ROM, pixels) that the guest reads and writes at @address without an
   * exit: @size bytes at @host, both in whole pages, borrowed until unmapped. Returns a slot >= 0,
   * or -1 with error set. */
  int (*map_slot) (VmmPlatform *self,
                   guint64 address,
                   guint64 size,
                   gpointer host,
                   VmmSlotFlags flags,
                   GError **error);
  void (*unmap_slot) (VmmPlatform *self, int slot);
  /* Which pages of a tracked slot were written since the last question: a bit a page, as many
   * 64-bit words as that takes. FALSE where nobody can say: then all were. */
  gboolean (*take_dirty) (VmmPlatform *self, int slot, guint64 *bitmap);

  /* Asks for the end of this run. Returns at once; what happens is the machine's affair. */
  void (*request) (VmmPlatform *self, VmmRequestKind kind, guint32 value);

  /* Asks for a pause, because the device can go on only after a person has done something. What it
   * could not do it keeps, and tries again when it is resumed. @why is one sentence. */
  void (*pause) (VmmPlatform *self, const char *device_id, const char *why);

  /* The guest's kernel says that it has crashed. It may go on, to save what is left or to restart.
   */
  void (*panicked) (VmmPlatform *self);

  /* The guest let go of a device behind a root port that somebody had asked for: it can be freed.
   */
  void (*unplugged) (VmmPlatform *self);

  /* A device broke (bad ring, bad register): the machine tells its listener. @why is one
   * sentence; rate limiting is done here. */
  void (*device_broken) (VmmPlatform *self, const char *device_id, const char *why);
} VmmPlatformClass;

struct _VmmPlatform {
  const VmmPlatformClass *klass;
};

G_END_DECLS
