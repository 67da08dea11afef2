/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A library over the bus: what its clients ask, and what hostile ones, and owners, say.
 */
#include "service-test.h"
#include "dbus/vd-variant.h"
#include "fake-engine.h"

#include <string.h>

static void
exercise (VdClient *client)
{
  g_autofree char *uuid = service_test_create (client, "One", VD_ENGINE_LOCAL);
  g_autoptr (GVariant) list = NULL;
  g_autoptr (GVariant) machines = NULL;

  service_test_assert_state (client, uuid, "off");
  service_test_assert_state (client, "One", "off");
  service_test_fail_call (client, "Show", g_variant_new ("(s)", "Two"), VD_ERROR_NOT_FOUND);
  service_test_fail_call (client, "ForceOff", g_variant_new ("(s)", "One"), VD_ERROR_STATE);
  service_test_do_call (client, "Start", "One");
  service_test_assert_state (client, "One", "running");
  service_test_do_call (client, "Pause", "One");
  service_test_assert_state (client, "One", "paused");
  service_test_do_call (client, "Resume", "One");
  service_test_do_call (client, "PowerOff", "One");
  service_test_assert_state (client, "One", "stopping");
  service_test_fail_call (client, "Delete", g_variant_new ("(sb)", "One", FALSE), VD_ERROR_STATE);
  service_test_fail_call (client, "Screenshot", g_variant_new ("(s)", "One"), VD_ERROR_STATE);
  /* Off when it says so, not a moment later. */
  service_test_do_call (client, "ForceOff", "One");
  service_test_assert_state (client, "One", "off");
  service_test_do_call (client, "Start", "One");
  service_test_do_call (client, "ForceOff", "One");

  g_variant_unref (service_test_call (client, "Delete", g_variant_new ("(sb)", "One", TRUE)));
  service_test_do_call (client, "Restore", uuid);
  service_test_assert_state (client, "One", "off");
  g_variant_unref (service_test_call (client, "Delete", g_variant_new ("(sb)", "One", FALSE)));
  service_test_fail_call (client, "Restore", g_variant_new ("(s)", uuid), VD_ERROR_NOT_FOUND);
  list = service_test_call (client, "List", NULL);
  machines = g_variant_get_child_value (list, 0);
  g_assert_cmpuint (g_variant_n_children (machines), ==, 0);
}

static void
test_client (ServiceTest *self, gconstpointer data)
{
  g_autoptr (VdClient) client = service_test_new_client (self);
  g_autoptr (GError) error = NULL;

  g_assert_false (vd_client_is_direct (client));
  exercise (client);
  g_assert_null (vd_library_open_with (self->path, fake_engine_list_new (), &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_OWNED);
}

/* What a caller may send that is no machine. */
static void
test_hostile_create (ServiceTest *self, gconstpointer data)
{
  static const char *const configs[] = {
    "{'memory': <'lots'>}",
    "{'cpus': <uint64 1>}",
    "{'unheard-of': <1>}",
    "{'engine': <'steam'>}",
    "{'name': <'x'>, 'uuid': <'../../x'>}",
    "{'name': <'x'>, 'disks': <[{'path': <'relative'>}]>}",
    "{'name': <'x'>, 'disks': <[{'owned': <true>}]>}",
    "{'name': <'x'>, 'disks': <'none'>}",
    "{'name': <''>}",
  };
  g_autoptr (VdClient) client = service_test_new_client (self);

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++) {
    g_autoptr (GError) error = NULL;
    GVariant *config = g_variant_parse (G_VARIANT_TYPE ("a{sv}"), configs[i], NULL, NULL, &error);

    g_assert_no_error (error);
    service_test_fail_call (client, "Create", g_variant_new ("(@a{sv})", config), VD_ERROR_INVALID);
    g_variant_unref (config);
  }
}

