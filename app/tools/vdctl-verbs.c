/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The verbs that ask the owner of the library one or two questions.
 */
#include "tools/vdctl.h"
#include "library/vd-file.h"
#include "vd-error.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define STOP_TIMEOUT   60         /* s */
#define MAX_SCREENSHOT (1u << 30) /* bytes */

static GVariant *
show (VdClient *client, const char *name, GError **error)
{
  g_autoptr (GVariant) reply =
    vd_client_call (client, "Show", g_variant_new ("(s)", name), NULL, error);

  return reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
}

VdctlStatus
vdctl_list (const VdctlOptions *options, int argc, char **argv)
{
  g_autoptr (VdClient) client = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) machines = NULL;
  GError *error = NULL;

  if (!vdctl_parse (&argc, &argv, NULL, _("All machines and their states."), NULL, 0, 0))
    return VDCTL_USAGE;
  client = vd_client_new (options->path, &error);
  if (client == NULL || (reply = vd_client_call (client, "List", NULL, NULL, &error)) == NULL)
    return vdctl_fail (error);
  machines = g_variant_get_child_value (reply, 0);
  if (options->json)
    vdctl_print_json (machines);
  else
    vdctl_print_machines (machines);
  return VDCTL_OK;
}

VdctlStatus
vdctl_show (const VdctlOptions *options, int argc, char **argv)
{
  g_autoptr (VdClient) client = NULL;
  g_autoptr (GVariant) properties = NULL;
  GError *error = NULL;

  if (!vdctl_parse (&argc, &argv, _("MACHINE"), _("What a machine is made of, and its state."),
                    NULL, 1, 1))
    return VDCTL_USAGE;
  client = vd_client_new (options->path, &error);
  if (client == NULL || (properties = show (client, argv[1], &error)) == NULL)
    return vdctl_fail (error);
  if (options->json)
    vdctl_print_json (properties);
  else
    vdctl_print_machine (properties);
  return VDCTL_OK;
}

static gboolean
on_signal (gpointer client)
{
  vd_client_cancel (client);
  return G_SOURCE_CONTINUE;
}

/* Nobody else keeps it running, so we do. */
static VdctlStatus
keep_running (VdClient *client, const char *name)
{
  guint interrupt = g_unix_signal_add (SIGINT, on_signal, client);
  guint terminate = g_unix_signal_add (SIGTERM, on_signal, client);
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  const char *state = "off";

  g_printerr (_("“%s” runs in this program until it is off; Ctrl+C pulls its plug. “vdctl serve” "
                "keeps machines running in the background.\n"),
              name);
  reply = vd_client_call (client, "Wait", g_variant_new ("(s)", name), NULL, &error);
  g_source_remove (interrupt);
  g_source_remove (terminate);
  if (reply != NULL)
    g_variant_get (reply, "(&s)", &state);
  if (g_str_equal (state, "off"))
    return VDCTL_OK;
  g_printerr (_("vdctl: “%s” crashed; “vdctl show” says more.\n"), name);
  return VDCTL_FAILED;
}

VdctlStatus
vdctl_start (const VdctlOptions *options, int argc, char **argv)
{
  g_autoptr (VdClient) client = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) properties = NULL;
  gboolean survives = TRUE;
  GError *error = NULL;

  if (!vdctl_parse (
        &argc, &argv, _("MACHINE"),
        _("Turns a machine on. Where neither VirtDesk nor “vdctl serve” runs, a machine "
          "of VirtDesk’s own engine runs in this program until it is off."),
        NULL, 1, 1))
    return VDCTL_USAGE;
  client = vd_client_new (options->path, &error);
  if (client == NULL || (reply = vd_client_call (client, "Start", g_variant_new ("(s)", argv[1]),
                                                 NULL, &error)) == NULL)
    return vdctl_fail (error);
  properties = show (client, argv[1], NULL);
  if (properties != NULL)
    g_variant_lookup (properties, "survives", "b", &survives);
  return vd_client_is_direct (client) && !survives ? keep_running (client, argv[1]) : VDCTL_OK;
}

static gboolean
on_timeout (gpointer client)
{
  vd_client_cancel (client);
  return G_SOURCE_CONTINUE;
}

