/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs a fuzz target over its seeds, once each, where there is no libFuzzer: in every build of the
 * tests. TAP; each seed is a case.
 */
#include <glib.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
run_seed (gconstpointer path)
{
  g_autofree char *bytes = NULL, *exact = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  g_file_get_contents (path, &bytes, &size, &error);
  g_assert_no_error (error);
  exact = g_memdup2 (bytes, size); /* without the zero behind it: an overrun shows */
  LLVMFuzzerTestOneInput ((const guint8 *) exact, size);
}

static void
run_nothing (void)
{
  LLVMFuzzerTestOneInput (NULL, 0);
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) folder = NULL;
  const char *name;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/seeds/nothing", run_nothing);
  folder = argc > 1 ? g_dir_open (argv[1], 0, NULL) : NULL;
  g_assert_nonnull (folder);
  while ((name = g_dir_read_name (folder))) {
    g_autofree char *test = g_strdup_printf ("/seeds/%s", name);
    char *path = g_build_filename (argv[1], name, NULL);

    g_ptr_array_add (paths, path);
    g_test_add_data_func (test, path, run_seed);
  }
  g_assert_cmpuint (paths->len, >, 0);
  return g_test_run ();
}
