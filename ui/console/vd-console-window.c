/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-console-window.h"

#include <glib/gi18n.h>
#include <linux/input-event-codes.h>

#include "vd-console.h"
#include "vd-release-key.h"
#include "vd-report.h"
#include "window/vd-machine-actions.h"

#define REVEAL_EDGE 4 /* logical pixels at the top that show the header in fullscreen */

struct _VdConsoleWindow {
  AdwApplicationWindow parent_instance;

  /* Template widgets */
  AdwToastOverlay *toasts;
  AdwToolbarView *toolbar_view;
  GtkWidget *header;
  AdwBanner *problem;
  AdwWindowTitle *title;
  GtkMenuButton *power;
  GtkButton *fullscreen_button;
  GtkStack *stack;
  AdwStatusPage *status;
  GtkWidget *spinner, *start, *resume;
  VdConsole *console;

  /* Owned */
  VdMachine *machine;
  GSettings *settings;
};

G_DEFINE_FINAL_TYPE (VdConsoleWindow, vd_console_window, ADW_TYPE_APPLICATION_WINDOW)

static const struct {
  const char *name;
  guint codes[4];
} chords[] = {
  { "ctrl-alt-del", { KEY_LEFTCTRL, KEY_LEFTALT, KEY_DELETE } },
  { "ctrl-alt-backspace", { KEY_LEFTCTRL, KEY_LEFTALT, KEY_BACKSPACE } },
  { "ctrl-alt-f1", { KEY_LEFTCTRL, KEY_LEFTALT, KEY_F1 } },
  { "ctrl-alt-f2", { KEY_LEFTCTRL, KEY_LEFTALT, KEY_F2 } },
  { "ctrl-alt-f3", { KEY_LEFTCTRL, KEY_LEFTALT, KEY_F3 } },
  { "super", { KEY_LEFTMETA } },
  { "print", { KEY_SYSRQ } },
};

static void
send_keys (GtkWidget *widget, const char *name, GVariant *parameter)
{
  VdConsoleWindow *self = VD_CONSOLE_WINDOW (widget);

  for (guint i = 0; i < G_N_ELEMENTS (chords); i++)
    if (g_str_equal (chords[i].name, g_variant_get_string (parameter, NULL)))
      vd_console_send_keys (self->console, chords[i].codes);
}

static void
toggle_fullscreen (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_object_set (widget, "fullscreened", !gtk_window_is_fullscreen (GTK_WINDOW (widget)), NULL);
}

/* The window gets the size at which a guest's pixel is a pixel of the screen. */
static void
fit (GtkWidget *widget, const char *name, GVariant *parameter)
{
  VdConsoleWindow *self = VD_CONSOLE_WINDOW (widget);
  GdkSurface *surface = gtk_native_get_surface (GTK_NATIVE (self));
  double scale = surface != NULL ? gdk_surface_get_scale (surface) : 1;
  guint width, height;

  if (!vd_console_get_guest_size (self->console, &width, &height))
    return;
  gtk_window_unmaximize (GTK_WINDOW (self));
  gtk_window_set_default_size (GTK_WINDOW (self), width / scale,
                               height / scale + gtk_widget_get_height (self->header));
}

static void
screenshot_saved (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (VdConsoleWindow) self = data;
  g_autoptr (GError) error = NULL;

  if (!vd_job_wait_finish (VD_JOB (object), result, &error))
    vd_report_error (GTK_WIDGET (self), _("The screenshot could not be saved"), error);
  else
    adw_toast_overlay_add_toast (self->toasts, adw_toast_new (_("Screenshot saved")));
}

static void
screenshot_chosen (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (VdConsoleWindow) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = gtk_file_dialog_save_finish (GTK_FILE_DIALOG (object), result, &error);
  g_autoptr (VdJob) job = NULL;

  if (file == NULL) {
    vd_report_error (GTK_WIDGET (self), _("The screenshot could not be saved"), error);
    return;
  }
  job = vd_machine_save_screenshot (self->machine, file);
  vd_job_wait_async (job, NULL, screenshot_saved, g_object_ref (self));
}

