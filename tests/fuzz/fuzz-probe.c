/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The look at a file's first bytes: nothing is read that is not there, and what is
 * taken is one of the kinds that we know.
 */
#include "library/vd-probe.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct {
  const guint8 *data;
  gsize size;
} Input;

static gsize
read_input (gpointer file, guint64 offset, void *data, gsize length)
{
  Input *input = file;
  gsize n = offset < input->size ? MIN (length, input->size - offset) : 0;

  if (n > 0)
    memcpy (data, input->data + offset, n);
  return n;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Input input = { data, size };
  g_autoptr (GError) error = NULL;
  VdProbe probe;

  /* The file may have become shorter than its size said. */
  for (guint more = 0; more < 2; more++) {
    g_clear_error (&error);
    if (vd_probe_read (&probe, read_input, &input, size + more * 100000, "file", &error)) {
      g_assert_no_error (error);
      g_assert_cmpuint (probe.medium, <=, VD_MEDIUM_DISK);
    } else {
      g_assert_nonnull (error);
    }
  }
  return 0;
}
