/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-window-private.h"

#include <glib/gi18n.h>

#include "console/vd-console-window.h"
#include "vd-machine-actions.h"
#include "vd-machine-row.h"
#include "wizard/vd-new-machine.h"

G_DEFINE_FINAL_TYPE (VdWindow, vd_window, ADW_TYPE_APPLICATION_WINDOW)

VdMachine *
vd_window_get_selected (VdWindow *self)
{
  return gtk_single_selection_get_selected_item (self->selection);
}

void
vd_window_select (VdWindow *self, VdMachine *machine)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));

  gtk_search_bar_set_search_mode (self->search_bar, FALSE);
  for (guint i = 0; i < n; i++) {
    g_autoptr (VdMachine) item = g_list_model_get_item (G_LIST_MODEL (self->selection), i);

    if (item == machine) {
      gtk_single_selection_set_selected (self->selection, i);
      adw_navigation_split_view_set_show_content (self->split, TRUE);
    }
  }
}

void
vd_window_say (VdWindow *self, const char *text)
{
  AdwToast *toast = adw_toast_new (text);

  adw_toast_set_use_markup (toast, FALSE);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void
console_destroyed (gpointer data, GObject *console)
{
  GHashTable *consoles = data;
  GHashTableIter iter;
  gpointer window;

  g_hash_table_iter_init (&iter, consoles);
  while (g_hash_table_iter_next (&iter, NULL, &window))
    if (window == console)
      g_hash_table_iter_remove (&iter);
  g_hash_table_unref (consoles);
}

void
vd_window_open_console (VdWindow *self, VdMachine *machine)
{
  GtkWindow *console = g_hash_table_lookup (self->consoles, machine);

  if (vd_machine_get_state (machine) == VD_MACHINE_BROKEN)
    return; /* it never had a screen; its page says what is wrong */
  if (console == NULL) {
    console =
      GTK_WINDOW (vd_console_window_new (gtk_window_get_application (GTK_WINDOW (self)), machine));
    g_hash_table_insert (self->consoles, machine, console);
    g_object_weak_ref (G_OBJECT (console), console_destroyed, g_hash_table_ref (self->consoles));
  }
  gtk_window_present (console);
}

static void
open_console (VdWindow *self)
{
  if (vd_window_get_selected (self) != NULL)
    vd_window_open_console (self, vd_window_get_selected (self));
}

static void
row_activated (VdWindow *self, guint position)
{
  gtk_single_selection_set_selected (self->selection, position);
  adw_navigation_split_view_set_show_content (self->split, TRUE);
  if (!adw_navigation_split_view_get_collapsed (self->split) &&
      vd_machine_is_active (vd_window_get_selected (self)))
    open_console (self);
}

static void
search_changed (VdWindow *self)
{
  gtk_string_filter_set_search (self->filter, gtk_editable_get_text (self->search_entry));
}

static void
update_title (VdWindow *self)
{
  adw_navigation_page_set_title (self->content_page,
                                 self->shown != NULL ? vd_machine_get_name (self->shown) : "");
}

static void
selection_changed (VdWindow *self)
{
  VdMachine *machine = vd_window_get_selected (self);

  if (!g_set_object (&self->shown, machine))
    return;
  g_signal_group_set_target (self->shown_signals, machine);
  vd_machine_actions_install (GTK_WIDGET (self), machine);
  vd_machine_page_set_machine (self->page, machine);
  update_title (self);
  vd_window_update_actions (self);
}

/* Which of the window's pages fits what the library holds. */
static void
items_changed (VdWindow *self)
{
  GListModel *all = vd_library_get_machines (self->library);
  gboolean none = g_list_model_get_n_items (all) == 0;
  gboolean found = g_list_model_get_n_items (G_LIST_MODEL (self->selection)) > 0;

  gtk_stack_set_visible_child_name (self->stack, none ? "welcome" : "library");
  gtk_stack_set_visible_child_name (self->list_stack, found ? "list" : "nothing");
  if (none)
    gtk_search_bar_set_search_mode (self->search_bar, FALSE);
}

/* What makes machines slow on this computer, told once at the top. */
static void
update_banner (VdWindow *self)
{
  g_autoptr (VdConfig) config = vd_config_new ();
  g_autofree char *slow = NULL;

  if (g_settings_get_boolean (self->settings, "slow-banner"))
    vd_library_explain (self->library, config, NULL, NULL, &slow, NULL);
  adw_banner_set_title (self->banner, slow != NULL ? slow : "");
  adw_banner_set_title (self->welcome_banner, slow != NULL ? slow : "");
  adw_banner_set_revealed (self->banner, slow != NULL);
  adw_banner_set_revealed (self->welcome_banner, slow != NULL);
}

static void
banner_dismissed (VdWindow *self)
{
  g_settings_set_boolean (self->settings, "slow-banner", FALSE);
}

static gboolean
file_dropped (GtkDropTarget *target, const GValue *value, double x, double y, VdWindow *self)
{
  g_autoptr (GSList) files = gdk_file_list_get_files (g_value_get_boxed (value));

  if (files == NULL)
    return FALSE;
  vd_window_new_machine_for_file (self, files->data);
  return TRUE;
}

static gboolean
vd_window_close_request (GtkWindow *window)
{
  VdWindow *self = VD_WINDOW (window);
  gboolean maximized = gtk_window_is_maximized (window);
  int width, height;

  g_settings_set_boolean (self->settings, "window-maximized", maximized);
  if (!maximized) {
    gtk_window_get_default_size (window, &width, &height);
    g_settings_set_int (self->settings, "window-width", MAX (width, 360));
    g_settings_set_int (self->settings, "window-height", MAX (height, 294));
  }
  /* With machines under way closing is quitting, and that asks. */
  g_action_group_activate_action (G_ACTION_GROUP (gtk_window_get_application (window)), "quit",
                                  NULL);
  return TRUE;
}

static void
vd_window_dispose (GObject *object)
{
  VdWindow *self = VD_WINDOW (object);

  if (self->shown_signals != NULL)
    g_signal_group_set_target (self->shown_signals, NULL);
  g_clear_object (&self->shown_signals);
  g_clear_object (&self->shown);
  gtk_widget_dispose_template (GTK_WIDGET (self), VD_TYPE_WINDOW);
  g_clear_object (&self->selection);
  g_clear_object (&self->filter);
  g_clear_object (&self->settings);
  g_clear_object (&self->library);
  g_clear_pointer (&self->consoles, g_hash_table_unref);
  G_OBJECT_CLASS (vd_window_parent_class)->dispose (object);
}

static void
vd_window_class_init (VdWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = vd_window_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = vd_window_close_request;
  g_type_ensure (VD_TYPE_MACHINE_ROW);
  g_type_ensure (VD_TYPE_MACHINE_PAGE);
  g_type_ensure (VD_TYPE_JOBS_BUTTON);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/com/example/VirtDesk/window/vd-window.ui");
  gtk_widget_class_bind_template_child (widget_class, VdWindow, toasts);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, banner);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, welcome_banner);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, split);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, content_page);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, search_bar);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, search_entry);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, list_stack);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, list);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, page);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, jobs);
  gtk_widget_class_bind_template_child (widget_class, VdWindow, welcome_jobs);
  gtk_widget_class_bind_template_callback (widget_class, banner_dismissed);
  gtk_widget_class_bind_template_callback (widget_class, search_changed);
  gtk_widget_class_bind_template_callback (widget_class, row_activated);
  gtk_widget_class_bind_template_callback (widget_class, open_console);
  vd_window_class_init_actions (widget_class);
}

