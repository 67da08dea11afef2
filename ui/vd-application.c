/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-application.h"

#include <glib/gi18n.h>

#include "preferences/vd-preferences.h"
#include "vd-service.h"
#include "vd-report.h"
#include "vd-shortcuts.h"
#include "window/vd-window.h"

#define PATIENCE 10 /* seconds, for machines to turn off */

struct _VdApplication {
  AdwApplication parent_instance;

  /* Owned */
  VdLibrary *library;
  VdService *service; /* the library for vdctl; NULL without a session bus */
  char *library_path;
  GError *library_error;

  GCancellable *taking; /* while the library is being taken over from another process */
  GFile *pending;       /* to be opened with the library */

  /* Borrowed from GtkApplication */
  VdWindow *window;
  GtkWindow *waiting; /* what is shown while taking */

  gboolean quitting; /* once no machine is active */
  guint n_ending;    /* machines that are being turned off before the end */
  guint patience;    /* source: how long they are waited for */
  gboolean closing;
  gboolean again; /* asked for while closing */
};

G_DEFINE_FINAL_TYPE (VdApplication, vd_application, ADW_TYPE_APPLICATION)

VdLibrary *
vd_application_get_library (VdApplication *self)
{
  return self->library;
}

static guint
count_active (VdApplication *self)
{
  GListModel *machines = self->library != NULL ? vd_library_get_machines (self->library) : NULL;
  guint n = machines != NULL ? g_list_model_get_n_items (machines) : 0, active = 0;

  for (guint i = 0; i < n; i++) {
    g_autoptr (VdMachine) machine = g_list_model_get_item (machines, i);

    active += vd_machine_is_active (machine);
  }
  return active;
}

static gboolean
can_save_all (VdApplication *self)
{
  GListModel *machines = vd_library_get_machines (self->library);

  for (guint i = 0; i < g_list_model_get_n_items (machines); i++) {
    g_autoptr (VdMachine) machine = g_list_model_get_item (machines, i);

    if (vd_machine_is_active (machine) && !vd_machine_can_save (machine))
      return FALSE;
  }
  return TRUE;
}

/* The end begins with the last window; see vd_application_window_removed. */
static void
quit_now (VdApplication *self)
{
  GList *windows = gtk_application_get_windows (GTK_APPLICATION (self));

  if (windows == NULL && !self->closing)
    g_application_quit (G_APPLICATION (self));
  while ((windows = gtk_application_get_windows (GTK_APPLICATION (self))) != NULL)
    gtk_window_destroy (windows->data);
}

/* Not only asked and answered: a machine that is not seen to be off is left as one that runs on. */
static void
quit_when_off (VdApplication *self)
{
  if (self->quitting && self->n_ending == 0 && count_active (self) == 0)
    quit_now (self);
}

/* A machine could not be saved, or nobody wants it any more: it runs on, and so do we. One that is
 * being turned off is waited for only so long. */
static void
stay (VdApplication *self, VdJob *job, const GError *error)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (self));

  g_message ("%s: %s", vd_job_get_title (job), error->message);
  if (self->patience != 0)
    return;
  self->quitting = FALSE;
  if (window != NULL)
    vd_report_error (GTK_WIDGET (window), vd_job_get_title (job), error);
}

static void
machine_ended (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (VdApplication) self = data;
  g_autoptr (GError) error = NULL;

  if (!vd_job_wait_finish (VD_JOB (object), result, &error))
    stay (self, VD_JOB (object), error);
  self->n_ending--;
  quit_when_off (self);
}

/* Closing the library ends them too, and is not waited for in a window. */
static gboolean
on_patience_over (gpointer data)
{
  VdApplication *self = data;

  self->patience = 0;
  quit_now (self);
  return G_SOURCE_REMOVE;
}

/* @verb ends each: turned off, or saved. */
static void
end_and_quit (VdApplication *self, VdJob *(*verb) (VdMachine *machine))
{
  GListModel *machines = vd_library_get_machines (self->library);
  guint n = g_list_model_get_n_items (machines);

  self->quitting = TRUE;
  if (verb == vd_machine_force_off && self->patience == 0)
    self->patience = g_timeout_add_seconds (PATIENCE, on_patience_over, self);
  self->n_ending++; /* so that nothing ends before all have been asked */
  for (guint i = 0; i < n; i++) {
    g_autoptr (VdMachine) machine = g_list_model_get_item (machines, i);
    g_autoptr (VdJob) job = NULL;

    if (!vd_machine_is_active (machine))
      continue;
    job = verb (machine);
    self->n_ending++;
    g_signal_connect_object (machine, "notify::state", G_CALLBACK (quit_when_off), self,
                             G_CONNECT_SWAPPED);
    vd_job_wait_async (job, NULL, machine_ended, g_object_ref (self));
  }
  self->n_ending--;
  quit_when_off (self);
}

