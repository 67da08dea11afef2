/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * shots FOLDER: draws every screen of the program over a real library, with the sample machine
 * really running, light and dark, wide and narrow, into PNG files to be looked at.
 */
#include "console/vd-console-window.h"
#include "library-test.h"
#include "preferences/vd-preferences.h"
#include "ui-test.h"
#include "vd-shortcuts.h"
#include "window/vd-window.h"
#include "wizard/vd-new-machine.h"

/* A phone's 360 pixels, and the frame that GTK draws where there is no compositor. */
#define NARROW 370

typedef struct {
  AdwApplication *application;
  const char *folder;
  UiLibrary of;
  GtkWindow *window;
} Shots;

static const struct {
  const char *name;
  AdwColorScheme scheme;
  int width, height;
} looks[] = {
  { "light-wide", ADW_COLOR_SCHEME_FORCE_LIGHT, 1100, 720 },
  { "dark-wide", ADW_COLOR_SCHEME_FORCE_DARK, 1100, 720 },
  { "light-narrow", ADW_COLOR_SCHEME_FORCE_LIGHT, NARROW, 640 },
  { "dark-narrow", ADW_COLOR_SCHEME_FORCE_DARK, NARROW, 640 },
};

/* Animations run to their end, and what was posted has come. */
static void
settle (guint ms)
{
  gint64 end = g_get_monotonic_time () + ms * 1000;

  while (g_get_monotonic_time () < end) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (1000);
  }
}

typedef struct {
  GtkWidget *window;
  GskRenderNode *node;
} Drawn;

/* Right after a frame is the one moment at which nothing waits to be drawn anew. */
static void
after_paint (GdkFrameClock *clock, Drawn *drawn)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (drawn->window);
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();

  gdk_paintable_snapshot (paintable, snapshot, gtk_widget_get_width (drawn->window),
                          gtk_widget_get_height (drawn->window));
  g_clear_pointer (&drawn->node, gsk_render_node_unref);
  drawn->node = gtk_snapshot_to_node (snapshot);
}

/* What the window draws in its next frame. */
static GskRenderNode *
take_node (GtkWidget *window)
{
  Drawn drawn = { window, NULL };
  GdkFrameClock *clock = gtk_widget_get_frame_clock (window);
  gulong handler = g_signal_connect (clock, "after-paint", G_CALLBACK (after_paint), &drawn);

  while (drawn.node == NULL) {
    gtk_widget_queue_draw (window);
    settle (50);
  }
  g_signal_handler_disconnect (clock, handler);
  return drawn.node;
}

static void
save (GtkWindow *window, const char *path)
{
  g_autoptr (GskRenderNode) node = take_node (GTK_WIDGET (window));
  g_autoptr (GdkTexture) texture = gsk_renderer_render_texture (
    gtk_native_get_renderer (GTK_NATIVE (window)), node,
    &GRAPHENE_RECT_INIT (0, 0, gtk_widget_get_width (GTK_WIDGET (window)),
                         gtk_widget_get_height (GTK_WIDGET (window))));

  if (!gdk_texture_save_to_png (texture, path))
    g_error ("cannot write %s", path);
}

static void
shoot (Shots *shots, GtkWindow *window, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (looks); i++) {
    g_autofree char *file = g_strdup_printf ("%s/%s-%s.png", shots->folder, name, looks[i].name);

    adw_style_manager_set_color_scheme (adw_style_manager_get_default (), looks[i].scheme);
    gtk_window_set_default_size (window, looks[i].width, looks[i].height);
    settle (900);
    save (window, file);
  }
  gtk_window_set_default_size (window, looks[0].width, looks[0].height);
  settle (300);
}

static void
close_dialog (Shots *shots, GtkWindow *window)
{
  AdwDialog *dialog = adw_application_window_get_visible_dialog (ADW_APPLICATION_WINDOW (window));

  if (dialog != NULL)
    adw_dialog_force_close (dialog);
  settle (400);
}

static void
shoot_dialog (Shots *shots, AdwDialog *dialog, const char *name)
{
  adw_dialog_present (dialog, GTK_WIDGET (shots->window));
  settle (300);
  shoot (shots, shots->window, name);
  close_dialog (shots, shots->window);
}

static VdMachine *
make_machine (Shots *shots, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VdConfig) config = vd_config_new_sample (&error);

  g_assert_no_error (error);
  if (name != NULL)
    vd_config_set_name (config, name);
  return ui_library_add_config (&shots->of, config);
}

/* A machine whose file cannot be read, next to good ones. */
static void
break_machine (Shots *shots, VdMachine *machine)
{
  g_autofree char *path = g_build_filename (vd_library_get_path (shots->of.library), "machines",
                                            vd_machine_get_uuid (machine), "machine.ini", NULL);

  g_assert_true (g_file_set_contents (path, "[machine\nnonsense", -1, NULL));
}

