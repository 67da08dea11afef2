/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdSpiceDisplay: a SPICE session and its four channels that matter: main, display,
 * cursor, inputs. The picture is in vd-spice-screen.c, what goes to the inputs in
 * vd-spice-input.c.
 *
 * Threads: main; open_thread_func on the worker.
 */
#include "spice/vd-spice-display-private.h"

#include <unistd.h>

#define MAX_CURSOR 1024 /* pixels a side */

/* The library defines none of these. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SpiceSession, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SpiceChannel, g_object_unref)

G_DEFINE_FINAL_TYPE (VdSpiceDisplay, vd_spice_display, VD_TYPE_DISPLAY)

static void
wake (VdSpiceDisplay *self)
{
  if (!self->viewed || self->woken)
    return;
  self->woken = TRUE;
  vd_display_emit_changed (VD_DISPLAY (self));
}

static void
on_primary_create (VdSpiceDisplay *self,
                   int format,
                   int width,
                   int height,
                   int stride,
                   int shmid,
                   gpointer data)
{
  gboolean known = format == SPICE_SURFACE_FMT_32_xRGB || format == SPICE_SURFACE_FMT_32_ARGB;

  /* A negative stride would mean a picture upside down; SPICE's canvases have none. */
  if (!known || width < 0 || height < 0 || stride < 0 ||
      !vd_spice_screen_set_source (&self->screen, data, width, height, stride))
    g_message ("a screen of %d x %d in format %d cannot be shown", width, height, format);
  wake (self);
}

static void
on_primary_destroy (VdSpiceDisplay *self)
{
  vd_spice_screen_set_source (&self->screen, NULL, 0, 0, 0);
  wake (self);
}

static void
on_invalidate (VdSpiceDisplay *self, int x, int y, int width, int height)
{
  vd_spice_screen_draw (&self->screen, &(VdRect) { x, y, width, height });
  wake (self);
}

/* SPICE has red, green, blue, alpha; we have premultiplied ARGB words. */
static GBytes *
convert_cursor (const guint8 *rgba, gsize n_pixels)
{
  guint32 *pixels = g_new (guint32, n_pixels);

  for (gsize i = 0; i < n_pixels; i++, rgba += 4) {
    guint32 alpha = rgba[3];

    pixels[i] = alpha << 24 | rgba[0] * alpha / 255 << 16 | rgba[1] * alpha / 255 << 8 |
                rgba[2] * alpha / 255;
  }
  return g_bytes_new_take (pixels, n_pixels * 4);
}

static void
cursor_changed (VdSpiceDisplay *self)
{
  self->cursor_changed = TRUE;
  wake (self);
}

static void
on_cursor (VdSpiceDisplay *self)
{
  SpiceCursorShape *shape = NULL;

  if (self->pointer == NULL)
    return; /* of a session that was left */
  g_object_get (self->pointer, "cursor", &shape, NULL);
  if (shape == NULL)
    return;
  if (shape->data != NULL && shape->width <= MAX_CURSOR && shape->height <= MAX_CURSOR) {
    g_clear_pointer (&self->cursor.pixels, g_bytes_unref);
    self->cursor.pixels = convert_cursor (shape->data, (gsize) shape->width * shape->height);
    self->cursor.width = shape->width;
    self->cursor.height = shape->height;
    self->cursor.hot_x = shape->hot_spot_x;
    self->cursor.hot_y = shape->hot_spot_y;
    self->cursor.serial++;
    self->cursor.visible = TRUE;
  }
  g_boxed_free (SPICE_TYPE_CURSOR_SHAPE, shape);
  cursor_changed (self);
}

static void
on_cursor_move (VdSpiceDisplay *self, int x, int y)
{
  self->cursor.x = x;
  self->cursor.y = y;
  self->cursor.visible = TRUE;
  cursor_changed (self);
}

static void
on_cursor_hide (VdSpiceDisplay *self)
{
  self->cursor.visible = FALSE;
  cursor_changed (self);
}

static void
on_cursor_reset (VdSpiceDisplay *self)
{
  g_clear_pointer (&self->cursor.pixels, g_bytes_unref);
  self->cursor.width = self->cursor.height = 0;
  self->cursor.serial++;
  cursor_changed (self);
}

/* Opens a socket on the worker. */
typedef struct {
  VdSpiceOpen open;
  GObject *owner;
} OpenCall;

static void
open_call_free (gpointer data)
{
  OpenCall *call = data;

  g_object_unref (call->owner);
  g_free (call);
}

static void
open_on_worker (gpointer data)
{
  GTask *task = data;
  OpenCall *call = g_task_get_task_data (task);
  GError *error = NULL;
  int fd = call->open (call->owner, &error);

  if (fd < 0)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, fd);
  vd_unref_on_main (task);
}

