/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-shortcuts.h"

#include <glib/gi18n.h>

typedef struct {
  const char *section; /* NULL: as the one before */
  const char *action;
  const char *key;
  const char *title;
} Shortcut;

static const Shortcut shortcuts[] = {
  { N_("Library"), "win.new-machine", "<Control>n", N_("New machine") },
  { NULL, "win.search", "<Control>f", N_("Search") },
  { NULL, "win.console", "<Control>o", N_("Open the console") },
  { NULL, "win.settings", "<Alt>Return", N_("Settings of the machine") },
  { NULL, "win.rename", "F2", N_("Rename the machine") },
  { NULL, "win.delete", "<Control>Delete", N_("Delete the machine") },
  { N_("Machine"), "machine.start", "<Control>r", N_("Start") },
  { NULL, "machine.pause", "<Control>p", N_("Pause") },
  { NULL, "machine.resume", "<Control><Shift>p", N_("Resume") },
  { NULL, "machine.power-off", "<Control><Shift>q", N_("Power off") },
  { N_("Console"), "console.fullscreen", "F11", N_("Fullscreen") },
  { NULL, "console.screenshot", "<Control><Shift>s", N_("Save a screenshot") },
  { N_("General"), "app.preferences", "<Control>comma", N_("Preferences") },
  { NULL, "app.shortcuts", "<Control>question", N_("Keyboard shortcuts") },
  { NULL, "window.close", "<Control>w", N_("Close the window") },
  { NULL, "app.quit", "<Control>q", N_("Quit") },
};

void
vd_shortcuts_install (GtkApplication *application)
{
  for (guint i = 0; i < G_N_ELEMENTS (shortcuts); i++)
    gtk_application_set_accels_for_action (application, shortcuts[i].action,
                                           (const char *[]) { shortcuts[i].key, NULL });
}

static char *
key_label (const char *key)
{
  GdkModifierType modifiers;
  guint keyval;

  if (!gtk_accelerator_parse (key, &keyval, &modifiers))
    return g_strdup (key);
  return gtk_accelerator_get_label (keyval, modifiers);
}

static GtkWidget *
shortcut_row (const Shortcut *shortcut)
{
  GtkWidget *row = adw_action_row_new (), *key;
  g_autofree char *label = key_label (shortcut->key);

  key = gtk_label_new (label);
  gtk_widget_add_css_class (key, "dimmed");
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _(shortcut->title));
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), key);
  return row;
}

AdwDialog *
vd_shortcuts_dialog_new (void)
{
  AdwDialog *dialog = adw_dialog_new ();
  GtkWidget *view = adw_toolbar_view_new (), *page = adw_preferences_page_new ();
  AdwPreferencesGroup *group = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (shortcuts); i++) {
    if (shortcuts[i].section != NULL) {
      group = ADW_PREFERENCES_GROUP (adw_preferences_group_new ());
      adw_preferences_group_set_title (group, _(shortcuts[i].section));
      adw_preferences_page_add (ADW_PREFERENCES_PAGE (page), group);
    }
    adw_preferences_group_add (group, shortcut_row (&shortcuts[i]));
  }
  adw_toolbar_view_add_top_bar (ADW_TOOLBAR_VIEW (view), adw_header_bar_new ());
  adw_toolbar_view_set_content (ADW_TOOLBAR_VIEW (view), page);
  adw_dialog_set_title (dialog, _("Keyboard Shortcuts"));
  adw_dialog_set_content_width (dialog, 460);
  adw_dialog_set_content_height (dialog, 560);
  adw_dialog_set_child (dialog, view);
  return dialog;
}
