/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The balloon: which pages go back to the host and which stay, what the host learns of the guest,
 * and drivers that lie.
 */
#include <string.h>

#include "fake-guest.h"
#include "virtio/virtio-balloon.h"

#define STATS          (1u << 1)
#define DEFLATE_ON_OOM (1u << 2)
#define REPORTING      (1u << 5)
#define ALL            (STATS | DEFLATE_ON_OOM | REPORTING)

#define INFLATEQ 0
#define DEFLATEQ 1
#define STATSQ   2

#define PAGE 4096u
#define FIRST                                                                                      \
  (FAKE_MEMORY / PAGE / 2) /* of the pages that the tests use: the driver has the others */
#define N_PAGES   (FAKE_MEMORY / PAGE - FIRST)
#define STAT_SIZE 10

typedef struct {
  FakeGuest *guest;
  VmmDevice *device;
  FakeDriver *driver;
} Fixture;

static VmmDevice *
balloon_new (FakeGuest *guest)
{
  VmmVirtioBalloonConfig config = { 0 };

  return vmm_device_new (VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_balloon_class), &guest->board,
                         "balloon0", &config, NULL);
}

/* All of the memory is there before a driver uses it, so that what goes can be counted. */
static void
touch_pages (FakeGuest *guest)
{
  for (guint64 page = 0; page < FIRST; page++)
    g_assert_cmpint (*(volatile guint8 *) fake_guest_at (guest, page * PAGE, PAGE), ==, 0);
}

/* Every page that a test uses tells its number. */
static void
fill_pages (FakeGuest *guest)
{
  for (guint64 page = FIRST; page < FIRST + N_PAGES; page++)
    *(guint32 *) fake_guest_at (guest, page * PAGE, PAGE) = page;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = fake_guest_new ();
  f->device = balloon_new (f->guest);
  g_assert_nonnull (f->device);
  touch_pages (f->guest);
  f->driver = fake_driver_new (f->guest, f->device, GPOINTER_TO_UINT (data));
  fill_pages (f->guest);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_driver_free (f->driver);
  vmm_device_free (f->device);
  fake_guest_free (f->guest);
}

static FakeBuffer
buffer_new (Fixture *f, gconstpointer bytes, gsize length)
{
  FakeBuffer buffer = { fake_guest_alloc (f->guest, length), length };

  memcpy (fake_guest_at (f->guest, buffer.address, length), bytes, length);
  return buffer;
}

/* Page numbers to one of the queues. */
static void
send_pages (Fixture *f, guint queue, const guint32 *pages, guint n)
{
  FakeBuffer buffer = buffer_new (f, pages, n * sizeof *pages);

  g_assert_cmpuint (fake_driver_call (f->driver, queue, &buffer, 1, NULL, 0), ==, 0);
}

static gboolean
is_gone (Fixture *f, guint64 page)
{
  return *(guint32 *) fake_guest_at (f->guest, page * PAGE, PAGE) == 0;
}

/* That these pages are gone, in order, and no others. (Looking at one brings it back as zeros.) */
static void
expect_gone (Fixture *f, const guint32 *pages, guint n)
{
  guint found = 0;

  for (guint64 page = FIRST; page < FIRST + N_PAGES; page++) {
    if (!is_gone (f, page))
      continue;
    g_assert_cmpuint (found, <, n);
    g_assert_cmpuint (page, ==, pages[found++]);
  }
  g_assert_cmpuint (found, ==, n);
}

/* In any order, twice, alone and in runs, up to the last page that there is. */
static void
test_inflate (Fixture *f, gconstpointer data)
{
  static const guint32 given[] = { FIRST + 9, FIRST + 8, FIRST + 7, FIRST + 20,         FIRST,
                                   FIRST + 8, FIRST + 5, FIRST + 2, FIRST + N_PAGES - 1 };
  static const guint32 gone[] = { FIRST,     FIRST + 2, FIRST + 5,  FIRST + 7,
                                  FIRST + 8, FIRST + 9, FIRST + 20, FIRST + N_PAGES - 1 };
  guint64 used = vmm_memory_get_used (f->guest->memory);

  send_pages (f, INFLATEQ, given, G_N_ELEMENTS (given));
  g_assert_cmpuint (used - vmm_memory_get_used (f->guest->memory), ==, G_N_ELEMENTS (gone) * PAGE);
  expect_gone (f, gone, G_N_ELEMENTS (gone));
}