static void
open_async (VdSpiceDisplay *self, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, data);
  OpenCall *call = g_new (OpenCall, 1);
  GError *error = NULL;

  *call = (OpenCall) { self->open, g_object_ref (self->owner) };
  g_task_set_task_data (task, call, open_call_free);
  if (vd_worker_push (self->worker, open_on_worker, task, &error))
    g_steal_pointer (&task);
  else
    g_task_return_error (task, error);
}

static int
open_finish (GAsyncResult *result)
{
  g_autoptr (GError) error = NULL;
  gssize fd = g_task_propagate_int (G_TASK (result), &error);

  if (error != NULL) {
    g_message ("no connection to the screen: %s", error->message);
    return -1;
  }
  return fd;
}

static void
on_channel_opened (GObject *source, GAsyncResult *result, gpointer data)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (source);
  g_autoptr (SpiceChannel) channel = data;
  int fd = open_finish (result);

  if (fd >= 0 && (self->session == NULL || !spice_channel_open_fd (channel, fd)))
    close (fd);
}

static void
on_open_fd (VdSpiceDisplay *self, int with_tls, SpiceChannel *channel)
{
  if (self->session != NULL) /* else it was left, and nobody can open anything */
    open_async (self, on_channel_opened, g_object_ref (channel));
}

static void
add_display (VdSpiceDisplay *self, SpiceChannel *channel)
{
  self->display = SPICE_DISPLAY_CHANNEL (channel);
  g_signal_connect_object (channel, "display-primary-create", G_CALLBACK (on_primary_create), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (channel, "display-primary-destroy", G_CALLBACK (on_primary_destroy),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (channel, "display-invalidate", G_CALLBACK (on_invalidate), self,
                           G_CONNECT_SWAPPED);
}

static void
add_cursor (VdSpiceDisplay *self, SpiceChannel *channel)
{
  self->pointer = SPICE_CURSOR_CHANNEL (channel);
  g_signal_connect_object (channel, "notify::cursor", G_CALLBACK (on_cursor), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (channel, "cursor-move", G_CALLBACK (on_cursor_move), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (channel, "cursor-hide", G_CALLBACK (on_cursor_hide), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (channel, "cursor-reset", G_CALLBACK (on_cursor_reset), self,
                           G_CONNECT_SWAPPED);
}

/* A channel that is not open takes nothing, and is offended when it is asked. */
static void
on_inputs_event (VdSpiceDisplay *self, SpiceChannelEvent event, SpiceChannel *channel)
{
  self->inputs = event == SPICE_CHANNEL_OPENED ? SPICE_INPUTS_CHANNEL (channel) : NULL;
}

static void
on_main_event (VdSpiceDisplay *self, SpiceChannelEvent event, SpiceChannel *channel)
{
  self->main = event == SPICE_CHANNEL_OPENED ? SPICE_MAIN_CHANNEL (channel) : NULL;
}

/* Only the first screen; sound and the rest are not ours yet. */
static void
on_channel_new (VdSpiceDisplay *self, SpiceChannel *channel)
{
  int id;

  g_object_get (channel, "channel-id", &id, NULL);
  if (SPICE_IS_MAIN_CHANNEL (channel))
    g_signal_connect_object (channel, "channel-event", G_CALLBACK (on_main_event), self,
                             G_CONNECT_SWAPPED);
  else if (SPICE_IS_DISPLAY_CHANNEL (channel) && id == 0)
    add_display (self, channel);
  else if (SPICE_IS_CURSOR_CHANNEL (channel) && id == 0)
    add_cursor (self, channel);
  else if (SPICE_IS_INPUTS_CHANNEL (channel))
    g_signal_connect_object (channel, "channel-event", G_CALLBACK (on_inputs_event), self,
                             G_CONNECT_SWAPPED);
  else
    return;
  g_signal_connect_object (channel, "open-fd", G_CALLBACK (on_open_fd), self, G_CONNECT_SWAPPED);
  if (!SPICE_IS_MAIN_CHANNEL (channel))
    spice_channel_connect (channel);
}

static void
on_channel_destroy (VdSpiceDisplay *self, SpiceChannel *channel)
{
  if (SPICE_CHANNEL (self->display) == channel) {
    on_primary_destroy (self);
    self->display = NULL;
  }
  if (SPICE_CHANNEL (self->main) == channel)
    self->main = NULL;
  if (SPICE_CHANNEL (self->pointer) == channel)
    self->pointer = NULL;
  if (SPICE_CHANNEL (self->inputs) == channel)
    self->inputs = NULL;
}

static void
on_session_opened (GObject *source, GAsyncResult *result, gpointer data)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (source);
  g_autoptr (SpiceSession) session = data;
  int fd = open_finish (result);

  if (fd >= 0 && (self->session != session || !spice_session_open_fd (session, fd)))
    close (fd);
}

void
vd_spice_display_connect (VdSpiceDisplay *self, VdWorker *worker, VdSpiceOpen open, GObject *owner)
{
  vd_spice_display_disconnect (self);
  self->worker = vd_worker_ref (worker);
  self->open = open;
  self->owner = g_object_ref (owner);
  self->session = spice_session_new ();
  g_object_set (self->session, "enable-audio", FALSE, "enable-usbredir", FALSE, "enable-smartcard",
                FALSE, NULL);
  g_signal_connect_object (self->session, "channel-new", G_CALLBACK (on_channel_new), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->session, "channel-destroy", G_CALLBACK (on_channel_destroy), self,
                           G_CONNECT_SWAPPED);
  open_async (self, on_session_opened, g_object_ref (self->session));
}

gboolean
vd_spice_display_is_connected (VdSpiceDisplay *self)
{
  return self->session != NULL;
}

/* They may have things to say on their way out, which are nothing to us any more. */
static void
forget_channels (VdSpiceDisplay *self, SpiceSession *session)
{
  g_autoptr (GList) channels = spice_session_get_channels (session);

  for (GList *l = channels; l != NULL; l = l->next)
    g_signal_handlers_disconnect_by_data (l->data, self);
}

void
vd_spice_display_disconnect (VdSpiceDisplay *self)
{
  g_autoptr (SpiceSession) session = g_steal_pointer (&self->session);

  if (session == NULL)
    return;
  on_primary_destroy (self);
  g_signal_handlers_disconnect_by_data (session, self);
  forget_channels (self, session);
  self->main = NULL;
  self->display = NULL;
  self->pointer = NULL;
  self->inputs = NULL;
  spice_session_disconnect (session);
  g_clear_object (&self->owner);
  g_clear_pointer (&self->worker, vd_worker_unref);
}

static gboolean
vd_spice_display_take_frame (VdDisplay *display, VdFrame *frame)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (display);

  self->woken = FALSE;
  return vd_spice_screen_take (&self->screen, frame);
}

static gboolean
vd_spice_display_peek_frame (VdDisplay *display, VdFrame *frame)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (display);

  vd_spice_screen_peek (&self->screen, frame);
  return frame->pixels != NULL;
}

static gboolean
vd_spice_display_take_cursor (VdDisplay *display, VdCursor *cursor)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (display);

  self->woken = FALSE;
  if (!self->cursor_changed)
    return FALSE;
  self->cursor_changed = FALSE;
  *cursor = self->cursor;
  if (cursor->pixels != NULL)
    g_bytes_ref (cursor->pixels);
  return TRUE;
}

/* A new viewer gets all there is. */
static void
vd_spice_display_set_viewed (VdDisplay *display, gboolean viewed)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (display);

  self->viewed = viewed;
  self->woken = FALSE;
  if (!viewed)
    return;
  vd_spice_screen_touch (&self->screen);
  cursor_changed (self);
}

