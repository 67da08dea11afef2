/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What crosses a capture is in its file, byte for byte, and crosses as without it.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "fake-net.h"
#include "net/vmm-net-capture.h"

#define HEADER sizeof (VmmNetHeader)

/* A card that takes what comes. */
typedef struct {
  guint8 bytes[200];
  struct iovec iov[2];
  GPtrArray *got; /* GBytes */
  guint entered, n_writable;
  gboolean full;
} Card;

static void
enter (gpointer data)
{
  ((Card *) data)->entered++;
}

static void
leave (gpointer data)
{
  ((Card *) data)->entered--;
}

static const struct iovec *
reserve (gpointer data, guint queue, gsize size, guint *n)
{
  Card *card = data;

  g_assert_cmpuint (card->entered, ==, 1);
  if (card->full)
    return NULL;
  card->iov[0] = (struct iovec) { card->bytes, 15 };
  card->iov[1] = (struct iovec) { card->bytes + 15, sizeof card->bytes - 15 };
  *n = 2;
  return card->iov;
}

static void
commit (gpointer data, guint queue, gsize length)
{
  Card *card = data;

  if (length > 0 && length <= sizeof card->bytes)
    g_ptr_array_add (card->got, g_bytes_new (card->bytes, length));
}

static void
writable (gpointer data, guint queue)
{
  ((Card *) data)->n_writable++;
}

static const VmmNetCardClass card_class = { enter, leave, reserve, commit, writable };

typedef struct {
  char *folder, *path;
  VmmLoop *loop;
  FakeNet *inner;
  VmmNet *net;
  Card card;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = g_dir_make_tmp ("capture-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "net.pcap", NULL);
  f->loop = vmm_loop_new ("loop", NULL);
  f->inner = fake_net_new (f->loop, VMM_NET_TCP_OFFLOADS);
  f->card.got = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->net, vmm_net_free);
  vmm_loop_free (f->loop);
  g_ptr_array_unref (f->card.got);
  g_unlink (f->path);
  g_rmdir (f->folder);
  g_free (f->path);
  g_free (f->folder);
}

static void
make_capture (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  f->net = vmm_net_capture_new (&f->inner->net, f->path, &error);
  g_assert_no_error (error);
  vmm_net_connect (f->net, &card_class, &f->card);
}

static void
send_one (gpointer data)
{
  Fixture *f = data;
  VmmNetHeader header = { 0 };
  struct iovec iov[] = { { &header, HEADER }, { "frame one, ", 11 }, { "in parts", 8 } };

  f->inner->blocked = TRUE;
  g_assert_false (vmm_net_send (f->net, 0, iov, 3));
  f->inner->blocked = FALSE;
  g_assert_true (vmm_net_send (f->net, 0, iov, 3));
  vmm_net_flush (f->net);
  vmm_net_room (f->net, 0);
  vmm_net_set_taken (f->net, VMM_NET_CSUM);
  vmm_net_set_pairs (f->net, 3);
}

/* The frames of the file. */
static GPtrArray *
read_file (Fixture *f)
{
  GPtrArray *frames = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autofree char *bytes = NULL;
  const guint8 start[] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0 };
  guint32 record[4];
  gsize size;

  g_assert_true (g_file_get_contents (f->path, &bytes, &size, NULL));
  g_assert_cmpuint (size, >=, 24);
  g_assert_cmpmem (bytes, sizeof start, start, sizeof start);
  g_assert_cmpuint (bytes[20], ==, 1);
  for (gsize at = 24; at < size; at += 16 + record[2]) {
    g_assert_cmpuint (at + 16, <=, size);
    memcpy (record, bytes + at, sizeof record);
    g_assert_cmpuint (record[0], >, 1600000000);
    g_assert_cmpuint (record[1], <, 1000000);
    g_assert_cmpuint (record[2], ==, record[3]);
    g_assert_cmpuint (at + 16 + record[2], <=, size);
    g_ptr_array_add (frames, g_bytes_new (bytes + at + 16, record[2]));
  }
  return frames;
}

static void
check_frame (GPtrArray *frames, guint number, const char *text)
{
  gsize size;
  const void *bytes;

  g_assert_cmpuint (frames->len, >, number);
  bytes = g_bytes_get_data (g_ptr_array_index (frames, number), &size);
  g_assert_cmpmem (bytes, size, text, strlen (text));
}

static void
test_both_ways (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) frames = NULL;
  guint8 bytes[HEADER + 9] = { 0 }, long_ones[300] = { 0 };

  make_capture (f);
  g_assert_cmpuint (f->net->takes, ==, VMM_NET_TCP_OFFLOADS);
  vmm_loop_call (f->loop, send_one, f);
  g_assert_cmpuint (f->inner->sent->len, ==, 1);
  g_assert_cmpuint (f->inner->n_flushed + f->inner->n_rooms, ==, 2);
  g_assert_cmpuint (f->inner->taken, ==, VMM_NET_CSUM);
  g_assert_cmpuint (f->inner->n_pairs, ==, 3);
  memcpy (bytes + HEADER, "frame two", 9);
  g_assert_true (fake_net_give (f->inner, 0, bytes, sizeof bytes));
  g_assert_cmpuint (f->card.got->len, ==, 1);
  g_assert_true (fake_net_give (f->inner, 0, long_ones, sizeof long_ones)); /* did not fit */
  f->card.full = TRUE;
  g_assert_false (fake_net_give (f->inner, 0, bytes, sizeof bytes));
  fake_net_unblock (f->inner);
  g_assert_cmpuint (f->card.n_writable, ==, 1);
  g_assert_cmpuint (f->card.entered, ==, 0);
  g_clear_pointer (&f->net, vmm_net_free);
  frames = read_file (f);
  g_assert_cmpuint (frames->len, ==, 2);
  check_frame (frames, 0, "frame one, in parts");
  check_frame (frames, 1, "frame two");
}

/* A card that goes takes the way to it along. */
static void
test_disconnected (Fixture *f, gconstpointer data)
{
  make_capture (f);
  vmm_net_connect (f->net, NULL, NULL);
  g_assert_null (f->inner->net.card_class);
}

static void
test_no_file (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "none", "net.pcap", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (vmm_net_capture_new (&f->inner->net, path, &error));
  g_assert_nonnull (strstr (error->message, path));
}

/* A full disk ends the capture, and only that. */
static void
test_full_disk (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->net = vmm_net_capture_new (&f->inner->net, "/dev/full", &error);
  if (!f->net) { /* its header did not fit */
    g_assert_nonnull (strstr (error->message, "/dev/full"));
    return;
  }
  g_assert_not_reached ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/net-capture/both-ways", Fixture, NULL, set_up, test_both_ways, tear_down);
  g_test_add ("/net-capture/disconnected", Fixture, NULL, set_up, test_disconnected, tear_down);
  g_test_add ("/net-capture/no-file", Fixture, NULL, set_up, test_no_file, tear_down);
  g_test_add ("/net-capture/full-disk", Fixture, NULL, set_up, test_full_disk, tear_down);
  return g_test_run ();
}