/* More than are looked at together, from two buffers that end in the middle of a number. */
static void
test_many (Fixture *f, gconstpointer data)
{
  guint32 pages[N_PAGES];
  FakeBuffer buffers[2];
  gsize length = sizeof pages - 2;

  for (guint i = 0; i < N_PAGES; i++)
    pages[i] = FIRST + N_PAGES - 1 - i;
  buffers[0] = buffer_new (f, pages, length);
  buffers[1] = buffer_new (f, (guint8 *) pages + length, 2);
  fake_driver_call (f->driver, INFLATEQ, buffers, 2, NULL, 0);
  for (guint i = 0; i < N_PAGES; i++)
    g_assert_true (is_gone (f, pages[i]));
}

/* The guest's to use again, and nothing of the host's. */
static void
test_deflate (Fixture *f, gconstpointer data)
{
  static const guint32 page = FIRST + 3;
  guint64 used;

  send_pages (f, INFLATEQ, &page, 1);
  used = vmm_memory_get_used (f->guest->memory);
  send_pages (f, DEFLATEQ, &page, 1);
  g_assert_cmpuint (vmm_memory_get_used (f->guest->memory), ==, used);
  g_assert_true (is_gone (f, page));
  *(guint32 *) fake_guest_at (f->guest, page * PAGE, PAGE) = 7;
  g_assert_false (is_gone (f, page));
}

/* What is no RAM, or no number, or nothing at all. */
static void
test_nonsense (Fixture *f, gconstpointer data)
{
  static const guint32 pages[] = { FAKE_MEMORY / PAGE, 0xb0000, 0xfffff, 0x100000, G_MAXUINT32 };
  static const guint8 crumbs[3] = { 0, 9, 0 };
  FakeBuffer crumb = buffer_new (f, crumbs, sizeof crumbs);
  FakeBuffer room = { FIRST * PAGE, PAGE };

  send_pages (f, INFLATEQ, pages, G_N_ELEMENTS (pages));
  fake_driver_call (f->driver, INFLATEQ, &crumb, 1, NULL, 0);
  fake_driver_call (f->driver, INFLATEQ, NULL, 0, &room, 1);
  expect_gone (f, NULL, 0);
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 0);
}

/* Many requests' worth in one, with a pause in its middle: all of it is done, once. */
static void
test_long (Fixture *f, gconstpointer data)
{
  const gsize length = 1 << 20, n = length / sizeof (guint32);
  guint32 *numbers = fake_guest_at (f->guest, 0x200000, length);
  FakeBuffer same[4];

  for (guint i = 0; i < n; i++)
    numbers[i] = FIRST + i % 7;
  numbers[n - 1] = FIRST + 9;
  for (guint i = 0; i < G_N_ELEMENTS (same); i++)
    same[i] = (FakeBuffer) { 0x200000, length };
  fake_driver_send (f->driver, INFLATEQ, same, G_N_ELEMENTS (same), NULL, 0);
  vmm_device_drain (f->device);
  vmm_device_resume (f->device);
  while (fake_driver_get_used_index (f->driver, INFLATEQ) == 0)
    fake_guest_wait_message (f->guest, INFLATEQ + 1);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (fake_driver_get_used_index (f->driver, INFLATEQ), ==, 1);
  for (guint i = 0; i < 7; i++)
    g_assert_true (is_gone (f, FIRST + i));
  g_assert_false (is_gone (f, FIRST + 8));
  g_assert_true (is_gone (f, FIRST + 9));
}

