/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The split queue alone: what a good driver gets, and every way to be a bad one.
 */
#include <string.h>

#include "virtio/virtqueue.h"

#define MEMORY (G_GUINT64_CONSTANT (1) << 20)
#define SIZE   8
#define DESC   0x1000
#define AVAIL  0x2000
#define USED   0x3000
#define TABLE  0x4000
#define BUFFER 0x10000

#define NEXT     1
#define WRITE    2
#define INDIRECT 4

typedef struct {
  VmmMemory *memory;
  VmmVirtqueue queue;
  VmmRequest request;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->memory = vmm_memory_new (MEMORY, NULL);
  vmm_virtqueue_init (&f->queue, f->memory, 16);
  f->queue.size = SIZE;
  f->queue.desc = DESC;
  f->queue.driver = AVAIL;
  f->queue.device = USED;
  f->queue.enabled = TRUE;
  g_assert_true (vmm_virtqueue_start (&f->queue));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vmm_memory_free (f->memory);
}

static guint16 *
field (Fixture *f, guint64 address)
{
  return vmm_memory_at (f->memory, address, 2);
}

static void
put (Fixture *f,
     guint64 table,
     guint i,
     guint64 address,
     guint32 length,
     guint16 flags,
     guint16 next)
{
  guint8 *desc = vmm_memory_at (f->memory, table + 16 * i, 16);

  memcpy (desc, &address, 8);
  memcpy (desc + 8, &length, 4);
  memcpy (desc + 12, &flags, 2);
  memcpy (desc + 14, &next, 2);
}

static void
offer (Fixture *f, guint16 head)
{
  guint16 *index = field (f, AVAIL + 2);

  *field (f, AVAIL + 4 + 2 * (*index % SIZE)) = head;
  ++*index;
}

static gboolean
pop (Fixture *f)
{
  return vmm_virtqueue_pop (&f->queue, &f->request);
}

static void
check_broken (Fixture *f)
{
  g_assert_false (pop (f));
  g_assert_nonnull (f->queue.broken);
  /* For good. */
  *field (f, AVAIL + 2) = f->queue.next_avail;
  g_assert_false (pop (f));
  vmm_virtqueue_push (&f->queue, 0, 0);
  g_assert_cmpuint (*field (f, USED + 2), ==, f->queue.next_used);
  g_assert_false (vmm_virtqueue_wants_interrupt (&f->queue));
}

static void
test_chain (Fixture *f, gconstpointer data)
{
  put (f, DESC, 5, BUFFER, 16, NEXT, 2);
  put (f, DESC, 2, BUFFER + 0x100, 32, NEXT, 7);
  put (f, DESC, 7, BUFFER + 0x200, 64, NEXT | WRITE, 0);
  put (f, DESC, 0, BUFFER + 0x300, 1, WRITE, 0);
  g_assert_false (pop (f));
  offer (f, 5);
  g_assert_true (pop (f));
  g_assert_cmpuint (f->request.head, ==, 5);
  g_assert_cmpuint (f->request.n_out, ==, 2);
  g_assert_cmpuint (f->request.n_in, ==, 2);
  g_assert_true (f->request.out[1].iov_base == vmm_memory_at (f->memory, BUFFER + 0x100, 32));
  g_assert_cmpuint (f->request.out[1].iov_len, ==, 32);
  g_assert_true (f->request.in[0].iov_base == vmm_memory_at (f->memory, BUFFER + 0x200, 64));
  g_assert_cmpuint (f->request.in[1].iov_len, ==, 1);
  g_assert_false (pop (f));
  vmm_virtqueue_push (&f->queue, 5, 65);
  g_assert_cmpuint (*field (f, USED + 2), ==, 1);
  g_assert_cmpuint (*field (f, USED + 4), ==, 5);
  g_assert_cmpuint (*field (f, USED + 8), ==, 65);
}

