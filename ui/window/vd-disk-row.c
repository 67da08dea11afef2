/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-disk-row.h"

#include <glib/gi18n.h>

#include "vd-error.h"
#include "vd-report.h"

struct _VdDiskRow {
  AdwActionRow parent_instance;

  /* Owned */
  VdLibrary *library;
  VdMachine *machine;

  guint drive;
  GtkWidget *eject, *change; /* NULL: a disk */
  gboolean empty;
};

G_DEFINE_FINAL_TYPE (VdDiskRow, vd_disk_row, ADW_TYPE_ACTION_ROW)

/* What is being done to a disc, while the guest is asked for it. */
typedef struct {
  VdDiskRow *row; /* owned */
  char *path;     /* NULL: eject */
} Change;

static void
change_free (gpointer data, GClosure *closure)
{
  Change *change = data;

  g_object_unref (change->row);
  g_free (change->path);
  g_free (change);
}

static void set_disc (VdDiskRow *self, const char *path, gboolean force);

static void
answered (AdwAlertDialog *dialog, const char *response, Change *change)
{
  if (g_str_equal (response, "take"))
    set_disc (change->row, change->path, TRUE);
}

static void
ask_for_force (Change *change, const char *why)
{
  AdwDialog *dialog = adw_alert_dialog_new (_("The Disc Is in Use"), why);

  adw_alert_dialog_add_responses (ADW_ALERT_DIALOG (dialog), "cancel", _("_Cancel"), "take",
                                  _("_Take It Anyway"), NULL);
  adw_alert_dialog_set_response_appearance (ADW_ALERT_DIALOG (dialog), "take",
                                            ADW_RESPONSE_DESTRUCTIVE);
  adw_alert_dialog_set_default_response (ADW_ALERT_DIALOG (dialog), "cancel");
  g_signal_connect_data (dialog, "response", G_CALLBACK (answered), change, change_free, 0);
  adw_dialog_present (dialog, GTK_WIDGET (change->row));
}

static void
disc_set (GObject *object, GAsyncResult *result, gpointer data)
{
  Change *change = data;
  VdDiskRow *self = change->row;
  g_autoptr (GError) error = NULL;

  if (vd_job_wait_finish (VD_JOB (object), result, &error) ||
      gtk_widget_get_root (GTK_WIDGET (self)) == NULL) {
    change_free (change, NULL);
    return;
  }
  if (g_error_matches (error, VD_ERROR, VD_ERROR_DISC_LOCKED)) {
    vd_library_dismiss (self->library, VD_JOB (object));
    ask_for_force (change, error->message);
    return;
  }
  vd_report_error (GTK_WIDGET (self), _("The disc could not be changed"), error);
  change_free (change, NULL);
}

static void
set_disc (VdDiskRow *self, const char *path, gboolean force)
{
  g_autoptr (VdJob) job =
    vd_library_set_disc (self->library, self->machine, self->drive, path, force);
  Change *change = g_new (Change, 1);

  *change = (Change) { g_object_ref (self), g_strdup (path) };
  vd_job_wait_async (job, NULL, disc_set, change);
}

static void
eject (VdDiskRow *self)
{
  set_disc (self, NULL, FALSE);
}

static void
chosen (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (VdDiskRow) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = gtk_file_dialog_open_finish (GTK_FILE_DIALOG (object), result, &error);

  if (file != NULL && g_file_peek_path (file) != NULL)
    set_disc (self, g_file_peek_path (file), FALSE);
  else
    vd_report_error (GTK_WIDGET (self), _("The disc could not be changed"), error);
}

static GListModel *
make_filters (void)
{
  GListStore *filters = g_list_store_new (GTK_TYPE_FILE_FILTER);
  g_autoptr (GtkFileFilter) discs = gtk_file_filter_new ();
  g_autoptr (GtkFileFilter) all = gtk_file_filter_new ();

  gtk_file_filter_set_name (discs, _("Disc images"));
  gtk_file_filter_add_suffix (discs, "iso");
  gtk_file_filter_set_name (all, _("All files"));
  gtk_file_filter_add_pattern (all, "*");
  g_list_store_append (filters, discs);
  g_list_store_append (filters, all);
  return G_LIST_MODEL (filters);
}

static void
choose (VdDiskRow *self)
{
  g_autoptr (GtkFileDialog) dialog = gtk_file_dialog_new ();
  g_autoptr (GListModel) filters = make_filters ();

  gtk_file_dialog_set_title (dialog, _("Choose a Disc"));
  gtk_file_dialog_set_filters (dialog, filters);
  gtk_file_dialog_open (dialog, GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), NULL, chosen,
                        g_object_ref (self));
}

