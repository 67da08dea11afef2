/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Power cuts and kills: whatever part of the writes after the last sync is missing, and wherever
 * the program dies, what the guest flushed is there, no table is wrong, and at the next opening no
 * cluster is lost.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block-history.h"
#include "write-recorder.h"

#define VICTIM "--victim"

typedef struct {
  const char *name, *options, *prepare;
} Kind;

static const Kind kinds[] = {
  { "plain", "", "" },
  { "v2", "-o compat=0.10", "" },
  { "cluster-512", "-o cluster_size=512,refcount_bits=64", "" },
  { "cluster-4k", "-o cluster_size=4k", "" },
  { "snapshot", "-o cluster_size=8k", "qemu-img snapshot -c one disk" },
  { "compressed", "",
    "qemu-img convert -c -O qcow2 -o cluster_size=16k disk packed && mv packed disk" },
  { "backing", "",
    "mv disk base && qemu-img create -q -f qcow2 -o cluster_size=4k -b base -F qcow2 disk" },
};

static int
how_often (int quick, int slow)
{
  return g_getenv ("VIRTDESK_TEST_SLOW") ? slow : quick;
}

/* The disk may have lost clusters and nothing worse; opened by us it has lost none. */
static void
check_left (const BlockHistory *history, BlockTest *test, guint n_begun, guint n_ended)
{
  VmmBlockOptions options = { .format = VMM_DISK_QCOW2, .discard = TRUE };
  g_autofree char *output = NULL;
  int code = block_test_try (test, &output, "qemu-img check -f qcow2 disk");

  if (code != 0 && code != 3) /* 3: leaked clusters */
    g_error ("after %u deeds: %s", n_ended, output);
  block_test_open_with (test, &options);
  block_history_check (history, test, n_begun, n_ended);
  block_test_check (test);
}

static void
record (BlockHistory *history, BlockTest *test, WriteRecorder *recorder)
{
  VmmBlockOptions options = { .format = VMM_DISK_QCOW2,
                              .discard = TRUE,
                              .engine = &vmm_block_threads,
                              .file = &recorder->klass };

  block_test_open_with (test, &options);
  for (guint i = 0; i < history->n; i++) {
    BlockDeed *deed = &history->deeds[i];

    deed->begun = write_recorder_get_length (recorder);
    block_deed_do (deed, test);
    deed->ended = write_recorder_get_length (recorder);
  }
  block_test_close (test);
}

static void
cut_at (BlockHistory *history, BlockTest *test, WriteRecorder *recorder, guint at, GRand *rand)
{
  guint n_begun = 0, n_ended = 0;

  while (n_begun < history->n && history->deeds[n_begun].begun < at)
    n_begun++;
  while (n_ended < history->n && history->deeds[n_ended].ended <= at)
    n_ended++;
  block_test_run (test, "cp --sparse=always before disk");
  write_recorder_replay (recorder, test->path, at, rand);
  check_left (history, test, n_begun, n_ended);
}

static void
test_power_cut (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (BlockTest) test = block_test_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (g_test_rand_int ());
  g_autofree BlockHistory *history = g_new0 (BlockHistory, 1);
  WriteRecorder recorder;
  guint n;

  write_recorder_init (&recorder);
  block_history_make_image (history, test, kind->options, kind->prepare);
  block_test_run (test, "cp disk before");
  block_history_choose (history, rand);
  record (history, test, &recorder);
  block_test_check (test);
  n = write_recorder_get_length (&recorder);
  for (int i = 0; i < how_often (15, 400); i++)
    cut_at (history, test, &recorder, g_rand_int_range (rand, 1, n + 1), rand);
  write_recorder_clear (&recorder);
}

/* The victim: does what the seed says, again and again, and says a byte for each deed done. */
static int
be_victim (char *path, guint32 seed)
{
  BlockTest test = { .loop = vmm_loop_new ("loop", NULL), .path = path };
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autofree BlockHistory *history = g_new0 (BlockHistory, 1);

  block_history_choose (history, rand);
  block_test_open (&test);
  for (guint i = 0; i < history->n; i++) {
    block_deed_do (&history->deeds[i], &test);
    if (write (STDOUT_FILENO, "", 1) != 1)
      return 1;
  }
  pause ();
  return 0;
}

/* Returns how many deeds it had done. */
static guint
kill_victim (BlockTest *test, guint32 seed, guint when)
{
  g_autofree char *number = g_strdup_printf ("%u", seed);
  const char *argv[] = { "/proc/self/exe", VICTIM, test->path, number, NULL };
  g_autoptr (GError) error = NULL;
  guint n = 0;
  GPid pid;
  int out, status;
  char byte;

  g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                            NULL, &out, NULL, &error);
  g_assert_no_error (error);
  while (n < when && read (out, &byte, 1) == 1)
    n++;
  g_usleep (when % 7 * 300);
  kill (pid, SIGKILL);
  while (read (out, &byte, 1) == 1)
    n++;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  close (out);
  return n;
}

static void
test_kill (gconstpointer data)
{
  const Kind *kind = data;

  for (int i = 0; i < how_often (2, 15); i++) {
    g_autoptr (BlockTest) test = block_test_new ();
    g_autofree BlockHistory *history = g_new0 (BlockHistory, 1);
    guint32 seed = g_test_rand_int ();
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    guint n;

    block_history_make_image (history, test, kind->options, kind->prepare);
    block_history_choose (history, rand);
    n = kill_victim (test, seed, g_test_rand_int_range (1, BLOCK_HISTORY_MAX));
    check_left (history, test, MIN (n + 1, history->n), n);
  }
}

int
main (int argc, char **argv)
{
  if (argc == 4 && strcmp (argv[1], VICTIM) == 0)
    return be_victim (argv[2], g_ascii_strtoull (argv[3], NULL, 10));
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autofree char *cut = g_strdup_printf ("/qcow2/power-cut/%s", kinds[i].name);
    g_autofree char *kill = g_strdup_printf ("/qcow2/kill/%s", kinds[i].name);

    g_test_add_data_func (cut, &kinds[i], test_power_cut);
    g_test_add_data_func (kill, &kinds[i], test_kill);
  }
  return g_test_run ();
}