/* A driver that starts anew in the middle of one finds no rest of it in the next. */
static void
test_long_reset (Fixture *f, gconstpointer data)
{
  static const guint32 page = FIRST + 1;
  FakeBuffer zeros = { 0x100000, 0x300000 };

  fake_driver_send (f->driver, INFLATEQ, &zeros, 1, NULL, 0);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (fake_driver_get_used_index (f->driver, INFLATEQ), ==, 0);
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, ALL);
  send_pages (f, INFLATEQ, &page, 1);
  g_assert_true (is_gone (f, page));
}

/* Whole pages only: of what lies in a page's middle nothing is lost. */
static void
report_to (Fixture *f, guint queue)
{
  static const guint32 gone[] = { FIRST + 1, FIRST + 2, FIRST + 11, FIRST + N_PAGES - 1 };
  FakeBuffer free[] = { { (FIRST + 1) * PAGE, 2 * PAGE },
                        { (FIRST + 5) * PAGE + 1, PAGE },
                        { (FIRST + 7) * PAGE, PAGE - 1 },
                        { (FIRST + 10) * PAGE + 8, 2 * PAGE },
                        { (FIRST + N_PAGES - 1) * PAGE, PAGE } };

  fake_driver_call (f->driver, queue, NULL, 0, free, G_N_ELEMENTS (free));
  expect_gone (f, gone, G_N_ELEMENTS (gone));
}

/* By the number that the specification gives, and by that which drivers count. */
static void
test_report (Fixture *f, gconstpointer data)
{
  report_to (f, 4);
  fill_pages (f->guest);
  report_to (f, GPOINTER_TO_UINT (data) & STATS ? 3 : 2);
}

/* More than a turn's worth, in one buffer and in several, crooked ones among them. */
static void
test_report_long (Fixture *f, gconstpointer data)
{
  const guint64 start = 0x100000;
  FakeBuffer all = { start, FAKE_MEMORY - start };
  FakeBuffer halves[] = { { start, 0x400001 },
                          { start + 0x400001, PAGE - 1 },
                          { start + 0x401000, FAKE_MEMORY - start - 0x401000 } };

  fake_driver_call (f->driver, 3, NULL, 0, &all, 1);
  for (guint64 page = start / PAGE; page < FIRST + N_PAGES; page++)
    g_assert_true (is_gone (f, page));
  fill_pages (f->guest);
  fake_driver_call (f->driver, 3, NULL, 0, halves, G_N_ELEMENTS (halves));
  for (guint64 page = FIRST; page < FIRST + N_PAGES; page++)
    g_assert_true (is_gone (f, page));
}

/* A driver that did not ask for reporting has no queue for it. */
static void
test_no_report (Fixture *f, gconstpointer data)
{
  FakeBuffer page = { FIRST * PAGE, PAGE };

  for (guint queue = 3; queue <= 4; queue++) {
    fake_driver_send (f->driver, queue, NULL, 0, &page, 1);
    fake_guest_settle (f->guest);
    g_assert_cmpuint (fake_driver_get_used_index (f->driver, queue), ==, 0);
  }
  expect_gone (f, NULL, 0);
}

/* What it names to be read is its own, and stays. */
static void
test_report_to_read (Fixture *f, gconstpointer data)
{
  FakeBuffer page = { FIRST * PAGE, PAGE };

  fake_driver_call (f->driver, 3, &page, 1, NULL, 0);
  expect_gone (f, NULL, 0);
}

static void
test_report_outside (Fixture *f, gconstpointer data)
{
  FakeBuffer page = { FAKE_MEMORY - PAGE, 2 * PAGE };

  fake_driver_send (f->driver, 3, NULL, 0, &page, 1);
  fake_driver_check_broken (f->driver, "outside its memory");
  expect_gone (f, NULL, 0);
}

