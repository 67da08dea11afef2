/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vdctl: VirtDesk's machines from the command line. It asks the process that owns
 * the library (the window or "vdctl serve"), or opens it itself where nobody does.
 *
 * Exit status: 0 done, 1 failed, 2 wrong use, 3 no such machine, 4 not possible in
 * its state, 5 the library is in use, 6 nothing here can run it.
 */
#include "tools/vdctl.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>
#include <locale.h>
#include <string.h>

static const struct {
  const char *name;
  VdctlVerb run;
  const char *summary;
} verbs[] = {
  { "list", vdctl_list, N_("all machines and their states") },
  { "show", vdctl_show, N_("what a machine is made of") },
  { "create", vdctl_create, N_("a machine from a kernel, a disk image, an ISO or the sample") },
  { "start", vdctl_start, N_("turns a machine on") },
  { "stop", vdctl_stop, N_("turns a machine off") },
  { "screenshot", vdctl_screenshot, N_("saves the screen as PNG") },
  { "delete", vdctl_delete, N_("a machine and its own disks, for good") },
  { "serve", vdctl_serve, N_("keeps machines running where there is no display") },
};

VdctlStatus
vdctl_fail (GError *error)
{
  static const struct {
    VdError code;
    VdctlStatus status;
  } table[] = {
    { VD_ERROR_INVALID, VDCTL_USAGE },
    { VD_ERROR_NOT_FOUND, VDCTL_NOT_FOUND },
    { VD_ERROR_STATE, VDCTL_STATE },
    { VD_ERROR_READ_ONLY, VDCTL_STATE },
    { VD_ERROR_BROKEN, VDCTL_STATE },
    { VD_ERROR_OWNED, VDCTL_OWNED },
    { VD_ERROR_NO_KVM, VDCTL_UNSUPPORTED },
    { VD_ERROR_KVM_DENIED, VDCTL_UNSUPPORTED },
    { VD_ERROR_UNSUPPORTED, VDCTL_UNSUPPORTED },
  };
  g_autofree char *message = vdctl_clean (error->message);
  VdctlStatus status = VDCTL_FAILED;

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    if (g_error_matches (error, VD_ERROR, table[i].code))
      status = table[i].status;
  g_printerr ("vdctl: %s\n", message);
  g_error_free (error);
  return status;
}

VdctlStatus
vdctl_usage (const char *message)
{
  g_printerr ("vdctl: %s\n", message);
  return VDCTL_USAGE;
}

gboolean
vdctl_parse (int *argc,
             char ***argv,
             const char *words,
             const char *summary,
             const GOptionEntry *entries,
             int min,
             int max)
{
  g_autoptr (GOptionContext) context = g_option_context_new (words);
  g_autoptr (GError) error = NULL;

  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (summary != NULL)
    g_option_context_set_summary (context, summary);
  if (!g_option_context_parse (context, argc, argv, &error)) {
    vdctl_usage (error->message);
    return FALSE;
  }
  if (*argc - 1 < min || *argc - 1 > max) {
    g_autofree char *help = g_option_context_get_help (context, TRUE, NULL);

    g_printerr ("%s", help);
    return FALSE;
  }
  return TRUE;
}

static char *
describe_verbs (void)
{
  GString *text = g_string_new (_("Verbs:"));

  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    g_string_append_printf (text, "\n  %-11s %s", verbs[i].name, _(verbs[i].summary));
  g_string_append (text, "\n\n");
  g_string_append (text, _("“vdctl VERB --help” says more."));
  return g_string_free (text, FALSE);
}

static gboolean
parse_main (VdctlOptions *options, int *argc, char ***argv, gboolean *version)
{
  const GOptionEntry entries[] = {
    { "library", 0, 0, G_OPTION_ARG_FILENAME, &options->path,
      N_("Library folder (default: ~/.local/share/virtdesk)"), N_("FOLDER") },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, N_("Print JSON"), NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, version, N_("Print the version"), NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (_("VERB [ARGUMENTS]"));
  g_autofree char *summary = describe_verbs ();
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_set_summary (context, summary);
  g_option_context_set_strict_posix (context, TRUE); /* the verb's options are its own */
  if (g_option_context_parse (context, argc, argv, &error)) {
    if (*argc > 1 || *version)
      return TRUE;
    g_printerr ("%s", summary);
    g_printerr ("\n");
  } else {
    vdctl_usage (error->message);
  }
  return FALSE;
}

/* --json may stand behind the verb too. */
static void
take_json (VdctlOptions *options, int *argc, char **argv)
{
  for (int i = 1; i < *argc; i++) {
    if (strcmp (argv[i], "--json") != 0)
      continue;
    options->json = TRUE;
    memmove (&argv[i], &argv[i + 1], (*argc - i) * sizeof *argv);
    *argc -= 1;
    return;
  }
}

static VdctlStatus
run (VdctlOptions *options, int argc, char **argv)
{
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++) {
    if (strcmp (verbs[i].name, argv[1]) == 0) {
      g_autofree char *name = g_strdup_printf ("vdctl %s", verbs[i].name);

      g_set_prgname (name);
      argc--;
      take_json (options, &argc, argv + 1);
      return verbs[i].run (options, argc, argv + 1);
    }
  }
  g_printerr (_("vdctl: there is no verb “%s”; see “vdctl --help”.\n"), argv[1]);
  return VDCTL_USAGE;
}

int
main (int argc, char **argv)
{
  VdctlOptions options = { 0 };
  gboolean version = FALSE;
  VdctlStatus status;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  if (!parse_main (&options, &argc, &argv, &version)) {
    status = VDCTL_USAGE;
  } else if (version) {
    g_print ("vdctl %s\n", VERSION);
    status = VDCTL_OK;
  } else {
    vd_library_prepare (options.path);
    status = run (&options, argc, argv);
  }
  g_free (options.path);
  return status;
}
