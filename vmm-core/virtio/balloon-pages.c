/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See balloon-pages.h. Adjacent pages go in one run, whatever order the guest named them in.
 */
#include "virtio/balloon-pages.h"

#include <stdlib.h>

#define PAGE_SHIFT 12
#define PAGE       (1u << PAGE_SHIFT)

/* Of a turn. */
#define PORTION_PAGES 1024       /* that are named one by one */
#define PORTION_BYTES (8u << 20) /* of runs */

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint32 left = *(const guint32 *) a, right = *(const guint32 *) b;

  return (left > right) - (left < right);
}

/* @numbers in ascending order; some may stand there twice. */
static void
discard_pages (VmmMemory *memory, const guint32 *numbers, guint n)
{
  const guint8 *start = NULL; /* of the run that grows */
  gsize length = 0;

  for (guint i = 0; i < n; i++) {
    const guint8 *page = vmm_memory_at (memory, (guint64) numbers[i] << PAGE_SHIFT, PAGE);

    if (!page || (i > 0 && numbers[i] == numbers[i - 1]))
      continue;
    if (!start || page != start + length) {
      vmm_memory_discard (memory, start, length);
      start = page;
      length = 0;
    }
    length += PAGE;
  }
  vmm_memory_discard (memory, start, length);
}

/* A portion that is not whole is the last. */
static gboolean
move_on (guint64 *done, gsize portion, gsize whole)
{
  *done = portion == whole ? *done + portion : 0;
  return portion < whole;
}

gboolean
vmm_balloon_give_up (VmmMemory *memory, const VmmRequest *request, guint64 *done)
{
  guint32 numbers[PORTION_PAGES];
  gsize got = vmm_iov_read (request->out, request->n_out, *done, numbers, sizeof numbers);
  guint n = got / sizeof *numbers;

  for (guint i = 0; i < n; i++)
    numbers[i] = GUINT32_FROM_LE (numbers[i]);
  qsort (numbers, n, sizeof *numbers, compare_numbers);
  discard_pages (memory, numbers, n);
  return move_on (done, got, sizeof numbers);
}

gboolean
vmm_balloon_report (VmmMemory *memory, const VmmRequest *request, guint64 *done)
{
  guint64 before = *done;
  gsize left = PORTION_BYTES;

  for (guint i = 0; i < request->n_in && left > 0; i++) {
    const struct iovec *run = &request->in[i];
    gsize skip = MIN (before, run->iov_len), part = MIN (run->iov_len - skip, left);

    vmm_memory_discard (memory, (guint8 *) run->iov_base + skip, part);
    before -= skip;
    left -= part;
  }
  return move_on (done, PORTION_BYTES - left, PORTION_BYTES);
}