static void
quit_answered (AdwAlertDialog *dialog, const char *response, VdApplication *self)
{
  if (g_str_equal (response, "quit"))
    end_and_quit (self, vd_machine_force_off);
  else if (g_str_equal (response, "save"))
    end_and_quit (self, vd_machine_save);
}

static gboolean
asks_already (GtkWindow *window)
{
  AdwDialog *dialog =
    ADW_IS_APPLICATION_WINDOW (window)
      ? adw_application_window_get_visible_dialog (ADW_APPLICATION_WINDOW (window))
      : NULL;

  return dialog != NULL && g_str_equal (gtk_widget_get_name (GTK_WIDGET (dialog)), "quit");
}

static void
format_question (AdwAlertDialog *dialog, gboolean can_save, guint n)
{
  if (can_save)
    adw_alert_dialog_format_body (
      dialog,
      ngettext (
        "%u machine is running. Saved, it goes on from here next time; turned off, it loses "
        "what is not saved inside it.",
        "%u machines are running. Saved, they go on from here next time; turned off, they "
        "lose what is not saved inside them.",
        n),
      n);
  else
    adw_alert_dialog_format_body (
      dialog,
      ngettext ("%u machine is running. Quitting turns it off at once; what is "
                "not saved inside it is lost.",
                "%u machines are running. Quitting turns them off at once; "
                "what is not saved inside them is lost.",
                n),
      n);
}

static void
quit (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  VdApplication *self = data;
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (self));
  guint n = count_active (self);
  AdwAlertDialog *dialog;

  if (n == 0 || window == NULL) {
    quit_now (self);
    return;
  }
  if (asks_already (window))
    return;
  dialog = ADW_ALERT_DIALOG (
    adw_alert_dialog_new (ngettext ("A Machine Is Running", "Machines Are Running", n), NULL));
  format_question (dialog, can_save_all (self), n);
  adw_alert_dialog_add_responses (dialog, "cancel", _("_Cancel"), "quit", _("_Turn Off and Quit"),
                                  NULL);
  if (can_save_all (self))
    adw_alert_dialog_add_response (dialog, "save", _("_Save and Quit"));
  adw_alert_dialog_set_response_appearance (dialog, "save", ADW_RESPONSE_SUGGESTED);
  adw_alert_dialog_set_response_appearance (dialog, "quit", ADW_RESPONSE_DESTRUCTIVE);
  gtk_widget_set_name (GTK_WIDGET (dialog), "quit");
  adw_alert_dialog_set_default_response (dialog, "cancel"); /* Enter harms nothing */
  g_signal_connect_object (dialog, "response", G_CALLBACK (quit_answered), self, 0);
  adw_dialog_present (ADW_DIALOG (dialog), GTK_WIDGET (window));
}

static void
preferences (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  GtkWindow *window = gtk_application_get_active_window (data);

  if (!vd_is_asking (GTK_WIDGET (window)))
    adw_dialog_present (ADW_DIALOG (vd_preferences_new ()), GTK_WIDGET (window));
}

static void
shortcuts (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  GtkWindow *window = gtk_application_get_active_window (data);

  if (!vd_is_asking (GTK_WIDGET (window)))
    adw_dialog_present (vd_shortcuts_dialog_new (), GTK_WIDGET (window));
}

static void
about (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  GtkWindow *window = gtk_application_get_active_window (data);

  if (vd_is_asking (GTK_WIDGET (window)))
    return;
  adw_show_about_dialog (GTK_WIDGET (window), "application-name", "VirtDesk", "application-icon",
                         APP_ID, "version", VERSION, "developer-name", _("The VirtDesk founders"),
                         "comments", _("Virtual machines that open in a moment, in one window."),
                         "license-type", GTK_LICENSE_GPL_3_0, NULL);
}