/* Why the disc cannot be changed now, or NULL. */
static const char *
find_obstacle (VdDiskRow *self)
{
  if (vd_machine_get_read_only (self->machine))
    return _("The machine was made by a newer VirtDesk");
  switch (vd_machine_get_state (self->machine)) {
  case VD_MACHINE_STARTING:
    return _("Wait until the machine has started");
  case VD_MACHINE_STOPPING:
    return _("Wait until the machine is off");
  case VD_MACHINE_ELSEWHERE:
    return _("The machine runs in another process");
  default:
    return NULL;
  }
}

static void
set_button (GtkWidget *button, const char *words, const char *obstacle)
{
  gtk_widget_set_sensitive (button, obstacle == NULL);
  gtk_widget_set_tooltip_text (button, obstacle != NULL ? obstacle : words);
  /* What is read out stays what the button is. */
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, words,
                                  -1);
}

static void
update (VdDiskRow *self)
{
  const char *obstacle = find_obstacle (self);

  set_button (self->change, self->empty ? _("Insert a Disc…") : _("Change the Disc…"), obstacle);
  if (obstacle == NULL && self->empty)
    obstacle = _("Nothing is in the drive");
  set_button (self->eject, _("Eject"), obstacle);
}

static GtkWidget *
add_button (VdDiskRow *self, const char *icon, GCallback callback)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);

  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  g_signal_connect_swapped (button, "clicked", callback, self);
  adw_action_row_add_suffix (ADW_ACTION_ROW (self), button);
  return button;
}

static void
add_label (VdDiskRow *self, const char *words)
{
  GtkWidget *label = gtk_label_new (words);

  gtk_widget_add_css_class (label, "dimmed");
  adw_action_row_add_suffix (ADW_ACTION_ROW (self), label);
}

static void
describe_disk (VdDiskRow *self, VdDiskConfig *disk)
{
  if (vd_disk_config_get_readonly (disk))
    add_label (self, _("read-only"));
  if (vd_disk_config_get_bus (disk) == VD_DISK_SATA)
    add_label (self, "SATA");
  add_label (self, vd_disk_config_get_format (disk) == VD_DISK_QCOW2 ? "qcow2" : _("raw"));
}

static void
describe_drive (VdDiskRow *self)
{
  self->change = add_button (self, "document-open-symbolic", G_CALLBACK (choose));
  self->eject = add_button (self, "media-eject-symbolic", G_CALLBACK (eject));
  g_signal_connect_object (self->machine, "notify::state", G_CALLBACK (update), self,
                           G_CONNECT_SWAPPED);
  update (self);
}

static void
describe (VdDiskRow *self, VdDiskConfig *disk)
{
  const char *path = vd_disk_config_get_path (disk);
  gboolean cdrom = vd_disk_config_get_cdrom (disk);
  g_autofree char *name = path != NULL ? g_filename_display_basename (path) : NULL;

  self->empty = path == NULL;
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (self), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), cdrom ? _("CD Drive") : _("Disk"));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self),
                               name != NULL ? name : _("Nothing is in the drive"));
  adw_action_row_set_subtitle_selectable (ADW_ACTION_ROW (self), path != NULL);
  gtk_widget_add_css_class (GTK_WIDGET (self), "property");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self), path);
  adw_action_row_add_prefix (
    ADW_ACTION_ROW (self),
    gtk_image_new_from_icon_name (cdrom ? "media-optical-symbolic" : "drive-harddisk-symbolic"));
  if (cdrom)
    describe_drive (self);
  else
    describe_disk (self, disk);
}

static void
vd_disk_row_dispose (GObject *object)
{
  VdDiskRow *self = VD_DISK_ROW (object);

  g_clear_object (&self->library);
  g_clear_object (&self->machine);
  G_OBJECT_CLASS (vd_disk_row_parent_class)->dispose (object);
}

static void
vd_disk_row_class_init (VdDiskRowClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = vd_disk_row_dispose;
}

static void
vd_disk_row_init (VdDiskRow *self)
{
}

GtkWidget *
vd_disk_row_new (VdLibrary *library, VdMachine *machine, VdDiskConfig *disk, guint drive)
{
  VdDiskRow *self = g_object_new (VD_TYPE_DISK_ROW, NULL);

  self->library = g_object_ref (library);
  self->machine = g_object_ref (machine);
  self->drive = drive;
  describe (self, disk);
  return GTK_WIDGET (self);
}