static void
take_screenshot (GtkWidget *widget, const char *name, GVariant *parameter)
{
  VdConsoleWindow *self = VD_CONSOLE_WINDOW (widget);
  g_autoptr (GtkFileDialog) dialog = gtk_file_dialog_new ();
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%Y-%m-%d %H-%M-%S");
  g_autofree char *file = g_strdup_printf ("%s %s.png", vd_machine_get_name (self->machine), time);

  g_strdelimit (file, "/", '-');
  gtk_file_dialog_set_title (dialog, _("Save Screenshot"));
  gtk_file_dialog_set_initial_name (dialog, file);
  gtk_file_dialog_save (dialog, GTK_WINDOW (self), NULL, screenshot_chosen, g_object_ref (self));
}

/* The line under the name: how to get the keyboard back, or what the machine is doing. */
static void
update_title (VdConsoleWindow *self)
{
  const char *release =
    vd_release_chord_get_label (g_settings_get_enum (self->settings, "release-key"));
  g_autofree char *hint = NULL;

  if (vd_console_get_captured (self->console))
    /* Translators: %s is a key or chord such as "Ctrl+Alt" */
    hint = g_strdup_printf (_("%s gives the keyboard back"), release);
  else if (vd_machine_get_state (self->machine) == VD_MACHINE_RUNNING)
    hint = g_strdup (_("Click into the picture to type"));
  adw_window_title_set_title (self->title, vd_machine_get_name (self->machine));
  adw_window_title_set_subtitle (self->title,
                                 hint != NULL ? hint : vd_machine_get_status (self->machine));
  gtk_window_set_title (GTK_WINDOW (self), vd_machine_get_name (self->machine));
}

static void
update_status_page (VdConsoleWindow *self)
{
  VdMachineState state = vd_machine_get_state (self->machine);
  const char *problem = vd_machine_get_problem (self->machine);
  gboolean busy = state == VD_MACHINE_STARTING || state == VD_MACHINE_STOPPING;
  g_autofree char *text = g_markup_escape_text (problem != NULL ? problem : "", -1);

  adw_status_page_set_title (self->status, vd_machine_get_status (self->machine));
  adw_status_page_set_description (self->status, text);
  adw_status_page_set_icon_name (self->status,
                                 problem != NULL ? "dialog-warning-symbolic" : "computer-symbolic");
  gtk_widget_set_visible (self->spinner, busy || state == VD_MACHINE_RUNNING);
  gtk_widget_set_visible (self->start, state == VD_MACHINE_OFF || state == VD_MACHINE_CRASHED);
}

/* Why it stands still, and the way to go on; or what a device of it suffers from. */
static void
update_problem (VdConsoleWindow *self, gboolean shown, gboolean paused)
{
  const char *problem = vd_machine_get_problem (self->machine);

  if (problem != NULL)
    adw_banner_set_title (self->problem, problem);
  adw_banner_set_button_label (self->problem, paused ? _("_Resume") : NULL);
  adw_banner_set_revealed (self->problem, shown && problem != NULL);
}

static void
update (VdConsoleWindow *self)
{
  VdMachineState state = vd_machine_get_state (self->machine);
  VdDisplay *display = vd_machine_get_display (self->machine);
  gboolean shown = display != NULL && vd_machine_is_active (self->machine);
  gboolean paused = state == VD_MACHINE_PAUSED;

  vd_console_set_display (self->console, display);
  update_status_page (self);
  gtk_stack_set_visible_child_name (self->stack, shown ? "console" : "status");
  update_problem (self, shown, paused);
  gtk_widget_set_visible (self->resume,
                          shown && paused && !adw_banner_get_revealed (self->problem));
  if (paused)
    gtk_widget_add_css_class (GTK_WIDGET (self->console), "paused");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->console), "paused");
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "console.screenshot", shown);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "console.send", shown && !paused);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "console.fit", shown);
  update_title (self);
}