/* Whoever says that it owns the library. */
static void
test_hostile_owner (ServiceTest *self, gconstpointer data)
{
  static const char *const methods[] = { "Show", "Start", "Wait", "Restore" };
  g_autoptr (VdClient) client = service_test_new_client (self);
  g_autoptr (GError) error = NULL;
  int fd = -1;

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    service_test_fail_call (client, methods[i], g_variant_new ("(s)", "One"), VD_ERROR_FAILED);
  service_test_fail_call (client, "List", NULL, VD_ERROR_FAILED);
  g_assert_null (vd_client_call (client, "Screenshot", g_variant_new ("(s)", "One"), &fd, &error));
  g_assert_error (error, VD_ERROR, VD_ERROR_FAILED);
  g_assert_cmpint (fd, ==, -1);
}

/* Nobody owns it: the client does, over a pair of sockets, and with the real engines. */
static void
test_direct (ServiceTest *self, gconstpointer data)
{
  g_autoptr (VdClient) client = service_test_new_client (self);
  g_autofree char *uuid = NULL;
  g_autofree char *owner = NULL;

  g_assert_true (vd_client_is_direct (client));
  uuid = service_test_create (client, "One", VD_ENGINE_AUTO);
  service_test_assert_state (client, "One", "off");
  service_test_fail_call (client, "Show", g_variant_new ("(s)", "Two"), VD_ERROR_NOT_FOUND);
  g_variant_unref (service_test_call (client, "Delete", g_variant_new ("(sb)", "One", FALSE)));
  g_assert_true (vd_library_find_owner (self->path, &owner));
  g_assert_null (owner);
  g_clear_pointer (&client, vd_client_free);
  g_assert_false (vd_library_find_owner (self->path, &owner));
}

typedef struct {
  VdClient *client;
  GVariant *reply;
} Second;

static gboolean
take_second_picture (gpointer data)
{
  Second *second = data;

  second->reply = service_test_call (second->client, "Screenshot", g_variant_new ("(s)", "One"));
  return G_SOURCE_REMOVE;
}

/* Two at once, of one machine: each gets its own, and nothing is left. */
static void
test_two_pictures (ServiceTest *self, gconstpointer data)
{
  g_autoptr (VdClient) client = service_test_new_client (self);
  g_autofree char *uuid = service_test_create (client, "One", VD_ENGINE_AUTO);
  g_autofree char *machines = g_build_filename (self->path, VD_MACHINES_FOLDER, NULL);
  g_autofree char *folder = g_build_filename (machines, uuid, NULL);
  g_autoptr (GDir) dir = NULL;
  Second second = { NULL, NULL };

  g_clear_pointer (&client, vd_client_free);
  app_test_write (folder, VD_SCREENSHOT_FILE, "a picture");
  client = second.client = service_test_new_client (self);
  g_idle_add (take_second_picture, &second);
  g_variant_unref (service_test_call (client, "Screenshot", g_variant_new ("(s)", "One")));
  while (second.reply == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_variant_unref (second.reply);
  dir = g_dir_open (machines, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, uuid);
  g_assert_null (g_dir_read_name (dir));
}

static void
test_names (ServiceTest *self, gconstpointer data)
{
  g_autofree char *usual = vd_service_make_name (NULL);
  g_autofree char *default_path = vd_library_default_path ();
  g_autofree char *usual_too = vd_service_make_name (default_path);
  g_autofree char *one = vd_service_make_name ("/tmp/one");
  g_autofree char *one_too = vd_service_make_name ("/tmp/x/../one/");
  g_autofree char *two = vd_service_make_name ("/tmp/two");

  g_assert_cmpstr (usual, ==, VD_SERVICE_NAME);
  g_assert_cmpstr (usual_too, ==, VD_SERVICE_NAME);
  g_assert_cmpstr (one, ==, one_too);
  g_assert_cmpstr (one, !=, usual);
  g_assert_cmpstr (one, !=, two);
  g_assert_true (g_application_id_is_valid (one));
}

int
main (int argc, char **argv)
{
  static const ServiceTestCase cases[] = {
    { "client", "--serve", test_client },
    { "hostile-create", "--serve", test_hostile_create },
    { "hostile-owner", "--nonsense", test_hostile_owner },
    { "direct", NULL, test_direct },
    { "two-pictures", NULL, test_two_pictures },
    { "names", NULL, test_names },
  };

  return service_test_main (argc, argv, cases, G_N_ELEMENTS (cases));
}