static void
shoot_disc (Shots *shots)
{
  VdNewMachine *wizard = vd_new_machine_new (shots->of.library);
  g_autoptr (GFile) disc = ui_library_make_disc (&shots->of, "debian-13.1.0-amd64-netinst.iso");

  adw_dialog_present (ADW_DIALOG (wizard), GTK_WIDGET (shots->window));
  settle (400);
  vd_new_machine_set_file (wizard, disc);
  settle (800);
  shoot (shots, shots->window, "new-disc");
  adw_expander_row_set_expanded (ui_test_find (GTK_WIDGET (wizard), ADW_TYPE_EXPANDER_ROW, NULL),
                                 TRUE);
  settle (300);
  shoot (shots, shots->window, "new-disc-more");
  close_dialog (shots, shots->window);
}

static void
shoot_wizard (Shots *shots)
{
  VdNewMachine *wizard = vd_new_machine_new (shots->of.library);

  adw_dialog_present (ADW_DIALOG (wizard), GTK_WIDGET (shots->window));
  settle (400);
  shoot (shots, shots->window, "new-source");
  vd_new_machine_set_sample (wizard);
  settle (600);
  shoot (shots, shots->window, "new-review");
  adw_expander_row_set_expanded (ui_test_find (GTK_WIDGET (wizard), ADW_TYPE_EXPANDER_ROW, NULL),
                                 TRUE);
  gtk_editable_set_text (ui_test_find (GTK_WIDGET (wizard), ADW_TYPE_ENTRY_ROW, "_Name"), "");
  settle (300);
  shoot (shots, shots->window, "new-bad-name");
  close_dialog (shots, shots->window);
}

/* The landscape of the sample has many shades; a text screen has few. */
static gboolean
is_drawn (VdMachine *machine)
{
  g_auto (VdFrame) frame = { .dmabuf = -1 };
  VdDisplay *display = vd_machine_get_display (machine);
  const guint8 *pixels;
  gboolean seen[256] = { 0 };
  guint n = 0;

  if (display == NULL || !vd_display_peek_frame (display, &frame) || frame.pixels == NULL)
    return FALSE;
  pixels = g_bytes_get_data (frame.pixels, NULL);
  for (gsize i = frame.offset; i < g_bytes_get_size (frame.pixels); i += 4) {
    n += !seen[pixels[i]];
    seen[pixels[i]] = TRUE;
  }
  return n > 60;
}

static void
shoot_running (Shots *shots, VdMachine *machine)
{
  GtkWindow *console;
  gint64 end = g_get_monotonic_time () + 600 * G_USEC_PER_SEC;

  ui_library_finish (vd_machine_start (machine));
  while (!is_drawn (machine) && g_get_monotonic_time () < end)
    settle (500);
  settle (5000); /* the shell greets below it */
  shoot (shots, shots->window, "machine-running");
  console = GTK_WINDOW (vd_console_window_new (GTK_APPLICATION (shots->application), machine));
  gtk_window_present (console);
  settle (1500);
  shoot (shots, console, "console-running");
  ui_library_finish (vd_machine_pause (machine));
  settle (300);
  shoot (shots, console, "console-paused");
  ui_library_finish (vd_machine_force_off (machine));
  settle (500);
  shoot (shots, console, "console-off");
  gtk_window_destroy (console);
  shoot (shots, shots->window, "machine-off");
}

static void
shoot_all (Shots *shots)
{
  VdMachine *sample, *broken;

  ui_library_open (&shots->of);
  broken = make_machine (shots, "Old Server");
  break_machine (shots, broken);
  ui_library_close (&shots->of);
  ui_library_open (&shots->of);

  shots->window = GTK_WINDOW (vd_window_new (shots->application, shots->of.library));
  gtk_window_present (shots->window);
  settle (1000);
  broken = vd_library_find (shots->of.library, "Old Server");
  if (broken == NULL) {
    g_autoptr (VdMachine) first =
      g_list_model_get_item (vd_library_get_machines (shots->of.library), 0);

    broken = first;
  }
  vd_window_select (VD_WINDOW (shots->window), broken);
  shoot (shots, shots->window, "machine-broken");
  ui_library_finish (vd_library_delete (shots->of.library, broken));
  shoot (shots, shots->window, "welcome");
  shoot_wizard (shots);
  shoot_disc (shots);
  make_machine (shots, "Build machine");
  make_machine (shots, "A machine with quite a long name, as people give them");
  sample = make_machine (shots, NULL);
  vd_window_select (VD_WINDOW (shots->window), sample);
  shoot_dialog (shots, ADW_DIALOG (vd_preferences_new ()), "preferences");
  shoot_dialog (shots, vd_shortcuts_dialog_new (), "shortcuts");
  gtk_widget_activate_action (GTK_WIDGET (shots->window), "win.rename", NULL);
  shoot (shots, shots->window, "rename");
  close_dialog (shots, shots->window);
  shoot_running (shots, sample);
  gtk_widget_activate_action (GTK_WIDGET (shots->window), "win.delete", NULL);
  settle (500);
  shoot (shots, shots->window, "deleted");
  gtk_window_destroy (shots->window);
  ui_library_clear (&shots->of);
}

int
main (int argc, char **argv)
{
  Shots shots = { .folder = argv[1] };

  if (argc != 2) {
    g_printerr ("usage: shots FOLDER\n");
    return 2;
  }
  shots.application = ui_application_new ();
  shoot_all (&shots);
  g_object_unref (shots.application);
  return 0;
}
