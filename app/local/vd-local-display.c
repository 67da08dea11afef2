/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdLocalDisplay over VmmDisplay and VmmInput. The wake function runs on the
 * machine's loop and takes no lock: setting it waits for it.
 *
 * Threads: main, except attach, detach (worker) and on_wake (loop).
 */
#include "local/vd-local-display.h"

struct _VdLocalDisplay {
  VdDisplay parent_instance;

  GMutex lock; /* guards all below */
  VmmDisplay *display;
  VmmInput *input;
  gboolean viewed;
  /* The viewer is new: it gets all there is, changed or not. */
  gboolean new_to_frame;
  gboolean new_to_cursor;
  VdCursor cursor; /* as last taken */
};

G_DEFINE_FINAL_TYPE (VdLocalDisplay, vd_local_display, VD_TYPE_DISPLAY)

static gboolean
emit_changed (gpointer data)
{
  vd_display_emit_changed (data);
  return G_SOURCE_REMOVE;
}

static void
post_changed (VdLocalDisplay *self)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, emit_changed, g_object_ref (self), g_object_unref);
}

/* Loop. */
static void
on_wake (VmmDisplay *display, gpointer data)
{
  post_changed (data);
}

/* With the lock held. What waits already must not be missed. */
static void
update_wake (VdLocalDisplay *self)
{
  if (self->display == NULL)
    return;
  vmm_display_set_wake (self->display, self->viewed ? on_wake : NULL, self);
  if (self->viewed)
    post_changed (self);
}

void
vd_local_display_attach (VdLocalDisplay *self, VmmDisplay *display, VmmInput *input)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->display = display;
  self->input = input;
  update_wake (self);
}

void
vd_local_display_detach (VdLocalDisplay *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->display != NULL)
    vmm_display_set_wake (self->display, NULL, NULL);
  self->display = NULL;
  self->input = NULL;
}

static void
unref_buffer (gpointer buffer)
{
  vmm_buffer_unref (buffer);
}

/* Takes the reference of @from. */
static void
convert_frame (const VmmFrame *from, VdFrame *to)
{
  *to = (VdFrame) {
    .offset = from->offset,
    .width = from->width,
    .height = from->height,
    .stride = from->stride,
    .fourcc = from->fourcc,
    .dmabuf = from->buffer != NULL ? vmm_buffer_get_dmabuf (from->buffer) : -1,
    .damage = { from->damage.x, from->damage.y, from->damage.width, from->damage.height },
    .serial = from->serial,
  };
  if (from->buffer != NULL)
    to->pixels =
      g_bytes_new_with_free_func (vmm_buffer_get_pixels (from->buffer),
                                  vmm_buffer_get_size (from->buffer), unref_buffer, from->buffer);
}

static gboolean
vd_local_display_take_frame (VdDisplay *display, VdFrame *frame)
{
  VdLocalDisplay *self = VD_LOCAL_DISPLAY (display);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gboolean is_new = self->new_to_frame;
  VmmFrame found = { 0 };

  if (self->display == NULL)
    return FALSE;
  if (!vmm_display_take (self->display, &found) &&
      !(is_new && vmm_display_peek (self->display, &found)))
    return FALSE;
  if (is_new)
    found.damage = (VmmRect) { 0, 0, found.width, found.height };
  self->new_to_frame = FALSE;
  convert_frame (&found, frame);
  return TRUE;
}

static gboolean
vd_local_display_peek_frame (VdDisplay *display, VdFrame *frame)
{
  VdLocalDisplay *self = VD_LOCAL_DISPLAY (display);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  VmmFrame found = { 0 };

  if (self->display == NULL || !vmm_display_peek (self->display, &found))
    return FALSE;
  convert_frame (&found, frame);
  return TRUE;
}

/* Takes the reference of @from. */
static void
convert_cursor (const VmmCursor *from, VdCursor *to)
{
  *to = (VdCursor) {
    .visible = from->visible,
    .x = from->x,
    .y = from->y,
    .hot_x = from->hot_x,
    .hot_y = from->hot_y,
    .width = from->width,
    .height = from->height,
    .serial = from->serial,
    .pixels = from->pixels,
  };
}

static gboolean
vd_local_display_take_cursor (VdDisplay *display, VdCursor *cursor)
{
  VdLocalDisplay *self = VD_LOCAL_DISPLAY (display);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  VmmCursor found = { 0 };

  if (self->display == NULL)
    return FALSE;
  if (vmm_display_take_cursor (self->display, &found)) {
    vd_cursor_clear (&self->cursor);
    convert_cursor (&found, &self->cursor);
  } else if (!self->new_to_cursor) {
    return FALSE;
  }
  self->new_to_cursor = FALSE;
  *cursor = self->cursor;
  if (cursor->pixels != NULL)
    g_bytes_ref (cursor->pixels);
  return TRUE;
}

static void
vd_local_display_set_viewed (VdDisplay *display, gboolean viewed)
{
  VdLocalDisplay *self = VD_LOCAL_DISPLAY (display);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->viewed = viewed;
  self->new_to_frame = self->new_to_cursor = viewed;
  update_wake (self);
}

/* What goes to the guest, with the lock held and only while there is a machine. */
#define SEND(display_, target, call)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    VdLocalDisplay *self = VD_LOCAL_DISPLAY (display_);                                            \
    g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);                            \
                                                                                                   \
    if (self->target != NULL)                                                                      \
      call;                                                                                        \
  }                                                                                                \
  G_STMT_END

static void
vd_local_display_request_size (VdDisplay *display, guint width, guint height)
{
  SEND (display, display, vmm_display_request_size (self->display, width, height));
}

static void
vd_local_display_key (VdDisplay *display, guint evdev, gboolean pressed)
{
  SEND (display, input, vmm_input_key (self->input, evdev, pressed));
}

static void
vd_local_display_move (VdDisplay *display, double x, double y)
{
  SEND (display, input, vmm_input_move (self->input, x, y));
}

static void
vd_local_display_button (VdDisplay *display, guint evdev, gboolean pressed)
{
  SEND (display, input, vmm_input_button (self->input, evdev, pressed));
}

static void
vd_local_display_wheel (VdDisplay *display, int vertical, int horizontal)
{
  SEND (display, input, vmm_input_wheel (self->input, vertical, horizontal));
}

static void
vd_local_display_release_all (VdDisplay *display)
{
  SEND (display, input, vmm_input_release_all (self->input));
}

static void
vd_local_display_finalize (GObject *object)
{
  VdLocalDisplay *self = VD_LOCAL_DISPLAY (object);

  vd_cursor_clear (&self->cursor);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (vd_local_display_parent_class)->finalize (object);
}

static void
vd_local_display_class_init (VdLocalDisplayClass *klass)
{
  VdDisplayClass *display_class = VD_DISPLAY_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = vd_local_display_finalize;
  display_class->take_frame = vd_local_display_take_frame;
  display_class->take_cursor = vd_local_display_take_cursor;
  display_class->peek_frame = vd_local_display_peek_frame;
  display_class->set_viewed = vd_local_display_set_viewed;
  display_class->request_size = vd_local_display_request_size;
  display_class->key = vd_local_display_key;
  display_class->move = vd_local_display_move;
  display_class->button = vd_local_display_button;
  display_class->wheel = vd_local_display_wheel;
  display_class->release_all = vd_local_display_release_all;
}

static void
vd_local_display_init (VdLocalDisplay *self)
{
  g_mutex_init (&self->lock);
}

VdLocalDisplay *
vd_local_display_new (void)
{
  return g_object_new (VD_TYPE_LOCAL_DISPLAY, NULL);
}
