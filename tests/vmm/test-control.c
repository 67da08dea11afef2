/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The control socket: what a line means, what is answered, and what a rude client gets.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <linux/input-event-codes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/vmm-control.h"
#include "vmm-error.h"

typedef struct {
  char *folder, *path;
  VmmControl *control;
  guint n_commands;
  VmmCommand last;
} Fixture;

static char *
on_command (gpointer data, const VmmCommand *command, GError **error)
{
  Fixture *self = data;

  self->n_commands++;
  self->last = *command;
  if (command->kind == VMM_COMMAND_RESET) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_STATE, "No \"reset\" here.");
    return NULL;
  }
  return g_strdup (command->kind == VMM_COMMAND_STATS ? "{\"a\": 1}" : "true");
}

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("test-control-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->folder, "socket", NULL);
}

static void
open_control (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  self->control = vmm_control_new (self->path, on_command, self, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_clear_pointer (&self->control, vmm_control_free);
  g_assert_cmpint (g_access (self->path, F_OK), <, 0);
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->folder);
  g_free (self->path);
}

static void
assert_answer (Fixture *self, const char *line, const char *expected)
{
  g_autofree char *answer = vmm_control_answer (line, strlen (line), on_command, self);

  g_assert_cmpstr (answer, ==, expected);
}

static void
test_answers (Fixture *self, gconstpointer data)
{
  assert_answer (self, "{\"id\":7,\"do\":\"pause\"}", "{\"id\": 7, \"ok\": true}");
  g_assert_cmpint (self->last.kind, ==, VMM_COMMAND_PAUSE);
  assert_answer (self, "{\"do\":\"stats\",\"id\":\"x\\n\"}",
                 "{\"id\": \"x\\n\", \"ok\": {\"a\": 1}}");
  assert_answer (self, "{\"do\":\"quit\"}", "{\"id\": null, \"ok\": true}");
  assert_answer (self, "{\"id\":1,\"do\":\"reset\"}",
                 "{\"id\": 1, \"error\": \"No \\\"reset\\\" here.\"}");
  g_assert_cmpuint (self->n_commands, ==, 4);
}

static void
test_key (Fixture *self, gconstpointer data)
{
  assert_answer (self, "{\"id\":1,\"do\":\"key\",\"code\":30,\"pressed\":true}",
                 "{\"id\": 1, \"ok\": true}");
  g_assert_cmpuint (self->last.code, ==, KEY_A);
  g_assert_true (self->last.pressed && !self->last.click);
  assert_answer (self, "{\"id\":1,\"do\":\"key\",\"code\":30,\"pressed\":false}",
                 "{\"id\": 1, \"ok\": true}");
  g_assert_true (!self->last.pressed && !self->last.click);
  assert_answer (self, "{\"id\":1,\"do\":\"key\",\"code\":30}", "{\"id\": 1, \"ok\": true}");
  g_assert_true (self->last.click);
}

static void
test_pointer (Fixture *self, gconstpointer data)
{
  assert_answer (self, "{\"id\":1,\"do\":\"pointer\",\"x\":0.25,\"y\":1}",
                 "{\"id\": 1, \"ok\": true}");
  g_assert_true (self->last.moves && self->last.code == 0);
  g_assert_cmpfloat (self->last.x, ==, 0.25);
  g_assert_cmpfloat (self->last.y, ==, 1);
  assert_answer (self, "{\"id\":1,\"do\":\"pointer\",\"button\":\"right\",\"wheel\":-2}",
                 "{\"id\": 1, \"ok\": true}");
  g_assert_true (!self->last.moves && self->last.click);
  g_assert_cmpuint (self->last.code, ==, BTN_RIGHT);
  g_assert_cmpint (self->last.wheel, ==, -2);
}

