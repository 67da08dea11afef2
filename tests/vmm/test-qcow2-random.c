/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random requests, several at once, to images of all kinds, beside a model of what a disk is:
 * bytes. QEMU has the last word: it finds nothing wrong, and reads the model's bytes.
 */
#include <errno.h>
#include <string.h>

#include "block-test.h"
#include "block/table-cache.h"

#define SECTOR   512
#define SIZE     (3u * 1024 * 1024 + 5 * SECTOR) /* no whole number of clusters */
#define N_ROUNDS 4
#define N_DEEDS  120
#define AT_ONCE  6
#define MAX_MOVE (200 * 1024)

typedef struct {
  const char *name;
  const char *options; /* of qemu-img create */
  const char *prepare; /* a command that makes the image something special; %s: nothing */
  gboolean discard, direct;
} Kind;

static const Kind kinds[] = {
  { "plain", "", NULL, TRUE },
  { "no-discard", "", NULL, FALSE },
  { "direct", "", NULL, TRUE, TRUE },
  { "direct-4k", "-o cluster_size=4k", NULL, TRUE, TRUE },
  { "v2", "-o compat=0.10", NULL, TRUE },
  { "cluster-512", "-o cluster_size=512", NULL, TRUE },
  { "cluster-4k", "-o cluster_size=4k,refcount_bits=1", NULL, TRUE },
  { "cluster-2M", "-o cluster_size=2M,refcount_bits=64", NULL, TRUE },
  { "snapshot", "", "qemu-img snapshot -c one disk", TRUE },
  { "snapshot-512", "-o cluster_size=512", "qemu-img snapshot -c one disk", TRUE },
  { "compressed", "",
    "qemu-img convert -c -O qcow2 -o cluster_size=4k disk packed && mv packed disk", TRUE },
  { "zstd", "",
    "qemu-img convert -c -O qcow2 -o compression_type=zstd disk packed && mv packed disk", TRUE },
  { "compressed-snapshot", "",
    "qemu-img convert -c -O qcow2 disk packed && mv packed disk && qemu-img snapshot -c one disk",
    TRUE },
  { "backing", "",
    "mv disk base && qemu-img create -q -f qcow2 -o cluster_size=4k -b base -F qcow2 disk", TRUE },
  { "backing-v2", "",
    "mv disk base && qemu-img create -q -f qcow2 -o compat=0.10 -b base -F qcow2 disk", TRUE },
  { "backing-raw-short", "",
    "qemu-img convert -O raw disk base && truncate -s 1000448 base && "
    "qemu-img create -q -f qcow2 -b base -F raw disk 3148288",
    TRUE },
  { "chain", "",
    "mv disk a && qemu-img create -q -f qcow2 -b a -F qcow2 b && "
    "qemu-io -f qcow2 -c 'write -q -P 7 100k 300k' b && qemu-img snapshot -c one b && "
    "qemu-img create -q -f qcow2 -o cluster_size=2M -b b -F qcow2 c && "
    "qemu-img create -q -f qcow2 -b c -F qcow2 disk",
    TRUE },
};

typedef struct {
  BlockTest *test;
  guint8 *model;
} Fixture;

/* Sectors that jobs under way touch: of requests that overlap nobody knows which is last. */
typedef struct {
  BlockJob job; /* first */
  guint8 *bytes;
  guint64 first, end;
} Deed;

