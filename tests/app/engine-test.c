/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the tests of the contract of engines share.
 */
#include "engine-test.h"
#include "library/vd-config-private.h"

#include <linux/input-event-codes.h>

#define PATIENCE 4 /* s: how often a guest that may not be up yet is asked again */

VdLibrary *engine_test_library;
char *engine_test_folder;
VdEngineKind engine_test_kind;
static char *path;

/* QEMU by emulation, also where there is KVM: what is tested is the same everywhere. */
VdMachine *
engine_test_create (VdConfig *config)
{
  g_autofree char *folder =
    vd_library_get_folder (engine_test_library, vd_config_get_uuid (config));

  app_test_succeeds (vd_library_create (engine_test_library, config));
  if (engine_test_kind == VD_ENGINE_LIBVIRT)
    app_test_write (folder, "extra.xml", "<domain type='qemu'/>");
  return vd_library_find (engine_test_library, vd_config_get_uuid (config));
}

void
engine_test_assert_nothing_left (VdMachine *machine)
{
  g_autofree char *folder =
    vd_library_get_folder (engine_test_library, vd_machine_get_uuid (machine));

  g_assert_cmpint (vd_machine_get_state (machine), ==, VD_MACHINE_OFF);
  g_assert_null (vd_machine_get_display (machine));
  app_test_assert_file (FALSE, folder, VD_RUNNING_FILE);
}

static gboolean
on_timeout (gpointer done)
{
  *(gboolean *) done = TRUE;
  return G_SOURCE_REMOVE;
}

gboolean
engine_test_wait_for (VdMachine *machine, VdMachineState state)
{
  gboolean late = FALSE;
  guint source = g_timeout_add_seconds (PATIENCE, on_timeout, &late);

  while (!late && vd_machine_get_state (machine) != state &&
         vd_machine_get_state (machine) != VD_MACHINE_CRASHED)
    g_main_context_iteration (NULL, TRUE);
  if (!late)
    g_source_remove (source);
  g_assert_cmpint (vd_machine_get_state (machine), !=, VD_MACHINE_CRASHED);
  return !late;
}

static gboolean
on_tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

void
engine_test_poll (gboolean (*done) (gpointer machine), VdMachine *machine)
{
  guint tick = g_timeout_add (200, on_tick, NULL);

  app_test_wait_until (done, machine);
  g_source_remove (tick);
}

/* As fast as a hand: a keyboard's queue holds 64 events, and what comes faster is lost. */
static void
rest (void)
{
  gboolean over = FALSE;

  g_timeout_add (30, on_timeout, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

void
engine_test_press (VdDisplay *display, guint key, gboolean shift)
{
  if (shift)
    vd_display_key (display, KEY_LEFTSHIFT, TRUE);
  vd_display_key (display, key, TRUE);
  vd_display_key (display, key, FALSE);
  if (shift)
    vd_display_key (display, KEY_LEFTSHIFT, FALSE);
  rest ();
}

void
engine_test_open_library (void)
{
  g_autoptr (GError) error = NULL;

  engine_test_library = vd_library_open (path, &error);
  g_assert_no_error (error);
}

void
engine_test_close_library (void)
{
  vd_library_close (engine_test_library);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_clear_object (&engine_test_library);
}

void
engine_test_init (int *argc, char ***argv)
{
  g_test_init (argc, argv, NULL);
  /* SPICE warns when a server goes while it says hello, which a machine that is cut off does. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  engine_test_kind = vd_enum_from_nick (VD_TYPE_ENGINE_KIND, g_getenv ("VD_TEST_ENGINE"));
  g_assert_cmpint (engine_test_kind, >, VD_ENGINE_AUTO);
  engine_test_folder = app_test_make_folder ();
  path = g_build_filename (engine_test_folder, "a b", NULL); /* a home's name may have a space */
  vd_library_prepare (path);
  engine_test_open_library ();
}

int
engine_test_run (void)
{
  int status = g_test_run ();

  engine_test_close_library ();
  app_test_remove_folder (engine_test_folder);
  g_free (path);
  return status;
}