static void
test_save (Fixture *self, gconstpointer data)
{
  assert_answer (self, "{\"do\":\"save\",\"path\":\"/tmp/x\"}", "{\"id\": null, \"ok\": true}");
  g_assert_cmpint (self->last.kind, ==, VMM_COMMAND_SAVE);
}

static void
test_resize (Fixture *self, gconstpointer data)
{
  assert_answer (self, "{\"do\":\"resize-disk\",\"device\":\"disk0\",\"size\":21474836480}",
                 "{\"id\": null, \"ok\": true}");
  g_assert_cmpint (self->last.kind, ==, VMM_COMMAND_RESIZE_DISK);
  g_assert_cmpuint (self->last.size, ==, G_GUINT64_CONSTANT (20) << 30);
}

static void
test_plug (Fixture *self, gconstpointer data)
{
  assert_answer (self, "{\"do\":\"attach\",\"disk\":\"a.img,readonly=on\"}",
                 "{\"id\": null, \"ok\": true}");
  g_assert_cmpint (self->last.kind, ==, VMM_COMMAND_ATTACH);
  assert_answer (self, "{\"do\":\"attach\",\"net\":\"user\"}", "{\"id\": null, \"ok\": true}");
  g_assert_cmpint (self->last.kind, ==, VMM_COMMAND_ATTACH);
  assert_answer (self, "{\"do\":\"detach\",\"device\":\"disk1\",\"force\":true}",
                 "{\"id\": null, \"ok\": true}");
  g_assert_cmpint (self->last.kind, ==, VMM_COMMAND_DETACH);
  g_assert_true (self->last.force);
}

/* MiB; none: a question. */
static void
test_balloon (Fixture *self, gconstpointer data)
{
  assert_answer (self, "{\"do\":\"balloon\",\"target\":5120}", "{\"id\": null, \"ok\": true}");
  g_assert_cmpint (self->last.kind, ==, VMM_COMMAND_BALLOON);
  g_assert_cmpuint (self->last.size, ==, G_GUINT64_CONSTANT (5) << 30);
  assert_answer (self, "{\"do\":\"balloon\"}", "{\"id\": null, \"ok\": true}");
  g_assert_cmpuint (self->last.size, ==, 0);
}

static void
test_cpu (Fixture *self, gconstpointer data)
{
  assert_answer (self, "{\"do\":\"cpu-cap\",\"percent\":25}", "{\"id\": null, \"ok\": true}");
  g_assert_cmpint (self->last.kind, ==, VMM_COMMAND_CPU_CAP);
  g_assert_cmpuint (self->last.percent, ==, 25);
  assert_answer (self, "{\"do\":\"cpu-weight\",\"weight\":50}", "{\"id\": null, \"ok\": true}");
  g_assert_cmpint (self->last.kind, ==, VMM_COMMAND_CPU_WEIGHT);
  g_assert_cmpuint (self->last.weight, ==, 50);
}