static void
load_model (Fixture *f)
{
  g_autofree char *path = block_test_path (f->test, "model"), *bytes = NULL;
  gsize length;

  block_test_run (f->test, "qemu-img convert -O raw disk model");
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  g_assert_cmpuint (length, ==, SIZE);
  g_free (f->model);
  f->model = (guint8 *) g_steal_pointer (&bytes);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  const Kind *kind = data;

  f->test = block_test_new ();
  block_test_run (f->test, "qemu-img create -q -f qcow2 %s disk %u", kind->options, SIZE);
  block_test_run (f->test, "qemu-io -f qcow2 -c 'write -q -P 1 0 300k' -c 'write -q -P 2 777k 50k' "
                           "-c 'write -q -z 100k 100k' -c 'write -q -P 3 2M 700k' disk");
  if (kind->prepare)
    block_test_run (f->test, "%s", kind->prepare);
  load_model (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  block_test_free (f->test);
  g_free (f->model);
}

static void
open_it (Fixture *f, const Kind *kind)
{
  VmmBlockOptions options = { .format = VMM_DISK_QCOW2,
                              .discard = kind->discard,
                              .direct = kind->direct };

  block_test_open_with (f->test, &options);
}

static void
choose (Deed *deed, GRand *rand)
{
  static const VmmBlockOp ops[] = {
    VMM_BLOCK_READ,  VMM_BLOCK_WRITE,   VMM_BLOCK_WRITE,        VMM_BLOCK_WRITE,
    VMM_BLOCK_FLUSH, VMM_BLOCK_DISCARD, VMM_BLOCK_WRITE_ZEROES, VMM_BLOCK_READ,
  };
  guint64 n = g_rand_boolean (rand) ? g_rand_int_range (rand, 1, 9)
                                    : g_rand_int_range (rand, 1, MAX_MOVE / SECTOR);
  VmmBlockRequest *request = &deed->job.request;

  memset (&deed->job, 0, sizeof deed->job);
  request->op = ops[g_rand_int_range (rand, 0, G_N_ELEMENTS (ops))];
  request->unmap = g_rand_boolean (rand);
  deed->first = g_rand_int_range (rand, 0, SIZE / SECTOR - n + 1);
  deed->end = deed->first + n;
  if (request->op == VMM_BLOCK_FLUSH)
    deed->end = deed->first;
  request->offset = deed->first * SECTOR;
  request->length = (deed->end - deed->first) * SECTOR;
}

/* In one piece, or in three, none of them aligned. */
static void
fill_vector (Deed *deed, guint8 byte)
{
  VmmBlockRequest *request = &deed->job.request;
  gsize cut = request->length / 3 | 1;

  if (request->op != VMM_BLOCK_READ && request->op != VMM_BLOCK_WRITE)
    return;
  memset (deed->bytes, byte, request->length);
  deed->job.iov[0] = (struct iovec) { deed->bytes, request->length };
  request->n_iov = 1;
  if (byte & 1)
    return;
  deed->job.iov[0].iov_len = cut;
  deed->job.iov[1] = (struct iovec) { deed->bytes + cut, 7 };
  deed->job.iov[2] = (struct iovec) { deed->bytes + cut + 7, request->length - cut - 7 };
  request->n_iov = 3;
}

static gboolean
overlaps (const Deed *deeds, guint n, const Deed *deed)
{
  for (guint i = 0; i < n; i++)
    if (deeds[i].first < deed->end && deed->first < deeds[i].end)
      return TRUE;
  return FALSE;
}

/* What is discarded reads as before or as zero. */
static void
take_discarded (Fixture *f, const Deed *deed)
{
  gsize length = (deed->end - deed->first) * SECTOR;
  guint8 *model = f->model + deed->first * SECTOR;
  g_autofree guint8 *now = g_malloc (length);

  g_assert_cmpint (block_test_read (f->test, deed->first * SECTOR, now, length), ==, 0);
  for (gsize i = 0; i < length; i++)
    g_assert_true (now[i] == model[i] || now[i] == 0);
  memcpy (model, now, length);
}

static void
settle (Fixture *f, Deed *deed, gboolean may_discard)
{
  guint8 *model = f->model + deed->first * SECTOR;
  gsize length = (deed->end - deed->first) * SECTOR;

  g_assert_cmpint (block_job_wait (&deed->job), ==, 0);
  switch (deed->job.request.op) {
  case VMM_BLOCK_READ:
    g_assert_cmpmem (deed->bytes, length, model, length);
    break;
  case VMM_BLOCK_WRITE:
    memcpy (model, deed->bytes, length);
    break;
  case VMM_BLOCK_WRITE_ZEROES:
    memset (model, 0, length);
    break;
  case VMM_BLOCK_DISCARD:
    if (may_discard)
      take_discarded (f, deed);
    break;
  case VMM_BLOCK_FLUSH:
    break;
  }
}

static void
do_deeds (Fixture *f, const Kind *kind, GRand *rand)
{
  Deed deeds[AT_ONCE];

  for (guint i = 0; i < AT_ONCE; i++)
    deeds[i].bytes = vmm_table_alloc (MAX_MOVE + 4096);
  for (guint round = 0; round < N_DEEDS / AT_ONCE; round++) {
    for (guint i = 0; i < AT_ONCE; i++) {
      do
        choose (&deeds[i], rand);
      while (overlaps (deeds, i, &deeds[i]));
      fill_vector (&deeds[i], g_rand_int (rand));
      block_job_start (f->test, &deeds[i].job);
    }
    for (guint i = 0; i < AT_ONCE; i++)
      settle (f, &deeds[i], kind->discard);
  }
  for (guint i = 0; i < AT_ONCE; i++)
    vmm_table_free (deeds[i].bytes);
}

static void
compare_all (Fixture *f)
{
  g_autofree guint8 *all = g_malloc (SIZE);

  g_assert_cmpint (block_test_read (f->test, 0, all, SIZE), ==, 0);
  g_assert_cmpmem (all, SIZE, f->model, SIZE);
}

static void
test_random (Fixture *f, gconstpointer data)
{
  const Kind *kind = data;
  g_autofree char *path = block_test_path (f->test, "model");

  for (guint round = 0; round < N_ROUNDS; round++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (g_test_rand_int ());

    open_it (f, kind);
    do_deeds (f, kind, rand);
    compare_all (f);
    block_test_check (f->test);
    g_assert_true (g_file_set_contents (path, (char *) f->model, SIZE, NULL));
    block_test_run (f->test, "qemu-img compare -q -f qcow2 -F raw disk model");
  }
}

/* What a snapshot inside holds stays as it was, whatever becomes of the disk. */
static void
test_snapshot (Fixture *f, gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (g_test_rand_int ());
  const GPtrArray *snapshots;

  block_test_run (f->test, "qemu-img snapshot -c 'of two' disk");
  block_test_run (f->test, "qemu-img convert -l 'of two' -f qcow2 -O raw disk before");
  open_it (f, kind);
  snapshots = vmm_block_get_snapshots (f->test->block);
  g_assert_cmpuint (snapshots->len, ==, 2);
  g_assert_cmpstr (((VmmBlockSnapshot *) snapshots->pdata[0])->name, ==, "one");
  g_assert_cmpstr (((VmmBlockSnapshot *) snapshots->pdata[1])->name, ==, "of two");
  g_assert_cmpstr (((VmmBlockSnapshot *) snapshots->pdata[1])->id, ==, "2");
  g_assert_cmpuint (((VmmBlockSnapshot *) snapshots->pdata[1])->size, ==, SIZE);
  do_deeds (f, kind, rand);
  block_test_check (f->test);
  block_test_run (f->test, "qemu-img convert -l 'of two' -f qcow2 -O raw disk after && "
                           "cmp before after && qemu-img snapshot -d one disk && "
                           "qemu-img snapshot -a 'of two' disk && qemu-img check -q disk && "
                           "qemu-img compare -q disk before");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autofree char *name = g_strdup_printf ("/qcow2/random/%s", kinds[i].name);
    g_autofree char *intact = g_strdup_printf ("/qcow2/intact/%s", kinds[i].name);

    g_test_add (name, Fixture, &kinds[i], set_up, test_random, tear_down);
    if (strstr (kinds[i].name, "snapshot"))
      g_test_add (intact, Fixture, &kinds[i], set_up, test_snapshot, tear_down);
  }
  return g_test_run ();
}
