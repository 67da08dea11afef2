/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmLoop: a thread around epoll: file descriptors, timers, calls. A machine
 * has one; a busy disk may have one of its own.
 *
 * A source is removed for good when vmm_loop_remove returns: its function is not
 * running then (unless it is the caller) and will not run again.
 *
 * Threads: any, unless said otherwise.
 */
#pragma once

#include <glib.h>

#include "base/vmm-poll-set.h"

G_BEGIN_DECLS

typedef struct _VmmLoop VmmLoop;
typedef struct _VmmSource VmmSource;

typedef void (*VmmLoopFunc) (gpointer data);

VmmLoop *vmm_loop_new (const char *thread_name, GError **error);
void vmm_loop_free (VmmLoop *self); /* Joins the thread; not from the loop. */

/* Calls @func on the loop whenever @fd is readable (@fd is borrowed). A regular file is taken, but
 * never calls. This and the next two: NULL with VMM_ERROR_IO where the host has no descriptor or
 * watch left. */
VmmSource *vmm_loop_add_fd (VmmLoop *self, int fd, VmmLoopFunc func, gpointer data, GError **error);
/* Whether @func is called when @source, a descriptor, can be written, too. */
void vmm_source_want_output (VmmLoop *self, VmmSource *source, gboolean want);
/* The same as add_fd for an eventfd, which is read before each call. */
VmmSource *
vmm_loop_add_eventfd (VmmLoop *self, int fd, VmmLoopFunc func, gpointer data, GError **error);
/* Its clock: CLOCK_MONOTONIC. Thread: any. */
gint64 vmm_loop_now_ns (void);
/* A timer that is off until armed. @when_ns is of that clock; 0 disarms. */
VmmSource *vmm_loop_add_timer (VmmLoop *self, VmmLoopFunc func, gpointer data, GError **error);
void vmm_source_arm (VmmSource *source, gint64 when_ns);
void vmm_loop_remove (VmmLoop *self, VmmSource *source);

/* Polls before it sleeps; @funcs are called with @data, on the loop, until it is removed, when none
 * of them is running (unless it is the caller). */
void vmm_loop_add_poller (VmmLoop *self, const VmmPollFuncs *funcs, gpointer data);
void vmm_loop_remove_poller (VmmLoop *self, gpointer data);

/* Runs @func on the loop, soon. */
void vmm_loop_post (VmmLoop *self, VmmLoopFunc func, gpointer data);
/* Runs @func on the loop and waits for it; direct when the caller is the loop. */
void vmm_loop_call (VmmLoop *self, VmmLoopFunc func, gpointer data);
gboolean vmm_loop_is_current (VmmLoop *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmLoop, vmm_loop_free)

G_END_DECLS