/* It gives away the rings themselves: its own loss. */
static void
test_report_rings (Fixture *f, gconstpointer data)
{
  FakeBuffer all = { 0, FAKE_MEMORY };
  guint32 *first = fake_guest_at (f->guest, 0x700000, PAGE);

  *first = 1;
  fake_driver_send (f->driver, 3, NULL, 0, &all, 1);
  fake_guest_settle (f->guest);
  fake_driver_kick (f->driver, INFLATEQ);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (*first, ==, 0);
  fake_driver_free (f->driver);
  f->driver = fake_driver_new (f->guest, f->device, ALL);
  fill_pages (f->guest);
  report_to (f, 3);
}

static VmmBalloon
look (Fixture *f)
{
  VmmBalloon balloon;

  vmm_virtio_balloon_look (f->device, &balloon);
  fake_guest_settle (f->guest);
  return balloon;
}

static void
test_target (Fixture *f, gconstpointer data)
{
  FakeDriver *driver = f->driver;
  VmmBalloon balloon = look (f);

  g_assert_true (balloon.listens);
  g_assert_cmpuint (balloon.memory, ==, FAKE_MEMORY);
  g_assert_cmpuint (balloon.target, ==, FAKE_MEMORY);
  g_assert_cmpuint (balloon.actual, ==, FAKE_MEMORY);
  fake_guest_take_message (f->guest, 0);
  vmm_virtio_balloon_set_target (f->device, FAKE_MEMORY - 5 * PAGE);
  g_assert_cmpuint (fake_guest_take_message (f->guest, 0), ==, 1);
  g_assert_cmpuint (fake_driver_read (driver, driver->config, 4), ==, 5);
  g_assert_cmpuint (look (f).target, ==, FAKE_MEMORY - 5 * PAGE);
  g_assert_cmpuint (look (f).actual, ==, FAKE_MEMORY);
  fake_driver_write (driver, driver->config + 4, 4, 3);
  g_assert_cmpuint (fake_driver_read (driver, driver->config + 4, 4), ==, 3);
  g_assert_cmpuint (look (f).actual, ==, FAKE_MEMORY - 3 * PAGE);
  /* More than there is. */
  vmm_virtio_balloon_set_target (f->device, G_MAXUINT64);
  g_assert_cmpuint (fake_driver_read (driver, driver->config, 4), ==, 0);
  g_assert_cmpuint (look (f).target, ==, FAKE_MEMORY);
}

/* The driver says what it likes, in what pieces it likes; the target is not its own. */
static void
test_config (Fixture *f, gconstpointer data)
{
  FakeDriver *driver = f->driver;

  fake_driver_write (driver, driver->config, 4, 0x1234);
  g_assert_cmpuint (fake_driver_read (driver, driver->config, 4), ==, 0);
  fake_driver_write (driver, driver->config + 4, 4, G_MAXUINT32);
  g_assert_cmpuint (look (f).actual, ==, 0);
  fake_driver_write (driver, driver->config + 5, 1, 0);
  g_assert_cmphex (fake_driver_read (driver, driver->config + 4, 4), ==, 0xffff00ff);
  fake_driver_write (driver, driver->config + 6, 2, 0);
  g_assert_cmphex (fake_driver_read (driver, driver->config + 4, 4), ==, 0xff);
  fake_driver_write (driver, driver->config + 6, 4, 1); /* over the end */
  fake_driver_write (driver, driver->config + 8, 4, 1);
  g_assert_cmphex (fake_driver_read (driver, driver->config + 4, 4), ==, 0xff);
  g_assert_cmphex (fake_driver_read (driver, driver->config + 8, 4), ==, 0);
}

/* The host's wish outlives the driver; what the driver had given up does not. */
static void
test_reset (Fixture *f, gconstpointer data)
{
  FakeDriver *driver = f->driver;

  vmm_virtio_balloon_set_target (f->device, FAKE_MEMORY - 5 * PAGE);
  fake_driver_write (driver, driver->config + 4, 4, 5);
  fake_driver_set_status (driver, 0);
  g_assert_false (look (f).listens);
  g_assert_cmpuint (look (f).actual, ==, FAKE_MEMORY);
  g_assert_cmpuint (look (f).target, ==, FAKE_MEMORY - 5 * PAGE);
  vmm_device_drain (f->device);
  vmm_device_reset (f->device);
  vmm_device_resume (f->device);
  g_assert_cmpuint (look (f).target, ==, FAKE_MEMORY - 5 * PAGE);
}

