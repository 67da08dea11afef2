/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * virtdesk: the program that people see. Everything is in VdApplication.
 */
#include <glib/gi18n.h>
#include <locale.h>

#include "vd-application.h"

int
main (int argc, char **argv)
{
  g_autoptr (VdApplication) application = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_set_application_name ("VirtDesk");

  application = vd_application_new ();
  return g_application_run (G_APPLICATION (application), argc, argv);
}