static void
present_failure (VdApplication *self)
{
  GtkWidget *window =
    g_object_new (ADW_TYPE_APPLICATION_WINDOW, "application", self, "title", "VirtDesk", NULL);
  AdwDialog *dialog =
    adw_alert_dialog_new (_("The Library Cannot Be Opened"), self->library_error->message);

  adw_alert_dialog_add_response (ADW_ALERT_DIALOG (dialog), "quit", _("_Quit"));
  g_signal_connect_object (dialog, "response", G_CALLBACK (quit_now), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (window));
  adw_dialog_present (dialog, window);
}

static GtkWindow *
new_waiting_window (VdApplication *self)
{
  GtkWidget *page = adw_status_page_new (), *view = adw_toolbar_view_new ();
  GtkWidget *button = gtk_button_new_with_mnemonic (_("_Quit"));
  g_autoptr (AdwSpinnerPaintable) spinner = adw_spinner_paintable_new (page);

  g_object_set (
    page, "paintable", spinner, "title", _("Waiting for the Library"), "description",
    _("Another program, such as “vdctl serve”, has the library open. VirtDesk has asked it to "
      "hand it over."),
    "child", button, NULL);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "app.quit");
  gtk_widget_add_css_class (button, "pill");
  gtk_widget_set_halign (button, GTK_ALIGN_CENTER);
  adw_toolbar_view_add_top_bar (ADW_TOOLBAR_VIEW (view), adw_header_bar_new ());
  adw_toolbar_view_set_content (ADW_TOOLBAR_VIEW (view), page);
  return g_object_new (ADW_TYPE_APPLICATION_WINDOW, "application", self, "title", "VirtDesk",
                       "content", view, "default-width", 560, "default-height", 420, NULL);
}

/* The window; or what it waits for; or why there is none: the library is the one thing we cannot do
 * without. */
static void
present (VdApplication *self)
{
  if (self->closing) {
    self->again = TRUE;
  } else if (self->taking != NULL) {
    if (self->waiting == NULL)
      self->waiting = new_waiting_window (self);
    gtk_window_present (self->waiting);
  } else if (self->library != NULL) {
    if (self->window == NULL)
      self->window = vd_window_new (ADW_APPLICATION (self), self->library);
    gtk_window_present (GTK_WINDOW (self->window));
    if (self->pending != NULL)
      vd_window_new_machine_for_file (self->window, self->pending);
    g_clear_object (&self->pending);
  } else {
    present_failure (self);
  }
}

static void
vd_application_activate (GApplication *application)
{
  present (VD_APPLICATION (application));
}

static void
vd_application_open (GApplication *application, GFile **files, int n_files, const char *hint)
{
  VdApplication *self = VD_APPLICATION (application);

  if (n_files > 0)
    g_set_object (&self->pending, files[0]);
  present (self);
}

/* From here on we answer for the library on the bus. */
static void
open_library (VdApplication *self)
{
  GDBusConnection *connection = g_application_get_dbus_connection (G_APPLICATION (self));
  g_autoptr (GError) error = NULL;

  g_clear_error (&self->library_error);
  self->library = vd_library_open (self->library_path, &self->library_error);
  if (self->library == NULL || connection == NULL)
    return;
  self->service = vd_service_new (self->library, connection, FALSE, &error);
  if (self->service == NULL)
    g_warning ("vdctl cannot reach this window: %s", error->message);
}

static void
taken_over (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (VdApplication) self = data;
  g_autoptr (GError) error = NULL;
  GtkWindow *waiting = self->waiting;

  if (!vd_service_take_over_finish (result, &error)) {
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
      return;
    g_message ("%s", error->message); /* opening it says the same, if it is still so */
  }
  g_clear_object (&self->taking);
  open_library (self);
  if (waiting == NULL)
    return; /* not activated yet */
  present (self);
  gtk_window_destroy (waiting);
}

/* Takes the library over from a `vdctl serve`, if there is one. */
static void
find_library (VdApplication *self)
{
  GDBusConnection *connection = g_application_get_dbus_connection (G_APPLICATION (self));

  if (connection == NULL || !vd_service_is_owned (self->library_path)) {
    open_library (self);
    return;
  }
  self->taking = g_cancellable_new ();
  vd_service_take_over_async (connection, self->library_path, self->taking, taken_over,
                              g_object_ref (self));
}

static void
closed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (VdApplication) self = data;
  g_autoptr (GError) error = NULL;
  gboolean ok = vd_library_close_finish (VD_LIBRARY (source), result, &error);

  if (!ok)
    g_message ("%s", error->message);
  g_clear_object (&self->library);
  self->closing = FALSE;
  if (self->again && ok) {
    self->again = FALSE;
    find_library (self);
    present (self);
  }
  g_application_release (G_APPLICATION (self));
}

