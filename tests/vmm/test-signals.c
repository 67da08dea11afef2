/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Faults on guest memory: those that we watch are survived and told, all others go where they went
 * before. A memfd that is shorter than its mapping faults as one does for which the host has no
 * page.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/vmm-signals.h"
#include "vmm-error.h"

#define PAGE  4096
#define LARGE 8 /* pages */

static sigjmp_buf way_out;
static volatile gpointer fault_address;

static void
on_foreign_fault (int number, siginfo_t *info, gpointer context)
{
  fault_address = info->si_addr;
  siglongjmp (way_out, 1);
}

/* @n_pages of address space, of which only the first has a page behind it. */
static guint8 *
map_short (guint n_pages)
{
  int fd = memfd_create ("short", MFD_CLOEXEC);
  guint8 *start;

  g_assert_cmpint (ftruncate (fd, PAGE), ==, 0);
  start = mmap (NULL, n_pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_assert_true (start != MAP_FAILED);
  close (fd);
  return start;
}

static VmmFaultWatch *
watch (guint8 *start, guint n_pages, int fd)
{
  g_autoptr (GError) error = NULL;
  VmmFaultWatch *made = vmm_fault_watch_add (start, n_pages * PAGE, PAGE, fd, &error);

  g_assert_no_error (error);
  return made;
}

static guint64
take_count (int fd)
{
  guint64 count = 0;

  return read (fd, &count, sizeof count) == sizeof count ? count : 0;
}

static void
test_survives (void)
{
  int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  guint8 *memory = map_short (4);
  VmmFaultWatch *made = watch (memory, 4, fd);

  memory[0] = 1;
  g_assert_cmpuint (take_count (fd), ==, 0);
  memory[PAGE + 5] = 2; /* a write */
  g_assert_cmpuint (memory[PAGE + 5], ==, 2);
  g_assert_cmpuint (take_count (fd), ==, 1);
  g_assert_cmpuint (memory[4 * PAGE - 1], ==,
                    ((volatile guint8 *) memory)[4 * PAGE - 1]); /* a read */
  g_assert_cmpuint (take_count (fd), ==, 1);
  memory[PAGE] = 3; /* that page is patched already */
  g_assert_cmpuint (take_count (fd), ==, 0);
  g_assert_cmpuint (memory[0], ==, 1);
  vmm_fault_watch_remove (made);
  munmap (memory, 4 * PAGE);
  close (fd);
}

/* A page that cannot be replaced in part is replaced whole. */
static void
test_large_page (void)
{
  int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  guint8 *space = map_short (2 * LARGE), *memory = space;
  VmmFaultWatch *made;

  memory += LARGE * PAGE - 1; /* aligned: past the page with a file behind it, or at it */
  memory = (guint8 *) ((guintptr) memory & ~(guintptr) (LARGE * PAGE - 1));
  made = vmm_fault_watch_add (memory, LARGE * PAGE, LARGE * PAGE, fd, NULL);
  g_assert_nonnull (made);
  memory[2 * PAGE] = 1;
  for (guint i = 1; i < LARGE; i++)
    memory[i * PAGE] = i;
  for (guint i = 1; i < LARGE; i++)
    g_assert_cmpuint (memory[i * PAGE], ==, i);
  g_assert_cmpuint (take_count (fd), ==, 1);
  vmm_fault_watch_remove (made);
  munmap (space, 2 * LARGE * PAGE);
  close (fd);
}

/* Each machine hears of its own faults. */
static void
test_two (void)
{
  int first_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  int second_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  guint8 *first = map_short (2), *second = map_short (2);
  VmmFaultWatch *one = watch (first, 2, first_fd), *two = watch (second, 2, second_fd);

  second[PAGE] = 1;
  g_assert_cmpuint (take_count (first_fd), ==, 0);
  g_assert_cmpuint (take_count (second_fd), ==, 1);
  first[PAGE] = 1;
  g_assert_cmpuint (take_count (first_fd), ==, 1);
  vmm_fault_watch_remove (one);
  vmm_fault_watch_remove (two);
  munmap (first, 2 * PAGE);
  munmap (second, 2 * PAGE);
  close (first_fd);
  close (second_fd);
}

static gboolean
faults_elsewhere (guint8 *address)
{
  fault_address = NULL;
  if (sigsetjmp (way_out, 1) == 0) {
    *(volatile guint8 *) address = 1;
    return FALSE;
  }
  return fault_address == address;
}

/* Neighbours of a watched range, and what was watched once, are none of our business. */
static void
test_passes_on (void)
{
  int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  guint8 *memory = map_short (4);
  VmmFaultWatch *made = watch (memory + PAGE, 2, fd);

  g_assert_true (faults_elsewhere (memory + 3 * PAGE));
  g_assert_cmpuint (take_count (fd), ==, 0);
  vmm_fault_watch_remove (made);
  g_assert_true (faults_elsewhere (memory + PAGE));
  g_assert_cmpuint (take_count (fd), ==, 0);
  munmap (memory, 4 * PAGE);
  close (fd);
}

static void
test_limit (void)
{
  VmmFaultWatch *all[VMM_MAX_FAULT_WATCHES];
  g_autoptr (GError) error = NULL;
  guint8 *memory = map_short (1);

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    all[i] = watch (memory, 1, -1);
  g_assert_null (vmm_fault_watch_add (memory, PAGE, PAGE, -1, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_NO_MEMORY);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    vmm_fault_watch_remove (all[i]);
  vmm_fault_watch_remove (watch (memory, 1, -1));
  munmap (memory, PAGE);
}

/* The kick disturbs nobody, and its number is nobody else's. */
static void
test_kick (void)
{
  int number = vmm_kick_signal ();
  struct sigaction action;

  g_assert_cmpint (number, >, SIGRTMIN);
  g_assert_cmpint (number, ==, vmm_kick_signal ());
  g_assert_cmpint (sigaction (number, NULL, &action), ==, 0);
  g_assert_true (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
  g_assert_cmpint (raise (number), ==, 0);
}

static gpointer
blocked_signals (gpointer data)
{
  vmm_block_foreign_signals ();
  pthread_sigmask (SIG_SETMASK, NULL, data);
  return NULL;
}

static void
test_mask (void)
{
  sigset_t set;

  g_thread_join (g_thread_new ("mask", blocked_signals, &set));
  g_assert_true (sigismember (&set, SIGTERM) && sigismember (&set, SIGCHLD));
  g_assert_false (sigismember (&set, SIGBUS) || sigismember (&set, SIGSEGV));
  g_assert_false (sigismember (&set, vmm_kick_signal ()));
}

int
main (int argc, char **argv)
{
  struct sigaction action = { .sa_sigaction = on_foreign_fault, .sa_flags = SA_SIGINFO };

  /* Somebody was there before us. */
  sigaction (SIGBUS, &action, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signals/survives", test_survives);
  g_test_add_func ("/signals/large-page", test_large_page);
  g_test_add_func ("/signals/two", test_two);
  g_test_add_func ("/signals/passes-on", test_passes_on);
  g_test_add_func ("/signals/limit", test_limit);
  g_test_add_func ("/signals/kick", test_kick);
  g_test_add_func ("/signals/mask", test_mask);
  return g_test_run ();
}