static void
test_refused (Fixture *self, gconstpointer data)
{
  static const char *const wrong[] = {
    "{}",
    "{\"do\":\"save\"}",
    "{\"do\":\"save\",\"path\":\"\"}",
    "{\"do\":1}",
    "{\"do\":\"explode\"}",
    "{\"do\":\"key\"}",
    "{\"do\":\"key\",\"code\":0}",
    "{\"do\":\"key\",\"code\":-1}",
    "{\"do\":\"key\",\"code\":768}",
    "{\"do\":\"key\",\"code\":1e300}",
    "{\"do\":\"key\",\"code\":30.5}",
    "{\"do\":\"key\",\"code\":\"30\"}",
    "{\"do\":\"key\",\"code\":30,\"pressed\":1}",
    "{\"do\":\"pointer\",\"x\":0.5}",
    "{\"do\":\"pointer\",\"x\":1.01,\"y\":0}",
    "{\"do\":\"pointer\",\"x\":-0.1,\"y\":0}",
    "{\"do\":\"pointer\",\"button\":\"third\"}",
    "{\"do\":\"pointer\",\"wheel\":1000000000000}",
    "{\"do\":\"screenshot\"}",
    "{\"do\":\"screenshot\",\"path\":\"\"}",
    "{\"do\":\"balloon\",\"target\":0}",
    "{\"do\":\"balloon\",\"target\":1e300}",
    "{\"do\":\"balloon\",\"target\":256.5}",
    "{\"do\":\"balloon\",\"target\":\"256M\"}",
    "{\"do\":\"cpu-cap\"}",
    "{\"do\":\"cpu-cap\",\"percent\":0}",
    "{\"do\":\"cpu-cap\",\"percent\":101}",
    "{\"do\":\"cpu-cap\",\"percent\":\"25\"}",
    "{\"do\":\"cpu-weight\"}",
    "{\"do\":\"cpu-weight\",\"weight\":0}",
    "{\"do\":\"cpu-weight\",\"weight\":10001}",
    "{\"do\":\"attach\"}",
    "{\"do\":\"attach\",\"disk\":1}",
    "{\"do\":\"attach\",\"disk\":\"a\",\"net\":\"user\"}",
    "{\"do\":\"detach\"}",
    "{\"do\":\"detach\",\"device\":\"disk0\",\"force\":1}",
    "{\"do\":\"resize-disk\",\"size\":512}",
    "{\"do\":\"resize-disk\",\"device\":\"disk0\"}",
    "{\"do\":\"resize-disk\",\"device\":\"disk0\",\"size\":-1}",
    "{\"do\":\"resize-disk\",\"device\":\"disk0\",\"size\":1e300}",
    "{\"do\":\"resize-disk\",\"device\":\"disk0\",\"size\":\"1G\"}",
    "pause",
    "",
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *answer = vmm_control_answer (wrong[i], strlen (wrong[i]), on_command, self);

    g_assert_true (g_str_has_prefix (answer, "{\"id\": null, \"error\": \""));
  }
  g_assert_cmpuint (self->n_commands, ==, 0);
}

static int
connect_client (Fixture *self)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  g_strlcpy (address.sun_path, self->path, sizeof address.sun_path);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

/* Runs the main context until a line (or the end, as "") has come. */
static char *
read_line (int fd)
{
  g_autoptr (GString) line = g_string_new (NULL);
  char c;

  for (;;) {
    gssize n = read (fd, &c, 1);

    if (n == 0 || (n == 1 && c == '\n'))
      return g_string_free (g_steal_pointer (&line), FALSE);
    if (n == 1)
      g_string_append_c (line, c);
    else
      g_main_context_iteration (NULL, FALSE);
  }
}

static void
assert_line (int fd, const char *expected)
{
  g_autofree char *line = read_line (fd);

  g_assert_cmpstr (line, ==, expected);
}

static void
send_text (int fd, const char *text)
{
  g_assert_cmpint (write (fd, text, strlen (text)), ==, strlen (text));
}

static void
test_socket (Fixture *self, gconstpointer data)
{
  struct stat info;
  int first, second;

  open_control (self);
  g_assert_cmpint (stat (self->path, &info), ==, 0);
  g_assert_cmphex (info.st_mode & 0777, ==, 0600);

  first = connect_client (self);
  second = connect_client (self);
  send_text (first, "{\"id\":1,\"do\":\"pause\"}\n{\"id\":2,\"do\":\"res");
  assert_line (first, "{\"id\": 1, \"ok\": true}");
  send_text (first, "ume\"}\n");
  assert_line (first, "{\"id\": 2, \"ok\": true}");
  send_text (second, "nonsense\n{\"id\":3,\"do\":\"stats\"}\n");
  g_free (read_line (second));
  assert_line (second, "{\"id\": 3, \"ok\": {\"a\": 1}}");

  vmm_control_send_event (self->control, "{\"event\": \"reset\"}");
  assert_line (first, "{\"event\": \"reset\"}");
  assert_line (second, "{\"event\": \"reset\"}");
  close (first);
  close (second);
}