/* No window shows that this may take a moment. */
static void
begin_closing (VdApplication *self)
{
  g_clear_handle_id (&self->patience, g_source_remove);
  if (self->taking != NULL)
    g_cancellable_cancel (self->taking);
  g_clear_object (&self->taking);
  if (self->library == NULL || self->closing)
    return;
  self->closing = TRUE;
  g_application_hold (G_APPLICATION (self));
  g_clear_object (&self->service);
  vd_library_close_async (self->library, closed, g_object_ref (self));
}

static void
vd_application_window_removed (GtkApplication *application, GtkWindow *window)
{
  VdApplication *self = VD_APPLICATION (application);

  if (window == GTK_WINDOW (self->window))
    self->window = NULL;
  if (window == self->waiting)
    self->waiting = NULL;
  g_application_hold (G_APPLICATION (self)); /* the parent lets go */
  GTK_APPLICATION_CLASS (vd_application_parent_class)->window_removed (application, window);
  if (gtk_application_get_windows (application) == NULL)
    begin_closing (self);
  g_application_release (G_APPLICATION (self));
}

static void
vd_application_startup (GApplication *application)
{
  static const GActionEntry entries[] = {
    { .name = "quit", .activate = quit },
    { .name = "preferences", .activate = preferences },
    { .name = "shortcuts", .activate = shortcuts },
    { .name = "about", .activate = about },
  };
  VdApplication *self = VD_APPLICATION (application);

  G_APPLICATION_CLASS (vd_application_parent_class)->startup (application);
  gtk_window_set_default_icon_name (APP_ID);
  g_action_map_add_action_entries (G_ACTION_MAP (self), entries, G_N_ELEMENTS (entries), self);
  vd_shortcuts_install (GTK_APPLICATION (self));
  find_library (self);
}

static void
vd_application_shutdown (GApplication *application)
{
  VdApplication *self = VD_APPLICATION (application);

  g_clear_object (&self->service);
  if (self->library != NULL)
    vd_library_close (self->library); /* where there never was a window */
  g_clear_object (&self->library);
  G_APPLICATION_CLASS (vd_application_parent_class)->shutdown (application);
}

static int
vd_application_handle_local_options (GApplication *application, GVariantDict *options)
{
  VdApplication *self = VD_APPLICATION (application);
  g_autofree char *id = NULL;

  if (g_variant_dict_contains (options, "version")) {
    g_print ("VirtDesk %s\n", VERSION);
    return 0;
  }
  g_variant_dict_lookup (options, "library", "^ay", &self->library_path);
  vd_library_prepare (self->library_path);
  id = vd_service_make_name (self->library_path);
  g_application_set_application_id (application, id); /* an instance a library */
  return -1;
}

static void
vd_application_finalize (GObject *object)
{
  VdApplication *self = VD_APPLICATION (object);

  g_clear_object (&self->taking);
  g_clear_object (&self->pending);
  g_free (self->library_path);
  g_clear_error (&self->library_error);
  G_OBJECT_CLASS (vd_application_parent_class)->finalize (object);
}

static void
vd_application_class_init (VdApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = vd_application_finalize;
  GTK_APPLICATION_CLASS (klass)->window_removed = vd_application_window_removed;
  application_class->activate = vd_application_activate;
  application_class->open = vd_application_open;
  application_class->startup = vd_application_startup;
  application_class->shutdown = vd_application_shutdown;
  application_class->handle_local_options = vd_application_handle_local_options;
}

static void
vd_application_init (VdApplication *self)
{
  static const GOptionEntry options[] = {
    { "version", 0, 0, G_OPTION_ARG_NONE, NULL, N_("Print the version and exit"), NULL },
    { "library", 0, 0, G_OPTION_ARG_FILENAME, NULL, N_("Folder in which the machines are"),
      N_("FOLDER") },
    { NULL },
  };

  g_application_add_main_option_entries (G_APPLICATION (self), options);
}

/* REPLACE: takes the name over from `vdctl serve`, which allows that; a window does not, so a
 * second start raises the first one's window. */
VdApplication *
vd_application_new (void)
{
  return g_object_new (VD_TYPE_APPLICATION, "application-id", APP_ID, "flags",
                       G_APPLICATION_HANDLES_OPEN | G_APPLICATION_REPLACE, "resource-base-path",
                       "/com/example/VirtDesk", NULL);
}
