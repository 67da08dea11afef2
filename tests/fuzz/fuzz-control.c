/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The control socket's language: each line is answered by one JSON line, and whatever command comes
 * out is within its ranges.
 */
#include <linux/input-event-codes.h>
#include <string.h>

#include "tools/vmm-control.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static char *
on_command (gpointer data, const VmmCommand *command, GError **error)
{
  g_assert_cmpint (command->kind, <=, VMM_COMMAND_QUIT);
  g_assert_cmpuint (command->code, <=, KEY_MAX);
  g_assert_true (command->x >= 0 && command->x <= 1 && command->y >= 0 && command->y <= 1);
  g_assert_true (ABS (command->wheel) <= 100 && ABS (command->hwheel) <= 100);
  g_assert_true (command->kind != VMM_COMMAND_SCREENSHOT || command->path[0] != '\0');
  g_assert_true (command->kind != VMM_COMMAND_KEY || command->code > 0);
  return g_strdup ("true");
}

/* Our own reader must take what we say. */
static void
check_answer (const char *answer)
{
  g_autoptr (VmmJsonObject) object = vmm_json_parse (answer, strlen (answer), NULL);

  g_assert_nonnull (object);
  g_assert_nonnull (vmm_json_get (object, "id"));
  g_assert_true ((vmm_json_get (object, "ok") != NULL) != (vmm_json_get (object, "error") != NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  while (size > 0) {
    const guint8 *end = memchr (data, '\n', size);
    gsize length = end ? (gsize) (end - data) : size;
    g_autofree char *answer = vmm_control_answer ((const char *) data, length, on_command, NULL);

    check_answer (answer);
    data += MIN (length + 1, size);
    size -= MIN (length + 1, size);
  }
  return 0;
}