/* The guest's agent sets it; without one nothing happens. */
static void
vd_spice_display_request_size (VdDisplay *display, guint width, guint height)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (display);

  if (self->main == NULL)
    return;
  spice_main_channel_update_display_enabled (self->main, 0, TRUE, FALSE);
  spice_main_channel_update_display (self->main, 0, 0, 0, width, height, TRUE);
}

static void
vd_spice_display_dispose (GObject *object)
{
  vd_spice_display_disconnect (VD_SPICE_DISPLAY (object));
  G_OBJECT_CLASS (vd_spice_display_parent_class)->dispose (object);
}

static void
vd_spice_display_finalize (GObject *object)
{
  VdSpiceDisplay *self = VD_SPICE_DISPLAY (object);

  vd_spice_screen_clear (&self->screen);
  vd_cursor_clear (&self->cursor);
  G_OBJECT_CLASS (vd_spice_display_parent_class)->finalize (object);
}

static void
vd_spice_display_class_init (VdSpiceDisplayClass *klass)
{
  VdDisplayClass *display_class = VD_DISPLAY_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = vd_spice_display_dispose;
  G_OBJECT_CLASS (klass)->finalize = vd_spice_display_finalize;
  display_class->take_frame = vd_spice_display_take_frame;
  display_class->take_cursor = vd_spice_display_take_cursor;
  display_class->peek_frame = vd_spice_display_peek_frame;
  display_class->set_viewed = vd_spice_display_set_viewed;
  display_class->request_size = vd_spice_display_request_size;
  display_class->key = vd_spice_display_key;
  display_class->move = vd_spice_display_move;
  display_class->button = vd_spice_display_button;
  display_class->wheel = vd_spice_display_wheel;
  display_class->release_all = vd_spice_display_release_all;
}

static void
vd_spice_display_init (VdSpiceDisplay *self)
{
}

VdSpiceDisplay *
vd_spice_display_new (void)
{
  return g_object_new (VD_TYPE_SPICE_DISPLAY, NULL);
}