static guint
put_stat (guint8 *to, guint16 tag, guint64 value)
{
  memcpy (to, &tag, sizeof tag);
  memcpy (to + sizeof tag, &value, sizeof value);
  return STAT_SIZE;
}

static FakeBuffer
stats_new (Fixture *f, guint64 free)
{
  guint8 bytes[3 * STAT_SIZE];
  guint length = put_stat (bytes, VMM_BALLOON_FREE, free);

  length += put_stat (bytes + length, VMM_BALLOON_SWAP_IN, 0);
  length += put_stat (bytes + length, 0x1234, 9); /* of a newer driver */
  return buffer_new (f, bytes, length);
}

static void
expect_no_answer (Fixture *f)
{
  fake_guest_settle (f->guest);
  g_assert_cmpuint (fake_driver_get_used_index (f->driver, STATSQ), ==,
                    f->driver->queues[STATSQ].last_used);
}

/* The driver is asked by whoever looks, once, and by nobody else. */
static void
test_stats (Fixture *f, gconstpointer data)
{
  FakeBuffer buffer = stats_new (f, 111);
  VmmBalloon balloon;
  guint32 head, written;

  g_assert_cmpint (look (f).age_ns, ==, -1);
  g_assert_cmpuint (look (f).stats[VMM_BALLOON_FREE], ==, VMM_BALLOON_UNKNOWN);
  fake_driver_send (f->driver, STATSQ, &buffer, 1, NULL, 0);
  expect_no_answer (f); /* it is the answer to those who looked before */
  balloon = look (f);
  g_assert_cmpint (balloon.age_ns, >=, 0);
  g_assert_cmpuint (balloon.stats[VMM_BALLOON_FREE], ==, 111);
  g_assert_cmpuint (balloon.stats[VMM_BALLOON_SWAP_IN], ==, 0);
  g_assert_cmpuint (balloon.stats[VMM_BALLOON_TOTAL], ==, VMM_BALLOON_UNKNOWN);
  look (f);
  g_assert_true (fake_driver_take_used (f->driver, STATSQ, &head, &written));
  g_assert_cmpuint (written, ==, 0);
  expect_no_answer (f);
  buffer = stats_new (f, 222);
  fake_driver_send (f->driver, STATSQ, &buffer, 1, NULL, 0);
  expect_no_answer (f);
  g_assert_cmpuint (look (f).stats[VMM_BALLOON_FREE], ==, 222);
  g_assert_true (fake_driver_take_used (f->driver, STATSQ, &head, &written));
}

/* Too few bytes, too many, room for an answer, and several at once: all of it harmless. */
static void
test_wrong_stats (Fixture *f, gconstpointer data)
{
  static const guint8 many[100 * STAT_SIZE + 3];
  FakeBuffer buffers[] = { buffer_new (f, many, STAT_SIZE - 1), buffer_new (f, many, sizeof many) };
  guint32 head, written;

  fake_driver_send (f->driver, STATSQ, &buffers[0], 1, NULL, 0);
  fake_driver_send (f->driver, STATSQ, &buffers[1], 1, &buffers[0], 1);
  fake_driver_send (f->driver, STATSQ, NULL, 0, &buffers[0], 1);
  fake_guest_settle (f->guest);
  g_assert_cmpuint (look (f).stats[VMM_BALLOON_SWAP_IN], ==, VMM_BALLOON_UNKNOWN);
  g_assert_cmpuint (look (f).stats[VMM_BALLOON_SWAP_IN], ==, 0);
  g_assert_cmpuint (look (f).stats[VMM_BALLOON_SWAP_IN], ==, VMM_BALLOON_UNKNOWN);
  for (guint i = 0; i < 3; i++)
    g_assert_true (fake_driver_take_used (f->driver, STATSQ, &head, &written));
  g_assert_cmpuint (f->guest->platform.n_broken, ==, 0);
}