static void
vd_window_init (VdWindow *self)
{
  GtkDropTarget *drop = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  gtk_widget_init_template (GTK_WIDGET (self));
  self->settings = g_settings_new (APP_ID);
  self->consoles = g_hash_table_new (NULL, NULL);
  self->shown_signals = g_signal_group_new (VD_TYPE_MACHINE);
  g_signal_group_connect_swapped (self->shown_signals, "notify::name", G_CALLBACK (update_title),
                                  self);
  g_signal_group_connect_swapped (self->shown_signals, "notify::state",
                                  G_CALLBACK (vd_window_update_actions), self);
  g_signal_group_connect_swapped (self->shown_signals, "notify::saved",
                                  G_CALLBACK (vd_window_update_actions), self);
  g_signal_connect_object (self->settings, "changed::slow-banner", G_CALLBACK (update_banner), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect (drop, "drop", G_CALLBACK (file_dropped), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drop));
  gtk_search_bar_connect_entry (self->search_bar, self->search_entry);
  gtk_window_set_default_size (GTK_WINDOW (self),
                               g_settings_get_int (self->settings, "window-width"),
                               g_settings_get_int (self->settings, "window-height"));
  if (g_settings_get_boolean (self->settings, "window-maximized"))
    gtk_window_maximize (GTK_WINDOW (self));
}

/* Machines -> filtered by the search -> selection -> list. */
static void
vd_window_set_library (VdWindow *self, VdLibrary *library)
{
  GListModel *machines = vd_library_get_machines (library);
  GtkFilterListModel *found;

  self->library = g_object_ref (library);
  vd_machine_page_set_library (self->page, library);
  self->filter =
    gtk_string_filter_new (gtk_property_expression_new (VD_TYPE_MACHINE, NULL, "name"));
  found =
    gtk_filter_list_model_new (g_object_ref (machines), g_object_ref (GTK_FILTER (self->filter)));
  self->selection = gtk_single_selection_new (G_LIST_MODEL (found));
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (selection_changed),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->selection, "items-changed", G_CALLBACK (items_changed), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  g_signal_connect_object (machines, "items-changed", G_CALLBACK (items_changed), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  gtk_list_view_set_model (self->list, GTK_SELECTION_MODEL (self->selection));
  vd_jobs_button_set_jobs (self->jobs, vd_library_get_jobs (library));
  vd_jobs_button_set_jobs (self->welcome_jobs, vd_library_get_jobs (library));
  items_changed (self);
  selection_changed (self);
  vd_window_update_actions (self);
  update_banner (self);
  if (vd_library_get_notice (library) != NULL)
    vd_window_say (self, vd_library_get_notice (library));
}

VdWindow *
vd_window_new (AdwApplication *application, VdLibrary *library)
{
  VdWindow *self = g_object_new (VD_TYPE_WINDOW, "application", application, NULL);

  vd_window_set_library (self, library);
  return self;
}
