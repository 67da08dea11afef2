/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A guest without KVM: memory, buses and a platform that takes notes, and a driver that finds a
 * virtio device through its PCI capabilities and writes rings, good or broken.
 *
 * Threads: one test thread drives; the device's loop runs beside it. fake_guest_settle waits until
 * the loop has done all that was asked of it, so no test depends on a clock.
 */
#pragma once

#include "base/vmm-bus.h"
#include "device/vmm-device.h"
#include "pci/pci-host.h"
#include "virtio/virtio.h"

G_BEGIN_DECLS

#define FAKE_MEMORY     (G_GUINT64_CONSTANT (16) << 20)
#define FAKE_N_LINES    24
#define FAKE_N_QUEUES   6
#define FAKE_QUEUE_SIZE 16

#define FAKE_NEXT     1
#define FAKE_WRITE    2
#define FAKE_INDIRECT 4

#define FAKE_N_SLOTS 8
#define FAKE_N_PORTS 2 /* root ports that may be made: buses 1 and 2 */

typedef struct {
  guint64 address, size; /* size 0: free */
  guint8 *host;
  VmmSlotFlags flags;
} FakeSlot;

typedef struct {
  VmmPlatform platform;
  GMutex lock;
  gboolean lines[FAKE_N_LINES];
  guint n_rises[FAKE_N_LINES];
  GPtrArray *doorbells; /* VmmDoorbell, copies */
  GArray *messages;     /* FakeMessage, by route */
  FakeSlot slots[FAKE_N_SLOTS];
  guint n_requests;
  VmmRequestKind last_request;
  guint32 last_value;
  guint n_pauses;
  char *last_pause;
  guint n_panics;
  guint n_unplugged;
  gboolean pit_is_silent;
  guint n_broken;
  char *last_broken;
  gboolean refuse; /* routes and doorbells */
} FakePlatform;

typedef struct {
  int fd; /* -1: removed */
  VmmMsi msi;
} FakeMessage;

typedef struct {
  FakePlatform platform;
  VmmMemory *memory;
  VmmLoop *loop;
  VmmBus *ports, *mmio;
  VmmBoard board;
  VmmDevice *pci;
  guint64 next; /* free guest memory */
} FakeGuest;

FakeGuest *fake_guest_new (void);
void fake_guest_free (FakeGuest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakeGuest, fake_guest_free)

/* Guest memory for the driver, zeroed; never given back. */
guint64 fake_guest_alloc (FakeGuest *self, gsize size);
void *fake_guest_at (FakeGuest *self, guint64 address, gsize size);
/* Returns when the loop has seen everything that happened before. */
void fake_guest_settle (FakeGuest *self);

guint32 fake_guest_in (FakeGuest *self, guint16 port, guint size);
void fake_guest_out (FakeGuest *self, guint16 port, guint size, guint32 value);
guint32 fake_guest_read_config (FakeGuest *self, guint slot, guint offset, guint size);
void fake_guest_write_config (FakeGuest *self, guint slot, guint offset, guint size, guint32 value);

/* As a processor reaches them: memory of devices where it is mapped, else their registers. */
guint64 fake_guest_read (FakeGuest *self, guint64 address, guint size);
void fake_guest_write (FakeGuest *self, guint64 address, guint size, guint64 value);

gboolean fake_guest_get_line (FakeGuest *self, guint gsi);
guint fake_guest_count_rises (FakeGuest *self, guint gsi);
/* All of @from's memory, as of now, becomes @self's. */
void fake_guest_copy_memory (FakeGuest *self, FakeGuest *from);
/* How often a message was sent since the last question. */
guint64 fake_guest_take_message (FakeGuest *self, guint32 data);
/* Waits until it was sent. */
void fake_guest_wait_message (FakeGuest *self, guint32 data);

/* Saves and loads @device into a new one of the same class and configuration, which is @other;
 * then saves that one too and compares. */
void fake_guest_check_saved (VmmDevice *device, VmmDevice *other);

typedef struct {
  guint16 size;
  guint64 desc, driver, device;
  guint16 next_desc, next_avail, last_used;
} FakeQueue;

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
  guint slot;
  guint64 bar, common, isr, config, notify;
  guint32 notify_stride;
  gboolean event_idx, indirect;
  FakeQueue queues[FAKE_N_QUEUES];
} FakeDriver;

typedef struct {
  guint64 address;
  guint32 length;
} FakeBuffer;

/* Takes @device through reset, features (those of the transport and @features), queues and MSI-X
 * (vector i + 1 with message i + 1 for queue i, 0 for the configuration) to DRIVER_OK. */
FakeDriver *fake_driver_new (FakeGuest *guest, VmmDevice *device, guint64 features);
/* Finds the registers, resets and negotiates, but goes no further. */
FakeDriver *fake_driver_new_unstarted (FakeGuest *guest, VmmDevice *device, guint64 features);
void fake_driver_free (FakeDriver *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakeDriver, fake_driver_free)

guint64 fake_driver_read (FakeDriver *self, guint64 address, guint size);
void fake_driver_write (FakeDriver *self, guint64 address, guint size, guint64 value);
guint8 fake_driver_get_status (FakeDriver *self);
void fake_driver_set_status (FakeDriver *self, guint8 status);
guint64 fake_driver_get_features (FakeDriver *self);
void fake_driver_setup_queue (FakeDriver *self, guint index);

/* One descriptor, as it is. */
void fake_driver_put_desc (FakeDriver *self,
                           guint queue,
                           guint16 index,
                           guint64 address,
                           guint32 length,
                           guint16 flags,
                           guint16 next);
/* Offers @head, whatever it is, without a kick. */
void fake_driver_offer (FakeDriver *self, guint queue, guint16 head);
void fake_driver_kick (FakeDriver *self, guint queue);
/* A good chain: @n_out buffers to read, then @n_in to write. Offers it, kicks; returns its head. */
guint16 fake_driver_send (FakeDriver *self,
                          guint queue,
                          const FakeBuffer *out,
                          guint n_out,
                          const FakeBuffer *in,
                          guint n_in);
guint16 fake_driver_get_used_index (FakeDriver *self, guint queue);
/* The next used element, or FALSE. */
gboolean fake_driver_take_used (FakeDriver *self, guint queue, guint32 *head, guint32 *written);
/* Sends, waits for the answer, checks that it is this one's; returns the bytes written. */
guint32 fake_driver_call (FakeDriver *self,
                          guint queue,
                          const FakeBuffer *out,
                          guint n_out,
                          const FakeBuffer *in,
                          guint n_in);
/* That the device gave up, said so once and in these words, and serves nothing until it is reset.
 */
void fake_driver_check_broken (FakeDriver *self, const char *why);

G_END_DECLS