/* 200000 requests: each index goes round three times. */
static void
test_round (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 200000; i++) {
    guint16 head = i % SIZE;

    put (f, DESC, head, BUFFER + i % 256, 4, 0, 0);
    offer (f, head);
    g_assert_true (pop (f));
    g_assert_cmpuint (f->request.head, ==, head);
    vmm_virtqueue_push (&f->queue, head, i);
    g_assert_cmpuint (*field (f, USED + 2), ==, (guint16) (i + 1));
  }
  g_assert_false (pop (f));
  g_assert_null (f->queue.broken);
}

static void
test_unpop (Fixture *f, gconstpointer data)
{
  put (f, DESC, 1, BUFFER, 16, 0, 0);
  offer (f, 1);
  g_assert_true (pop (f));
  vmm_virtqueue_unpop (&f->queue);
  g_assert_true (pop (f));
  g_assert_cmpuint (f->request.head, ==, 1);
  g_assert_false (pop (f));
}

static void
test_full (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < SIZE; i++) {
    put (f, DESC, i, BUFFER, 16, 0, 0);
    offer (f, i);
  }
  for (guint i = 0; i < SIZE; i++)
    g_assert_true (pop (f));
  g_assert_false (pop (f));
  g_assert_null (f->queue.broken);
  /* Nothing was given back: there cannot be one more. */
  offer (f, 0);
  check_broken (f);
}

static void
test_indirect (Fixture *f, gconstpointer data)
{
  f->queue.indirect = TRUE;
  put (f, DESC, 0, BUFFER, 8, NEXT, 1);
  put (f, DESC, 1, TABLE, 3 * 16, INDIRECT, 0);
  put (f, TABLE, 0, BUFFER + 0x100, 16, NEXT, 2);
  put (f, TABLE, 2, BUFFER + 0x200, 32, WRITE, 0);
  offer (f, 0);
  g_assert_true (pop (f));
  g_assert_cmpuint (f->request.n_out, ==, 2);
  g_assert_cmpuint (f->request.n_in, ==, 1);
  g_assert_cmpuint (f->request.in[0].iov_len, ==, 32);
}

/* The longest list there may be, and one more. */
static void
test_segments (Fixture *f, gconstpointer data)
{
  f->queue.indirect = TRUE;
  for (guint i = 0; i < VMM_VIRTQUEUE_MAX_SEGMENTS; i++)
    put (f, TABLE, i, BUFFER + i, 1, i + 1 < VMM_VIRTQUEUE_MAX_SEGMENTS ? NEXT : 0, i + 1);
  put (f, DESC, 0, TABLE, 16 * VMM_VIRTQUEUE_MAX_SEGMENTS, INDIRECT, 0);
  offer (f, 0);
  g_assert_true (pop (f));
  g_assert_cmpuint (f->request.n_out, ==, VMM_VIRTQUEUE_MAX_SEGMENTS);
  put (f, DESC, 1, BUFFER, 1, NEXT, 0);
  offer (f, 1);
  check_broken (f);
}

static void
test_flags (Fixture *f, gconstpointer data)
{
  put (f, DESC, 0, BUFFER, 16, 0, 0);
  offer (f, 0);
  g_assert_true (pop (f));
  g_assert_cmphex (*field (f, USED), ==, 1); /* no kicks while there is work */
  g_assert_false (pop (f));
  g_assert_cmphex (*field (f, USED), ==, 0);

  g_assert_false (vmm_virtqueue_wants_interrupt (&f->queue)); /* of nothing, not even once */
  vmm_virtqueue_push (&f->queue, 0, 0);
  g_assert_true (vmm_virtqueue_wants_interrupt (&f->queue));
  g_assert_false (vmm_virtqueue_wants_interrupt (&f->queue));
  *field (f, AVAIL) = 1;
  offer (f, 0);
  g_assert_true (pop (f));
  vmm_virtqueue_push (&f->queue, 0, 0);
  g_assert_false (vmm_virtqueue_wants_interrupt (&f->queue));
}

static gboolean
one_more (Fixture *f)
{
  offer (f, 0);
  g_assert_true (pop (f));
  vmm_virtqueue_push (&f->queue, 0, 0);
  return vmm_virtqueue_wants_interrupt (&f->queue);
}