/* A line without end, and a client that never reads: both are sent away, others stay. */
static void
test_rude (Fixture *self, gconstpointer data)
{
  g_autofree char *endless = g_strnfill (VMM_JSON_MAX_LENGTH, 'x');
  g_autofree char *event = g_strnfill (4096, 'e');
  int talker, sleeper, good;

  open_control (self);
  talker = connect_client (self);
  sleeper = connect_client (self);
  send_text (sleeper, "{\"id\":1,\"do\":\"pause\"}\n");
  assert_line (sleeper, "{\"id\": 1, \"ok\": true}");
  send_text (talker, endless);
  assert_line (talker, "");
  for (guint i = 0; i < 4096; i++)
    vmm_control_send_event (self->control, event);
  good = connect_client (self);
  send_text (good, "{\"id\":2,\"do\":\"pause\"}\n");
  assert_line (good, "{\"id\": 2, \"ok\": true}");
  close (talker);
  close (sleeper);
  close (good);
}

/* Without a descriptor for it a connection waits, the process does not spin, and it is taken when
 * there is one. */
static void
test_no_descriptor (Fixture *self, gconstpointer data)
{
  struct rlimit before, limit;
  int client, next;
  guint turns = 0;

  open_control (self);
  while (g_main_context_iteration (NULL, FALSE)) /* GLib's own descriptors are made */
    ;
  client = connect_client (self);
  next = dup (client);
  close (next);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  limit = before;
  limit.rlim_cur = next;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  while (turns < 100 && g_main_context_iteration (NULL, FALSE))
    turns++;
  g_assert_cmpuint (turns, >, 0);
  g_assert_cmpuint (turns, <, 100);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
  send_text (client, "{\"id\":1,\"do\":\"pause\"}\n");
  assert_line (client, "{\"id\": 1, \"ok\": true}");
  close (client);
}

static void
test_path (Fixture *self, gconstpointer data)
{
  g_autofree char *name = g_strnfill (200, 'n');
  g_autofree char *long_path = g_build_filename (self->folder, name, NULL);
  g_autoptr (GError) error = NULL;
  VmmControl *other;

  g_assert_null (vmm_control_new (long_path, on_command, self, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_IO);
  g_clear_error (&error);
  g_assert_null (vmm_control_new ("/nowhere/at/all", on_command, self, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_IO);
  g_clear_error (&error);

  /* Somebody else's socket is left alone, and so is a file. */
  open_control (self);
  other = vmm_control_new (self->path, on_command, self, &error);
  g_assert_null (other);
  g_assert_error (error, VMM_ERROR, VMM_ERROR_IO);
  close (connect_client (self));
  g_clear_pointer (&self->control, vmm_control_free);
  g_assert_true (g_file_set_contents (self->path, "text", -1, NULL));
  g_clear_error (&error);
  g_assert_null (vmm_control_new (self->path, on_command, self, &error));
  g_assert_cmpint (g_unlink (self->path), ==, 0);
}

/* What a process left that was killed is no obstacle. */
static void
test_stale (Fixture *self, gconstpointer data)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_strlcpy (address.sun_path, self->path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  close (fd);
  open_control (self);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)
  ADD ("/control/answers", test_answers);
  ADD ("/control/key", test_key);
  ADD ("/control/pointer", test_pointer);
  ADD ("/control/save", test_save);
  ADD ("/control/resize", test_resize);
  ADD ("/control/plug", test_plug);
  ADD ("/control/balloon", test_balloon);
  ADD ("/control/cpu", test_cpu);
  ADD ("/control/refused", test_refused);
  ADD ("/control/socket", test_socket);
  ADD ("/control/rude", test_rude);
  ADD ("/control/no-descriptor", test_no_descriptor);
  ADD ("/control/path", test_path);
  ADD ("/control/stale", test_stale);
  return g_test_run ();
}