static VdctlStatus
power_off (VdClient *client, const char *name, int timeout)
{
  g_autoptr (GVariant) asked = NULL;
  g_autoptr (GVariant) over = NULL;
  GError *error = NULL;
  guint source;

  asked = vd_client_call (client, "PowerOff", g_variant_new ("(s)", name), NULL, &error);
  if (asked == NULL)
    return vdctl_fail (error);
  source = g_timeout_add_seconds (MAX (timeout, 0), on_timeout, client);
  over = vd_client_call (client, "Wait", g_variant_new ("(s)", name), NULL, &error);
  g_source_remove (source);
  if (over != NULL)
    return VDCTL_OK;
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return vdctl_fail (error);
  g_error_free (error);
  g_printerr (
    _("vdctl: “%s” did not turn itself off within %d seconds; “vdctl stop --force” pulls "
      "its plug.\n"),
    name, timeout);
  return VDCTL_FAILED;
}

VdctlStatus
vdctl_stop (const VdctlOptions *options, int argc, char **argv)
{
  gboolean force = FALSE, save = FALSE;
  int timeout = STOP_TIMEOUT;
  const GOptionEntry entries[] = {
    { "force", 'f', 0, G_OPTION_ARG_NONE, &force, N_("Pull the plug"), NULL },
    { "save", 's', 0, G_OPTION_ARG_NONE, &save, N_("Save it: it goes on at the next start"),
      NULL },
    { "timeout", 't', 0, G_OPTION_ARG_INT, &timeout, N_("How long to wait (default: 60)"),
      N_("SECONDS") },
    { NULL },
  };
  g_autoptr (VdClient) client = NULL;
  g_autoptr (GVariant) reply = NULL;
  GError *error = NULL;

  if (!vdctl_parse (&argc, &argv, _("MACHINE"),
                    _("Asks the system in a machine to turn off, and waits until it has."),
                    entries, 1, 1))
    return VDCTL_USAGE;
  client = vd_client_new (options->path, &error);
  if (client == NULL)
    return vdctl_fail (error);
  if (!force && !save)
    return power_off (client, argv[1], timeout);
  reply = vd_client_call (client, save ? "Save" : "ForceOff", g_variant_new ("(s)", argv[1]), NULL,
                          &error);
  return reply != NULL ? VDCTL_OK : vdctl_fail (error);
}

/* By path, because what we want is the size that vd_file_read looks at. */
static gboolean
copy_picture (int fd, const char *path, GError **error)
{
  g_autofree char *name = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *data = NULL;
  gsize length;

  data = vd_file_read (name, MAX_SCREENSHOT, &length, error);
  return data != NULL && vd_file_replace (path, data, length, error);
}

VdctlStatus
vdctl_screenshot (const VdctlOptions *options, int argc, char **argv)
{
  g_autoptr (VdClient) client = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autofd int fd = -1;
  GError *error = NULL;

  if (!vdctl_parse (&argc, &argv, _("MACHINE FILE.png"),
                    _("Saves what a machine shows; or what it showed last, when it is off."), NULL,
                    2, 2))
    return VDCTL_USAGE;
  client = vd_client_new (options->path, &error);
  if (client == NULL ||
      (reply = vd_client_call (client, "Screenshot", g_variant_new ("(s)", argv[1]), &fd,
                               &error)) == NULL)
    return vdctl_fail (error);
  if (!copy_picture (fd, argv[2], &error))
    return vdctl_fail (error);
  return VDCTL_OK;
}

VdctlStatus
vdctl_delete (const VdctlOptions *options, int argc, char **argv)
{
  g_autoptr (VdClient) client = NULL;
  g_autoptr (GVariant) reply = NULL;
  GError *error = NULL;

  if (!vdctl_parse (
        &argc, &argv, _("MACHINE"),
        _("Deletes a machine that is off, with the disks in its folder, for good. Disks "
          "elsewhere stay."),
        NULL, 1, 1))
    return VDCTL_USAGE;
  client = vd_client_new (options->path, &error);
  if (client == NULL)
    return vdctl_fail (error);
  reply = vd_client_call (client, "Delete", g_variant_new ("(sb)", argv[1], FALSE), NULL, &error);
  return reply != NULL ? VDCTL_OK : vdctl_fail (error);
}