static void
test_event_idx (Fixture *f, gconstpointer data)
{
  guint16 *used_event = field (f, AVAIL + 4 + 2 * SIZE);
  guint16 *avail_event = field (f, USED + 4 + 8 * SIZE);

  f->queue.event_idx = TRUE;
  put (f, DESC, 0, BUFFER, 16, 0, 0);
  g_assert_true (one_more (f)); /* the first is always said */
  *used_event = 3;
  g_assert_false (one_more (f));
  g_assert_false (one_more (f));
  g_assert_true (one_more (f)); /* number 4 passes 3 */
  g_assert_false (one_more (f));
  g_assert_false (pop (f));
  g_assert_cmpuint (*avail_event, ==, 5);
  g_assert_cmphex (*field (f, USED), ==, 0);
  /* Across the end of the numbers. */
  while (f->queue.next_used != G_MAXUINT16)
    one_more (f);
  *used_event = G_MAXUINT16;
  g_assert_true (one_more (f));
  *used_event = 1;
  g_assert_false (one_more (f));
  g_assert_true (one_more (f));
}

typedef void (*Mischief) (Fixture *f);

static void
head_too_big (Fixture *f)
{
  offer (f, SIZE);
}

static void
head_enormous (Fixture *f)
{
  offer (f, G_MAXUINT16);
}

static void
next_too_big (Fixture *f)
{
  put (f, DESC, 0, BUFFER, 16, NEXT, SIZE);
  offer (f, 0);
}

static void
loop_of_one (Fixture *f)
{
  put (f, DESC, 0, BUFFER, 16, NEXT, 0);
  offer (f, 0);
}

static void
loop_of_empty (Fixture *f)
{
  put (f, DESC, 0, BUFFER, 0, NEXT, 1);
  put (f, DESC, 1, BUFFER, 0, NEXT, 0);
  offer (f, 0);
}

static void
outside (Fixture *f)
{
  put (f, DESC, 0, MEMORY - 8, 16, 0, 0);
  offer (f, 0);
}

static void
wraps (Fixture *f)
{
  put (f, DESC, 0, G_MAXUINT64 - 4, 16, 0, 0);
  offer (f, 0);
}

static void
enormous (Fixture *f)
{
  put (f, DESC, 0, 0, G_MAXUINT32, WRITE, 0);
  offer (f, 0);
}

static void
read_after_write (Fixture *f)
{
  put (f, DESC, 0, BUFFER, 16, NEXT | WRITE, 1);
  put (f, DESC, 1, BUFFER, 16, 0, 0);
  offer (f, 0);
}

static void
too_many_offered (Fixture *f)
{
  put (f, DESC, 0, BUFFER, 16, 0, 0);
  *field (f, AVAIL + 2) = SIZE + 1;
}

static void
index_goes_back (Fixture *f)
{
  *field (f, AVAIL + 2) = G_MAXUINT16;
}

static void
indirect_not_agreed (Fixture *f)
{
  put (f, DESC, 0, TABLE, 16, INDIRECT, 0);
  put (f, TABLE, 0, BUFFER, 16, 0, 0);
  offer (f, 0);
}

static void
indirect_in_indirect (Fixture *f)
{
  f->queue.indirect = TRUE;
  put (f, DESC, 0, TABLE, 16, INDIRECT, 0);
  put (f, TABLE, 0, TABLE, 16, INDIRECT, 0);
  offer (f, 0);
}

static void
indirect_and_next (Fixture *f)
{
  f->queue.indirect = TRUE;
  put (f, DESC, 0, TABLE, 16, INDIRECT | NEXT, 1);
  put (f, DESC, 1, BUFFER, 16, 0, 0);
  offer (f, 0);
}

static void
indirect_empty (Fixture *f)
{
  f->queue.indirect = TRUE;
  put (f, DESC, 0, TABLE, 0, INDIRECT, 0);
  offer (f, 0);
}