/* Controls stay beside the picture; in fullscreen they come from the top edge. */
static void
fullscreen_changed (VdConsoleWindow *self)
{
  gboolean fullscreen = gtk_window_is_fullscreen (GTK_WINDOW (self));

  adw_toolbar_view_set_extend_content_to_top_edge (self->toolbar_view, fullscreen);
  adw_toolbar_view_set_reveal_top_bars (self->toolbar_view, !fullscreen);
  gtk_button_set_icon_name (self->fullscreen_button,
                            fullscreen ? "view-restore-symbolic" : "view-fullscreen-symbolic");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->fullscreen_button),
                               fullscreen ? _("Leave Fullscreen") : _("Fullscreen"));
}

static void
pointer_moved (GtkEventControllerMotion *motion, double x, double y, VdConsoleWindow *self)
{
  gboolean revealed = adw_toolbar_view_get_reveal_top_bars (self->toolbar_view);

  if (!gtk_window_is_fullscreen (GTK_WINDOW (self)))
    return;
  if (!revealed && y < REVEAL_EDGE)
    adw_toolbar_view_set_reveal_top_bars (self->toolbar_view, TRUE);
  else if (revealed && y > gtk_widget_get_height (self->header) + REVEAL_EDGE)
    adw_toolbar_view_set_reveal_top_bars (self->toolbar_view, FALSE);
}

static void
vd_console_window_dispose (GObject *object)
{
  VdConsoleWindow *self = VD_CONSOLE_WINDOW (object);

  if (self->machine != NULL)
    g_signal_handlers_disconnect_by_data (self->machine, self);
  if (self->console != NULL)
    vd_console_set_display (self->console, NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), VD_TYPE_CONSOLE_WINDOW);
  g_clear_object (&self->machine);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (vd_console_window_parent_class)->dispose (object);
}

static void
vd_console_window_class_init (VdConsoleWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = vd_console_window_dispose;
  g_type_ensure (VD_TYPE_CONSOLE);
  gtk_widget_class_set_template_from_resource (
    widget_class, "/com/example/VirtDesk/console/vd-console-window.ui");
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, toasts);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, toolbar_view);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, header);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, problem);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, title);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, power);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, fullscreen_button);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, status);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, spinner);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, start);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, resume);
  gtk_widget_class_bind_template_child (widget_class, VdConsoleWindow, console);
  gtk_widget_class_install_action (widget_class, "console.send", "s", send_keys);
  gtk_widget_class_install_action (widget_class, "console.fullscreen", NULL, toggle_fullscreen);
  gtk_widget_class_install_action (widget_class, "console.fit", NULL, fit);
  gtk_widget_class_install_action (widget_class, "console.screenshot", NULL, take_screenshot);
}

static void
vd_console_window_init (VdConsoleWindow *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();

  self->settings = g_settings_new (APP_ID);
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_event_controller_set_propagation_phase (motion, GTK_PHASE_CAPTURE);
  g_signal_connect (motion, "motion", G_CALLBACK (pointer_moved), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  g_signal_connect (self, "notify::fullscreened", G_CALLBACK (fullscreen_changed), NULL);
  g_signal_connect_swapped (self->console, "notify::captured", G_CALLBACK (update_title), self);
}

VdConsoleWindow *
vd_console_window_new (GtkApplication *application, VdMachine *machine)
{
  VdConsoleWindow *self = g_object_new (VD_TYPE_CONSOLE_WINDOW, "application", application, NULL);
  static const char *const watched[] = { "notify::state", "notify::display", "notify::problem",
                                         "notify::name" };

  self->machine = g_object_ref (machine);
  vd_machine_actions_install (GTK_WIDGET (self), machine);
  for (guint i = 0; i < G_N_ELEMENTS (watched); i++)
    g_signal_connect_swapped (machine, watched[i], G_CALLBACK (update), self);
  update (self);
  return self;
}
