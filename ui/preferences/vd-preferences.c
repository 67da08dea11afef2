/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-preferences.h"

#include "console/vd-release-key.h"

struct _VdPreferences {
  AdwPreferencesDialog parent_instance;

  /* Template widgets */
  AdwComboRow *release_key;
  GtkWidget *capture_shortcuts, *resize_guest, *slow_banner;

  /* Owned */
  GSettings *settings;
};

G_DEFINE_FINAL_TYPE (VdPreferences, vd_preferences, ADW_TYPE_PREFERENCES_DIALOG)

static void
release_key_chosen (VdPreferences *self)
{
  g_settings_set_enum (self->settings, "release-key",
                       adw_combo_row_get_selected (self->release_key));
}

static void
vd_preferences_dispose (GObject *object)
{
  g_clear_object (&VD_PREFERENCES (object)->settings);
  gtk_widget_dispose_template (GTK_WIDGET (object), VD_TYPE_PREFERENCES);
  G_OBJECT_CLASS (vd_preferences_parent_class)->dispose (object);
}

static void
vd_preferences_class_init (VdPreferencesClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = vd_preferences_dispose;
  gtk_widget_class_set_template_from_resource (
    widget_class, "/com/example/VirtDesk/preferences/vd-preferences.ui");
  gtk_widget_class_bind_template_child (widget_class, VdPreferences, release_key);
  gtk_widget_class_bind_template_child (widget_class, VdPreferences, capture_shortcuts);
  gtk_widget_class_bind_template_child (widget_class, VdPreferences, resize_guest);
  gtk_widget_class_bind_template_child (widget_class, VdPreferences, slow_banner);
}

static void
vd_preferences_init (VdPreferences *self)
{
  g_autoptr (GtkStringList) chords = gtk_string_list_new (NULL);

  gtk_widget_init_template (GTK_WIDGET (self));
  self->settings = g_settings_new (APP_ID);
  for (VdReleaseChord chord = VD_RELEASE_CTRL_ALT; chord <= VD_RELEASE_SCROLL_LOCK; chord++)
    gtk_string_list_append (chords, vd_release_chord_get_label (chord));
  adw_combo_row_set_model (self->release_key, G_LIST_MODEL (chords));
  adw_combo_row_set_selected (self->release_key,
                              g_settings_get_enum (self->settings, "release-key"));
  g_signal_connect_swapped (self->release_key, "notify::selected", G_CALLBACK (release_key_chosen),
                            self);
  g_settings_bind (self->settings, "capture-shortcuts", self->capture_shortcuts, "active", 0);
  g_settings_bind (self->settings, "resize-guest", self->resize_guest, "active", 0);
  g_settings_bind (self->settings, "slow-banner", self->slow_banner, "active", 0);
}

VdPreferences *
vd_preferences_new (void)
{
  return g_object_new (VD_TYPE_PREFERENCES, NULL);
}
