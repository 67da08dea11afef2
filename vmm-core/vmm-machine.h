/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmMachine: one virtual machine on KVM, in this process.
 *
 * Threads: the functions marked control block and are called one after another
 * (each machine has one control thread, the caller's); the others are for any
 * thread. The listener is called on threads of the machine: it notes and posts,
 * nothing else.
 */
#pragma once

#include "vmm-balloon.h"
#include "vmm-progress.h"
#include "vmm-config.h"
#include "vmm-display.h"
#include "vmm-input.h"

G_BEGIN_DECLS

typedef struct _VmmMachine VmmMachine;

typedef enum {
  VMM_MACHINE_READY, /* made, not started */
  VMM_MACHINE_RUNNING,
  VMM_MACHINE_PAUSED,
  VMM_MACHINE_STOPPED, /* see VmmEnd */
} VmmMachineState;

typedef enum {
  VMM_END_NONE,
  VMM_END_POWER_OFF,  /* the guest turned itself off */
  VMM_END_STOPPED,    /* vmm_machine_stop */
  VMM_END_RESET,      /* under stop_on_reset */
  VMM_END_DEBUG_EXIT, /* value: what the guest wrote */
  VMM_END_CRASHED,    /* message: one sentence; registers: a dump as text */
} VmmEndKind;

typedef struct {
  VmmEndKind kind;
  guint32 value;
  const char *message;   /* VMM_END_CRASHED; owned by the machine */
  const char *registers; /* likewise */
} VmmEnd;

typedef struct {
  /* The machine changed its state by itself or by a call. */
  void (*state_changed) (VmmMachine *machine, VmmMachineState state, gpointer data);
  /* The guest started anew (reset). */
  void (*was_reset) (VmmMachine *machine, gpointer data);
  /* The machine is paused because a device cannot go on until a person has done something, such as
   * made room on a full disk; @why says what. vmm_machine_resume tries again. */
  void (*paused_for) (VmmMachine *machine, const char *device, const char *why, gpointer data);
  /* A device stopped serving after nonsense from the guest, or for an I/O error. */
  void (*device_broken) (VmmMachine *machine, const char *device, const char *why, gpointer data);
  /* The guest's operating system says that it has crashed; the machine runs on. */
  void (*panicked) (VmmMachine *machine, gpointer data);
  /* The guest has given up @device: it is no more. */
  void (*detached) (VmmMachine *machine, const char *device, gpointer data);
} VmmListener;

typedef struct {
  guint64 exits_user; /* returns of KVM_RUN to us */
  guint64 disk_requests;
  guint64 frames;       /* flushes of the screen */
  guint64 bytes_copied; /* pixels that we copied for the display */
  gint64 cpu_ns;        /* time of all vCPU threads */
  gint64 run_ns;        /* since start */
  guint64 memory_used;  /* bytes of the host that the guest's memory takes */
} VmmStats;

/* Thread: control. Opens KVM, kernel and disks; everything that can be refused is refused here. */
VmmMachine *vmm_machine_new (const VmmConfig *config,
                             const VmmListener *listener,
                             gpointer data,
                             GError **error);
/* Stops first if need be. Thread: control. */
void vmm_machine_free (VmmMachine *self);

gboolean vmm_machine_start (VmmMachine *self, GError **error);  /* Thread: control */
gboolean vmm_machine_pause (VmmMachine *self, GError **error);  /* Thread: control */
gboolean vmm_machine_resume (VmmMachine *self, GError **error); /* Thread: control */
gboolean vmm_machine_reset (VmmMachine *self, GError **error);  /* Thread: control */
void vmm_machine_stop (VmmMachine *self);                       /* Thread: control */
/* Waits until the machine is STOPPED. Thread: control */
void vmm_machine_wait (VmmMachine *self);

/* Of the CD drive @id ("cdrom0"). A drive that the guest has locked gives its disc away, or takes
 * another for it, only with @force; without, the guest is told that someone wants it. Thread:
 * control
 */
gboolean vmm_machine_eject (VmmMachine *self, const char *id, gboolean force, GError **error);
gboolean vmm_machine_insert (VmmMachine *self,
                             const char *id,
                             const char *path,
                             gboolean force,
                             GError **error);

/* The disk @id ("disk0") grows to @size bytes; a guest with virtio disks hears of it at once. Fails
 * with VMM_ERROR_DISK. Thread: control */
gboolean vmm_machine_resize_disk (VmmMachine *self, const char *id, guint64 size, GError **error);
/* Of the network card @id ("net0"), which is on the user's own network. The list is of VmmForward
 * and the caller's. Thread: control */
gboolean vmm_machine_add_forward (VmmMachine *self,
                                  const char *id,
                                  const VmmForward *forward,
                                  GError **error);
gboolean vmm_machine_remove_forward (VmmMachine *self,
                                     const char *id,
                                     const VmmForward *forward,
                                     GError **error);
GPtrArray *vmm_machine_list_forwards (VmmMachine *self, const char *id, GError **error);
/* Pulls the cable out of the network card @id, or puts it back. Thread: control */
gboolean vmm_machine_set_link (VmmMachine *self, const char *id, gboolean up, GError **error);

/* Asks the guest of a machine with a balloon to get by with @target bytes of its memory, from
 * VMM_MIN_MEMORY to all of it: vmm_machine_get_balloon tells how far it is. It may take its time,
 * or not do it at all; a machine that is reset asks again. Thread: control */
gboolean vmm_machine_set_balloon (VmmMachine *self, guint64 target, GError **error);
/* What is known now; the guest is asked for newer statistics, which a later call finds. Returns at
 * once. Thread: control */
gboolean vmm_machine_get_balloon (VmmMachine *self, VmmBalloon *balloon, GError **error);

/* How much of the host's processors the machine may have, of each of which a vCPU is a thread. It
 * acts at once and while the machine runs, and costs a guest that waits nothing. Thread: control */
/* No vCPU has more than @percent of one processor, 1 to 100 (100: no cap). It runs for some
 * milliseconds and rests for some. */
gboolean vmm_machine_set_cpu_cap (VmmMachine *self, guint percent, GError **error);
/* Where there is not enough for all, the vCPUs' part in it: 1 to 10000, where 100 is what every
 * program has (nice 0) and twice as much is twice the time. The host may not let it grow, not even
 * back to what it was (RLIMIT_NICE): then VMM_ERROR_STATE, and nothing has changed. Between
 * sessions of a desktop Linux divides first (sched_autogroup), and this counts within one. */
gboolean vmm_machine_set_cpu_weight (VmmMachine *self, guint weight, GError **error);

/* Attaches a disk or a network card to a machine that runs, at one of its ports
 * (VmmConfig.n_ports). Returns the name by which the other functions know it; g_free. Thread:
 * control */
char *vmm_machine_attach_disk (VmmMachine *self, const VmmDiskConfig *disk, GError **error);
char *vmm_machine_attach_nic (VmmMachine *self, const VmmNicConfig *nic, GError **error);
/* Asks the guest to give up what was attached: VmmListener.detached says when it has. With @force
 * the host has its disk or network back at once, and what the guest wants from it fails until then.
 * Thread: control */
gboolean vmm_machine_detach (VmmMachine *self, const char *id, gboolean force, GError **error);

/* Saves a machine that is paused to the new folder @path: see VmmConfig.load. It stays paused, and
 * may be resumed or saved again. Fails with VMM_ERROR_IO, or _CANCELLED by @progress (which may be
 * NULL), and leaves no folder then. Thread: control */
gboolean
vmm_machine_save (VmmMachine *self, const char *path, const VmmProgress *progress, GError **error);

void vmm_machine_power_button (VmmMachine *self);
VmmMachineState vmm_machine_get_state (VmmMachine *self);
VmmEnd vmm_machine_get_end (VmmMachine *self);
void vmm_machine_get_stats (VmmMachine *self, VmmStats *stats);
/* Borrowed; NULL without graphics. */
VmmDisplay *vmm_machine_get_display (VmmMachine *self);
VmmInput *vmm_machine_get_input (VmmMachine *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmMachine, vmm_machine_free)

G_END_DECLS
