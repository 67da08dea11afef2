/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The device's side of VmmInput: where its events go.
 *
 * Threads: control for new, free, add and remove; the sink is called on any thread.
 */
#pragma once

#include "vmm-input.h"

G_BEGIN_DECLS

/* One event of linux/input.h: EV_KEY, EV_REL, EV_ABS; EV_SYN/SYN_REPORT ends a packet. */
typedef struct {
  guint16 type;
  guint16 code;
  gint32 value;
} VmmInputEvent;

typedef enum {
  VMM_INPUT_KEYBOARD,
  VMM_INPUT_TABLET,
} VmmInputKind;

/* The range of the absolute axes: 0 to this. */
#define VMM_INPUT_ABS_MAX 0x7fff

/* Devices of one kind by how well they serve: of those that a driver listens to, the first has all
 * events. */
typedef enum {
  VMM_INPUT_VIRTIO,
  VMM_INPUT_USB,
  VMM_INPUT_PS2,
  VMM_INPUT_N_RANKS,
} VmmInputRank;

typedef struct {
  /* Whether the guest reads the device. NULL: always. */
  gboolean (*listens) (gpointer data);
  /* Takes one packet. FALSE: the guest does not hear of it, because nobody listens or it is behind.
   */
  gboolean (*take) (gpointer data, const VmmInputEvent *events, guint n_events);
} VmmInputSink;

VmmInput *vmm_input_new (void);
void vmm_input_free (VmmInput *self);
/* @sink is constant, or NULL to take it off. */
void vmm_input_set_sink (VmmInput *self,
                         VmmInputKind kind,
                         VmmInputRank rank,
                         const VmmInputSink *sink,
                         gpointer data);
/* The guest forgot what is held on a device of @kind: it was reset. Takes no lock. Thread: any. */
void vmm_input_forget (VmmInput *self, VmmInputKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmInput, vmm_input_free)

G_END_DECLS