/* Between two looks the driver spoils the buffer that it gave. */
static void
test_spoilt_stats (Fixture *f, gconstpointer data)
{
  FakeBuffer buffer = stats_new (f, 111);
  guint16 head = fake_driver_send (f->driver, STATSQ, &buffer, 1, NULL, 0);

  fake_guest_settle (f->guest);
  fake_driver_put_desc (f->driver, STATSQ, head, FAKE_MEMORY, 8, 0, 0);
  look (f);
  fake_driver_check_broken (f->driver, "outside its memory");
}

/* Somebody may look at a guest that stands still: it hears of it later. */
static void
test_paused (Fixture *f, gconstpointer data)
{
  FakeBuffer buffer = stats_new (f, 111);
  guint32 head, written;

  fake_driver_send (f->driver, STATSQ, &buffer, 1, NULL, 0);
  fake_guest_settle (f->guest);
  vmm_device_drain (f->device);
  g_assert_cmpuint (look (f).stats[VMM_BALLOON_FREE], ==, 111);
  expect_no_answer (f);
  vmm_device_resume (f->device);
  fake_guest_settle (f->guest);
  g_assert_true (fake_driver_take_used (f->driver, STATSQ, &head, &written));
}

/* In the other machine the driver's buffer is still there to be given back. */
static void
test_saved (Fixture *f, gconstpointer data)
{
  g_autoptr (FakeGuest) guest = fake_guest_new ();
  FakeBuffer buffer = stats_new (f, 111);
  VmmDevice *other = balloon_new (guest);
  FakeDriver driver;
  VmmBalloon balloon;
  guint32 head, written;
  guint16 sent = fake_driver_send (f->driver, STATSQ, &buffer, 1, NULL, 0);

  vmm_virtio_balloon_set_target (f->device, FAKE_MEMORY - 5 * PAGE);
  fake_driver_write (f->driver, f->driver->config + 4, 4, 3);
  fake_guest_settle (f->guest);
  fake_guest_check_saved (f->device, other);
  fake_guest_copy_memory (guest, f->guest);
  vmm_device_resume (other);
  vmm_virtio_balloon_look (other, &balloon);
  fake_guest_settle (guest);
  g_assert_cmpuint (balloon.target, ==, FAKE_MEMORY - 5 * PAGE);
  g_assert_cmpuint (balloon.actual, ==, FAKE_MEMORY - 3 * PAGE);
  g_assert_cmpint (balloon.age_ns, ==, -1);
  driver = *f->driver;
  driver.guest = guest;
  g_assert_true (fake_driver_take_used (&driver, STATSQ, &head, &written));
  g_assert_cmpuint (head, ==, sent);
  vmm_device_free (other);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    guint features;
    void (*func) (Fixture *f, gconstpointer data);
  } tests[] = {
    { "inflate", 0, test_inflate },
    { "many", 0, test_many },
    { "deflate", 0, test_deflate },
    { "nonsense", ALL, test_nonsense },
    { "long", ALL, test_long },
    { "long/reset", ALL, test_long_reset },
    { "report/long", ALL, test_report_long },
    { "report", ALL, test_report },
    { "report/no-stats", REPORTING, test_report },
    { "report/none", STATS, test_no_report },
    { "report/to-read", ALL, test_report_to_read },
    { "report/outside", ALL, test_report_outside },
    { "report/rings", ALL, test_report_rings },
    { "target", 0, test_target },
    { "config", 0, test_config },
    { "reset", ALL, test_reset },
    { "stats", ALL, test_stats },
    { "stats/wrong", STATS, test_wrong_stats },
    { "stats/spoilt", STATS, test_spoilt_stats },
    { "paused", STATS, test_paused },
    { "saved", ALL, test_saved },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree char *name = g_strconcat ("/virtio-balloon/", tests[i].name, NULL);

    g_test_add (name, Fixture, GUINT_TO_POINTER (tests[i].features), set_up, tests[i].func,
                tear_down);
  }
  return g_test_run ();
}
