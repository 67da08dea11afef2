/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-signals.h. Everything static in vmm-core that changes is in this file.
 */
#include "kvm/vmm-signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm-error.h"

#define SMALL_PAGE 4096

struct _VmmFaultWatch {
  gint used;      /* atomic: the slot is taken */
  guintptr start; /* atomic: 0 while the range is not watched */
  gsize length, page;
  int fd;
};

static VmmFaultWatch watches[VMM_MAX_FAULT_WATCHES];
static struct sigaction previous_bus;
static int scratch_fd = -1;
static int kick_signal;

/* The watch whose range holds @address. */
static VmmFaultWatch *
find_watch (guintptr address)
{
  for (guint i = 0; i < VMM_MAX_FAULT_WATCHES; i++) {
    guintptr start = __atomic_load_n (&watches[i].start, __ATOMIC_ACQUIRE);

    if (start != 0 && address >= start && address - start < watches[i].length)
      return &watches[i];
  }
  return NULL;
}

/* Puts the scratch page under the faulting address; under a huge page, which cannot be replaced in
 * part, small ones. */
static gboolean
patch_page (const VmmFaultWatch *watch, guintptr address)
{
  gpointer start = (gpointer) (address & ~(watch->page - 1));
  int access = PROT_READ | PROT_WRITE;

  if (watch->page == SMALL_PAGE)
    return mmap (start, SMALL_PAGE, access, MAP_SHARED | MAP_FIXED, scratch_fd, 0) != MAP_FAILED;
  return mmap (start, watch->page, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
               -1, 0) != MAP_FAILED;
}

static void
pass_on (int number, siginfo_t *info, gpointer context)
{
  if (previous_bus.sa_flags & SA_SIGINFO)
    previous_bus.sa_sigaction (number, info, context);
  else if (previous_bus.sa_handler != SIG_DFL && previous_bus.sa_handler != SIG_IGN)
    previous_bus.sa_handler (number);
  else /* as if we had never been here: the access faults again and ends the process */
    sigaction (SIGBUS, &previous_bus, NULL);
}

static void
on_bus_error (int number, siginfo_t *info, gpointer context)
{
  int saved_errno = errno;
  VmmFaultWatch *watch = find_watch ((guintptr) info->si_addr);
  guint64 one = 1;

  if (!watch || info->si_code <= 0 || !patch_page (watch, (guintptr) info->si_addr))
    pass_on (number, info, context);
  else if (write (watch->fd, &one, sizeof one) < 0) {
    /* A full counter says the same. */
  }
  errno = saved_errno;
}

static void
on_kick (int number)
{
}

static gboolean
make_scratch (void)
{
  scratch_fd = memfd_create ("vmm-scratch", MFD_CLOEXEC);
  return scratch_fd >= 0 && fallocate (scratch_fd, 0, 0, SMALL_PAGE) == 0;
}

static gboolean
install_bus_handler (void)
{
  struct sigaction action = { .sa_sigaction = on_bus_error,
                              .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

  sigemptyset (&action.sa_mask);
  return make_scratch () && sigaction (SIGBUS, &action, &previous_bus) == 0;
}

VmmFaultWatch *
vmm_fault_watch_add (gconstpointer start, gsize length, gsize page, int fd, GError **error)
{
  static gsize installed;

  if (g_once_init_enter (&installed))
    g_once_init_leave (&installed, install_bus_handler () ? 1 : 2);
  for (guint i = 0; installed == 1 && i < VMM_MAX_FAULT_WATCHES; i++) {
    VmmFaultWatch *watch = &watches[i];

    if (!g_atomic_int_compare_and_exchange (&watch->used, FALSE, TRUE))
      continue;
    watch->length = length;
    watch->page = page;
    watch->fd = fd;
    __atomic_store_n (&watch->start, (guintptr) start, __ATOMIC_RELEASE);
    return watch;
  }
  g_set_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY,
               "At most %d machines run in one process: stop another one first.",
               VMM_MAX_FAULT_WATCHES);
  return NULL;
}

void
vmm_fault_watch_remove (VmmFaultWatch *watch)
{
  __atomic_store_n (&watch->start, 0, __ATOMIC_RELEASE);
  g_atomic_int_set (&watch->used, FALSE);
}

/* Takes the first real-time signal that nobody else handles. */
static int
claim_kick_signal (void)
{
  struct sigaction action = { .sa_handler = on_kick }, old;

  sigemptyset (&action.sa_mask);
  for (int number = SIGRTMIN + 4; number <= SIGRTMAX; number++)
    if (sigaction (number, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
        old.sa_handler == SIG_DFL && sigaction (number, &action, NULL) == 0)
      return number;
  return 0;
}

int
vmm_kick_signal (void)
{
  static gsize claimed;

  if (g_once_init_enter (&claimed)) {
    kick_signal = claim_kick_signal ();
    g_once_init_leave (&claimed, 1);
  }
  return kick_signal;
}

void
vmm_block_foreign_signals (void)
{
  static const int faults[] = { SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS };
  sigset_t set;

  sigfillset (&set);
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    sigdelset (&set, faults[i]);
  sigdelset (&set, vmm_kick_signal ());
  pthread_sigmask (SIG_SETMASK, &set, NULL);
}
