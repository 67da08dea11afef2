/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-control.h. A client that sends a line too long, or does not read what it is sent, is
 * dropped: nobody may make the process grow or wait.
 */
#include "tools/vmm-control.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/vmm-socket.h"

#define MAX_CLIENTS 16
#define RETRY_MS    200

typedef struct {
  VmmControl *control;
  int fd;
  guint source;
  gsize length; /* of what is in @line */
  char line[VMM_JSON_MAX_LENGTH];
} Client;

struct _VmmControl {
  char *path;
  int fd;
  guint source; /* of connections; or, after one that could not be taken, of the next try */
  VmmControlFunc func;
  gpointer data;
  GPtrArray *clients;
};

char *
vmm_control_answer (const char *line, gsize length, VmmControlFunc func, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL, *result = NULL;
  g_autoptr (VmmCommand) command = vmm_command_parse (line, length, &id, &error);
  g_autoptr (GString) answer = g_string_new ("{\"id\": ");

  if (command)
    result = func (data, command, &error);
  g_string_append (answer, id);
  if (result) {
    g_string_append_printf (answer, ", \"ok\": %s}", result);
  } else {
    g_string_append (answer, ", \"error\": ");
    vmm_json_append_string (answer, error->message);
    g_string_append_c (answer, '}');
  }
  return g_string_free (g_steal_pointer (&answer), FALSE);
}

static void
client_free (gpointer data)
{
  Client *client = data;

  g_source_remove (client->source);
  close (client->fd);
  g_free (client);
}

/* FALSE: the client does not read and has to go. */
static gboolean
client_send (Client *client, const char *line)
{
  g_autofree char *ended = g_strconcat (line, "\n", NULL);
  gsize length = strlen (ended);

  return send (client->fd, ended, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (gssize) length;
}

/* Answers the whole lines that came so far. */
static gboolean
client_answer_lines (Client *client)
{
  char *end;

  while ((end = memchr (client->line, '\n', client->length))) {
    gsize length = end - client->line;
    g_autofree char *answer =
      vmm_control_answer (client->line, length, client->control->func, client->control->data);

    if (!client_send (client, answer))
      return FALSE;
    client->length -= length + 1;
    memmove (client->line, end + 1, client->length);
  }
  return client->length < sizeof client->line;
}

static gboolean
on_client (int fd, GIOCondition condition, gpointer data)
{
  Client *client = data;
  gssize n =
    recv (fd, client->line + client->length, sizeof client->line - client->length, MSG_DONTWAIT);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (n > 0) {
    client->length += n;
    if (client_answer_lines (client))
      return G_SOURCE_CONTINUE;
  }
  g_ptr_array_remove_fast (client->control->clients, client);
  return G_SOURCE_CONTINUE; /* client_free has removed the source already */
}

static void listen_on (VmmControl *self);

static gboolean
on_retry (gpointer data)
{
  listen_on (data);
  return G_SOURCE_REMOVE;
}

/* Whether accept failed for a reason that lasts: the connection waits, and asking at once would ask
 * for ever. */
static gboolean
lasts (int error)
{
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static gboolean
on_connection (int fd, GIOCondition condition, gpointer data)
{
  VmmControl *self = data;
  int client_fd = accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  Client *client;

  if (client_fd < 0 && lasts (errno)) {
    self->source = g_timeout_add (RETRY_MS, on_retry, self);
    return G_SOURCE_REMOVE;
  }
  if (client_fd < 0)
    return G_SOURCE_CONTINUE;
  if (self->clients->len == MAX_CLIENTS) {
    close (client_fd);
    return G_SOURCE_CONTINUE;
  }
  client = g_new0 (Client, 1);
  client->control = self;
  client->fd = client_fd;
  client->source = g_unix_fd_add (client_fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_client, client);
  g_ptr_array_add (self->clients, client);
  return G_SOURCE_CONTINUE;
}

static void
listen_on (VmmControl *self)
{
  self->source = g_unix_fd_add (self->fd, G_IO_IN, on_connection, self);
}

VmmControl *
vmm_control_new (const char *path, VmmControlFunc func, gpointer data, GError **error)
{
  VmmControl *self = g_new0 (VmmControl, 1);

  self->path = g_strdup (path);
  self->func = func;
  self->data = data;
  self->fd = vmm_socket_listen ("The control socket", path, MAX_CLIENTS, error);
  if (self->fd < 0) {
    g_free (self->path);
    g_free (self);
    return NULL;
  }
  self->clients = g_ptr_array_new_with_free_func (client_free);
  listen_on (self);
  return self;
}

void
vmm_control_free (VmmControl *self)
{
  g_ptr_array_unref (self->clients);
  g_source_remove (self->source);
  close (self->fd);
  unlink (self->path);
  g_free (self->path);
  g_free (self);
}

void
vmm_control_send_event (VmmControl *self, const char *line)
{
  for (guint i = self->clients->len; i-- > 0;)
    if (!client_send (g_ptr_array_index (self->clients, i), line))
      g_ptr_array_remove_index_fast (self->clients, i);
}