static void
indirect_crooked (Fixture *f)
{
  f->queue.indirect = TRUE;
  put (f, DESC, 0, TABLE, 24, INDIRECT, 0);
  put (f, TABLE, 0, BUFFER, 16, 0, 0);
  offer (f, 0);
}

static void
indirect_too_long (Fixture *f)
{
  f->queue.indirect = TRUE;
  put (f, DESC, 0, TABLE, 16 * (VMM_VIRTQUEUE_MAX_SEGMENTS + 1), INDIRECT, 0);
  put (f, TABLE, 0, BUFFER, 16, 0, 0);
  offer (f, 0);
}

static void
indirect_outside (Fixture *f)
{
  f->queue.indirect = TRUE;
  put (f, DESC, 0, MEMORY - 16, 32, INDIRECT, 0);
  put (f, MEMORY - 16, 0, BUFFER, 16, NEXT, 1);
  offer (f, 0);
}

static void
indirect_next_too_big (Fixture *f)
{
  f->queue.indirect = TRUE;
  put (f, DESC, 0, TABLE, 32, INDIRECT, 0);
  put (f, TABLE, 0, BUFFER, 16, NEXT, 2);
  put (f, TABLE, 2, BUFFER, 16, 0, 0);
  offer (f, 0);
}

static const struct {
  const char *name;
  Mischief do_it;
} mischief[] = {
  { "head-too-big", head_too_big },
  { "head-enormous", head_enormous },
  { "next-too-big", next_too_big },
  { "loop-of-one", loop_of_one },
  { "loop-of-empty", loop_of_empty },
  { "outside", outside },
  { "wraps", wraps },
  { "enormous", enormous },
  { "read-after-write", read_after_write },
  { "too-many-offered", too_many_offered },
  { "index-goes-back", index_goes_back },
  { "indirect-not-agreed", indirect_not_agreed },
  { "indirect-in-indirect", indirect_in_indirect },
  { "indirect-and-next", indirect_and_next },
  { "indirect-empty", indirect_empty },
  { "indirect-crooked", indirect_crooked },
  { "indirect-too-long", indirect_too_long },
  { "indirect-outside", indirect_outside },
  { "indirect-next-too-big", indirect_next_too_big },
};

static void
test_mischief (Fixture *f, gconstpointer data)
{
  ((Mischief) data) (f);
  check_broken (f);
}

static void
test_start (Fixture *f, gconstpointer data)
{
  static const VmmVirtqueue bad[] = {
    { .size = 0, .desc = DESC, .driver = AVAIL, .device = USED },
    { .size = 6, .desc = DESC, .driver = AVAIL, .device = USED },
    { .size = 32, .desc = DESC, .driver = AVAIL, .device = USED },
    { .size = 8, .desc = DESC + 8, .driver = AVAIL, .device = USED },
    { .size = 8, .desc = DESC, .driver = AVAIL + 1, .device = USED },
    { .size = 8, .desc = DESC, .driver = AVAIL, .device = USED + 2 },
    { .size = 8, .desc = MEMORY - 112, .driver = AVAIL, .device = USED },
    { .size = 8, .desc = DESC, .driver = MEMORY - 20, .device = USED },
    { .size = 8, .desc = DESC, .driver = AVAIL, .device = MEMORY - 68 },
    { .size = 8, .desc = ~G_GUINT64_CONSTANT (15), .driver = AVAIL, .device = USED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    VmmVirtqueue queue = bad[i];

    queue.memory = f->memory;
    queue.max_size = 16;
    queue.enabled = TRUE;
    g_assert_false (vmm_virtqueue_start (&queue));
    g_assert_false (vmm_virtqueue_pop (&queue, &f->request));
  }
  f->queue.device = MEMORY - 72;
  g_assert_true (vmm_virtqueue_start (&f->queue));
}

static void
test_reset (Fixture *f, gconstpointer data)
{
  offer (f, SIZE);
  check_broken (f);
  vmm_virtqueue_reset (&f->queue);
  g_assert_null (f->queue.broken);
  g_assert_false (f->queue.enabled);
  g_assert_cmpuint (f->queue.size, ==, 16);
  g_assert_cmpuint (f->queue.next_avail, ==, 0);
  g_assert_cmphex (f->queue.vector, ==, 0xffff);
  g_assert_false (pop (f));
}

static void
test_iov (void)
{
  char a[4] = "abcd", b[3] = "efg", c[2] = "hi", to[16] = "";
  struct iovec iov[] = { { a, 4 }, { b, 3 }, { c, 2 } };

  g_assert_cmpuint (vmm_iov_size (iov, 3), ==, 9);
  g_assert_cmpuint (vmm_iov_read (iov, 3, 0, to, 16), ==, 9);
  g_assert_cmpstr (to, ==, "abcdefghi");
  g_assert_cmpuint (vmm_iov_read (iov, 3, 3, to, 2), ==, 2);
  g_assert_cmpmem (to, 2, "de", 2);
  g_assert_cmpuint (vmm_iov_read (iov, 3, 9, to, 2), ==, 0);
  g_assert_cmpuint (vmm_iov_read (iov, 3, 4, to, 4), ==, 4);
  g_assert_cmpmem (to, 4, "efgh", 4);
  g_assert_cmpuint (vmm_iov_write (iov, 3, 6, "XYZ", 3), ==, 3);
  g_assert_cmpmem (b, 3, "efX", 3);
  g_assert_cmpmem (c, 2, "YZ", 2);
  g_assert_cmpuint (vmm_iov_write (iov, 3, 8, "12", 2), ==, 1);
  g_assert_cmpmem (c, 2, "Y1", 2);
}

/* Whoever polls looks at a dry queue as often as it likes; the driver is asked to kick only then.
 */
static void
test_polled (Fixture *f, gconstpointer data)
{
  guint16 *avail_event = field (f, USED + 4 + 8 * SIZE);

  f->queue.event_idx = f->queue.polled = TRUE;
  *avail_event = 100;
  put (f, DESC, 0, BUFFER, 16, 0, 0);
  g_assert_false (vmm_virtqueue_has_more (&f->queue));
  offer (f, 0);
  g_assert_false (vmm_virtqueue_has_more (&f->queue)); /* nobody has found it dry yet */
  g_assert_true (pop (f));
  g_assert_false (pop (f));
  g_assert_false (vmm_virtqueue_has_more (&f->queue));
  offer (f, 0);
  g_assert_true (vmm_virtqueue_has_more (&f->queue));
  g_assert_true (pop (f));
  g_assert_false (f->queue.dry);
  g_assert_false (pop (f));
  g_assert_cmpuint (*avail_event, ==, 100);
  g_assert_false (vmm_virtqueue_listen (&f->queue));
  g_assert_cmpuint (*avail_event, ==, 2);
  offer (f, 0);
  g_assert_true (vmm_virtqueue_listen (&f->queue));
  g_assert_true (pop (f));
  g_assert_false (pop (f));
  *field (f, AVAIL + 2) += SIZE + 1;
  g_assert_true (vmm_virtqueue_has_more (&f->queue)); /* more than there can be: pop says so */
  check_broken (f);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/virtqueue/chain", test_chain },       { "/virtqueue/round", test_round },
    { "/virtqueue/unpop", test_unpop },       { "/virtqueue/full", test_full },
    { "/virtqueue/indirect", test_indirect }, { "/virtqueue/segments", test_segments },
    { "/virtqueue/flags", test_flags },       { "/virtqueue/event-idx", test_event_idx },
    { "/virtqueue/start", test_start },       { "/virtqueue/reset", test_reset },
    { "/virtqueue/polled", test_polled },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  for (guint i = 0; i < G_N_ELEMENTS (mischief); i++) {
    g_autofree char *name = g_strdup_printf ("/virtqueue/broken/%s", mischief[i].name);

    g_test_add (name, Fixture, mischief[i].do_it, set_up, test_mischief, tear_down);
  }
  g_test_add_func ("/virtqueue/iov", test_iov);
  return g_test_run ();
}
